//! Whom a jid or a plain number field names.

use std::borrow::Cow;

use serde_json::Value;

use super::json::scalar;
use super::{BadPayload, Object};
use crate::domain::inbound::{IgnoreReason, Sender};
use crate::domain::phone::{Phone, jid_digits};

/// Longest hidden id taken; real ones have about 15 digits.
const LID_MAX_DIGITS: usize = 20;

/// What an address turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// A person's number.
    Phone(Phone),
    /// A person's hidden id.
    Lid(String),
    /// No person we talk to.
    NotAPerson(IgnoreReason),
}

impl Address {
    /// The sender, unless the address is no person.
    pub(super) fn into_sender(self) -> Result<Sender, IgnoreReason> {
        match self {
            Self::Phone(phone) => Ok(Sender::Phone { phone, lid: None }),
            Self::Lid(lid) => Ok(Sender::Lid(lid)),
            Self::NotAPerson(reason) => Err(reason),
        }
    }
}

/// Reads a jid. A user without a domain is taken as a number with country code.
pub(super) fn read_jid(jid: &str) -> Option<Address> {
    let (user, domain) = jid.trim().split_once('@').unwrap_or((jid.trim(), "s.whatsapp.net"));
    let lower = if domain.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(domain.to_ascii_lowercase())
    } else {
        Cow::Borrowed(domain)
    };
    match &*lower {
        "g.us" => Some(Address::NotAPerson(IgnoreReason::Group)),
        "broadcast" => Some(Address::NotAPerson(IgnoreReason::Status)),
        "newsletter" => Some(Address::NotAPerson(IgnoreReason::Newsletter)),
        "lid" | "hosted.lid" => read_lid(user).map(Address::Lid),
        // WhatsApp's own announcements come from user 0.
        "s.whatsapp.net" | "c.us" | "hosted" if user == "0" => Some(Address::NotAPerson(IgnoreReason::NotAMessage)),
        "s.whatsapp.net" | "c.us" | "hosted" => Phone::from_jid_user(user).map(Address::Phone),
        _ => Some(Address::NotAPerson(IgnoreReason::NotAMessage)),
    }
}

/// The digits of a hidden id, with or without its domain.
pub(super) fn read_lid(raw: &str) -> Option<String> {
    let user = raw.split('@').next()?;
    jid_digits(user.trim()).filter(|digits| digits.len() <= LID_MAX_DIGITS).map(str::to_owned)
}

/// Reads a plain number field, which may hold a number as people type it, a number as JSON number, or a jid.
pub(super) fn read_number(value: &Value) -> Result<Address, BadPayload> {
    let raw = scalar(value).ok_or(BadPayload::at("number"))?;
    let read = if raw.contains('@') { read_jid(&raw) } else { Phone::typed(&raw).map(Address::Phone) };
    read.ok_or(BadPayload::at("number"))
}

/// The person a Baileys message key names: for a received message its author, for one of our own its recipient.
///
/// Hidden ids and numbers come in pairs of fields. In our own messages the `sender…` fields are ourselves, so only the
/// `…Alt` one of the chat may be trusted there. Groups carry further ids of participants; they never get this far.
pub(super) fn read_key(key: &Object, from_me: bool) -> Option<Address> {
    key.get("remoteJid").and_then(Value::as_str).filter(|jid| !jid.trim().is_empty()).and_then(|jid| {
        match read_jid(jid)? {
            Address::Lid(lid) => Some(pair(key, from_me).map_or(Address::Lid(lid), Address::Phone)),
            other => Some(other),
        }
    })
}

/// The hidden id a Baileys key carries, in whichever of its fields.
pub(super) fn lid_of_key(key: &Object, from_me: bool) -> Option<String> {
    let fields: &[&str] = if from_me {
        &["remoteJid", "remoteJidAlt"]
    } else {
        &["remoteJid", "remoteJidAlt", "senderLid", "participantLid"]
    };
    fields.iter().filter_map(|field| key.get(*field)?.as_str()).find(|jid| jid.ends_with("lid")).and_then(read_lid)
}

fn pair(key: &Object, from_me: bool) -> Option<Phone> {
    let fields: &[&str] = if from_me {
        &["remoteJidAlt", "recipientPn"]
    } else {
        &["remoteJidAlt", "senderPn", "participantPn", "participantAlt"]
    };
    fields.iter().filter_map(|field| key.get(*field)?.as_str()).find_map(|jid| match read_jid(jid) {
        Some(Address::Phone(phone)) => Some(phone),
        _ => None,
    })
}
