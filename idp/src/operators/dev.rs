//! What only a development configuration has: the caught mails and SMS, and a clock that can be moved. Every
//! other configuration answers 404 here.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use platform::request::Fields;
use serde::Serialize;

use crate::app::Shared;
use crate::http::names;
use crate::http::{AppError, Caller};

/// `idp/outbox.html`
#[derive(Clone, Debug, Serialize)]
pub struct OutboxPage {
    pub messages: Vec<MessageRow>,
}

#[derive(Clone, Debug, Serialize)]
pub struct MessageRow {
    pub id: String,
    pub kind: &'static str,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub created_at: String,
    pub links: Vec<String>,
}

impl OutboxPage {
    pub fn sample() -> Self {
        let row = MessageRow {
            id: "1".into(),
            kind: "mail",
            to: "anna@example.nl".into(),
            subject: "Onderwerp".into(),
            text: "Tekst".into(),
            html: String::new(),
            created_at: "2026-11-22T18:04:00Z".into(),
            links: vec!["http://localhost:8080/confirm?token=x".into()],
        };
        Self { messages: vec![row] }
    }
}

/// `GET /dev/outbox`
pub async fn outbox(State(app): State<Shared>, Caller(cx): Caller) -> Result<Response, AppError> {
    if !app.config.dev.outbox {
        return Err(AppError::NotFound);
    }
    let mut messages: Vec<MessageRow> = app
        .delivery
        .caught()
        .into_iter()
        .map(|message| MessageRow {
            links: message
                .text
                .split_whitespace()
                .filter(|word| word.starts_with("http"))
                .map(str::to_owned)
                .collect(),
            id: message.id,
            kind: message.kind,
            to: message.to,
            subject: message.subject,
            text: message.text,
            html: message.html,
            created_at: message.created_at,
        })
        .collect();
    messages.reverse();
    Ok(app.page(&cx, None, StatusCode::OK, "idp/outbox.html", &OutboxPage { messages }))
}

/// `GET /dev/outbox.json`: newest last.
pub async fn outbox_json(State(app): State<Shared>) -> Result<Response, AppError> {
    if !app.config.dev.outbox {
        return Err(AppError::NotFound);
    }
    Ok(axum::Json(app.delivery.caught()).into_response())
}

/// `POST /dev/clock/advance` with `seconds=N`
pub async fn advance(State(app): State<Shared>, body: Bytes) -> Result<Response, AppError> {
    if !app.config.dev.clock {
        return Err(AppError::NotFound);
    }
    let seconds =
        Fields::parse(&body).ok().and_then(|fields| fields.get(names::SECONDS)?.parse::<u64>().ok());
    Ok(match seconds.filter(|seconds| *seconds <= 400 * 86_400) {
        Some(seconds) => {
            app.clock.advance(Duration::from_secs(seconds));
            app.clock.now().rfc3339().into_response()
        }
        None => (StatusCode::BAD_REQUEST, "seconds=N, at most 400 days").into_response(),
    })
}
