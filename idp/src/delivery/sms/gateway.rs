//! One gateway as the configuration names it, and the message that it is given.

use std::time::Duration;

use platform::config::ConfigError;
use reqwest::Client;
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;

use crate::config::{self, Config, SmsGatewayKind, SmsRequest};

/// Shorter ones can be guessed by who may try for years.
const SHORTEST_SECRET: usize = 32;

/// A message on its way to a gateway.
pub(in super::super) struct Sms<'a> {
    /// Ours, letters and digits; delivery reports name it.
    pub reference: &'a str,
    /// In the form of E.164.
    pub to: &'a str,
    pub text: &'a str,
}

impl Sms<'_> {
    /// The number without its `+`.
    pub(super) fn digits(&self) -> &str {
        self.to.trim_start_matches('+')
    }
}

/// One gateway, ready to send.
pub(in super::super) struct Gateway {
    pub id: String,
    pub(super) kind: SmsGatewayKind,
    pub(super) client: Client,
    pub(super) url: String,
    /// Twilio's Account SID, else empty.
    pub(super) account: String,
    /// Empty if a generic gateway wants none.
    pub(super) token: String,
    pub(super) sender: String,
    pub(super) request: SmsRequest,
    /// Where its delivery reports come in.
    pub(super) report_url: String,
    /// What proves them; `None` if none are expected.
    pub(super) report_secret: Option<String>,
}

impl Gateway {
    pub(super) fn new(config: &Config, gateway: &config::SmsGateway) -> Result<Self, ConfigError> {
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
            report_url: format!("{}{}", config.issuer, super::report::PATH.replace("{gateway}", &gateway.id)),
            report_secret,
        })
    }

    /// Whether a delivery report may follow on an acceptance.
    pub(in super::super) fn reports(&self) -> bool {
        self.report_secret.is_some()
    }
}
