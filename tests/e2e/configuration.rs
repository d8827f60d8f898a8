//! Configuration files as operators write them, and the two binaries that read them: what `config check` calls good starts,
//! and what keeps a server from starting, `config check` says first, in the same words. And what a started server stands.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// A folder with a file for each secret, and a certificate.
struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Place {
    fn new() -> Self {
        let folder =
            std::env::temp_dir().join(format!("voordeur-config-{}", platform::random::Random::system().id()));
        fs::create_dir_all(folder.join("brand")).unwrap();
        let place = Self(folder);
        for (name, content) in [
            ("root.key", "w8Qm2Zr5Yt0Lx3Vb7Nc1Kd9Fg4Hj6PsA"),
            ("client.secret", "5b1f0c9e7d3a4862b1f0c9e7d3a48625"),
            ("short.secret", "kort-geheim"),
            ("same.secret", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
            ("lines.secret", "5b1f0c9e7d3a4862\n5b1f0c9e7d3a4862"),
            ("empty.secret", ""),
            ("empty.pem", ""),
            ("junk.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            ("database.url", "sqlite:"),
            ("redis.url", "redis://:hunter2@127.0.0.1:1"),
        ] {
            place.write(name, content);
        }
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(["mail.example.nl".to_owned()]).unwrap().self_signed(&key);
        place.write("good.pem", &made.unwrap().pem());
        place
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let file = self.0.join(name);
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        file
    }
}

fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own.parent().and_then(Path::parent).unwrap().join(name);
    assert!(path.exists(), "{} is not there; start the tests with tests/run", path.display());
    path
}

async fn run(name: &str, arguments: &[&str], config: &Path) -> Output {
    Command::new(binary(name)).args(arguments).arg("--config").arg(config).output().await.unwrap()
}

/// Starts a server and waits until it says that it listens.
async fn serve(name: &str, config: &Path, prelude: &str) -> Child {
    let command = format!("{prelude} exec {} serve --config {}", binary(name).display(), config.display());
    let mut child = Command::new("bash")
        .args(["-c", &command])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut log = String::new();
    while !(log.contains("\"listening\"") || log.contains("\"serving\"")) {
        log += &lines.next_line().await.unwrap().unwrap_or_else(|| panic!("{name} ended:\n{log}"));
    }
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    child
}

async fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port()
}

/// A file of the identity provider as in production, with a place for changes in every section.
async fn idp_file() -> String {
    let port = free_port().await;
    format!(
        "issuer = 'https://login.example.nl'\nlisten = '127.0.0.1:{port}'\ntrusted_proxies = ['127.0.0.1/32']\n\
         database = 'sqlite:FOLDER/idp.db'\nephemeral = 'database'\n#top\n\
         [secrets]\nroot = {{ file = 'root.key' }}\n#secrets\n\
         [mail]\nhost = 'mail.example.nl'\nfrom = 'Zorg <noreply@example.nl>'\n#mail\n\
         [password]\n#password\n[limits]\n#limits\n[outbound]\n#outbound\n[log]\n#log\n\
         [[sms.gateway]]\nid = 'cm'\nkind = 'cm'\ntoken = {{ file = 'client.secret' }}\n#sms\n\
         [[portal]]\nid = 'p'\nurl = 'https://portal.example.nl'\n#portal\n\
         [[portal.client]]\nclient_id = 'c'\nclient_secret = {{ file = 'client.secret' }}\n\
         redirect_uris = ['https://portal.example.nl/callback']\n#client\n"
    )
}

async fn portal_file() -> String {
    let port = free_port().await;
    format!(
        "origin = 'https://portal.example.nl'\nlisten = '127.0.0.1:{port}'\ntrusted_proxies = ['127.0.0.1/32']\n\
         database = 'sqlite:FOLDER/portal.db'\nephemeral = 'database'\n#top\n\
         [secrets]\nroot = {{ file = 'root.key' }}\n#secrets\n\
         [oidc]\nissuer = 'https://login.example.nl'\nclient_secret = {{ file = 'client.secret' }}\n#oidc\n\
         [session]\n#session\n[limits]\n#limits\n[log]\n#log\n[brand]\n#brand\n"
    )
}

