//! The care team's desk: the requests for access of one's own organisation.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::{Pages, day, show};
use crate::app::App;
use crate::http::error::AppError;
use crate::http::extract::{SignedIn, page as page_of};
use crate::http::paths;
use crate::links::{Link, State as LinkState};
use crate::session::{Care, Session};
use crate::team::{NotAtDesk, desk};

/// The list of an organisation's links.
#[derive(Debug, Serialize)]
pub struct Desk {
    organisation: String,
    waiting: Vec<Row>,
    open: Vec<Row>,
    ended: Vec<Row>,
    pages: Pages,
}

#[derive(Debug, Serialize)]
struct Row {
    url: String,
    person: String,
    relation: &'static str,
    on: String,
    /// `portal-team-state-STATE` is its text.
    state: &'static str,
}

impl Desk {
    const TEMPLATE: &'static str = "portal/team.html";

    #[cfg(test)]
    pub(super) fn samples() -> Vec<(&'static str, serde_json::Value)> {
        let row = |state| Row {
            url: "/team/links/x".into(),
            person: "Marjan de Wit".into(),
            relation: "representative",
            on: "22-11-2026".into(),
            state,
        };
        let desk = |waiting| Self {
            organisation: "Zorggroep Zonnehof".into(),
            waiting,
            open: vec![row("open")],
            ended: vec![row("ended")],
            pages: Pages::sample(),
        };
        vec![
            (Self::TEMPLATE, serde_json::json!(desk(vec![row("requested"), row("code-issued")]))),
            (Self::TEMPLATE, serde_json::json!(desk(vec![]))),
        ]
    }
}

/// The role and organisation of somebody who is at the desk.
///
/// # Errors
/// A sign-in for the desk, if that would help; else that they are no member of a team.
pub fn at_desk<'a>(app: &App, session: &'a Session, return_to: &str) -> Result<&'a Care, AppError> {
    desk(session, &app.settings.provider.team_acr).map_err(|not| match not {
        NotAtDesk::StepUp => AppError::SignIn(return_to.to_owned()),
        NotAtDesk::NoRole => AppError::NotInTeam,
    })
}

/// The word for how far a link is.
pub(super) fn state_word(link: &Link, now: web::clock::Timestamp, attempts: i64) -> &'static str {
    match &link.state {
        LinkState::Requested { code: None } => "requested",
        LinkState::Requested { code: Some(code) } if code.failures >= attempts => "code-spent",
        LinkState::Requested { code: Some(code) } if code.expires_at <= now => "code-expired",
        LinkState::Requested { code: Some(_) } => "code-issued",
        LinkState::Active { .. } => "open",
        LinkState::Ended { .. } => "ended",
    }
}

/// `GET /team`
pub async fn list(State(app): State<Arc<App>>, signed_in: SignedIn) -> Result<Response, AppError> {
    let SignedIn { visit, session } = signed_in;
    let care = at_desk(&app, &session, paths::TEAM)?;
    let now = app.clock.now();
    let asked = page_of(&visit)?;
    let links = app.links.of_organisation(&care.organisation, asked).await?;
    let mut page = Desk {
        organisation: app.organisation_name(&care.organisation),
        waiting: Vec::new(),
        open: Vec::new(),
        ended: Vec::new(),
        pages: Pages::new(paths::TEAM, asked, links.next),
    };
    for link in links.rows {
        let row = Row {
            url: paths::team_link(&link.id),
            person: link.person.name.clone(),
            relation: link.relation.word(),
            on: day(link.requested_at),
            state: state_word(&link, now, app.settings.limits.code_attempts),
        };
        match link.state {
            LinkState::Requested { .. } => page.waiting.push(row),
            LinkState::Active { .. } => page.open.push(row),
            LinkState::Ended { .. } => page.ended.push(row),
        }
    }
    Ok(show(&app, &visit, Some(&session), StatusCode::OK, Desk::TEMPLATE, &page))
}
