//! What somebody at the desk typed and will see again: a search, and a form that was sent too late. It is kept sealed, for
//! whoever typed it: in a URL, names would stay in the history of a shared computer.

use std::time::Duration;

use url::form_urlencoded;
use web::request::{Fields, Visit};

use crate::app::{App, Trouble};
use crate::domain::account::AccountId;

/// How long a search can be paged through and come back to.
const SEARCH_LIVES: Duration = Duration::from_hours(1);
/// How long a form waits for its sender to sign in again.
const FORM_LIVES: Duration = Duration::from_mins(15);

/// The parameter that says which form a page is to show again.
const PARAMETER: &str = "kept";

/// The fields of the desk's forms; what else was sent is not kept.
const FIELDS: [&str; 7] = ["given_name", "family_name", "email", "username", "phone", "language", "reason"];

fn key(kind: &str, staff: &AccountId, id: &str) -> String {
    format!("desk-{kind}:{}:{id}", staff.0)
}

async fn keep(
    app: &App,
    kind: &str,
    staff: &AccountId,
    text: &str,
    lifetime: Duration,
) -> Result<String, Trouble> {
    let id = app.random.id();
    app.ephemeral.put(&key(kind, staff, &id), &app.store.seal_for_desk(text), lifetime).await?;
    Ok(id)
}

/// What is too old to be kept, or to be read, is nothing.
async fn find(app: &App, kind: &str, staff: &AccountId, id: &str) -> Result<Option<String>, Trouble> {
    if id.is_empty() {
        return Ok(None);
    }
    let kept = app.ephemeral.get(&key(kind, staff, id)).await?;
    Ok(kept.and_then(|kept| app.store.open_for_desk(&kept.value).ok()))
}

/// Keeps a search; its id.
///
/// # Errors
/// The backend's.
pub(super) async fn keep_search(app: &App, staff: &AccountId, search: &str) -> Result<String, Trouble> {
    keep(app, "search", staff, search, SEARCH_LIVES).await
}

/// The search of this id.
///
/// # Errors
/// The backend's.
pub(super) async fn search(app: &App, staff: &AccountId, id: &str) -> Result<Option<String>, Trouble> {
    find(app, "search", staff, id).await
}

/// Keeps a form; the address of `page` that shows it again.
///
/// # Errors
/// The backend's.
pub(super) async fn keep_form(
    app: &App,
    staff: &AccountId,
    page: &str,
    form: &Fields,
) -> Result<String, Trouble> {
    let fields = form.iter().filter(|(name, _)| FIELDS.contains(name));
    let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let id = keep(app, "form", staff, &text, FORM_LIVES).await?;
    Ok(format!("{page}?{PARAMETER}={id}"))
}

/// The form that the page is to show again, if there is one.
///
/// # Errors
/// The backend's.
pub(super) async fn form(app: &App, visit: &Visit, staff: &AccountId) -> Result<Option<Fields>, Trouble> {
    let text = find(app, "form", staff, &visit.query(PARAMETER)).await?;
    Ok(text.and_then(|text| Fields::parse(text.as_bytes()).ok()))
}
