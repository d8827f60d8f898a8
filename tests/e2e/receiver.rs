//! What more than one story needs: a portal's back-channel endpoint that keeps what it is told, and tokens read
//! by the keys that `/jwks` publishes.

use std::sync::{Arc, Mutex};

use axum::extract::{Form, State};
use axum::routing::post;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::Value;
use tokio::net::TcpListener;

/// A back-channel logout endpoint (Back-Channel Logout 1.0 section 2.5).
pub struct Receiver {
    pub uri: String,
    told: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    pub async fn start() -> Self {
        async fn keep(State(told): State<Arc<Mutex<Vec<String>>>>, Form(form): Form<Vec<(String, String)>>) {
            for (name, value) in form {
                assert_eq!(name, "logout_token");
                told.lock().unwrap().push(value);
            }
        }
        let told = Arc::<Mutex<Vec<String>>>::default();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let uri = format!("http://{}/logout", listener.local_addr().unwrap());
        let router = axum::Router::new().route("/logout", post(keep)).with_state(Arc::clone(&told));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { uri, told }
    }

    /// The logout tokens that came, oldest first.
    pub fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }
}

/// Header and claims of a token whose signature one of the published keys verifies; times and audience are the
/// story's to look at, because its clock is not the system's.
pub async fn verified(issuer: &str, token: &str) -> (jsonwebtoken::Header, Value) {
    let jwks: JwkSet = reqwest::get(format!("{issuer}/jwks")).await.unwrap().json().await.unwrap();
    let header = decode_header(token).unwrap();
    let key = jwks.find(header.kid.as_deref().unwrap()).expect("the key is published");
    let mut validation = Validation::new(header.alg);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let claims = decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap().claims;
    (header, claims)
}
