//! The languages of the pages, how one is chosen, and their texts.

use std::borrow::Cow;
use std::collections::HashMap;

use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, Loader, langid, static_loader};
use serde::{Deserialize, Serialize};

static_loader! {
    static LOCALES = {
        locales: "../templates/locales",
        fallback_language: "nl",
        // Marks around inserted values serve mixed writing directions; Dutch and English have one.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

const NL: LanguageIdentifier = langid!("nl");
const EN: LanguageIdentifier = langid!("en");

/// A language of the pages and mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    Nl,
    En,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::Nl, Self::En];

    /// The BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Nl => "nl",
            Self::En => "en",
        }
    }

    /// The language of a BCP 47 tag such as `en-GB`, if it is one of ours.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.tag()))
    }

    /// The first of ours in a list of tags: `ui_locales` (OpenID Connect Core 3.1.2.1), or
    /// `Accept-Language` (RFC 9110 section 12.5.4, taken in the order given).
    pub fn first_of(tags: &str) -> Option<Self> {
        tags.split([',', ' ']).find_map(|tag| Self::from_tag(tag.split(';').next()?))
    }

    /// The text of `key`; `None` if no translation file has it.
    pub fn text(self, key: &str, values: &[(&'static str, String)]) -> Option<String> {
        let values: HashMap<Cow<'static, str>, FluentValue<'_>> =
            values.iter().map(|(name, value)| (Cow::Borrowed(*name), fluent_value(value))).collect();
        self.text_of_values(key, &values)
    }

    pub(crate) fn text_of_values(
        self,
        key: &str,
        values: &HashMap<Cow<'static, str>, FluentValue<'_>>,
    ) -> Option<String> {
        let id = match self {
            Self::Nl => &NL,
            Self::En => &EN,
        };
        LOCALES.try_lookup_with_args(id, key, values)
    }
}

/// A number where the text is one, so that plural rules see it.
pub(crate) fn fluent_value(value: &str) -> FluentValue<'static> {
    match value.parse::<i64>() {
        Ok(number) if number.to_string() == value => FluentValue::from(number),
        _ => FluentValue::from(value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_language_of_a_list_wins() {
        assert_eq!(Language::first_of("se en-GB nl"), Some(Language::En));
        assert_eq!(Language::first_of("de-DE,nl;q=0.9,en;q=0.8"), Some(Language::Nl));
        assert_eq!(Language::first_of("se"), None);
        assert_eq!(Language::first_of(""), None);
    }

    fn keys(folder: &str) -> std::collections::BTreeSet<String> {
        let folder = format!("{}/../templates/locales/{folder}", env!("CARGO_MANIFEST_DIR"));
        let mut keys = std::collections::BTreeSet::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            let names = text.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
            keys.extend(names.filter_map(|line| Some(line.split_once('=')?.0.trim().to_owned())));
        }
        keys
    }

    #[test]
    fn dutch_and_english_have_the_same_texts() {
        let (nl, en) = (keys("nl"), keys("en"));
        assert!(!nl.is_empty());
        let differ: Vec<_> = nl.symmetric_difference(&en).collect();
        assert!(differ.is_empty(), "only in one language: {differ:?}");
    }
}
