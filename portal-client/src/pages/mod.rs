//! The portal's pages: a file for each, with its handler, the context of its template and a sample of that.

pub mod access;
pub mod activate;
mod appointment;
pub mod brand;
pub mod dossier;
mod entered;
pub mod failure;
mod gate;
pub mod health;
pub mod home;
pub mod keep;
pub mod request;
pub mod session;
pub mod sign_in;
pub mod sign_out;
pub mod team;
pub mod team_link;
mod under_way;
pub mod write;

use axum::http::StatusCode;
use axum::response::Response;
use platform::clock::Timestamp;
use platform::headers::Forms;
use platform::language::Language;
use platform::request::RequestContext;
use serde::Serialize;

use crate::app::App;
use crate::http::{names, paths};
use crate::paging::Page;
use crate::session::Session;

/// What the frame around every page shows: who is signed in.
#[derive(Clone, Debug, Default, Serialize)]
struct Shell {
    signed_in: bool,
    person: String,
    at_desk: bool,
    /// 'Mijn account', at the provider.
    account_url: String,
    /// What was just done: a text key, or empty.
    done: &'static str,
}

#[derive(Serialize)]
struct Framed<'a, T> {
    shell: Shell,
    #[serde(flatten)]
    body: &'a T,
}

/// What a page can say was just done, as it stands in `?done=WORD`, and the text that says it.
const DONE: [(&str, &str); 6] = [
    ("saved", "portal-done-saved"),
    ("sent", "portal-done-sent"),
    ("removed", "portal-done-removed"),
    ("ended", "portal-done-ended"),
    ("withdrawn", "portal-done-withdrawn"),
    ("activated", "portal-done-activated"),
];

/// The address of a page that says what was just done. It says so again when it is loaded again, and does nothing.
fn after(path: &str, done: &str) -> String {
    format!("{path}?{}={done}", names::DONE)
}

/// The ways from a page of a long list to the ones beside it; empty where there is none.
#[derive(Debug, Serialize)]
struct Pages {
    previous: String,
    next: String,
}

impl Pages {
    fn new(path: &str, page: Page, next: Option<u32>) -> Self {
        let url = |number: Option<u32>| number.map(|number| format!("{path}?{}={number}", names::PAGE));
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
    cx: &RequestContext,
    session: Option<&Session>,
    status: StatusCode,
    template: &str,
    body: &impl Serialize,
) -> Response {
    let look = app.settings.look();
    let shell = session.map_or_else(Shell::default, |session| Shell {
        signed_in: true,
        person: session.person.name.clone(),
        at_desk: session.care.is_some(),
        account_url: format!("{}?lang={}", app.settings.provider.account_url(), look.language(cx).tag()),
        done: match DONE.iter().find(|(word, _)| status == StatusCode::OK && cx.query(names::DONE) == *word) {
            Some((_, text)) => text,
            None => "",
        },
    });
    let ending =
        session.map(|session| session.ending(app.settings.session, app.clock.now(), paths::SIGNED_OUT_IDLE));
    let cx = &RequestContext { ending, ..cx.clone() };
    let targets = [app.settings.provider.origin.clone()];
    let forms = if session.is_some() { Forms::At(&targets) } else { Forms::Here };
    app.pages.respond(cx, look, status, template, &Framed { shell, body }, forms)
}

/// An organisation's own words, with the language that they are in.
#[derive(Debug, Serialize)]
struct Words {
    text: String,
    lang: &'static str,
}

/// The one of two texts that is in the page's language, or the other if that is empty.
fn in_language(language: Language, nl: &str, en: &str) -> Words {
    let is_english = if language == Language::En { !en.is_empty() } else { nl.is_empty() };
    let (text, language) = if is_english { (en, Language::En) } else { (nl, Language::Nl) };
    Words { text: text.to_owned(), lang: language.tag() }
}

/// `22-11-2026`
fn day(at: Timestamp) -> String {
    at.local_text().chars().take(10).collect()
}

#[cfg(test)]
mod tests;
