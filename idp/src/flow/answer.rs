//! The answer to a portal's request: a code or an error, in the response mode that it asked for.

use axum::http::StatusCode;
use axum::response::Response;
use platform::request::RequestContext;
use serde::Serialize;

use crate::app::App;
use crate::http::pages::see_other;
use crate::protocol::authorization::{ResponseMode, ReturnAddress};
use crate::protocol::error::OAuthError;

impl App {
    /// An error, carried back to the client: counted here, for the redirect looks like any other.
    pub fn answer_error(&self, cx: &RequestContext, address: &ReturnAddress, error: OAuthError) -> Response {
        let client = address.client_id();
        self.outcomes.sign_in(&self.registry.portal_of(Some(client)).id, error.error);
        let (error_code, reason) = (error.error, error.reason());
        tracing::info!(client, error = error_code, reason, "a sign-in ends with an error for the portal");
        self.answer(cx, address, &[("error", error.error), ("error_description", error.error_description)])
    }

    /// An authorization response, in the response mode that the client asked for.
    pub fn answer(&self, cx: &RequestContext, address: &ReturnAddress, answer: &[(&str, &str)]) -> Response {
        let parameters = address.parameters(answer, &self.config.issuer);
        match address.response_mode() {
            ResponseMode::Query => see_other(&address.url_with(&parameters)),
            ResponseMode::FormPost => {
                let page = FormPostPage {
                    action: address.redirect_uri().to_owned(),
                    fields: parameters.into_iter().map(|(name, value)| FormField { name, value }).collect(),
                };
                let client_id = Some(address.client_id());
                self.client_page(cx, client_id, StatusCode::OK, "idp/form_post.html", &page)
            }
        }
    }
}

/// `idp/form_post.html` (OAuth 2.0 Form Post Response Mode section 2); a button serves browsers without
/// JavaScript.
#[derive(Clone, Debug, Serialize)]
pub struct FormPostPage {
    pub action: String,
    pub fields: Vec<FormField>,
}

#[derive(Clone, Debug, Serialize)]
pub struct FormField {
    pub name: String,
    pub value: String,
}

impl FormPostPage {
    pub fn sample() -> Self {
        let field = FormField { name: "code".into(), value: "abc".into() };
        Self { action: "https://portal.example/callback".into(), fields: vec![field] }
    }
}
