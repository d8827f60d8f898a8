//! Cross-site request forgery: every form carries a token that is a keyed hash of the browser's own
//! cookie, and `Sec-Fetch-Site`, where a browser sends it, must not say the form came from elsewhere
//! (OWASP CSRF Prevention Cheat Sheet: signed double submit, fetch metadata as defence in depth).

use axum::http::HeaderMap;

use crate::seal::{Hasher, RootKey};

/// The name of the hidden field.
pub const FIELD: &str = "csrf";

/// Makes and checks the tokens of forms.
#[derive(Clone, Debug)]
pub struct Csrf(Hasher);

impl Csrf {
    pub fn new(root: &RootKey) -> Self {
        Self(root.hasher("csrf"))
    }

    /// The token for forms shown to the browser with this cookie.
    pub fn token(&self, browser: &str) -> String {
        self.0.hash(browser)
    }

    /// Whether a form with `token` came from a page that this server showed to this browser.
    pub fn accepts(&self, browser: &str, token: Option<&str>, headers: &HeaderMap) -> bool {
        is_from_here(headers) && token.is_some_and(|token| self.0.matches(browser, token))
    }
}

/// Whether the browser does not say that another site made it send this.
pub fn is_from_here(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    matches!(site, None | Some("same-origin" | "none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_fits_its_browser_and_its_site() {
        let csrf = Csrf::new(&RootKey::new("0123456789abcdef0123456789abcdef").unwrap());
        let token = csrf.token("browser");
        let (none, mut cross) = (HeaderMap::new(), HeaderMap::new());
        cross.insert("sec-fetch-site", "cross-site".parse().unwrap());
        assert!(csrf.accepts("browser", Some(&token), &none));
        assert!(!csrf.accepts("other", Some(&token), &none));
        assert!(!csrf.accepts("browser", None, &none));
        assert!(!csrf.accepts("browser", Some(&token), &cross));
    }
}
