//! kill -9 while many are served at once and their units of work share commits: whatever was answered is there after it.

use std::path::Path;

use platform::random::Random;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use sqlx::{AnyConnection, Connection as _, Row as _};
use tests::{Browser, Person, RelyingParty, Tokens};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use url::Url;

use crate::data::Operator;
use crate::operations::serve;
use crate::protocol_acts::refused;

const ROUNDS: usize = 3;
/// So many of each kind ask at once.
const PATIENT: usize = 12;
const STRICT: usize = 12;
const SILENT: usize = 8;

/// Somebody asks until the server is gone, and says so of each answer.
type Answered = UnboundedSender<()>;

/// What somebody was answered.
enum Had {
    /// Of a client whose used tokens may come again for a while: so the newest is good whatever happened to a request that
    /// was not answered.
    Patient { newest: Tokens },
    /// Of a client whose used tokens end everything: so the one before the newest is not good whatever happened.
    Strict { used: Option<Tokens>, newest: Tokens },
    /// Codes that were not redeemed yet.
    Silent { codes: Vec<String> },
}

async fn configure(operator: &Operator) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let issuer = format!("http://localhost:{port}");
    let client = |id: &str, grace: u32| {
        format!(
            "[[portal.client]]\nclient_id = '{id}'\nclient_secret = 'web-secret'\n\
             id_token_signed_response_alg = 'ES256'\nrefresh_grace_seconds = {grace}\n\
             redirect_uris = ['http://127.0.0.1:9999/cb']\n"
        )
    };
    let text = format!(
        "issuer = '{issuer}'\nlisten = '127.0.0.1:{port}'\ndatabase = 'sqlite:idp.db'\n\
         [secrets]\nroot = {{ file = 'root.key' }}\n[dev]\noutbox = true\n\
         [limits]\nposts_per_minute = 0\nclient_requests_per_minute = 0\nopen_per_address = 0\nopen_in_all = 0\n\
         [[portal]]\nid = 'tests'\nurl = 'http://127.0.0.1:9999'\nbrand.name = 'Testportaal'\n\
         policy.second_factor = 'never'\n{}{}",
        client("patient", 60),
        client("strict", 0)
    );
    std::fs::write(operator.config(), text).unwrap();
    issuer
}

/// The tokens of a refresh; none if the server was gone before all of the answer was here.
async fn refresh(portal: &RelyingParty, tokens: &Tokens) -> Option<Tokens> {
    let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.get("refresh_token"))];
    let request = portal.http.post(format!("{}/token", portal.issuer)).form(&form);
    let answer = request.basic_auth(&portal.client_id, Some("web-secret")).send().await.ok()?;
    let status = answer.status();
    let body: Value = answer.json().await.ok()?;
    assert_eq!(status, StatusCode::OK, "{body}");
    Some(Tokens(body))
}

/// A code that a browser that is signed in gets silently; none if the server was gone.
async fn code(http: &Client, portal: &RelyingParty, cookies: &str) -> Option<String> {
    let url = portal.authorize_url(&[("prompt", "none")]);
    let answer = http.get(url).header("cookie", cookies).send().await.ok()?;
    let to = answer.headers()["location"].to_str().unwrap();
    let (_, code) = Url::parse(to).unwrap().query_pairs().into_owned().find(|(name, _)| name == "code")?;
    Some(code)
}

async fn tokens(http: &Client, portal: &RelyingParty, cookies: &str) -> Tokens {
    let code = code(http, portal, cookies).await.expect("the session is there");
    let answer = portal.redeem(&code).await;
    assert_eq!(answer.status(), StatusCode::OK);
    Tokens(answer.json().await.unwrap())
}

impl Had {
    /// Asks until the server is gone.
    async fn ask(mut self, http: Client, portal: RelyingParty, cookies: String, answered: Answered) -> Self {
        loop {
            match &mut self {
                Self::Patient { newest } => {
                    let Some(tokens) = refresh(&portal, newest).await else { return self };
                    *newest = tokens;
                }
                Self::Strict { used, newest } => {
                    let Some(tokens) = refresh(&portal, newest).await else { return self };
                    *used = Some(std::mem::replace(newest, tokens));
                }
                Self::Silent { codes } => {
                    let Some(code) = code(&http, &portal, &cookies).await else { return self };
                    codes.push(code);
                }
            }
            let _ = answered.send(());
        }
    }

