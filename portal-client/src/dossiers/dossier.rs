//! A dossier, section by section, as its source writes it.

use serde::{Deserialize, Serialize};

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