/// The file with a line in a section, or in place of the one that says the same key there.
fn changed(text: &str, section: &str, line: &str) -> String {
    let key = format!("\n{} = ", line.split(' ').next().unwrap());
    let end = text.find(&format!("\n#{section}\n")).unwrap();
    let start = text[..end].rfind("\n[").unwrap_or(0);
    match text[start..end].find(&key) {
        Some(at) => {
            let at = start + at + 1;
            let line_end = at + text[at..].find('\n').unwrap();
            format!("{}{line}{}", &text[..at], &text[line_end..])
        }
        None => text.replace(&format!("\n#{section}\n"), &format!("\n{line}\n")),
    }
}

/// What each line keeps from starting: the section, the line, and the key that the error names.
const IDP: &[(&str, &str, &str)] = &[
    ("top", "listen = '203.0.113.7:8080'", "listen"),
    ("top", "metrics_listen = '127.0.0.1:PORT'", "metrics_listen"),
    ("top", "metrics_listen = '0.0.0.0:PORT'", "metrics_listen"),
    ("top", "metrics_listen = '203.0.113.7:9090'", "metrics_listen"),
    ("top", "database = 'sqlite:FOLDER/none/idp.db'", "database"),
    ("top", "database = 'sqlite:FOLDER/brand'", "database"),
    ("top", "database = 'sqlite::memory:'", "database"),
    ("top", "database = 'sqlite:FOLDER/idp.db?nothing=1'", "database"),
    ("top", "database = 'postgres://u:hunter2@127.0.0.1:1/d'", "database"),
    ("top", "database = 'postgres://u@127.0.0.1:1/d'", "database"),
    ("top", "database = { file = 'none.url' }", "database"),
    ("top", "database = { file = 'database.url' }", "database"),
    ("top", "ephemeral = 'redis://127.0.0.1:port'", "ephemeral"),
    ("top", "ephemeral = 'redis://:hunter2@127.0.0.1:1'", "ephemeral"),
    ("top", "ephemeral = { file = 'redis.url' }", "ephemeral"),
    ("top", "ephemeral = 'rediss://127.0.0.1:1'", "ephemeral"),
    ("top", "brand_folder = 'none'", "brand_folder"),
    ("top", "brand_folder = 'root.key'", "brand_folder"),
    ("top", "trusted_proxies = ['0.0.0.0/0']", "trusted_proxies"),
    ("secrets", "root = { file = 'same.secret' }", "secrets.root"),
    ("secrets", "root = { file = 'short.secret' }", "secrets.root"),
    ("mail", "from = 'Zorg, Noord <noreply@example.nl>'", "mail.from"),
    ("mail", "from = 'Zorg [Noord] <noreply@example.nl>'", "mail.from"),
    ("mail", "host = 'mail server'", "mail.host"),
    ("mail", "port = 0", "mail.port"),
    ("mail", "ca_file = 'none.pem'", "mail.ca_file"),
    ("mail", "ca_file = 'empty.pem'", "mail.ca_file"),
    ("mail", "ca_file = 'junk.pem'", "mail.ca_file"),
    ("mail", "username = 'u'\npassword = { file = 'none.secret' }", "mail.password"),
    ("mail", "username = 'u'\npassword = { file = 'empty.secret' }", "mail.password"),
    ("outbound", "ca_file = 'none.pem'", "outbound.ca_file"),
    ("outbound", "ca_file = 'root.key'", "outbound.ca_file"),
    ("outbound", "ca_file = 'junk.pem'", "outbound.ca_file"),
    ("password", "workers = 1000000", "password.workers"),
    ("limits", "mails_per_account_per_day = 4294967295", "limits.mails_per_account_per_day"),
    ("log", "level = 'verbose'", "level"),
    ("sms", "token = { file = 'none.secret' }", "sms.gateway.token"),
    ("sms", "token = { file = 'lines.secret' }", "sms.gateway.token"),
    ("sms", "report_secret = { file = 'short.secret' }", "sms.gateway.report_secret"),
    ("portal", "url = 'javascript:alert(1)'", "portal.url"),
    ("portal", "brand.name = ''", "portal.brand.name"),
    ("portal", "brand.logo = 'none.svg'", "portal.brand.logo"),
    ("client", "client_id = 'a:b'", "portal.client.client_id"),
    ("client", "client_secret = { file = 'short.secret' }", "portal.client.client_secret"),
    ("client", "client_secret = { file = 'same.secret' }", "portal.client.client_secret"),
    ("client", "redirect_uris = ['https://*.example.nl/cb']", "portal.client.redirect_uris"),
    ("client", "redirect_uris = ['https://portal.example.nl/*']", "portal.client.redirect_uris"),
    ("client", "default_acr_values = ['nobody']", "portal.client.default_acr_values"),
];

