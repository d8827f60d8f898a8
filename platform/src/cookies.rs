//! Cookies, in and out. Every cookie is `HttpOnly`, `SameSite=Lax` and `Path=/`; except on a plain-http
//! loopback origin it is `Secure` and carries the `__Host-` prefix (RFC 6265bis section 4.1.3). There it carries our
//! name: cookies do not tell ports apart, and other software on localhost calls its cookie `session` too.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite};

/// How cookies are named and marked at one origin.
#[derive(Clone, Copy, Debug)]
pub struct CookieRules {
    /// False only for a plain-http origin on loopback.
    pub secure: bool,
}

impl CookieRules {
    /// The name on the wire of the cookie called `name` in code.
    pub fn wire_name(self, name: &str) -> String {
        format!("{}{name}", if self.secure { "__Host-" } else { "voordeur-" })
    }

    /// The value of a cookie the browser sent. A value that is not plain ASCII without control
    /// characters counts as absent; of two with one name the first counts.
    pub fn read(self, headers: &HeaderMap, name: &str) -> Option<String> {
        let wire_name = self.wire_name(name);
        // Other sites of the domain may set cookies in any bytes, which come along in the same line.
        let lines = headers.get_all(header::COOKIE).iter();
        let mut found = lines
            .map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned())
            .flat_map(|line| Cookie::split_parse(line).filter_map(Result::ok))
            .filter(|cookie| cookie.name() == wire_name);
        found
            .next()
            .map(|cookie| cookie.value().to_owned())
            .filter(|value| !value.is_empty() && value.len() <= 512)
            .filter(|value| value.bytes().all(|byte| matches!(byte, b' '..=b'~')))
    }

    /// A `Set-Cookie` line; without `lifetime` the cookie ends with the browser.
    pub fn set(self, name: &str, value: &str, lifetime: Option<Duration>) -> HeaderValue {
        let mut cookie = Cookie::build((self.wire_name(name), value.to_owned()))
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
            .build();
        if let Some(lifetime) = lifetime {
            let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
            cookie.set_max_age(cookie::time::Duration::seconds(seconds));
        }
        HeaderValue::from_str(&cookie.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
    }

    /// A `Set-Cookie` line that removes the cookie.
    pub fn clear(self, name: &str) -> HeaderValue {
        self.set(name, "", Some(Duration::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(line: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(line).unwrap())])
    }

    #[test]
    fn cookies_are_host_bound_secure_and_hidden_from_scripts() {
        let line = CookieRules { secure: true }.set("session", "abc", None);
        assert_eq!(line, "__Host-session=abc; HttpOnly; SameSite=Lax; Secure; Path=/");
        let line = CookieRules { secure: false }.set("session", "abc", Some(Duration::from_mins(1)));
        assert_eq!(line, "voordeur-session=abc; HttpOnly; SameSite=Lax; Path=/; Max-Age=60");
    }

    #[test]
    fn only_the_host_bound_name_is_read_where_it_is_used() {
        let rules = CookieRules { secure: true };
        assert_eq!(
            rules.read(&headers("session=forged; __Host-session=own"), "session").as_deref(),
            Some("own")
        );
        assert_eq!(rules.read(&headers("session=forged"), "session"), None);
    }

    #[test]
    fn on_loopback_a_neighbours_cookie_is_not_ours() {
        let rules = CookieRules { secure: false };
        let line = "session=.eJyrVopPLC3JMIzPzi9ILUlMSQQAK2oFzw; voordeur-session=own";
        assert_eq!(rules.read(&headers(line), "session").as_deref(), Some("own"));
        assert_eq!(rules.read(&headers("session=.eJyrVopPLC3JMIzPzi9I"), "session"), None);
    }

    #[test]
    fn a_cookie_of_another_site_in_odd_bytes_hides_none_of_ours() {
        let line = HeaderValue::from_bytes(b"naam=\xc3\xab\xff; voordeur-session=abc").unwrap();
        let headers = HeaderMap::from_iter([(header::COOKIE, line)]);
        assert_eq!(CookieRules { secure: false }.read(&headers, "session").as_deref(), Some("abc"));
    }

    #[test]
    fn broken_cookies_count_as_absent() {
        let rules = CookieRules { secure: false };
        let long = format!("voordeur-session={}", "a".repeat(600));
        for line in ["voordeur-session", "voordeur-session=", "voordeur-session=a\tb", "=x", ";;;", &long] {
            assert_eq!(rules.read(&headers(line), "session"), None, "{line}");
        }
    }
}
