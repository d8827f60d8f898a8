//! SMS through the first of several gateways that takes them. Owns the order of gateways and what their answers have in
//! common; each provider's request, answers and reports are in a file of its own.

mod cm;
mod generic;
mod messagebird;
mod report;
mod spryng;
mod twilio;

use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use web::clock::Clock;
use web::config::ConfigError;

use super::breaker::{Breaker, Turn};
use super::budget::Budget;
use super::logout::unreachable;
use super::metrics::DeliveryMetrics;
use super::{SendError, retry};
use crate::config::{self, Config, SmsGatewayKind, SmsRequest};
use crate::path;
use crate::store::outbox::Kind;

pub use report::Incoming;
pub(super) use report::{Fault, Report, Status};

/// Shorter ones can be guessed by who may try for years.
const SHORTEST_SECRET: usize = 32;

/// How long a gateway may be silent where another one follows that works: people wait for this at their page.
const PATIENCE: Duration = Duration::from_secs(3);

/// A message on its way to a gateway.
pub(super) struct Sms<'a> {
    /// Ours, letters and digits; delivery reports name it.
    pub reference: &'a str,
    /// In the form of E.164.
    pub to: &'a str,
    pub text: &'a str,
}

impl Sms<'_> {
    /// The number without its `+`.
    fn digits(&self) -> &str {
        self.to.trim_start_matches('+')
    }
}

/// One gateway, ready to send.
pub(super) struct Gateway {
    pub id: String,
    kind: SmsGatewayKind,
    client: Client,
    url: String,
    /// Twilio's Account SID, else empty.
    account: String,
    /// Empty if a generic gateway wants none.
    token: String,
    sender: String,
    request: SmsRequest,
    /// Where its delivery reports come in.
    report_url: String,
    /// What proves them; `None` if none are expected.
    report_secret: Option<String>,
}

impl Gateway {
    fn new(config: &Config, gateway: &config::SmsGateway) -> Result<Self, ConfigError> {
        let key = |name: &str| format!("sms.gateway.{name} of {}", gateway.id);
        let reveal = |secret: &Option<_>, name: &str| {
            secret.as_ref().map(|secret| config.reveal(secret, &key(name))).transpose()
        };
        let token = reveal(&gateway.token, "token")?.unwrap_or_default();
        // It is sent in a header.
        if HeaderValue::from_str(&token).is_err() {
            let advice = "it holds signs that no header may; write what the gateway gave you, on one line";
            return Err(ConfigError::refused(&config.path, &key("token"), "(hidden)", advice));
        }
        let report_secret = match gateway.kind {
            SmsGatewayKind::Twilio => Some(token.clone()),
            _ => reveal(&gateway.report_secret, "report_secret")?,
        };
        let is_ours = !matches!(gateway.kind, SmsGatewayKind::Twilio | SmsGatewayKind::MessageBird);
        if is_ours && report_secret.as_ref().is_some_and(|secret| secret.len() < SHORTEST_SECRET) {
            let advice = "write 32 characters or more; make one with: openssl rand -hex 32";
            return Err(ConfigError::refused(&config.path, &key("report_secret"), "(hidden)", advice));
        }
        let url = gateway.url();
        let client = Client::builder()
            .timeout(Duration::from_secs(u64::from(gateway.timeout_seconds)))
            .redirect(Policy::none())
            .build()
            .map_err(|error| {
                let advice = format!("no HTTPS client can be made: {error}");
                ConfigError::refused(&config.path, &key("url"), &url, advice)
            })?;
        Ok(Self {
            id: gateway.id.clone(),
            kind: gateway.kind,
            client,
            url,
            account: gateway.account.clone().unwrap_or_default(),
            token,
            sender: gateway.sender.clone().unwrap_or_else(|| config.sms.sender.clone()),
            request: gateway.request.clone().unwrap_or_default(),
            report_url: format!("{}{}", config.issuer, path::SMS_REPORT.replace("{gateway}", &gateway.id)),
            report_secret,
        })
    }

    /// Whether a delivery report may follow on an acceptance.
    pub(super) fn reports(&self) -> bool {
        self.report_secret.is_some()
    }

    async fn send(&self, sms: &Sms<'_>) -> Result<(), SendError> {
        let answer = self.request(sms).send().await.map_err(|error| unreachable(&error))?;
        let status = answer.status().as_u16();
        let body = answer.text().await.unwrap_or_default();
        self.judge(status, &body)
    }

    fn request(&self, sms: &Sms<'_>) -> RequestBuilder {
        match self.kind {
            SmsGatewayKind::Cm => cm::request(self, sms),
            SmsGatewayKind::Spryng => spryng::request(self, sms),
            SmsGatewayKind::MessageBird => messagebird::request(self, sms),
            SmsGatewayKind::Twilio => twilio::request(self, sms),
            SmsGatewayKind::Generic => generic::request(self, sms),
        }
    }

    /// What an answer means. Its texts repeat the number, so none of them gets into an error.
    fn judge(&self, status: u16, body: &str) -> Result<(), SendError> {
        match self.kind {
            SmsGatewayKind::Cm => cm::judge(status, body),
            SmsGatewayKind::Spryng => spryng::judge(status, body),
            SmsGatewayKind::MessageBird => messagebird::judge(status, body),
            SmsGatewayKind::Twilio => twilio::judge(status, body),
            SmsGatewayKind::Generic => generic::judge(&self.request, status, body),
        }
    }
}

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

/// How long a network may keep trying, in seconds: no longer than what it delivers is of use.
fn validity() -> u64 {
    retry::max_age(Kind::Sms).as_secs()
}

/// The gateway answered something that says nothing about the message.
fn answers(status: u16) -> SendError {
    SendError::Later(format!("the SMS gateway answers {status}"))
}

/// The gateway did not take the message, by its own code.
fn refuses(code: i64) -> SendError {
    SendError::Never(format!("the SMS gateway refuses the message ({code})"))
}

/// Something is wrong at the gateway or with the account there, by its own code.
fn troubled(code: i64) -> SendError {
    SendError::Later(format!("the SMS gateway reports error {code}"))
}
