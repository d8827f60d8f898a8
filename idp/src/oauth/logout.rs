//! `/logout` (OpenID Connect RP-Initiated Logout 1.0) and the logout tokens that tell every portal of a
//! session (OpenID Connect Back-Channel Logout 1.0).

use std::collections::BTreeSet;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};
use web::db::Write;
use web::request::{Fields, Visit, append};

use super::resume::{FormField, see_other};
use crate::app::{App, Shared, Trouble};
use crate::delivery::Message;
use crate::domain::account::AccountId;
use crate::path;
use crate::store::audit::Event;

/// `idp/logout.html`: a question, because nobody proved that the person asked for this.
#[derive(Clone, Debug, Serialize)]
pub struct LogoutPage {
    pub action: &'static str,
    pub portal_name: Option<String>,
    pub fields: Vec<FormField>,
    pub stay_url: String,
}

/// `idp/logged_out.html`
#[derive(Clone, Debug, Serialize)]
pub struct LoggedOutPage {
    pub portal_url: Option<String>,
    pub portal_name: String,
}

impl LogoutPage {
    pub fn sample() -> Self {
        Self {
            action: path::LOGOUT,
            portal_name: Some("Portaal".into()),
            fields: Vec::new(),
            stay_url: "/".into(),
        }
    }
}

impl LoggedOutPage {
    pub fn sample() -> Self {
        Self { portal_url: Some("https://portal.example/".into()), portal_name: "Portaal".into() }
    }
}

/// `GET /logout`
pub async fn get(State(app): State<Shared>, Extension(visit): Extension<Visit>) -> Response {
    let query = visit.uri.query().unwrap_or_default().as_bytes().to_vec();
    handle(&app, &visit, &query, false).await
}

/// `POST /logout`: from a portal, like GET; or from our own question, with its CSRF token.
pub async fn post(State(app): State<Shared>, Extension(visit): Extension<Visit>, body: Bytes) -> Response {
    handle(&app, &visit, &body, true).await
}

async fn handle(app: &Shared, visit: &Visit, parameters: &[u8], is_post: bool) -> Response {
    let fields = match Fields::parse(parameters) {
        Ok(fields) => fields,
        Err(error) => return app.bad_request(visit, None, &error.to_string()),
    };
    let answered = is_post && fields.get(web::csrf::FIELD).is_some() && visit.csrf_accepts(&fields);
    match logout(app, visit, &fields, answered).await {
        Ok(response) => response,
        Err(trouble) => app.trouble(visit, &trouble),
    }
}

/// What the hint proves: which client, which session.
struct Hint {
    client_id: String,
    session_id: String,
}

fn read_hint(app: &App, fields: &Fields) -> Option<Hint> {
    // An expired ID token is a good hint (RP-Initiated Logout 1.0 section 4); another issuer's is none.
    let claims = app.keys.verify_id_token(fields.get("id_token_hint")?).ok()?;
    let audience = match claims.get("aud")? {
        Value::Array(list) => list.first()?.as_str()?.to_owned(),
        value => value.as_str()?.to_owned(),
    };
    if fields.get("client_id").is_some_and(|client_id| client_id != audience) {
        return None;
    }
    Some(Hint { client_id: audience, session_id: claims.get("sid")?.as_str()?.to_owned() })
}

