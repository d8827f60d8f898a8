//! Forms that somebody has not sent: who changes the language while filling one in, or was away until the session ended, finds
//! it again as it was. Kept sealed, for the person or the browser that typed it, and never with a password or a code.

use std::time::Duration;

use url::form_urlencoded;

use crate::ephemeral::{Ephemeral, EphemeralError};
use crate::local_path::local_path;
use crate::random::Random;
use crate::request::{Fields, RequestContext};
use crate::seal::{RootKey, Sealer, sha256};

/// The address that a form is sent to that is to be kept.
pub const ROUTE: &str = "/kept";
/// Its parameter that names the page of the form.
pub const PAGE: &str = "page";
/// The parameter of a page that says which form it is to show again.
const PARAMETER: &str = "kept";
/// The parameter that says why: the session had ended.
const ENDED: &str = "ended";

/// The fields that are kept; no password, no code and nothing that only a program reads is among them.
const FIELDS: [&str; 17] = [
    "given_name",
    "family_name",
    "email",
    "username",
    "phone",
    "language",
    "reason",
    "relation",
    "birth_date",
    "bsn",
    "organisation",
    "level",
    "text",
    "title",
    "date",
    "time",
    "note",
];

/// How long a form is kept for somebody who signs in again, and for a browser.
const FOR_PEOPLE: Duration = Duration::from_hours(12);
pub const FOR_BROWSERS: Duration = Duration::from_mins(15);
/// What is kept for a browser that nobody is signed in to is no longer than this, in bytes.
const OF_BROWSERS: usize = 2048;

/// For whom a form is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Somebody who is signed in, or was a moment ago: what the server knows them by.
    Person(String),
    /// Whoever has this browser.
    Browser,
}

/// The forms of one server.
#[derive(Clone, Debug)]
pub struct KeptForms {
    ephemeral: Ephemeral,
    sealer: Sealer,
    random: Random,
}

impl KeptForms {
    pub fn new(ephemeral: Ephemeral, root: &RootKey, random: Random) -> Self {
        Self { ephemeral, sealer: root.sealer("kept form"), random }
    }

    fn key(cx: &RequestContext, holder: &Holder, id: &str) -> String {
        let holder = match holder {
            Holder::Person(person) => format!("person {person}"),
            Holder::Browser => format!("browser {}", cx.browser),
        };
        format!("kept:{}", sha256(&format!("{holder} {id}")))
    }

    /// Keeps a form; the address of `page` that shows it again. Nothing that was typed is nothing to keep.
    pub async fn keep(
        &self,
        cx: &RequestContext,
        holder: &Holder,
        page: &str,
        form: &Fields,
        has_ended: bool,
    ) -> Result<String, EphemeralError> {
        let fields = form.iter().filter(|(name, value)| FIELDS.contains(name) && !value.is_empty());
        let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let page = without(page);
        let lifetime = if *holder == Holder::Browser { FOR_BROWSERS } else { FOR_PEOPLE };
        if text.is_empty() || *holder == Holder::Browser && text.len() > OF_BROWSERS {
            return Ok(page);
        }
        let id = self.random.id();
        self.ephemeral.put(&Self::key(cx, holder, &id), &self.sealer.seal(text.as_bytes()), lifetime).await?;
        let joint = if page.contains('?') { '&' } else { '?' };
        let why = if has_ended { format!("&{ENDED}=1") } else { String::new() };
        Ok(format!("{page}{joint}{PARAMETER}={id}{why}"))
    }

    /// The form that a page is to show again; empty if there is none.
    pub async fn find(&self, cx: &RequestContext, holder: &Holder) -> Result<Fields, EphemeralError> {
        let id = cx.query(PARAMETER);
        if id.is_empty() {
            return Ok(Fields::default());
        }
        let kept = self.ephemeral.get(&Self::key(cx, holder, &id)).await?;
        let text = kept.and_then(|kept| self.sealer.open_text(&kept.value).ok()).unwrap_or_default();
        Ok(Fields::parse(text.as_bytes()).unwrap_or_default())
    }
}

/// Where a form of this visit's page is sent to be kept.
pub fn url(cx: &RequestContext, more: &[(&str, &str)]) -> String {
    let page = cx.uri.path_and_query().and_then(|page| local_path(page.as_str())).unwrap_or("/");
    let query =
        form_urlencoded::Serializer::new(String::new()).extend_pairs(more).append_pair(PAGE, page).finish();
    format!("{ROUTE}?{query}")
}

/// Whether a page shows a form again whose sender's session had ended.
pub fn is_back(cx: &RequestContext) -> bool {
    cx.query(ENDED) == "1" && !cx.query(PARAMETER).is_empty()
}

/// The page that a form is to be shown on again, of this server.
pub fn page_of(cx: &RequestContext) -> Option<String> {
    local_path(&cx.query(PAGE)).map(str::to_owned)
}

/// An address without what this module and the language switch add to it.
fn without(page: &str) -> String {
    let Some((path, query)) = page.split_once('?') else { return page.to_owned() };
    let others = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| !matches!(name.as_ref(), PARAMETER | ENDED | "lang"));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(others).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}
