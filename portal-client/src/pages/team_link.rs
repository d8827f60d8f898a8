//! One link at the care team's desk: look at a request, issue or void its code, set how much is open, end
//! it. Each act has a reason and is written down in the transaction that does it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use platform::errors::FieldErrors;
use platform::request::RequestContext;
use serde::Serialize;

use super::keep::kept_form;
use super::{Pages, after, day, show};
use crate::app::App;
use crate::dossiers::identity::Bsn;
use crate::http::error::AppError;
use crate::http::extract::{AtDesk, Query, page as page_of};
use crate::http::form::Form;
use crate::http::{names, paths};
use crate::links::code::ActivationCode;
use crate::links::{Level, Link, NewCode, State as LinkState};
use crate::session::{Care, Session};
use crate::team::{Act, AuditEntry, may_act_on};

/// How long the page of a code that was just issued shows it: until it is read out or written down, in either language.
const CODE_IS_SHOWN: Duration = Duration::from_mins(15);

/// The page of a link.
#[derive(Debug, Serialize)]
pub struct TeamLink {
    link: String,
    person: String,
    email: String,
    relation: &'static str,
    birth_date: String,
    bsn_ending: String,
    requested_on: String,
    /// The client that the request names; empty if there is none in this organisation.
    client: String,
    state: &'static str,
    level: &'static str,
    code_until: String,
    /// A code that was issued just now: its page shows it for a while, and no other page does.
    code: String,
    is_own: bool,
    history: Vec<Line>,
    pages: Pages,
    reason: String,
    errors: FieldErrors,
}

#[derive(Debug, Serialize)]
struct Line {
    at: String,
    person: String,
    act: String,
    reason: String,
}

/// What the page shows besides the link itself.
#[derive(Default)]
struct Shown {
    code: String,
    reason: String,
    /// What was chosen and not sent.
    level: Option<Level>,
    errors: FieldErrors,
}

impl TeamLink {
    const TEMPLATE: &'static str = "portal/team_link.html";

    #[cfg(test)]
    pub(super) fn samples() -> Vec<(&'static str, serde_json::Value)> {
        let states = ["requested", "code-issued", "code-expired", "code-spent", "open", "ended"];
        let page = |state, client: &str, errors, is_own| Self {
            link: "x".into(),
            person: "Marjan de Wit".into(),
            email: "marjan@example.nl".into(),
            relation: "representative",
            birth_date: "01-02-1940".into(),
            bsn_ending: "••••••019".into(),
            requested_on: "22-11-2026".into(),
            client: client.into(),
            state,
            level: "full",
            code_until: "06-12-2026 19:04".into(),
            code: if state == "code-issued" { "ABCD-EFGH".into() } else { String::new() },
            is_own,
            history: [
                "requested",
                "withdrawn",
                "code-issued",
                "code-voided",
                "activated",
                "level-full",
                "level-limited",
                "ended",
            ]
            .map(|act| Line {
                at: "22-11-2026 19:04".into(),
                person: "Sanne Visser".into(),
                act: act.into(),
                reason: "Gebeld met de familie".into(),
            })
            .into(),
            pages: Pages::sample(),
            reason: String::new(),
            errors,
        };
        let of_reason = |key| FieldErrors::of(names::REASON, key);
        let of_all = |key| FieldErrors::of("", key);
        let mut pages: Vec<Self> =
            states.map(|state| page(state, "Mevrouw G. de Wit-Bakker", FieldErrors::default(), false)).into();
        pages.push(page("requested", "", of_all("portal-team-error-no-client"), false));
        pages.push(page(
            "requested",
            "Mevrouw G. de Wit-Bakker",
            of_reason("portal-team-error-reason"),
            true,
        ));
        pages.push(page("requested", "Mevrouw G. de Wit-Bakker", of_reason("portal-team-error-bsn"), false));
        pages.push(page("requested", "Mevrouw G. de Wit-Bakker", of_all("portal-team-error-gone"), false));
        pages.iter().map(|page| (Self::TEMPLATE, serde_json::json!(page))).collect()
    }
}

/// `GET /team/links/{link}`
pub async fn page(
    State(app): State<Arc<App>>,
    Path(link): Path<String>,
    AtDesk { cx, session, care }: AtDesk,
    Query(query): Query,
) -> Result<Response, AppError> {
    let link = own_link(&app, &care, &link).await?;
    let issued = query.plain(names::ISSUED);
    let kept = kept_form(&app, &cx, &session).await?;
    let shown = Shown {
        code: shown_code(&app, &session, &link, &issued).await?,
        reason: kept.line(names::REASON),
        level: Level::from_word(kept.trimmed(names::LEVEL)),
        errors: FieldErrors::default(),
    };
    render(&app, &cx, &session, &link, shown).await
}

