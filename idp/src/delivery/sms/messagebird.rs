//! MessageBird's (Bird's) SMS Messaging API.
//!
//! The request is a POST of JSON to `https://rest.messagebird.com/messages` with `Authorization: AccessKey ...`, as
//! <https://developers.messagebird.com/api/sms-messaging/> describes it:
//!
//! ```json
//! {"originator": "Voordeur", "recipients": ["31612345678"], "body": "...", "datacoding": "auto", "validity": 600,
//!   "reference": "...", "reportUrl": "https://..."}
//! ```
//!
//! It answers 201 with the message, or with `{"errors": [{"code": 9, "description": "...", "parameter": "recipients"}]}`.
//! Codes: 2 request not allowed, 9 missing and 10 invalid parameter, 20 not found, 21 bad request, 25 balance too
//! low, 98 and 99 trouble of theirs.
//!
//! A status report is a GET of `reportUrl` with `id`, `reference`, `recipient`, `status` (scheduled, sent, buffered,
//! delivered, expired, delivery_failed) and more. It is signed: <https://developers.messagebird.com/docs/verify-http-requests>
//! has a JWT in `MessageBird-Signature-JWT` under the signing key, whose issuer is `MessageBird`, and which names the
//! SHA-256 of the URL and of the body, if there is one, and the time in which it is valid.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use platform::clock::Timestamp;
use platform::seal;
use reqwest::RequestBuilder;
use reqwest::header::AUTHORIZATION;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answers::{answers, refuses, troubled, validity};
use super::gateway::{Gateway, Sms};
use super::report::{Fault, Incoming, Report, Status, only};
use crate::delivery::send_error::SendError;
use crate::protocol::jose::Unverified;

/// How far their clock may be from ours, in seconds.
const SKEW: i64 = 5;

pub(super) fn request(gateway: &Gateway, sms: &Sms<'_>) -> RequestBuilder {
    let mut body = json!({
        "originator": gateway.sender,
        "recipients": [sms.digits()],
        "body": sms.text,
        "datacoding": "auto",
        "validity": validity(),
        "reference": sms.reference,
    });
    if gateway.reports() {
        body["reportUrl"] = gateway.report_url.as_str().into();
    }
    let key = format!("AccessKey {}", gateway.token);
    gateway.client.post(&gateway.url).header(AUTHORIZATION, key).json(&body)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Errors {
    errors: Vec<Error>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Error {
    code: i64,
    parameter: Option<String>,
}

pub(super) fn judge(status: u16, body: &str) -> Result<(), SendError> {
    if (200..300).contains(&status) {
        let is_message = serde_json::from_str::<Value>(body).is_ok_and(|answer| answer["id"].is_string());
        return if is_message { Ok(()) } else { Err(answers(status)) };
    }
    let errors = serde_json::from_str::<Errors>(body).unwrap_or_default().errors;
    let Some(error) = errors.first() else { return Err(answers(status)) };
    let is_of_message = matches!(error.parameter.as_deref(), Some("recipient" | "recipients" | "body"));
    Err(match error.code {
        code @ (9 | 10 | 21) if is_of_message => refuses(code),
        code => troubled(code),
    })
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    nbf: i64,
    exp: i64,
    url_hash: String,
    payload_hash: Option<String>,
}

pub(super) fn prove(key: &str, incoming: &Incoming, now: Timestamp) -> Result<(), Fault> {
    let signature = incoming.header("messagebird-signature-jwt");
    let verified = Unverified::parse(signature).and_then(|token| token.verify_shared(key.as_bytes()));
    let claims = Value::Object(verified.map_err(|_| Fault::Forged)?);
    let claims: Claims = serde_json::from_value(claims).map_err(|_| Fault::Forged)?;
    let body = (!incoming.body.is_empty()).then(|| sha256_hex(&incoming.body));
    let is_ours = claims.iss == "MessageBird"
        && (claims.nbf.saturating_sub(SKEW)..=claims.exp.saturating_add(SKEW)).contains(&now.seconds())
        && seal::same(&claims.url_hash, &sha256_hex(incoming.url.as_bytes()))
        && claims.payload_hash == body;
    if is_ours { Ok(()) } else { Err(Fault::Forged) }
}

fn sha256_hex(bytes: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

pub(super) fn report(incoming: &Incoming) -> Result<Report, Fault> {
    let parameters = incoming.parameters();
    let reference = only(&parameters, "reference").ok_or(Fault::Malformed)?;
    let status = match only(&parameters, "status").ok_or(Fault::Malformed)? {
        "delivered" => Status::Delivered,
        "delivery_failed" | "expired" => Status::Failed,
        _ => Status::Underway,
    };
    Report::new(reference, status)
}
