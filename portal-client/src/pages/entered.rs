//! What somebody typed into a form of a dossier.

use serde::Serialize;
use web::request::Fields;

/// What somebody tried to write, kept in the page.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Entered {
    pub text: String,
    pub date: String,
    pub time: String,
    pub title: String,
    /// The appointment that was to be changed; empty for a new one.
    pub note: String,
}

impl Entered {
    /// As it was typed.
    pub fn from_fields(fields: &Fields) -> Self {
        Self {
            text: fields.trimmed("text").to_owned(),
            date: fields.plain("date"),
            time: fields.plain("time"),
            title: fields.line("title"),
            note: fields.trimmed("note").to_owned(),
        }
    }
}
