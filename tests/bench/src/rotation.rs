//! Rotation and an emergency revocation by the command line, while people keep asking. Only what was signed with the
//! revoked key may fail, and once the command has returned it must.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::http::{Answer, Connection};
use crate::load::{self, Load, VERIFIER};
use crate::server::{self, APP, Algorithm, Client, REDIRECT_URI, Storage};

/// People who ask in turn; each waits for an answer before the next question.
const PEOPLE: usize = 50;
const SCOPE: &str = "openid profile offline_access";
/// The client under load. Its access tokens are signed with ES256 in any case, so that one key signs both its tokens.
const CLIENT: Client = APP[Algorithm::Es256 as usize];

/// How hard and how long.
pub struct Options {
    pub rate: u32,
    pub seconds: u32,
}

impl Options {
    /// From the words behind `rotation`.
    pub fn read() -> Self {
        let mut options = Self { rate: 50, seconds: 120 };
        let mut words = std::env::args().skip(2);
        while let Some(word) = words.next() {
            let number = words.next().and_then(|number| number.parse::<u32>().ok());
            match (word.as_str(), number) {
                ("--rate", Some(number @ 1..=1_000)) => options.rate = number,
                ("--seconds", Some(number @ 120..=3_600)) => options.seconds = number,
                _ => {
                    eprintln!("bench rotation: [--rate N] [--seconds N, 120 or more]");
                    std::process::exit(2);
                }
            }
        }
        options
    }
}

/// What a person does, one after the other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Authorize,
    Code,
    Userinfo,
    Jwks,
    Refresh,
}

impl Step {
    const TURN: [Self; 7] = [
        Self::Authorize,
        Self::Code,
        Self::Userinfo,
        Self::Jwks,
        Self::Refresh,
        Self::Userinfo,
        Self::Userinfo,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Authorize => "GET /authorize",
            Self::Code => "POST /token, code",
            Self::Userinfo => "GET /userinfo",
            Self::Jwks => "GET /jwks",
            Self::Refresh => "POST /token, refresh",
        }
    }
}

struct Person {
    connection: Connection,
    cookies: String,
    turn: usize,
    code: String,
    access_token: String,
    refresh_token: String,
}

/// The key that is revoked; requests that begin when `is_over` must not profit from it.
#[derive(Clone, Default)]
struct Revocation {
    kid: Arc<std::sync::OnceLock<String>>,
    is_over: Arc<AtomicBool>,
}

impl Revocation {
    fn is(&self, kid: &str) -> bool {
        self.kid.get().is_some_and(|revoked| revoked == kid)
    }
}

/// How a request went.
enum Outcome {
    Good,
    /// Refused, and its token was signed with the revoked key.
    Revoked,
    /// Anything else that is not as it should be.
    Failed(String),
}

struct Done {
    step: Step,
    took: Duration,
    outcome: Outcome,
    person: Person,
}

/// One line of the table.
#[derive(Default)]
struct Tally {
    took: Vec<Duration>,
    revoked: usize,
    failed: usize,
}

/// Runs it and prints the table; whether nothing failed that should not.
pub async fn run(options: &Options) -> bool {
    println!("preparing {PEOPLE} people");
    let server = server::start("Voordeur", Storage::default(), PEOPLE, 0).await;
    let mut load = Load::new(&server, 8);
    load.settle(PEOPLE, &[]).await;
    let mut people = VecDeque::new();
    for (number, cookies) in load.browsers().iter().enumerate() {
        let mut person = Person {
            connection: Connection::open(server.plan.port).await.unwrap(),
            cookies: cookies.clone(),
            turn: 0,
            code: String::new(),
            access_token: String::new(),
            refresh_token: String::new(),
        };
        for step in [Step::Authorize, Step::Code] {
            let answer = ask(&mut person, step).await.unwrap();
            learn(&mut person, step, &answer).unwrap();
        }
        // Everybody is somewhere else in the turn, but nobody at a code that was not asked for.
        person.turn = if number % Step::TURN.len() == 1 { 0 } else { number };
        people.push_back(person);
    }

    println!("{} requests a second for {} seconds", options.rate, options.seconds);
    let revocation = Revocation::default();
    let operator = tokio::task::spawn_blocking({
        let (idp, revocation, seconds) = (server::command_line(&server), revocation.clone(), options.seconds);
        move || operate(&idp, &revocation, Duration::from_secs(seconds.into()))
    });
    let start = Instant::now();
    let (tallies, mut troubles) = keep_asking(people, options, &revocation).await;
    let took = start.elapsed().as_secs_f64();
    if took > 1.05 * f64::from(options.seconds) {
        troubles.push(format!("the load was not held: it took {took:.1} s"));
    }
    for line in operator.await.unwrap() {
        println!("{line}");
    }
    report(&tallies, &troubles)
}

