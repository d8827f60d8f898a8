//! `/clients`: dynamic registration (RFC 7591) and its management (RFC 7592). Off unless the configuration has it
//! on; then for whoever holds an initial access token, and after that each client for itself.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use platform::request::RequestContext;
use platform::seal::sha256;
use serde_json::{Map, Value, json};

use super::refusal::{self, no_store};
use crate::app::{App, ServiceError, Shared};
use crate::config::{Client, TokenEndpointAuthMethod, is_client_uri};
use crate::http::paths;
use crate::protocol::error::{INVALID_TOKEN, SERVER_ERROR};
use crate::protocol::registration::{ClientMetadata, as_data_uri};
use crate::protocol::token::{Scheme, presented_token};
use crate::store::clients::ClientRow;

enum EndpointError {
    /// The registration is off, or there is no such client; it is not told which.
    NotThere,
    Token,
    /// RFC 7591 section 3.2.2.
    Metadata(&'static str, String),
    ServiceError(ServiceError),
}

impl<E: Into<ServiceError>> From<E> for EndpointError {
    fn from(error: E) -> Self {
        Self::ServiceError(error.into())
    }
}

fn metadata(description: impl Into<String>) -> EndpointError {
    EndpointError::Metadata("invalid_client_metadata", description.into())
}

impl EndpointError {
    /// The error's code, and why it is: what the log says. Nothing for what is our own trouble.
    fn reason(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::NotThere => Some(("not_found", "registration.enabled is off")),
            Self::Token => Some((INVALID_TOKEN.error, "the token is missing, used up, or not this client's")),
            // What quotes the body stands in the answer alone: there may be people's addresses in it.
            Self::Metadata(error, description) if description.contains(['"', '`']) => {
                Some((error, "a key is unknown or its value cannot be; the answer says which"))
            }
            Self::Metadata(error, description) => Some((error, description)),
            Self::ServiceError(_) => None,
        }
    }

