//! Another way to give the second factor than the one that is offered: 'Lukt het niet? Kies een andere manier'.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::at_step::Arrived;
use crate::app::Shared;
use crate::domain::journey::Step;
use crate::http::names;
use crate::http::paths;
use crate::http::paths::journey_url;
use crate::http::{AppError, Caller, Form};

/// What a page offers besides its own way.
#[derive(Clone, Debug, Default, Serialize)]
pub struct OtherWays {
    pub action: String,
    pub ways: Vec<Way>,
}

/// One of them.
#[derive(Clone, Debug, Serialize)]
pub struct Way {
    /// The last part of the path of its step.
    pub value: &'static str,
    /// What its button says: a text key.
    pub label: &'static str,
}

/// The steps that somebody can pick, as buttons name them.
const LABELS: [(Step, &str); 7] = [
    (Step::Passkey, "way-passkey"),
    (Step::Totp, "way-app"),
    (Step::Code, "way-sms"),
    (Step::RecoveryCode, "way-recovery-code"),
    (Step::Phone, "way-new-phone"),
    (Step::AddPasskey, "way-new-passkey"),
    (Step::AddTotp, "way-new-app"),
];

fn value(step: Step) -> &'static str {
    step.path().rsplit('/').next().unwrap_or_default()
}

impl OtherWays {
    /// Those of somebody at a step.
    pub fn of(arrived: &Arrived, here: Step) -> Self {
        let open = arrived.assessment.ways.iter().filter(|step| **step != here);
        let labelled = open.filter_map(|step| LABELS.iter().find(|(known, _)| known == step));
        Self {
            action: journey_url(paths::SIGNIN_OTHER_WAY, &arrived.open.id),
            ways: labelled.map(|(step, label)| Way { value: value(*step), label }).collect(),
        }
    }

    pub fn sample() -> Self {
        let ways = LABELS.map(|(step, label)| Way { value: value(step), label });
        Self { action: "/signin/other-way?journey=x".into(), ways: ways.to_vec() }
    }
}

/// `POST /signin/other-way`: the browser of the journey; the steps that are open to it say what can be picked.
pub async fn post(
    State(app): State<Shared>,
    Form(Caller(cx), fields): Form<Caller>,
) -> Result<Response, AppError> {
    let Some(mut open) = app.journey_of(&cx).await? else { return app.journey_gone(&cx).await };
    let wanted = fields.get(names::WAY).unwrap_or_default();
    let assessment = app.assess(&cx, &open.journey).await?;
    if let Some(step) = assessment.ways.into_iter().find(|step| value(*step) == wanted) {
        // A number that was typed and not proved is left behind with the way that it was for.
        if step != Step::Code {
            open.journey.pending_phone = None;
            open.journey.code = None;
        }
        open.journey.chosen = Some(step);
        return app.save_and_resume(&cx, open).await;
    }
    app.resume(&cx, open).await
}