/// Two rotations and a revocation. A key that rotates signs 35 seconds after it was published.
fn operate(idp: &impl Fn(&[&str]) -> Value, revocation: &Revocation, whole: Duration) -> Vec<String> {
    let start = Instant::now();
    let mut said = Vec::new();
    let mut at = |eighth: u32, arguments: &[&str]| {
        std::thread::sleep((whole * eighth / 8).saturating_sub(start.elapsed()));
        let (begun, asked) = (start.elapsed(), Instant::now());
        let keys = idp(arguments);
        said.push(format!(
            "{:>5.1} s: idp {} ({} ms)",
            begun.as_secs_f64(),
            arguments.join(" "),
            asked.elapsed().as_millis()
        ));
        keys
    };
    at(0, &["keys", "rotate"]);
    at(1, &["keys", "rotate", "--now"]);
    at(3, &["keys", "rotate", "--now"]);
    let keys = at(6, &["keys", "list"]);
    let signing = |key: &&Value| key["phase"] == "signing" && key["algorithm"] == Algorithm::Es256.name();
    let kid = keys.as_array().unwrap().iter().find(signing).expect("a signing key")["kid"].as_str().unwrap();
    revocation.kid.set(kid.to_owned()).unwrap();
    at(6, &["keys", "revoke", "--kid", kid]);
    revocation.is_over.store(true, Ordering::SeqCst);
    said
}

/// Sends a request every so often, whatever became of the earlier ones.
async fn keep_asking(
    mut people: VecDeque<Person>,
    options: &Options,
    revocation: &Revocation,
) -> (BTreeMap<Step, Tally>, Vec<String>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / options.rate);
    let (mut running, mut tallies, mut troubles) =
        (JoinSet::new(), BTreeMap::<Step, Tally>::new(), Vec::new());
    let mut note = |done: Done, people: &mut VecDeque<Person>| {
        let tally = tallies.entry(done.step).or_default();
        tally.took.push(done.took);
        match done.outcome {
            Outcome::Good => {}
            Outcome::Revoked => tally.revoked += 1,
            Outcome::Failed(why) => {
                tally.failed += 1;
                troubles.push(format!("{}: {why}", done.step.name()));
            }
        }
        people.push_back(done.person);
    };
    for _ in 0..options.rate * options.seconds {
        ticks.tick().await;
        while let Some(done) = running.try_join_next() {
            note(done.unwrap(), &mut people);
        }
        if people.is_empty() {
            // Everybody waits for an answer: the load is not held.
            note(running.join_next().await.unwrap().unwrap(), &mut people);
        }
        let person = people.pop_front().unwrap();
        running.spawn(one(person, revocation.clone()));
    }
    while let Some(done) = running.join_next().await {
        note(done.unwrap(), &mut people);
    }
    (tallies, troubles)
}

async fn one(mut person: Person, revocation: Revocation) -> Done {
    let step = Step::TURN[person.turn % Step::TURN.len()];
    person.turn += 1;
    let used = kid_of(&person.access_token);
    let is_over = revocation.is_over.load(Ordering::SeqCst);
    let start = Instant::now();
    let answer = ask(&mut person, step).await;
    let took = start.elapsed();
    let outcome = match answer {
        Err(error) => Outcome::Failed(error.to_string()),
        Ok(answer) if step == Step::Userinfo && answer.status == 401 && revocation.is(&used) => {
            Outcome::Revoked
        }
        Ok(answer) if step == Step::Userinfo && answer.status == 200 && is_over && revocation.is(&used) => {
            Outcome::Failed("a token of the revoked key was accepted".into())
        }
        Ok(answer) => match learn(&mut person, step, &answer) {
            Err(why) => Outcome::Failed(why),
            Ok(()) if !is_over => Outcome::Good,
            Ok(()) => match step {
                Step::Code | Step::Refresh if revocation.is(&kid_of(&person.access_token)) => {
                    Outcome::Failed("the revoked key signed".into())
                }
                Step::Jwks if revocation.kid.get().is_some_and(|kid| answer.body.contains(kid)) => {
                    Outcome::Failed("the revoked key was published".into())
                }
                _ => Outcome::Good,
            },
        },
    };
    Done { step, took, outcome, person }
}

