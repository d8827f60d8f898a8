//! The load: browsers and clients, several at once, over connections that stay open.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use platform::seal::sha256;
use tokio::task::{JoinSet, LocalSet};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::http::{Answer, Connection};
use crate::provider::{Dialect, Provider};
use crate::server::{APP, Algorithm, Client, MACHINE, PASSWORD, REDIRECT_URI, RESOURCE, WEB, device, email};

pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// How often the keys are asked for while people sign in.
const JWKS_EVERY: Duration = Duration::from_millis(25);

/// What a provider is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Discovery,
    Jwks,
    Silent(Algorithm),
    Refresh(Algorithm),
    ClientCredentials(Algorithm),
    Introspection,
    SignIn,
}

impl Operation {
    pub const ALL: [Self; 10] = [
        Self::Discovery,
        Self::Jwks,
        Self::Silent(Algorithm::Rs256),
        Self::Silent(Algorithm::Es256),
        Self::Refresh(Algorithm::Rs256),
        Self::Refresh(Algorithm::Es256),
        Self::ClientCredentials(Algorithm::Rs256),
        Self::ClientCredentials(Algorithm::Es256),
        Self::Introspection,
        Self::SignIn,
    ];

    pub fn name(self) -> String {
        match self {
            Self::Discovery => "discovery".into(),
            Self::Jwks => "JWKS".into(),
            Self::Silent(algorithm) => format!("silent flow, {}", algorithm.name()),
            Self::Refresh(algorithm) => format!("refresh, {}", algorithm.name()),
            Self::ClientCredentials(algorithm) => format!("client credentials, {}", algorithm.name()),
            Self::Introspection => "introspection".into(),
            Self::SignIn => "sign-in".into(),
        }
    }
}

/// Sends requests to one provider.
pub struct Load {
    port: u16,
    at_once: usize,
    dialect: Dialect,
    people: usize,
    /// Who signs in next.
    next: usize,
    /// Cookies of browsers that signed in.
    browsers: Vec<String>,
    /// Refresh tokens of as many sign-ins, in the order of [`Algorithm`].
    tokens: [Arc<Mutex<VecDeque<String>>>; 2],
    /// How many signed in so far.
    pub sign_ins: usize,
}

/// What is to be done, once all that comes before it is done.
pub struct Work(Inner);

