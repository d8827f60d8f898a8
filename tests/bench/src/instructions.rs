//! A guard: how many instructions five requests cost, against what they cost when `tests/bench/instructions.json` was
//! written. Time says little on a machine that others use; instructions are the same on each.
//!
//! This program runs itself under callgrind, the router in its process: no sockets, one thread for requests, a clock
//! that stands still. Callgrind writes down what was counted whenever [`mark`] is called.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode, header};
use idp::app::App;
use idp::config::Config;
use platform::clock::Clock;
use platform::random::Random;
use tower::ServiceExt as _;

use crate::load::{Load, VERIFIER, authorize, basic, code_in, form, text_in};
use crate::provider::Dialect;
use crate::server::{self, APP, Algorithm, Client, MACHINE, REDIRECT_URI, RESOURCE, Storage, WEB};

/// What is counted, in this order: a code that the first one gives is what the second one takes.
const PATHS: [&str; 5] = [
    "silent authorize to the code",
    "code to the tokens",
    "refresh",
    "client credentials",
    "metadata and keys",
];
/// Of each, so that what comes now and then (a page of the database that is split) hardly matters.
const TIMES: usize = 60;
/// Before them, so that what is made at first use does not count.
const BEFORE: usize = 5;
const FILE: &str = "tests/bench/instructions.json";
/// How many times as much is too much.
const TOO_MUCH: f64 = 1.1;
/// Its signatures cost little beside the rest, which is what this is about.
const ES256: usize = Algorithm::Es256 as usize;

type Counts = BTreeMap<String, u64>;

/// Counts, and compares with the file or writes it; whether all is well.
pub async fn run(is_to_write: bool) -> bool {
    let folder = std::env::current_exe().unwrap().with_file_name("instructions");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let found = count(&folder).await;
    if is_to_write {
        fs::write(FILE, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
        println!("written to {FILE}");
        return true;
    }
    let known: Counts = serde_json::from_slice(&fs::read(FILE).unwrap()).unwrap();
    let mut is_well = true;
    for (place, path) in PATHS.iter().enumerate() {
        let (found, known) = (found[*path], known.get(*path).copied().unwrap_or_default());
        let times = found as f64 / known as f64;
        let is_too_much = times > TOO_MUCH;
        println!(
            "{path}: {found} instructions, {known} in the file, {:+.1} %{}",
            (times - 1.0) * 100.0,
            if is_too_much { ": TOO MUCH" } else { "" }
        );
        if is_too_much {
            let profile = profile(&folder, place);
            println!("    where they go: callgrind_annotate --inclusive=yes {}", profile.display());
        }
        is_well &= !is_too_much;
    }
    if !is_well {
        println!("If it is meant to cost more: tests/bench/run instructions --write, and commit {FILE}.");
    }
    is_well
}

/// What callgrind counted of a path: its second mark of each writes that down.
fn profile(folder: &Path, place: usize) -> PathBuf {
    folder.join(format!("out.{}", 2 * place + 2))
}

async fn count(folder: &Path) -> Counts {
    // A database with keys, somebody who is signed in, and a refresh token of theirs.
    let mut server = server::start("Voordeur", Storage::default(), 1, 0).await;
    let mut load = Load::new(&server, 1);
    load.settle(1, &[Algorithm::Es256]).await;
    let (cookies, token) = (load.browsers()[0].clone(), load.next_refresh_token(Algorithm::Es256));
    let files = server.plan.folder.take().expect("its folder");
    drop(server);

    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--dump-before=*instructions::mark*"])
        .arg(format!("--callgrind-out-file={}", folder.join("out").display()))
        .arg(format!("--log-file={}", folder.join("log").display()))
        .arg(std::env::current_exe().unwrap())
        .arg("counted")
        .arg(files.path().join("idp.toml"))
        .args([cookies, token])
        .status()
        .expect("valgrind is installed");
    assert!(status.success(), "{}", fs::read_to_string(folder.join("log")).unwrap_or_default());
    let each = PATHS.iter().enumerate().map(|(place, path)| {
        let profile = fs::read_to_string(profile(folder, place)).expect("callgrind writes at each mark");
        let total = profile.lines().find_map(|line| line.strip_prefix("totals:")).expect("a total");
        ((*path).to_owned(), total.trim().parse::<u64>().unwrap() / TIMES as u64)
    });
    each.collect()
}

/// Where callgrind writes down what it counted since the last time.
#[inline(never)]
fn mark() {
    black_box(());
}

/// What runs under callgrind.
pub async fn counted(file: &str, cookies: &str, token: &str) -> bool {
    let clock = Clock::fixed(Clock::system().now());
    let config = Config::load(Path::new(file)).unwrap();
    let app = App::new(config, clock, Random::seeded(1)).await.unwrap();
    let mut work = Work {
        router: idp::router::router(&app),
        cookies: cookies.to_owned(),
        codes: VecDeque::new(),
        token: token.to_owned(),
    };
    for place in 0..PATHS.len() {
        for _ in 0..BEFORE {
            work.once(place).await;
        }
        mark();
        for _ in 0..TIMES {
            work.once(place).await;
        }
        mark();
    }
    true
}

struct Work {
    router: Router,
    cookies: String,
    codes: VecDeque<String>,
    token: String,
}

impl Work {
    /// One of [`PATHS`].
    async fn once(&mut self, place: usize) {
        match place {
            0 => {
                let target = authorize(Dialect::PLAIN.authorize, WEB[ES256], "openid");
                let request = Request::get(target).header(header::COOKIE, &self.cookies);
                let answer = self.ask(request.body(Body::empty()).unwrap()).await;
                assert_eq!(answer.status(), StatusCode::SEE_OTHER);
                self.codes.push_back(code_in(answer.headers()[header::LOCATION].to_str().unwrap()));
            }
            1 => {
                let code = self.codes.pop_front().expect("one for each");
                let fields = [
                    ("grant_type", "authorization_code"),
                    ("code", &code),
                    ("redirect_uri", REDIRECT_URI),
                    ("code_verifier", VERIFIER),
                ];
                self.post(WEB[ES256], &fields).await;
            }
            2 => {
                let fields = [("grant_type", "refresh_token"), ("refresh_token", &self.token)];
                let answer = self.post(APP[ES256], &fields).await;
                self.token = text_in(&answer, "refresh_token");
            }
            3 => {
                let fields = [("grant_type", "client_credentials"), ("resource", RESOURCE), ("scope", "api")];
                self.post(MACHINE[ES256], &fields).await;
            }
            _ => {
                for target in ["/.well-known/openid-configuration", "/jwks"] {
                    let answer = self.ask(Request::get(target).body(Body::empty()).unwrap()).await;
                    body_of(answer).await;
                }
            }
        }
    }

    async fn ask(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// The token endpoint's answer to a client.
    async fn post(&self, client: Client, fields: &[(&str, &str)]) -> String {
        let request = Request::post("/token")
            .header(header::AUTHORIZATION, basic(client))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        body_of(self.ask(request.body(form(fields).into()).unwrap()).await).await
    }
}

async fn body_of(answer: Response<Body>) -> String {
    let status = answer.status();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert_eq!(status, StatusCode::OK, "{body}");
    body
}
