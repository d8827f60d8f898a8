//! Waiting pages: 'a mail is on its way'. They exist alike for known and unknown addresses; on them the code
//! of the mail can be typed and the mail be sent again.

use std::time::Duration;

use platform::clock::Timestamp;
use platform::ephemeral::{Ephemeral, EphemeralError};
use platform::seal::{same, sha256};
use serde::{Deserialize, Serialize};

use crate::domain::account::AccountId;

/// What a waiting page waits for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Waiting {
    /// SHA-256 of the browser's cookie.
    pub browser: String,
    pub email: String,
    /// Absent for an address nobody has here; the page does not show the difference.
    pub account_id: Option<AccountId>,
    /// Of the registration that waits for its confirmation; another one of the same address is not this page's.
    #[serde(default, rename = "password_mark")]
    pub credential_version: Option<String>,
    pub client_id: Option<String>,
    pub journey_id: Option<String>,
    pub sent_at: Timestamp,
    pub tries_left: u32,
}

/// How long a page waits.
pub const LIFETIME: Duration = Duration::from_hours(24);

/// Stores the page `id`.
pub async fn put(ephemeral: &Ephemeral, id: &str, waiting: &Waiting) -> Result<(), EphemeralError> {
    ephemeral
        .put(&format!("waiting:{id}"), &serde_json::to_string(waiting).unwrap_or_default(), LIFETIME)
        .await
}

/// The page `id` of this browser.
pub async fn get(
    ephemeral: &Ephemeral,
    id: &str,
    browser: &str,
) -> Result<Option<(Waiting, i64)>, EphemeralError> {
    let Some(stored) = ephemeral.get(&format!("waiting:{id}")).await? else { return Ok(None) };
    let waiting = serde_json::from_str::<Waiting>(&stored.value).ok();
    Ok(waiting
        .filter(|waiting| same(&waiting.browser, &sha256(browser)))
        .map(|waiting| (waiting, stored.version)))
}

/// Saves the page over the version that was read; false if somebody else was first.
pub async fn save(
    ephemeral: &Ephemeral,
    id: &str,
    version: i64,
    waiting: &Waiting,
) -> Result<bool, EphemeralError> {
    let value = serde_json::to_string(waiting).unwrap_or_default();
    ephemeral.swap(&format!("waiting:{id}"), version, &value, LIFETIME).await
}
