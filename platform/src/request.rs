//! What a handler knows of a request besides its parameters: who is calling from where, with which
//! cookies, in which language; and form or query parameters as text that is safe to look at.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;

use crate::cookies::CookieRules;
use crate::csrf::Csrf;
use crate::ending::Ending;
use crate::forwarded::client_address;
use crate::language::Language;
use crate::random::Random;
use crate::request_log::RequestId;
use crate::typed;

/// The cookie that tells browsers apart; it names no person and grants nothing.
pub const BROWSER_COOKIE: &str = "browser";
/// The cookie that keeps a chosen language.
pub const LANGUAGE_COOKIE: &str = "language";
/// The cookie of a computer that others use too: while it is there, no cookie outlives the browser.
pub const PUBLIC_COOKIE: &str = "public";

const YEAR: Duration = Duration::from_hours(365 * 24);

/// How requests are read at one server.
#[derive(Clone, Debug)]
pub struct Front {
    pub cookies: CookieRules,
    pub csrf: Csrf,
    pub random: Random,
    pub default_language: Language,
    /// Only these may say in `X-Forwarded-For` or `Forwarded` whom they forward for.
    pub trusted_proxies: Vec<IpNet>,
}

/// One request, as handlers see it.
#[derive(Clone, Debug)]
pub struct RequestContext {
    pub address: IpAddr,
    pub language: Language,
    /// Whether the person or the browser said which; otherwise it is the server's own choice.
    pub language_known: bool,
    /// Whether the person chose the language here; otherwise a portal's `ui_locales` may decide.
    pub language_chosen: bool,
    pub browser: String,
    /// The browser sent no cookie of its own.
    pub browser_is_new: bool,
    pub headers: Arc<HeaderMap>,
    pub uri: Uri,
    /// Of the session in which a page is shown; that page warns before it.
    pub ending: Option<Ending>,
    /// To quote to the operator; the same stands in the log.
    pub request_id: String,
    pub front: Arc<Front>,
}

impl RequestContext {
    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.front.cookies.read(&self.headers, name)
    }

    /// The token for forms on a page shown in answer to this request.
    pub fn csrf_token(&self) -> String {
        self.front.csrf.token(&self.browser)
    }

    /// Whether a form came from a page of ours in this browser.
    pub fn csrf_accepts(&self, fields: &Fields) -> bool {
        self.front.csrf.accepts(&self.browser, fields.get(crate::csrf::FIELD), &self.headers)
    }

    /// Whether a form of ours came back without the cookie that went along with it: the browser keeps none. From another
    /// site it comes without cookies in any case.
    pub fn came_without_cookies(&self) -> bool {
        self.browser_is_new && crate::csrf::is_from_here(&self.headers)
    }

    /// A parameter of the URL; empty if it is missing or the query is malformed.
    pub fn query(&self, name: &str) -> String {
        let query = Fields::parse(self.uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
        query.trimmed(name).to_owned()
    }

    /// This visit as if it had been to another page of ours, which is where the language switch leads then: to
    /// the page that a form stands on, since its target may answer to POST alone.
    #[must_use]
    pub fn at(&self, page: &str) -> Self {
        Self { uri: page.parse().unwrap_or_else(|_| self.uri.clone()), ..self.clone() }
    }

    /// This visit as the next one of this browser will be, once it has a cookie that the answer sets.
    #[must_use]
    pub fn with_cookie(&self, name: &str, value: &str) -> Self {
        let mut cx = self.clone();
        let line = format!("{}={value}", self.front.cookies.wire_name(name));
        if let Ok(line) = HeaderValue::from_str(&line) {
            Arc::make_mut(&mut cx.headers).append(header::COOKIE, line);
        }
        cx
    }

    /// Sets cookies that end with the browser, in place of those that would outlive it: for a computer that others
    /// use too. `kept` are the names of the server's own lasting cookies.
    pub fn make_public(&self, response: &mut Response, kept: &[&str]) {
        let mut set = |name: &str, value: &str| append(response, self.front.cookies.set(name, value, None));
        set(PUBLIC_COOKIE, "1");
        set(BROWSER_COOKIE, &self.browser);
        for name in kept.iter().chain(&[LANGUAGE_COOKIE]) {
            if let Some(value) = self.cookie(name) {
                set(name, &value);
            }
        }
    }

    /// This URL with `lang` set, for the language switch.
    pub fn url_in(&self, language: Language) -> String {
        let kept = url::form_urlencoded::parse(self.uri.query().unwrap_or_default().as_bytes())
            .filter(|(name, _)| name != "lang");
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair("lang", language.tag())
            .finish();
        format!("{}?{query}", self.uri.path())
    }
}

