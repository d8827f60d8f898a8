//! Spryng's REST API, version 1.
//!
//! The request is a POST of JSON to `https://rest.spryngsms.com/v1/messages` with the API key as a bearer token, as
//! <https://docs.spryngsms.com/> describes it:
//!
//! ```json
//! {"body": "...", "encoding": "auto", "originator": "Voordeur", "recipients": ["31612345678"], "reference": "...",
//!   "route": "business"}
//! ```
//!
//! It answers 200 with the message. 401 is a wrong key, 402 too little credit, 422 a parameter that is missing or
//! invalid, with a list of errors for each parameter; 429 too many requests.
//!
//! A delivery report is a GET of the one address that the account names, with `STATUS`, `REASONCODE` and `REFERENCE`:
//! 10 is delivered and 20 is not delivered, both final; anything else is not (a phone that is off). It is not signed,
//! so the address holds a secret.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::answers::{answers, refuses};
use super::gateway::{Gateway, Sms};
use super::report::{Fault, Incoming, Report, Status, only};
use crate::delivery::send_error::SendError;

pub(super) fn request(gateway: &Gateway, sms: &Sms<'_>) -> RequestBuilder {
    gateway.client.post(&gateway.url).bearer_auth(&gateway.token).json(&json!({
        "body": sms.text,
        "encoding": "auto",
        "originator": gateway.sender,
        "recipients": [sms.digits()],
        "reference": sms.reference,
        "route": "business",
    }))
}

pub(super) fn judge(status: u16, body: &str) -> Result<(), SendError> {
    let answer = serde_json::from_str::<Value>(body).unwrap_or_default();
    match status {
        200 | 201 if answer.is_object() => Ok(()),
        // Which parameter is invalid: `recipients.0`, `body`; the others are ours.
        422 => match answer["errors"].as_object() {
            Some(errors) if errors.keys().any(|key| key.starts_with("recipients") || key == "body") => {
                Err(refuses(422))
            }
            _ => Err(answers(status)),
        },
        _ => Err(answers(status)),
    }
}

pub(super) fn report(incoming: &Incoming) -> Result<Report, Fault> {
    let parameters = incoming.parameters();
    let reference = only(&parameters, "REFERENCE").ok_or(Fault::Malformed)?;
    let status = match only(&parameters, "STATUS").ok_or(Fault::Malformed)? {
        "10" => Status::Delivered,
        "20" => Status::Failed,
        _ => Status::Underway,
    };
    Report::new(reference, status)
}
