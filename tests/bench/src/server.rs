//! The server under test: the release binary `idp` beside this one, on an empty database with accounts.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use idp::config::Config;
use idp::credentials::passwords::PasswordPool;
use idp::domain::account::{EmailAddress, Role};
use idp::store::Store;
use idp::store::accounts::NewAccount;
use platform::clock::Clock;
use platform::language::Language;
use platform::random::Random;
use platform::seal::RootKey;
use serde_json::Value;
use tempfile::TempDir;

use crate::http::Connection;

pub const PASSWORD: &str = "Zonnig-Weer-Vandaag-8";
pub const CLIENT: [&str; 2] = ["bench", "geheim-van-de-bench"];
/// A client that asks for tokens of its own.
pub const MACHINE: [&str; 2] = ["machine", "geheim-van-de-machine"];
/// What they are for.
pub const RESOURCE: &str = "https://api.example/";
pub const REDIRECT_URI: &str = "http://127.0.0.1:9999/cb";
const ROOT: &str = "0123456789abcdef0123456789abcdef";

/// Ends with this value.
pub struct Server {
    pub port: u16,
    child: Child,
    binary: PathBuf,
    file: PathBuf,
    _folder: TempDir,
}

/// The e-mail address of account `number`.
pub fn email(number: usize) -> String {
    format!("persoon-{number}@example.nl")
}

/// What the browser of account `number` is known by.
pub fn device(number: usize) -> String {
    platform::seal::sha256(&email(number))
}

impl Server {
    /// Makes accounts, all with [`PASSWORD`] and a device that they know, and starts the server.
    pub async fn start(accounts: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let file = folder.path().join("idp.toml");
        let text = format!(
            "issuer = 'http://localhost:{port}'\nlisten = '127.0.0.1:{port}'\n\
             database = 'sqlite:{folder}/idp.db'\n\
             [secrets]\nroot = '{ROOT}'\n[dev]\noutbox = true\n[log]\nlevel = 'warn'\n\
             [limits]\nposts_per_minute = 0\nclient_requests_per_minute = 0\nsign_ins_per_address_per_hour = 0\n\
             open_per_address = 0\nopen_in_all = 0\n\
             [[portal]]\nid = 'bench'\nurl = 'http://127.0.0.1:9999'\nbrand.name = 'Bench'\n\
             policy.second_factor = 'never'\n\
             [[portal.client]]\nclient_id = '{id}'\nclient_secret = '{secret}'\n\
             redirect_uris = ['{REDIRECT_URI}']\n\
             [[portal.client]]\nclient_id = '{machine}'\nclient_secret = '{machine_secret}'\n\
             grant_types = ['client_credentials']\nresources = ['{RESOURCE}']\nscope = 'api'\n",
            machine = MACHINE[0],
            machine_secret = MACHINE[1],
            folder = folder.path().display(),
            id = CLIENT[0],
            secret = CLIENT[1],
        );
        std::fs::write(&file, text).unwrap();
        add_accounts(&Config::load(&file).unwrap(), accounts).await;

        let binary = std::env::current_exe().unwrap().with_file_name("idp");
        let mut command = Command::new(&binary);
        command.arg("serve").arg("--config").arg(&file);
        let child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        let server = Self { port, child, binary, file, _folder: folder };
        for _ in 0..100 {
            if let Ok(mut connection) = Connection::open(port).await
                && connection.get("/readyz", "").await.is_ok_and(|answer| answer.status == 200)
            {
                return server;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the server does not answer");
    }

    /// Runs a command beside the server, and reads the table that it prints.
    pub fn command_line(&self) -> impl Fn(&[&str]) -> Value + Send + use<> {
        let (binary, file) = (self.binary.clone(), self.file.clone());
        move |arguments| {
            let mut command = Command::new(&binary);
            let output = command.args(arguments).arg("--json").arg("--config").arg(&file).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            serde_json::from_slice(&output.stdout).unwrap()
        }
    }

    /// Ends the server; the command that starts it again on the same database, and its port. The folder stays as long as the
    /// result.
    pub fn end(mut self) -> (Restart, u16) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let port = self.port;
        (Restart { server: self }, port)
    }

    /// How often its threads gave the processor away by themselves.
    pub fn switches(&self) -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let of_task = |task: std::io::Result<std::fs::DirEntry>| {
            let status = std::fs::read_to_string(task.ok()?.path().join("status")).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
            line.trim().parse::<u64>().ok()
        };
        tasks.filter_map(of_task).sum()
    }

    /// The memory that is resident now, in MB of 1,000,000 bytes.
    pub fn resident_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
        kib * 1_024.0 / 1e6
    }

    /// The processor time that it has used, in clock ticks.
    pub fn ticks(&self) -> u64 {
        ticks_of(&self.child.id().to_string())
    }
}

/// A server that was ended and may start again.
pub struct Restart {
    server: Server,
}

impl Restart {
    /// Starts it; it ends with the result.
    pub fn spawn(mut self) -> Server {
        let mut command = Command::new(&self.server.binary);
        command.arg("serve").arg("--config").arg(&self.server.file);
        self.server.child = command.spawn().unwrap();
        self.server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn add_accounts(config: &Config, count: usize) {
    let root = RootKey::new(ROOT).unwrap();
    let random = Random::system();
    let store = Store::open(&config.database, Clock::system(), random.clone(), root).await.unwrap();
    let pool = PasswordPool::new(&config.password, random).unwrap();
    let hash = pool.hash(PASSWORD).await.unwrap();
    let mut write = store.begin_write().await.unwrap();
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
    }
    write.commit().await.unwrap();
    store.db().close().await;
}

/// User and system time of a process, in clock ticks (proc(5): fields 14 and 15 of `stat`).
fn ticks_of(process: &str) -> u64 {
    let stat = std::fs::read_to_string(Path::new("/proc").join(process).join("stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum()
}

/// What all cores did so far, in clock ticks: everything, idling, and this process.
pub fn machine_ticks() -> [u64; 3] {
    let stat = std::fs::read_to_string("/proc/stat").unwrap();
    let cpu: Vec<u64> =
        stat.lines().next().unwrap().split_whitespace().skip(1).map(|field| field.parse().unwrap()).collect();
    // user nice system idle iowait irq softirq steal; the guest fields are in the first ones already.
    [cpu[..8].iter().sum(), cpu[3] + cpu[4], ticks_of("self")]
}
