//! What requests to the portal came to, counted by what happened and not by status. Labels come from closed lists; never a
//! person.

use platform::metrics::Tally;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

/// The counters of one node; clones share them.
#[derive(Clone, Debug)]
pub struct Outcomes {
    sign_ins: Counter,
    refused: Tally,
    failures: Tally,
}

impl Default for Outcomes {
    fn default() -> Self {
        Self {
            sign_ins: Counter::default(),
            refused: Tally::of("outcome", &[]),
            failures: Tally::of("cause", &["database", "redis", "provider", "clock", "other"]),
        }
    }
}

impl Outcomes {
    /// Makes them part of what a server shows.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("portal_sign_ins", "Sign-ins that ended at this portal", self.sign_ins.clone());
        self.refused.register(
            registry,
            "portal_refused",
            "Requests that ended early, by what the person saw",
        );
        let help = "Requests that failed because of this server or what it depends on";
        self.failures.register(registry, "failures", help);
    }

    /// Somebody signed in.
    pub fn signed_in(&self) {
        self.sign_ins.inc();
    }

    /// A request ended early; `outcome` is the name of its page.
    pub fn refused(&self, outcome: &'static str) {
        self.refused.inc(outcome);
    }

    /// Something failed that should not: `database`, `redis`, `provider`, `clock` or `other`.
    pub fn failure(&self, cause: &'static str) {
        self.failures.inc(cause);
    }
}
