//! CM.com's Business Messaging API.
//!
//! The request is a POST of JSON to `https://gw.messaging.cm.com/v1.0/message` (or
//! `https://gw.cmtelecom.com/v1.0/message` without Cloudflare in between), as
//! <https://developers.cm.com/messaging/docs/integration> describes it:
//!
//! ```json
//! {"messages": {"authentication": {"productToken": "..."}, "msg": [{"allowedChannels": ["SMS"], "from": "Voordeur",
//!   "to": [{"number": "0031612345678"}], "body": {"type": "AUTO", "content": "..."}, "reference": "..."}]}}
//! ```
//!
//! The answer, by <https://developers.cm.com/messaging/docs/responses-errors-json>, has `errorCode` for the request
//! and for each message `status` and `messageErrorCode`. It comes with HTTP 200 if a message was accepted and with
//! 400 if none was. Codes: 0 accepted; 101 authentication failed, 102 balance too low, 103 wrong token; 201 some
//! messages failed (see there), 202 malformed, 203 `msg` malformed; per message 301 sender, 302 recipient, 303
//! number, 304 body, 305 other field invalid, 401 spam filter, 402 blacklisted, 403 rejected; 500 internal, 999
//! unknown. Accepted is not delivered: that is told later, in a status report.
//!
//! Status reports, by <https://developers.cm.com/messaging/docs/incoming-status-report>, are POSTs of JSON to the
//! address that the account names, and come again for days unless they are answered with success. They are not signed,
//! so the address holds a secret. The code of the status is 0 accepted, 1 rejected, 2 delivered, 3 failed, 4 read.

use reqwest::RequestBuilder;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answers::{answers, refuses, troubled};
use super::gateway::{Gateway, Sms};
use super::report::{Fault, Incoming, Report, Status};
use crate::delivery::send_error::SendError;

/// What of the answer matters.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Answer {
    error_code: i64,
    messages: Vec<MessageAnswer>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct MessageAnswer {
    message_error_code: i64,
}

pub(super) fn request(gateway: &Gateway, sms: &Sms<'_>) -> RequestBuilder {
    gateway.client.post(&gateway.url).json(&json!({ "messages": {
        "authentication": { "productToken": gateway.token },
        "msg": [{
            "allowedChannels": ["SMS"],
            "from": gateway.sender,
            // 00 before the country code.
            "to": [{ "number": format!("00{}", sms.digits()) }],
            "body": { "type": "AUTO", "content": sms.text },
            // 32 letters and digits at most.
            "reference": sms.reference,
        }],
    } }))
}

pub(super) fn judge(status: u16, body: &str) -> Result<(), SendError> {
    let answer = match serde_json::from_str::<Answer>(body) {
        Ok(answer) if status == 400 || (200..300).contains(&status) => answer,
        _ => return Err(answers(status)),
    };
    let of_message = answer.messages.first().map_or(0, |message| message.message_error_code);
    match if of_message == 0 { answer.error_code } else { of_message } {
        0 if answer.messages.is_empty() => {
            Err(SendError::Later("the SMS gateway's answer names no message".into()))
        }
        0 => Ok(()),
        code @ (302..=304 | 401..=403) => Err(refuses(code)),
        code => Err(troubled(code)),
    }
}

pub(super) fn report(incoming: &Incoming) -> Result<Report, Fault> {
    let report: Value = serde_json::from_slice(&incoming.body).map_err(|_| Fault::Malformed)?;
    let message = &report["messages"]["msg"];
    let reference = message["reference"].as_str().ok_or(Fault::Malformed)?;
    // The account's template puts the code into a text; it may have been written without the quotes.
    let code = &message["status"]["code"];
    let status = match code.as_str().map_or_else(|| code.to_string(), str::to_owned).as_str() {
        "2" | "4" => Status::Delivered,
        "1" | "3" => Status::Failed,
        "0" => Status::Underway,
        _ => return Err(Fault::Malformed),
    };
    Report::new(reference, status)
}
