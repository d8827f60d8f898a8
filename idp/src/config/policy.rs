//! The sign-in rules of a portal: when a second factor is asked, for how long a device and a session are enough, and the
//! terms that people agree to.

use std::time::Duration;

use platform::language::Language;
use platform::seal::sha256;
use serde::{Deserialize, Serialize};

use super::Sessions;
use super::second_factor::{SecondFactor, When};

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
        (self.second_factor.when == When::NewDevice).then(|| self.trusts_for())
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
