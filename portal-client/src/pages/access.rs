//! The client decides: who has access, ending somebody's, and 'Wie heeft gekeken'.

use serde::Serialize;
use serde_json::{Value, json};

use super::day;
use super::dossier::Access;
use super::failure::Failure;
use crate::app::App;
use crate::dossiers::Dossier;
use crate::links::{Link, Relation, State};
use crate::session::Session;
use crate::team::Act;

/// Looks that are shown at most.
const LATEST: i64 = 200;

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
    at: String,
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
pub(super) async fn content(app: &App, session: &Session, entered: &Access<'_>) -> Result<Value, Failure> {
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

/// Ends somebody's access to this dossier; it is gone at their next request (T45).
pub(super) async fn end(
    app: &App,
    session: &Session,
    entered: &Access<'_>,
    link: &str,
) -> Result<(), Failure> {
    let links = app.links.of_dossier(&entered.dossier.id).await?;
    let link = links.iter().find(|other| other.id == link).ok_or(Failure::NotFound)?;
    if !may_end(session, link) {
        return Err(Failure::Refused);
    }
    let now = app.clock.now();
    if app.links.end(&link.id, now).await? {
        let about = (link.id.as_str(), link.organisation.as_str());
        app.audit.add(&app.random.id(), &session.person, about, Act::Ended, "", now).await?;
    }
    Ok(())
}

/// Who looked.
pub(super) async fn views(app: &App, dossier: &Dossier) -> Result<Value, Failure> {
    let entries = app.access_log.of_dossier(&dossier.id, LATEST).await?;
    let seen = entries.into_iter().map(|entry| Seen {
        at: entry.at.local_text(),
        name: entry.person_name,
        relation: entry.relation,
        section: entry.section,
        action: entry.action,
        outcome: entry.outcome,
    });
    Ok(json!({ "seen": seen.collect::<Vec<_>>() }))
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
    let seen = |outcome: &str, relation: &str, action: &str| Seen {
        at: "22-11-2026 19:04".into(),
        name: "Marjan de Wit".into(),
        relation: relation.into(),
        section: "medical".into(),
        action: action.into(),
        outcome: outcome.into(),
    };
    json!({ "seen": [seen("allowed", "client", "write"), seen("refused", "none", "read")] })
}
