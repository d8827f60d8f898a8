use std::collections::HashMap;
use std::sync::Mutex;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use platform::clock::{Clock, Timestamp};
use platform::config::Secret;
use platform::db::Query;
use platform::random::Random;
use platform::seal::RootKey;
use platform::shutdown::Shutdown;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;

use super::*;
use crate::config::{MailTls, SmsGateway, SmsGatewayKind};

mod faults;

const START: Timestamp = Timestamp(1_795_000_000_000);
const NUMBER: &str = "+31612345678";

/// A server that keeps what it was sent and answers with the first prepared answer that is left.
#[derive(Clone, Default)]
struct Stub {
    received: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<Vec<(u16, String)>>>,
    arrived: Arc<Notify>,
}

impl Stub {
    async fn start(answers: &[(u16, Value)]) -> (Self, String) {
        let answers = answers.iter().rev().map(|(status, body)| (*status, body.to_string())).collect();
        let stub = Self { answers: Arc::new(Mutex::new(answers)), ..Self::default() };
        let app = Router::new().route("/", post(answer)).with_state(stub.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (stub, url)
    }

    fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
}

async fn answer(State(stub): State<Stub>, body: String) -> Response {
    stub.received.lock().unwrap().push(body);
    stub.arrived.notify_one();
    let mut answers = stub.answers.lock().unwrap();
    let (status, body) = if answers.len() > 1 { answers.pop().unwrap() } else { answers[0].clone() };
    (StatusCode::from_u16(status).unwrap(), [(header::LOCATION, "/elsewhere")], body).into_response()
}

fn gateway_at(url: &str) -> SmsGateway {
    SmsGateway {
        url: Some(url.to_owned()),
        token: Some(Secret::Literal("product-token".into())),
        ..SmsGateway::new("cm", SmsGatewayKind::Cm)
    }
}

fn accepted() -> (u16, Value) {
    (
        200,
        json!({ "details": "Created 1 message(s)", "errorCode": 0, "messages": [{ "to": "0031612345678",
        "status": "Accepted", "reference": "r", "parts": 1, "messageDetails": null, "messageErrorCode": 0 }] }),
    )
}

fn rejected(code: i64) -> (u16, Value) {
    (
        400,
        json!({ "details": "Created 0 message(s)", "errorCode": 201, "messages": [{ "to": "0031612345678",
        "status": "Rejected", "messageDetails": "Gsm '0031612345678' is not a number.", "messageErrorCode": code }] }),
    )
}

struct Place {
    _folder: TempDir,
    clock: Clock,
    store: Store,
    ephemeral: Ephemeral,
    keys: KeyRing,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(START);
        let url = format!("sqlite:{}", folder.path().join("idp.db").display());
        let root = RootKey::new("0123456789abcdef0123456789abcdef").unwrap();
        let store = Store::open(&url, clock.clone(), Random::system(), root).await.unwrap();
        let config = Config::default();
        let keys = KeyRing::open(store.clone(), &config.keys, &config.tokens).await.unwrap();
        let ephemeral = Ephemeral::sql(store.db().clone(), clock.clone());
        Self { _folder: folder, clock, store, ephemeral, keys }
    }

    fn delivery(&self, change: impl FnOnce(&mut Config)) -> Delivery {
        let mut config = Config::default();
        // Lets literal secrets through.
        config.dev.clock = true;
        config.mail.host = "127.0.0.1".into();
        config.mail.port = 1;
        config.mail.tls = MailTls::None;
        config.sms.gateways = vec![gateway_at("http://127.0.0.1:1/")];
        change(&mut config);
        self.with(&config).unwrap()
    }

    fn with(&self, config: &Config) -> Result<Delivery, ConfigError> {
        Delivery::new(self.store.clone(), self.ephemeral.clone(), self.keys.clone(), config)
    }

    fn sms_to(&self, url: &str) -> Delivery {
        self.delivery(|config| config.sms.gateways = vec![gateway_at(url)])
    }

