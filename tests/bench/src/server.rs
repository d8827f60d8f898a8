//! The server under test: the binary `idp` beside this one, on a database of its own with people in it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use idp::config::Config;
use idp::credentials::passwords::PasswordPool;
use idp::domain::account::{AccountId, EmailAddress, Role};
use idp::store::Store;
use idp::store::accounts::NewAccount;
use platform::clock::Clock;
use platform::language::Language;
use platform::random::Random;
use platform::seal::RootKey;
use serde_json::Value;

use crate::fill::fill;
use crate::process::free_port;
use crate::provider::{Dialect, Plan, Provider};

pub const PASSWORD: &str = "Zonnig-Weer-Vandaag-8";
pub const REDIRECT_URI: &str = "http://127.0.0.1:9999/cb";
/// What the tokens of [`MACHINE`] are for.
pub const RESOURCE: &str = "https://api.example/";
const ROOT: &str = "0123456789abcdef0123456789abcdef";

/// How tokens are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    Rs256,
    Es256,
}

impl Algorithm {
    pub const ALL: [Self; 2] = [Self::Rs256, Self::Es256];

    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

/// A client of every provider.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    pub id: &'static str,
    pub secret: &'static str,
}

const fn client(id: &'static str) -> Client {
    Client { id, secret: "geheim-van-de-bench-met-32-tekens" }
}

/// In the order of [`Algorithm`]: signs people in.
pub const WEB: [Client; 2] = [client("web-rs256"), client("web-es256")];
/// Signs people in and refreshes.
pub const APP: [Client; 2] = [client("app-rs256"), client("app-es256")];
/// Asks for tokens of its own.
pub const MACHINE: [Client; 2] = [client("machine-rs256"), client("machine-es256")];

/// Where it keeps what it knows.
#[derive(Clone, Default)]
pub struct Storage {
    /// The address of an empty database in place of a file.
    pub database: Option<String>,
    /// The address of a Redis.
    pub ephemeral: Option<String>,
    /// The programs behind them.
    pub beside: Vec<u32>,
}

/// The e-mail address of account `number`.
pub fn email(number: usize) -> String {
    format!("persoon-{number}@example.nl")
}

/// What the browser of account `number` is known by.
pub fn device(number: usize) -> String {
    platform::seal::sha256(&email(number))
}

/// Makes people, all with [`PASSWORD`] and a device that they know, and as many more who never come; starts the server.
pub async fn start(name: &str, storage: Storage, people: usize, others: usize) -> Provider {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let file = folder.path().join("idp.toml");
    std::fs::write(&file, configuration(port, &storage)).unwrap();
    let config = Config::load(&file).unwrap();
    let root = RootKey::new(ROOT).unwrap();
    let store = Store::open(&config.database, Clock::system(), Random::system(), root).await.unwrap();
    let first = add_people(&store, &config, people).await;
    if others > 0 {
        fill(&store, &config.database, &first, others).await;
    }
    store.db().close().await;

    let mut command = Command::new(binary());
    command.arg("serve").arg("--config").arg(&file);
    let plan = Plan {
        name: name.to_owned(),
        command,
        port,
        dialect: Dialect::PLAIN,
        ready: "/readyz",
        people,
        beside: storage.beside,
        folder: Some(folder),
        browsers: Vec::new(),
    };
    Provider::start(plan).await.unwrap()
}

/// Runs a command beside the server, and reads the table that it prints.
pub fn command_line(server: &Provider) -> impl Fn(&[&str]) -> Value + Send + use<> {
    let file = server.folder().join("idp.toml");
    move |arguments| {
        let mut command = Command::new(binary());
        let output = command.args(arguments).arg("--json").arg("--config").arg(&file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn binary() -> PathBuf {
    std::env::current_exe().unwrap().with_file_name("idp")
}

fn configuration(port: u16, storage: &Storage) -> String {
    let database = storage.database.as_deref().unwrap_or("sqlite:idp.db");
    let ephemeral = storage.ephemeral.as_deref().unwrap_or("database");
    // Nobody is to be refused because the rest of a long run came from the same address, or took its time.
    let mut text = format!(
        "issuer = 'http://localhost:{port}'\nlisten = '127.0.0.1:{port}'\n\
         database = '{database}'\nephemeral = '{ephemeral}'\n\
         [secrets]\nroot = '{ROOT}'\n[dev]\noutbox = true\n[log]\nlevel = 'warn'\n\
         [limits]\nposts_per_minute = 0\nclient_requests_per_minute = 0\nsign_ins_per_address_per_hour = 0\n\
         open_per_address = 0\nopen_in_all = 0\n\
         [sessions]\nidle_minutes = 600\n\
         [[portal]]\nid = 'bench'\nurl = 'http://127.0.0.1:9999'\nbrand.name = 'Bench'\n\
         policy.second_factor = 'never'\npolicy.idle_minutes = 600\n"
    );
    let mut add = |client: Client, algorithm: Algorithm, rest: &str| {
        let _ = write!(
            text,
            "[[portal.client]]\nclient_id = '{}'\nclient_secret = '{}'\n\
             id_token_signed_response_alg = '{}'\n{rest}\n",
            client.id,
            client.secret,
            algorithm.name()
        );
    };
    for algorithm in Algorithm::ALL {
        let which = algorithm as usize;
        add(
            WEB[which],
            algorithm,
            &format!("redirect_uris = ['{REDIRECT_URI}']\ngrant_types = ['authorization_code']"),
        );
        add(APP[which], algorithm, &format!("redirect_uris = ['{REDIRECT_URI}']"));
        add(
            MACHINE[which],
            algorithm,
            &format!("grant_types = ['client_credentials']\nresources = ['{RESOURCE}']\nscope = 'api'"),
        );
    }
    text
}

/// The first of them.
async fn add_people(store: &Store, config: &Config, count: usize) -> AccountId {
    let pool = PasswordPool::new(&config.password, Random::system()).unwrap();
    let hash = pool.hash(PASSWORD).await.unwrap();
    let mut write = store.begin_write().await.unwrap();
    let mut first = None;
    for number in 0..count {
        let new = NewAccount {
            given_name: "Anna".into(),
            family_name: "Voorbeeld".into(),
            email: EmailAddress::parse(&email(number)).unwrap(),
            email_is_confirmed: true,
            username: None,
            password_hash: Some(hash.clone()),
            phone_sealed: Some(store.seal_phone("+31612345678")),
            role: Role::User,
            organisation: None,
            language: Language::Nl,
        };
        let account = store.insert_account(&mut write, &new).await.unwrap();
        let trusted_for = Duration::from_hours(24 * 30);
        store
            .trust_device(&mut write, &account, None, &device(number), "Firefox, Linux", Some(trusted_for))
            .await
            .unwrap();
        first.get_or_insert(account);
    }
    write.commit().await.unwrap();
    first.expect("somebody")
}
