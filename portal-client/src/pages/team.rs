//! The care team's desk: the requests for access of one's own organisation.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::{Pages, day, show};
use crate::app::App;
use crate::http::error::AppError;
use crate::http::extract::{AtDesk, page as page_of};
use crate::http::paths;
use crate::links::State as LinkState;

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

/// `GET /team`
pub async fn list(
    State(app): State<Arc<App>>,
    AtDesk { cx, session, care }: AtDesk,
) -> Result<Response, AppError> {
    let now = app.clock.now();
    let asked = page_of(&cx)?;
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
            state: link.state_word(now, app.settings.limits.code_attempts),
        };
        match link.state {
            LinkState::Requested { .. } => page.waiting.push(row),
            LinkState::Active { .. } => page.open.push(row),
            LinkState::Ended { .. } => page.ended.push(row),
        }
    }
    Ok(show(&app, &cx, Some(&session), StatusCode::OK, Desk::TEMPLATE, &page))
}
