//! SMS through CM.com's Business Messaging API.
//!
//! The request is a POST of JSON to `sms.url` (`https://gw.messaging.cm.com/v1.0/message`, or
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

use std::time::Duration;

use reqwest::Client;
use reqwest::redirect::Policy;
use serde::Deserialize;
use serde_json::{Value, json};
use web::config::ConfigError;

use super::SendError;
use super::logout::unreachable;
use crate::config::{Config, SmsGatewayKind};

pub(super) struct Gateway {
    client: Client,
    url: String,
    token: String,
    sender: String,
}

/// What of the answer matters. Its texts repeat the number, so they are not read.
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

impl Gateway {
    pub(super) fn new(config: &Config) -> Result<Self, ConfigError> {
        let SmsGatewayKind::Cm = config.sms.gateway;
        let refuse = |key, value: &str, advice: &str| ConfigError::refused(&config.path, key, value, advice);
        let token = config
            .sms
            .token
            .as_ref()
            .ok_or_else(|| refuse("sms.token", "(not set)", "name the product token"))?;
        let client = Client::builder()
            .timeout(Duration::from_secs(u64::from(config.sms.timeout_seconds)))
            .redirect(Policy::none())
            .build()
            .map_err(|error| {
                refuse("sms.url", &config.sms.url, &format!("no HTTPS client can be made: {error}"))
            })?;
        Ok(Self {
            client,
            url: config.sms.url.clone(),
            token: config.reveal(token, "sms.token")?,
            sender: config.sms.sender.clone(),
        })
    }

    pub(super) async fn send(&self, id: &str, to: &str, text: &str) -> Result<(), SendError> {
        let request = self.client.post(&self.url).json(&self.body(id, to, text));
        let answer = request.send().await.map_err(|error| unreachable(&error))?;
        let status = answer.status();
        let read = answer.json::<Answer>().await.ok();
        match read {
            Some(answer) if status.is_success() || status.as_u16() == 400 => judge(&answer),
            _ => Err(SendError::Later(format!("the SMS gateway answers {}", status.as_u16()))),
        }
    }

    fn body(&self, id: &str, to: &str, text: &str) -> Value {
        // The gateway wants 00 before the country code, and a reference of letters and digits.
        let number = to.replacen('+', "00", 1);
        let reference: String = id.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
        json!({ "messages": {
            "authentication": { "productToken": self.token },
            "msg": [{
                "allowedChannels": ["SMS"],
                "from": self.sender,
                "to": [{ "number": number }],
                "body": { "type": "AUTO", "content": text },
                "reference": reference,
            }],
        } })
    }
}

fn judge(answer: &Answer) -> Result<(), SendError> {
    let of_message = answer.messages.first().map_or(0, |message| message.message_error_code);
    let code = if of_message == 0 { answer.error_code } else { of_message };
    match code {
        0 if answer.messages.is_empty() => {
            Err(SendError::Later("the SMS gateway's answer names no message".into()))
        }
        0 => Ok(()),
        // The recipient's or the text's fault; the same message would be refused again.
        302..=304 | 401..=403 => {
            Err(SendError::Never(format!("the SMS gateway refuses the message ({code})")))
        }
        // Ours, to be repaired by the operator, or the gateway's.
        _ => Err(SendError::Later(format!("the SMS gateway reports error {code}"))),
    }
}
