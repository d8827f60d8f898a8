//! Everything that is measured: each round of an operation goes to all providers in turn, so that what the machine does
//! meanwhile is alike for all of them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::engines::{Postgres, Redis};
use crate::figures::Spread;
use crate::load::{Load, Operation};
use crate::process::{machine_ticks, own_ticks};
use crate::provider::Provider;
use crate::server::{Algorithm, Storage};
use crate::{peers, raw, server};

/// Requests at once.
pub const AT_ONCE: usize = 16;
/// People whom the load knows; all others in a database are only there.
const PEOPLE: usize = 1_000;
/// Browsers that are signed in for the silent flow, and refresh tokens in turn.
const BROWSERS: usize = 200;
/// Grants of others in the memory of a peer, beside which it refreshes.
pub const PEERS_GRANTS: usize = 100_000;
/// Rows of a commit that many share.
pub const SHARED: usize = 16;

/// How much is measured.
#[derive(Clone)]
pub struct Size {
    pub rounds: usize,
    /// Of a round.
    pub seconds: f64,
    /// People in the databases, beginning with the number that others are compared with.
    pub accounts: Vec<usize>,
    /// After how many sign-ins memory is looked at.
    pub sign_ins: usize,
    /// What ours keeps its data in, beginning with the one that others are compared with.
    pub engines: Vec<Engine>,
    pub peers: bool,
}

/// What can be done at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    Hello,
    Signing(Algorithm),
    Argon2id,
}

impl Limit {
    pub fn of(operation: Operation) -> Option<Self> {
        match operation {
            Operation::Discovery | Operation::Jwks => Some(Self::Hello),
            Operation::Silent(algorithm)
            | Operation::Refresh(algorithm)
            | Operation::ClientCredentials(algorithm) => Some(Self::Signing(algorithm)),
            Operation::SignIn => Some(Self::Argon2id),
            Operation::Introspection => None,
        }
    }

    pub fn name(self) -> String {
        match self {
            Self::Hello => "hello world, the same axum".into(),
            Self::Signing(algorithm) => format!("{} signatures", algorithm.name()),
            Self::Argon2id => "argon2id".into(),
        }
    }
}

/// One round of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub rate: f64,
    /// Milliseconds.
    pub p50: f64,
    pub p99: f64,
    /// Microseconds of processor time for each: of the provider, and of the programs that keep its data.
    pub cpu: f64,
    pub cpu_beside: f64,
    pub switches: f64,
    /// Of the limit.
    pub share: Option<f64>,
    pub jwks_p99: Option<f64>,
}

/// A provider with its figures.
pub struct Subject {
    pub provider: Provider,
    pub load: Load,
    pub role: Role,
    /// Milliseconds to the first answer.
    pub start: Vec<f64>,
    /// MB.
    pub idle: f64,
    pub after: f64,
    pub figures: BTreeMap<Operation, Vec<Sample>>,
}

/// What a provider is measured for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Ours, with so many accounts.
    Ours(Engine, usize),
    OidcProvider,
    /// With [`PEERS_GRANTS`]: only refreshes.
    OidcProviderFull,
    Glewlwyd,
}

/// What ours keeps its data in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
    /// Measured with the fewest accounts alone.
    PostgresRedis,
}

impl Engine {
    pub const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::PostgresRedis];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::PostgresRedis => "PostgreSQL and Redis",
        }
    }
}

impl Role {
    fn does(self, operation: Operation) -> bool {
        match self {
            Self::Ours(..) | Self::OidcProvider => true,
            Self::OidcProviderFull => matches!(operation, Operation::Refresh(_)),
            Self::Glewlwyd => peers::glewlwyd_does(operation),
        }
    }
}

/// What came of it.
pub struct Measured {
    pub subjects: Vec<Subject>,
    pub limits: BTreeMap<Limit, Vec<f64>>,
    /// Commits a second: of one row, and of [`SHARED`].
    pub commits: [Vec<f64>; 2],
    /// The share of all cores that other programs had, by round.
    pub others: Vec<f64>,
    pub left_out: Vec<String>,
    /// Sign-ins before memory was looked at.
    pub sign_ins: usize,
    /// They end after those that use them.
    _engines: (Option<Postgres>, Option<Redis>),
}

impl Measured {
    pub fn subject(&self, role: Role) -> Option<&Subject> {
        self.subjects.iter().find(|subject| subject.role == role)
    }

