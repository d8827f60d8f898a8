//! The portal's configuration: what stands in the file ([`Config`]) and what it comes to once every value
//! was looked at ([`Settings`]). Nothing else reads the file or the environment.

mod explain;
mod settings;
mod warn;

use std::path::Path;

use platform::config::{ConfigError, Log, Secret};
use platform::language::Language;
use platform::look::Brand;
use serde::{Deserialize, Serialize};

pub use explain::{example, example_json};
pub use settings::{Limits, Provider, Retention, SessionRules, Settings, TeamAcr};
pub use warn::warnings;

/// The file, key by key. `deploy/portal.example.toml` explains each.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    pub origin: String,
    pub listen: String,
    pub metrics_listen: Option<String>,
    pub database: Secret,
    pub ephemeral: Secret,
    pub default_language: Language,
    pub brand_folder: String,
    pub trusted_proxies: Vec<String>,
    pub demo: bool,
    pub secrets: SecretsConfig,
    pub oidc: OidcConfig,
    pub session: SessionConfig,
    pub limits: LimitsConfig,
    pub retention: RetentionConfig,
    pub log: Log,
    pub dev: DevConfig,
    pub brand: Brand,
    pub organisations: Vec<Organisation>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecretsConfig {
    pub root: Secret,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct OidcConfig {
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Secret,
    pub extra_ca: String,
    pub team_acr: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionConfig {
    pub idle_minutes: u32,
    pub warn_seconds: u32,
    pub absolute_hours: u32,
    pub keep_provider_session: bool,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    pub posts_per_minute: u32,
    pub sign_ins_per_minute: u32,
    pub requests_per_account: u32,
    pub requests_per_address: u32,
    pub activations_per_account: u32,
    pub open_per_address: u32,
    pub open_in_all: u32,
    pub code_days: u32,
    pub code_attempts: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionConfig {
    pub audit_days: u32,
    pub access_log_days: u32,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DevConfig {
    pub clock: bool,
    pub literal_secrets: bool,
}

/// A care organisation whose dossiers can be asked for, with its own words for what follows a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Organisation {
    pub id: String,
    pub name: String,
    pub contact_nl: String,
    pub contact_en: String,
    pub mention_nl: String,
    pub mention_en: String,
    pub duration_nl: String,
    pub duration_en: String,
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// [`ConfigError`], with line and key, for what the portal does not know.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        platform::config::load(path)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            origin: "http://localhost:8090".into(),
            listen: "127.0.0.1:8090".into(),
            metrics_listen: None,
            database: Secret::Literal("sqlite:portal.db".into()),
            ephemeral: Secret::Literal("database".into()),
            default_language: Language::Nl,
            brand_folder: String::new(),
            trusted_proxies: Vec::new(),
            demo: false,
            secrets: SecretsConfig::default(),
            oidc: OidcConfig::default(),
            session: SessionConfig::default(),
            limits: LimitsConfig::default(),
            retention: RetentionConfig::default(),
            log: Log::default(),
            dev: DevConfig::default(),
            brand: Brand::default(),
            organisations: Vec::new(),
        }
    }
}

impl Default for SecretsConfig {
    fn default() -> Self {
        Self { root: Secret::Env { env: "PORTAL_ROOT_SECRET".into() } }
    }
}

impl Default for OidcConfig {
    fn default() -> Self {
        Self {
            issuer: "http://localhost:8080".into(),
            client_id: "portal".into(),
            client_secret: Secret::Env { env: "PORTAL_CLIENT_SECRET".into() },
            extra_ca: String::new(),
            team_acr: ["urn:voordeur:acr:code", "phr", "phrh"].map(str::to_owned).to_vec(),
        }
    }
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self { idle_minutes: 15, warn_seconds: 120, absolute_hours: 12, keep_provider_session: false }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            posts_per_minute: 60,
            sign_ins_per_minute: 60,
            requests_per_account: 5,
            requests_per_address: 10,
            activations_per_account: 20,
            open_per_address: 1_000,
            open_in_all: 50_000,
            code_days: 14,
            code_attempts: 5,
        }
    }
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self { audit_days: 1_825, access_log_days: 1_825 }
    }
}
