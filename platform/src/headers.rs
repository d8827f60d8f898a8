//! Headers that every response carries (OWASP Secure Headers; CSP level 3).

use std::sync::LazyLock;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

/// Where the forms of a page may end. Chromium applies `form-action` to every redirect that follows a form as well.
#[derive(Clone, Copy, Debug)]
pub enum Forms<'a> {
    /// At this origin.
    Here,
    /// At this origin or one of these.
    At(&'a [String]),
    /// Wherever a portal sends the person on to: only it knows the origins behind its callback.
    Anywhere,
}

/// The policy of most pages.
static HERE: LazyLock<HeaderValue> = LazyLock::new(|| content_security_policy(Forms::Here));

/// The policy of a page with these forms.
pub fn content_security_policy(forms: Forms<'_>) -> HeaderValue {
    let mut policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
                      font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
                      frame-ancestors 'none'"
        .to_owned();
    let more = match forms {
        Forms::Here => Some(&[][..]),
        Forms::At(origins) => Some(origins),
        Forms::Anywhere => None,
    };
    if let Some(origins) = more {
        policy.push_str("; form-action 'self'");
        for origin in origins {
            policy.push(' ');
            policy.push_str(origin);
        }
    }
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// Whether a browser that wants a page would be shown nothing, or a line of the framework's: a refusal without a page.
pub fn is_bare(asked: &HeaderMap, response: &Response) -> bool {
    let wants_page = asked
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.to_str().is_ok_and(|accept| accept.contains("text/html")));
    let is_refusal = matches!(
        response.status(),
        StatusCode::BAD_REQUEST
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    let kind = response.headers().get(header::CONTENT_TYPE);
    wants_page && is_refusal && kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"))
}

/// Adds what a response does not say itself.
pub async fn secure(State(https): State<bool>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut absent = |name: HeaderName, value: &'static str| put_absent(headers, name, value);
    absent(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    absent(header::X_FRAME_OPTIONS, "DENY");
    absent(header::REFERRER_POLICY, "no-referrer");
    absent(header::CACHE_CONTROL, "no-store");
    absent(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    absent(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()");
    if https {
        absent(header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains");
    }
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, HERE.clone());
    }
    response
}

fn put_absent(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    if !headers.contains_key(&name) {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_stay_here_unless_their_page_says_otherwise() {
        let form_action = |forms| {
            let policy = content_security_policy(forms).to_str().unwrap().to_owned();
            assert!(policy.starts_with("default-src 'none'; ") && policy.contains("script-src 'self';"));
            policy.split_once("form-action ").map(|(_, targets)| targets.to_owned())
        };
        assert_eq!(form_action(Forms::Here).as_deref(), Some("'self'"));
        let provider = ["https://inloggen.example.nl".to_owned()];
        assert_eq!(form_action(Forms::At(&provider)).as_deref(), Some("'self' https://inloggen.example.nl"));
        assert_eq!(form_action(Forms::Anywhere), None);
    }
}
