//! The steps of a sign-in, what they are decided on, and what the decision may be.

use serde::{Deserialize, Serialize};

use crate::domain::account::Role;
use crate::protocol::error::OAuthError;

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

/// What is true of the account and the browser at this moment, read anew at every step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub role: Role,
    /// The account is whom the request expects, if it names somebody.
    pub is_expected: bool,
    pub email_verified: bool,
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
