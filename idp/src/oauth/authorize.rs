//! `/authorize` (OpenID Connect Core section 3.1.2): GET and POST, from any site, as often as the flood guard
//! lets. Faults that may not be redirected are shown here; everything else begins a journey.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use platform::request::{Fields, RequestContext};

use super::{oxide, request};
use crate::app::room;
use crate::app::{App, ServiceError, Shared};
use crate::config::RegisteredClient;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::{AppError, Caller};
use crate::protocol::authorization::{Arrival, AuthorizationRequest, NoReturn, ReturnAddress};
use crate::protocol::error::{INVALID_REQUEST_URI, OAuthError, SERVER_ERROR, TOO_LARGE};
use crate::protocol::jose;
use crate::store::ephemeral::pushed;

/// `GET /authorize`
pub async fn get(State(app): State<Shared>, Caller(cx): Caller) -> Result<Response, AppError> {
    let query = cx.uri.query().unwrap_or_default().as_bytes().to_vec();
    handle(&app, &cx, &query).await
}

/// A form of a portal's, which means what the same parameters in a URL mean: the look of an error page and the way to
/// the other language are found there. Written anew: a body may hold what a URL cannot, and our token stays out of it.
pub fn as_get(cx: &RequestContext, path: &str, body: &[u8]) -> RequestContext {
    let pairs = url::form_urlencoded::parse(body).filter(|(name, _)| name != platform::csrf::FIELD);
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    cx.at(&format!("{path}?{query}"))
}

/// `POST /authorize`, a form of the client's: no CSRF token, and no cookie that is not sent cross-site.
pub async fn post(State(app): State<Shared>, Caller(cx): Caller, body: Bytes) -> Result<Response, AppError> {
    let cx = as_get(&cx, paths::AUTHORIZE, &body);
    if cx.browser_is_new && Fields::parse(&body).is_ok() {
        // Cookies do not come along with a form from another site; with a redirect to ourselves they do.
        return Ok(see_other(&cx.uri.to_string()));
    }
    handle(&app, &cx, &body).await
}

async fn handle(app: &Shared, cx: &RequestContext, parameters: &[u8]) -> Result<Response, AppError> {
    app.flood.check(cx.address).map_err(AppError::TooMany)?;
    let fields = match Fields::parse(parameters) {
        Ok(fields) => fields,
        Err(error) => return Ok(app.bad_request(cx, None, &error.to_string())),
    };
    let Some(registered) = app.known_client(fields.get("client_id").unwrap_or_default()).await? else {
        return Ok(app.bad_request(cx, None, &NoReturn::UnknownClient.to_string()));
    };
    let client_id = registered.client.client_id.as_str();
    if let Some(request_uri) = fields.get("request_uri").filter(|uri| uri.starts_with(pushed::PREFIX)) {
        // RFC 9126 section 4: what was pushed counts, and nothing beside it.
        return match pushed::find(&app.ephemeral, client_id, request_uri).await? {
            Some(request) => begin_or_answer(app, cx, &registered, request).await,
            None => Ok(app.bad_request(cx, Some(client_id), &INVALID_REQUEST_URI.to_string())),
        };
    }
    match read(app, &registered, fields).await {
        Ok(request) => begin_or_answer(app, cx, &registered, request).await,
        Err((Some(address), error)) => Ok(app.answer_error(cx, &address, error)),
        Err((None, error)) => Ok(app.bad_request(cx, Some(client_id), &error.to_string())),
    }
}

/// Reads a request that the browser carried here. An error comes with where to tell it, if anywhere.
async fn read(
    app: &App,
    registered: &RegisteredClient,
    fields: Fields,
) -> Result<AuthorizationRequest, (Option<ReturnAddress>, OAuthError)> {
    let client = &registered.client;
    let outer = ReturnAddress::of(&fields, client).ok();
    if fields.get("request_uri").is_some() {
        let error = OAuthError::new("request_uri_not_supported", "only request URIs of /par are supported");
        return Err((outer, error));
    }
    let (fields, signed) = request::open(app, registered, fields).await.map_err(|error| (outer, error))?;
    oxide::read(&fields, client, Arrival { pushed: false, signed })
}

async fn begin_or_answer(
    app: &Shared,
    cx: &RequestContext,
    registered: &RegisteredClient,
    request: AuthorizationRequest,
) -> Result<Response, AppError> {
    let address = request.return_address.clone();
    let request = match prepare(app, registered, request) {
        Ok(request) => request,
        Err(error) => return Ok(app.answer_error(cx, &address, error)),
    };
    match begin(app, cx, request).await {
        Err(AppError::Failed(trouble)) if !matches!(trouble, ServiceError::Full(_)) => {
            app.note("an authorization request", &trouble);
            Ok(app.answer_error(cx, &address, SERVER_ERROR))
        }
        answer => answer,
    }
}

/// The request with whom it expects, if it can be kept.
fn prepare(
    app: &App,
    registered: &RegisteredClient,
    mut request: AuthorizationRequest,
) -> Result<AuthorizationRequest, OAuthError> {
    if let Some(hint) = &request.id_token_hint {
        request.expected_subject = Some(hinted_subject(app, registered, hint)?);
    } else if let Some(wish) = request.claims.in_id_token("sub") {
        // OpenID Connect Core section 5.5.1: the person with that subject, or nobody.
        request.expected_subject = wish.texts().into_iter().next();
    }
    if room::fits(&request) { Ok(request) } else { Err(TOO_LARGE) }
}

async fn begin(
    app: &Shared,
    cx: &RequestContext,
    request: AuthorizationRequest,
) -> Result<Response, AppError> {
    let locales = request.ui_locales.clone().unwrap_or_default();
    let open = app.begin_journey(cx, Some(request), None).await?;
    let mut response = app.resume(cx, open).await?;
    if let (false, Some(language)) = (cx.language_chosen, platform::language::Language::first_of(&locales)) {
        let line = cx.front.cookies.set(platform::request::LANGUAGE_COOKIE, language.tag(), None);
        platform::request::append(&mut response, line);
    }
    Ok(response)
}

/// The subject of an `id_token_hint`: any ID token of ours for this client, also one that has expired.
fn hinted_subject(app: &App, registered: &RegisteredClient, hint: &str) -> Result<String, OAuthError> {
    let refused =
        OAuthError::new("invalid_request", "id_token_hint is not an ID token of this issuer for you");
    let claims = app.keys.verify_id_token(hint).map_err(|_| refused)?;
    let claims = claims.as_object().ok_or(refused)?;
    if !jose::is_for(claims, &[&registered.client.client_id]) {
        return Err(refused);
    }
    jose::text(claims, "sub").map(str::to_owned).ok_or(refused)
}
