//! Twilio's Programmable Messaging.
//!
//! The request is a POST of a form with `To`, `From`, `Body`, `ValidityPeriod` and `StatusCallback` to
//! `https://api.twilio.com/2010-04-01/Accounts/{AccountSid}/Messages.json`, with Account SID and auth token as basic
//! authentication: <https://www.twilio.com/docs/messaging/api/message-resource>. It answers 201 with the message, or an
//! error as `{"code": 21211, "message": "...", "status": 400}`. Of the codes
//! (<https://www.twilio.com/docs/api/errors>) these are about recipient or text: 21211 no valid number, 21265 a short
//! code, 21602 no text, 21610 opted out, 21612 not to be reached from this sender, 21614 no mobile number, 21617 too
//! long.
//!
//! Status callbacks are POSTs of a form with `MessageSid`, `MessageStatus` and more, told at each change
//! (<https://www.twilio.com/docs/messaging/guides/track-outbound-message-status>); which message is meant, we write into
//! the query of the address that we give. They are signed
//! (<https://www.twilio.com/docs/usage/security#validating-requests>): `X-Twilio-Signature` is, in base64, the HMAC-SHA1
//! under the auth token of the whole URL and, sorted by name, each parameter's name and value. There is no time in it.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::RequestBuilder;
use serde::Deserialize;

use super::answers::{answers, refuses, troubled, validity};
use super::gateway::{Gateway, Sms};
use super::report::{Fault, Incoming, Report, Status, only, pairs};
use crate::delivery::send_error::SendError;

const REFERENCE: &str = "reference";

pub(super) fn request(gateway: &Gateway, sms: &Sms<'_>) -> RequestBuilder {
    let callback = format!("{}?{REFERENCE}={}", gateway.report_url, sms.reference);
    let form = [
        ("To", sms.to),
        ("From", &gateway.sender),
        ("Body", sms.text),
        ("ValidityPeriod", &validity().to_string()),
        ("StatusCallback", &callback),
    ];
    gateway.client.post(&gateway.url).basic_auth(&gateway.account, Some(&gateway.token)).form(&form)
}

#[derive(Debug, Deserialize)]
struct Answer {
    sid: Option<String>,
    code: Option<i64>,
}

pub(super) fn judge(status: u16, body: &str) -> Result<(), SendError> {
    match (status, serde_json::from_str::<Answer>(body)) {
        (200..300, Ok(Answer { sid: Some(_), .. })) => Ok(()),
        (400..500, Ok(Answer { code: Some(code), .. })) => Err(match code {
            21_211 | 21_265 | 21_602 | 21_610 | 21_612 | 21_614 | 21_617 => refuses(code),
            code => troubled(code),
        }),
        _ => Err(answers(status)),
    }
}

pub(super) fn prove(token: &str, incoming: &Incoming) -> Result<(), Fault> {
    let mut parameters = pairs(&incoming.body);
    parameters.sort();
    let mut signed = incoming.url.clone();
    for (name, value) in &parameters {
        signed.push_str(name);
        signed.push_str(value);
    }
    // SHA-1 is what they document; as HMAC it still stands.
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    let signature = STANDARD.decode(incoming.header("x-twilio-signature")).map_err(|_| Fault::Forged)?;
    hmac::verify(&key, signed.as_bytes(), &signature).map_err(|_| Fault::Forged)
}

pub(super) fn report(incoming: &Incoming) -> Result<Report, Fault> {
    let (query, form) = (incoming.query(), pairs(&incoming.body));
    let reference = only(&query, REFERENCE).ok_or(Fault::Malformed)?;
    let status = match only(&form, "MessageStatus").ok_or(Fault::Malformed)? {
        "delivered" | "read" => Status::Delivered,
        "failed" | "undelivered" | "canceled" => Status::Failed,
        _ => Status::Underway,
    };
    Report::new(reference, status)
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use axum::http::{HeaderMap, Method};

    use super::*;

    /// The example of <https://www.twilio.com/docs/usage/security>.
    #[test]
    fn the_documented_signature_is_accepted() {
        let mut headers = HeaderMap::new();
        headers.insert("x-twilio-signature", "0/KCTR6DLpKmkAf8muzZqo1nDgQ=".parse().unwrap());
        let body = "Digits=1234&To=%2B18005551212&From=%2B12349013030&Caller=%2B12349013030&CallSid=CA1234567890ABCDE";
        let mut incoming = Incoming {
            method: Method::POST,
            url: "https://mycompany.com/myapp.php?foo=1&bar=2".into(),
            headers,
            body: Bytes::from_static(body.as_bytes()),
        };
        assert_eq!(prove("12345", &incoming), Ok(()));
        assert_eq!(prove("12346", &incoming), Err(Fault::Forged));
        incoming.url.push('3');
        assert_eq!(prove("12345", &incoming), Err(Fault::Forged));
    }
}
