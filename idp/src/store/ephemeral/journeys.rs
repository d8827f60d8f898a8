//! Journeys under their ids. A journey opens only for the browser that began it, and is saved only over the
//! version that was read.

use std::time::Duration;

use platform::db::Query;
use platform::ephemeral::{Ephemeral, EphemeralError};
use platform::seal::{same, sha256};

use crate::domain::account::Account;
use crate::domain::device::Device;
use crate::domain::journey::Journey;
use crate::store::sessions::Session;

/// A journey as it was read, or a new one that is kept nowhere yet.
#[derive(Clone, Debug)]
pub struct Open {
    pub id: String,
    pub journey: Journey,
    /// What a new one stands on, as it was read for it.
    pub read: Option<Box<Read>>,
    version: i64,
}

/// A session and whose it is.
#[derive(Clone, Debug)]
pub struct Read {
    pub session: Session,
    /// Until somebody has taken it; with the device that the browser is to the account.
    pub account: Option<(Account, Option<Device>)>,
}

/// Of a journey that was not saved.
const NOT_KEPT: i64 = 0;

impl Open {
    /// A new journey. Whoever is asked nothing on the way never needs it again.
    pub fn new(id: String, journey: Journey, read: Option<Read>) -> Self {
        Self { id, journey, read: read.map(Box::new), version: NOT_KEPT }
    }

    /// The same without what was read for it, which is no longer so.
    pub fn as_it_was(self) -> Self {
        Self { read: None, ..self }
    }

    /// Whether it was saved, so that another request can find it.
    pub fn is_kept(&self) -> bool {
        self.version != NOT_KEPT
    }
}

fn key(id: &str) -> String {
    format!("journey:{}", parts(id).0)
}

/// An id taken apart: the random part, which alone tells journeys apart, and the mark of the portal, for whoever comes
/// when the journey is gone.
pub fn parts(id: &str) -> (&str, &str) {
    id.split_once('.').unwrap_or((id, ""))
}

/// An id put together.
pub fn id_with(random: &str, portal: &str) -> String {
    if portal.is_empty() { random.to_owned() } else { format!("{random}.{portal}") }
}

fn is_id(id: &str) -> bool {
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let (random, portal) = parts(id);
    random.len() == 22 && is_word(random) && is_word(portal)
}

/// The journey `id` of this browser, if it lives.
pub async fn open(ephemeral: &Ephemeral, id: &str, browser: &str) -> Result<Option<Open>, EphemeralError> {
    if !is_id(id) {
        return Ok(None);
    }
    let Some(stored) = ephemeral.get(&key(id)).await? else { return Ok(None) };
    let Ok(journey) = serde_json::from_str::<Journey>(&stored.value) else { return Ok(None) };
    let is_own = same(&journey.browser, &sha256(browser));
    Ok(is_own.then(|| Open { id: id.to_owned(), journey, read: None, version: stored.version }))
}

/// Saves a journey over the version it was read as; false if somebody else was first.
pub async fn save(
    ephemeral: &Ephemeral,
    open: &mut Open,
    lifetime: Duration,
) -> Result<bool, EphemeralError> {
    let value = serde_json::to_string(&open.journey).unwrap_or_default();
    let saved = if open.is_kept() {
        ephemeral.swap(&key(&open.id), open.version, &value, lifetime).await?
    } else {
        // Nothing stood under a fresh id before.
        ephemeral.put(&key(&open.id), &value, lifetime).await?;
        true
    };
    open.version += 1;
    Ok(saved)
}

/// What stands in the place of a journey that ended; no journey's JSON begins like it.
const FINISHED: &str = "finished:";

fn mark(open: &Open) -> String {
    format!("{FINISHED}{}", open.journey.client_id.as_deref().unwrap_or_default())
}

const MARK_LIFETIME: Duration = Duration::from_mins(10);

/// Ends a journey as it was read, one that was kept; true for the one caller that may issue from it. For a while its id still
/// tells which client it was for, so that a second click does not end in a dead end.
pub async fn finish(ephemeral: &Ephemeral, open: &Open) -> Result<bool, EphemeralError> {
    ephemeral.swap(&key(&open.id), open.version, &mark(open), MARK_LIFETIME).await
}

/// As [`finish`], as a guard of the transaction that issues; `None` if journeys are not kept in that database.
pub fn finish_within(ephemeral: &Ephemeral, open: &Open) -> Option<Query> {
    ephemeral.swap_within(&key(&open.id), open.version, &mark(open), MARK_LIFETIME)
}

/// The client of a journey that was finished a moment ago.
pub async fn finished(ephemeral: &Ephemeral, id: &str) -> Result<Option<String>, EphemeralError> {
    if !is_id(id) {
        return Ok(None);
    }
    let stored = ephemeral.get(&key(id)).await?;
    Ok(stored.and_then(|stored| stored.value.strip_prefix(FINISHED).map(str::to_owned)))
}
