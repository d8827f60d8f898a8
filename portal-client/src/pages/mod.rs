//! The portal's pages: a file for each, with its handler, the context of its template and a sample of that.

pub mod access;
pub mod activate;
pub mod dossier;
pub mod extract;
pub mod failure;
pub mod health;
pub mod home;
pub mod keep;
pub mod request;
pub mod session;
pub mod sign_in;
pub mod sign_out;
pub mod team;
pub mod team_link;
pub mod write;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use web::clock::Timestamp;
use web::headers::Forms;
use web::language::Language;
use web::request::Visit;

use crate::app::App;
use crate::paging::Page;
use crate::session::Session;

/// What the frame around every page shows: who is signed in.
#[derive(Clone, Debug, Default, Serialize)]
struct Shell {
    signed_in: bool,
    person: String,
    at_desk: bool,
}

#[derive(Serialize)]
struct Framed<'a, T> {
    shell: Shell,
    #[serde(flatten)]
    body: &'a T,
}

/// The ways from a page of a long list to the ones beside it; empty where there is none.
#[derive(Debug, Serialize)]
struct Pages {
    previous: String,
    next: String,
}

impl Pages {
    fn new(path: &str, page: Page, next: Option<u32>) -> Self {
        let url = |number: Option<u32>| number.map(|number| format!("{path}?page={number}"));
        Self { previous: url(page.previous()).unwrap_or_default(), next: url(next).unwrap_or_default() }
    }

    #[cfg(test)]
    fn sample() -> Self {
        Self { previous: "/team?page=1".into(), next: "/team?page=3".into() }
    }
}

/// A page as a response. A signed-in page has the sign-out form, which ends at the provider.
pub fn show(
    app: &App,
    visit: &Visit,
    session: Option<&Session>,
    status: StatusCode,
    template: &str,
    body: &impl Serialize,
) -> Response {
    let shell = session.map_or_else(Shell::default, |session| Shell {
        signed_in: true,
        person: session.person.name.clone(),
        at_desk: session.care.is_some(),
    });
    let ending = session.map(|session| session.ending(app.settings.session, app.clock.now()));
    let visit = &Visit { ending, ..visit.clone() };
    let targets = [app.settings.provider.origin.clone()];
    let forms = if session.is_some() { Forms::At(&targets) } else { Forms::Here };
    app.pages.respond(visit, app.settings.look(), status, template, &Framed { shell, body }, forms)
}

/// The one of two texts that is in the page's language, or the other if that is empty.
fn in_language(language: Language, nl: &str, en: &str) -> String {
    let (first, second) = if language == Language::En { (en, nl) } else { (nl, en) };
    if first.is_empty() { second.to_owned() } else { first.to_owned() }
}

/// `22-11-2026`
fn day(at: Timestamp) -> String {
    at.local_text().chars().take(10).collect()
}

#[cfg(test)]
mod tests;