const PORTAL: &[(&str, &str, &str)] = &[
    ("top", "listen = '203.0.113.7:8090'", "listen"),
    ("top", "database = 'sqlite:FOLDER/none/portal.db'", "database"),
    ("top", "database = 'postgres://u@127.0.0.1:1/d'", "database"),
    ("top", "ephemeral = 'redis://127.0.0.1:1'", "ephemeral"),
    ("top", "brand_folder = 'none'", "brand_folder"),
    ("top", "trusted_proxies = ['::/0']", "trusted_proxies"),
    ("oidc", "client_id = ''", "oidc.client_id"),
    ("oidc", "client_secret = { file = 'short.secret' }", "oidc.client_secret"),
    ("oidc", "extra_ca = 'none.pem'", "oidc.extra_ca"),
    ("oidc", "extra_ca = 'empty.pem'", "oidc.extra_ca"),
    ("oidc", "extra_ca = 'junk.pem'", "oidc.extra_ca"),
    ("oidc", "team_acr = []", "oidc.team_acr"),
    ("session", "absolute_hours = 4294967295", "session.absolute_hours"),
    ("limits", "code_days = 4294967295", "limits.code_days"),
    ("log", "level = 'verbose'", "level"),
    ("brand", "color = '#ffcc00'", "brand.color"),
    ("brand", "logo = 'none.png'", "brand.logo"),
];

#[tokio::test]
async fn what_keeps_a_server_from_starting_is_said_by_config_check_first() {
    let place = Place::new();
    let folder = place.0.display().to_string();
    for (name, good, bad) in [("idp", idp_file().await, IDP), ("portal-client", portal_file().await, PORTAL)]
    {
        let port = good.split("127.0.0.1:").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        let write =
            |text: &str| place.write("server.toml", &text.replace("FOLDER", &folder).replace("PORT", &port));
        let config = write(&good);
        let files = || fs::read_dir(&place.0).unwrap().count();
        let before = files();
        let checked = run(name, &["config", "check", "--json"], &config).await;
        assert!(checked.status.success(), "{name}: {}", String::from_utf8_lossy(&checked.stderr));
        let told: Value = serde_json::from_slice(&checked.stdout).unwrap();
        assert_eq!((&told["good"], &told["warnings"]), (&Value::Bool(true), &Value::Array(Vec::new())));
        assert_eq!(files(), before, "it makes nothing");

        for (section, line, key) in bad {
            let text = changed(&good, section, line);
            assert_ne!(text, good, "{line}");
            let config = write(&text);
            let checked = run(name, &["config", "check", "--json"], &config).await;
            let said = String::from_utf8_lossy(&checked.stderr).into_owned();
            assert!(!checked.status.success() && said.contains(key), "{name}: {line}: check says {said:?}");
            assert!(said.contains("server.toml") && !said.contains("hunter2"), "{said}");
            let told: Value = serde_json::from_slice(&checked.stdout).unwrap();
            assert!(told["error"].as_str().is_some_and(|error| error.contains(key)), "{told}");
            // What can only be seen from outside is worded by whoever sees it.
            let started = run(name, &["serve"], &config).await;
            let log = format!(
                "{}{}",
                String::from_utf8_lossy(&started.stderr),
                String::from_utf8_lossy(&started.stdout)
            );
            assert!(!started.status.success(), "{name}: {line}: check refuses what starts");
            let from_outside =
                line.contains("127.0.0.1:1") || line.contains("redis.url") || line.contains("203.0.113.7");
            assert!(
                from_outside || log.contains(said.trim()),
                "{name}: {line}: {said:?}, and the start {log:?}"
            );
        }
        // And the good one starts.
        let config = write(&good);
        drop(serve(name, &config, "").await);
    }
}