    /// The answer; of a refused request the log says why.
    fn into_response(self, app: &App, client_id: &str) -> Response {
        if let Some((error, reason)) = self.reason() {
            refusal::refused(app, "registration", client_id, error, reason);
        }
        match self {
            Self::NotThere => StatusCode::NOT_FOUND.into_response(),
            Self::Token => {
                let mut response = (StatusCode::UNAUTHORIZED, axum::Json(INVALID_TOKEN)).into_response();
                let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
                response
            }
            Self::Metadata(error, description) => {
                let body = json!({ "error": error, "error_description": description });
                (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
            }
            Self::ServiceError(trouble) => {
                app.note("a client registration", &trouble);
                (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(SERVER_ERROR)).into_response()
            }
        }
    }
}

fn answer(
    app: &App,
    client_id: &str,
    result: Result<(StatusCode, Option<Value>), EndpointError>,
) -> Response {
    no_store(match result {
        Ok((status, Some(body))) => (status, axum::Json(body)).into_response(),
        Ok((status, None)) => status.into_response(),
        Err(refusal) => refusal.into_response(app, client_id),
    })
}

/// `POST /clients`: whoever holds an initial access token, as often as that says.
pub async fn register(
    State(app): State<Shared>,
    Extension(cx): Extension<RequestContext>,
    body: Bytes,
) -> Response {
    answer(&app, "", add(&app, &cx.headers, &body).await)
}

/// `GET /clients/{client_id}`: the client itself.
pub async fn read(
    State(app): State<Shared>,
    Extension(cx): Extension<RequestContext>,
    Path(client_id): Path<String>,
) -> Response {
    answer(
        &app,
        &client_id,
        async {
            let row = own(&app, &cx.headers, &client_id).await?;
            Ok((StatusCode::OK, Some(described(&app, &row, None, None))))
        }
        .await,
    )
}

/// `PUT /clients/{client_id}`: the client itself.
pub async fn replace(
    State(app): State<Shared>,
    Extension(cx): Extension<RequestContext>,
    Path(client_id): Path<String>,
    body: Bytes,
) -> Response {
    answer(&app, &client_id, change(&app, &cx.headers, &client_id, &body).await)
}

/// `DELETE /clients/{client_id}`: the client itself; what was granted to it ends.
pub async fn remove(
    State(app): State<Shared>,
    Extension(cx): Extension<RequestContext>,
    Path(client_id): Path<String>,
) -> Response {
    answer(
        &app,
        &client_id,
        async {
            own(&app, &cx.headers, &client_id).await?;
            app.store.remove_client(&client_id).await?;
            tracing::info!(client_id, "a client removed itself");
            Ok((StatusCode::NO_CONTENT, None))
        }
        .await,
    )
}

fn bearer(app: &App, headers: &HeaderMap) -> Result<String, EndpointError> {
    if !app.config.registration.enabled {
        return Err(EndpointError::NotThere);
    }
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    match header.and_then(presented_token) {
        Some((Scheme::Bearer, token)) => Ok(token.to_owned()),
        _ => Err(EndpointError::Token),
    }
}

/// The client whose registration access token this is.
async fn own(app: &App, headers: &HeaderMap, client_id: &str) -> Result<ClientRow, EndpointError> {
    let token = bearer(app, headers)?;
    // RFC 7592 section 2.1: a client that is not there answers like a wrong token.
    let row = app.store.registered_client(client_id).await?.ok_or(EndpointError::Token)?;
    if platform::seal::same(&row.token_hash, &sha256(&token)) { Ok(row) } else { Err(EndpointError::Token) }
}

async fn add(
    app: &App,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(StatusCode, Option<Value>), EndpointError> {
    let initial = bearer(app, headers)?;
    if !app.store.is_initial_token(&initial).await? {
        return Err(EndpointError::Token);
    }
    let (client, logo_uri) = checked(app, body, app.random.id()).await?;
    let (secret, secret_hash) = fresh_secret(app, &client);
    let token = app.random.token();
    let row = ClientRow { client, logo_uri, secret_hash, token_hash: sha256(&token) };
    let logo = logo_of(app, &row).await;
    // Before it is kept: nothing may go wrong between that and its answer.
    app.note_asked_by(&row.client).await?;
    if !app.store.register_client(&initial, &row, logo.as_deref()).await? {
        return Err(EndpointError::Token);
    }
    tracing::info!(client_id = row.client.client_id, "a client registered itself");
    let body = described(app, &row, secret.as_deref(), Some(&token));
    Ok((StatusCode::CREATED, Some(body)))
}

async fn change(
    app: &App,
    headers: &HeaderMap,
    client_id: &str,
    body: &[u8],
) -> Result<(StatusCode, Option<Value>), EndpointError> {
    let row = own(app, headers, client_id).await?;
    let sent: Value = serde_json::from_slice(body).map_err(|_| metadata("the body is not JSON"))?;
    if sent["client_id"].as_str() != Some(client_id) {
        return Err(metadata("client_id is missing or another (RFC 7592 section 2.2)"));
    }
    if let Some(secret) = sent.get("client_secret") {
        let is_own = secret.as_str().zip(row.secret_hash.as_deref());
        if !is_own.is_some_and(|(secret, hash)| platform::seal::same(hash, &sha256(secret))) {
            return Err(metadata("client_secret is not this client's; leave it out"));
        }
    }
    let (client, logo_uri) = checked(app, body, client_id.to_owned()).await?;
    let (secret, secret_hash) = match (needs_secret(&client), &row.secret_hash) {
        (true, Some(kept)) => (None, Some(kept.clone())),
        _ => fresh_secret(app, &client),
    };
    let row = ClientRow { client, logo_uri, secret_hash, token_hash: row.token_hash };
    let logo = logo_of(app, &row).await;
    app.note_asked_by(&row.client).await?;
    if !app.store.update_client(&row, logo.as_deref()).await? {
        return Err(EndpointError::Token);
    }
    Ok((StatusCode::OK, Some(described(app, &row, secret.as_deref(), None))))
}

fn needs_secret(client: &Client) -> bool {
    use TokenEndpointAuthMethod as Method;
    matches!(client.token_endpoint_auth_method, Method::ClientSecretBasic | Method::ClientSecretPost)
}

fn fresh_secret(app: &App, client: &Client) -> (Option<String>, Option<String>) {
    let secret = needs_secret(client).then(|| app.random.token());
    let hash = secret.as_deref().map(sha256);
    (secret, hash)
}

/// The settings that the metadata come to, by the rules that hold for clients of the configuration too; and where the
/// logo lies.
async fn checked(
    app: &App,
    body: &[u8],
    client_id: String,
) -> Result<(Client, Option<String>), EndpointError> {
    // An object and nothing else: a list of values would pass for one.
    let sent: Map<String, Value> =
        serde_json::from_slice(body).map_err(|error| metadata(error.to_string()))?;
    let sent: ClientMetadata =
        serde_json::from_value(Value::Object(sent)).map_err(|error| metadata(error.to_string()))?;
    let logo_uri = sent.logo_uri.clone();
    let client = sent.into_client(client_id, app.config.registration.require_pkce).map_err(metadata)?;
    if logo_uri.as_ref().is_some_and(|uri| !is_client_uri(uri) || !may_be_fetched(app, uri)) {
        return Err(metadata("logo_uri: it must be an absolute URI that starts with https://"));
    }
    app.config.check_registered(&client).map_err(|(key, advice)| {
        let is_redirect = key.contains("redirect_uris") && !key.contains("post_logout");
        let error = if is_redirect { "invalid_redirect_uri" } else { "invalid_client_metadata" };
        EndpointError::Metadata(error, format!("{key}: {advice}"))
    })?;
    if let Some(uri) = &client.sector_identifier_uri {
        check_sector(app, uri, &client).await?;
    }
    Ok((client, logo_uri))
}

/// Strangers' addresses on this machine itself are for development alone.
fn may_be_fetched(app: &App, uri: &str) -> bool {
    uri.starts_with("https://") || app.config.dev.is_on()
}

/// The client's logo, read once and kept: nobody's browser asks the client's server for it. A registration does not
/// fail for a picture; the log says why there is none.
async fn logo_of(app: &App, row: &ClientRow) -> Option<String> {
    let uri = row.logo_uri.as_ref()?;
    let read = app.client_keys.fetch(uri).await.and_then(|picture| as_data_uri(&picture));
    let client_id = row.client.client_id.as_str();
    read.inspect_err(|&error| tracing::warn!(client_id, error, "the logo of a client cannot be shown")).ok()
}

/// OpenID Connect Dynamic Client Registration 1.0 section 5: the document names every redirect URI.
async fn check_sector(app: &App, uri: &str, client: &Client) -> Result<(), EndpointError> {
    let refused = || metadata("sector_identifier_uri: its document does not name every redirect URI");
    if !may_be_fetched(app, uri) {
        return Err(metadata("sector_identifier_uri: it must start with https://"));
    }
    let named: Vec<String> = app.client_keys.fetch_json(uri).await.map_err(|_| refused())?;
    if client.redirect_uris.iter().all(|uri| named.contains(uri)) { Ok(()) } else { Err(refused()) }
}

fn described(app: &App, row: &ClientRow, secret: Option<&str>, token: Option<&str>) -> Value {
    let client = &row.client;
    let mut body = serde_json::to_value(ClientMetadata::of(client, row.logo_uri.clone())).unwrap_or_default();
    if let Some(members) = body.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    body["client_id"] = json!(client.client_id);
    body["registration_client_uri"] = json!(format!("{}/{}", app.url(paths::CLIENTS), client.client_id));
    if let Some(secret) = secret {
        body["client_secret"] = json!(secret);
        // RFC 7591 section 3.2.1: it does not expire.
        body["client_secret_expires_at"] = json!(0);
    }
    if let Some(token) = token {
        body["registration_access_token"] = json!(token);
        body["client_id_issued_at"] = json!(app.clock.now().seconds());
    }
    body
}
