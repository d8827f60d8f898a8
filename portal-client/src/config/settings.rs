//! From what the file says to what the portal can work with: URLs parsed, secrets fetched, limits looked at.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use openidconnect::{ClientId, ClientSecret, IssuerUrl};
use platform::check::{self, Place, is_loopback};
use platform::config::{ConfigError, Log};
use platform::language::Language;
use platform::look::{Brand, Logo, Look};
use platform::seal::RootKey;
use url::Url;

use super::{Config, Organisation};

/// A configuration that was checked.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "four unrelated switches of the file")]
pub struct Settings {
    /// The file that says all this; names it in errors.
    pub path: PathBuf,
    /// Scheme, host and port; no slash at the end.
    pub origin: String,
    /// Whether the origin is https, so that cookies carry `Secure` and `__Host-`.
    pub https: bool,
    pub listen: SocketAddr,
    /// Where `/metrics` is served, if it is.
    pub metrics_listen: Option<SocketAddr>,
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
    pub log: Log,
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
    pub team_acr: TeamAcr,
    /// Whether to ask for a token by which its session stays.
    pub keeps_session: bool,
}

/// With which `acr` staff get to the team's pages: one value at least, and what is stronger.
#[derive(Clone, Debug)]
pub struct TeamAcr {
    /// What is asked for.
    pub least: String,
    stronger: Vec<String>,
}

impl TeamAcr {
    fn check(values: &[String], path: &Path) -> Result<Self, ConfigError> {
        let is_value =
            |value: &String| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
        match values {
            [least, stronger @ ..] if values.iter().all(is_value) => {
                Ok(Self { least: least.clone(), stronger: stronger.to_vec() })
            }
            _ => {
                let advice =
                    "at least the name that the provider gives a sign-in with a fresh code, without spaces";
                Err(ConfigError::refused(path, "oidc.team_acr", format!("{values:?}"), advice))
            }
        }
    }

    /// Whether a sign-in of this `acr` is as strong as wanted.
    pub fn accepts(&self, acr: &str) -> bool {
        !acr.is_empty() && (self.least == acr || self.stronger.iter().any(|name| name == acr))
    }
}

