//! Who may see and do what in a dossier: one table, as a pure function. What it does not name is refused.

use serde::{Deserialize, Serialize};

use crate::dossiers::Section;

/// What somebody is to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    Client,
    Representative,
    ContactPerson,
}

impl Relation {
    pub const ALL: [Self; 3] = [Self::Client, Self::Representative, Self::ContactPerson];

    /// The word in forms, rows and translation keys.
    pub fn word(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Representative => "representative",
            Self::ContactPerson => "contact_person",
        }
    }

    /// From [`Relation::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|relation| relation.word() == word)
    }
}

/// How much of a dossier a care team opened to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Full,
    Limited,
}

impl Level {
    /// The word in forms, rows and translation keys.
    pub fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Limited => "limited",
        }
    }

    /// From [`Level::word`].
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Full, Self::Limited].into_iter().find(|level| level.word() == word)
    }
}

/// What somebody wants to do in a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Read,
    Write,
}

impl Act {
    /// The word in the access log.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// Whether a person with this relation and level may do this in this section.
pub fn allows(relation: Relation, level: Level, section: Section, act: Act) -> bool {
    match (section, act, level) {
        // The client sees who has access and who looked, and decides; a representative whom the care team
        // trusts with everything does so in their place.
        (Section::Access | Section::Views, Act::Read, _) | (Section::Access, Act::Write, _) => {
            relation == Relation::Client || (relation == Relation::Representative && level == Level::Full)
        }
        (Section::Home | Section::ThisIsMe | Section::MyLife, Act::Read, _)
        | (Section::ThisIsMe | Section::MyLife, Act::Write, _) => true,
        (
            Section::Appointments
            | Section::Medical
            | Section::Documents
            | Section::Reports
            | Section::CarePlan,
            Act::Read,
            level,
        )
        | (Section::Appointments | Section::Reports, Act::Write, level) => level == Level::Full,
        (
            Section::Home | Section::Medical | Section::Documents | Section::CarePlan | Section::Views,
            Act::Write,
            _,
        ) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limited_access_opens_what_the_table_names_and_nothing_else() {
        let open = |act| {
            let all = Section::ALL.into_iter();
            all.filter(move |section| allows(Relation::ContactPerson, Level::Limited, *section, act))
                .collect::<Vec<_>>()
        };
        assert_eq!(open(Act::Read), [Section::Home, Section::ThisIsMe, Section::MyLife]);
        assert_eq!(open(Act::Write), [Section::ThisIsMe, Section::MyLife]);
    }

    #[test]
    fn full_access_reads_all_care_sections_and_writes_where_families_write() {
        let writes: Vec<Section> = Section::ALL
            .into_iter()
            .filter(|section| allows(Relation::ContactPerson, Level::Full, *section, Act::Write))
            .collect();
        assert_eq!(writes, [Section::ThisIsMe, Section::MyLife, Section::Appointments, Section::Reports]);
        let hidden: Vec<Section> = Section::ALL
            .into_iter()
            .filter(|section| !allows(Relation::ContactPerson, Level::Full, *section, Act::Read))
            .collect();
        assert_eq!(hidden, [Section::Access, Section::Views], "who has access is the client's business");
    }

    #[test]
    fn the_client_always_sees_who_looked_and_a_representative_with_full_access_does() {
        for (relation, level, expected) in [
            (Relation::Client, Level::Full, true),
            (Relation::Client, Level::Limited, true),
            (Relation::Representative, Level::Full, true),
            (Relation::Representative, Level::Limited, false),
            (Relation::ContactPerson, Level::Full, false),
        ] {
            assert_eq!(allows(relation, level, Section::Views, Act::Read), expected);
            assert_eq!(allows(relation, level, Section::Access, Act::Write), expected);
        }
    }
}
