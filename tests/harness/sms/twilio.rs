//! Twilio, as <https://www.twilio.com/docs/messaging/api/message-resource> has it.

use aws_lc_rs::hmac;
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Answer, Play, Request, SmsGateway, SmsReport, Text, Told};

pub(super) const PATH: &str = "/2010-04-01/Accounts/AC0123456789abcdef0123456789abcdef/Messages.json";
pub(super) const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";

pub(super) fn read(request: &Request) -> Result<Text, String> {
    let basic = format!("Basic {}", STANDARD.encode(format!("{ACCOUNT}:{}", SmsGateway::TOKEN)));
    let around = (request.path.as_str(), request.header("content-type"), request.header("authorization"));
    if around != (PATH, "application/x-www-form-urlencoded", &basic) {
        return Err(format!("{around:?}"));
    }
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&request.body).into_owned().collect();
    let value = |name: &str| {
        form.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let callback = value("StatusCallback");
    let reference = callback.rsplit_once("?reference=").map(|(_, reference)| reference.to_owned());
    let mut names: Vec<&str> = form.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if names != ["Body", "From", "StatusCallback", "To", "ValidityPeriod"]
        || value("From") != SmsGateway::SENDER
        || value("ValidityPeriod") != "600"
        || !value("To").starts_with("+31")
    {
        return Err(format!("{form:?}"));
    }
    Ok(Text {
        number: value("To"),
        content: value("Body"),
        reference: reference.ok_or(callback.clone())?,
        report_url: Some(callback),
    })
}

pub(super) fn answer(play: Option<&Play>, text: &Text) -> Answer {
    let error = |status: u16, code: i64| {
        let message = format!("The number {} of {}", text.number, SmsGateway::TOKEN);
        json!({ "code": code, "message": message, "more_info": "https://www.twilio.com/docs/errors", "status": status })
    };
    match play {
        Some(Play::Error(status, code)) => (*status, error(*status, *code)),
        Some(Play::Rejected(code)) => (400, error(400, *code)),
        _ => (
            201,
            json!({ "sid": "SM0123456789abcdef0123456789abcdef", "account_sid": ACCOUNT, "status": "queued",
                "to": text.number, "body": text.content, "error_code": null, "error_message": null }),
        ),
    }
}

pub(super) fn report(url: &str, text: &Text, told: Told) -> SmsReport {
    let callback = text.report_url.clone().unwrap();
    assert_eq!(callback, format!("{url}?reference={}", text.reference), "reports go where the request says");
    let status = match told {
        Told::Underway => "sent",
        Told::Delivered => "delivered",
        Told::Failed => "undelivered",
    };
    // Sorted, as they are signed.
    let form = [
        ("AccountSid", ACCOUNT),
        ("ApiVersion", "2010-04-01"),
        ("From", SmsGateway::SENDER),
        ("MessageSid", "SM0123456789abcdef0123456789abcdef"),
        ("MessageStatus", status),
        ("SmsSid", "SM0123456789abcdef0123456789abcdef"),
        ("SmsStatus", status),
        ("To", &text.number),
    ];
    let signed = form.iter().fold(callback.clone(), |signed, (name, value)| format!("{signed}{name}{value}"));
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, SmsGateway::TOKEN.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
    SmsReport {
        method: Method::POST,
        url: callback,
        headers: vec![
            ("content-type", "application/x-www-form-urlencoded".into()),
            ("x-twilio-signature", signature),
        ],
        body: url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish(),
    }
}