    /// The spread of something over the rounds.
    pub fn spread(&self, role: Role, operation: Operation, part: impl Fn(&Sample) -> f64) -> Option<Spread> {
        Some(Spread::of(self.subject(role)?.figures.get(&operation)?.iter().map(part)))
    }

    /// The spread of how many times as much it is as another's of the same round.
    pub fn ratio(
        &self,
        operation: Operation,
        role: Role,
        other: Role,
        part: impl Fn(&Sample) -> f64,
    ) -> Option<Spread> {
        let ours = self.subject(role)?.figures.get(&operation)?;
        let others = self.subject(other)?.figures.get(&operation)?;
        Some(Spread::of(ours.iter().zip(others).map(|(ours, other)| part(ours) / part(other))))
    }
}

impl Subject {
    async fn new(provider: Provider, role: Role, size: &Size) -> Self {
        let load = Load::new(&provider, AT_ONCE);
        let mut subject =
            Self { provider, load, role, start: Vec::new(), idle: 0.0, after: 0.0, figures: BTreeMap::new() };
        for _ in 0..size.rounds {
            let took = subject.provider.restart().await.unwrap();
            subject.start.push(took.as_secs_f64() * 1e3);
        }
        subject.load.a_few_requests().await;
        tokio::time::sleep(Duration::from_secs_f64(size.seconds)).await;
        subject.idle = subject.provider.resident_mb();
        let algorithms = Algorithm::ALL.into_iter().filter(|one| role.does(Operation::Refresh(*one)));
        let browsers = BROWSERS.min(subject.provider.plan.people).max(AT_ONCE);
        subject.load.settle(browsers, &algorithms.collect::<Vec<_>>()).await;
        subject
    }

    /// How many fit in a round.
    async fn count(&mut self, operation: Operation, seconds: f64) -> usize {
        let few = AT_ONCE * 4;
        let work = self.load.prepare(operation, few).await;
        let rate = self.load.perform(work).await.rate;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousands")]
        let count = (rate * seconds) as usize;
        count.clamp(few, 200_000)
    }

    async fn round(&mut self, operation: Operation, count: usize) -> Sample {
        let work = self.load.prepare(operation, count).await;
        let before = self.provider.usage();
        let pace = self.load.perform(work).await;
        let after = self.provider.usage();
        let each = |before: u64, after: u64| (after - before) as f64 / count as f64;
        Sample {
            rate: pace.rate,
            p50: pace.p50,
            p99: pace.p99,
            // A clock tick is a hundredth of a second.
            cpu: each(before.ticks, after.ticks) * 1e4,
            cpu_beside: each(before.ticks_beside, after.ticks_beside) * 1e4,
            switches: each(before.switches, after.switches),
            share: None,
            jwks_p99: pace.jwks_p99,
        }
    }
}

