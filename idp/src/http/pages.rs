//! Answers that more than one room gives: redirects, pages whose form may end elsewhere, and a portal's request that may
//! not be answered by a redirect.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use platform::headers::Forms;
use platform::look::Look;
use platform::request::RequestContext;
use serde::Serialize;

use super::names;
use crate::app::App;
use crate::config::Portal;

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
    /// The portal that a request belongs to: the client's; where nobody knows the client any more, the one that the URL
    /// names; else the first one.
    pub fn portal_for(&self, cx: &RequestContext, client_id: Option<&str>) -> &Arc<Portal> {
        if client_id.is_some() {
            return self.registry.portal_of(client_id);
        }
        let named = named_in(cx, names::PORTAL);
        let named = named.and_then(|id| self.registry.portal(&id));
        named.unwrap_or_else(|| {
            let client_id = named_in(cx, "client_id").filter(|id| self.registry.client(id).is_some());
            self.registry.portal_of(client_id.as_deref())
        })
    }

    /// How URLs name a portal; empty for the first one, whose look is there without.
    pub fn portal_mark<'a>(&self, portal: &'a Portal) -> &'a str {
        if portal.id == self.registry.portal_of(None).id { "" } else { &portal.id }
    }

    /// A URL of ours that keeps the look of the portal also when nobody knows any more what it was for.
    pub fn url_at(&self, portal: &Portal, url: &str) -> String {
        let mark = self.portal_mark(portal);
        if mark.is_empty() {
            return url.to_owned();
        }
        format!("{url}{}{}={mark}", if url.contains('?') { '&' } else { '?' }, names::PORTAL)
    }

    /// What pages look like for who came from a portal; the first portal's, if no client led here.
    pub fn look(&self, client_id: Option<&str>) -> Look<'_> {
        self.registry.portal_of(client_id).look()
    }

    /// A page of this server.
    pub fn page(
        &self,
        cx: &RequestContext,
        client_id: Option<&str>,
        status: StatusCode,
        template: &str,
        page: &impl Serialize,
    ) -> Response {
        let look = self.portal_for(cx, client_id).look();
        self.pages.respond(cx, look, status, template, page, Forms::Here)
    }

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

/// A parameter of the URL, also of one that is refused because of another parameter.
fn named_in(cx: &RequestContext, name: &str) -> Option<String> {
    let mut query = url::form_urlencoded::parse(cx.uri.query()?.as_bytes());
    query.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// Adds `Retry-After`, in seconds (RFC 9110 section 10.2.3).
pub fn retry_after(mut response: Response, wait: Duration) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    response
}
