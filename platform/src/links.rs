//! Links as mail programs and people leave them: brackets, dots and quotes cling to an address that stands in a text, and what
//! clings to it does not void it.

use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;

use crate::local_path::local_path;
use crate::request::RequestContext;
use crate::typed::plain;

/// Of a token as `Random::token` makes it.
const TOKEN_LENGTH: usize = 43;

/// The token in what stands where one is expected: its first whole run of characters that a token can have. What is broken
/// over lines is joined.
pub fn token(text: &str) -> String {
    let text: String = plain(text).chars().filter(|c| *c != ' ').collect();
    let runs = || text.split(|c: char| !is_of_token(c)).filter(|run| !run.is_empty());
    let whole = runs().find(|run| run.len() >= TOKEN_LENGTH);
    whole.map(|run| &run[..TOKEN_LENGTH]).or_else(|| runs().next()).unwrap_or_default().to_owned()
}

fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

impl RequestContext {
    /// The token in the parameter `token` of a mailed link. The rest of the query may be as broken as it likes.
    pub fn token(&self) -> String {
        let query = self.uri.query().unwrap_or_default();
        let found = url::form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name.trim_start_matches(['&', ';']).trim_start_matches("amp;") == "token");
        token(&found.map(|(_, value)| value).unwrap_or_default())
    }
}

/// Sends a page that is not there, but without the signs after its address would be, on to that.
pub async fn mend(request: Request, next: Next) -> Response {
    let asked = (request.method() == Method::GET).then(|| request.uri().clone());
    let response = next.run(request).await;
    if response.status() != StatusCode::NOT_FOUND {
        return response;
    }
    match asked.and_then(|uri| mended(uri.path())) {
        Some(path) => (StatusCode::SEE_OTHER, [(header::LOCATION, path)]).into_response(),
        None => response,
    }
}

/// A path without what clings to its end; nothing if nothing does.
fn mended(path: &str) -> Option<String> {
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    let mut rest = decoded.as_ref();
    loop {
        let shorter = rest.trim_end_matches(|c: char| !is_of_token(c) && c != '/');
        let entity = ["&gt", "&lt", "&quot", "&amp", "&nbsp", "&apos", "=20"]
            .iter()
            .find_map(|end| shorter.strip_suffix(end));
        rest = match entity {
            Some(shorter) => shorter,
            None if shorter.len() == rest.len() => break,
            None => shorter,
        };
    }
    local_path(rest).filter(|rest| *rest != decoded).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_what_clings_to_it() {
        let own = "P_jtDsxVtO5kTwSkd6PHBgP_jtDsxVtO5kTwSkd6-HB";
        assert_eq!(own.len(), TOKEN_LENGTH);
        for text in [
            own.to_owned(),
            format!("{own}."),
            format!("{own})>.\""),
            format!("<{own}>"),
            format!("\u{201c}{own}\u{201d}"),
            format!("{own}&gt;"),
            format!("{own}&amp;utm=1"),
            format!(" {own}\u{200b}"),
            format!("{}\r\n {}", &own[..20], &own[20..]),
            format!("{}=\r\n{}", &own[..20], &own[20..]).replace('=', ""),
            format!("{own}__"),
            format!("*{own}*"),
            format!("{own}](https://elsewhere.example)"),
        ] {
            assert_eq!(token(&text), own, "{text:?}");
        }
        assert_eq!(token(""), "");
        assert_eq!(token("x)"), "x");
        assert_eq!(token("\u{e9}"), "");
    }

    #[test]
    fn a_path_is_mended_at_its_end_and_leads_nowhere_else() {
        for (path, whole) in [
            ("/signin)", Some("/signin")),
            ("/signin.", Some("/signin")),
            ("/signin%3E.", Some("/signin")),
            ("/signin&gt;", Some("/signin")),
            ("/signin%E2%80%9D,", Some("/signin")),
            ("/reset%20", Some("/reset")),
            ("/).", Some("/")),
            ("/signin", None),
            ("/", None),
            ("//evil.example)", None),
            ("/%2F/evil.example)", None),
            ("/\\evil.example)", None),
        ] {
            assert_eq!(mended(path).as_deref(), whole, "{path}");
        }
    }
}