#[tokio::test]
async fn what_works_and_deserves_a_second_look_is_a_warning() {
    let place = Place::new();
    let folder = place.0.display().to_string();
    let good = idp_file().await.replace("FOLDER", &folder);
    let open =
        |name: &str| fs::set_permissions(place.0.join(name), fs::Permissions::from_mode(0o644)).unwrap();
    place.write("idp.db", "");
    place.write("sixteen.secret", "5b1f0c9e7d3a4862");
    for name in ["root.key", "idp.db"] {
        open(name);
    }
    let text = good.replace("trusted_proxies = ['127.0.0.1/32']\n", "");
    let text = changed(&text, "client", "client_secret = { file = 'sixteen.secret' }");
    let text = changed(&text, "client", "redirect_uris = ['http://[::1]:9999/cb']");
    let config = place.write("server.toml", &text);
    let checked = run("idp", &["config", "check", "--json"], &config).await;
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let told: Value = serde_json::from_slice(&checked.stdout).unwrap();
    let keys: Vec<&str> =
        told["warnings"].as_array().unwrap().iter().map(|warning| warning["key"].as_str().unwrap()).collect();
    let expected = [
        "secrets.root",
        "database",
        "portal.client.client_secret of c",
        "portal.client.redirect_uris of c",
        "trusted_proxies",
    ];
    assert_eq!(keys, expected);
    let lines = run("idp", &["config", "check"], &config).await;
    let lines = String::from_utf8(lines.stdout).unwrap();
    assert_eq!(lines.matches("warning: ").count(), expected.len(), "{lines}");
    assert!(lines.contains("chmod o-rwx") && lines.contains("server.toml: good"), "{lines}");

    // The machine that writes the file need not reach the databases.
    let away = changed(&text, "top", "ephemeral = 'rediss://cache.example.nl:6380'");
    let config = place.write("server.toml", &away);
    let checked = run("idp", &["config", "check", "--offline"], &config).await;
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[tokio::test]
async fn every_key_of_the_examples_is_told_to_programs_too() {
    for name in ["idp", "portal-client"] {
        let output = Command::new(binary(name)).args(["config", "example", "--json"]).output().await.unwrap();
        let keys: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        assert!(keys.len() > 40, "{name}: {}", keys.len());
        assert!(keys.iter().all(|key| key["explanation"].as_str().is_some_and(|text| text.len() > 5)));
        assert!(keys.iter().any(|key| key["key"] == "log.level" && key["default"] == "info"));
    }
}

/// Both servers with few descriptors, and more connections than those that say nothing: people are served all the same.
#[tokio::test]
async fn t52_connections_that_say_nothing_starve_nobody() {
    let place = Place::new();
    let folder = place.0.display().to_string();
    for (name, text) in [("idp", idp_file().await), ("portal-client", portal_file().await)] {
        let port: u16 = text.split("127.0.0.1:").nth(1).unwrap().split('\'').next().unwrap().parse().unwrap();
        let config = place.write("server.toml", &text.replace("FOLDER", &folder));
        let mut child = serve(name, &config, "ulimit -n 200;").await;
        let mut silent = Vec::new();
        for _ in 0..300 {
            silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
        }
        let url = format!("http://127.0.0.1:{port}/healthz");
        assert!(reqwest::get(&url).await.unwrap().status().is_success(), "{name}");
        // What other programs take for 'read your settings again' ends nobody's session.
        let pid = child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().await.unwrap().success());
        assert!(reqwest::get(&url).await.unwrap().status().is_success(), "{name}");
        drop(silent);
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        assert!(child.wait().await.unwrap().success(), "{name} ends as it was told");
    }
}
