//! A provider as small as can be: it checks PKCE and the client's secret, signs with ES256, and asks nobody
//! for a password.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use web::clock::Clock;
use web::random::Random;

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

struct Grant {
    who: Who,
    nonce: String,
    challenge: String,
}

struct Inner {
    issuer: String,
    clock: Clock,
    key: Mutex<(String, EcdsaKeyPair)>,
    next: Mutex<Who>,
    error: Mutex<Option<&'static str>>,
    grants: Mutex<HashMap<String, Grant>>,
    tokens: Mutex<HashMap<String, Who>>,
    pub asked: Mutex<HashMap<String, String>>,
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
            error: Mutex::default(),
            grants: Mutex::default(),
            tokens: Mutex::default(),
            asked: Mutex::default(),
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

    pub fn next_is(&self, who: Who) {
        *self.inner.next.lock().unwrap() = who;
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

    pub fn logout_token(&self, sid: &str, jti: &str) -> String {
        let seconds = self.inner.clock.now().seconds();
        let events = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
        let claims = json!({ "iss": self.issuer, "aud": "portal", "iat": seconds, "exp": seconds + 120,
                             "jti": jti, "sid": sid, "events": events });
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

async fn jwks(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let key = inner.key.lock().unwrap();
    let point = key.1.public_key().as_ref();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    Json(
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": key.0, "x": x, "y": y }] }),
    )
}

async fn authorize(State(inner): State<Arc<Inner>>, Query(asked): Query<Fields>) -> Redirect {
    inner.asked.lock().unwrap().clone_from(&asked);
    let (back, state) = (&asked["redirect_uri"], &asked["state"]);
    let iss = &inner.issuer;
    if let Some(error) = inner.error.lock().unwrap().take() {
        return Redirect::to(&format!("{back}?error={error}&state={state}&iss={iss}"));
    }
    let code = Random::system().token();
    let who = inner.next.lock().unwrap().clone();
    let grant = Grant { who, nonce: asked["nonce"].clone(), challenge: asked["code_challenge"].clone() };
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
    let claims = json!({ "iss": inner.issuer, "sub": grant.who.sub, "aud": "portal", "iat": seconds,
        "exp": seconds + 300, "auth_time": seconds, "nonce": grant.nonce, "acr": grant.who.acr,
        "sid": format!("sid-{}", grant.who.sub), "at_hash": URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]) });
    let id_token = inner.sign("JWT", &claims);
    inner.tokens.lock().unwrap().insert(access_token.clone(), grant.who);
    let answer = json!({ "access_token": access_token, "token_type": "Bearer", "expires_in": 300, "id_token": id_token });
    (StatusCode::OK, Json(answer))
}

async fn userinfo(State(inner): State<Arc<Inner>>, headers: HeaderMap) -> Json<Value> {
    let token = headers["authorization"].to_str().unwrap().trim_start_matches("Bearer ").to_owned();
    let who = inner.tokens.lock().unwrap()[&token].clone();
    let mut claims = json!({ "sub": who.sub, "name": who.name, "email": format!("{}@example.nl", who.sub) });
    if let Some((role, organisation)) = who.care {
        claims["care_role"] = role.into();
        claims["care_organisation"] = organisation.into();
    }
    Json(claims)
}

async fn logout(State(inner): State<Arc<Inner>>, Query(asked): Query<Fields>) -> Redirect {
    inner.asked.lock().unwrap().clone_from(&asked);
    Redirect::to(&format!("{}?state={}", asked["post_logout_redirect_uri"], asked["state"]))
}