/// Puts a [`RequestContext`] into the request, and the browser and language cookies into the response to a page.
pub async fn visit(State(front): State<Arc<Front>>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::from([127, 0, 0, 1]), |ConnectInfo(peer)| peer.ip().to_canonical());
    let address = client_address(peer, headers, &front.trusted_proxies);
    let known = front.cookies.read(headers, BROWSER_COOKIE).filter(|value| value.len() == 43);
    let is_new = known.is_none();
    let browser = known.unwrap_or_else(|| front.random.token());
    let asked = Fields::parse(request.uri().query().unwrap_or_default().as_bytes())
        .ok()
        .and_then(|query| Language::from_tag(query.get("lang")?));
    let kept = front.cookies.read(headers, LANGUAGE_COOKIE).and_then(|tag| Language::from_tag(&tag));
    let accepted =
        headers.get(header::ACCEPT_LANGUAGE).and_then(|value| Language::first_of(value.to_str().ok()?));
    let is_post = request.method() == Method::POST;
    let lasts = front.cookies.read(headers, PUBLIC_COOKIE).is_none().then_some(YEAR);
    let cx = RequestContext {
        address,
        browser_is_new: is_new,
        language: asked.or(kept).or(accepted).unwrap_or(front.default_language),
        language_known: asked.or(kept).or(accepted).is_some(),
        language_chosen: asked.or(kept).is_some(),
        browser: browser.clone(),
        headers: Arc::new(headers.clone()),
        uri: own_address(request.uri()),
        ending: None,
        request_id: request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
        front: Arc::clone(&front),
    };
    request.extensions_mut().insert(cx);
    let mut response = next.run(request).await;
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    // A form from another site comes without our cookie (SameSite) and must not replace it.
    if is_new && !is_post && (is_page || response.status().is_redirection()) {
        append(&mut response, front.cookies.set(BROWSER_COOKIE, &browser, lasts));
    }
    if let Some(language) = asked {
        append(&mut response, front.cookies.set(LANGUAGE_COOKIE, language.tag(), lasts));
    }
    response
}

/// An address of this server as links on its pages may repeat it. Browsers read `//host` and `/\\host` as another server's.
fn own_address(uri: &Uri) -> Uri {
    let path = uri.path().trim_start_matches(['/', '\\']);
    if uri.authority().is_none() && uri.path().len() == path.len() + 1 && uri.path().starts_with('/') {
        return uri.clone();
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("/{path}{query}").parse().unwrap_or_default()
}

/// Adds a `Set-Cookie` line to a response.
pub fn append(response: &mut Response, set_cookie: HeaderValue) {
    response.headers_mut().append(header::SET_COOKIE, set_cookie);
}

/// Why parameters were refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldsError {
    #[error("a parameter is repeated")]
    Repeated(String),
    #[error("a parameter is not UTF-8 text or contains control characters")]
    NotText,
    #[error("too many or too long parameters")]
    TooLarge,
}

/// Parameters of a form or a query: each at most once, valid text without NUL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded` bytes.
    ///
    /// # Errors
    /// [`FieldsError`]; a repeated parameter is one (RFC 6749 section 3.1).
    pub fn parse(bytes: &[u8]) -> Result<Self, FieldsError> {
        if bytes.len() > 128 * 1024 {
            return Err(FieldsError::TooLarge);
        }
        let mut fields: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(bytes) {
            // The parser replaces what is not UTF-8 by U+FFFD; nobody types that.
            if value.contains(['\u{FFFD}', '\0']) || name.contains(['\u{FFFD}', '\0']) {
                return Err(FieldsError::NotText);
            }
            if fields.len() >= 100 {
                return Err(FieldsError::TooLarge);
            }
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(FieldsError::Repeated(name.into_owned()));
            }
            fields.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(fields))
    }

    /// A value that is there and not empty. RFC 6749 section 3.1: a parameter without a value counts as
    /// omitted.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, value)| known == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// A value without the white space around it; empty if it is not there.
    pub fn trimmed(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default().trim()
    }

    /// What was typed into a field of one line that a program reads, by [`typed::plain`].
    pub fn plain(&self, name: &str) -> String {
        typed::plain(self.get(name).unwrap_or_default())
    }

    /// What was typed into a field of one line that people read, by [`typed::line`].
    pub fn line(&self, name: &str) -> String {
        typed::line(self.get(name).unwrap_or_default())
    }

    /// All of them, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<S: Into<String>> FromIterator<(S, S)> for Fields {
    fn from_iter<I: IntoIterator<Item = (S, S)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_the_same_page_never_lead_to_another_server() {
        for (asked, own) in [
            ("//evil.example/x", "/evil.example/x"),
            ("///evil.example?a=//b", "/evil.example?a=//b"),
            ("/\\evil.example/x", "/evil.example/x"),
            ("/\\/evil.example", "/evil.example"),
            ("http://evil.example/x?y=1", "/x?y=1"),
            ("http://evil.example//evil.example", "/evil.example"),
            ("*", "/*"),
            ("/", "/"),
            ("/account?lang=nl", "/account?lang=nl"),
        ] {
            assert_eq!(own_address(&asked.parse().unwrap()).to_string(), own, "{asked}");
        }
    }

    #[test]
    fn parameters_are_text_and_each_stands_once() {
        assert_eq!(Fields::parse(b"a=1&b=%C3%AB&c=").unwrap().get("b"), Some("\u{eb}"));
        assert_eq!(Fields::parse(b"a=1&c=").unwrap().get("c"), None);
        assert_eq!(Fields::parse(b"a=1&a=2"), Err(FieldsError::Repeated("a".into())));
        assert_eq!(Fields::parse(b"a=%FF"), Err(FieldsError::NotText));
        assert_eq!(Fields::parse(b"a=%00"), Err(FieldsError::NotText));
        assert_eq!(Fields::parse(&vec![b'a'; 200_000]), Err(FieldsError::TooLarge));
    }
}
