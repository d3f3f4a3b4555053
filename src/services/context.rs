//! What a turn knows: the short context in Redis, the long one in PostgreSQL.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ServiceError, Services};
use crate::domain::conversation::feedback::{Share, share_positive};
use crate::domain::conversation::history::{Author, Line, lines_max, window};
use crate::domain::conversation::profile::{Mention, Profile};
use crate::domain::conversation::selection::Assigned;
use crate::domain::conversation::sentiment::Mood;
use crate::domain::conversation::standing::Standing;
use crate::domain::learning::Learned;
use crate::models::tenant::{conversation, event, message, profile};
use crate::queue::Claimed;
use crate::tenant::{StoreError, Tenant};

/// A conversation as a turn sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Conversation {
    /// Its id.
    pub id: Uuid,
    /// The person's id.
    pub person_id: Uuid,
    /// The person's name, when known.
    pub name: Option<String>,
    /// Whether the customer gave that name in words; then the phone's profile does not change it.
    #[serde(default)]
    pub name_given: bool,
    /// The variants of experiments the person was given.
    #[serde(default, skip_serializing_if = "Assigned::is_empty")]
    pub assigned: Assigned,
    /// What is known of the person.
    #[serde(default, skip_serializing_if = "is_blank")]
    pub profile: Profile,
    /// What the person thought of us.
    #[serde(default, skip_serializing_if = "no_opinions")]
    pub opinions: Share,
    /// Whether the person comes back: the short context had run out.
    #[serde(skip)]
    pub returning: bool,
    /// How it stands.
    #[serde(default, skip_serializing_if = "Standing::is_plain")]
    pub standing: Standing,
    /// The newest lines, oldest first.
    pub lines: Vec<Line>,
    /// Whether PostgreSQL does not know it yet.
    #[serde(skip)]
    pub is_new: bool,
}

impl Conversation {
    fn new() -> Self {
        Self {
            id: Uuid::now_v7(),
            person_id: Uuid::now_v7(),
            name: None,
            name_given: false,
            assigned: Assigned::new(),
            profile: Profile::default(),
            opinions: Share::default(),
            returning: false,
            standing: Standing::default(),
            lines: Vec::new(),
            is_new: true,
        }
    }

    /// What to call the person, given the name the phone shows now.
    pub fn called<'a>(&'a self, shown: Option<&'a str>) -> Option<&'a str> {
        let known = self.name.as_deref();
        if self.name_given { known.or(shown) } else { shown.or(known) }
    }

    /// The text kept in Redis: the newest exchanges only.
    pub fn short(&self, turns: usize) -> Result<String, ServiceError> {
        let short = Self { lines: window(&self.lines, turns).to_vec(), ..self.clone() };
        serde_json::to_string(&short).map_err(|error| StoreError::redis_data(error.to_string()).into())
    }
}

fn is_blank(profile: &Profile) -> bool {
    *profile == Profile::default()
}

fn no_opinions(opinions: &Share) -> bool {
    *opinions == Share::default()
}

/// What was learnt of a person from all they ever wrote, as a turn goes on with it.
fn profile_of(learned: &Learned) -> Profile {
    let mentions =
        |names: Vec<&str>| names.into_iter().map(|what| Mention { what: what.to_owned(), times: 1 }).collect();
    Profile {
        name: None,
        topics: mentions(learned.topics()),
        products: mentions(learned.products()),
        preferences: learned.preferences(),
        last_subject: learned.last_subject.clone(),
    }
}

/// Loads what is known. The short context counts only when the last holder left nothing unfinished (`clean`): else it may
/// lag behind PostgreSQL, and the claim does not bring it.
pub async fn load(tenant: &Tenant, claim: &Claimed) -> Result<(Conversation, bool), ServiceError> {
    if let Some(short) = claim.context.as_deref().and_then(|json| serde_json::from_str(json).ok()) {
        return Ok((short, true));
    }
    Ok((load_long(tenant, &claim.conversation).await?, false))
}

/// Loads from PostgreSQL; a conversation nobody knows is a new one.
pub async fn load_long(tenant: &Tenant, key: &str) -> Result<Conversation, ServiceError> {
    let mut tx = tenant.db.begin().await?;
    let Some(row) = conversation::find(&mut tx, key).await? else {
        tx.commit().await?;
        return Ok(Conversation::new());
    };
    let rows = i64::try_from(lines_max(tenant.settings.context_turns)).unwrap_or(120);
    let lines = message::history(&mut tx, row.id, rows).await?;
    let profile = profile::find(&mut tx, row.person_id).await?;
    let moods = event::opinions(&mut tx, row.id).await?;
    tx.commit().await?;
    let moods = moods.iter().filter_map(|label| Mood::parse(label));
    let lines: Vec<Line> = lines.into_iter().map(|(by, text, at)| Line::new(Author::parse(&by), text).at(at)).collect();
    // Judged once for all the turns to come.
    let lines = window(&lines, tenant.settings.context_turns).iter().cloned().map(Line::judged).collect();
    Ok(Conversation {
        id: row.id,
        person_id: row.person_id,
        name: row.name,
        assigned: Assigned::new(),
        profile: profile.map(|known| profile_of(&known.learned)).unwrap_or_default(),
        opinions: share_positive(moods),
        returning: true,
        standing: serde_json::from_value(row.standing).unwrap_or_default(),
        name_given: row.name_source.as_deref() == Some("customer"),
        lines,
        is_new: false,
    })
}

/// Stores the window of conversations that fell idle, for resumption and export. Returns how many.
pub async fn keep_idle(services: &Services, tenant: &Tenant) -> Result<usize, ServiceError> {
    let settings = &tenant.settings;
    let ttl = i64::try_from(settings.context_ttl_seconds).unwrap_or(i64::MAX / 1000);
    let lines = i64::try_from(lines_max(settings.context_turns)).unwrap_or(120);
    let mut tx = tenant.db.begin().await?;
    let kept = conversation::keep_idle(&mut tx, services.clock.now() - TimeDelta::seconds(ttl), lines, 500).await?;
    tx.commit().await?;
    Ok(kept)
}
