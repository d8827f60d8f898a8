//! Any gateway that takes a POST of JSON or of a form: `sms.gateway.request` says what stands in it, which answer means
//! that the message was accepted, and how it reports. Reports are taken by GET and POST, as query, form or JSON.

use axum::http::StatusCode;
use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use super::answers::{answers, refuses};
use super::gateway::{Gateway, Sms};
use super::report::{Fault, Incoming, Report, Status, only};
use crate::config::SmsRequest;
use crate::delivery::send_error::SendError;

pub(super) fn request(gateway: &Gateway, sms: &Sms<'_>) -> RequestBuilder {
    let wanted = &gateway.request;
    let values =
        [("to", sms.to), ("text", sms.text), ("reference", sms.reference), ("sender", &gateway.sender)];
    let request = gateway
        .client
        .post(&gateway.url)
        .header(CONTENT_TYPE, wanted.format.media_type())
        .body(wanted.fill(&values));
    match &wanted.auth_header {
        _ if gateway.token.is_empty() => request,
        Some(name) => request.header(name, &gateway.token),
        None => request.bearer_auth(&gateway.token),
    }
}

pub(super) fn judge(wanted: &SmsRequest, status: u16, body: &str) -> Result<(), SendError> {
    if wanted.accepted_status.contains(&status) {
        let Some(pointer) = &wanted.accepted_pointer else { return Ok(()) };
        let answer = serde_json::from_str::<Value>(body).unwrap_or_default();
        return match answer.pointer(pointer) {
            Some(value) if text(value) == wanted.accepted_value => Ok(()),
            _ => Err(SendError::Later("the SMS gateway's answer does not say that it accepts".into())),
        };
    }
    match StatusCode::from_u16(status) {
        // What HTTP has for a request whose content is at fault.
        Ok(StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY) => Err(refuses(status.into())),
        _ => Err(answers(status)),
    }
}

/// A value of JSON as a configuration file writes it.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub(super) fn report(wanted: &SmsRequest, incoming: &Incoming) -> Result<Report, Fault> {
    let json = serde_json::from_slice::<Value>(&incoming.body).ok().filter(Value::is_object);
    let parameters = if json.is_some() { incoming.query() } else { incoming.parameters() };
    let value = |name: &str| {
        let in_json = json
            .as_ref()
            .and_then(|json| if name.starts_with('/') { json.pointer(name) } else { json.get(name) });
        in_json.map(text).or_else(|| only(&parameters, name).map(str::to_owned)).ok_or(Fault::Malformed)
    };
    let status = value(&wanted.report_status)?;
    let status = if wanted.report_delivered.contains(&status) {
        Status::Delivered
    } else if wanted.report_failed.contains(&status) {
        Status::Failed
    } else {
        Status::Underway
    };
    Report::new(&value(&wanted.report_reference)?, status)
}
