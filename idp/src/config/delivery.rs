//! By which way mail leaves the house.

use std::path::PathBuf;

use platform::config::Secret;
use serde::{Deserialize, Serialize};

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// TLS from the first byte (usually port 465).
    Tls,
    /// STARTTLS, refused if the server does not offer it (usually port 587).
    Starttls,
    /// None at all; on loopback only.
    None,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    pub from: String,
    pub host: String,
    pub port: u16,
    pub tls: MailTls,
    pub username: Option<String>,
    pub password: Option<Secret>,
    pub ca_file: Option<PathBuf>,
    pub timeout_seconds: u32,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            from: "Voordeur <noreply@localhost>".into(),
            host: String::new(),
            port: 587,
            tls: MailTls::Starttls,
            username: None,
            password: None,
            ca_file: None,
            timeout_seconds: 20,
        }
    }
}