    async fn put(&self, message: &Message) {
        let mut write = self.store.begin_write().await.unwrap();
        self.store.enqueue(&mut write, message).await.unwrap();
        write.commit().await.unwrap();
    }

    /// `payload_sealed` and `last_error` of the only row.
    async fn row(&self) -> (String, Option<String>) {
        let text = "SELECT payload_sealed, last_error FROM outbox";
        let row = Query::new(text).fetch_one(self.store.db()).await.unwrap();
        (row.try_get(0).unwrap(), row.try_get(1).unwrap())
    }
}

fn sms() -> Message {
    Message::Sms { to: NUMBER.into(), text: "Uw code is 123456\n\n@login.example.nl #123456".into() }
}

fn mail() -> Message {
    Message::Mail {
        to: "h.jansen@example.nl".into(),
        subject: "Bevestig uw e-mailadres".into(),
        text: "Tekst".into(),
        html: "<p>Tekst</p>".into(),
    }
}

fn counts(delivered: usize, delayed: usize, given_up: usize) -> Counts {
    Counts { delivered, delayed, given_up }
}

#[tokio::test]
async fn a_row_gives_nothing_away_and_a_delivered_one_holds_nothing() {
    let place = Place::new().await;
    let (_, url) = Stub::start(&[accepted()]).await;
    place.put(&sms()).await;
    let (payload, _) = place.row().await;
    assert!(!payload.is_empty() && !payload.contains("123456") && !payload.contains("31612345678"));
    assert!(!format!("{:?}", sms()).contains("123456"));
    assert_eq!(place.sms_to(&url).deliver_pending().await, counts(1, 0, 0));
    assert_eq!(place.row().await, (String::new(), None));
}

#[tokio::test]
async fn what_is_rolled_back_is_never_sent() {
    let place = Place::new().await;
    let mut write = place.store.begin_write().await.unwrap();
    place.store.enqueue(&mut write, &mail()).await.unwrap();
    drop(write);
    assert_eq!(place.delivery(|_| {}).deliver_pending().await, Counts::default());
}

