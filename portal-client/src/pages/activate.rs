//! A request that is not open yet: type the activation code ('Activeren'), or take the request back. Whatever
//! is wrong with a code, the answer is one sentence.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Serialize;

use super::extract::{Form, SignedIn};
use super::failure::Failure;
use super::request::account_key;
use super::{after, day, show};
use crate::app::App;
use crate::links::Link;
use crate::links::code::ActivationCode;
use crate::paths;
use crate::team::{Act, Deed};

const DAY: Duration = Duration::from_hours(24);

/// The page of a request.
#[derive(Debug, Serialize)]
pub struct Activate {
    link: String,
    organisation: String,
    requested_on: String,
    sent_url: String,
    /// The key of what is wrong; empty at first.
    error: &'static str,
}

impl Activate {
    const TEMPLATE: &'static str = "portal/activate.html";

    fn new(app: &App, link: &Link, error: &'static str) -> Self {
        Self {
            organisation: app.organisation_name(&link.organisation),
            requested_on: day(link.requested_at),
            sent_url: paths::requested_sent(&link.id),
            link: link.id.clone(),
            error,
        }
    }

    #[cfg(test)]
    pub(super) fn samples() -> Vec<(&'static str, serde_json::Value)> {
        let page = |error| {
            serde_json::json!(Self {
                link: "x".into(),
                organisation: "Zorggroep Zonnehof".into(),
                requested_on: "22-11-2026".into(),
                sent_url: "/requests/x/sent".into(),
                error,
            })
        };
        vec![(Self::TEMPLATE, page("")), (Self::TEMPLATE, page("portal-activate-error"))]
    }
}

/// `GET /requests/{link}`
pub async fn page(
    State(app): State<Arc<App>>,
    Path(link): Path<String>,
    signed_in: SignedIn,
) -> Result<Response, Failure> {
    let SignedIn { visit, session } = signed_in;
    let link = app.links.own(&link, &session.person).await?.ok_or(Failure::NotFound)?;
    if let Some(dossier) = link.opens() {
        let home = paths::section(dossier, "home");
        let is_new = visit.query("done") == "activated";
        let home = if is_new { after(&home, "activated") } else { home };
        return Ok(Redirect::to(&home).into_response());
    }
    let page = Activate::new(&app, &link, "");
    Ok(show(&app, &visit, Some(&session), StatusCode::OK, Activate::TEMPLATE, &page))
}

/// `POST /requests/{link}/activate`: 'Activeren'.
pub async fn activate(
    State(app): State<Arc<App>>,
    Path(link): Path<String>,
    signed_in: SignedIn,
    Form(fields): Form,
) -> Result<Response, Failure> {
    let SignedIn { visit, session } = signed_in;
    let link = app.links.own(&link, &session.person).await?.ok_or(Failure::NotFound)?;
    let limits = app.settings.limits;
    let tried = app.ephemeral.count(&account_key("activate", &session), DAY).await?;
    let now = app.clock.now();
    let code = ActivationCode::typed(fields.trimmed("activation_code"));
    // Over the day's limit the code is not looked at, and the answer is the same as for a wrong one.
    let attempts = if tried.count <= limits.activations_per_account { limits.code_attempts } else { 0 };
    let mut write = app.db.begin_write().await?;
    let opened = app.links.activate(&mut write, &link.id, &session.person, &code, attempts, now).await?;
    if opened {
        let deed = Deed::new(&session.person, &link, Act::Activated, "");
        app.audit.add(&mut write, &app.random.id(), deed, now).await?;
    }
    write.commit().await?;
    if !opened {
        let page = Activate::new(&app, &link, "portal-activate-error");
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(show(&app, &visit, Some(&session), status, Activate::TEMPLATE, &page));
    }
    Ok(Redirect::to(&after(&paths::requested(&link.id), "activated")).into_response())
}

/// `POST /requests/{link}/withdraw`: takes a request back.
pub async fn withdraw(
    State(app): State<Arc<App>>,
    Path(link): Path<String>,
    signed_in: SignedIn,
    Form(_): Form,
) -> Result<Response, Failure> {
    let session = signed_in.session;
    let link = app.links.own(&link, &session.person).await?.ok_or(Failure::NotFound)?;
    let now = app.clock.now();
    let mut write = app.db.begin_write().await?;
    if link.opens().is_none() && app.links.end(&mut write, &link.id, now).await? {
        let deed = Deed::new(&session.person, &link, Act::Withdrawn, "");
        app.audit.add(&mut write, &app.random.id(), deed, now).await?;
        write.commit().await?;
    }
    Ok(Redirect::to(&after(paths::HOME, "withdrawn")).into_response())
}
