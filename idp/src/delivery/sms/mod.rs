//! SMS through the first of several gateways that takes them. Owns the order of gateways.

mod answers;
mod cm;
mod gateway;
mod generic;
mod messagebird;
mod providers;
mod report;
mod spryng;
mod twilio;

use std::time::Duration;

use platform::clock::Clock;
use platform::config::ConfigError;

use super::breaker::{Breaker, Turn};
use super::budget::Budget;
use super::metrics::DeliveryMetrics;
use super::retry;
use super::send_error::SendError;
use crate::config::Config;

pub(super) use gateway::{Gateway, Sms};
pub(super) use report::{Fault, Status};
pub use report::{Incoming, PATH as SMS_REPORT};

/// How long a gateway may be silent where another one follows that works: people wait for this at their page.
const PATIENCE: Duration = Duration::from_secs(3);

/// The gateways in order of preference.
pub(super) struct Gateways {
    all: Vec<Gateway>,
    breaker: Breaker,
    clock: Clock,
}

impl Gateways {
    pub(super) fn new(config: &Config, clock: &Clock) -> Result<Self, ConfigError> {
        let gateways = config.sms.gateways.iter();
        let all = gateways.map(|gateway| Gateway::new(config, gateway)).collect::<Result<_, _>>()?;
        let (first, longest) = retry::gateway_pauses();
        Ok(Self { all, breaker: Breaker::new(first, longest), clock: clock.clone() })
    }

    pub(super) fn get(&self, id: &str) -> Option<&Gateway> {
        self.all.iter().find(|gateway| gateway.id == id)
    }

    /// Whether there is one that did not take a message yet.
    pub(super) fn is_left(&self, taken_by: &[String]) -> bool {
        self.all.iter().any(|gateway| !taken_by.contains(&gateway.id))
    }

    /// Asks one gateway after the other, without those that took the message before and did not deliver it; which one
    /// takes it now. One that failed a moment ago is passed over, unless no other is there to ask. A number that one
    /// refuses for good may be known to the next. One that was silent for too long may deliver it all the same, and then
    /// the person gets it twice: better than not at all, but it is paid for twice, and counted so.
    pub(super) async fn send(
        &self,
        sms: &Sms<'_>,
        taken_by: &[String],
        metrics: &DeliveryMetrics,
        budget: &Budget,
    ) -> Result<&Gateway, SendError> {
        let left: Vec<&Gateway> = self.all.iter().filter(|gateway| !taken_by.contains(&gateway.id)).collect();
        let mut errors = Vec::new();
        let mut again = None;
        for is_early in [false, true] {
            if !errors.is_empty() {
                break;
            }
            for (place, gateway) in left.iter().enumerate() {
                let turn = if is_early {
                    self.breaker.early_turn(&gateway.id)
                } else {
                    self.breaker.turn(&gateway.id, self.clock.now())
                };
                let Some(turn) = turn else { continue };
                if again.is_none() && matches!(errors.last(), Some((_, SendError::Uncertain(_)))) {
                    again = budget.take_again().await;
                    if again.is_none() {
                        return Err(SendError::Later("the day's budget is used up".into()));
                    }
                }
                let follows = left[place + 1..].iter().any(|next| self.breaker.works(&next.id));
                match self.ask(gateway, sms, follows, turn).await {
                    Ok(()) => {
                        metrics.sent(&gateway.id);
                        return Ok(gateway);
                    }
                    Err(error) => {
                        metrics.failed(&gateway.id);
                        // Also told where the next one makes up for it: the operator has something to repair.
                        tracing::warn!(gateway = gateway.id, %error, "the SMS gateway did not take a message");
                        errors.push((gateway.id.as_str(), error));
                    }
                }
            }
        }
        if let Some(again) = again {
            budget.give_back(again).await;
        }
        Err(summary(&errors, left.is_empty()))
    }

    /// Asks one gateway. Where another one `follows` that works, nobody waits long for an answer.
    async fn ask(
        &self,
        gateway: &Gateway,
        sms: &Sms<'_>,
        follows: bool,
        turn: Turn<'_>,
    ) -> Result<(), SendError> {
        let sent = if follows {
            let silent = || SendError::Uncertain("no answer in time".into());
            tokio::time::timeout(PATIENCE, gateway.send(sms)).await.unwrap_or_else(|_| Err(silent()))
        } else {
            gateway.send(sms).await
        };
        match &sent {
            // One that refuses a number works.
            Ok(()) | Err(SendError::Never(_)) => turn.worked(),
            Err(SendError::Later(_) | SendError::Uncertain(_)) => turn.failed(self.clock.now()),
        }
        sent
    }
}

/// What the answers of all that were asked come to.
fn summary(errors: &[(&str, SendError)], none_is_left: bool) -> SendError {
    if none_is_left {
        return SendError::Never("no gateway is left to try".into());
    }
    if errors.is_empty() {
        return SendError::Later(
            "the SMS gateways fail; another message tries whether they work again".into(),
        );
    }
    let texts: Vec<String> = errors.iter().map(|(id, error)| format!("{id}: {error}")).collect();
    let text = texts.join("; ");
    if errors.iter().all(|(_, error)| matches!(error, SendError::Never(_))) {
        SendError::Never(text)
    } else {
        SendError::Later(text)
    }
}
