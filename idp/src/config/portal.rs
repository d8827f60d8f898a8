//! Portals: who may send people here. By which rules those sign in is in `policy.rs`.

use platform::language::Language;
use platform::look::{Brand, Logo, Look};
use serde::{Deserialize, Serialize};

use super::{Client, SignInPolicy};

/// A portal: one look, one set of sign-in rules, one or more OAuth clients.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Portal {
    pub id: String,
    pub url: String,
    pub brand: Brand,
    /// The languages of its pages, the first one for who prefers none of them; empty for all there are.
    pub languages: Vec<Language>,
    pub policy: SignInPolicy,
    #[serde(rename = "client")]
    pub clients: Vec<Client>,
    /// The picture of `brand.logo`, once the registry has read it.
    #[serde(skip)]
    pub logo: Option<Logo>,
}

impl Portal {
    /// What its pages look like.
    pub fn look(&self) -> Look<'_> {
        let Self { id, brand, languages, logo, .. } = self;
        Look { id, brand, languages, logo: logo.as_ref() }
    }
}
