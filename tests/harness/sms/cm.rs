//! CM.com, as <https://developers.cm.com/messaging/docs/integration> has it.

use axum::http::Method;
use serde_json::{Value, json};

use super::{Answer, Play, Request, SmsGateway, SmsReport, Text, Told, text};

pub(super) const PATH: &str = "/v1.0/message";

pub(super) fn read(request: &Request) -> Result<Text, String> {
    let body = request.json(PATH, "")?;
    let message = &body["messages"]["msg"][0];
    let read = Text {
        number: text(&message["to"][0]["number"]),
        content: text(&message["body"]["content"]),
        reference: text(&message["reference"]),
        report_url: None,
    };
    let documented = json!({ "messages": {
        "authentication": { "productToken": SmsGateway::TOKEN },
        "msg": [{
            "allowedChannels": ["SMS"],
            "from": SmsGateway::SENDER,
            "to": [{ "number": read.number }],
            "body": { "type": "AUTO", "content": read.content },
            "reference": read.reference,
        }],
    } });
    if body != documented || !read.number.starts_with("0031") {
        return Err(format!("{body}"));
    }
    Ok(read)
}

pub(super) fn answer(play: Option<&Play>, text: &Text) -> Answer {
    let message = |status: &str, details: Value, code: i64| {
        json!([{ "to": text.number, "status": status, "reference": text.reference, "parts": 1,
            "messageDetails": details, "messageErrorCode": code }])
    };
    match play {
        Some(Play::Error(status, code)) => {
            // As a gateway words it, with what it should not say aloud.
            let details = format!("Refused {} for token {}", text.number, SmsGateway::TOKEN);
            (*status, json!({ "details": details, "errorCode": code, "messages": [] }))
        }
        Some(Play::Rejected(code)) => {
            let details = format!("Gsm '{}' is not a number.", text.number);
            let messages = message("Rejected", json!(details), *code);
            (400, json!({ "details": "Created 0 message(s)", "errorCode": 201, "messages": messages }))
        }
        _ => {
            let messages = message("Accepted", Value::Null, 0);
            (200, json!({ "details": "Created 1 message(s)", "errorCode": 0, "messages": messages }))
        }
    }
}

/// <https://developers.cm.com/messaging/docs/incoming-status-report>, at an address that holds the secret.
pub(super) fn report(url: &str, text: &Text, told: Told) -> SmsReport {
    let (code, error) = match told {
        Told::Underway => ("0", ""),
        Told::Delivered => ("2", ""),
        Told::Failed => ("3", "5"),
    };
    let body = json!({ "messages": { "msg": {
        "received": "2026-11-18T11:06:40", "to": text.number, "reference": text.reference,
        "status": { "code": code, "errorCode": error, "errorDescription": "" }, "operator": "20408",
    } } });
    SmsReport {
        method: Method::POST,
        url: format!("{url}?secret={}", SmsGateway::REPORT_SECRET),
        headers: vec![("content-type", "application/json".into())],
        body: body.to_string(),
    }
}
