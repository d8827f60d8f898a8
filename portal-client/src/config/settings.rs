//! From what the file says to what the portal can work with: URLs parsed, secrets fetched, limits looked at.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use openidconnect::{ClientId, ClientSecret, IssuerUrl};
use url::{Host, Url};
use web::config::{ConfigError, Secret};
use web::language::Language;
use web::look::{Brand, Logo, Look};
use web::seal::RootKey;

use super::{Config, Organisation};

/// A configuration that was checked.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "four unrelated switches of the file")]
pub struct Settings {
    /// Scheme, host and port; no slash at the end.
    pub origin: String,
    /// Whether the origin is https, so that cookies carry `Secure` and `__Host-`.
    pub https: bool,
    pub listen: SocketAddr,
    pub database: String,
    /// The Redis for expiring values; `None` keeps them in the database.
    pub redis: Option<String>,
    pub default_language: Language,
    pub brand_folder: Option<PathBuf>,
    pub trusted_proxies: Vec<IpNet>,
    pub demo: bool,
    pub root: RootKey,
    /// The file that holds it, if one does.
    pub root_file: Option<PathBuf>,
    pub provider: Provider,
    pub session: SessionRules,
    pub limits: Limits,
    pub retention: Retention,
    pub log_json: bool,
    pub log_level: String,
    /// Whether `POST /dev/clock/advance` is there.
    pub dev_clock: bool,
    pub brand: Brand,
    pub logo: Option<Logo>,
    pub organisations: Vec<Organisation>,
}

/// The identity provider and what this portal is called there.
#[derive(Clone, Debug)]
pub struct Provider {
    pub issuer: IssuerUrl,
    /// The origin of the issuer, where the form of the sign-out button ends.
    pub origin: String,
    pub client_id: ClientId,
    pub client_secret: ClientSecret,
    /// PEM certificates that are trusted besides the system's.
    pub extra_ca: Option<Vec<u8>>,
}

/// How long a session lives.
#[derive(Clone, Copy, Debug)]
pub struct SessionRules {
    pub idle: Duration,
    pub warn: Duration,
    pub absolute: Duration,
}

/// For how long rows are kept; `None` is for ever.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    pub audit: Option<Duration>,
    pub access_log: Option<Duration>,
}

/// How often something may be tried.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub posts_per_minute: u32,
    pub sign_ins_per_minute: u32,
    pub requests_per_account: i64,
    pub requests_per_address: i64,
    pub activations_per_account: i64,
    pub code_lifetime: Duration,
    pub code_attempts: i64,
}

impl Provider {
    /// The page where people see and change their own account.
    pub fn account_url(&self) -> String {
        format!("{}/account", self.issuer.as_str().trim_end_matches('/'))
    }
}

impl Settings {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// [`ConfigError`], naming the key and what to write instead.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::check(&Config::read(path)?, path)
    }

    /// Checks a configuration; `path` is where relative file names start and what errors name.
    ///
    /// # Errors
    /// [`ConfigError`], naming the key and what to write instead.
    pub fn check(config: &Config, path: &Path) -> Result<Self, ConfigError> {
        let refused = |key: &str, value: &str, advice: &str| ConfigError::refused(path, key, value, advice);
        let origin = web_address(path, "origin", &config.origin)?;
        let listen: SocketAddr = config.listen.parse().map_err(|_| {
            refused("listen", &config.listen, "an address and a port, such as 127.0.0.1:8090")
        })?;
        let development = config.dev.clock || config.dev.literal_secrets;
        if development && !(listen.ip().is_loopback() && is_loopback(&origin)) {
            return Err(refused(
                "dev",
                "true",
                "development settings work only where listen and origin are loopback",
            ));
        }
        let literal = config.dev.literal_secrets;
        let root = config.secrets.root.reveal(path, "secrets.root", literal)?;
        let root =
            RootKey::new(&root).map_err(|error| refused("secrets.root", "(hidden)", &error.to_string()))?;
        let redis = address_or_secret(&config.ephemeral, path, "ephemeral", literal)?;
        if redis != "database" && !redis.starts_with("redis://") && !redis.starts_with("rediss://") {
            return Err(refused("ephemeral", "(hidden)", "\"database\" or a redis:// address"));
        }
        let network = |proxy: &String| {
            proxy.parse().map_err(|_| refused("trusted_proxies", proxy, "a network such as 10.0.0.0/8"))
        };
        let trusted_proxies = config.trusted_proxies.iter().map(network).collect::<Result<_, _>>()?;
        Ok(Self {
            https: origin.scheme() == "https",
            origin: origin.origin().ascii_serialization(),
            listen,
            database: web::db::beside(path, &address_or_secret(&config.database, path, "database", literal)?),
            redis: (redis != "database").then_some(redis),
            default_language: config.default_language,
            brand_folder: beside(path, &config.brand_folder),
            trusted_proxies,
            demo: config.demo,
            root,
            root_file: config.secrets.root.file(path),
            provider: Provider::check(config, path, literal)?,
            session: SessionRules::check(config, path)?,
            limits: Limits::check(config, path)?,
            retention: Retention::check(config, path)?,
            log_json: config.log.json,
            log_level: config.log.level.clone(),
            dev_clock: config.dev.clock,
            brand: config.brand.clone(),
            logo: Logo::read(path, "brand.logo", &config.brand)?,
            organisations: organisations(config, path)?,
        })
    }
}

