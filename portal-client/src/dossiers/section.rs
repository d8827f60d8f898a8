//! The sections of a dossier, as URLs, translations and the access log call them.

use serde::{Deserialize, Serialize};

/// A part of a dossier that is opened, and refused, as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// 'Home/Actueel'
    Home,
    /// 'Dit ben ik', in 'Levensgeschiedenis'
    ThisIsMe,
    /// 'Dit is mijn leven', in 'Levensgeschiedenis'
    MyLife,
    /// 'Afsprakenoverzicht'
    Appointments,
    /// 'Medische gegevens'
    Medical,
    /// 'Instrumenten en documenten'
    Documents,
    /// 'Rapportages'
    Reports,
    /// 'Cliëntplan'
    CarePlan,
    /// Who has access
    Access,
    /// 'Wie heeft gekeken'
    Views,
}

impl Section {
    /// In the order of the menu.
    pub const ALL: [Self; 10] = [
        Self::Home,
        Self::ThisIsMe,
        Self::MyLife,
        Self::Appointments,
        Self::Medical,
        Self::Documents,
        Self::Reports,
        Self::CarePlan,
        Self::Access,
        Self::Views,
    ];

    /// The word in URLs, translation keys and the access log.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::ThisIsMe => "this-is-me",
            Self::MyLife => "my-life",
            Self::Appointments => "appointments",
            Self::Medical => "medical",
            Self::Documents => "documents",
            Self::Reports => "reports",
            Self::CarePlan => "care-plan",
            Self::Access => "access",
            Self::Views => "views",
        }
    }

    /// From [`Section::slug`].
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.slug() == slug)
    }
}
