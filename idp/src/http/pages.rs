//! Answers that more than one room gives: redirects, pages whose form may end elsewhere, and a portal's request that may
//! not be answered by a redirect.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use platform::headers::Forms;
use platform::request::RequestContext;
use serde::Serialize;

use crate::app::App;

/// A response that sends the browser on with GET (RFC 9110 section 15.4.4; SECURITY: never 302 after a form).
pub fn see_other(location: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, location.to_owned())]).into_response()
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

impl App {
    /// A page whose form may end at a portal after redirects, where the person comes from one.
    pub fn client_page(
        &self,
        cx: &RequestContext,
        client_id: Option<&str>,
        status: StatusCode,
        template: &str,
        page: &impl Serialize,
    ) -> Response {
        let forms = if client_id.is_some() { Forms::Anywhere } else { Forms::Here };
        let look = self.portal_for(cx, client_id).look();
        self.pages.respond(cx, look, status, template, page, forms)
    }

    /// A portal's request that must not be answered by a redirect.
    pub fn bad_request(&self, cx: &RequestContext, client_id: Option<&str>, detail: &str) -> Response {
        self.outcomes.error_page("bad-request");
        tracing::warn!(client = client_id, reason = detail, "a portal's request is refused");
        let page = ErrorPage {
            title: "error-request-title",
            text: "error-request-text",
            detail: detail.to_owned(),
            request_id: cx.request_id.clone(),
            link_url: None,
        };
        self.page(cx, client_id, StatusCode::BAD_REQUEST, "idp/error.html", &page)
    }
}
