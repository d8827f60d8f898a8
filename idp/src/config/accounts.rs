//! The rules for accounts: how they start and are recovered, passwords, lockout, codes, sessions. One population of
//! accounts has one set of these.

use serde::{Deserialize, Serialize};

/// What people sign in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Identifier {
    Email,
    Username,
}

/// How somebody for whom a care team made an account comes by a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstPassword {
    /// A mail brings the user name and a temporary password, which has to be replaced at the first sign-in.
    Temporary,
    /// A mail says that there is an account; its holder chooses the first password through 'Wachtwoord opvragen'.
    Chosen,
}

/// What somebody who forgot the password has to know for a mail with a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recovery {
    Email,
    UsernameAndEmail,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Accounts {
    pub registration: bool,
    pub identifier: Identifier,
    pub first_password: FirstPassword,
    pub temporary_password_hours: u32,
    pub recovery: Recovery,
    pub confirm_hours: u32,
    pub reset_minutes: u32,
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            registration: true,
            identifier: Identifier::Email,
            first_password: FirstPassword::Chosen,
            temporary_password_hours: 72,
            recovery: Recovery::Email,
            confirm_hours: 24,
            reset_minutes: 60,
        }
    }
}

/// What the care team's desk sees besides the accounts that its organisation made.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Desk {
    /// E-mail addresses of the staff who see people that registered themselves; others never do.
    pub self_registered: Vec<String>,
    /// What organisations are called, by the name that accounts have them under.
    pub organisation: Vec<Organisation>,
}

/// An organisation whose staff have a desk.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Organisation {
    pub id: String,
    pub name: String,
}

impl Desk {
    /// Whether somebody on the desk can help who registered without a care team.
    pub fn is_open_for_self_registered(&self) -> bool {
        !self.self_registered.is_empty()
    }

    /// What people call an organisation.
    pub fn name_of<'a>(&'a self, id: &'a str) -> &'a str {
        self.organisation.iter().find(|named| named.id == id).map_or(id, |named| &named.name)
    }

    /// Whether this member of staff may.
    pub fn shows_self_registered_to(&self, email: &str) -> bool {
        self.self_registered.iter().any(|named| named.eq_ignore_ascii_case(email))
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordRules {
    pub min_length: usize,
    pub min_strength: u8,
    pub require_classes: bool,
    pub argon2_memory_kib: u32,
    pub argon2_iterations: u32,
    pub workers: usize,
    pub queue: usize,
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self {
            min_length: 12,
            min_strength: 3,
            require_classes: false,
            argon2_memory_kib: 19_456,
            argon2_iterations: 2,
            workers: 0,
            queue: 64,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lockout {
    pub failures: u32,
    pub minutes: u32,
}

impl Default for Lockout {
    fn default() -> Self {
        Self { failures: 5, minutes: 15 }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Codes {
    pub digits: usize,
    pub minutes: u32,
    pub tries: u32,
    pub resend_seconds: u32,
    pub per_number_per_day: u32,
    pub per_account_per_day: u32,
    pub total_per_day: u32,
}

impl Default for Codes {
    fn default() -> Self {
        Self {
            digits: 6,
            minutes: 10,
            tries: 5,
            resend_seconds: 60,
            per_number_per_day: 10,
            per_account_per_day: 10,
            total_per_day: 5_000,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    pub idle_minutes: u32,
    pub absolute_hours: u32,
    pub journey_minutes: u32,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { idle_minutes: 60, absolute_hours: 12, journey_minutes: 60 }
    }
}