async fn ask(person: &mut Person, step: Step) -> std::io::Result<Answer> {
    let client = load::authorization(CLIENT);
    match step {
        Step::Authorize => {
            person.connection.get(&load::authorize("/authorize", CLIENT, SCOPE), &person.cookies).await
        }
        Step::Jwks => person.connection.get("/jwks", "").await,
        Step::Userinfo => {
            let header = format!("authorization: Bearer {}\r\n", person.access_token);
            person.connection.post("/userinfo", &header, "").await
        }
        Step::Refresh => {
            let form =
                load::form(&[("grant_type", "refresh_token"), ("refresh_token", &person.refresh_token)]);
            person.connection.post("/token", &client, &form).await
        }
        Step::Code => {
            let form = load::form(&[
                ("grant_type", "authorization_code"),
                ("code", &person.code),
                ("redirect_uri", REDIRECT_URI),
                ("code_verifier", VERIFIER),
            ]);
            person.connection.post("/token", &client, &form).await
        }
    }
}

/// Takes from an answer what the next steps need; an answer that has it not has failed.
fn learn(person: &mut Person, step: Step, answer: &Answer) -> Result<(), String> {
    let failed = || format!("{} {}", answer.status, answer.body);
    match step {
        Step::Authorize => {
            let location = answer.header("location").filter(|at| at.contains("code=")).ok_or_else(failed)?;
            person.code = load::code_in(location);
        }
        Step::Code | Step::Refresh => {
            let tokens: Value = serde_json::from_str(&answer.body).map_err(|_| failed())?;
            let token = |name: &str| tokens[name].as_str().map(str::to_owned).ok_or_else(failed);
            person.access_token = token("access_token")?;
            person.refresh_token = token("refresh_token")?;
            if kid_of(&token("id_token")?) != kid_of(&person.access_token) {
                return Err("two keys in one answer".into());
            }
        }
        Step::Userinfo | Step::Jwks if answer.status == 200 => {}
        Step::Userinfo | Step::Jwks => return Err(failed()),
    }
    Ok(())
}

/// The `kid` in the header of a token.
fn kid_of(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap_or_default()).unwrap_or_default();
    let header: Value = serde_json::from_slice(&header).unwrap_or_default();
    header["kid"].as_str().unwrap_or_default().to_owned()
}

fn report(tallies: &BTreeMap<Step, Tally>, troubles: &[String]) -> bool {
    println!(
        "\n{:<24}{:>10}{:>14}{:>16}{:>10}{:>10}{:>10}",
        "", "requests", "revoked key", "other failures", "p50 ms", "p99 ms", "worst ms"
    );
    let (mut sent, mut revoked, mut failed) = (0, 0, 0);
    for (step, tally) in tallies {
        let mut took = tally.took.clone();
        took.sort();
        let at = |percent: usize| took[(took.len() - 1) * percent / 100].as_secs_f64() * 1e3;
        println!(
            "{:<24}{:>10}{:>14}{:>16}{:>10.1}{:>10.1}{:>10.1}",
            step.name(),
            took.len(),
            tally.revoked,
            tally.failed,
            at(50),
            at(99),
            at(100)
        );
        sent += took.len();
        revoked += tally.revoked;
        failed += tally.failed;
    }
    println!("{:<24}{sent:>10}{revoked:>14}{failed:>16}", "all");
    for trouble in troubles.iter().take(10) {
        println!("{trouble}");
    }
    let good = troubles.is_empty() && revoked > 0;
    println!("\n{}", if good { "nothing failed but what the revoked key had signed" } else { "NOT good" });
    good
}
