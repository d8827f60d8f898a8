//! The second of two clicks ends where the first one did. A form that must not be carried out twice carries a mark of the page
//! that showed it (`ui.once`): the same form with the same content from the same page is one form, however often it comes.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::ephemeral::Ephemeral;
use crate::rate_limiter::RateLimiter;
use crate::request::{Fields, RequestContext};
use crate::seal::{RootKey, Sealer, sha256};

/// The field with the mark.
pub const FIELD: &str = "once";

/// How long a second click is known: as long as somebody waits who thinks that nothing happened.
const REMEMBERED: Duration = Duration::from_mins(1);
/// How long the second one waits for the first at each look; afterwards it is carried out itself.
const WAITS: [u64; 8] = [50, 100, 150, 300, 500, 1000, 1500, 2000];

/// Where answers are remembered.
pub struct Once {
    ephemeral: Ephemeral,
    /// An address may name what its holder alone should know.
    sealer: Sealer,
    /// The largest form, in bytes.
    largest: usize,
    /// Who sends more than this is answered without it: it writes a row for each form, before anybody has looked at it.
    flood: RateLimiter,
}

impl Once {
    /// `posts_per_minute` as the forms themselves have it; `largest` is the largest one, in bytes.
    pub fn new(ephemeral: Ephemeral, root: &RootKey, posts_per_minute: u32, largest: usize) -> Self {
        let flood = RateLimiter::per_minute(posts_per_minute);
        Self { ephemeral, sealer: root.sealer("answer"), largest, flood }
    }

    /// Forgets addresses that have been quiet.
    pub fn sweep(&self) {
        self.flood.sweep();
    }
}

/// Answers the second of two equal forms as the first, if that one was answered by a redirect that sets no cookie. What was
/// answered by a page, or failed, is done again: its handler decides then.
pub async fn answer(State(once): State<Arc<Once>>, request: Request, next: Next) -> Response {
    let is_known = |cx: &RequestContext| !cx.browser_is_new && once.flood.check(cx.address).is_ok();
    let may_be = request.method() == Method::POST && request.extensions().get().is_some_and(is_known);
    if !may_be {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, once.largest).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let key = key(&parts.headers, parts.uri.path_and_query().map_or("", |path| path.as_str()), &bytes);
    let request = Request::from_parts(parts, Body::from(bytes));
    let Some(key) = key else { return next.run(request).await };
    if !once.ephemeral.put_new(&key, "", REMEMBERED).await.unwrap_or(true)
        && let Some(location) = once.first_answer(&key).await
    {
        return (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
    }
    let response = next.run(request).await;
    // What cannot be remembered is done again: as if there were none of this.
    let _ = match location(&response) {
        Some(location) => once.ephemeral.put(&key, &once.sealer.seal(location.as_bytes()), REMEMBERED).await,
        None => once.ephemeral.delete(&key).await,
    };
    response
}

impl Once {
    /// Where the first one ended, once it has; nothing if it ended otherwise.
    async fn first_answer(&self, key: &str) -> Option<String> {
        for wait in WAITS {
            let kept = self.ephemeral.get(key).await.ok()??;
            if !kept.value.is_empty() {
                return self.sealer.open_text(&kept.value).ok();
            }
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        None
    }
}

/// Under what a form is known: the browser with all its cookies, the address and every field.
fn key(headers: &HeaderMap, path: &str, body: &Bytes) -> Option<String> {
    let fields = Fields::parse(body).ok()?;
    fields.get(FIELD)?;
    let cookies: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    let cookies = sha256(&String::from_utf8_lossy(&cookies.concat()));
    Some(format!("once:{}", sha256(&format!("{cookies} {path} {}", String::from_utf8_lossy(body)))))
}

/// Where a response leads that gives the browser nothing.
fn location(response: &Response) -> Option<String> {
    let headers = response.headers();
    let gives =
        headers.get_all(header::SET_COOKIE).iter().any(|line| !line.as_bytes().ends_with(b"Max-Age=0"));
    let location =
        headers.get(header::LOCATION).filter(|_| response.status() == StatusCode::SEE_OTHER && !gives)?;
    location.to_str().ok().map(str::to_owned)
}
