//! The sign-in journey: what was proved, and the one function that says what must still happen before it
//! may end. Pure. A step's handler saves one proof and returns here; no step names another.
//!
//! ```text
//! request -> [password] -> [confirm mail] -> [new password] -> [phone] -> [code] -> [terms] -> [consent] -> issue
//! ```

mod requirements;

use serde::{Deserialize, Serialize};
use web::clock::Timestamp;

use crate::config::Assurance;
use crate::domain::account::{AccountId, Role};
use crate::protocol::authorization::AuthorizationRequest;
use crate::protocol::error::{self, OAuthError};

pub use requirements::{Begun, Requirements};

/// A page that the person has to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Step {
    Password,
    ConfirmMail,
    NewPassword,
    Phone,
    Code,
    Terms,
    Consent,
}

/// What has been proved in this journey, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proofs {
    pub password_at: Option<Timestamp>,
    /// Another identity provider vouched for the person, in place of the password and perhaps of the code.
    #[serde(default)]
    pub upstream: Option<Upstream>,
    pub new_password_at: Option<Timestamp>,
    /// A one-time code was received on the account's phone.
    pub code_at: Option<Timestamp>,
    pub consent_at: Option<Timestamp>,
}

/// What another identity provider proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    pub at: Timestamp,
    /// How sure that one is, as the operator rates it.
    pub assurance: Assurance,
    /// Its `amr` (RFC 8176).
    pub amr: Vec<String>,
}

impl Proofs {
    /// When the person last proved who they are: `auth_time`.
    pub fn authenticated_at(&self) -> Option<Timestamp> {
        self.password_at.max(self.upstream.as_ref().map(|proof| proof.at))
    }
}

/// What is true of the account and the browser at this moment, read anew at every step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub role: Role,
    pub email_confirmed: bool,
    pub blocked: bool,
    pub must_replace_password: bool,
    /// The account has a phone number that received a code before, or this journey has a number to prove.
    pub has_phone: bool,
    /// This browser is known to this account and its remembered time is not over.
    pub device_trusted: bool,
    /// The person agreed to the portal's terms of use as they are now.
    pub terms_accepted: bool,
    /// The person let this client have all that it asks for, earlier.
    pub consented: bool,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Ask(Step),
    Issue,
    Refuse(OAuthError),
}

/// The only place where the order is decided. `facts` is absent until an account is known.
pub fn next(requirements: &Requirements, proofs: &Proofs, facts: Option<&Facts>) -> Next {
    let wanted = match facts {
        None => Some(Step::Password),
        Some(facts) if facts.blocked => return Next::Refuse(error::ACCESS_DENIED),
        Some(facts) => requirements.first_unmet(proofs, facts),
    };
    match wanted {
        None => Next::Issue,
        Some(step) if requirements.silent() => Next::Refuse(match step {
            Step::Password => error::LOGIN_REQUIRED,
            Step::Consent => error::CONSENT_REQUIRED,
            _ => error::INTERACTION_REQUIRED,
        }),
        Some(step) => Next::Ask(step),
    }
}

/// What a finished journey has earned. A remembered device is weaker than a fresh code.
pub fn earned(proofs: &Proofs, facts: &Facts) -> Assurance {
    let own = match (proofs.code_at, facts.device_trusted) {
        (Some(_), _) => Assurance::Code,
        (None, true) if proofs.password_at.is_some() => Assurance::KnownDevice,
        (None, _) => Assurance::Password,
    };
    proofs.upstream.as_ref().map_or(own, |proof| own.max(proof.assurance))
}

/// The `amr` of a finished journey (RFC 8176).
pub fn earned_amr(proofs: &Proofs) -> Vec<String> {
    let password = proofs.password_at.map(|_| "pwd");
    let code = proofs.code_at.map(|_| "sms");
    let own: Vec<&str> = password.into_iter().chain(code).collect();
    let mfa = (own.len() > 1).then_some("mfa");
    let upstream = proofs.upstream.iter().flat_map(|proof| &proof.amr).map(String::as_str);
    let mut methods: Vec<String> = Vec::new();
    for method in own.into_iter().chain(mfa).chain(upstream) {
        if !methods.iter().any(|known| known == method) {
            methods.push(method.to_owned());
        }
    }
    methods
}

impl Journey {
    /// Whether nobody sits in front of it: `prompt=none` (OpenID Connect Core section 3.1.2.1).
    pub fn is_silent(&self) -> bool {
        self.request.as_ref().is_some_and(|request| request.prompt.none)
    }
}

/// A code that was sent and not used yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentCode {
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
    pub proofs: Proofs,
    /// The account's [`password_mark`](crate::domain::account::Account::password_mark) when the password was
    /// given; once the account has another one, the proofs are void.
    #[serde(default)]
    pub password_mark: String,
    /// The number given in this journey, sealed, until a code on it proves it.
    pub pending_phone: Option<String>,
    pub code: Option<SentCode>,
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
mod tests;
