//! Pages for when it does not go on: what is wrong, and what to do, in the visitor's language.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use web::kept;
use web::request::Visit;

use crate::app::{App, Trouble, retry_after};
use crate::path;

/// `idp/message.html`.
#[derive(Clone, Debug, Serialize)]
pub struct MessagePage {
    pub title: String,
    pub text: String,
    pub link_url: String,
    pub link_label: String,
}

impl MessagePage {
    pub fn sample() -> Self {
        Self::new("journey-expired", "/", "start-again")
    }

    fn new(name: &str, link_url: &str, link_label: &str) -> Self {
        Self {
            title: format!("{name}-title"),
            text: format!("{name}-text"),
            link_url: link_url.to_owned(),
            link_label: link_label.to_owned(),
        }
    }
}

/// `idp/error.html`: a portal's request that may not be answered by a redirect.
#[derive(Clone, Debug, Serialize)]
pub struct ErrorPage {
    pub title: &'static str,
    pub text: &'static str,
    /// For the portal's developer, in English.
    pub detail: String,
    pub request_id: String,
    pub link_url: Option<String>,
}

impl ErrorPage {
    pub fn sample() -> Self {
        Self {
            title: "error-request-title",
            text: "error-request-text",
            detail: "redirect_uri is not registered".into(),
            request_id: "P_jtDsxVtO5kTwSkd6PHBg".into(),
            link_url: None,
        }
    }
}

/// A visit to the page that stands for a target which answers to POST alone, so that the other language is one click
/// away there too.
fn in_place(visit: &Visit) -> Visit {
    let page = match visit.uri.path() {
        path::SIGNIN_RESEND => path::SIGNIN_CODE,
        path::SIGNIN_CANCEL => path::SIGNIN,
        path::REGISTER_RESEND => path::REGISTER_SENT,
        path::FORGOT_RESEND => path::FORGOT_SENT,
        path::ACCOUNT_EMAIL_RESEND => path::ACCOUNT_EMAIL_SENT,
        path::ACCOUNT_PHONE_RESEND => path::ACCOUNT_PHONE_CODE,
        path::DESK_SEARCH => path::DESK,
        kept::ROUTE => path::HOME,
        path::ACCOUNT_FORGET_DEVICE
        | path::ACCOUNT_END_SESSION
        | path::ACCOUNT_SIGN_OUT
        | path::SESSION_EXTEND => path::ACCOUNT,
        other => other,
    };
    visit.at(&format!("{page}?{}", visit.uri.query().unwrap_or_default()))
}

impl App {
    fn message(
        &self,
        visit: &Visit,
        client_id: Option<&str>,
        status: StatusCode,
        name: &'static str,
    ) -> Response {
        self.outcomes.error_page(name);
        let start = self.portal_for(visit, client_id).url.clone();
        let link = if start.is_empty() { "/" } else { &start };
        self.page(
            &in_place(visit),
            client_id,
            status,
            "idp/message.html",
            &MessagePage::new(name, link, "start-again"),
        )
    }

    /// A sign-in that is over, or of another browser: start again.
    pub fn journey_expired(&self, visit: &Visit, client_id: Option<&str>) -> Response {
        self.message(visit, client_id, StatusCode::GONE, "journey-expired")
    }

    /// A mailed link that was used or is too old.
    pub fn link_invalid(&self, visit: &Visit) -> Response {
        self.message(visit, None, StatusCode::GONE, "link-invalid")
    }

    /// The holder deleted the account.
    pub fn account_deleted(&self, visit: &Visit) -> Response {
        // There is nothing to start again with.
        let page = MessagePage::new("deleted", "", "start-again");
        self.page(visit, None, StatusCode::OK, "idp/message.html", &page)
    }

    /// Nothing stands at this URL.
    pub fn not_found(&self, visit: &Visit) -> Response {
        self.message(visit, None, StatusCode::NOT_FOUND, "not-found")
    }

    /// The desk, to somebody who does not work there.
    pub fn no_desk(&self, visit: &Visit) -> Response {
        let page = MessagePage::new("no-desk", path::ACCOUNT, "home-account");
        self.page(visit, None, StatusCode::FORBIDDEN, "idp/message.html", &page)
    }

    /// What somebody at the desk may do in a day has been done.
    pub fn desk_limit(&self, visit: &Visit) -> Response {
        let page = MessagePage::new("desk-limit", path::DESK, "desk-back");
        let page = self.page(visit, None, StatusCode::TOO_MANY_REQUESTS, "idp/message.html", &page);
        retry_after(page, Duration::from_hours(24))
    }

    /// A URL that answers to forms alone, opened in a browser.
    pub fn wrong_method(&self, visit: &Visit) -> Response {
        self.message(visit, None, StatusCode::METHOD_NOT_ALLOWED, "not-found")
    }

    /// A page in the place of an answer that has none.
    pub fn bare(&self, visit: &Visit, status: StatusCode) -> Response {
        let name = if status == StatusCode::NOT_FOUND || status == StatusCode::METHOD_NOT_ALLOWED {
            "not-found"
        } else {
            "bad-form"
        };
        self.message(visit, None, status, name)
    }

    /// Too many requests.
    pub fn too_many(&self, visit: &Visit, wait: Duration) -> Response {
        retry_after(self.message(visit, None, StatusCode::TOO_MANY_REQUESTS, "too-many"), wait)
    }

    /// A form that no page of ours in this browser showed: too old, or from elsewhere.
    pub fn page_too_old(&self, visit: &Visit) -> Response {
        self.message(visit, None, StatusCode::FORBIDDEN, "page-too-old")
    }

    /// A browser that keeps no cookies: what they are for, and how to go on.
    pub fn cookies_off(&self, visit: &Visit) -> Response {
        self.message(visit, None, StatusCode::FORBIDDEN, "cookies-off")
    }

    /// A form whose parameters are not text.
    pub fn bad_form(&self, visit: &Visit) -> Response {
        self.message(visit, None, StatusCode::BAD_REQUEST, "bad-form")
    }

    /// A portal's request that must not be answered by a redirect.
    pub fn bad_request(&self, visit: &Visit, client_id: Option<&str>, detail: &str) -> Response {
        self.outcomes.error_page("bad-request");
        tracing::warn!(client = client_id, reason = detail, "a portal's request is refused");
        let page = ErrorPage {
            title: "error-request-title",
            text: "error-request-text",
            detail: detail.to_owned(),
            request_id: visit.request_id.clone(),
            link_url: None,
        };
        self.page(visit, client_id, StatusCode::BAD_REQUEST, "idp/error.html", &page)
    }

    /// Something of ours failed; it is logged here, once. What the person was doing goes on where it was.
    pub fn trouble(&self, visit: &Visit, trouble: &Trouble) -> Response {
        self.note("a request", trouble);
        if let Trouble::Full(wait) = trouble {
            return self.too_many(visit, *wait);
        }
        let (status, name) = match trouble {
            Trouble::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "server-error"),
        };
        self.outcomes.error_page(name);
        let here = in_place(visit);
        let page = MessagePage::new(name, &here.uri.to_string(), "try-again");
        let page = self.page(&here, None, status, "idp/message.html", &page);
        if name == "busy" { retry_after(page, Duration::from_secs(5)) } else { page }
    }
}
