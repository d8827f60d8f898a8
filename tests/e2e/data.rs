//! What commands do to a database: nothing, unless they say so. Each runs as an operator runs it, in another folder than
//! the one with the configuration.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use platform::random::Random;
use tests::{Person, postgres};

use crate::operations::{binary, start};

const ROOT: &str = "0123456789abcdef0123456789abcdef";

/// A folder with a configuration, and another one from which commands are run.
pub struct Operator {
    pub folder: PathBuf,
    elsewhere: PathBuf,
}

/// What a command answered.
#[derive(Debug)]
pub struct Ran {
    pub ok: bool,
    pub out: String,
    pub err: String,
}

impl Operator {
    pub fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("voordeur-test-{}", Random::system().id()));
        let elsewhere = folder.join("elsewhere");
        fs::create_dir_all(&elsewhere).unwrap();
        fs::write(folder.join("root.key"), ROOT).unwrap();
        fs::write(folder.join("wrong.key"), ROOT.to_uppercase()).unwrap();
        let new = Self { folder, elsewhere };
        new.configure("sqlite:idp.db", "root.key");
        new
    }

    /// Writes the configuration, by default with names relative to it.
    pub fn configure(&self, database: &str, root: &str) {
        let text = format!(
            "issuer = 'http://localhost:8080'\nlisten = '127.0.0.1:0'\ndatabase = '{database}'\n\
             [secrets]\nroot = {{ file = '{root}' }}\n[dev]\noutbox = true\n[registration]\nenabled = true\n\
             portal = 'tests'\n\
             [[portal]]\nid = 'tests'\nurl = 'http://127.0.0.1:9999'\nbrand.name = 'Testportaal'\n\
             [[portal.client]]\nclient_id = 'web'\nclient_secret = 'web-secret'\n\
             redirect_uris = ['http://127.0.0.1:9999/cb']\n"
        );
        fs::write(self.folder.join("idp.toml"), text).unwrap();
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn config(&self) -> PathBuf {
        self.file("idp.toml")
    }

    /// Runs `idp` with these words, with a umask that hides nothing.
    pub fn run(&self, words: &str) -> Ran {
        self.give(words, "")
    }

    /// As [`Operator::run`], with something on standard input.
    pub fn give(&self, words: &str, input: &str) -> Ran {
        let command = format!("umask 000; exec {} {words} --config ../idp.toml", binary("idp").display());
        let mut child = Command::new("sh")
            .arg("-c")
            .arg(command)
            .current_dir(&self.elsewhere)
            .env("USER", "beheer")
            .env_remove("SUDO_USER")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing may have ended by now.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { ok: output.status.success(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Makes an account on the command line.
    pub fn create(&self, person: &Person) -> Ran {
        let name = person.username();
        let phone = person.phone.replace("+31", "0");
        let words = format!(
            "accounts create --email {} --given-name {name} --family-name Voorbeeld --phone {phone}",
            person.email
        );
        self.give(&words, person.password)
    }

    /// What stands in the folder and in the one that commands run in, but for what this test wrote.
    pub fn files(&self) -> Vec<String> {
        let mut names = Vec::new();
        for folder in [&self.folder, &self.elsewhere] {
            for entry in fs::read_dir(folder).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                if !["idp.toml", "root.key", "wrong.key", "elsewhere"].contains(&name.as_str()) {
                    names.push(name);
                }
            }
        }
        names.sort();
        names
    }

    /// How many accounts a good database has, as a backup of it counts them.
    pub fn accounts(&self) -> i64 {
        let name = format!("count-{}", Random::system().id());
        let ran = self.run(&format!("backup --json --to {name}"));
        assert!(ran.ok, "{ran:?}");
        fs::remove_file(self.elsewhere.join(name)).unwrap();
        let printed: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        printed["rows"]["accounts"].as_i64().unwrap()
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Every command that works on a database but does not make one.
const COMMANDS: [&str; 8] = [
    "backup --to copy.db",
    "keys list",
    "keys rotate",
    "keys revoke --kid nobody",
    "audit export",
    "registration token --note test",
    "migrate --yes",
    "accounts remove-phone --account anna@example.nl --reason verloren",
];

/// The mode bits of a file.
pub fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_command_on_a_database_that_is_missing_empty_half_or_of_another_key_says_which_and_makes_nothing() {
    let operator = Operator::new();
    let refused = |what: &str| {
        let before = operator.files();
        for command in COMMANDS {
            let ran = operator.run(command);
            assert!(
                !ran.ok && ran.err.contains(what) && ran.err.contains("idp.toml: database"),
                "{command}: {ran:?}"
            );
            assert_eq!(operator.files(), before, "{command}");
        }
    };
    refused("there is no database");
    assert!(operator.files().is_empty());

    fs::write(operator.file("idp.db"), "").unwrap();
    refused("this file is empty");
    fs::write(operator.file("idp.db"), "hallo, wereld").unwrap();
    refused("not an SQLite database");
    fs::remove_file(operator.file("idp.db")).unwrap();

    // The first account may come before the first start, and says so; the second finds the database.
    let first = operator.create(&Person::ANNA);
    assert!(first.ok && first.err.contains("a new one was made"), "{first:?}");
    let second = operator.create(&Person::BRAM);
    assert!(second.ok && !second.err.contains("a new one was made"), "{second:?}");
    assert_eq!(operator.accounts(), 2);

    // A half of it, in the beginning and in the end.
    let whole = fs::read(operator.file("idp.db")).unwrap();
    fs::write(operator.file("idp.db"), &whole[..whole.len() / 2]).unwrap();
    refused("this is a part of a database");
    assert!(!operator.create(&Person::CARLA).ok);
    fs::write(operator.file("idp.db"), &whole[whole.len() / 2..]).unwrap();
    refused("not an SQLite database");
    fs::write(operator.file("idp.db"), &whole).unwrap();

    operator.configure("sqlite:idp.db", "wrong.key");
    refused("secrets.root is not the root key");
    let ran = operator.create(&Person::CARLA);
    assert!(!ran.ok && ran.err.contains("secrets.root is not the root key"), "{ran:?}");
    operator.configure("sqlite:idp.db", "root.key");
    assert_eq!(operator.accounts(), 2);

    // Gone again: an account is not made in a new, empty one, since this was not the first time.
    fs::remove_file(operator.file("idp.db")).unwrap();
    refused("there is no database");
    let ran = operator.create(&Person::CARLA);
    assert!(!ran.ok && ran.err.contains("was in use before"), "{ran:?}");
}

#[tokio::test]
async fn a_server_whose_database_is_gone_says_so_loudly_and_one_with_another_key_does_not_start() {
    let operator = Operator::new();
    let stop = async |(mut child, log): (tokio::process::Child, tokio::task::JoinHandle<String>)| {
        child.kill().await.unwrap();
        log.await.unwrap()
    };
    let log = stop(start("idp", &operator.config()).await).await;
    assert!(log.contains("a new one was made") && !log.contains("\"level\":\"ERROR\""), "{log}");
    let log = stop(start("idp", &operator.config()).await).await;
    assert!(!log.contains("a new one was made"), "{log}");

    operator.configure("sqlite:idp.db", "wrong.key");
    let ran = operator.run("serve");
    assert!(!ran.ok && ran.err.contains("secrets.root is not the root key"), "{ran:?}");
    operator.configure("sqlite:idp.db", "root.key");

    // Its log is left, and would be thrown away with a new database.
    let log = operator.file("idp.db-wal");
    fs::write(&log, "what was written last").unwrap();
    fs::remove_file(operator.file("idp.db")).unwrap();
    let ran = operator.run("serve");
    assert!(!ran.ok && ran.err.contains("its log stands beside it"), "{ran:?}");
    assert_eq!(fs::read_to_string(&log).unwrap(), "what was written last");
    fs::remove_file(log).unwrap();
    // Missing, and empty.
    for make in [None, Some("")] {
        if let Some(text) = make {
            fs::write(operator.file("idp.db"), text).unwrap();
        }
        let log = stop(start("idp", &operator.config()).await).await;
        assert!(log.contains("\"level\":\"ERROR\"") && log.contains("WAS MISSING OR EMPTY"), "{log}");
        for name in ["idp.db", "idp.db-wal", "idp.db-shm"] {
            let _ = fs::remove_file(operator.file(name));
        }
    }
}

#[tokio::test]
async fn t59_files_with_peoples_data_are_their_owners_alone_whatever_the_umask() {
    let operator = Operator::new();
    assert!(operator.create(&Person::ANNA).ok);
    assert!(operator.run("backup --to ../copy.db").ok);
    assert!(operator.run("audit export --to ../export.jsonl").ok);
    assert!(fs::read_to_string(operator.file("export.jsonl")).unwrap().contains("registered"));
    for name in ["idp.db", "copy.db", "export.jsonl"] {
        assert_eq!(mode(&operator.file(name)), 0o600, "{name}");
    }
    // An earlier version left it open to others, with its log.
    fs::set_permissions(operator.file("idp.db"), Permissions::from_mode(0o644)).unwrap();
    let (_child, _log) = start("idp", &operator.config()).await;
    for name in ["idp.db", "idp.db-wal", "idp.db-shm"] {
        assert_eq!(mode(&operator.file(name)), 0o600, "{name}");
    }
}

/// A configuration of the portal.
fn portal_config(operator: &Operator, database: &str) -> PathBuf {
    let file = operator.file("portal.toml");
    let text = format!(
        "origin = 'http://localhost:8090'\nlisten = '127.0.0.1:0'\ndatabase = '{database}'\n\
         [secrets]\nroot = {{ file = 'root.key' }}\n[oidc]\nclient_secret = 'portal-secret'\n\
         [dev]\nliteral_secrets = true\n"
    );
    fs::write(&file, text).unwrap();
    file
}

#[tokio::test]
async fn of_servers_that_start_at_once_on_a_new_database_one_makes_it_and_the_others_wait() {
    for on_server in [false, true] {
        for name in ["idp", "portal-client"] {
            let operator = Operator::new();
            let database = if on_server { postgres().await } else { "sqlite:new.db".to_owned() };
            operator.configure(&database, "root.key");
            let config = match name {
                "idp" => operator.config(),
                _ => portal_config(&operator, &database),
            };
            let mut starting = tokio::task::JoinSet::new();
            for _ in 0..4 {
                let config = config.clone();
                starting.spawn(async move { start(name, &config).await });
            }
            // Each of them listens, or this panics with its log.
            assert_eq!(starting.join_all().await.len(), 4);
            if !on_server {
                assert_eq!(mode(&operator.file("new.db")), 0o600);
            }
        }
    }
}

#[tokio::test]
async fn the_portal_looks_for_its_database_beside_its_configuration_and_knows_its_root_key() {
    let operator = Operator::new();
    let config = portal_config(&operator, "sqlite:portal.db");
    drop(start("portal-client", &config).await);
    assert!(operator.file("portal.db").exists());
    fs::write(operator.file("root.key"), ROOT.to_uppercase()).unwrap();
    let run = || {
        let mut command = Command::new(binary("portal-client"));
        let output = command.arg("serve").arg("--config").arg(&config).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    let (ok, err) = run();
    assert!(!ok && err.contains("portal.db: secrets.root is not the root key"), "{err}");
    // Its backup and restore are as the provider's, and know the root key too.
    let portal = |words: &[&str]| {
        let mut command = Command::new(binary("portal-client"));
        command.args(words).arg("--config").arg(&config).current_dir(&operator.elsewhere).output().unwrap()
    };
    assert!(!portal(&["backup", "--to", "copy.db"]).status.success());
    fs::write(operator.file("root.key"), ROOT).unwrap();
    let made = portal(&["backup", "--to", "copy.db"]);
    assert!(made.status.success() && String::from_utf8_lossy(&made.stdout).contains("links 0"), "{made:?}");
    assert_eq!(mode(&operator.elsewhere.join("copy.db")), 0o600);
    let restored = portal(&["restore", "--from", "copy.db"]);
    assert!(restored.status.success(), "{restored:?}");
    assert!(operator.files().iter().any(|name| name.starts_with("portal.db.before-")));
    // One server does not take the other's database.
    fs::write(operator.file("root.key"), ROOT).unwrap();
    operator.configure("sqlite:portal.db", "root.key");
    let ran = operator.run("serve");
    assert!(!ran.ok && ran.err.contains("another program"), "{ran:?}");
    let ran = operator.run("keys list");
    assert!(!ran.ok && ran.err.contains("another program"), "{ran:?}");
}
