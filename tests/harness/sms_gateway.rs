//! An SMS gateway for one test. It takes nothing but the request that CM.com documents, to the letter.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};

/// What the gateway does with the next request.
#[derive(Clone, Debug)]
pub enum Play {
    /// An error for the request as a whole, such as 101: authentication failed.
    Error(u16, i64),
    /// A message refused, such as 303: not a number.
    Rejected(i64),
    /// A proxy's error page.
    BadGateway,
    /// Accepted, but told too late.
    Late(Duration),
}

/// A message that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub number: String,
    pub content: String,
    pub reference: String,
}

#[derive(Default)]
struct Inner {
    plays: Mutex<VecDeque<Play>>,
    texts: Mutex<Vec<Text>>,
    faults: Mutex<Vec<String>>,
}

/// The gateway, running.
#[derive(Clone)]
pub struct SmsGateway {
    pub url: String,
    inner: Arc<Inner>,
}

impl SmsGateway {
    pub const TOKEN: &'static str = "5A1E0F6B-geheim-product-token";
    pub const SENDER: &'static str = "Voordeur";

    pub async fn start() -> Self {
        let inner = Arc::<Inner>::default();
        let app = Router::new().route("/v1.0/message", post(answer)).with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1.0/message", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, inner }
    }

    /// What to do with the next requests; after that, each is accepted.
    pub fn play(&self, plays: impl IntoIterator<Item = Play>) {
        self.inner.plays.lock().unwrap().extend(plays);
    }

    /// Every well-formed request so far, refused ones included, oldest first. Ends the test at a request of
    /// another form.
    pub fn texts(&self) -> Vec<Text> {
        let faults = self.inner.faults.lock().unwrap();
        assert!(faults.is_empty(), "not the documented request: {faults:?}");
        self.inner.texts.lock().unwrap().clone()
    }
}

/// Exactly the documented request, and nothing besides.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<Text, String> {
    let media_type = headers.get("content-type").and_then(|value| value.to_str().ok());
    if media_type != Some("application/json") {
        return Err(format!("content-type {media_type:?}"));
    }
    let body: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let message = &body["messages"]["msg"][0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let read = Text {
        number: text(&message["to"][0]["number"]),
        content: text(&message["body"]["content"]),
        reference: text(&message["reference"]),
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
    if body != documented {
        return Err(format!("{body}"));
    }
    let is_dutch_mobile = read.number.len() == 13
        && read.number.starts_with("00316")
        && read.number.bytes().all(|byte| byte.is_ascii_digit());
    let is_reference = (1..=32).contains(&read.reference.len())
        && read.reference.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_dutch_mobile || !is_reference || read.content.is_empty() {
        return Err(format!("{read:?}"));
    }
    Ok(read)
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, [(&'static str, &'static str); 1], String) {
    let text = match read(&headers, &body) {
        Ok(text) => text,
        Err(fault) => {
            inner.faults.lock().unwrap().push(fault);
            return json_answer(400, &json!({ "details": "Invalid", "errorCode": 202, "messages": [] }));
        }
    };
    inner.texts.lock().unwrap().push(text.clone());
    let message = |status: &str, details: Value, code: i64| {
        json!([{ "to": text.number, "status": status, "reference": text.reference, "parts": 1,
            "messageDetails": details, "messageErrorCode": code }])
    };
    let play = inner.plays.lock().unwrap().pop_front();
    if let Some(Play::Late(by)) = play {
        tokio::time::sleep(by).await;
    }
    match play {
        Some(Play::Error(status, code)) => {
            // As a gateway words it, with what it should not say aloud.
            let details = format!("Refused {} for token {}", text.number, SmsGateway::TOKEN);
            json_answer(status, &json!({ "details": details, "errorCode": code, "messages": [] }))
        }
        Some(Play::Rejected(code)) => {
            let details = format!("Gsm '{}' is not a number.", text.number);
            let messages = message("Rejected", json!(details), code);
            json_answer(
                400,
                &json!({ "details": "Created 0 message(s)", "errorCode": 201, "messages": messages }),
            )
        }
        Some(Play::BadGateway) => {
            (StatusCode::BAD_GATEWAY, [("content-type", "text/html")], "<h1>502</h1>".to_owned())
        }
        Some(Play::Late(_)) | None => {
            let messages = message("Accepted", Value::Null, 0);
            json_answer(
                200,
                &json!({ "details": "Created 1 message(s)", "errorCode": 0, "messages": messages }),
            )
        }
    }
}

fn json_answer(status: u16, body: &Value) -> (StatusCode, [(&'static str, &'static str); 1], String) {
    (StatusCode::from_u16(status).unwrap(), [("content-type", "application/json")], body.to_string())
}