impl Settings {
    /// What the pages look like: the one look of this server.
    pub fn look(&self) -> Look<'_> {
        Look { id: "portal", brand: &self.brand, languages: &[], logo: self.logo.as_ref() }
    }
}

impl Provider {
    fn check(config: &Config, path: &Path, literal: bool) -> Result<Self, ConfigError> {
        let oidc = &config.oidc;
        let issuer = web_address(path, "oidc.issuer", &oidc.issuer)?;
        let issuer_url = IssuerUrl::new(oidc.issuer.clone())
            .map_err(|error| ConfigError::refused(path, "oidc.issuer", &oidc.issuer, error.to_string()))?;
        let extra_ca = match beside(path, &oidc.extra_ca) {
            Some(file) => Some(std::fs::read(&file).map_err(|error| {
                ConfigError::refused(
                    path,
                    "oidc.extra_ca",
                    file.display(),
                    format!("cannot be read: {error}"),
                )
            })?),
            None => None,
        };
        Ok(Self {
            issuer: issuer_url,
            origin: issuer.origin().ascii_serialization(),
            client_id: ClientId::new(oidc.client_id.clone()),
            client_secret: ClientSecret::new(oidc.client_secret.reveal(
                path,
                "oidc.client_secret",
                literal,
            )?),
            extra_ca,
        })
    }
}

impl SessionRules {
    fn check(config: &Config, path: &Path) -> Result<Self, ConfigError> {
        let session = &config.session;
        let idle = Duration::from_secs(u64::from(session.idle_minutes) * 60);
        let warn = Duration::from_secs(u64::from(session.warn_seconds));
        let absolute = Duration::from_secs(u64::from(session.absolute_hours) * 3600);
        if idle.is_zero() || absolute < idle {
            let advice = "at least one minute, and no more than session.absolute_hours";
            return Err(ConfigError::refused(path, "session.idle_minutes", session.idle_minutes, advice));
        }
        // WCAG 2.2 section 2.2.1 wants at least 20 seconds to answer; this portal promises a minute.
        if warn < Duration::from_mins(1) || warn >= idle {
            let advice = "at least 60, and less than the idle time";
            return Err(ConfigError::refused(path, "session.warn_seconds", session.warn_seconds, advice));
        }
        Ok(Self { idle, warn, absolute })
    }
}

impl Retention {
    fn check(config: &Config, path: &Path) -> Result<Self, ConfigError> {
        let days = |key: &str, days: u32, least: u32| match days {
            0 => Ok(None),
            days if (least..=36_500).contains(&days) => Ok(Some(Duration::from_hours(24 * u64::from(days)))),
            days => {
                Err(ConfigError::refused(path, key, days, format!("from {least} to 36500, or 0 for ever")))
            }
        };
        // The log of looks is evidence (NEN 7513): five years, so that a setting does not do away with it.
        let access_log = days("retention.access_log_days", config.retention.access_log_days, 1_825)?;
        Ok(Self { audit: days("retention.audit_days", config.retention.audit_days, 30)?, access_log })
    }
}

impl Limits {
    fn check(config: &Config, path: &Path) -> Result<Self, ConfigError> {
        let limits = &config.limits;
        for (key, value) in [
            ("limits.requests_per_account", limits.requests_per_account),
            ("limits.requests_per_address", limits.requests_per_address),
            ("limits.activations_per_account", limits.activations_per_account),
            ("limits.code_days", limits.code_days),
            ("limits.code_attempts", limits.code_attempts),
        ] {
            if value == 0 {
                return Err(ConfigError::refused(
                    path,
                    key,
                    value,
                    "at least 1; this limit cannot be lifted",
                ));
            }
        }
        Ok(Self {
            posts_per_minute: limits.posts_per_minute,
            sign_ins_per_minute: limits.sign_ins_per_minute,
            requests_per_account: limits.requests_per_account.into(),
            requests_per_address: limits.requests_per_address.into(),
            activations_per_account: limits.activations_per_account.into(),
            code_lifetime: Duration::from_hours(u64::from(limits.code_days) * 24),
            code_attempts: limits.code_attempts.into(),
        })
    }
}