enum Inner {
    Get(&'static str, usize),
    Silent(Algorithm, usize),
    Refresh(Algorithm, usize),
    ClientCredentials(Algorithm, usize),
    Introspection(Vec<String>),
    SignIn(Vec<Prepared>),
}

/// A sign-in that lacks only its password.
struct Prepared {
    target: String,
    cookies: String,
    form: String,
}

/// How fast it went.
pub struct Pace {
    /// A second, while all connections were busy.
    pub rate: f64,
    /// Milliseconds.
    pub p50: f64,
    pub p99: f64,
    /// The 99th percentile of `GET /jwks` meanwhile, in milliseconds; measured while people sign in.
    pub jwks_p99: Option<f64>,
}

pub fn form(fields: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// A request for a code.
pub fn authorize(path: &str, client: Client, scope: &str) -> String {
    let challenge = sha256(VERIFIER);
    let parameters = form(&[
        ("client_id", client.id),
        ("redirect_uri", REDIRECT_URI),
        ("response_type", "code"),
        ("scope", scope),
        ("state", "the-state"),
        ("nonce", "the-nonce"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    format!("{path}?{parameters}")
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

/// At the given share, from 0 to 1, in milliseconds.
pub fn percentile(took: &mut [Duration], share: f64) -> f64 {
    took.sort_unstable();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the list")]
    let place = ((took.len() - 1) as f64 * share).round() as usize;
    took[place].as_secs_f64() * 1e3
}

impl Load {
    pub fn new(provider: &Provider, at_once: usize) -> Self {
        Self {
            port: provider.plan.port,
            at_once,
            dialect: provider.plan.dialect,
            people: provider.plan.people,
            next: 0,
            browsers: provider.plan.browsers.clone(),
            tokens: <[Arc<Mutex<VecDeque<String>>>; 2]>::default(),
            sign_ins: 0,
        }
    }

    /// Cookies of browsers that signed in.
    pub fn browsers(&self) -> &[String] {
        &self.browsers
    }

    /// Does `work` for every item, on as many connections as go at once; the results, and how fast it went while all
    /// connections were busy: without the first and the last ones.
    async fn all<I, R, F>(&self, items: Vec<I>, work: F) -> (Vec<R>, Pace)
    where
        I: 'static,
        R: 'static,
        F: AsyncFn(&mut Connection, I) -> R + Clone + 'static,
    {
        let at_once = self.at_once.min(items.len());
        let mut connections = Vec::new();
        for _ in 0..at_once {
            connections.push(Connection::open(self.port).await.unwrap());
        }
        let items = Arc::new(Mutex::new(VecDeque::from(items)));
        let local = LocalSet::new();
        let mut running = JoinSet::new();
        for mut connection in connections {
            let (items, work) = (Arc::clone(&items), work.clone());
            let one = async move {
                let mut results = Vec::new();
                loop {
                    let item = items.lock().unwrap().pop_front();
                    let Some(item) = item else { return results };
                    let start = Instant::now();
                    results.push((work(&mut connection, item).await, (start.elapsed(), Instant::now())));
                }
            };
            running.spawn_local_on(one, &local);
        }
        let results = local.run_until(async { running.join_all().await }).await;
        let (results, times): (Vec<R>, Vec<_>) = results.into_iter().flatten().unzip();
        let (mut took, mut ended): (Vec<Duration>, Vec<Instant>) = times.into_iter().unzip();
        ended.sort_unstable();
        let apart = at_once.min(ended.len() / 3);
        let busy = &ended[apart..ended.len() - apart];
        let seconds = (busy[busy.len() - 1] - busy[0]).as_secs_f64();
        let rate = (busy.len() - 1) as f64 / seconds;
        let [p50, p99] = [0.5, 0.99].map(|share| percentile(&mut took, share));
        (results, Pace { rate, p50, p99, jwks_p99: None })
    }

    /// What a server has seen that just started.
    pub async fn a_few_requests(&self) {
        let mut connection = Connection::open(self.port).await.unwrap();
        for _ in 0..5 {
            for target in ["/.well-known/openid-configuration", "/jwks"] {
                let target = format!("{}{target}", self.dialect.prefix);
                assert_eq!(connection.get(&target, "").await.unwrap().status, 200, "{target}");
            }
        }
    }

    /// A refresh token that was got and not used.
    pub fn next_refresh_token(&self, algorithm: Algorithm) -> String {
        self.tokens[algorithm as usize].lock().unwrap().pop_front().expect("one that was settled")
    }

    /// Has so many browsers sign in, unless they have, and gets tokens to refresh.
    pub async fn settle(&mut self, count: usize, algorithms: &[Algorithm]) {
        if self.browsers.is_empty() {
            let journeys = self.prepare_sign_ins(count).await;
            self.sign_in(journeys).await;
        }
        for algorithm in algorithms {
            let tokens = self.tokens(APP[*algorithm as usize], count, "refresh_token").await;
            self.tokens[*algorithm as usize].lock().unwrap().extend(tokens);
        }
    }

    /// Does all that is not measured.
    pub async fn prepare(&mut self, operation: Operation, count: usize) -> Work {
        Work(match operation {
            Operation::Discovery => Inner::Get("/.well-known/openid-configuration", count),
            Operation::Jwks => Inner::Get("/jwks", count),
            Operation::Silent(algorithm) => Inner::Silent(algorithm, count),
            Operation::Refresh(algorithm) => Inner::Refresh(algorithm, count),
            Operation::ClientCredentials(algorithm) => Inner::ClientCredentials(algorithm, count),
            Operation::Introspection => {
                let tokens = self.tokens(WEB[0], self.at_once, "access_token").await;
                Inner::Introspection(tokens.into_iter().cycle().take(count).collect())
            }
            Operation::SignIn => Inner::SignIn(self.prepare_sign_ins(count).await),
        })
    }

    /// Does what is measured.
    pub async fn perform(&mut self, work: Work) -> Pace {
        match work.0 {
            Inner::Get(target, count) => self.get(target, count).await,
            Inner::Silent(algorithm, count) => self.silent(WEB[algorithm as usize], count).await,
            Inner::Refresh(algorithm, count) => self.refresh(algorithm, count).await,
            Inner::ClientCredentials(algorithm, count) => {
                self.client_credentials(MACHINE[algorithm as usize], count).await
            }
            Inner::Introspection(tokens) => self.introspect(tokens).await,
            Inner::SignIn(journeys) => self.sign_in(journeys).await,
        }
    }

    /// Begins a journey for each of the people who come next, each in a browser of its own.
    async fn prepare_sign_ins(&mut self, count: usize) -> Vec<Prepared> {
        let accounts = (self.next..self.next + count).map(|number| number % self.people).collect();
        self.next += count;
        self.all(accounts, prepare_sign_in).await.0
    }

    /// Gives all the passwords, and asks for the keys meanwhile.
    async fn sign_in(&mut self, journeys: Vec<Prepared>) -> Pace {
        let probe = Probe::start(self.port, format!("{}/jwks", self.dialect.prefix));
        self.sign_ins += journeys.len();
        let (browsers, pace) = self.all(journeys, sign_in).await;
        if self.browsers.is_empty() {
            self.browsers = browsers;
        }
        Pace { jwks_p99: Some(percentile(&mut probe.stop(), 0.99)), ..pace }
    }

    /// Cookies of browsers that signed in, so many of them.
    fn some_browsers(&self, count: usize) -> Vec<String> {
        (0..count).map(|number| self.browsers[number % self.browsers.len()].clone()).collect()
    }

    /// What silent flows gave.
    async fn tokens(&self, client: Client, count: usize, name: &'static str) -> Vec<String> {
        let scope = if name == "refresh_token" { "openid offline_access" } else { "openid" };
        let flow = Flow::new(self.dialect, client, scope);
        let work = async move |connection: &mut Connection, cookies: String| {
            text_in(&flow.run(connection, &cookies).await, name)
        };
        self.all(self.some_browsers(count), work).await.0
    }

    /// Reads what stands at an address, so often.
    pub async fn get(&self, target: &str, count: usize) -> Pace {
        let target = format!("{}{target}", self.dialect.prefix);
        let work = async move |connection: &mut Connection, ()| {
            assert_eq!(connection.get(&target, "").await.unwrap().status, 200, "{target}");
        };
        self.all(vec![(); count], work).await.1
    }

    /// Sign-ins of people who are signed in already, each to its tokens.
    async fn silent(&self, client: Client, count: usize) -> Pace {
        let flow = Flow::new(self.dialect, client, "openid");
        let work = async move |connection: &mut Connection, cookies: String| {
            flow.run(connection, &cookies).await;
        };
        self.all(self.some_browsers(count), work).await.1
    }

    /// Refreshes, each time with the token that was made longest ago, for which its successor comes.
    async fn refresh(&self, algorithm: Algorithm, count: usize) -> Pace {
        let (headers, target) =
            (authorization(APP[algorithm as usize]), format!("{}/token", self.dialect.prefix));
        let tokens = Arc::clone(&self.tokens[algorithm as usize]);
        let has_id_token = self.dialect.refreshes_id_token;
        let work = async move |connection: &mut Connection, ()| {
            let token = tokens.lock().unwrap().pop_front().expect("a token for each connection");
            let form = form(&[("grant_type", "refresh_token"), ("refresh_token", &token)]);
            let answer = connection.post(&target, &headers, &form).await.unwrap();
            assert!(answer.status == 200, "{}", answer.body);
            assert_eq!(answer.body.contains("id_token"), has_id_token, "{}", answer.body);
            let successor = text_in(&answer.body, "refresh_token");
            assert_ne!(successor, token, "no rotation");
            tokens.lock().unwrap().push_back(successor);
        };
        self.all(vec![(); count], work).await.1
    }

    /// Tokens of a machine, for an API.
    async fn client_credentials(&self, client: Client, count: usize) -> Pace {
        let (headers, target) = (authorization(client), format!("{}/token", self.dialect.prefix));
        let work = async move |connection: &mut Connection, ()| {
            let form =
                form(&[("grant_type", "client_credentials"), ("resource", RESOURCE), ("scope", "api")]);
            let answer = connection.post(&target, &headers, &form).await.unwrap();
            assert_eq!(answer.status, 200, "{}", answer.body);
            let token = text_in(&answer.body, "access_token");
            assert_eq!(token.split('.').count(), 3, "not signed: {token}");
        };
        self.all(vec![(); count], work).await.1
    }

    /// Asks whether access tokens are good, which they are.
    async fn introspect(&self, tokens: Vec<String>) -> Pace {
        let (headers, target) = (authorization(WEB[0]), format!("{}/introspect", self.dialect.prefix));
        let work = async move |connection: &mut Connection, token: String| {
            let answer = connection.post(&target, &headers, &form(&[("token", &token)])).await.unwrap();
            assert!(answer.status == 200 && answer.body.contains("\"active\":true"), "{}", answer.body);
        };
        self.all(tokens, work).await.1
    }
}

/// From the client's request to its tokens, without a page.
#[derive(Clone)]
struct Flow {
    authorize: String,
    token: String,
    headers: String,
    forgets_codes: bool,
}

impl Flow {
    fn new(dialect: Dialect, client: Client, scope: &str) -> Self {
        let Dialect { prefix, authorize: path, silently, forgets_codes, .. } = dialect;
        Self {
            authorize: format!("{prefix}{}{silently}", authorize(path, client, scope)),
            token: format!("{prefix}/token"),
            headers: authorization(client),
            forgets_codes,
        }
    }

    /// The answer with the tokens. One whose code was forgotten asks for another, at most twice; the time counts.
    async fn run(&self, connection: &mut Connection, cookies: &str) -> String {
        for _ in 0..2 {
            let answer = self.once(connection, cookies).await;
            if !self.forgets_codes || answer.status == 200 {
                return tokens_in(answer);
            }
        }
        tokens_in(self.once(connection, cookies).await)
    }

    async fn once(&self, connection: &mut Connection, cookies: &str) -> Answer {
        let answer = connection.get(&self.authorize, cookies).await.unwrap();
        assert!(answer.header("location").is_some(), "{} {}", answer.status, answer.body);
        let code = code_in(answer.header("location").unwrap_or_default());
        let form = form(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ]);
        connection.post(&self.token, &self.headers, &form).await.unwrap()
    }
}

fn tokens_in(answer: Answer) -> String {
    assert!(answer.status == 200 && answer.body.contains("id_token"), "{} {}", answer.status, answer.body);
    answer.body
}

/// The header that says who a client is.
pub fn authorization(client: Client) -> String {
    format!("authorization: {}\r\n", basic(client))
}

/// Its value.
pub fn basic(client: Client) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", client.id, client.secret)))
}

/// A text of a JSON answer.
pub fn text_in(answer: &str, name: &str) -> String {
    let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
    answer[name].as_str().unwrap_or_else(|| panic!("no {name}: {answer}")).to_owned()
}

/// The cookies of a browser after an answer.
fn kept(cookies: &str, answer: &Answer) -> String {
    let new = answer.cookies();
    let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
    let set: Vec<&str> = new.split("; ").filter(|pair| !pair.is_empty()).collect();
    let old = cookies.split("; ").filter(|old| !set.iter().any(|new| name(new) == name(old)));
    let all = old.chain(set.iter().copied()).filter(|pair| !pair.ends_with('='));
    all.collect::<Vec<_>>().join("; ")
}

/// From the client's request to the sign-in page, in a browser that the account knows.
async fn prepare_sign_in(connection: &mut Connection, account: usize) -> Prepared {
    let device = format!("voordeur-device={}", device(account));
    let first =
        connection.get(&authorize(Dialect::PLAIN.authorize, WEB[0], "openid"), &device).await.unwrap();
    let target = first.header("location").expect("a redirect to the sign-in page").to_owned();
    let cookies = kept(&device, &first);
    let page = connection.get(&target, &cookies).await.unwrap();
    assert_eq!(page.status, 200, "{}", page.body);
    let cookies = kept(&cookies, &page);
    let fields =
        [("csrf", csrf_in(&page.body)), ("email", email(account)), ("password", PASSWORD.to_owned())];
    let form = Serializer::new(String::new()).extend_pairs(fields).finish();
    Prepared { target, cookies, form }
}

/// From the password to the code, also by way of addresses of the provider; the cookies after it.
async fn sign_in(connection: &mut Connection, Prepared { target, cookies, form }: Prepared) -> String {
    let mut answer = connection.post(&target, &format!("cookie: {cookies}\r\n"), &form).await.unwrap();
    let mut cookies = kept(&cookies, &answer);
    loop {
        assert_eq!(answer.status, 303, "{}", answer.body);
        let location = answer.header("location").unwrap_or_default();
        if location.starts_with(REDIRECT_URI) {
            code_in(location);
            return cookies;
        }
        let path = Url::parse(location).map_or(location.to_owned(), |url| url.path().to_owned());
        answer = connection.get(&path, &cookies).await.unwrap();
        cookies = kept(&cookies, &answer);
    }
}

/// Asks for the keys from a thread of its own until it is stopped.
struct Probe {
    stop: std::sync::mpsc::Sender<()>,
    thread: std::thread::JoinHandle<Vec<Duration>>,
}

impl Probe {
    fn start(port: u16, target: String) -> Self {
        let (stop, stopped) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let mut connection = runtime.block_on(Connection::open(port)).unwrap();
            let mut took = Vec::new();
            loop {
                let start = Instant::now();
                let answer = runtime.block_on(connection.get(&target, "")).unwrap();
                took.push(start.elapsed());
                assert_eq!(answer.status, 200);
                if stopped.recv_timeout(JWKS_EVERY) != Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                    return took;
                }
            }
        });
        Self { stop, thread }
    }

    fn stop(self) -> Vec<Duration> {
        let _ = self.stop.send(());
        self.thread.join().unwrap()
    }
}
