//! The page that waits for a mail: 'look in your mail', type its code, have it sent again.

use std::time::{Duration, Instant};

use axum::response::Response;
use platform::errors::FieldErrors;
use platform::request::{Fields, RequestContext};
use serde::Serialize;

use super::{Again, DIGITS, Typed, again_at, with_journey};
use crate::app::App;
use crate::http::AppError;
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::store::ephemeral::waiting::{self, Waiting};
use crate::store::mail_links::Purpose;

/// No mail is sent again sooner: whether there is an account to send it to cannot be told from the time.
const ANSWER_TAKES: Duration = Duration::from_millis(150);

/// `idp/mail_sent.html`
#[derive(Clone, Debug, Serialize)]
pub struct WaitingPage {
    pub email: String,
    pub action: String,
    pub resend_action: String,
    pub errors: FieldErrors,
    /// No code can be typed here any more until another mail is sent.
    pub is_over: bool,
    pub resent: bool,
    pub resend_in_seconds: u64,
    /// When the mail was sent that this page knows of: the second of two clicks is known by it.
    pub resend_after: String,
    pub back_url: String,
    #[serde(flatten)]
    words: Words,
}

/// What differs from one purpose to the other: text keys and an element id.
#[derive(Clone, Copy, Debug, Serialize)]
struct Words {
    lead: &'static str,
    do_button: &'static str,
    /// What to know on another device.
    elsewhere: Option<&'static str>,
    submit: &'static str,
    resend_label: &'static str,
    resend_id: &'static str,
    back_label: &'static str,
}

impl WaitingPage {
    pub fn sample() -> Self {
        Self {
            email: "anna@example.nl".into(),
            action: "/register/sent?page=x".into(),
            resend_action: "/register/resend?page=x".into(),
            errors: FieldErrors::of("code", "mail-code-wrong"),
            is_over: false,
            resent: true,
            resend_in_seconds: 42,
            resend_after: "0".into(),
            back_url: "/signin".into(),
            words: words(Purpose::Confirm),
        }
    }
}

fn words(purpose: Purpose) -> Words {
    match purpose {
        Purpose::Confirm => Words {
            lead: "register-sent-lead",
            do_button: "register-sent-do-button",
            elsewhere: Some("register-sent-elsewhere"),
            submit: "confirm-submit",
            resend_label: "register-resend",
            resend_id: "confirm-resend",
            back_label: "back-to-signin",
        },
        Purpose::Reset => Words {
            lead: "forgot-sent-lead",
            do_button: "forgot-sent-do-button",
            elsewhere: None,
            submit: "mail-code-submit",
            resend_label: "forgot-resend",
            resend_id: "reset-resend",
            back_label: "back-to-signin",
        },
        Purpose::EmailChange => Words {
            lead: "email-sent-lead",
            do_button: "register-sent-do-button",
            elsewhere: None,
            submit: "confirm-submit",
            resend_label: "forgot-resend",
            resend_id: "email-resend",
            back_label: "back-to-account",
        },
    }
}

/// Where a waiting page stands, and where its mail is sent again.
fn paths(purpose: Purpose) -> (&'static str, &'static str) {
    match purpose {
        Purpose::Confirm => (paths::REGISTER_SENT, paths::REGISTER_RESEND),
        Purpose::Reset => (paths::FORGOT_SENT, paths::FORGOT_RESEND),
        Purpose::EmailChange => (paths::ACCOUNT_EMAIL_SENT, paths::ACCOUNT_EMAIL_RESEND),
    }
}

impl App {
    /// The URL of a waiting page.
    pub fn waiting_url(&self, cx: &RequestContext, client_id: Option<&str>, path: &str, id: &str) -> String {
        self.url_at(self.portal_for(cx, client_id), &format!("{path}?page={id}"))
    }

    /// The waiting page as it stands.
    pub fn waiting_page(
        &self,
        cx: &RequestContext,
        purpose: Purpose,
        id: &str,
        page: &Waiting,
        errors: FieldErrors,
    ) -> Response {
        let (sent, resend) = paths(purpose);
        let wait = again_at(page).since(self.clock.now());
        let client_id = page.client_id.as_deref();
        let action = self.waiting_url(cx, client_id, sent, id);
        let is_over = page.tries_left == 0;
        let errors = if is_over && errors.is_empty() { FieldErrors::of("", "code-ended") } else { errors };
        let shown = WaitingPage {
            email: page.email.clone(),
            resend_action: self.waiting_url(cx, client_id, resend, id),
            is_over,
            resent: cx.query("resent") == "1" && errors.is_empty(),
            resend_after: page.sent_at.0.to_string(),
            errors: errors.with("digits", &DIGITS),
            resend_in_seconds: wait.as_secs() + u64::from(wait.subsec_millis() > 0),
            back_url: match purpose {
                Purpose::EmailChange => paths::ACCOUNT.to_owned(),
                _ => with_journey(paths::SIGNIN, page.journey_id.as_deref().unwrap_or_default()),
            },
            words: words(purpose),
            action,
        };
        let status = shown.errors.status();
        self.client_page(&cx.at(&shown.action), client_id, status, "idp/mail_sent.html", &shown)
    }

    /// The waiting page of this browser, or that it is over.
    pub async fn show_waiting(
        &self,
        cx: &RequestContext,
        purpose: Purpose,
        errors: FieldErrors,
    ) -> Result<Response, AppError> {
        let id = cx.query("page");
        Ok(match waiting::get(&self.ephemeral, &id, &cx.browser).await? {
            Some((page, _)) => self.waiting_page(cx, purpose, &id, &page, errors),
            None => return Err(AppError::JourneyExpired(None)),
        })
    }

    /// Sends the mail of the waiting page in the URL again and shows that page.
    pub async fn resend_mail(
        &self,
        cx: &RequestContext,
        purpose: Purpose,
        fields: &Fields,
    ) -> Result<Response, AppError> {
        let answer_at = Instant::now() + ANSWER_TAKES;
        let id = cx.query("page");
        let Some((page, version)) = waiting::get(&self.ephemeral, &id, &cx.browser).await? else {
            return Err(AppError::JourneyExpired(None));
        };
        let sent = self.waiting_url(cx, page.client_id.as_deref(), paths(purpose).0, &id);
        if fields.get(names::AFTER).is_some_and(|shown| shown != page.sent_at.0.to_string()) {
            // The second click on a page whose first one has sent the mail.
            return Ok(see_other(&format!("{sent}&resent=1")));
        }
        let again = self.mail_again(cx, purpose, &id, page, version).await?;
        tokio::time::sleep_until(answer_at.into()).await;
        match again {
            Again::Sent => Ok(see_other(&format!("{sent}&resent=1"))),
            Again::TooSoon => self.show_waiting(cx, purpose, FieldErrors::of("", "resend-too-soon")).await,
            Again::LimitReached => self.show_waiting(cx, purpose, FieldErrors::of("", "resend-limit")).await,
        }
    }

    /// The token for which a typed code was good, or the page to show instead.
    pub async fn token_for(
        &self,
        cx: &RequestContext,
        purpose: Purpose,
        typed: &str,
    ) -> Result<String, AppError> {
        let error = match self.type_code(cx, purpose, &cx.query("page"), typed).await? {
            Some(Typed::Token(token)) => return Ok(token),
            Some(Typed::Refused(error)) => error,
            None => return Err(AppError::JourneyExpired(None)),
        };
        let page = self.show_waiting(cx, purpose, FieldErrors::of("code", error)).await?;
        Err(AppError::instead(page))
    }
}