    /// All of it is so, at the next server.
    async fn holds(self, portal: &RelyingParty) {
        let again = async |tokens: &Tokens| {
            let token = tokens.get("refresh_token");
            portal.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
        };
        match self {
            Self::Patient { newest } => {
                let userinfo = portal.userinfo(newest.get("access_token")).await;
                assert_eq!(userinfo.status(), StatusCode::OK, "an access token that was handed out");
                let answer = again(&newest).await;
                assert_eq!(answer.status(), StatusCode::OK, "a refresh token that was handed out");
            }
            Self::Strict { used, newest } => {
                // Its own use was under way at the kill, so it may have happened.
                let answer = again(&newest).await;
                if answer.status() != StatusCode::OK {
                    assert_eq!(refused(answer).await, (400, "invalid_grant".into()));
                }
                if let Some(used) = used {
                    let answer = again(&used).await;
                    assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "a refresh token that was used");
                    assert_eq!(refused(answer).await.1, "invalid_grant");
                }
            }
            Self::Silent { codes } => {
                for code in codes.iter().rev().take(20) {
                    let answer = portal.redeem(code).await;
                    assert_eq!(answer.status(), StatusCode::OK, "a code that was handed out");
                }
            }
        }
    }
}

async fn is_whole(file: &Path) {
    sqlx::any::install_default_drivers();
    let mut raw = AnyConnection::connect(&format!("sqlite:{}?mode=rw", file.display())).await.unwrap();
    let row = sqlx::query("PRAGMA integrity_check").fetch_one(&mut raw).await.unwrap();
    assert_eq!(row.get::<String, _>(0), "ok");
    raw.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_answered_before_a_kill_in_the_middle_of_a_crowd_is_there_after_it() {
    let operator = Operator::new();
    let issuer = configure(&operator).await;
    let made = operator.create(&Person::ANNA);
    assert!(made.ok, "{made:?}");
    let [patient, strict] =
        ["patient", "strict"].map(|id| RelyingParty::new(&issuer, id, Some("web-secret")));
    let http = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();

    let (mut child, mut log) = serve(&operator.config()).await;
    let mut browser = Browser::new();
    browser.open(&patient.authorize_url(&[])).await;
    browser.give_password(&Person::ANNA).await;
    patient.answered(&browser, "code").expect("a sign-in");
    let jar: Vec<String> =
        browser.cookies["localhost"].iter().map(|(name, value)| format!("{name}={value}")).collect();
    let cookies = jar.join("; ");

    for _ in 0..ROUNDS {
        let mut crowd = Vec::new();
        for _ in 0..PATIENT {
            crowd.push((&patient, Had::Patient { newest: tokens(&http, &patient, &cookies).await }));
        }
        for _ in 0..STRICT {
            let newest = tokens(&http, &strict, &cookies).await;
            crowd.push((&strict, Had::Strict { used: None, newest }));
        }
        crowd.extend((0..SILENT).map(|_| (&patient, Had::Silent { codes: Vec::new() })));

        let (answered, mut answers) = unbounded_channel();
        let mut asking = JoinSet::new();
        for (portal, had) in crowd {
            let portal = portal.clone();
            let asks = had.ask(http.clone(), portal.clone(), cookies.clone(), answered.clone());
            asking.spawn(async move { (portal, asks.await) });
        }
        drop(answered);
        // At some answer; everybody has had a few by then.
        let until = 200 + u64::from_le_bytes(Random::system().bytes()) % 600;
        for _ in 0..until {
            answers.recv().await.expect("somebody asks");
        }
        child.kill().await.unwrap();
        let all = asking.join_all().await;
        let log_before = log.await.unwrap();
        assert!(!log_before.contains("\"level\":\"ERROR\""), "{log_before}");

        (child, log) = serve(&operator.config()).await;
        let mut checking = JoinSet::new();
        for (portal, had) in all {
            checking.spawn(async move { had.holds(&portal).await });
        }
        while let Some(checked) = checking.join_next().await {
            checked.unwrap();
        }
    }
    child.kill().await.unwrap();
    is_whole(&operator.file("idp.db")).await;
}
