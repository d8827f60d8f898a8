//! The dossiers themselves: who the clients are, what stands in each section, and what people wrote in them
//! through the portal. Who may see what is decided in `links`.

pub mod demo;
pub mod identity;
pub mod notes;
pub mod section;

use serde::{Deserialize, Serialize};

use identity::Matcher;
pub use section::Section;

/// A dossier as its source gives it. Texts are the care organisation's, in its own language.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Dossier {
    pub id: String,
    pub organisation: String,
    pub client_name: String,
    /// `1940-02-01`
    pub birth_date: String,
    pub location: String,
    pub contact: String,
    pub news: Vec<News>,
    pub this_is_me: Vec<Answer>,
    pub my_life: Vec<Answer>,
    pub appointments: Vec<Appointment>,
    pub medical: Medical,
    pub documents: Vec<Document>,
    pub reports: Vec<Report>,
    pub care_plan: Vec<Goal>,
}

/// A message on 'Home/Actueel'. Days count back from today.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct News {
    pub days_ago: u16,
    pub title: String,
    pub text: String,
}

/// A question of the life story and its answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub question: String,
    pub answer: String,
}

/// Something in the diary. Days count from today.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Appointment {
    pub in_days: u16,
    pub time: String,
    pub title: String,
    pub place: String,
}

/// 'Medische gegevens'
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Medical {
    pub conditions: Vec<String>,
    pub allergies: Vec<String>,
    pub medication: Vec<Medication>,
    pub physician: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Medication {
    pub name: String,
    pub dose: String,
    pub moment: String,
}

/// An instrument (a questionnaire that was filled in) or a document.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    pub days_ago: u16,
    pub title: String,
    pub summary: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    pub days_ago: u16,
    pub author: String,
    pub text: String,
}

/// A tile of the care plan ('cliëntplan').
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    pub area: String,
    pub goal: String,
    pub actions: Vec<String>,
    pub evaluation: String,
}

/// Where dossiers come from. Today that is the embedded demonstration or nothing; a source over FHIR R4
/// takes its place beside it here.
#[derive(Clone, Debug, Default)]
pub struct Dossiers {
    known: Vec<(String, Dossier)>,
}

impl Dossiers {
    /// The people of the demonstration.
    pub fn demo(matcher: &Matcher) -> Self {
        let known = demo::dossiers()
            .into_iter()
            .filter_map(|(bsn, dossier)| {
                let born = identity::BirthDate::from_iso(&dossier.birth_date)?;
                Some((matcher.key(&dossier.organisation, &bsn, born), dossier))
            })
            .collect();
        Self { known }
    }

    /// The dossier with this identifier.
    pub fn get(&self, id: &str) -> Option<&Dossier> {
        self.known.iter().map(|(_, dossier)| dossier).find(|dossier| dossier.id == id)
    }

    /// The dossier of the client that a request named, by [`Matcher::key`]. Only a care team's page asks
    /// this: the person who requests must not learn it.
    pub fn matching(&self, key: &str) -> Option<&Dossier> {
        self.known.iter().find(|(known, _)| web::seal::same(known, key)).map(|(_, dossier)| dossier)
    }
}
