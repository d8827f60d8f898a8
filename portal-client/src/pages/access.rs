//! The client decides: who has access, ending somebody's, and 'Wie heeft gekeken'.

use platform::clock::Timestamp;
use platform::db::Write;
use platform::request::RequestContext;
use serde::Serialize;
use serde_json::{Value, json};

use super::day;
use super::gate::Access;
use crate::access_log::Cursor;
use crate::app::App;
use crate::dossiers::{Dossier, Section};
use crate::http::error::AppError;
use crate::http::extract::query;
use crate::http::{names, paths};
use crate::links::{Link, Relation, State};
use crate::session::Session;
use crate::team::{Act, AuditEntry};

#[derive(Debug, Serialize)]
struct Holder {
    link: String,
    name: String,
    relation: &'static str,
    level: &'static str,
    since: String,
    is_self: bool,
    may_end: bool,
}

#[derive(Debug, Serialize)]
struct Seen {
    day: String,
    /// The time of the last look, and of the first if there were more.
    last: String,
    first: String,
    count: i64,
    name: String,
    relation: String,
    section: String,
    action: String,
    outcome: String,
}

/// Whether somebody may end a link to a dossier of theirs: not the client's own, unless they are it.
fn may_end(session: &Session, link: &Link) -> bool {
    link.relation != Relation::Client || link.person.is(&session.person.iss, &session.person.sub)
}

/// Who has access.
pub(super) async fn content(app: &App, session: &Session, entered: &Access<'_>) -> Result<Value, AppError> {
    let links = app.links.of_dossier(&entered.dossier.id).await?;
    let holders = links.iter().map(|link| Holder {
        link: link.id.clone(),
        name: link.person.name.clone(),
        relation: link.relation.word(),
        level: link.level.word(),
        since: match link.state {
            State::Active { since, .. } => day(since),
            _ => String::new(),
        },
        is_self: link.person.is(&session.person.iss, &session.person.sub),
        may_end: may_end(session, link),
    });
    Ok(json!({ "holders": holders.collect::<Vec<_>>() }))
}

/// Ends somebody's access to this dossier; it is gone at their next request (T45). False if it had ended.
pub(super) async fn end(
    app: &App,
    write: &mut Write,
    session: &Session,
    entered: &Access<'_>,
    link: &str,
) -> Result<bool, AppError> {
    let links = app.links.of_dossier(&entered.dossier.id).await?;
    let link = links.iter().find(|other| other.id == link).ok_or(AppError::NotFound)?;
    if !may_end(session, link) {
        return Err(AppError::Refused);
    }
    let now = app.clock.now();
    if !app.links.end(write, &link.id, now).await? {
        return Ok(false);
    }
    app.audit
        .add(write, &app.random.id(), AuditEntry::new(&session.person, link, Act::Ended, ""), now)
        .await?;
    Ok(true)
}

/// Who looked.
pub(super) async fn views(app: &App, cx: &RequestContext, dossier: &Dossier) -> Result<Value, AppError> {
    let query = query(cx)?;
    let number = |name: &str, other: i64| match query.get(name) {
        Some(text) => text.parse().ok().filter(|number| *number >= 0).ok_or(AppError::BadInput),
        None => Ok(other),
    };
    let from = Cursor { before: Timestamp(number(names::BEFORE, i64::MAX)?), skip: number(names::SKIP, 0)? };
    let page = app.access_log.seen(&dossier.id, from).await?;
    let time = |at: Timestamp| at.local_text().chars().skip(11).collect::<String>();
    let seen = page.seen.into_iter().map(|seen| Seen {
        day: day(seen.last_at),
        last: time(seen.last_at),
        first: time(seen.first_at),
        count: seen.count,
        name: seen.person_name,
        relation: seen.relation,
        section: seen.section,
        action: seen.action,
        outcome: seen.outcome,
    });
    let own = paths::section(&dossier.id, Section::Views.slug());
    let older = page
        .next
        .map(|next| format!("{own}?{}={}&{}={}", names::BEFORE, next.before.0, names::SKIP, next.skip));
    Ok(json!({
        "seen": seen.collect::<Vec<_>>(),
        "older": older.unwrap_or_default(),
        "newest": if query.get(names::BEFORE).is_some() { own } else { String::new() },
    }))
}

#[cfg(test)]
pub(super) fn sample_content() -> Value {
    let holder = |is_self: bool| Holder {
        link: "l".into(),
        name: "Marjan de Wit".into(),
        relation: "contact_person",
        level: "limited",
        since: "22-11-2026".into(),
        is_self,
        may_end: true,
    };
    json!({ "holders": [holder(true), holder(false)] })
}

#[cfg(test)]
pub(super) fn sample_views() -> Value {
    let seen = |outcome: &str, relation: &str, action: &str, count: i64| Seen {
        day: "22-11-2026".into(),
        last: "19:04".into(),
        first: "18:30".into(),
        count,
        name: "Marjan de Wit".into(),
        relation: relation.into(),
        section: "medical".into(),
        action: action.into(),
        outcome: outcome.into(),
    };
    json!({
        "seen": [seen("allowed", "client", "write", 1), seen("refused", "none", "read", 12)],
        "older": "/dossiers/d/views?before=1&skip=0",
        "newest": "/dossiers/d/views",
    })
}
