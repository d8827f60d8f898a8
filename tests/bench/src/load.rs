//! The load: browsers and a client, several at once, over connections that stay open.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use platform::seal::sha256;
use tokio::task::JoinSet;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::http::Connection;
use crate::server::{CLIENT, MACHINE, PASSWORD, REDIRECT_URI, RESOURCE, device, email};

pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// How often `/jwks` is asked for while people sign in.
const JWKS_EVERY: Duration = Duration::from_millis(25);

/// Sends requests to one server.
pub struct Load {
    port: u16,
    at_once: usize,
    /// Cookies of browsers that signed in.
    signed_in: Vec<String>,
}

/// A sign-in that lacks only its password.
pub struct Prepared {
    target: String,
    cookies: String,
    form: String,
}

/// What signing in came to.
pub struct SignIns {
    pub rate: f64,
    /// How long `GET /jwks` took, each time.
    pub jwks: Vec<Duration>,
}

pub fn form(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

pub fn authorize(scope: &str) -> String {
    let challenge = sha256(VERIFIER);
    let parameters = form(&[
        ("client_id", CLIENT[0]),
        ("redirect_uri", REDIRECT_URI),
        ("response_type", "code"),
        ("scope", scope),
        ("state", "the-state"),
        ("nonce", "the-nonce"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    format!("/authorize?{parameters}")
}

pub fn code_in(location: &str) -> String {
    let url = Url::parse(location).unwrap_or_else(|_| panic!("not back at the client: {location}"));
    let code = url.query_pairs().find(|(name, _)| name == "code");
    code.unwrap_or_else(|| panic!("no code: {location}")).1.into_owned()
}

/// The value of the hidden field against forged forms.
fn csrf_in(page: &str) -> String {
    let tag = page.split('<').find(|tag| tag.contains("name=\"csrf\"")).expect("a form");
    tag.split_once("value=\"").unwrap().1.split('"').next().unwrap().to_owned()
}

impl Load {
    pub fn new(port: u16, at_once: usize) -> Self {
        Self { port, at_once, signed_in: Vec::new() }
    }

    /// Cookies of browsers that signed in.
    pub fn signed_in(&self) -> &[String] {
        &self.signed_in
    }

    /// Does `work` for every item, on as many connections as go at once; the results, and how many a second while all
    /// connections were busy: without the first and the last ones.
    async fn all<I, R, F>(&self, items: Vec<I>, work: F) -> (Vec<R>, f64)
    where
        I: Send + 'static,
        R: Send + 'static,
        F: AsyncFn(&mut Connection, I) -> R + Copy + 'static,
    {
        let at_once = self.at_once.min(items.len());
        let mut connections = Vec::new();
        for _ in 0..at_once {
            connections.push(Connection::open(self.port).await.unwrap());
        }
        let items = Arc::new(Mutex::new(VecDeque::from(items)));
        let local = tokio::task::LocalSet::new();
        let mut running = JoinSet::new();
        for mut connection in connections {
            let items = Arc::clone(&items);
            let one = async move {
                let mut results = Vec::new();
                loop {
                    let item = items.lock().unwrap().pop_front();
                    let Some(item) = item else { return results };
                    results.push((work(&mut connection, item).await, Instant::now()));
                }
            };
            running.spawn_local_on(one, &local);
        }
        let results = local.run_until(async { running.join_all().await }).await;
        let (results, mut ended): (Vec<R>, Vec<Instant>) = results.into_iter().flatten().unzip();
        ended.sort();
        let busy = &ended[at_once.min(ended.len() / 3)..ended.len() - at_once.min(ended.len() / 3)];
        let seconds = (busy[busy.len() - 1] - busy[0]).as_secs_f64();
        (results, (busy.len() - 1) as f64 / seconds)
    }

    /// What a server has seen that just started.
    pub async fn a_few_requests(&self) {
        let mut connection = Connection::open(self.port).await.unwrap();
        for _ in 0..5 {
            for target in ["/.well-known/openid-configuration", "/jwks", "/healthz"] {
                assert_eq!(connection.get(target, "").await.unwrap().status, 200, "{target}");
            }
            prepare(&mut connection, 0).await;
        }
    }

    /// Begins a journey for each account, each in a browser of its own.
    pub async fn prepare_sign_ins(&self, accounts: Range<usize>) -> Vec<Prepared> {
        self.all(accounts.collect(), prepare).await.0
    }

    /// Gives all the passwords, and asks for `/jwks` meanwhile.
    pub async fn sign_in(&mut self, journeys: Vec<Prepared>) -> SignIns {
        let probe = Probe::start(self.port);
        let (signed_in, rate) = self
            .all(journeys, async |connection, Prepared { target, cookies, form }| {
                let headers = format!("cookie: {cookies}\r\n");
                let answer = connection.post(&target, &headers, &form).await.unwrap();
                let location = answer.header("location").unwrap_or_default();
                assert_eq!(answer.status, 303, "{}", answer.body);
                code_in(location);
                format!("{cookies}; {}", answer.cookies())
            })
            .await;
        self.signed_in = signed_in;
        SignIns { rate, jwks: probe.stop() }
    }

    /// Authorization codes for browsers that are signed in.
    pub async fn prepare_codes(&self, count: usize, scope: &'static str) -> Vec<String> {
        let browsers =
            (0..count).map(|number| self.signed_in[number % self.signed_in.len()].clone()).collect();
        let target = authorize(scope);
        let target: &'static str = target.leak();
        self.all(browsers, async move |connection, cookies: String| {
            let answer = connection.get(target, &cookies).await.unwrap();
            code_in(answer.header("location").unwrap_or_default())
        })
        .await
        .0
    }

    /// Redeems codes; how many a second.
    pub async fn exchange(&self, codes: Vec<String>) -> f64 {
        let headers = authorization(CLIENT);
        self.all(codes, async move |connection, code: String| {
            redeem(connection, headers, &code).await;
        })
        .await
        .1
    }

    /// Reads what stands at an address, so often; how many a second.
    pub async fn get(&self, target: &'static str, count: usize) -> f64 {
        let work = async move |connection: &mut Connection, ()| {
            assert_eq!(connection.get(target, "").await.unwrap().status, 200, "{target}");
        };
        self.all(vec![(); count], work).await.1
    }

    /// Sign-ins of people who are signed in already, each to its tokens; how many a second.
    pub async fn silent(&self, count: usize) -> f64 {
        let browsers =
            (0..count).map(|number| self.signed_in[number % self.signed_in.len()].clone()).collect();
        let (headers, target) = (authorization(CLIENT), authorize("openid"));
        let target: &'static str = target.leak();
        self.all(browsers, async move |connection, cookies: String| {
            let answer = connection.get(target, &cookies).await.unwrap();
            let code = code_in(answer.header("location").unwrap_or_default());
            redeem(connection, headers, &code).await;
        })
        .await
        .1
    }

    /// Tokens of a machine, for an API; how many a second.
    pub async fn client_credentials(&self, count: usize) -> f64 {
        let headers = authorization(MACHINE);
        let work = async move |connection: &mut Connection, ()| {
            let form = form(&[("grant_type", "client_credentials"), ("resource", RESOURCE)]);
            let answer = connection.post("/token", headers, &form).await.unwrap();
            assert_eq!(answer.status, 200, "{}", answer.body);
        };
        self.all(vec![(); count], work).await.1
    }

    /// Refresh tokens of as many sign-ins.
    pub async fn refresh_tokens(&self, count: usize) -> Vec<String> {
        let headers = authorization(CLIENT);
        let codes = self.prepare_codes(count, "openid offline_access").await;
        let redeemed = self.all(codes, async move |connection, code: String| {
            text_in(&redeem(connection, headers, &code).await, "refresh_token")
        });
        redeemed.await.0
    }

    /// Refreshes, each time with a token of `tokens`, in whose place its successor comes; how many a second.
    pub async fn refresh(&self, tokens: &'static Mutex<Vec<String>>, count: usize) -> f64 {
        let headers = authorization(CLIENT);
        let work = async move |connection: &mut Connection, ()| {
            let token = tokens.lock().unwrap().pop().expect("a token for each connection");
            let form = form(&[("grant_type", "refresh_token"), ("refresh_token", &token)]);
            let answer = connection.post("/token", headers, &form).await.unwrap();
            assert_eq!(answer.status, 200, "{}", answer.body);
            tokens.lock().unwrap().push(text_in(&answer.body, "refresh_token"));
        };
        self.all(vec![(); count], work).await.1
    }
}

/// The header that says who a client is.
fn authorization(client: [&str; 2]) -> &'static str {
    format!("authorization: Basic {}\r\n", STANDARD.encode(client.join(":"))).leak()
}

/// Redeems a code; the answer.
async fn redeem(connection: &mut Connection, headers: &str, code: &str) -> String {
    let form = form(&[
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ]);
    let answer = connection.post("/token", headers, &form).await.unwrap();
    assert!(answer.status == 200 && answer.body.contains("id_token"), "{}", answer.body);
    answer.body
}

/// A text of a JSON answer.
fn text_in(answer: &str, name: &str) -> String {
    let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
    answer[name].as_str().unwrap_or_else(|| panic!("no {name}: {answer}")).to_owned()
}

/// From the client's request to the sign-in page, in a browser that the account knows.
async fn prepare(connection: &mut Connection, account: usize) -> Prepared {
    let device = format!("device={}", device(account));
    let first = connection.get(&authorize("openid"), &device).await.unwrap();
    let target = first.header("location").expect("a redirect to the sign-in page").to_owned();
    let cookies = format!("{device}; {}", first.cookies());
    let page = connection.get(&target, &cookies).await.unwrap();
    assert_eq!(page.status, 200, "{}", page.body);
    let fields =
        [("csrf", csrf_in(&page.body)), ("email", email(account)), ("password", PASSWORD.to_owned())];
    let form = Serializer::new(String::new()).extend_pairs(fields).finish();
    Prepared { target, cookies, form }
}

/// Asks for `/jwks` from a thread of its own until it is stopped.
struct Probe {
    stop: std::sync::mpsc::Sender<()>,
    thread: std::thread::JoinHandle<Vec<Duration>>,
}

impl Probe {
    fn start(port: u16) -> Self {
        let (stop, stopped) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let mut connection = runtime.block_on(Connection::open(port)).unwrap();
            let mut took = Vec::new();
            while stopped.recv_timeout(JWKS_EVERY).is_err() {
                let start = Instant::now();
                let answer = runtime.block_on(connection.get("/jwks", "")).unwrap();
                took.push(start.elapsed());
                assert_eq!(answer.status, 200);
            }
            took
        });
        Self { stop, thread }
    }

    fn stop(self) -> Vec<Duration> {
        self.stop.send(()).unwrap();
        self.thread.join().unwrap()
    }
}
