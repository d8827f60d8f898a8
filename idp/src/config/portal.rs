//! Portals: who may send people here, and by which rules those sign in.

use std::collections::BTreeSet;
use std::time::Duration;

use platform::language::Language;
use platform::look::{Brand, Logo, Look};
use platform::seal::sha256;
use serde::{Deserialize, Serialize};

use super::{Client, Sessions};

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

/// How long a device is remembered where a portal does not say.
const REMEMBER_DAYS: u32 = 30;

/// The sign-in rules of a portal. What is not set is as the provider has it, or left out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignInPolicy {
    pub second_factor: SecondFactor,
    /// Only where devices are remembered; see [`SignInPolicy::remembers`].
    pub remember_days: Option<u32>,
    /// Whether a code is sent only when the person presses a button for it.
    pub code_on_request: bool,
    /// Digits of a code that stand on the page already, before those that are typed; 0 for a code in one piece.
    pub code_prefix_digits: usize,
    pub public_computer: bool,
    pub idle_minutes: Option<u32>,
    pub absolute_hours: Option<u32>,
    /// Whether somebody is there when this portal refreshes its tokens: a portal that does so only while it is used keeps
    /// the session from ending under who is reading there.
    pub refresh_is_activity: bool,
    pub terms: Option<Terms>,
}

impl SignInPolicy {
    /// For how long a device is remembered on which a code was given here, if it is.
    pub fn remembers(&self) -> Option<Duration> {
        (self.second_factor == SecondFactor::NewDevice).then(|| self.trusts_for())
    }

    /// How long ago a code may have been given on a device, wherever that was, where a known device is enough.
    pub fn trusts_for(&self) -> Duration {
        Duration::from_hours(u64::from(self.remember_days.unwrap_or(REMEMBER_DAYS)) * 24)
    }

    /// How long nothing may have happened in a session for which this portal asks no new proof.
    pub fn idle(&self, sessions: &Sessions) -> Duration {
        Duration::from_mins(self.idle_minutes.unwrap_or(sessions.idle_minutes).into())
    }

    /// How long ago somebody may have signed in of whom this portal asks no new proof.
    pub fn absolute(&self, sessions: &Sessions) -> Duration {
        Duration::from_hours(self.absolute_hours.unwrap_or(sessions.absolute_hours).into())
    }
}

/// Terms of use that people have to agree to before a sign-in ends, once for each version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    pub version: String,
    pub text_nl: String,
    pub text_en: String,
    pub url: Option<String>,
}

impl Terms {
    /// The language to show the text in to who reads `wanted`: there is always one in Dutch.
    pub fn language(&self, wanted: Language) -> Language {
        if self.text_en.trim().is_empty() { Language::Nl } else { wanted }
    }

    /// The text in a language, in paragraphs; the Dutch one where there is none.
    pub fn paragraphs(&self, language: Language) -> Vec<String> {
        let text = match self.language(language) {
            Language::En => &self.text_en,
            Language::Nl => &self.text_nl,
        };
        text.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    /// Names what was agreed to: another one for every change of version, text or address.
    pub fn digest(&self) -> String {
        let url = self.url.as_deref().unwrap_or_default();
        sha256(
            &[&self.version, &self.text_nl, &self.text_en, url]
                .map(|part| format!("{}:{part}", part.len()))
                .concat(),
        )
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
