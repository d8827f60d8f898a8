//! The sign-in journey: what was proved, and the one function that says what must still happen before it
//! may end. Pure. A step's handler saves one proof and returns here; no step names another.
//!
//! ```text
//! request -> [password] -> [confirm mail] -> [new password] -> [phone] -> [code] -> [terms] -> [consent] -> issue
//! ```

mod before;
mod proofs;
mod requirements;

use platform::clock::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::account::AccountId;
use crate::protocol::authorization::AuthorizationRequest;

pub use proofs::{Method, Proof, Proofs};
pub use requirements::{Begun, Facts, Next, Requirements, Step, WantedAcr, next};

impl Journey {
    /// Whether nobody sits in front of it: `prompt=none` (OpenID Connect Core section 3.1.2.1).
    pub fn is_silent(&self) -> bool {
        self.request.as_ref().is_some_and(|request| request.prompt.none)
    }
}

/// A code that was sent and not used yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtpChallenge {
    /// The digits before the dash, which stand on the page; they are in no hash.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Keyed, and bound to journey and browser.
    pub hash: String,
    /// The number it went to, hashed: a code on a number that is the account's no more proves nothing.
    #[serde(default)]
    pub number: String,
    /// The SMS in the outbox that holds it.
    #[serde(default)]
    pub message: String,
    pub sent_at: Timestamp,
    pub expires_at: Timestamp,
    pub tries_left: u32,
}

/// One sign-in under way. Its id stands in the URL; without the browser's cookie it is worthless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journey {
    /// Absent when the person came without a portal's request: from a mail, or to the account page.
    pub request: Option<AuthorizationRequest>,
    pub client_id: Option<String>,
    /// SHA-256 of the browser's cookie.
    pub browser: String,
    pub account_id: Option<AccountId>,
    #[serde(with = "before")]
    pub proofs: Proofs,
    /// The account's [`credential_version`](crate::domain::account::Account::credential_version) when the password was
    /// given; once the account has another one, the proofs are void.
    #[serde(default, rename = "password_mark")]
    pub credential_version: String,
    /// The number given in this journey, sealed, until a code on it proves it.
    pub pending_phone: Option<String>,
    pub code: Option<OtpChallenge>,
    /// The way to give a second factor that the person picked in place of the one that was offered.
    #[serde(default)]
    pub chosen: Option<Step>,
    /// The live session the journey started from.
    pub session_id: Option<String>,
    /// When that one had last been active.
    #[serde(default)]
    pub session_seen_at: Option<Timestamp>,
    /// A page of ours that wants a fresh sign-in, with a code where the account has a phone; the journey ends there.
    #[serde(default)]
    pub step_up_to: Option<String>,
    pub public_computer: bool,
    /// Since the password it takes a cookie of its own as well: one that was planted in the browser before is not enough.
    #[serde(default)]
    pub is_bound: bool,
    /// What the person typed to sign in, shown again after a failure.
    pub identifier: String,
    pub created_at: Timestamp,
}

#[cfg(test)]
mod factor_tests;
#[cfg(test)]
mod tests;
