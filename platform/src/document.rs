//! Public JSON documents: the same for everybody, made once, and kept by who asks for five minutes.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::seal::sha256;

/// A document, ready to send.
#[derive(Clone, Debug)]
pub struct Document {
    json: Bytes,
    /// A strong entity tag (RFC 9110 section 8.8.3).
    etag: HeaderValue,
}

impl Document {
    /// # Errors
    /// If `content` is no JSON.
    pub fn new(content: &impl Serialize) -> serde_json::Result<Self> {
        let json = serde_json::to_string(content)?;
        let etag =
            HeaderValue::from_str(&format!("\"{}\"", sha256(&json))).map_err(serde::ser::Error::custom)?;
        Ok(Self { json: json.into(), etag })
    }

    /// The document as text.
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// The answer to a request with these headers: the document, or that it is the one that they name.
    pub fn answer(&self, asked: &HeaderMap) -> Response {
        let is_known = asked.get(header::IF_NONE_MATCH) == Some(&self.etag);
        let mut response = if is_known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let kind = HeaderValue::from_static("application/json");
            ([(header::CONTENT_TYPE, kind)], self.json.clone()).into_response()
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        // A browser client of another origin has to read it.
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_knows_it_is_told_so_and_gets_nothing() {
        let document = Document::new(&["a"]).unwrap();
        let first = document.answer(&HeaderMap::new());
        assert_eq!((first.status(), document.json()), (StatusCode::OK, &b"[\"a\"]"[..]));
        let etag = first.headers()[header::ETAG].clone();
        let asked = |tag: &HeaderValue| HeaderMap::from_iter([(header::IF_NONE_MATCH, tag.clone())]);
        let second = document.answer(&asked(&etag));
        assert_eq!((second.status(), &second.headers()[header::ETAG]), (StatusCode::NOT_MODIFIED, &etag));
        let other = Document::new(&["b"]).unwrap().answer(&asked(&etag));
        assert_eq!(other.status(), StatusCode::OK);
    }
}
