//! What follows from a delivery report. A message that was accepted and not delivered goes out again through the next
//! gateway, while its code is of use; everything that is late, repeated or out of order changes nothing.

use super::sms::{Fault, Incoming, Status};
use super::{Delivery, Kind, Ways, retry};
use crate::store::Result;
use crate::store::sms::{SmsStage, SmsState};

/// What a report came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    /// There is no gateway of this name, or none that reports.
    Nowhere,
    /// Nothing proves that it is the gateway's.
    Forged,
    Malformed,
    /// No message of this reference was ever given to this gateway.
    Unknown,
    /// The gateway may have the message, but its answer is not written down yet: it may say so again.
    Early,
    /// Told before, too late, or of a gateway whose turn is over.
    NoEffect,
    Underway,
    Delivered,
    SentAgain,
    GivenUp,
}

impl Reported {
    fn name(self) -> &'static str {
        match self {
            Self::Nowhere => "nowhere",
            Self::Forged => "forged",
            Self::Malformed => "malformed",
            Self::Unknown => "unknown",
            Self::Early => "early",
            Self::NoEffect => "no_effect",
            Self::Underway => "underway",
            Self::Delivered => "delivered",
            Self::SentAgain => "sent_again",
            Self::GivenUp => "given_up",
        }
    }
}

impl Delivery {
    /// Takes a delivery report that came in for a gateway.
    pub async fn report(&self, gateway: &str, incoming: &Incoming) -> Result<Reported> {
        let Ways::Real { sms, .. } = &self.0.ways else { return Ok(Reported::Nowhere) };
        let Some(from) = sms.get(gateway).filter(|gateway| gateway.reports()) else {
            return Ok(Reported::Nowhere);
        };
        let now = self.0.store.clock.now();
        let reported = match from.read(incoming, now) {
            Err(Fault::Forged) => Reported::Forged,
            Err(Fault::Malformed) => Reported::Malformed,
            Ok(report) => self.apply(gateway, &report.reference, report.status).await?,
        };
        self.0.metrics.report(gateway, reported.name());
        match reported {
            Reported::Forged | Reported::Malformed | Reported::Unknown => {
                tracing::warn!(gateway, outcome = reported.name(), "delivery report");
            }
            Reported::GivenUp => tracing::error!(gateway, outcome = reported.name(), "delivery report"),
            _ => tracing::info!(gateway, outcome = reported.name(), "delivery report"),
        }
        Ok(reported)
    }

    async fn apply(&self, gateway: &str, reference: &str, status: Status) -> Result<Reported> {
        let store = &self.0.store;
        // Whoever changes the row in between, a worker or another report, has moved it on: it is looked at anew.
        for _ in 0..5 {
            let Some(state) = store.sms_state(reference).await? else { return Ok(Reported::Unknown) };
            let mut reported = self.consequence(gateway, &state, status);
            let again = match reported {
                // It is paid for once more.
                Reported::SentAgain => self.0.budget.take_again().await,
                _ => None,
            };
            if reported == Reported::SentAgain && again.is_none() {
                reported = Reported::GivenUp;
            }
            let is_written = match reported {
                Reported::Delivered => store.sms_reported_delivered(reference, &state).await?,
                Reported::SentAgain => store.sms_reported_failed(reference, &state).await?,
                Reported::GivenUp => store.sms_reported_lost(reference, &state).await?,
                _ => true,
            };
            if is_written {
                return Ok(reported);
            }
            if let Some(again) = again {
                self.0.budget.give_back(again).await;
            }
        }
        Ok(Reported::Early)
    }

    /// Decides by the row alone.
    fn consequence(&self, gateway: &str, state: &SmsState, status: Status) -> Reported {
        let Ways::Real { sms, .. } = &self.0.ways else { return Reported::Nowhere };
        if !state.gateways.iter().any(|taken_by| taken_by == gateway) {
            return if state.stage == SmsStage::Sending { Reported::Early } else { Reported::Unknown };
        }
        let is_last = state.gateways.last().is_some_and(|last| last == gateway);
        match (status, state.stage) {
            (Status::Underway, _) => Reported::Underway,
            (_, SmsStage::Done) => Reported::NoEffect,
            // Also if it comes from one whose network was slow and had been given up.
            (Status::Delivered, _) => Reported::Delivered,
            (Status::Failed, SmsStage::Accepted) if is_last => {
                let age = self.0.store.clock.now().since(state.created_at);
                if age < retry::max_age(Kind::Sms) && sms.is_left(&state.gateways) {
                    Reported::SentAgain
                } else {
                    Reported::GivenUp
                }
            }
            (Status::Failed, _) => Reported::NoEffect,
        }
    }
}
