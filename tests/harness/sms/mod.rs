//! SMS gateways for one test. Each takes nothing but the request that its provider documents, to the letter, plays the
//! provider's documented answers, and reports as the provider does.

mod cm;
mod generic;
mod messagebird;
mod spryng;
mod twilio;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use idp::config::{SmsGateway as Settings, SmsGatewayKind};
use platform::clock::Timestamp;
use platform::config::Secret;
use serde_json::Value;

/// What the gateway does with the next request.
#[derive(Clone, Debug)]
pub enum Play {
    /// An error of the gateway or about our account: HTTP status, and the provider's own code.
    Error(u16, i64),
    /// Recipient or text refused, with the provider's own code.
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
    /// Where reports are to go, if the request says so.
    pub report_url: Option<String>,
}

/// What a gateway tells of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Underway,
    Delivered,
    Failed,
}

/// A delivery report that may be changed before it is sent.
#[derive(Clone, Debug)]
pub struct SmsReport {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl SmsReport {
    /// The status of the answer, whose body is empty.
    pub async fn send(&self) -> u16 {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.request(self.method.clone(), &self.url).body(self.body.clone());
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let answer = request.send().await.unwrap();
        answer.status().as_u16()
    }
}

/// A request as it arrived.
struct Request {
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body, if the request is of this form in all that is around it.
    fn json(&self, path: &str, authorization: &str) -> Result<Value, String> {
        let around = (self.path.as_str(), self.header("content-type"), self.header("authorization"));
        if around != (path, "application/json", authorization) {
            return Err(format!("{around:?}"));
        }
        serde_json::from_slice(&self.body).map_err(|error| error.to_string())
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Answers: HTTP status and JSON.
type Answer = (u16, Value);

struct Inner {
    kind: SmsGatewayKind,
    plays: Mutex<VecDeque<Play>>,
    texts: Mutex<Vec<Text>>,
    faults: Mutex<Vec<String>>,
}

impl Inner {
    fn read(&self, request: &Request) -> Result<Text, String> {
        let text = match self.kind {
            SmsGatewayKind::Cm => cm::read(request),
            SmsGatewayKind::Spryng => spryng::read(request),
            SmsGatewayKind::MessageBird => messagebird::read(request),
            SmsGatewayKind::Twilio => twilio::read(request),
            SmsGatewayKind::Generic => generic::read(request),
        }?;
        let digits = text.number.trim_start_matches(['+', '0']);
        let is_dutch_mobile = digits.len() == 11
            && digits.starts_with("316")
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        let is_reference = (1..=32).contains(&text.reference.len())
            && text.reference.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_dutch_mobile || !is_reference || text.content.is_empty() {
            return Err(format!("{text:?}"));
        }
        Ok(text)
    }

    fn answer(&self, play: Option<&Play>, text: &Text) -> Answer {
        match self.kind {
            SmsGatewayKind::Cm => cm::answer(play, text),
            SmsGatewayKind::Spryng => spryng::answer(play, text),
            SmsGatewayKind::MessageBird => messagebird::answer(play, text),
            SmsGatewayKind::Twilio => twilio::answer(play, text),
            SmsGatewayKind::Generic => generic::answer(play),
        }
    }
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
    /// In the address of reports, or what they are signed with.
    pub const REPORT_SECRET: &'static str = "c3f1-geheim-van-32-tekens-of-meer";
    pub const ALL: [SmsGatewayKind; 5] = [
        SmsGatewayKind::Cm,
        SmsGatewayKind::Spryng,
        SmsGatewayKind::MessageBird,
        SmsGatewayKind::Twilio,
        SmsGatewayKind::Generic,
    ];

    /// One of CM.com.
    pub async fn start() -> Self {
        Self::of(SmsGatewayKind::Cm).await
    }

    pub async fn of(kind: SmsGatewayKind) -> Self {
        let inner = Arc::new(Inner {
            kind,
            plays: Mutex::default(),
            texts: Mutex::default(),
            faults: Mutex::default(),
        });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let path = match kind {
            SmsGatewayKind::Cm => cm::PATH,
            SmsGatewayKind::Spryng => spryng::PATH,
            SmsGatewayKind::MessageBird => messagebird::PATH,
            SmsGatewayKind::Twilio => twilio::PATH,
            SmsGatewayKind::Generic => generic::PATH,
        };
        let url = format!("http://{}{path}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, inner }
    }

    /// How an identity provider is told of it, under this name.
    pub fn settings(&self, id: &str) -> Settings {
        let kind = self.inner.kind;
        let is_twilio = kind == SmsGatewayKind::Twilio;
        Settings {
            url: Some(self.url.clone()),
            account: is_twilio.then(|| twilio::ACCOUNT.to_owned()),
            sender: Some(Self::SENDER.into()),
            timeout_seconds: 1,
            token: Some(Secret::Literal(Self::TOKEN.into())),
            report_secret: (!is_twilio).then(|| Secret::Literal(Self::REPORT_SECRET.into())),
            request: (kind == SmsGatewayKind::Generic).then(generic::settings),
            ..Settings::new(id, kind)
        }
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

    /// What it tells of a message at `now`, where reports for the gateway `id` come in: where the request said, or
    /// where the account was told.
    pub fn report(&self, issuer: &str, id: &str, text: &Text, told: Told, now: Timestamp) -> SmsReport {
        let url = format!("{issuer}/sms/report/{id}");
        match self.inner.kind {
            SmsGatewayKind::Cm => cm::report(&url, text, told),
            SmsGatewayKind::Spryng => spryng::report(&url, text, told),
            SmsGatewayKind::MessageBird => messagebird::report(&url, text, told, now),
            SmsGatewayKind::Twilio => twilio::report(&url, text, told),
            SmsGatewayKind::Generic => generic::report(&url, text, told),
        }
    }
}

async fn answer(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, [(&'static str, &'static str); 1], String) {
    let path = uri.path_and_query().unwrap().to_string();
    let request = Request { path, headers, body: body.to_vec() };
    let read = if method == Method::POST { inner.read(&request) } else { Err(method.to_string()) };
    let text = match read {
        Ok(text) => text,
        Err(fault) => {
            inner.faults.lock().unwrap().push(fault);
            return (StatusCode::BAD_REQUEST, [("content-type", "application/json")], "{}".into());
        }
    };
    inner.texts.lock().unwrap().push(text.clone());
    let play = inner.plays.lock().unwrap().pop_front();
    if let Some(Play::BadGateway) = play {
        return (StatusCode::BAD_GATEWAY, [("content-type", "text/html")], "<h1>502</h1>".into());
    }
    if let Some(Play::Late(by)) = play {
        tokio::time::sleep(by).await;
    }
    let (status, body) = inner.answer(play.as_ref(), &text);
    (StatusCode::from_u16(status).unwrap(), [("content-type", "application/json")], body.to_string())
}
