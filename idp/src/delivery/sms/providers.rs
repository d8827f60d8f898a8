//! Which provider's words a gateway speaks: each provider's request, answers and reports are in a file of its own.

use axum::http::Method;
use platform::clock::Timestamp;
use platform::seal;
use reqwest::RequestBuilder;

use super::gateway::{Gateway, Sms};
use super::report::{Fault, Incoming, Report, only};
use super::{cm, generic, messagebird, spryng, twilio};
use crate::config::SmsGatewayKind;
use crate::delivery::send_error::SendError;

/// The parameter of the report's address that holds the secret, where a gateway does not sign.
const SECRET: &str = "secret";

impl Gateway {
    pub(super) async fn send(&self, sms: &Sms<'_>) -> Result<(), SendError> {
        let answer = self.request(sms).send().await.map_err(|error| SendError::of_request(&error))?;
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

    /// Reads a report of this gateway, after its proof.
    pub(in super::super) fn read(&self, incoming: &Incoming, now: Timestamp) -> Result<Report, Fault> {
        let secret = self.report_secret.as_deref().ok_or(Fault::Forged)?;
        match self.kind {
            SmsGatewayKind::MessageBird => messagebird::prove(secret, incoming, now)?,
            SmsGatewayKind::Twilio => twilio::prove(secret, incoming)?,
            _ => prove(secret, incoming)?,
        }
        let is_get = incoming.method == Method::GET;
        match self.kind {
            SmsGatewayKind::Cm if !is_get => cm::report(incoming),
            SmsGatewayKind::Spryng => spryng::report(incoming),
            SmsGatewayKind::MessageBird => messagebird::report(incoming),
            SmsGatewayKind::Twilio if !is_get => twilio::report(incoming),
            SmsGatewayKind::Generic => generic::report(&self.request, incoming),
            _ => Err(Fault::Malformed),
        }
    }
}

/// For gateways that document no signature: whoever knows the secret in the address may report.
fn prove(secret: &str, incoming: &Incoming) -> Result<(), Fault> {
    let given = incoming.query();
    match only(&given, SECRET) {
        Some(given) if seal::same(given, secret) => Ok(()),
        _ => Err(Fault::Forged),
    }
}
