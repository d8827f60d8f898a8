//! What requests came to, counted by what happened and not by status: a sign-in that fails here is a redirect like one that
//! succeeds. Labels come from closed lists and from the configuration; never a person, and nothing that a stranger chose.

use platform::metrics::Tally;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SignIn {
    portal: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ClientRequest {
    endpoint: &'static str,
    client: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfAlgorithm {
    alg: String,
}

/// The counters of one node; clones share them.
#[derive(Clone, Debug)]
pub struct Outcomes {
    sign_ins: Family<SignIn, Counter>,
    tries: Tally,
    client_requests: Family<ClientRequest, Counter>,
    error_pages: Tally,
    failures: Tally,
    password_queue: Gauge,
    key_age: Family<OfAlgorithm, Gauge>,
}

impl Outcomes {
    /// With a series at zero for what alerts are about: a series that begins with its first failure has no rate.
    pub fn of<'a>(portals: impl Iterator<Item = &'a str>, clients: impl Iterator<Item = &'a str>) -> Self {
        let outcomes = Self {
            sign_ins: Family::default(),
            tries: Tally::of("outcome", &["wrong_password", "locked"]),
            client_requests: Family::default(),
            error_pages: Tally::of("outcome", &[]),
            failures: Tally::of("cause", &["database", "redis", "busy", "full", "other"]),
            password_queue: Gauge::default(),
            key_age: Family::default(),
        };
        for portal in portals {
            for outcome in ["signed_in", "server_error"] {
                let labels = SignIn { portal: portal.to_owned(), outcome };
                drop(outcomes.sign_ins.get_or_create(&labels));
            }
        }
        for client in clients {
            let labels = ClientRequest { endpoint: "token", client: client.to_owned(), outcome: "ok" };
            drop(outcomes.client_requests.get_or_create(&labels));
        }
        outcomes
    }

    /// Makes them part of what a server shows.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("sign_ins", "Answers to portals that asked for a sign-in", self.sign_ins.clone());
        let help = "What went wrong on the way: passwords, codes, locks";
        self.tries.register(registry, "sign_in_tries_refused", help);
        let help = "Requests that clients sent themselves, by what came of them";
        registry.register("client_requests", help, self.client_requests.clone());
        self.error_pages.register(registry, "error_pages", "Pages on which it does not go on");
        let help = "Requests and jobs that failed because of this server or what it depends on";
        self.failures.register(registry, "failures", help);
        let help = "Passwords that wait for a thread or are being hashed";
        registry.register("password_queue", help, self.password_queue.clone());
        let help = "For how long the key has signed";
        registry.register("signing_key_age_seconds", help, self.key_age.clone());
    }

    /// A portal got its answer: `signed_in`, `signed_in_silently`, or an error of the protocol.
    pub fn sign_in(&self, portal: &str, outcome: &'static str) {
        self.sign_ins.get_or_create(&SignIn { portal: portal.to_owned(), outcome }).inc();
    }

    /// Somebody typed what was not accepted.
    pub fn refused_try(&self, outcome: &'static str) {
        self.tries.inc(outcome);
    }

    /// A client of the configuration (or `other`) got its answer: `ok`, or an error of the protocol.
    pub fn client_request(&self, endpoint: &'static str, client: &str, outcome: &'static str) {
        let labels = ClientRequest { endpoint, client: client.to_owned(), outcome };
        self.client_requests.get_or_create(&labels).inc();
    }

    /// Somebody saw a page that leads no further; `outcome` is its name.
    pub fn error_page(&self, outcome: &'static str) {
        self.error_pages.inc(outcome);
    }

    /// Something failed that should not: `database`, `redis`, `busy`, `full` or `other`.
    pub fn failure(&self, cause: &'static str) {
        self.failures.inc(cause);
    }

    /// How many passwords wait.
    pub fn password_queue(&self, waiting: usize) {
        self.password_queue.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }

    /// For how many seconds the key of an algorithm has signed.
    pub fn key_age(&self, alg: &str, seconds: i64) {
        self.key_age.get_or_create(&OfAlgorithm { alg: alg.to_owned() }).set(seconds);
    }
}
