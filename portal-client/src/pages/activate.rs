//! A request that is not open yet: type the activation code ('Activeren'), or take the request back. Whatever
//! is wrong with a code, the answer is one sentence.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use platform::ephemeral::Limit;
use platform::errors::FieldErrors;
use serde::Serialize;

use super::{after, day, show};
use crate::app::App;
use crate::http::error::AppError;
use crate::http::extract::SignedIn;
use crate::http::form::Form;
use crate::http::{names, paths};
use crate::links::Link;
use crate::links::code::ActivationCode;
use crate::team::{Act, AuditEntry};

const DAY: Duration = Duration::from_hours(24);

/// The page of a request.
#[derive(Debug, Serialize)]
pub struct Activate {
    link: String,
    organisation: String,
    requested_on: String,
    sent_url: String,
    errors: FieldErrors,
}

impl Activate {
    const TEMPLATE: &'static str = "portal/activate.html";

    fn new(app: &App, link: &Link, errors: FieldErrors) -> Self {
        Self {
            organisation: app.organisation_name(&link.organisation),
            requested_on: day(link.requested_at),
            sent_url: paths::requested_sent(&link.id),
            link: link.id.clone(),
            errors,
        }
    }

    #[cfg(test)]
    pub(super) fn samples() -> Vec<(&'static str, serde_json::Value)> {
        let page = |errors| {
            serde_json::json!(Self {
                link: "x".into(),
                organisation: "Zorggroep Zonnehof".into(),
                requested_on: "22-11-2026".into(),
                sent_url: "/requests/x/sent".into(),
                errors,
            })
        };
        let keys = ["portal-activate-error", "portal-activate-empty", "portal-activate-malformed"];
        let wrong = keys.map(|key| (Self::TEMPLATE, page(FieldErrors::of(names::ACTIVATION_CODE, key))));
        wrong.into_iter().chain([(Self::TEMPLATE, page(FieldErrors::default()))]).collect()
    }
}

/// `GET /requests/{link}`
pub async fn page(
    State(app): State<Arc<App>>,
    Path(link): Path<String>,
    SignedIn { cx, session }: SignedIn,
) -> Result<Response, AppError> {
    let link = app.links.own(&link, &session.person).await?.ok_or(AppError::NotFound)?;
    if let Some(dossier) = link.opens() {
        let home = paths::section(dossier, "home");
        let is_new = cx.query(names::DONE) == "activated";
        let home = if is_new { after(&home, "activated") } else { home };
        return Ok(Redirect::to(&home).into_response());
    }
    let page = Activate::new(&app, &link, FieldErrors::default());
    Ok(show(&app, &cx, Some(&session), StatusCode::OK, Activate::TEMPLATE, &page))
}

/// `POST /requests/{link}/activate`: 'Activeren'.
pub async fn activate(
    State(app): State<Arc<App>>,
    Path(link): Path<String>,
    SignedIn { cx, session }: SignedIn,
    Form(fields): Form,
) -> Result<Response, AppError> {
    let link = app.links.own(&link, &session.person).await?.ok_or(AppError::NotFound)?;
    let wrong = |key| {
        let page = Activate::new(&app, &link, FieldErrors::of(names::ACTIVATION_CODE, key));
        show(&app, &cx, Some(&session), page.errors.status(), Activate::TEMPLATE, &page)
    };
    if link.opens().is_some() {
        // The second of two clicks: the first one has opened it.
        return Ok(Redirect::to(&paths::requested(&link.id)).into_response());
    }
    let typed = fields.plain(names::ACTIVATION_CODE);
    let Some(code) = ActivationCode::typed(&typed) else {
        return Ok(wrong(if typed.is_empty() {
            "portal-activate-empty"
        } else {
            "portal-activate-malformed"
        }));
    };
    let limits = app.settings.limits;
    let key = session.person.counter("activate");
    let limit = Limit { key: &key, most: limits.activations_per_account, window: DAY };
    let reserved = app.ephemeral.reserve(&[limit]).await?.ok();
    let now = app.clock.now();
    // Over the day's limit the code is not looked at, and the answer is the same as for a wrong one.
    let attempts = if reserved.is_some() { limits.code_attempts } else { 0 };
    let mut write = app.db.begin_write().await?;
    let opened = app.links.activate(&mut write, &link.id, &session.person, &code, attempts, now).await?;
    if opened {
        let deed = AuditEntry::new(&session.person, &link, Act::Activated, "");
        app.audit.add(&mut write, &app.random.id(), deed, now).await?;
    }
    write.commit().await?;
    let opens = |link: Link| link.opens().is_some();
    if !opened && !app.links.own(&link.id, &session.person).await?.is_some_and(opens) {
        return Ok(wrong("portal-activate-error"));
    }
    if let Some(right) = reserved {
        app.ephemeral.give_back(right).await?;
    }
    Ok(Redirect::to(&after(&paths::requested(&link.id), "activated")).into_response())
}

/// `POST /requests/{link}/withdraw`: takes a request back.
pub async fn withdraw(
    State(app): State<Arc<App>>,
    Path(link): Path<String>,
    SignedIn { session, .. }: SignedIn,
    Form(_): Form,
) -> Result<Response, AppError> {
    let link = app.links.own(&link, &session.person).await?.ok_or(AppError::NotFound)?;
    let now = app.clock.now();
    let mut write = app.db.begin_write().await?;
    if link.opens().is_none() && app.links.end(&mut write, &link.id, now).await? {
        let deed = AuditEntry::new(&session.person, &link, Act::Withdrawn, "");
        app.audit.add(&mut write, &app.random.id(), deed, now).await?;
        write.commit().await?;
    }
    Ok(Redirect::to(&after(paths::HOME, "withdrawn")).into_response())
}