/// `POST /team/links/{link}/{act}`: `code`, `void`, `level` or `end`.
pub async fn act(
    State(app): State<Arc<App>>,
    Path((link, act)): Path<(String, String)>,
    AtDesk { cx, session, care }: AtDesk,
    Form(fields): Form,
) -> Result<Response, AppError> {
    let link = own_link(&app, &care, &link).await?;
    if !may_act_on(&session.person, &link) {
        return Err(AppError::Refused);
    }
    let reason: String = fields.line(names::REASON).chars().take(500).collect();
    let level = Level::from_word(fields.trimmed(names::LEVEL));
    let shown = |field, error| Shown {
        reason: reason.clone(),
        level,
        errors: FieldErrors::of(field, error),
        ..Shown::default()
    };
    if let Some(error) = reason_error(&reason) {
        return render(&app, &cx, &session, &link, shown(names::REASON, error)).await;
    }
    let now = app.clock.now();
    let mut issued = None;
    let mut write = app.db.begin_write().await?;
    let (done, what) = match (act.as_str(), level) {
        ("code", Some(level)) => {
            let Some(dossier) = client_of(&app, &link) else {
                drop(write);
                return render(&app, &cx, &session, &link, shown("", "portal-team-error-no-client")).await;
            };
            let drawn = ActivationCode::draw(&app.random);
            let expires_at = now.plus(app.settings.limits.code_lifetime);
            let new = NewCode { code: &drawn, dossier: &dossier.id, level, issued_at: now, expires_at };
            let done = app.links.issue_code(&mut write, &link, new).await?;
            issued = Some((drawn, expires_at));
            (done, Act::CodeIssued)
        }
        ("void", _) => (app.links.void_code(&mut write, &link).await?, Act::CodeVoided),
        ("level", Some(level)) => {
            let what = if level == Level::Full { Act::LevelFull } else { Act::LevelLimited };
            (app.links.set_level(&mut write, &link, level).await?, what)
        }
        ("end", _) => (app.links.end(&mut write, &link.id, now).await?, Act::Ended),
        ("code" | "level", None) => return Err(AppError::BadInput),
        _ => return Err(AppError::NotFound),
    };
    if !done {
        drop(write);
        return render(&app, &cx, &session, &link, shown("", "portal-team-error-gone")).await;
    }
    let deed = AuditEntry::new(&session.person, &link, what, &reason);
    app.audit.add(&mut write, &app.random.id(), deed, now).await?;
    write.commit().await?;
    let page = paths::team_link(&link.id);
    let Some((code, until)) = issued else { return Ok(Redirect::to(&after(&page, "saved")).into_response()) };
    let id = app.random.id();
    let sealed = app.drafts.seal(format!("{} {}", until.0, code.grouped()).as_bytes());
    app.ephemeral.put(&issued_key(&session, &link, &id), &sealed, CODE_IS_SHOWN).await?;
    Ok(Redirect::to(&format!("{page}?{}={id}", names::ISSUED)).into_response())
}

/// What is wrong with a reason. It stands in the log for good, for every colleague to read (T47).
fn reason_error(reason: &str) -> Option<&'static str> {
    if reason.chars().count() < 3 {
        Some("portal-team-error-reason")
    } else {
        Bsn::is_in(reason).then_some("portal-team-error-bsn")
    }
}

/// Where a code stands that was issued in this session, sealed, for the page that came of it.
fn issued_key(session: &Session, link: &Link, id: &str) -> String {
    format!("issued:{}", platform::seal::sha256(&format!("{}\n{}\n{id}", session.key(), link.id)))
}

/// The code of this page, as long as it is the one that counts; empty if there is none to show.
async fn shown_code(app: &App, session: &Session, link: &Link, id: &str) -> Result<String, AppError> {
    let LinkState::Requested { code: Some(counts) } = &link.state else { return Ok(String::new()) };
    let Some(kept) = app.ephemeral.get(&issued_key(session, link, id)).await? else {
        return Ok(String::new());
    };
    let opened = app.drafts.open_text(&kept.value).unwrap_or_default();
    let (until, code) = opened.split_once(' ').unwrap_or_default();
    Ok(if until == counts.expires_at.0.to_string() { code.to_owned() } else { String::new() })
}

/// A link of the organisation whose desk this is; another's is not found (T46).
async fn own_link(app: &App, care: &Care, link: &str) -> Result<Link, AppError> {
    if !paths::is_identifier(link) {
        return Err(AppError::NotFound);
    }
    app.links.in_organisation(link, &care.organisation).await?.ok_or(AppError::NotFound)
}

/// The client that a link is about, once opened or by what was filled in.
fn client_of<'a>(app: &'a App, link: &Link) -> Option<&'a crate::dossiers::Dossier> {
    let found = match &link.state {
        LinkState::Active { dossier, .. } | LinkState::Ended { dossier: Some(dossier), .. } => {
            app.dossiers.get(dossier)
        }
        _ => app.dossiers.matching(&link.match_hash),
    };
    found.filter(|dossier| dossier.organisation == link.organisation)
}

async fn render(
    app: &App,
    cx: &RequestContext,
    session: &Session,
    link: &Link,
    shown: Shown,
) -> Result<Response, AppError> {
    let (bsn, birth_date) =
        app.links.reveal(link).map_err(|error| AppError::Internal(format!("link {}: {error}", link.id)))?;
    let asked = page_of(cx)?;
    let entries = app.audit.of_link(&link.id, asked).await?;
    let pages = Pages::new(&paths::team_link(&link.id), asked, entries.next);
    let history = entries.rows.into_iter().map(|entry| Line {
        at: entry.at.local_text(),
        person: entry.person_name,
        act: entry.act,
        reason: entry.reason,
    });
    let page = TeamLink {
        link: link.id.clone(),
        person: link.person.name.clone(),
        email: link.person.email.clone(),
        relation: link.relation.word(),
        birth_date: birth_date.dutch(),
        bsn_ending: bsn.ending(),
        requested_on: day(link.requested_at),
        client: client_of(app, link).map(|dossier| dossier.client_name.clone()).unwrap_or_default(),
        state: link.state_word(app.clock.now(), app.settings.limits.code_attempts),
        level: shown.level.unwrap_or(link.level).word(),
        code_until: match &link.state {
            LinkState::Requested { code: Some(code) } => code.expires_at.local_text(),
            _ => String::new(),
        },
        code: shown.code,
        is_own: !may_act_on(&session.person, link),
        history: history.collect(),
        pages,
        reason: shown.reason,
        errors: shown.errors,
    };
    Ok(show(app, cx, Some(session), page.errors.status(), TeamLink::TEMPLATE, &page))
}
