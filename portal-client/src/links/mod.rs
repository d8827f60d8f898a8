//! Links between people and dossiers: asked for, opened with an activation code, ended. A person is an issuer
//! and a subject. Owns who may see what (`rules`), the codes and the rows.

mod activation;
pub mod code;
pub mod rules;
mod store;
mod team_store;
#[cfg(test)]
mod tests;

use platform::clock::Timestamp;

use crate::session::Person;
pub use rules::{Act, Level, Relation, allows};
pub use store::{Links, NewRequest};
pub use team_store::NewCode;

/// How far a link is. Each variant holds what is true in it and no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Asked for; a code may have been issued.
    Requested { code: Option<IssuedCode> },
    /// Opens this dossier.
    Active { dossier: String, since: Timestamp },
    /// Withdrawn, or taken away.
    Ended { dossier: Option<String>, at: Timestamp },
}

/// An activation code, as far as it may be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedCode {
    pub expires_at: Timestamp,
    pub failures: i64,
}

/// A link with what its holder and a care team may see of it; the BSN stays sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub id: String,
    pub person: Person,
    pub relation: Relation,
    pub level: Level,
    pub organisation: String,
    pub requested_at: Timestamp,
    pub state: State,
    /// By which a dossier source recognises the client.
    pub match_hash: String,
    sealed_bsn: String,
    sealed_birth_date: String,
}

impl Link {
    /// The dossier that this link opens now.
    pub fn opens(&self) -> Option<&str> {
        match &self.state {
            State::Active { dossier, .. } => Some(dossier),
            _ => None,
        }
    }

    /// The word for how far it is at `now`, where a code is good for so many `attempts`.
    pub fn state_word(&self, now: Timestamp, attempts: i64) -> &'static str {
        match &self.state {
            State::Requested { code: None } => "requested",
            State::Requested { code: Some(code) } if code.failures >= attempts => "code-spent",
            State::Requested { code: Some(code) } if code.expires_at <= now => "code-expired",
            State::Requested { code: Some(_) } => "code-issued",
            State::Active { .. } => "open",
            State::Ended { .. } => "ended",
        }
    }
}