/// An https address without path and query, or a plain http one on loopback.
fn web_address(path: &Path, key: &str, value: &str) -> Result<Url, ConfigError> {
    let refused = |advice: &str| ConfigError::refused(path, key, value, advice);
    let url = Url::parse(value).map_err(|_| refused("an address such as https://portal.example.nl"))?;
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(refused("scheme, host and port only"));
    }
    if key == "origin" && url.path() != "/" {
        return Err(refused("scheme, host and port only: the portal has a host of its own"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(refused("https; plain http only on loopback")),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An address may stand in the file itself as long as no password is in it.
fn address_or_secret(value: &Secret, path: &Path, key: &str, literal: bool) -> Result<String, ConfigError> {
    match value {
        Secret::Literal(text) if !text.contains('@') && !text.is_empty() => Ok(text.clone()),
        other => other.reveal(path, key, literal),
    }
}

/// A file named in the configuration, relative to it; `None` if none is named.
fn beside(path: &Path, name: &str) -> Option<PathBuf> {
    (!name.is_empty()).then(|| path.parent().unwrap_or(Path::new(".")).join(name))
}

fn organisations(config: &Config, path: &Path) -> Result<Vec<Organisation>, ConfigError> {
    let refused = |id: &str, advice: &str| ConfigError::refused(path, "organisations.id", id, advice);
    let listed = if config.organisations.is_empty() && config.demo {
        crate::dossiers::demo::organisations()
    } else {
        config.organisations.clone()
    };
    for (index, organisation) in listed.iter().enumerate() {
        let id = organisation.id.as_str();
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            return Err(refused(id, "lower-case letters, digits and dashes"));
        }
        if listed[..index].iter().any(|other| other.id == id) {
            return Err(refused(id, "this organisation stands in the list already"));
        }
        if organisation.name.is_empty() {
            return Err(refused(id, "the organisation needs a name"));
        }
    }
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn development() -> Config {
        let mut config = Config::default();
        config.dev.literal_secrets = true;
        config.secrets.root = Secret::Literal("0123456789abcdef0123456789abcdef".into());
        config.oidc.client_secret = Secret::Literal("secret".into());
        config
    }

    fn error(change: impl FnOnce(&mut Config)) -> String {
        let mut config = development();
        change(&mut config);
        Settings::check(&config, Path::new("portal.toml")).unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_and_two_secrets_are_enough() {
        let settings = Settings::check(&development(), Path::new("portal.toml")).unwrap();
        assert!(!settings.https && settings.redis.is_none());
        assert_eq!(settings.session.idle, Duration::from_mins(15));
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        assert!(error(|c| c.origin = "http://portal.example.nl".into()).contains("origin"));
        assert!(error(|c| c.origin = "http://localhost:8090/portal".into()).contains("origin"));
        assert!(error(|c| c.oidc.issuer = "http://idp.example.nl".into()).contains("oidc.issuer"));
        assert!(error(|c| c.listen = "0.0.0.0:8090".into()).contains("loopback"));
        assert!(error(|c| c.session.warn_seconds = 30).contains("session.warn_seconds"));
        assert!(error(|c| c.session.idle_minutes = 0).contains("session.idle_minutes"));
        assert!(error(|c| c.limits.requests_per_account = 0).contains("limits.requests_per_account"));
        assert!(error(|c| c.ephemeral = Secret::Literal("memory".into())).contains("ephemeral"));
        assert!(error(|c| c.retention.access_log_days = 90).contains("retention.access_log_days"));
        assert!(error(|c| c.retention.audit_days = 1).contains("retention.audit_days"));
        assert!(error(|c| c.trusted_proxies = vec!["proxy".into()]).contains("trusted_proxies"));
        assert!(error(|c| c.organisations = vec![Organisation::default()]).contains("organisations.id"));
    }

    #[test]
    fn a_secret_in_the_file_itself_is_refused_outside_development() {
        let mut config = development();
        config.dev.literal_secrets = false;
        assert!(Settings::check(&config, Path::new("portal.toml")).is_err());
        config = development();
        config.dev.literal_secrets = false;
        config.database = Secret::Literal("postgres://portal:password@db/portal".into());
        let error = Settings::check(&config, Path::new("portal.toml")).unwrap_err().to_string();
        assert!(!error.contains("password@"), "{error}");
    }
}
