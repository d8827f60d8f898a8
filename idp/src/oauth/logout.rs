//! `/logout` (OpenID Connect RP-Initiated Logout 1.0).

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use platform::request::{Fields, RequestContext, append};
use serde::Serialize;
use serde_json::Value;

use super::authorize::as_get;
use super::refusal;
use crate::app::{App, ServiceError, Shared};
use crate::config::{Portal, RegisteredClient};
use crate::effects::sessions::end_session;
use crate::flow::answer::FormField;
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::{AppError, Caller};
use crate::store::sessions::Session;

/// `idp/logout.html`: a question, because nobody proved that the person asked for this.
#[derive(Clone, Debug, Serialize)]
pub struct LogoutPage {
    pub action: &'static str,
    pub portal_name: Option<String>,
    pub fields: Vec<FormField>,
    pub stay_url: String,
    /// As on the page that follows.
    pub detail: Option<&'static str>,
}

/// `idp/logged_out.html`
#[derive(Clone, Debug, Serialize)]
pub struct LoggedOutPage {
    /// Whether a session ended; otherwise there was none.
    pub ended: bool,
    pub portal_url: Option<String>,
    pub portal_name: String,
    /// Why the portal is not gone back to, for its developer; in a development configuration only.
    pub detail: Option<&'static str>,
}

impl LogoutPage {
    pub fn sample() -> Self {
        Self {
            action: paths::LOGOUT,
            portal_name: Some("Portaal".into()),
            fields: Vec::new(),
            stay_url: "/".into(),
            detail: Some(Unfollowed::Unregistered.reason()),
        }
    }
}

impl LoggedOutPage {
    pub fn sample() -> Self {
        Self { ended: true, ..Self::new(&Portal::default(), false) }
    }

    pub fn new(portal: &Portal, ended: bool) -> Self {
        Self {
            ended,
            portal_url: (!portal.url.is_empty()).then(|| portal.url.clone()),
            portal_name: portal.brand.name.clone(),
            detail: None,
        }
    }
}

/// `GET /logout`
pub async fn get(State(app): State<Shared>, Caller(cx): Caller) -> Result<Response, AppError> {
    let query = cx.uri.query().unwrap_or_default().as_bytes().to_vec();
    handle(&app, &cx, &query, false).await
}

/// `POST /logout`: from a portal, like GET; or from our own question, with its CSRF token.
pub async fn post(State(app): State<Shared>, Caller(cx): Caller, body: Bytes) -> Result<Response, AppError> {
    let cx = as_get(&cx, paths::LOGOUT, &body);
    if cx.cookie(names::SESSION_COOKIE).is_none() {
        // Whether somebody is signed in is seen when the cookies come along.
        return Ok(see_other(&cx.uri.to_string()));
    }
    handle(&app, &cx, &body, true).await
}

async fn handle(
    app: &Shared,
    cx: &RequestContext,
    parameters: &[u8],
    is_post: bool,
) -> Result<Response, AppError> {
    let fields = match Fields::parse(parameters) {
        Ok(fields) => fields,
        Err(error) => return Ok(app.bad_request(cx, None, &error.to_string())),
    };
    let answered = is_post && fields.get(platform::csrf::FIELD).is_some() && cx.csrf_accepts(&fields);
    logout(app, cx, &fields, answered).await
}

/// What the hint proves: which client, which session of whom.
struct Hint {
    client_id: String,
    subject: String,
    session_id: Option<String>,
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
    let text = |name: &str| claims.get(name)?.as_str().map(str::to_owned);
    Some(Hint { client_id: audience, subject: text("sub")?, session_id: text("sid") })
}

/// Why a `post_logout_redirect_uri` is not followed.
#[derive(Clone, Copy)]
enum Unfollowed {
    BadHint,
    NoClient,
    Unregistered,
}

impl Unfollowed {
    /// For the portal's developer, in English.
    fn reason(self) -> &'static str {
        match self {
            Self::BadHint => "id_token_hint is not an ID token of this issuer for this client",
            Self::NoClient => "neither id_token_hint nor client_id names a client that is known here",
            Self::Unregistered => {
                "post_logout_redirect_uri is not among the client's post_logout_redirect_uris, to the letter"
            }
        }
    }
}

/// What a portal asks for.
struct Asked {
    client: Option<Arc<RegisteredClient>>,
    hint: Option<Hint>,
    /// Where to go afterwards, if the client may say so: section 3 asks for a hint, or another way to know that the
    /// client is meant; that is the person's answer to our question, which names its portal.
    return_uri: Option<String>,
    unfollowed: Option<Unfollowed>,
}

