//! A provider as small as can be: it checks PKCE and the client's secret, signs with ES256, and asks nobody
//! for a password.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use platform::clock::Clock;
use platform::random::Random;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Whom the provider signs in.
#[derive(Clone, Debug)]
pub struct Who {
    pub sub: &'static str,
    pub name: &'static str,
    pub acr: &'static str,
    pub care: Option<(&'static str, &'static str)>,
}

impl Who {
    pub fn user(sub: &'static str, name: &'static str) -> Self {
        Self { sub, name, acr: "urn:voordeur:acr:password", care: None }
    }

    pub fn team(sub: &'static str, name: &'static str, organisation: &'static str) -> Self {
        Self { sub, name, acr: "urn:voordeur:acr:code", care: Some(("care_team", organisation)) }
    }
}

/// Somebody's session at the provider.
#[derive(Clone)]
struct Session {
    who: Who,
    sid: String,
    auth_time: i64,
}

struct Grant {
    session: Session,
    nonce: String,
    challenge: String,
}

struct Inner {
    issuer: String,
    clock: Clock,
    key: Mutex<(String, EcdsaKeyPair)>,
    /// Whose browser comes to the provider next.
    next: Mutex<Who>,
    /// Who is signed in here, by subject.
    sessions: Mutex<HashMap<&'static str, Session>>,
    error: Mutex<Option<&'static str>>,
    grants: Mutex<HashMap<String, Grant>>,
    tokens: Mutex<HashMap<String, Who>>,
    asked: Mutex<HashMap<String, String>>,
    /// A request that is sent while somebody is on the way to the portal: an address, and a logout token.
    meanwhile: Mutex<Option<(String, String)>>,
    /// Whether prompt=login is passed over.
    is_lax: AtomicBool,
    gives_no_keys: AtomicBool,
    keys_read: AtomicUsize,
}

#[derive(Clone)]
pub struct FakeProvider {
    pub issuer: String,
    inner: Arc<Inner>,
}

type Fields = HashMap<String, String>;

impl FakeProvider {
    pub async fn start(clock: Clock) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let inner = Arc::new(Inner {
            issuer: issuer.clone(),
            clock,
            key: Mutex::new(new_key("1")),
            next: Mutex::new(Who::user("nobody", "Niemand")),
            sessions: Mutex::default(),
            error: Mutex::default(),
            grants: Mutex::default(),
            tokens: Mutex::default(),
            asked: Mutex::default(),
            meanwhile: Mutex::default(),
            is_lax: AtomicBool::default(),
            gives_no_keys: AtomicBool::default(),
            keys_read: AtomicUsize::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(jwks))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .route("/logout", get(logout))
            .with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { issuer, inner }
    }

    /// Somebody comes with a browser that was not here before.
    pub fn next_is(&self, who: Who) {
        self.inner.sessions.lock().unwrap().remove(who.sub);
        *self.inner.next.lock().unwrap() = who;
    }

    /// Ends somebody's session here, and tells nobody.
    pub fn forgets(&self, sub: &str) {
        self.inner.sessions.lock().unwrap().remove(sub);
    }

    pub fn knows(&self, sub: &str) -> bool {
        self.inner.sessions.lock().unwrap().contains_key(sub)
    }

    /// Asks nobody for a password who is signed in, whatever a portal wants.
    pub fn is_lax(&self) {
        self.inner.is_lax.store(true, Ordering::SeqCst);
    }

    pub fn gives_no_keys(&self, fails: bool) {
        self.inner.gives_no_keys.store(fails, Ordering::SeqCst);
    }

    /// How often the keys were read.
    pub fn keys_read(&self) -> usize {
        self.inner.keys_read.load(Ordering::SeqCst)
    }

    /// While the next person is on the way to the portal, a logout token arrives at `url`.
    pub fn meanwhile(&self, url: String, token: String) {
        *self.inner.meanwhile.lock().unwrap() = Some((url, token));
    }

    /// The next authorization request ends with this error.
    pub fn next_fails(&self, error: &'static str) {
        *self.inner.error.lock().unwrap() = Some(error);
    }

    /// Signs with another key from now on, and publishes only that one.
    pub fn rotate(&self, kid: &str) {
        *self.inner.key.lock().unwrap() = new_key(kid);
    }

    /// The parameters of the last authorization or logout request.
    pub fn asked(&self, name: &str) -> Option<String> {
        self.inner.asked.lock().unwrap().get(name).cloned()
    }

    /// A logout token for somebody's session here, or for all that is theirs.
    pub fn logout_token(&self, sub: &str, jti: &str, whole_person: bool) -> String {
        let seconds = self.inner.clock.now().seconds();
        let events = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
        let mut claims = json!({ "iss": self.issuer, "aud": "portal", "iat": seconds, "exp": seconds + 3600,
                                 "jti": jti, "sub": sub, "events": events });
        if !whole_person {
            claims["sid"] = self.inner.sessions.lock().unwrap()[sub].sid.clone().into();
        }
        self.inner.sign("logout+jwt", &claims)
    }
}

