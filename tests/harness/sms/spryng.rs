//! Spryng's REST API version 1, as <https://docs.spryngsms.com/> has it.

use axum::http::Method;
use serde_json::json;

use super::{Answer, Play, Request, SmsGateway, SmsReport, Text, Told, text};

pub(super) const PATH: &str = "/v1/messages";

pub(super) fn read(request: &Request) -> Result<Text, String> {
    let body = request.json(PATH, &format!("Bearer {}", SmsGateway::TOKEN))?;
    let read = Text {
        number: text(&body["recipients"][0]),
        content: text(&body["body"]),
        reference: text(&body["reference"]),
        report_url: None,
    };
    let documented = json!({ "body": read.content, "encoding": "auto", "originator": SmsGateway::SENDER,
        "recipients": [read.number], "reference": read.reference, "route": "business" });
    if body != documented || !read.number.starts_with("31") {
        return Err(format!("{body}"));
    }
    Ok(read)
}

pub(super) fn answer(play: Option<&Play>, text: &Text) -> Answer {
    match play {
        Some(Play::Error(status, _)) => (*status, json!({ "message": format!("No {}", SmsGateway::TOKEN) })),
        Some(Play::Rejected(_)) => {
            let error = format!("{} is not a valid phone number.", text.number);
            (422, json!({ "message": "The given data was invalid.", "errors": { "recipients.0": [error] } }))
        }
        _ => (
            200,
            json!({ "id": "9dbc5ffb-7524-4fae-9514-51decd94a44f", "encoding": "plain", "originator": "Voordeur",
                "body": text.content, "reference": text.reference, "credits": 1, "links": {} }),
        ),
    }
}

/// A GET of the one address of the account, which holds the secret.
pub(super) fn report(url: &str, text: &Text, told: Told) -> SmsReport {
    let (status, reason) = match told {
        Told::Underway => ("15", "1"),
        Told::Delivered => ("10", "0"),
        Told::Failed => ("20", "22"),
    };
    let secret = SmsGateway::REPORT_SECRET;
    SmsReport {
        method: Method::GET,
        url: format!(
            "{url}?secret={secret}&STATUS={status}&REASONCODE={reason}&REFERENCE={}",
            text.reference
        ),
        headers: Vec::new(),
        body: String::new(),
    }
}
