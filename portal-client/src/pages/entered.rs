//! What somebody typed into a form of a dossier.

use platform::request::Fields;
use serde::Serialize;

use crate::http::names;

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
            text: fields.trimmed(names::TEXT).to_owned(),
            date: fields.plain(names::DATE),
            time: fields.plain(names::TIME),
            title: fields.line(names::TITLE),
            note: fields.trimmed(names::NOTE).to_owned(),
        }
    }
}
