//! What requests to the portal came to, counted by what happened and not by status. Labels come from closed lists; never a
//! person.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Cause {
    cause: &'static str,
}

/// The counters of one node; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Outcomes {
    sign_ins: Counter,
    refused: Family<Outcome, Counter>,
    failures: Family<Cause, Counter>,
}

impl Outcomes {
    /// With a series at zero for each cause: a series that begins with its first failure has no rate.
    pub fn new() -> Self {
        let outcomes = Self::default();
        for cause in ["database", "redis", "provider", "clock", "other"] {
            drop(outcomes.failures.get_or_create(&Cause { cause }));
        }
        outcomes
    }

    /// Makes them part of what a server shows.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("portal_sign_ins", "Sign-ins that ended at this portal", self.sign_ins.clone());
        let help = "Requests that ended early, by what the person saw";
        registry.register("portal_refused", help, self.refused.clone());
        let help = "Requests that failed because of this server or what it depends on";
        registry.register("failures", help, self.failures.clone());
    }

    /// Somebody signed in.
    pub fn signed_in(&self) {
        self.sign_ins.inc();
    }

    /// A request ended early; `outcome` is the name of its page.
    pub fn refused(&self, outcome: &'static str) {
        self.refused.get_or_create(&Outcome { outcome }).inc();
    }

    /// Something failed that should not: `database`, `redis`, `provider`, `clock` or `other`.
    pub fn failure(&self, cause: &'static str) {
        self.failures.get_or_create(&Cause { cause }).inc();
    }
}
