//! The files that pages load (style sheets, scripts, pictures): the same for everyone, kept for good under an address
//! that changes with their content, and sent compressed.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use include_dir::{Dir, include_dir};

use crate::compress::{self, gzip};
use crate::look::mark;

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../templates/assets");

static ASSETS: LazyLock<BTreeMap<String, Asset>> = LazyLock::new(|| {
    let name = |file: &include_dir::File<'_>| file.path().to_string_lossy().into_owned();
    let (styles, others): (Vec<_>, Vec<_>) =
        FILES.files().partition(|file| file.path().extension().is_some_and(|extension| extension == "css"));
    let mut assets: BTreeMap<_, _> =
        others.iter().map(|file| (name(file), Asset::new(&name(file), file.contents().into()))).collect();
    // A style sheet names pictures, so their marks stand in it, and count in its own.
    for file in styles {
        let style = file.contents_utf8().unwrap_or_default();
        let style = with_marks(style, |picture| Some(assets.get(picture)?.url(picture)));
        assets.insert(name(file), Asset::new(&name(file), style.into_bytes()));
    }
    assets
});

/// A file with what is known of it.
struct Asset {
    content: Bytes,
    /// Absent where compression makes it no smaller.
    compressed: Option<Bytes>,
    mark: String,
    kind: &'static str,
}

impl Asset {
    fn new(name: &str, content: Vec<u8>) -> Self {
        let compressed = gzip(&content).filter(|compressed| compressed.len() < content.len());
        let mark = mark(&content);
        Self { content: content.into(), compressed: compressed.map(Bytes::from), mark, kind: kind_of(name) }
    }

    fn url(&self, name: &str) -> String {
        format!("/assets/{name}?v={}", self.mark)
    }
}

fn kind_of(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

/// A style sheet with the address of each picture in place of its name.
fn with_marks(style: &str, url: impl Fn(&str) -> Option<String>) -> String {
    const START: &str = "url(\"";
    let mut parts = style.split(START);
    let mut marked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('"').unwrap_or((part, ""));
        marked.push_str(START);
        marked.push_str(&url(name).unwrap_or_else(|| name.to_owned()));
        marked.push('"');
        marked.push_str(rest);
    }
    marked
}

/// The address of a file; `None` if there is no such file.
pub fn url(name: &str) -> Option<String> {
    Some(ASSETS.get(name)?.url(name))
}

/// `GET /assets/{*path}`: anybody, always.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub async fn asset(Path(path): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.get(&path) else { return StatusCode::NOT_FOUND.into_response() };
    let (mut response, is_compressed) = match &asset.compressed {
        Some(compressed) if compress::is_accepted(&headers) => (compressed.clone().into_response(), true),
        _ => (asset.content.clone().into_response(), false),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if is_compressed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    // Under another mark it is the file of another version of this program, in a page from before or after it.
    let is_asked = query.and_then(|query| query.strip_prefix("v=").map(|asked| asked == asset.mark));
    let kept = match is_asked {
        Some(true) => "public, max-age=31536000, immutable",
        _ => "public, max-age=60",
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(url: &str, accept: &str) -> Response {
        let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
        let path = path.strip_prefix("/assets/").unwrap().to_owned();
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, accept.parse().unwrap())]);
        asset(Path(path), RawQuery(query.map(str::to_owned)), headers).await
    }

    #[tokio::test]
    async fn only_what_has_its_mark_in_the_address_is_kept_for_good() {
        let cache =
            |response: &Response| response.headers()[header::CACHE_CONTROL].to_str().unwrap().to_owned();
        for name in ASSETS.keys() {
            let good = url(name).unwrap();
            assert!(cache(&get(&good, "").await).contains("immutable"), "{name}");
            for other in [format!("/assets/{name}"), format!("{good}x"), format!("/assets/{name}?v=old")] {
                assert!(!cache(&get(&other, "").await).contains("immutable"), "{other}");
            }
        }
        assert_eq!(get("/assets/none.css", "").await.status(), StatusCode::NOT_FOUND);
        assert_eq!(url("none.css"), None);
    }

    #[test]
    fn every_picture_of_a_style_sheet_has_a_mark() {
        for (name, asset) in ASSETS.iter().filter(|(name, _)| name.rsplit('.').next() == Some("css")) {
            let style = std::str::from_utf8(&asset.content).unwrap();
            for part in style.split("url(").skip(1) {
                let picture = part.split(')').next().unwrap();
                assert!(picture.starts_with("\"/assets/") && picture.contains("?v="), "{name}: {picture}");
            }
        }
        assert_eq!(with_marks("a { b: url(\"x\") c }", |_| Some("y".into())), "a { b: url(\"y\") c }");
    }

    #[tokio::test]
    async fn the_style_sheet_is_sent_compressed_to_who_reads_that() {
        let style = url("style.css").unwrap();
        let (packed, plain) = (get(&style, "br, gzip").await, get(&style, "gzip;q=0").await);
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
        assert!(plain.headers().get(header::CONTENT_ENCODING).is_none());
        let size = async |response: Response| {
            axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().len()
        };
        assert!(size(packed).await * 3 < size(plain).await);
    }
}
