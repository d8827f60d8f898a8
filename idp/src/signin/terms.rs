//! Step: the portal's terms of use, shown once and again when they change. What was agreed to, and when, is kept.

use axum::extract::State;
use axum::response::Response;
use platform::errors::FieldErrors;
use platform::request::RequestContext;
use serde::Serialize;

use super::at_step::{Arrived, AtStep, Page};
use crate::app::Shared;
use crate::domain::journey::Step;
use crate::http::names;
use crate::http::paths;
use crate::http::paths::journey_url;
use crate::http::{AppError, Form};
use crate::store::audit::Event;

/// The step of these pages.
pub struct Here;

impl Page for Here {
    const STEP: Step = Step::Terms;
}

/// `idp/signin_terms.html`
#[derive(Clone, Debug, Serialize)]
pub struct TermsPage {
    pub action: String,
    pub cancel_action: String,
    pub portal_name: String,
    pub version: String,
    pub paragraphs: Vec<String>,
    /// The language that they are in: the page's, where there is a text in it.
    pub text_language: &'static str,
    /// Where the whole text is.
    pub url: Option<String>,
    /// The person agreed to other terms of this portal before.
    pub changed: bool,
    pub errors: FieldErrors,
}

impl TermsPage {
    pub fn sample() -> Self {
        Self {
            action: "/signin/terms?journey=x".into(),
            cancel_action: "/signin/cancel?journey=x".into(),
            portal_name: "Portaal".into(),
            version: "2027-01".into(),
            paragraphs: vec!["U deelt uw wachtwoord met niemand.".into()],
            text_language: "nl",
            url: Some("https://portal.example/terms".into()),
            changed: true,
            errors: FieldErrors::of("accept", "terms-not-accepted"),
        }
    }
}

async fn page(
    app: &Shared,
    cx: &RequestContext,
    arrived: &Arrived,
    error: Option<&'static str>,
) -> Result<Response, AppError> {
    let Arrived { open, assessment } = arrived;
    let (Some(account), Some(terms)) = (&assessment.account, &assessment.portal.policy.terms) else {
        return Err(AppError::JourneyExpired(open.journey.client_id.clone()));
    };
    let before = app.store.accepted_terms(&account.id).await?;
    let language = terms.language(app.look(open.journey.client_id.as_deref()).language(cx));
    let page = TermsPage {
        action: journey_url(paths::SIGNIN_TERMS, &open.id),
        cancel_action: journey_url(paths::SIGNIN_CANCEL, &open.id),
        portal_name: assessment.portal.brand.name.clone(),
        version: terms.version.clone(),
        paragraphs: terms.paragraphs(language),
        text_language: language.tag(),
        url: terms.url.clone(),
        changed: before.iter().any(|accepted| accepted.portal_id == assessment.portal.id),
        errors: FieldErrors::default().and("accept", error),
    };
    Ok(app.step_page(cx, open, page.errors.status(), "idp/signin_terms.html", &page))
}

/// `GET /signin/terms`: whoever signed in in this journey and has not agreed to these terms.
pub async fn get(
    State(app): State<Shared>,
    AtStep { cx, arrived, .. }: AtStep<Here>,
) -> Result<Response, AppError> {
    page(&app, &cx, &arrived, None).await
}

/// `POST /signin/terms`: twice at once keeps the time of the first.
pub async fn post(
    State(app): State<Shared>,
    Form(AtStep { cx, arrived, .. }, fields): Form<AtStep<Here>>,
) -> Result<Response, AppError> {
    if fields.get(names::ACCEPT) != Some("yes") {
        return page(&app, &cx, &arrived, Some("terms-not-accepted")).await;
    }
    let portal = &arrived.assessment.portal;
    if let (Some(account), Some(terms)) = (&arrived.assessment.account, &portal.policy.terms) {
        let client_id = arrived.open.journey.client_id.as_deref();
        let (digest, version) = (terms.digest(), terms.version.as_str());
        let mut write = app.store.begin_write().await?;
        if app.store.accept_terms(&mut write, &account.id, &portal.id, &digest, version).await? {
            let detail = format!("{}: {version}", portal.brand.name);
            app.store.note(&mut write, Event::TermsAccepted, &account.id, client_id, &detail);
        }
        write.commit().await?;
    }
    app.resume(&cx, arrived.open).await
}
