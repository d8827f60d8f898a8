//! Counts of requests in the Prometheus text format, for a listener of its own. Labels are routes, methods and
//! status codes; never a person.

use std::sync::Arc;

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Request {
    method: &'static str,
    route: String,
    status: u16,
}

/// Counts by one label, whose words come from a closed list.
#[derive(Clone, Debug)]
pub struct Tally {
    label: &'static str,
    counters: Family<[(&'static str, &'static str); 1], Counter>,
}

impl Tally {
    /// At zero for each of `words`: a series that begins with its first event has no rate, so that no alert sees it.
    pub fn of(label: &'static str, words: &[&'static str]) -> Self {
        let tally = Self { label, counters: Family::default() };
        for word in words {
            drop(tally.counters.get_or_create(&[(label, *word)]));
        }
        tally
    }

    /// One more.
    pub fn inc(&self, word: &'static str) {
        self.counters.get_or_create(&[(self.label, word)]).inc();
    }

    /// Shows it.
    pub fn register(&self, registry: &mut Registry, name: &str, help: &str) {
        registry.register(name, help, self.counters.clone());
    }
}

/// The counters of one server.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Family<Request, Counter>,
    seconds: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::with(|_| ())
    }
}

impl Metrics {
    /// With those of one server besides: `register` is handed what all are shown from.
    pub fn with(register: impl FnOnce(&mut Registry)) -> Self {
        let requests = Family::default();
        // From 1 ms to about 4 s.
        let seconds = Histogram::new(exponential_buckets(0.001, 2.0, 13));
        let mut registry = Registry::default();
        registry.register("http_requests", "Requests answered", requests.clone());
        registry.register("http_request_duration_seconds", "Time to answer a request", seconds.clone());
        registry.register("build", "What runs here", Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]));
        register(&mut registry);
        Self { registry: Arc::new(registry), requests, seconds }
    }

    /// Counts a request that has been answered. Method and route come from closed lists.
    pub fn request(&self, method: &'static str, route: &str, status: u16, seconds: f64) {
        let labels = Request { method, route: route.to_owned(), status };
        self.requests.get_or_create(&labels).inc();
        self.seconds.observe(seconds);
    }

    /// All of it as the answer to a scrape.
    pub fn response(&self) -> Response {
        let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        ([(header::CONTENT_TYPE, kind)], self.text()).into_response()
    }

    /// All of it, in the OpenMetrics text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if prometheus_client::encoding::text::encode(&mut text, &self.registry).is_err() {
            text.clear();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_route_and_status() {
        let metrics = Metrics::default();
        metrics.request("GET", "/jwks", 200, 0.002);
        metrics.request("GET", "/jwks", 200, 0.002);
        let text = metrics.text();
        assert!(
            text.contains("http_requests_total{method=\"GET\",route=\"/jwks\",status=\"200\"} 2"),
            "{text}"
        );
    }
}
