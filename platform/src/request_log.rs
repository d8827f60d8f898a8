//! One line a request, with stable fields, and nothing in it that names a person: the route's pattern
//! instead of the URL, no query, no body, no address. See `docs/LOGGING.md`.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, header::HeaderName};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;
use tracing_subscriber::EnvFilter;

use crate::metrics::Metrics;
use crate::random::Random;

/// The response header that carries the request's identifier, to quote to the operator.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The identifier of the request being handled.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

tokio::task_local! {
    static CURRENT: String;
}

/// The identifier of the request that this task handles; nothing in a job or a command.
pub fn current_request() -> Option<String> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Starts logging to standard output: JSON lines, or plain lines for a person who watches.
pub fn start(json: bool, level: &str) {
    let filter = EnvFilter::try_new(format!("{level},sqlx=warn,hyper=warn"))
        .unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_target(false);
    // A second start (several servers in one test process) keeps the first one's settings.
    let _ = if json {
        // `span` holds the request that a line belongs to.
        lines.json().flatten_event(true).with_span_list(false).try_init()
    } else {
        lines.compact().try_init()
    };
}

/// What the log needs of a server.
#[derive(Clone, Debug)]
pub struct RequestLog {
    pub random: Random,
    /// Absent where nobody reads them.
    pub metrics: Option<Metrics>,
}

/// Logs and counts each request once, when it has been answered.
pub async fn log(
    State(RequestLog { random, metrics }): State<RequestLog>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = random.id();
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = name_of(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "(none)".to_owned(), |path| path.as_str().to_owned());
    let started = Instant::now();
    // An error span, so that lines of every level carry it, whatever `log.level` is.
    let span = tracing::error_span!("handling", request = %id);
    let mut response = CURRENT.scope(id.clone(), next.run(request)).instrument(span).await;
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    if let Some(metrics) = metrics {
        metrics.request(method, &route, status, elapsed.as_secs_f64());
    }
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    if status >= 500 {
        tracing::error!(request = %id, method, %route, status, millis, "request");
    } else {
        tracing::info!(request = %id, method, %route, status, millis, "request");
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// A method, from a closed list: anybody may make methods up, and each would be a series of its own for ever.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
