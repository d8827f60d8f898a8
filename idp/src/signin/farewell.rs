//! Step: a last word.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::at_step::{AtStep, Page};
use crate::app::Shared;
use crate::domain::journey::Step;
use crate::http::paths::journey_url;
use crate::http::{AppError, Form};

/// The step of these pages.
pub struct Here;

impl Page for Here {
    const STEP: Step = Step::Farewell;
}

/// `idp/signin_farewell.html`
#[derive(Clone, Debug, Serialize)]
pub struct FarewellPage {
    pub action: String,
}

impl FarewellPage {
    pub fn sample() -> Self {
        Self { action: "/signin/farewell?journey=x".into() }
    }
}

/// `GET /signin/farewell`: whoever has come to this step.
pub async fn get(State(app): State<Shared>, AtStep { cx, arrived, .. }: AtStep<Here>) -> Response {
    let page = FarewellPage { action: journey_url(Step::Farewell.path(), &arrived.open.id) };
    app.step_page(&cx, &arrived.open, StatusCode::OK, "idp/signin_farewell.html", &page)
}

/// `POST /signin/farewell`: twice at once does nothing twice.
pub async fn post(
    State(app): State<Shared>,
    Form(AtStep { cx, arrived, .. }, _): Form<AtStep<Here>>,
) -> Result<Response, AppError> {
    app.resume(&cx, arrived.open).await
}
