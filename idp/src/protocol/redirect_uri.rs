//! Redirect URIs: how one that is asked for is compared with those that are registered, and where an answer goes. To the
//! letter, but for apps on this machine (RFC 8252).

use platform::request::Fields;
use serde::{Deserialize, Serialize};

use super::error::OAuthError;
use crate::config::Client;

/// How the response travels (OAuth 2.0 Multiple Response Types; OAuth 2.0 Form Post Response Mode).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    #[default]
    Query,
    FormPost,
}

/// Where to answer: a redirect URI that this client registered, and what it wants to hear again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnAddress {
    /// Whose it is.
    #[serde(default)]
    client_id: String,
    redirect_uri: String,
    state: Option<String>,
    response_mode: ResponseMode,
}

/// Why nothing may be sent back to the client: the answer is a page at this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoReturn {
    UnknownClient,
    UnregisteredRedirectUri,
}

impl NoReturn {
    const fn text(self) -> &'static str {
        match self {
            Self::UnknownClient => "client_id is missing or unknown",
            Self::UnregisteredRedirectUri => {
                "redirect_uri is missing or not registered for this client, to the letter"
            }
        }
    }
}

impl std::fmt::Display for NoReturn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}

impl From<NoReturn> for OAuthError {
    fn from(why: NoReturn) -> Self {
        Self::new("invalid_request", why.text())
    }
}

impl ReturnAddress {
    /// Validates the redirect URI by comparing it to the letter (RFC 9700 section 2.1, OpenID Connect Core
    /// section 3.1.2.1); of an app on this machine any port will do.
    ///
    /// # Errors
    /// [`NoReturn::UnregisteredRedirectUri`].
    pub fn of(fields: &Fields, client: &Client) -> Result<Self, NoReturn> {
        let redirect_uri = fields.get("redirect_uri").ok_or(NoReturn::UnregisteredRedirectUri)?;
        let is_it = |registered: &String| {
            registered == redirect_uri || (client.is_public() && differs_in_port(registered, redirect_uri))
        };
        if !client.redirect_uris.iter().any(is_it) {
            return Err(NoReturn::UnregisteredRedirectUri);
        }
        let response_mode = match fields.get("response_mode") {
            Some("form_post") if takes_forms(redirect_uri) => ResponseMode::FormPost,
            _ => ResponseMode::Query,
        };
        let state = fields.get("state").map(str::to_owned);
        let client_id = client.client_id.clone();
        Ok(Self { client_id, redirect_uri: redirect_uri.to_owned(), state, response_mode })
    }

    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    pub fn response_mode(&self) -> ResponseMode {
        self.response_mode
    }

    /// The parameters of a response: `answer`, the state as it came, and the issuer (RFC 9207).
    pub fn parameters(&self, answer: &[(&str, &str)], issuer: &str) -> Vec<(String, String)> {
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let mut parameters: Vec<_> = answer.iter().copied().map(pair).collect();
        parameters.extend(self.state.as_deref().map(|state| pair(("state", state))));
        parameters.push(pair(("iss", issuer)));
        parameters
    }

    /// The redirect URI with these parameters added to its query, which it keeps (RFC 6749 section 3.1.2).
    pub fn url_with(&self, parameters: &[(String, String)]) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let separator = if self.redirect_uri.contains('?') { '&' } else { '?' };
        format!("{}{separator}{query}", self.redirect_uri)
    }
}

/// Whether two URIs are of this machine itself, by its number, and the same but for the port (RFC 8252 section 7.3):
/// an app cannot choose the port that the system gives it.
pub fn differs_in_port(registered: &str, asked: &str) -> bool {
    // `localhost` may be another machine by a hosts file (section 8.3), so its port is compared.
    ["http://127.0.0.1", "http://[::1]"].into_iter().any(|host| {
        let after_port = |uri: &str| after_port(uri.strip_prefix(host)?).map(str::to_owned);
        after_port(registered).is_some_and(|rest| after_port(asked) == Some(rest))
    })
}

/// What follows a host and its port, if it has one that a socket can have.
fn after_port(rest: &str) -> Option<&str> {
    let Some(with_port) = rest.strip_prefix(':') else { return starts_path(rest).then_some(rest) };
    let end = with_port.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(with_port.len());
    let (port, rest) = with_port.split_at(end);
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    (is_port && starts_path(rest)).then_some(rest)
}

fn starts_path(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['/', '?'])
}

/// Whether a browser can send a form there: an app's own scheme takes none.
pub fn takes_forms(redirect_uri: &str) -> bool {
    redirect_uri.starts_with("https://") || redirect_uri.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_of_this_machine_may_differ() {
        let registered = "http://127.0.0.1/cb?a=1";
        for asked in ["http://127.0.0.1:1/cb?a=1", "http://127.0.0.1:65535/cb?a=1", registered] {
            assert!(differs_in_port(registered, asked), "{asked}");
            assert!(differs_in_port(asked, registered), "{asked}");
        }
        for asked in [
            "http://127.0.0.1:0/cb?a=1",
            "http://127.0.0.1:65536/cb?a=1",
            "http://127.0.0.1:/cb?a=1",
            "http://127.0.0.1:+1/cb?a=1",
            "http://127.0.0.1:1/cb?a=2",
            "http://127.0.0.1:1/cb",
            "http://127.0.0.1:1@evil.example/cb?a=1",
            "http://127.0.0.1.evil.example/cb?a=1",
            "http://127.0.0.10/cb?a=1",
            "http://[::1]:1/cb?a=1",
            "http://localhost:1/cb?a=1",
            "https://127.0.0.1:1/cb?a=1",
        ] {
            assert!(!differs_in_port(registered, asked), "{asked}");
        }
        assert!(differs_in_port("http://[::1]:4/", "http://[::1]:5/"));
        assert!(!differs_in_port("http://[::1]:4/", "http://[::1]:5"));
        assert!(!differs_in_port("https://p.example:4/", "https://p.example:5/"));
        assert!(!differs_in_port("http://localhost:4/", "http://localhost:5/"));
    }
}
