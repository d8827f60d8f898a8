//! Settings: one file, read once, checked whole. An unknown key is an error that names key and line; a
//! value that cannot be used names file, key, value and what to write instead.

mod accounts;
mod acr;
mod algorithm;
mod check;
mod check_client;
mod check_policy;
mod check_sms;
mod client;
mod delivery;
mod explain;
mod limits;
mod policy;
mod portal;
mod refusal;
mod registry;
mod scope;
mod second_factor;
mod sms;
mod warn;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use platform::config::{ConfigError, Log, Secret};
use platform::db::Marks;
use platform::language::Language;
use serde::{Deserialize, Serialize};

pub use accounts::{
    Accounts, Codes, Desk, FirstPassword, Identifier, Lockout, Organisation, PasswordRules, Recovery,
    Sessions,
};
pub use acr::{AcrNames, Assurance};
pub use algorithm::SigningAlgorithm;
pub use check_client::is_client_uri;
pub use client::{Client, GrantType, Profile, SubjectType, TokenEndpointAuthMethod};
pub use delivery::{Mail, MailTls};
pub use limits::Limits;
pub use policy::{SignInPolicy, Terms};
pub use portal::Portal;
pub use registry::{RegisteredClient, Registry};
pub use scope::ScopeSet;
pub use second_factor::{Factor, Levels, SecondFactor, When};
pub use sms::{BodyFormat, Sms, SmsGateway, SmsGatewayKind, SmsRequest};

/// The whole file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub issuer: String,
    pub listen: SocketAddr,
    pub metrics_listen: Option<SocketAddr>,
    /// As the file says it; [`Config::parse`] reads it into `database`.
    #[serde(rename = "database")]
    pub database_source: Secret,
    /// As the file says it; [`Config::parse`] reads it into `ephemeral`.
    #[serde(rename = "ephemeral")]
    pub ephemeral_source: Secret,
    #[serde(skip)]
    pub database: String,
    #[serde(skip)]
    pub ephemeral: String,
    pub default_language: Language,
    pub brand_folder: Option<PathBuf>,
    pub trusted_proxies: Vec<IpNet>,
    pub secrets: Secrets,
    pub accounts: Accounts,
    pub desk: Desk,
    pub password: PasswordRules,
    pub lockout: Lockout,
    pub codes: Codes,
    pub sessions: Sessions,
    pub acr: AcrNames,
    pub tokens: Tokens,
    pub keys: Keys,
    pub limits: Limits,
    pub mail: Mail,
    pub sms: Sms,
    pub outbound: Outbound,
    pub registration: Registration,
    pub retention: Retention,
    pub log: Log,
    pub dev: Dev,
    #[serde(rename = "portal")]
    pub portals: Vec<Portal>,
    /// Where this was read from; names the file in errors.
    #[serde(skip)]
    pub path: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            issuer: "http://localhost:8080".into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            metrics_listen: None,
            database_source: Secret::Literal("sqlite:idp.db".into()),
            ephemeral_source: Secret::Literal("database".into()),
            database: "sqlite:idp.db".into(),
            ephemeral: "database".into(),
            default_language: Language::Nl,
            brand_folder: None,
            trusted_proxies: Vec::new(),
            secrets: Secrets::default(),
            accounts: Accounts::default(),
            desk: Desk::default(),
            password: PasswordRules::default(),
            lockout: Lockout::default(),
            codes: Codes::default(),
            sessions: Sessions::default(),
            acr: AcrNames::default(),
            tokens: Tokens::default(),
            keys: Keys::default(),
            limits: Limits::default(),
            mail: Mail::default(),
            sms: Sms::default(),
            outbound: Outbound::default(),
            registration: Registration::default(),
            retention: Retention::default(),
            log: Log::default(),
            dev: Dev::default(),
            portals: Vec::new(),
            path: PathBuf::new(),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    pub root: Secret,
}

impl Default for Secrets {
    fn default() -> Self {
        Self { root: Secret::File { file: "root.key".into() } }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    pub code_seconds: u32,
    pub access_token_seconds: u32,
    pub id_token_seconds: u32,
    pub refresh_token_days: u32,
    pub refresh_idle_days: u32,
    pub pushed_request_seconds: u32,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            code_seconds: 60,
            access_token_seconds: 300,
            id_token_seconds: 300,
            refresh_token_days: 30,
            refresh_idle_days: 14,
            pushed_request_seconds: 90,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    pub rotate_days: u32,
    pub announce_hours: u32,
}

impl Default for Keys {
    fn default() -> Self {
        Self { rotate_days: 90, announce_hours: 192 }
    }
}

/// Dynamic registration of clients (RFC 7591).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Registration {
    pub enabled: bool,
    pub portal: String,
    pub require_pkce: bool,
}

impl Default for Registration {
    fn default() -> Self {
        Self { enabled: false, portal: String::new(), require_pkce: true }
    }
}

/// For how long what people did is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    pub audit_days: u32,
    pub devices_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { audit_days: 1_825, devices_days: 400 }
    }
}

/// Requests to registered addresses of clients.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outbound {
    pub ca_file: Option<PathBuf>,
}

/// Development only; any of these makes the server refuse to listen on more than loopback.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dev {
    pub outbox: bool,
    pub fixed_code: String,
    pub clock: bool,
}

impl Dev {
    /// Whether this is a development configuration at all.
    pub fn is_on(&self) -> bool {
        self.outbox || self.clock || !self.fixed_code.is_empty()
    }
}

impl Config {
    /// An absolute URL of this server: always at the configured issuer.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// Reads and checks a configuration file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), error })?;
        Self::parse(path, &text)
    }

    /// As [`Config::load`], from text.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut config: Self = platform::config::parse(path, text)?;
        path.clone_into(&mut config.path);
        let address = |source: &Secret, key| source.reveal_address(path, key, config.dev.is_on());
        let database = address(&config.database_source, "database")?;
        config.ephemeral = address(&config.ephemeral_source, "ephemeral")?;
        config.database = platform::db::beside(path, &database);
        config.portals.iter_mut().flat_map(|portal| &mut portal.clients).for_each(Client::apply_profile);
        config.check()?;
        Ok(config)
    }

    /// A secret of this configuration.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn reveal(&self, secret: &Secret, key: &str) -> Result<String, ConfigError> {
        secret.reveal(&self.path, key, self.dev.is_on())
    }

    /// What operators know the database by; never a password.
    pub fn database_name(&self) -> String {
        platform::db::name_of(&self.database)
    }

    /// Where it is marked that the database and the root key are in use.
    pub fn marks(&self) -> Marks {
        Marks::of(&self.database, self.secrets.root.file(&self.path).as_deref())
    }

    /// Whether the issuer is an https origin; if not, it is on loopback.
    pub fn is_https(&self) -> bool {
        self.issuer.starts_with("https://")
    }

    /// Whether people can have passkeys here: browsers bind them to names, and to no address.
    pub fn has_passkeys(&self) -> bool {
        url::Url::parse(&self.issuer).is_ok_and(|url| matches!(url.host(), Some(url::Host::Domain(_))))
    }

    /// The most that somebody can earn at a portal.
    pub fn most(&self, portal: &Portal) -> Assurance {
        let most = portal.policy.second_factor.most();
        if self.has_passkeys() { most } else { most.min(Assurance::Code) }
    }

    /// The host of the issuer, as the last line of an SMS names it.
    pub fn host(&self) -> String {
        url::Url::parse(&self.issuer)
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned))
            .unwrap_or_default()
    }
}