async fn logout(app: &Shared, visit: &Visit, fields: &Fields, answered: bool) -> Result<Response, Trouble> {
    let session = app.session_of(visit).await?;
    let hint = read_hint(app, fields);
    let client_id = hint.as_ref().map(|hint| hint.client_id.clone());
    let client = match &client_id {
        Some(id) => app.client(id).await?,
        None => None,
    };
    let asked_uri = fields.get("post_logout_redirect_uri");
    let return_uri = client.as_ref().and_then(|client| {
        client.client.post_logout_redirect_uris.iter().find(|uri| Some(uri.as_str()) == asked_uri).cloned()
    });
    let is_own = match (&hint, &session) {
        (Some(hint), Some(session)) => hint.session_id == session.id,
        (Some(_), None) => true,
        (None, _) => false,
    };
    let has_bad_return = asked_uri.is_some() && return_uri.is_none();
    if !answered && (!is_own || has_bad_return) && session.is_some() {
        let portal = app.registry.portal_of(client_id.as_deref());
        // What the portal asked for goes along only as far as it was proved.
        let page = LogoutPage {
            action: path::LOGOUT,
            portal_name: client.as_ref().map(|_| portal.brand.name.clone()),
            fields: Vec::new(),
            stay_url: if portal.url.is_empty() { path::ACCOUNT.to_owned() } else { portal.url.clone() },
        };
        return Ok(app.page(visit, client_id.as_deref(), StatusCode::OK, "idp/logout.html", &page));
    }
    let hinted = hint.filter(|_| is_own).map(|hint| hint.session_id);
    let ended: BTreeSet<String> = hinted.into_iter().chain(session.map(|session| session.id)).collect();
    let mut write = app.store.begin_write().await?;
    for id in &ended {
        end_session(app, &mut write, id).await?;
    }
    write.commit().await?;
    app.delivery.wake();
    let mut response = if let Some(uri) = return_uri {
        see_other(&with_state(&uri, fields.get("state")))
    } else {
        let portal = app.registry.portal_of(client_id.as_deref());
        let page = LoggedOutPage {
            portal_url: (!portal.url.is_empty()).then(|| portal.url.clone()),
            portal_name: portal.brand.name.clone(),
        };
        app.page(visit, client_id.as_deref(), StatusCode::OK, "idp/logged_out.html", &page)
    };
    append(&mut response, visit.front.cookies.clear(path::SESSION_COOKIE));
    Ok(response)
}

/// RP-Initiated Logout 1.0 section 3: the state as it came, and nothing else.
fn with_state(uri: &str, state: Option<&str>) -> String {
    let Some(state) = state else { return uri.to_owned() };
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
    format!("{uri}{}{query}", if uri.contains('?') { '&' } else { '?' })
}

/// Ends a session, revokes what was granted in it, and puts a logout token for each of its portals into the
/// outbox.
///
/// # Errors
/// A backend's.
pub async fn end_session(app: &App, write: &mut Write, id: &str) -> Result<(), Trouble> {
    end_session_by(app, write, id, None).await
}

/// As [`end_session`], for a session that ends because of what `actor` did.
///
/// # Errors
/// A backend's.
pub async fn end_session_by(
    app: &App,
    write: &mut Write,
    id: &str,
    actor: Option<&AccountId>,
) -> Result<(), Trouble> {
    let Some(session) = app.store.session_in(write, id).await? else { return Ok(()) };
    if !app.store.end_session(write, id).await? {
        return Ok(());
    }
    // Read after the grants were revoked: a code that is redeemed at this moment counts or finds it revoked.
    let clients = app.store.clients_in(write, id).await?;
    let account = app.store.account_in(write, &session.account_id).await?;
    app.store.note_by(write, actor, Event::SignedOut, &session.account_id, None, "");
    let Some(account) = account else { return Ok(()) };
    for client_id in clients {
        let Some(registered) = app.client(&client_id).await? else { continue };
        let Some(uri) = &registered.client.backchannel_logout_uri else { continue };
        // Section 2.4: these claims and no nonce.
        let claims = [
            ("iss", json!(app.config.issuer)),
            ("sub", json!(app.subject_for(&registered.client, &account))),
            ("aud", json!(client_id)),
            ("jti", json!(app.random.id())),
            ("sid", json!(id)),
            ("events", json!({ "http://schemas.openid.net/event/backchannel-logout": {} })),
        ];
        let message = Message::Logout {
            uri: uri.clone(),
            alg: registered.client.signing_alg().name().to_owned(),
            claims: claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        };
        app.store.enqueue(write, &message).await?;
    }
    Ok(())
}
