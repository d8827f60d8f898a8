//! Compression of pages. The length of a compressed page tells of what is in it: whoever can put words into it and see
//! its length can guess the rest, letter by letter (BREACH). So only pages without anything of a person are compressed:
//! those for a browser that sent no cookie. The token in their forms is a new one every time.

use std::io::Write as _;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Shorter ones fit a packet or two as they are.
const SHORTEST: usize = 1_000;
/// No page is longer.
const LONGEST: usize = 4 * 1024 * 1024;

/// `content` in the form of RFC 1952; `None` if that failed.
pub fn gzip(content: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).ok()?;
    encoder.finish().ok()
}

/// Whether a browser reads gzip (RFC 9110 section 12.5.3; a weight of zero says that it does not).
pub fn is_accepted(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|line| line.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
        is_gzip && weight.is_none_or(|weight| weight > 0.0)
    })
}

/// Compresses the pages that are nobody's.
pub async fn pages(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is_nobodys = !headers.contains_key(header::COOKIE) && !headers.contains_key(header::AUTHORIZATION);
    let may = request.method() == Method::GET && is_nobodys && is_accepted(headers);
    let response = next.run(request).await;
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if may && is_page { compressed(response).await } else { response }
}

async fn compressed(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let Ok(content) = to_bytes(body, LONGEST).await else {
        return axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let packed = if content.len() < SHORTEST { None } else { gzip(&content) };
    let Some(packed) = packed else { return Response::from_parts(head, Body::from(content)) };
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    head.headers.append(header::VARY, HeaderValue::from_static("accept-encoding, cookie"));
    Response::from_parts(head, Body::from(packed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_of_zero_is_a_no() {
        let accepts = |line: &str| {
            is_accepted(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, line.parse().unwrap())]))
        };
        for line in ["gzip", "br, gzip", "deflate, GZIP;q=0.5"] {
            assert!(accepts(line), "{line}");
        }
        for line in ["", "br", "gzip;q=0", "gzip; q=0.0", "xgzip"] {
            assert!(!accepts(line), "{line}");
        }
    }
}
