//! A real mail server for one test: aiosmtpd behind `tests/smtp/server.py`, with STARTTLS and a login.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use platform::random::Random;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Debian's Python, which sees Debian's python3-aiosmtpd.
const PYTHON: &str = "/usr/bin/python3";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/smtp/server.py");

/// A mail server: up or down, always at the same port, with the certificate of an authority of its own.
pub struct MailServer {
    pub port: u16,
    folder: PathBuf,
    running: Option<Child>,
}

/// A message as it arrived.
#[derive(Clone, Debug)]
pub struct Arrived(pub Value);

impl Arrived {
    /// The values of a header, as often as it stands there.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let lines = self.0["headers"].as_array().unwrap().iter();
        lines
            .filter(|line| line[0].as_str().unwrap().eq_ignore_ascii_case(name))
            .map(|line| line[1].as_str().unwrap())
            .collect()
    }

    /// The decoded part of a media type.
    pub fn part(&self, media_type: &str) -> &str {
        let mut parts = self.0["parts"].as_array().unwrap().iter();
        let part = parts.find(|part| part["type"] == media_type);
        part.unwrap_or_else(|| panic!("no {media_type} in {}", self.0))["content"].as_str().unwrap()
    }
}

impl MailServer {
    /// What people sign in to it with.
    pub const LOGIN: [&'static str; 2] = ["voordeur", "geheim-van-de-post"];

    /// Prepares certificates and a port; it is down until [`MailServer::start`].
    pub async fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("voordeur-mail-{}", Random::system().id()));
        std::fs::create_dir_all(folder.join("mail")).unwrap();
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let server = server.signed_by(&key, &authority).unwrap();
        std::fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
        std::fs::write(folder.join("server.pem"), server.pem()).unwrap();
        std::fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
        let free = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        Self { port: free.local_addr().unwrap().port(), folder, running: None }
    }

    /// The certificate to trust.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// Starts it for people who log in with `password`.
    pub async fn start(&mut self, password: &str) {
        self.run(password, true).await;
    }

    /// Starts it as a server that knows no TLS.
    pub async fn start_without_tls(&mut self) {
        self.run(Self::LOGIN[1], false).await;
    }

    async fn run(&mut self, password: &str, tls: bool) {
        self.stop().await;
        let mut command = Command::new(PYTHON);
        command.arg(SCRIPT).arg("--port").arg(self.port.to_string());
        command.arg("--folder").arg(self.folder.join("mail"));
        command.arg("--login").arg(format!("{}:{password}", Self::LOGIN[0]));
        if tls {
            command.arg("--certificate").arg(self.folder.join("server.pem"));
            command.arg("--key").arg(self.folder.join("server.key"));
        }
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = tokio::time::timeout(Duration::from_secs(30), lines.next_line()).await;
        assert_eq!(
            ready.expect("the mail server starts").unwrap().as_deref(),
            Some("ready"),
            "it says why it does not"
        );
        self.running = Some(child);
    }

    /// Takes it down.
    pub async fn stop(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().await.unwrap();
        }
    }

    /// What arrived, oldest first.
    pub fn arrived(&self) -> Vec<Arrived> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.folder.join("mail"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        files.sort();
        let read = |path: &PathBuf| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        files.iter().map(read).map(Arrived).collect()
    }

    /// Every login that was tried: mechanism and outcome.
    pub fn logins(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.join("mail/logins")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
