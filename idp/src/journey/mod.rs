//! The sign-in journey: what was proved, and the one function that says what must still happen before it
//! may end. Pure. A step's handler saves one proof and returns here; no step names another.
//!
//! ```text
//! request -> [password] -> [confirm mail] -> [new password] -> [phone] -> [code] -> [consent] -> issue
//! ```

mod requirements;

use serde::{Deserialize, Serialize};
use web::clock::Timestamp;

use crate::domain::account::{AccountId, Role};
use crate::protocol::acr;
use crate::protocol::authorization::AuthorizationRequest;
use crate::protocol::error::{self, WireError};

pub use requirements::Requirements;

/// A page that the person has to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Step {
    Password,
    ConfirmMail,
    NewPassword,
    Phone,
    Code,
    Consent,
}

/// What has been proved in this journey, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proofs {
    pub password_at: Option<Timestamp>,
    pub new_password_at: Option<Timestamp>,
    /// A one-time code was received on the account's phone.
    pub code_at: Option<Timestamp>,
    pub consent_at: Option<Timestamp>,
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
    /// The person let this client have all that it asks for, earlier.
    pub consented: bool,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Ask(Step),
    Issue,
    Refuse(WireError),
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

/// The `acr` that a finished journey has earned. A remembered device is weaker than a fresh code.
pub fn earned_acr(proofs: &Proofs, facts: &Facts) -> &'static str {
    match (proofs.code_at, facts.device_trusted) {
        (Some(_), _) => acr::CODE,
        (None, true) => acr::KNOWN_DEVICE,
        (None, false) => acr::PASSWORD,
    }
}

/// The `amr` of a finished journey (RFC 8176).
pub fn earned_amr(proofs: &Proofs) -> Vec<String> {
    let methods: &[&str] = if proofs.code_at.is_some() { &["pwd", "sms", "mfa"] } else { &["pwd"] };
    methods.iter().map(|method| (*method).to_owned()).collect()
}

/// A code that was sent and not used yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentCode {
    /// Keyed, and bound to journey and browser.
    pub hash: String,
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
    /// A page of ours that wants a fresh sign-in, with a code where the account has a phone; the journey ends there.
    #[serde(default)]
    pub step_up_to: Option<String>,
    pub public_computer: bool,
    /// What the person typed to sign in, shown again after a failure.
    pub identifier: String,
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests;
