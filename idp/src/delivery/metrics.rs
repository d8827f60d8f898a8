//! What is counted of messages. Labels are kinds, gateways and outcomes; never a person.

use std::time::Duration;

use platform::metrics::Tally;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Kind;
use super::smtp::Reason;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfKind {
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfGateway {
    gateway: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfReport {
    gateway: String,
    outcome: &'static str,
}

/// The counters of one node; clones share them.
#[derive(Clone, Debug)]
pub struct DeliveryMetrics {
    oldest: Family<OfKind, Gauge>,
    sent: Family<OfGateway, Counter>,
    failed: Family<OfGateway, Counter>,
    reports: Family<OfReport, Counter>,
    mail_sent: Counter,
    mail_failed: Tally,
    given_up: Tally,
    budget_used: Gauge,
    budget_limit: Gauge,
}

impl Default for DeliveryMetrics {
    fn default() -> Self {
        Self {
            oldest: Family::default(),
            sent: Family::default(),
            failed: Family::default(),
            reports: Family::default(),
            mail_sent: Counter::default(),
            mail_failed: Tally::of("reason", &Reason::ALL.map(Reason::name)),
            given_up: Tally::of("kind", &Kind::ALL.map(Kind::name)),
            budget_used: Gauge::default(),
            budget_limit: Gauge::default(),
        }
    }
}

impl DeliveryMetrics {
    /// Makes them part of what a server shows.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Age of the oldest message that waits for delivery";
        registry.register("outbox_oldest_age_seconds", help, self.oldest.clone());
        registry.register("sms_sent", "SMS that a gateway accepted", self.sent.clone());
        registry.register("sms_failed", "SMS that a gateway did not accept", self.failed.clone());
        registry.register("sms_reports", "Delivery reports by what they came to", self.reports.clone());
        registry.register("mail_sent", "Mails that the mail server took", self.mail_sent.clone());
        let help =
            "Attempts at a mail that failed, by what was wrong: connection, busy, server, address or silence";
        self.mail_failed.register(registry, "mail_failed", help);
        self.given_up.register(registry, "messages_given_up", "Messages that will not be delivered");
        let help = "One-time codes of this day, of all nodes";
        registry.register("sms_budget_used", help, self.budget_used.clone());
        registry.register("sms_budget_limit", "codes.total_per_day", self.budget_limit.clone());
    }

    pub(super) fn sent(&self, gateway: &str) {
        self.sent.get_or_create(&OfGateway { gateway: gateway.to_owned() }).inc();
    }

    pub(super) fn failed(&self, gateway: &str) {
        self.failed.get_or_create(&OfGateway { gateway: gateway.to_owned() }).inc();
    }

    pub(super) fn mail_sent(&self) {
        self.mail_sent.inc();
    }

    pub(super) fn mail_failed(&self, reason: Reason) {
        self.mail_failed.inc(reason.name());
    }

    pub(super) fn given_up(&self, kind: Kind) {
        self.given_up.inc(kind.name());
    }

    pub(super) fn report(&self, gateway: &str, outcome: &'static str) {
        self.reports.get_or_create(&OfReport { gateway: gateway.to_owned(), outcome }).inc();
    }

    /// How long the oldest message of a kind has waited.
    pub fn oldest(&self, kind: Kind, age: Duration) {
        let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        self.oldest.get_or_create(&OfKind { kind: kind.name() }).set(seconds);
    }

    /// What of the day's budget is used.
    pub fn budget(&self, used: i64, limit: i64) {
        self.budget_used.set(used);
        self.budget_limit.set(limit);
    }
}
