//! `/authorize` (OpenID Connect Core section 3.1.2): GET and POST, from any site, as often as the flood guard
//! lets. Faults that may not be redirected are shown here; everything else begins a journey.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde_json::Value;
use web::request::{Fields, Visit};

use super::oxide;
use super::resume::see_other;
use crate::app::{Shared, Trouble};
use crate::domain::account::SubjectId;
use crate::path;
use crate::protocol::authorization::{self, NoReturn, ReturnAddress};
use crate::protocol::error::{LOGIN_REQUIRED, SERVER_ERROR, WireError};
use crate::protocol::token::ID_TOKEN_TYPE;

/// `GET /authorize`
pub async fn get(State(app): State<Shared>, Extension(visit): Extension<Visit>) -> Response {
    let query = visit.uri.query().unwrap_or_default().as_bytes().to_vec();
    handle(&app, &visit, &query).await
}

/// `POST /authorize`, a form of the client's: no CSRF token, and no cookie that is not sent cross-site.
pub async fn post(State(app): State<Shared>, Extension(visit): Extension<Visit>, body: Bytes) -> Response {
    if visit.browser_is_new && Fields::parse(&body).is_ok() {
        // Cookies do not come along with a form from another site; with a redirect to ourselves they do.
        return see_other(&format!("{}?{}", path::AUTHORIZE, String::from_utf8_lossy(&body)));
    }
    handle(&app, &visit, &body).await
}

async fn handle(app: &Shared, visit: &Visit, parameters: &[u8]) -> Response {
    if let Err(wait) = app.flood.check(visit.address) {
        return app.too_many(visit, wait);
    }
    let fields = match Fields::parse(parameters) {
        Ok(fields) => fields,
        Err(error) => return app.bad_request(visit, &error.to_string()),
    };
    let registered = fields.get("client_id").and_then(|id| app.registry.client(id)).cloned();
    let Some(registered) = registered else {
        return app.bad_request(visit, &NoReturn::UnknownClient.to_string());
    };
    let address = match ReturnAddress::of(&fields, &registered.client) {
        Ok(address) => address,
        Err(error) => return app.bad_request(visit, &error.to_string()),
    };
    let request =
        authorization::read(&fields, &registered.client, address.clone()).and_then(|mut request| {
            request.scope = oxide::negotiate(&fields, &registered.client, address.redirect_uri())?;
            Ok(request)
        });
    match request {
        Ok(request) => match begin(app, visit, request).await {
            Ok(response) => response,
            Err(Refusal::Wire(error)) => app.answer_error(visit, &address, error),
            Err(Refusal::Trouble(trouble)) => {
                tracing::error!(error = %trouble, "an authorization request failed");
                app.answer_error(visit, &address, SERVER_ERROR)
            }
        },
        Err(error) => app.answer_error(visit, &address, error),
    }
}

enum Refusal {
    Wire(WireError),
    Trouble(Trouble),
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

async fn begin(
    app: &Shared,
    visit: &Visit,
    request: authorization::AuthorizationRequest,
) -> Result<Response, Refusal> {
    let hinted = request.id_token_hint.as_deref().map(|hint| hinted_subject(app, hint)).transpose()?;
    let open = app.begin_journey(visit, Some(request), None).await?;
    if let (Some(subject), Some(account_id)) = (hinted, &open.journey.account_id) {
        // OpenID Connect Core section 3.1.2.1: the hint names who is expected; somebody else is not it.
        let signed_in = app.store.account(account_id).await.map_err(Trouble::from)?;
        if signed_in.is_none_or(|account| account.subject != subject) {
            return Err(Refusal::Wire(LOGIN_REQUIRED));
        }
    }
    let mut response = app.resume(visit, open).await?;
    let locales = visit.query("ui_locales");
    if let (false, Some(language)) = (visit.language_chosen, web::language::Language::first_of(&locales)) {
        let line = visit.front.cookies.set(web::request::LANGUAGE_COOKIE, language.tag(), None);
        web::request::append(&mut response, line);
    }
    Ok(response)
}

/// The subject of an `id_token_hint`: any ID token of ours, also one that has expired.
fn hinted_subject(app: &Shared, hint: &str) -> Result<SubjectId, Refusal> {
    let refused =
        Refusal::Wire(WireError::new("invalid_request", "id_token_hint is not an ID token of this issuer"));
    let Ok(claims) = app.keys.verify_jwt(hint, ID_TOKEN_TYPE) else { return Err(refused) };
    match claims.get("sub").and_then(Value::as_str) {
        Some(subject) => Ok(SubjectId(subject.to_owned())),
        None => Err(refused),
    }
}