/// Starts everything, measures everything.
pub async fn measure(size: &Size) -> Measured {
    let mut left_out = Vec::new();
    let mut keep = |name: &str, error: String| {
        println!("{name} is left out: {error}");
        left_out.push(format!("{name}: {error}"));
    };
    let mut postgres = None;
    let mut redis = None;
    if size.engines.iter().any(|engine| *engine != Engine::Sqlite) {
        postgres = Postgres::start().await.map_err(|error| keep("PostgreSQL", error)).ok();
    }
    if size.engines.contains(&Engine::PostgresRedis) {
        redis = Redis::start().await.map_err(|error| keep("Redis", error)).ok();
    }
    let mut subjects = Vec::new();
    let first = size.accounts[0];
    for accounts in &size.accounts {
        for engine in size.engines.iter().copied() {
            let storage = match (engine, &postgres, &redis) {
                (Engine::Sqlite, ..) => Storage::default(),
                (Engine::Postgres, Some(postgres), _) => Storage {
                    database: Some(postgres.database(&format!("accounts{accounts}")).await),
                    ephemeral: None,
                    beside: vec![postgres.id()],
                },
                (Engine::PostgresRedis, Some(postgres), Some(redis)) if *accounts == first => Storage {
                    database: Some(postgres.database("redis").await),
                    ephemeral: Some(redis.address()),
                    beside: vec![postgres.id(), redis.id()],
                },
                _ => continue,
            };
            println!("ours on {} with {accounts} accounts", engine.name());
            let people = PEOPLE.min(first).min(*accounts);
            let provider = server::start("Voordeur", storage, people, accounts - people).await;
            subjects.push(Subject::new(provider, Role::Ours(engine, *accounts), size).await);
        }
    }
    if size.peers {
        let people = PEOPLE.min(first);
        for (role, grants) in [(Role::OidcProvider, 0), (Role::OidcProviderFull, PEERS_GRANTS)] {
            match peers::oidc_provider(people, grants).await {
                Ok(provider) => subjects.push(Subject::new(provider, role, size).await),
                Err(error) => keep("oidc-provider", error),
            }
        }
        match peers::glewlwyd().await {
            Ok(provider) => subjects.push(Subject::new(provider, Role::Glewlwyd, size).await),
            Err(error) => keep("glewlwyd", error),
        }
    }

    let window = Duration::from_secs_f64(size.seconds.min(1.0));
    let hello = raw::hello().await;
    let plain = Load::new(&hello, AT_ONCE);
    let hellos = plain.get("/", 500).await.rate * window.as_secs_f64();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousands")]
    let hellos = (hellos as usize).max(100);
    let at_most = async |limit: Limit| match limit {
        Limit::Hello => plain.get("/", hellos).await.rate,
        Limit::Signing(Algorithm::Rs256) => raw::rs256(window),
        Limit::Signing(Algorithm::Es256) => raw::es256(window),
        Limit::Argon2id => raw::argon2(window),
    };
    let mut limits = BTreeMap::<Limit, Vec<f64>>::new();
    let mut others = Vec::new();
    for operation in Operation::ALL {
        let mut counts = Vec::new();
        for subject in &mut subjects {
            let does = subject.role.does(operation);
            counts.push(if does { subject.count(operation, size.seconds).await } else { 0 });
        }
        for round in 1..=size.rounds {
            println!("{}, round {round}", operation.name());
            let watch = Watch::start(&subjects, &hello);
            // Each stands between two measurements of its limit.
            let mut before = None;
            if let Some(limit) = Limit::of(operation) {
                before = Some(at_most(limit).await);
                limits.entry(limit).or_default().extend(before);
            }
            for (subject, count) in subjects.iter_mut().zip(&counts) {
                if *count == 0 {
                    continue;
                }
                let mut sample = subject.round(operation, *count).await;
                if let (Some(limit), Some(earlier)) = (Limit::of(operation), before)
                    && matches!(subject.role, Role::Ours(..))
                {
                    let after = at_most(limit).await;
                    sample.share = Some(2.0 * sample.rate / (earlier + after));
                    limits.entry(limit).or_default().push(after);
                    before = Some(after);
                }
                subject.figures.entry(operation).or_default().push(sample);
            }
            others.push(watch.others(&subjects, &hello));
        }
    }
    let commits = [1, SHARED].map(|rows| (0..size.rounds).map(|_| raw::commits(window, rows)).collect());
    let sign_ins = sign_ins(&mut subjects[0], size.sign_ins).await;
    for subject in &mut subjects {
        subject.after = subject.provider.resident_mb();
    }
    Measured { subjects, limits, commits, others, left_out, sign_ins, _engines: (postgres, redis) }
}

/// Goes on until so many have signed in; how many they are in the end.
async fn sign_ins(subject: &mut Subject, wanted: usize) -> usize {
    while subject.load.sign_ins < wanted {
        println!("{} of {wanted} sign-ins", subject.load.sign_ins);
        let count = (wanted - subject.load.sign_ins).clamp(AT_ONCE, 500);
        let work = subject.load.prepare(Operation::SignIn, count).await;
        subject.load.perform(work).await;
    }
    subject.load.sign_ins
}

/// Tells which share of all cores belonged to other programs.
struct Watch {
    machine: [u64; 2],
    ours: u64,
}

impl Watch {
    fn start(subjects: &[Subject], hello: &Provider) -> Self {
        Self { machine: machine_ticks(), ours: ours(subjects, hello) }
    }

    fn others(&self, subjects: &[Subject], hello: &Provider) -> f64 {
        let [all, idle] = [0, 1].map(|which| machine_ticks()[which] - self.machine[which]);
        let ours = ours(subjects, hello) - self.ours;
        all.saturating_sub(idle + ours) as f64 / all.max(1) as f64
    }
}

/// What the bench and all that it started used so far; what several share counts once.
fn ours(subjects: &[Subject], hello: &Provider) -> u64 {
    let all = subjects.iter().map(|subject| &subject.provider).chain([hello]);
    let all: BTreeMap<u32, u64> = all.flat_map(Provider::ticks_by_process).collect();
    own_ticks() + all.values().sum::<u64>()
}