#[tokio::test]
async fn the_sms_gateway_gets_the_json_that_it_documents() {
    let place = Place::new().await;
    let (gateway, url) = Stub::start(&[accepted()]).await;
    place.put(&sms()).await;
    place.sms_to(&url).deliver_pending().await;
    let body: Value = serde_json::from_str(&gateway.received()[0]).unwrap();
    let reference = body["messages"]["msg"][0]["reference"].as_str().unwrap();
    assert!(
        (1..=32).contains(&reference.len()) && reference.bytes().all(|byte| byte.is_ascii_alphanumeric())
    );
    let expected = json!({ "messages": {
        "authentication": { "productToken": "product-token" },
        "msg": [{
            "allowedChannels": ["SMS"],
            "from": "Voordeur",
            "to": [{ "number": "0031612345678" }],
            "body": { "type": "AUTO", "content": "Uw code is 123456\n\n@login.example.nl #123456" },
            "reference": reference,
        }],
    } });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_gateway_that_is_down_is_tried_again_until_the_code_is_dead() {
    let place = Place::new().await;
    let (gateway, url) = Stub::start(&[(500, json!({})), (503, json!("x")), accepted()]).await;
    let delivery = place.sms_to(&url);
    place.put(&sms()).await;
    assert_eq!(delivery.deliver_pending().await, counts(0, 1, 0));
    assert_eq!(place.row().await.1.unwrap(), "cm: the SMS gateway answers 500");
    assert_eq!(delivery.deliver_pending().await, Counts::default(), "not before its time");
    place.clock.advance(Duration::from_secs(2));
    assert_eq!(delivery.deliver_pending().await, counts(0, 1, 0));
    assert_eq!(place.store.queue_age(Kind::Sms).await.unwrap(), Some(Duration::from_secs(2)));
    place.clock.advance(Duration::from_secs(4));
    assert_eq!(delivery.deliver_pending().await, counts(1, 0, 0));
    assert_eq!(place.store.queue_age(Kind::Sms).await.unwrap(), None);
    assert_eq!(gateway.received().len(), 3);

    // Nobody listens: after ten minutes it is over, without a late SMS.
    let nobody = place.sms_to("http://127.0.0.1:1/");
    place.put(&sms()).await;
    let mut delayed = 0;
    let given_up = loop {
        let now = nobody.deliver_pending().await;
        if now.given_up > 0 || delayed > 100 {
            break now.given_up;
        }
        delayed += now.delayed;
        place.clock.advance(Duration::from_secs(10));
    };
    assert!(given_up == 1 && delayed > 10, "{delayed}");
}

#[tokio::test]
async fn an_sms_that_waited_too_long_is_not_sent_at_all() {
    let place = Place::new().await;
    let (gateway, url) = Stub::start(&[accepted()]).await;
    place.put(&sms()).await;
    place.clock.advance(Duration::from_secs(601));
    assert_eq!(place.sms_to(&url).deliver_pending().await, counts(0, 0, 1));
    assert!(gateway.received().is_empty());
    assert_eq!(place.row().await, (String::new(), Some("it became too old".into())));
}

#[tokio::test]
async fn the_gateways_error_codes_decide_whether_to_try_again() {
    let (never, later) = (counts(0, 0, 1), counts(0, 1, 0));
    let whole =
        |code: i64| (400, json!({ "details": "No account found", "errorCode": code, "messages": [] }));
    let cases = [
        (rejected(303), never),
        (rejected(402), never),
        (rejected(304), never),
        (rejected(301), later),
        (rejected(500), later),
        (whole(101), later),
        (whole(102), later),
        (whole(999), later),
        ((200, json!({ "errorCode": 0, "messages": [] })), later),
        ((200, json!("not what it documents")), later),
        ((302, json!({})), later),
        ((401, json!({ "errorCode": 0 })), later),
    ];
    for (answer, expected) in cases {
        let place = Place::new().await;
        let (_, url) = Stub::start(std::slice::from_ref(&answer)).await;
        place.put(&sms()).await;
        assert_eq!(place.sms_to(&url).deliver_pending().await, expected, "{answer:?}");
        let error = place.row().await.1.unwrap();
        assert!(!error.contains("31612345678") && !error.contains("123456"), "{error}");
    }
}

#[tokio::test]
async fn two_nodes_deliver_each_message_once() {
    let place = Place::new().await;
    let (gateway, url) = Stub::start(&[accepted()]).await;
    for _ in 0..30 {
        place.put(&sms()).await;
    }
    let (one, two) = (place.sms_to(&url), place.sms_to(&url));
    let (first, second) = tokio::join!(one.deliver_pending(), two.deliver_pending());
    assert_eq!(first.delivered + second.delivered, 30);
    let mut times: HashMap<String, usize> = HashMap::new();
    for body in gateway.received() {
        *times.entry(body).or_default() += 1;
    }
    assert_eq!((times.len(), times.values().sum::<usize>()), (30, 30), "every reference once");
}

#[tokio::test]
async fn a_message_of_a_node_that_died_is_due_again_when_its_lease_is_over() {
    let place = Place::new().await;
    let lease = Duration::from_secs(90);
    place.put(&sms()).await;
    let dead = place.store.claim_message(Kind::Sms, &[], lease).await.unwrap().unwrap();
    assert!(place.store.claim_message(Kind::Sms, &[], lease).await.unwrap().is_none());
    place.clock.advance(lease);
    let second = place.store.claim_message(Kind::Sms, &[], lease).await.unwrap().unwrap();
    assert_eq!((second.id.as_str(), second.attempts), (dead.id.as_str(), 2));
    assert!(!place.store.message_delayed(&dead, lease, "late").await.unwrap(), "it has no say any more");
    assert!(!place.store.message_delivered(&dead).await.unwrap());
    assert!(place.store.message_delivered(&second).await.unwrap());
}

fn logout(uri: &str) -> Message {
    let claims = json!({ "sid": "s", "jti": "j" }).as_object().unwrap().clone();
    Message::Logout { uri: uri.to_owned(), alg: "ES256".into(), claims }
}

#[tokio::test]
async fn logout_tokens_are_posted_as_a_form_and_redirects_lead_nowhere() {
    let place = Place::new().await;
    let (portal, uri) = Stub::start(&[(302, json!({})), (500, json!({})), (204, json!(""))]).await;
    let delivery = place.delivery(|config| config.dev.outbox = true);
    place.put(&logout(&uri)).await;
    assert_eq!(delivery.deliver_pending().await, counts(0, 1, 0));
    place.clock.advance(Duration::from_secs(2));
    assert_eq!(delivery.deliver_pending().await, counts(0, 1, 0));
    place.clock.advance(Duration::from_secs(4));
    assert_eq!(delivery.deliver_pending().await, counts(1, 0, 0));
    assert!(delivery.caught().is_empty());

    // The same logout each time, and good from the moment that it leaves.
    let forms = portal.received();
    assert_eq!(forms.len(), 3);
    for (form, after) in forms.iter().zip([0, 2, 6]) {
        let token = form.strip_prefix("logout_token=").unwrap();
        let iat = START.seconds() + after;
        let claims = json!({ "sid": "s", "jti": "j", "iat": iat, "exp": iat + 120 });
        assert_eq!(place.keys.verify_jwt(token, "logout+jwt").unwrap(), claims);
    }

    let (_, uri) = Stub::start(&[(400, json!({ "error": "invalid_request" }))]).await;
    place.put(&logout(&uri)).await;
    assert_eq!(delivery.deliver_pending().await, counts(0, 0, 1), "the portal has judged");
}

#[tokio::test]
async fn a_key_that_was_revoked_while_a_logout_waited_does_not_sign_it() {
    let place = Place::new().await;
    let (portal, uri) = Stub::start(&[(503, json!({})), (200, json!({}))]).await;
    let delivery = place.delivery(|config| config.dev.outbox = true);
    place.put(&logout(&uri)).await;
    assert_eq!(delivery.deliver_pending().await, counts(0, 1, 0));
    // By a ring of another process: this one hears of it when it looks.
    let config = Config::default();
    let other = KeyRing::open(place.store.clone(), &config.keys, &config.tokens).await.unwrap();
    let kid = other.signing_key("ES256").unwrap().kid().to_owned();
    other.revoke(&kid).await.unwrap();
    place.clock.advance(Duration::from_secs(2));
    assert_eq!(delivery.deliver_pending().await, counts(1, 0, 0));
    let [first, second] = portal.received().try_into().unwrap();
    let verify = |form: String| place.keys.verify_jwt(form.trim_start_matches("logout_token="), "logout+jwt");
    assert_eq!(verify(first), Err(crate::protocol::jose::JoseError::UnknownKey));
    assert_eq!(verify(second).unwrap()["jti"], "j");
}

#[tokio::test]
async fn a_message_that_nobody_can_read_is_given_up_and_keeps_none_waiting() {
    let place = Place::new().await;
    let (_, url) = Stub::start(&[accepted()]).await;
    place.put(&sms()).await;
    let unreadable = "UPDATE outbox SET payload_sealed = 'sealed elsewhere'";
    place.store.db().execute(Query::new(unreadable)).await.unwrap();
    place.put(&sms()).await;
    assert_eq!(place.sms_to(&url).deliver_pending().await, counts(1, 0, 0));
    assert_eq!(place.store.queue_age(Kind::Sms).await.unwrap(), None);
    place.clock.advance(Duration::from_secs(1));
    assert_eq!(place.store.remove_messages(Duration::ZERO).await.unwrap(), 2, "both are done");
}

#[tokio::test]
async fn in_development_messages_are_caught_newest_last() {
    let place = Place::new().await;
    let delivery = place.delivery(|config| config.dev.outbox = true);
    place.put(&mail()).await;
    delivery.deliver_pending().await;
    place.put(&sms()).await;
    delivery.deliver_pending().await;
    let mut list = serde_json::to_value(delivery.caught()).unwrap();
    for caught in list.as_array_mut().unwrap() {
        assert!(caught.as_object_mut().unwrap().remove("id").unwrap().is_string());
    }
    let at = START.rfc3339();
    let expected = json!([
        { "kind": "mail", "to": "h.jansen@example.nl", "subject": "Bevestig uw e-mailadres", "text": "Tekst",
          "html": "<p>Tekst</p>", "created_at": at },
        { "kind": "sms", "to": NUMBER, "subject": "", "text": "Uw code is 123456\n\n@login.example.nl #123456",
          "html": "", "created_at": at },
    ]);
    assert_eq!(list, expected);
}

#[tokio::test]
async fn a_commit_wakes_the_lanes_at_once_and_a_mail_server_that_hangs_delays_no_sms() {
    let place = Place::new().await;
    let (gateway, url) = Stub::start(&[accepted()]).await;
    // Accepts connections and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let delivery = place.delivery(|config| {
        config.sms.gateways = vec![gateway_at(&url)];
        config.mail.port = port;
        config.mail.timeout_seconds = 60;
    });
    let (stop, shutdown) = Shutdown::channel();
    let background = delivery.clone();
    let running = tokio::spawn(async move { background.run(shutdown).await });
    for _ in 0..20 {
        place.put(&mail()).await;
    }
    let mut hanging = Vec::new();
    while hanging.len() < worker::at_once(Kind::Mail) {
        hanging.push(soon(silent.accept()).await.unwrap());
    }
    place.put(&sms()).await;
    soon(gateway.arrived.notified()).await;
    assert_eq!(gateway.received().len(), 1);
    // The mail server goes away, and what is on its way comes to an end.
    stop.send(true).unwrap();
    drop((silent, hanging));
    soon(running).await.unwrap();
}