impl Inner {
    fn sign(&self, typ: &str, claims: &Value) -> String {
        let key = self.key.lock().unwrap();
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed =
            format!("{}.{}", part(&json!({ "alg": "ES256", "typ": typ, "kid": key.0 })), part(claims));
        let signature = key.1.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn new_key(kid: &str) -> (String, EcdsaKeyPair) {
    (kid.to_owned(), EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
}

async fn metadata(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", inner.issuer);
    Json(json!({
        "issuer": inner.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"), "jwks_uri": at("/jwks"), "end_session_endpoint": at("/logout"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn jwks(State(inner): State<Arc<Inner>>) -> (StatusCode, Json<Value>) {
    inner.keys_read.fetch_add(1, Ordering::SeqCst);
    if inner.gives_no_keys.load(Ordering::SeqCst) {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({})));
    }
    let key = inner.key.lock().unwrap();
    let point = key.1.public_key().as_ref();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    let key =
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": key.0, "x": x, "y": y });
    (StatusCode::OK, Json(json!({ "keys": [key] })))
}

async fn authorize(State(inner): State<Arc<Inner>>, Query(asked): Query<Fields>) -> Redirect {
    inner.asked.lock().unwrap().clone_from(&asked);
    let (back, state) = (&asked["redirect_uri"], &asked["state"]);
    let iss = &inner.issuer;
    let who = inner.next.lock().unwrap().clone();
    let prompt = asked.get("prompt").map(String::as_str);
    let known = inner.sessions.lock().unwrap().get(who.sub).cloned();
    let silent_failure = (prompt == Some("none") && known.is_none()).then_some("login_required");
    if let Some(error) = inner.error.lock().unwrap().take().or(silent_failure) {
        return Redirect::to(&format!("{back}?error={error}&state={state}&iss={iss}"));
    }
    let now = inner.clock.now().seconds();
    let sid = format!("sid-{}", Random::system().id());
    let mut session = known.unwrap_or(Session { who: who.clone(), sid, auth_time: now });
    if prompt == Some("login") && !inner.is_lax.load(Ordering::SeqCst) {
        session.auth_time = now;
    }
    inner.sessions.lock().unwrap().insert(who.sub, session.clone());
    let code = Random::system().token();
    let grant = Grant { session, nonce: asked["nonce"].clone(), challenge: asked["code_challenge"].clone() };
    inner.grants.lock().unwrap().insert(code.clone(), grant);
    Redirect::to(&format!("{back}?code={code}&state={state}&iss={iss}"))
}

async fn token(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    Form(asked): Form<Fields>,
) -> (StatusCode, Json<Value>) {
    let refused = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error })));
    let basic = format!("Basic {}", STANDARD.encode("portal:secret"));
    if headers.get("authorization").map(axum::http::HeaderValue::as_bytes) != Some(basic.as_bytes()) {
        return refused("invalid_client");
    }
    let Some(grant) = inner.grants.lock().unwrap().remove(&asked["code"]) else {
        return refused("invalid_grant");
    };
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, asked["code_verifier"].as_bytes()));
    if challenge != grant.challenge {
        return refused("invalid_grant");
    }
    let seconds = inner.clock.now().seconds();
    let access_token = Random::system().token();
    let hash = digest(&SHA256, access_token.as_bytes());
    let Session { who, sid, auth_time } = grant.session;
    let claims = json!({ "iss": inner.issuer, "sub": who.sub, "aud": "portal", "iat": seconds,
        "exp": seconds + 300, "auth_time": auth_time, "nonce": grant.nonce, "acr": who.acr,
        "sid": sid, "at_hash": URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]) });
    let id_token = inner.sign("JWT", &claims);
    inner.tokens.lock().unwrap().insert(access_token.clone(), who);
    let answer = json!({ "access_token": access_token, "token_type": "Bearer", "expires_in": 300, "id_token": id_token });
    (StatusCode::OK, Json(answer))
}

async fn userinfo(State(inner): State<Arc<Inner>>, headers: HeaderMap) -> Json<Value> {
    let token = headers["authorization"].to_str().unwrap().trim_start_matches("Bearer ").to_owned();
    let who = inner.tokens.lock().unwrap()[&token].clone();
    let meanwhile = inner.meanwhile.lock().unwrap().take();
    if let Some((url, token)) = meanwhile {
        let sent = reqwest::Client::new().post(url).form(&[("logout_token", token)]).send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::OK);
    }
    let mut claims = json!({ "sub": who.sub, "name": who.name, "email": format!("{}@example.nl", who.sub),
                             "email_verified": true });
    if let Some((role, organisation)) = who.care {
        claims["care_role"] = role.into();
        claims["care_organisation"] = organisation.into();
    }
    Json(claims)
}

/// Who brings a hint that our key of today signed goes back to the portal; anybody else is asked, and stays.
async fn logout(State(inner): State<Arc<Inner>>, Query(asked): Query<Fields>) -> Response {
    inner.asked.lock().unwrap().clone_from(&asked);
    let part = |at: usize| -> Option<Value> {
        let part = asked.get("id_token_hint")?.split('.').nth(at)?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
    };
    let is_ours = part(0).is_some_and(|header| header["kid"] == inner.key.lock().unwrap().0);
    if !is_ours {
        return "Wilt u uitloggen bij de provider?".into_response();
    }
    let sub = part(1).unwrap()["sub"].as_str().unwrap().to_owned();
    inner.sessions.lock().unwrap().remove(sub.as_str());
    Redirect::to(&format!("{}?state={}", asked["post_logout_redirect_uri"], asked["state"])).into_response()
}
