//! MessageBird, as <https://developers.messagebird.com/api/sms-messaging/> has it.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use axum::http::Method;
use jsonwebtoken::{EncodingKey, Header, encode};
use platform::clock::Timestamp;
use serde_json::json;

use super::{Answer, Play, Request, SmsGateway, SmsReport, Text, Told, text};

pub(super) const PATH: &str = "/messages";

pub(super) fn read(request: &Request) -> Result<Text, String> {
    let body = request.json(PATH, &format!("AccessKey {}", SmsGateway::TOKEN))?;
    let read = Text {
        number: text(&body["recipients"][0]),
        content: text(&body["body"]),
        reference: text(&body["reference"]),
        report_url: Some(text(&body["reportUrl"])),
    };
    let documented = json!({ "originator": SmsGateway::SENDER, "recipients": [read.number], "body": read.content,
        "datacoding": "auto", "validity": 600, "reference": read.reference, "reportUrl": read.report_url });
    if body != documented || !read.number.starts_with("31") {
        return Err(format!("{body}"));
    }
    Ok(read)
}

pub(super) fn answer(play: Option<&Play>, text: &Text) -> Answer {
    let error = |code: i64, parameter: &str| {
        let description = format!("{} of {}", text.number, SmsGateway::TOKEN);
        json!({ "errors": [{ "code": code, "description": description, "parameter": parameter }] })
    };
    match play {
        Some(Play::Error(status, code)) => (*status, error(*code, "access_key")),
        Some(Play::Rejected(code)) => (422, error(*code, "recipients")),
        _ => (
            201,
            json!({ "id": "e8077d803532c0b5937c639b60216938", "direction": "mt", "type": "sms",
                "originator": SmsGateway::SENDER, "body": text.content, "reference": text.reference,
                "recipients": { "totalCount": 1, "totalSentCount": 1, "items": [
                    { "recipient": 31_612_345_678_u64, "status": "sent" } ] } }),
        ),
    }
}

pub(super) fn report(url: &str, text: &Text, told: Told, now: Timestamp) -> SmsReport {
    assert_eq!(text.report_url.as_deref(), Some(url), "reports go where the request says");
    let status = match told {
        Told::Underway => "buffered",
        Told::Delivered => "delivered",
        Told::Failed => "delivery_failed",
    };
    let query = [
        ("id", "e8077d803532c0b5937c639b60216938"),
        ("mccmnc", "20408"),
        ("ported", "0"),
        ("recipient", &text.number),
        ("reference", &text.reference),
        ("status", status),
        ("statusDatetime", "2026-11-18T11:06:40+00:00"),
        ("statusErrorCode", "0"),
    ];
    let url = url::Url::parse_with_params(url, query).unwrap().to_string();
    let hash = digest::digest(&digest::SHA256, url.as_bytes());
    let hash = hash.as_ref().iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let claims = json!({ "iss": "MessageBird", "nbf": now.seconds() - 1, "exp": now.seconds() + 60,
        "jti": "c1fd6ae1", "url_hash": hash });
    let key = EncodingKey::from_secret(SmsGateway::REPORT_SECRET.as_bytes());
    let signature = encode(&Header::default(), &claims, &key).unwrap();
    SmsReport {
        method: Method::GET,
        url,
        headers: vec![("messagebird-signature-jwt", signature)],
        body: String::new(),
    }
}
