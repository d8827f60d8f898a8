//! Sessions, on the server's side: a row for each, found by the hash of the token in the browser's cookie.
//! How long they live is judged by the server's clock; only what a person does extends one.

mod store;
#[cfg(test)]
mod tests;

use platform::clock::Timestamp;
use platform::ending::Ending;
use serde::{Deserialize, Serialize};

use crate::config::SessionRules;
pub use store::{Sessions, Start};

/// Who somebody is, here and at the provider. No more of a person is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub iss: String,
    pub sub: String,
    pub name: String,
    pub email: String,
}

impl Person {
    /// Whether these are the same person; names change, `iss` and `sub` do not.
    pub fn is(&self, iss: &str, sub: &str) -> bool {
        self.iss == iss && self.sub == sub
    }

    /// The name under which is counted how often this person does something.
    pub fn counter(&self, what: &str) -> String {
        format!("{what}-account:{}", platform::seal::sha256(&format!("{}\n{}", self.iss, self.sub)))
    }
}

/// What a care team's member may be, within one organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CareRole {
    CareTeam,
    Administrator,
}

impl CareRole {
    fn word(self) -> &'static str {
        match self {
            Self::CareTeam => "care_team",
            Self::Administrator => "administrator",
        }
    }

    /// From the claim `care_role`.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::CareTeam, Self::Administrator].into_iter().find(|role| role.word() == word)
    }
}

/// A role and where it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Care {
    pub role: CareRole,
    pub organisation: String,
}

/// What a sign-in at the provider came to.
#[derive(Clone, Debug)]
pub struct SignIn {
    pub person: Person,
    /// The provider's session, by which it ends ours (`sid`); empty if it named none.
    pub sid: String,
    /// How well the provider knows that this is the person (`acr`).
    pub acr: String,
    /// Whether it was asked for with a care team's role and second factor; without that, `care` is empty.
    pub for_team: bool,
    pub care: Option<Care>,
    /// The ID token, to show at sign-out.
    pub id_token: String,
    /// With it the provider learns that somebody is here still.
    pub refresh_token: Option<String>,
    /// When the ID token was issued, by the provider's clock (`iat`).
    pub issued_at: Timestamp,
    /// When the person last proved who they are (`auth_time`), if the provider says.
    pub authenticated_at: Option<Timestamp>,
}

/// A session that lives.
#[derive(Clone, Debug)]
pub struct Session {
    key: String,
    pub person: Person,
    pub acr: String,
    pub for_team: bool,
    pub care: Option<Care>,
    pub signed_in_at: Timestamp,
    pub seen_at: Timestamp,
    /// When the provider was last told that somebody is here.
    refreshed_at: Timestamp,
}

impl Session {
    /// A name for this session that is no secret, to bind other values to it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// When it ends, seen from `now`; its pages then leave to `after`.
    pub fn ending(&self, rules: SessionRules, now: Timestamp, after: &'static str) -> Ending {
        let (seen, absolute_end) = ((self.seen_at, rules.idle), self.signed_in_at.plus(rules.absolute));
        Ending::new(now, seen, absolute_end, rules.warn, after)
    }
}
