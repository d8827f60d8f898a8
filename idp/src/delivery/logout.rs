//! Logout tokens to relying parties (OpenID Connect Back-Channel Logout 1.0 section 2.5): a form post to the
//! registered URI, and to nowhere else.

use reqwest::{Client, StatusCode};
use web::config::ConfigError;

use super::{SendError, outbound};
use crate::config::Config;

pub(super) struct LogoutClient(Client);

impl LogoutClient {
    pub(super) fn new(config: &Config) -> Result<Self, ConfigError> {
        Ok(Self(outbound::client(config)?))
    }

    pub(super) async fn send(&self, uri: &str, token: &str) -> Result<(), SendError> {
        let answer = self
            .0
            .post(uri)
            .form(&[("logout_token", token)])
            .send()
            .await
            .map_err(|error| unreachable(&error))?;
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

/// What kept a request from being answered, without its URL.
pub(super) fn unreachable(error: &reqwest::Error) -> SendError {
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_builder() {
        return SendError::Never("the address is not a URL".into());
    } else {
        "the connection broke"
    };
    SendError::Later(what.into())
}
