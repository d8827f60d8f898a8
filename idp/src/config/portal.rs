//! Portals: who may send people here, and by which rules those sign in.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use web::pages::Brand;

use super::Client;

/// A portal: one look, one set of sign-in rules, one or more OAuth clients.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Portal {
    pub id: String,
    pub url: String,
    pub brand: Brand,
    pub policy: SignInPolicy,
    #[serde(rename = "client")]
    pub clients: Vec<Client>,
}

/// When a second factor is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    Never,
    /// On a device that the account does not know, or whose remembered time is over.
    #[default]
    NewDevice,
    Always,
}

/// The sign-in rules of a portal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignInPolicy {
    pub second_factor: SecondFactor,
    pub remember_days: u32,
    pub public_computer: bool,
}

impl Default for SignInPolicy {
    fn default() -> Self {
        Self { second_factor: SecondFactor::NewDevice, remember_days: 30, public_computer: false }
    }
}

/// A set of scope tokens (RFC 6749 section 3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeSet(BTreeSet<String>);

impl ScopeSet {
    pub fn parse(scope: &str) -> Self {
        Self(scope.split_ascii_whitespace().map(str::to_owned).collect())
    }

    pub fn contains(&self, token: &str) -> bool {
        self.0.contains(token)
    }

    /// The tokens of this set that `other` has too.
    pub fn within(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl<'a> FromIterator<&'a str> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = &'a str>>(tokens: I) -> Self {
        Self(tokens.into_iter().map(str::to_owned).collect())
    }
}

impl std::fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.iter().map(String::as_str).collect::<Vec<_>>().join(" "))
    }
}
