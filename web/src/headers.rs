//! Headers that every response carries (OWASP Secure Headers; CSP level 3).

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

/// The policy of a page whose forms may end, through redirects, at `form_targets` (origins) besides this
/// one. Browsers apply `form-action` to redirects that follow a form as well.
pub fn content_security_policy(form_targets: &[String]) -> HeaderValue {
    let mut policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
                      font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
                      frame-ancestors 'none'; form-action 'self'"
        .to_owned();
    for target in form_targets {
        policy.push(' ');
        policy.push_str(target);
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
        headers.insert(header::CONTENT_SECURITY_POLICY, content_security_policy(&[]));
    }
    response
}

fn put_absent(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    if !headers.contains_key(&name) {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