/// What happens long before the mail server's time is over.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what).await.expect("it waits")
}

#[tokio::test]
async fn what_is_done_is_removed_in_time_and_what_waits_is_not() {
    let place = Place::new().await;
    let (_, url) = Stub::start(&[accepted()]).await;
    place.put(&sms()).await;
    place.put(&mail()).await;
    assert_eq!(place.sms_to(&url).deliver_pending().await, counts(1, 1, 0));
    assert_eq!(place.store.remove_messages(Duration::from_hours(24)).await.unwrap(), 0);
    place.clock.advance(Duration::from_hours(25));
    assert_eq!(place.store.remove_messages(Duration::from_hours(24)).await.unwrap(), 1);
    assert_eq!(place.store.queue_age(Kind::Mail).await.unwrap(), Some(Duration::from_hours(25)));
}

#[tokio::test]
async fn a_configuration_that_cannot_work_is_refused_with_its_key() {
    type Change = fn(&mut Config);
    let place = Place::new().await;
    let refused = |change: Change| {
        let mut config = Config { path: "idp.toml".into(), ..Config::default() };
        config.dev.clock = true;
        config.sms.gateways = vec![gateway_at("http://127.0.0.1:1/")];
        change(&mut config);
        place.with(&config).unwrap_err().to_string()
    };
    let cases: [(&str, Change); 5] = [
        ("mail.from", |config| config.mail.from = "nobody".into()),
        ("mail.ca_file", |config| config.mail.ca_file = Some("/nowhere.pem".into())),
        ("sms.gateway.token of cm", |config| {
            config.sms.gateways[0].token = Some(Secret::Env { env: "NOT_SET_ANYWHERE".into() });
        }),
        ("sms.gateway.report_secret of cm", |config| {
            config.sms.gateways[0].report_secret = Some(Secret::Literal("short".into()));
        }),
        ("mail.password", |config| {
            config.mail.username = Some("u".into());
            config.mail.password = Some(Secret::File { file: "/nowhere".into() });
        }),
    ];
    for (key, change) in cases {
        let text = refused(change);
        assert!(text.starts_with("idp.toml: ") && text.contains(key), "{text}");
    }
}
