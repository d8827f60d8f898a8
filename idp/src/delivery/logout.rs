//! Logout tokens to relying parties (OpenID Connect Back-Channel Logout 1.0 section 2.5): a form post to the
//! registered URI, and to nowhere else.

use std::time::Duration;

use platform::clock::Timestamp;
use reqwest::{Client, StatusCode};
use serde_json::{Map, Value, json};

use super::send_error::SendError;
use crate::keys::{KeyError, KeyRing};
use crate::protocol::token::LOGOUT_TOKEN_TYPE;

/// How long a logout token is good. Back-Channel Logout 1.0 section 4: two minutes at most, or who captured one could send
/// it again.
const LIFETIME: Duration = Duration::from_mins(2);

pub(super) struct LogoutClient {
    http: Client,
    keys: KeyRing,
}

impl LogoutClient {
    pub(super) fn new(http: Client, keys: KeyRing) -> Self {
        Self { http, keys }
    }

    /// A token with these claims, by a key that signs now.
    async fn token(
        &self,
        alg: &str,
        claims: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<String, KeyError> {
        self.keys.catch_up().await?;
        let mut claims = claims.clone();
        claims.insert("iat".into(), json!(now.seconds()));
        claims.insert("exp".into(), json!(now.plus(LIFETIME).seconds()));
        self.keys.sign_jwt(alg, LOGOUT_TOKEN_TYPE, &claims)
    }

    pub(super) async fn send(
        &self,
        uri: &str,
        alg: &str,
        claims: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<(), SendError> {
        let token =
            self.token(alg, claims, now).await.map_err(|error| SendError::Later(error.to_string()))?;
        let answer = self
            .http
            .post(uri)
            .form(&[("logout_token", token)])
            .send()
            .await
            // The same token twice is one to the portal.
            .map_err(|error| SendError::of_request(&error).at_once())?;
        match answer.status() {
            // Section 2.8: 200; some frameworks answer 204, which it tolerates.
            status if status.is_success() => Ok(()),
            // Section 2.8: the relying party holds the token for invalid; it would again.
            StatusCode::BAD_REQUEST => {
                Err(SendError::Never("the portal refuses the logout token (400)".into()))
            }
            status => Err(SendError::Later(format!("the portal answers {}", status.as_u16()))),
        }
    }
}