/// How long a session lives.
#[derive(Clone, Copy, Debug)]
pub struct SessionRules {
    pub idle: Duration,
    pub warn: Duration,
    pub absolute: Duration,
    /// Whether the provider's session is to stay while somebody is active here.
    pub keeps_provider: bool,
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
    pub requests_per_account: u32,
    pub requests_per_address: u32,
    pub activations_per_account: u32,
    pub open_per_address: u32,
    pub open_in_all: u32,
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
        let metrics_listen = match config.metrics_listen.as_deref().map(|at| (at, at.parse::<SocketAddr>())) {
            None => None,
            Some((_, Ok(at))) if at != listen => Some(at),
            Some((at, Ok(_))) => return Err(refused("metrics_listen", at, "another port than listen")),
            Some((at, Err(_))) => {
                return Err(refused("metrics_listen", at, "an address and a port, such as 127.0.0.1:9091"));
            }
        };
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
        if !development && !check::is_varied(&root) {
            let advice = "the same few characters again and again; make one with: openssl rand -base64 32";
            return Err(refused("secrets.root", "(hidden)", advice));
        }
        let root =
            RootKey::new(&root).map_err(|error| refused("secrets.root", "(hidden)", &error.to_string()))?;
        let redis = config.ephemeral.reveal_address(path, "ephemeral", literal)?;
        if redis != "database" {
            check::redis(Place::new(path, "ephemeral"), &redis)?;
        }
        let network = |proxy: &String| {
            proxy.parse().map_err(|_| refused("trusted_proxies", proxy, "a network such as 10.0.0.0/8"))
        };
        let trusted_proxies = config.trusted_proxies.iter().map(network).collect::<Result<Vec<_>, _>>()?;
        check::proxies(Place::new(path, "trusted_proxies"), &trusted_proxies)?;
        config.brand.check(path, |name| format!("brand.{name}"))?;
        Ok(Self {
            path: path.to_owned(),
            https: origin.scheme() == "https",
            origin: origin.origin().ascii_serialization(),
            listen,
            metrics_listen,
            database: platform::db::beside(path, &config.database.reveal_address(path, "database", literal)?),
            redis: (redis != "database").then_some(redis),
            default_language: config.default_language,
            brand_folder: (!config.brand_folder.is_empty()).then(|| PathBuf::from(&config.brand_folder)),
            trusted_proxies,
            demo: config.demo,
            root,
            root_file: config.secrets.root.file(path),
            provider: Provider::check(config, path, literal)?,
            session: SessionRules::check(config, path)?,
            limits: Limits::check(config, path)?,
            retention: Retention::check(config, path)?,
            log: config.log,
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
        if oidc.client_id.is_empty() || !oidc.client_id.bytes().all(|byte| byte.is_ascii_graphic()) {
            let advice = "the client_id that the provider has for this portal, without spaces";
            return Err(ConfigError::refused(path, "oidc.client_id", &oidc.client_id, advice));
        }
        let at = Place::new(path, "oidc.client_secret");
        let client_secret = oidc.client_secret.reveal(path, at.key, literal)?;
        if !(literal || config.dev.clock) {
            check::secret(at, &client_secret)?;
        }
        let extra_ca = match oidc.extra_ca.as_str() {
            "" => None,
            name => Some(check::certificates(Place::new(path, "oidc.extra_ca"), Path::new(name))?),
        };
        Ok(Self {
            issuer: issuer_url,
            origin: issuer.origin().ascii_serialization(),
            client_id: ClientId::new(oidc.client_id.clone()),
            client_secret: ClientSecret::new(client_secret),
            extra_ca,
            team_acr: TeamAcr::check(&oidc.team_acr, path)?,
            keeps_session: config.session.keep_provider_session,
        })
    }
}

impl SessionRules {
    fn check(config: &Config, path: &Path) -> Result<Self, ConfigError> {
        let session = &config.session;
        let idle = Duration::from_secs(u64::from(session.idle_minutes) * 60);
        let warn = Duration::from_secs(u64::from(session.warn_seconds));
        let absolute = Duration::from_secs(u64::from(session.absolute_hours) * 3600);
        if session.absolute_hours > 720 {
            let advice = "720 (thirty days) at most";
            return Err(ConfigError::refused(path, "session.absolute_hours", session.absolute_hours, advice));
        }
        if idle.is_zero() || absolute < idle || session.idle_minutes > 1_440 {
            let advice = "at least one minute, at most 1440, and no more than session.absolute_hours";
            return Err(ConfigError::refused(path, "session.idle_minutes", session.idle_minutes, advice));
        }
        // WCAG 2.2 section 2.2.1 wants at least 20 seconds to answer; this portal promises a minute.
        if warn < Duration::from_mins(1) || warn >= idle {
            let advice = "at least 60, and less than the idle time";
            return Err(ConfigError::refused(path, "session.warn_seconds", session.warn_seconds, advice));
        }
        Ok(Self { idle, warn, absolute, keeps_provider: session.keep_provider_session })
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

/// A limit above this is none; zero says so.
const MOST: u32 = 10_000_000;

impl Limits {
    fn check(config: &Config, path: &Path) -> Result<Self, ConfigError> {
        let limits = &config.limits;
        for (key, value) in [
            ("limits.requests_per_account", limits.requests_per_account),
            ("limits.requests_per_address", limits.requests_per_address),
            ("limits.activations_per_account", limits.activations_per_account),
            ("limits.open_per_address", limits.open_per_address),
            ("limits.open_in_all", limits.open_in_all),
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
        for (key, value, most) in [
            ("limits.posts_per_minute", limits.posts_per_minute, MOST),
            ("limits.sign_ins_per_minute", limits.sign_ins_per_minute, MOST),
            ("limits.requests_per_account", limits.requests_per_account, MOST),
            ("limits.requests_per_address", limits.requests_per_address, MOST),
            ("limits.activations_per_account", limits.activations_per_account, MOST),
            ("limits.code_days", limits.code_days, 365),
            ("limits.code_attempts", limits.code_attempts, 100),
        ] {
            if value > most {
                return Err(ConfigError::refused(path, key, value, format!("{most} at most")));
            }
        }
        Ok(Self {
            posts_per_minute: limits.posts_per_minute,
            sign_ins_per_minute: limits.sign_ins_per_minute,
            requests_per_account: limits.requests_per_account,
            requests_per_address: limits.requests_per_address,
            activations_per_account: limits.activations_per_account,
            open_per_address: limits.open_per_address,
            open_in_all: limits.open_in_all,
            code_lifetime: Duration::from_hours(u64::from(limits.code_days) * 24),
            code_attempts: limits.code_attempts.into(),
        })
    }
}

/// An https address without path and query, or a plain http one on loopback.
fn web_address(path: &Path, key: &str, value: &str) -> Result<Url, ConfigError> {
    let refused = |advice: &str| ConfigError::refused(path, key, value, advice);
    let url = Url::parse(value).map_err(|_| refused("an address such as https://portal.example.nl"))?;
    if url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
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
    use platform::config::Secret;

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
        assert!(error(|c| c.ephemeral = Secret::Literal("redis://host:port".into())).contains("ephemeral"));
        assert!(error(|c| c.trusted_proxies = vec!["::/0".into()]).contains("trusted_proxies"));
        assert!(error(|c| c.brand.color = "#ffcc00".into()).contains("brand.color"));
        assert!(error(|c| c.brand.name = String::new()).contains("brand.name"));
        assert!(error(|c| c.oidc.client_id = String::new()).contains("oidc.client_id"));
        assert!(error(|c| c.oidc.team_acr = Vec::new()).contains("oidc.team_acr"));
        assert!(error(|c| c.oidc.team_acr = vec!["a b".into()]).contains("oidc.team_acr"));
        assert!(error(|c| c.oidc.extra_ca = "none.pem".into()).contains("oidc.extra_ca"));
        assert!(error(|c| c.oidc.issuer = "https://:pw@idp.example.nl".into()).contains("oidc.issuer"));
        assert!(error(|c| c.session.absolute_hours = u32::MAX).contains("session.absolute_hours"));
        assert!(error(|c| c.session.idle_minutes = 1_441).contains("session.idle_minutes"));
        assert!(error(|c| c.limits.code_days = u32::MAX).contains("limits.code_days"));
        assert!(error(|c| c.limits.posts_per_minute = u32::MAX).contains("limits.posts_per_minute"));
        assert!(error(|c| c.retention.access_log_days = 90).contains("retention.access_log_days"));
        assert!(error(|c| c.retention.audit_days = 1).contains("retention.audit_days"));
        assert!(error(|c| c.trusted_proxies = vec!["proxy".into()]).contains("trusted_proxies"));
        assert!(error(|c| c.organisations = vec![Organisation::default()]).contains("organisations.id"));
    }

    #[test]
    fn staff_are_let_in_by_what_is_at_least_as_strong_under_the_names_of_the_file() {
        let accepted = |values: &[&str]| {
            let mut config = development();
            config.oidc.team_acr = values.iter().map(|value| (*value).to_owned()).collect();
            Settings::check(&config, Path::new("portal.toml")).unwrap().provider.team_acr
        };
        let named = accepted(&["https://acr.example/2", "https://acr.example/3"]);
        assert_eq!(named.least, "https://acr.example/2");
        assert!(named.accepts("https://acr.example/2") && named.accepts("https://acr.example/3"));
        for weak in ["", "https://acr.example/1", "https://acr.example/", "urn:voordeur:acr:code"] {
            assert!(!named.accepts(weak), "{weak}");
        }
        let settings = Settings::check(&development(), Path::new("portal.toml")).unwrap();
        assert!(settings.provider.team_acr.accepts("urn:voordeur:acr:code"));
        assert!(settings.provider.team_acr.accepts("phrh"));
        assert!(!settings.provider.team_acr.accepts("urn:voordeur:acr:known-device"));
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
