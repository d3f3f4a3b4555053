//! People and their addresses.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::models::schema::tenant::{person, person_identity};
use crate::tenant::{StoreError, TenantTx};

/// An address of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `phone` or `lid`.
    pub kind: &'static str,
    /// Canonical digits.
    pub value: String,
}

/// Finds the person behind any of these addresses, or makes one; attaches all addresses to it.
/// `fresh` is the id of a person that has to be made.
pub async fn find_or_create(
    tx: &mut TenantTx,
    identities: &[Identity],
    fresh: Uuid,
    now: DateTime<Utc>,
) -> Result<Uuid, StoreError> {
    let conn = tx.conn();
    let mut found: Option<Uuid> = None;
    for identity in identities {
        if found.is_none() {
            found = person_identity::table
                .select(person_identity::person_id)
                .filter(person_identity::kind.eq(identity.kind).and(person_identity::value.eq(&identity.value)))
                .first(conn)
                .await
                .optional()?;
        }
    }
    let id = match found {
        Some(id) => id,
        None => {
            diesel::insert_into(person::table)
                .values((person::id.eq(fresh), person::created_at.eq(now), person::updated_at.eq(now)))
                .execute(conn)
                .await?;
            fresh
        }
    };
    for identity in identities {
        diesel::insert_into(person_identity::table)
            .values((
                person_identity::kind.eq(identity.kind),
                person_identity::value.eq(&identity.value),
                person_identity::person_id.eq(id),
                person_identity::created_at.eq(now),
            ))
            .on_conflict_do_nothing()
            .execute(conn)
            .await?;
    }
    Ok(id)
}

/// Takes the name the person's phone shows, unless the customer gave another in words.
pub async fn name_from_channel(tx: &mut TenantTx, id: Uuid, name: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    diesel::update(person::table.filter(person::id.eq(id)))
        .filter(person::name_source.is_null().or(person::name_source.eq("channel")))
        .set((person::name.eq(name), person::name_source.eq("channel"), person::updated_at.eq(now)))
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Keeps a name the customer gave in words; the phone's profile no longer changes it.
pub async fn name_from_customer(tx: &mut TenantTx, id: Uuid, name: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    diesel::update(person::table.filter(person::id.eq(id)))
        .set((person::name.eq(name), person::name_source.eq("customer"), person::updated_at.eq(now)))
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// All hidden ids whose telephone number is known: `(lid, phone)`.
pub async fn known_lids(tx: &mut TenantTx) -> Result<Vec<(String, String)>, StoreError> {
    let (lid, phone) = diesel::alias!(person_identity as lid, person_identity as phone);
    Ok(lid
        .inner_join(phone.on(phone.field(person_identity::person_id).eq(lid.field(person_identity::person_id))))
        .filter(lid.field(person_identity::kind).eq("lid").and(phone.field(person_identity::kind).eq("phone")))
        .select((lid.field(person_identity::value), phone.field(person_identity::value)))
        .load(tx.conn())
        .await?)
}

/// Since when somebody wants no message that we begin; `None` when they take them.
pub async fn opted_out_at(tx: &mut TenantTx, id: Uuid) -> Result<Option<DateTime<Utc>>, StoreError> {
    let found: Option<Option<DateTime<Utc>>> =
        person::table.select(person::opted_out_at).filter(person::id.eq(id)).first(tx.conn()).await.optional()?;
    Ok(found.flatten())
}

/// The person behind an address.
pub async fn behind(tx: &mut TenantTx, kind: &str, value: &str) -> Result<Option<Uuid>, StoreError> {
    Ok(person_identity::table
        .select(person_identity::person_id)
        .filter(person_identity::kind.eq(kind.to_owned()).and(person_identity::value.eq(value.to_owned())))
        .first(tx.conn())
        .await
        .optional()?)
}