impl Asked {
    async fn read(app: &App, fields: &Fields) -> Result<Self, ServiceError> {
        let hint = read_hint(app, fields);
        let named = hint.as_ref().map(|hint| hint.client_id.as_str()).or(fields.get("client_id"));
        let client = match named {
            Some(id) => app.known_client(id).await?,
            None => None,
        };
        let claimed = named.unwrap_or_default().to_owned();
        let mut asked = Self { client, hint, return_uri: None, unfollowed: None };
        let has_bad_hint = fields.get("id_token_hint").is_some() && asked.hint.is_none();
        let Some(uri) = fields.get("post_logout_redirect_uri") else {
            if has_bad_hint {
                refusal::refused(app, "logout", &claimed, "invalid_request", Unfollowed::BadHint.reason());
            }
            return Ok(asked);
        };
        let registered = asked.client.as_ref().map(|client| &client.client.post_logout_redirect_uris);
        asked.unfollowed = match registered {
            _ if has_bad_hint => Some(Unfollowed::BadHint),
            None => Some(Unfollowed::NoClient),
            Some(known) if known.iter().any(|known| known == uri) => None,
            Some(_) => Some(Unfollowed::Unregistered),
        };
        match asked.unfollowed {
            None => asked.return_uri = Some(uri.to_owned()),
            Some(why) => {
                // Without its query, which may hold what belongs in no log.
                let uri: String =
                    uri.split(['?', '#']).next().unwrap_or_default().chars().take(200).collect();
                tracing::info!(client = asked.client_id(), uri, "a logout does not go back to the portal");
                refusal::refused(app, "logout", &claimed, "invalid_request", why.reason());
            }
        }
        Ok(asked)
    }

    fn client_id(&self) -> Option<&str> {
        self.client.as_ref().map(|client| client.client.client_id.as_str())
    }

    fn detail(&self, app: &App) -> Option<&'static str> {
        self.unfollowed.filter(|_| app.config.dev.outbox).map(Unfollowed::reason)
    }

    /// Whether the hint was given in this browser's session.
    async fn is_of(&self, app: &App, session: &Session) -> Result<bool, ServiceError> {
        let (Some(hint), Some(client)) = (&self.hint, &self.client) else { return Ok(false) };
        if let Some(id) = &hint.session_id {
            return Ok(*id == session.id);
        }
        let account = app.store.account(&session.account_id).await?;
        Ok(account.is_some_and(|account| app.subject_for(&client.client, &account) == hint.subject))
    }
}

async fn logout(
    app: &Shared,
    cx: &RequestContext,
    fields: &Fields,
    answered: bool,
) -> Result<Response, AppError> {
    let session = app.session_of(cx).await?;
    let asked = Asked::read(app, fields).await?;
    let is_own = match &session {
        Some(session) => asked.is_of(app, session).await?,
        None => asked.hint.is_some(),
    };
    if session.is_some() && !answered && (!is_own || asked.unfollowed.is_some()) {
        return Ok(question(app, cx, &asked, fields));
    }
    let hinted = asked.hint.as_ref().filter(|_| is_own).and_then(|hint| hint.session_id.clone());
    let ended: BTreeSet<String> = hinted.into_iter().chain(session.map(|session| session.id)).collect();
    let mut write = app.store.begin_write().await?;
    let mut any = false;
    for id in &ended {
        any |= end_session(app, &mut write, id).await?;
    }
    write.commit().await?;
    // Who is not signed in was asked nothing, so that only a hint leads on.
    let return_uri = asked.return_uri.as_deref().filter(|_| is_own || answered);
    let mut response = if let Some(uri) = return_uri {
        see_other(&with_state(uri, fields.get("state")))
    } else {
        let client_id = asked.client_id();
        let portal = app.portal_for(cx, client_id);
        // Who answered twice ended it with the first answer; who comes from the account page ended it there.
        let has_ended = any || answered || fields.get("done").is_some();
        let page = LoggedOutPage { detail: asked.detail(app), ..LoggedOutPage::new(portal, has_ended) };
        app.page(cx, client_id, StatusCode::OK, "idp/logged_out.html", &page)
    };
    if cx.cookie(names::SESSION_COOKIE).is_some() {
        append(&mut response, cx.front.cookies.clear(names::SESSION_COOKIE));
    }
    Ok(response)
}

/// Asks the person. What the portal asked for goes along as far as it may be followed.
fn question(app: &App, cx: &RequestContext, asked: &Asked, fields: &Fields) -> Response {
    let client_id = asked.client_id();
    let portal = app.portal_for(cx, client_id);
    let kept = [
        ("client_id", client_id),
        ("post_logout_redirect_uri", asked.return_uri.as_deref()),
        ("state", fields.get("state").filter(|_| asked.return_uri.is_some())),
    ];
    let field = |(name, value): (&str, Option<&str>)| {
        value.map(|value| FormField { name: name.to_owned(), value: value.to_owned() })
    };
    let page = LogoutPage {
        action: paths::LOGOUT,
        portal_name: client_id.map(|_| portal.brand.name.clone()),
        fields: kept.into_iter().filter_map(field).collect(),
        stay_url: if portal.url.is_empty() { paths::ACCOUNT.to_owned() } else { portal.url.clone() },
        detail: asked.detail(app),
    };
    app.client_page(cx, client_id, StatusCode::OK, "idp/logout.html", &page)
}

/// RP-Initiated Logout 1.0 section 3: the state as it came, and nothing else.
fn with_state(uri: &str, state: Option<&str>) -> String {
    let Some(state) = state else { return uri.to_owned() };
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
    format!("{uri}{}{query}", if uri.contains('?') { '&' } else { '?' })
}
