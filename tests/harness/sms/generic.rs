//! A gateway of somebody's own: a form, a header of its own for the key, and an answer that must be read.

use axum::http::Method;
use idp::config::{BodyFormat, SmsRequest};
use serde_json::json;

use super::{Answer, Play, Request, SmsGateway, SmsReport, Text, Told};

pub(super) const PATH: &str = "/send";

pub(super) fn settings() -> SmsRequest {
    SmsRequest {
        format: BodyFormat::Form,
        body: "naar={to}&van={sender}&tekst={text}&kenmerk={reference}&soort=sms".into(),
        auth_header: Some("X-Sleutel".into()),
        accepted_status: vec![200],
        accepted_pointer: Some("/berichten/0/stand".into()),
        accepted_value: "aangenomen".into(),
        report_reference: "/bericht/kenmerk".into(),
        report_status: "stand".into(),
        report_delivered: vec!["bezorgd".into()],
        report_failed: vec!["mislukt".into()],
    }
}

pub(super) fn read(request: &Request) -> Result<Text, String> {
    let around = (request.path.as_str(), request.header("content-type"), request.header("x-sleutel"));
    if around != (PATH, "application/x-www-form-urlencoded", SmsGateway::TOKEN)
        || request.headers.contains_key("authorization")
    {
        return Err(format!("{around:?}"));
    }
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&request.body).into_owned().collect();
    let names: Vec<&str> = form.iter().map(|(name, _)| name.as_str()).collect();
    if names != ["naar", "van", "tekst", "kenmerk", "soort"] || form[1].1 != SmsGateway::SENDER {
        return Err(format!("{form:?}"));
    }
    Ok(Text {
        number: form[0].1.clone(),
        content: form[2].1.clone(),
        reference: form[3].1.clone(),
        report_url: None,
    })
}

pub(super) fn answer(play: Option<&Play>) -> Answer {
    match play {
        // A status of success does not say that it was accepted.
        Some(Play::Error(200, code)) => (200, json!({ "berichten": [{ "stand": "fout", "code": code }] })),
        Some(Play::Error(status, _)) => (*status, json!({})),
        Some(Play::Rejected(_)) => (422, json!({})),
        _ => (200, json!({ "berichten": [{ "stand": "aangenomen" }] })),
    }
}

pub(super) fn report(url: &str, text: &Text, told: Told) -> SmsReport {
    let status = match told {
        Told::Underway => "onderweg",
        Told::Delivered => "bezorgd",
        Told::Failed => "mislukt",
    };
    SmsReport {
        method: Method::POST,
        url: format!("{url}?secret={}", SmsGateway::REPORT_SECRET),
        headers: vec![("content-type", "application/json".into())],
        body: json!({ "stand": status, "bericht": { "kenmerk": text.reference } }).to_string(),
    }
}
