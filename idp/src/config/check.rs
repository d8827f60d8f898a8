//! What a well-formed configuration may still get wrong. One small check a rule; the first that fails
//! names the key, the value and what to write instead.

use std::collections::HashSet;
use std::net::IpAddr;

use platform::check::{self, Place, is_loopback};
use platform::config::ConfigError;
use url::{Host, Url};

use super::{Config, MailTls, check_client, check_policy, check_sms};

type Check = fn(&Config) -> Result<(), ConfigError>;

const CHECKS: &[Check] = &[
    issuer,
    development_is_local,
    database,
    ephemeral,
    listeners,
    proxies,
    lockout,
    codes,
    password,
    mail,
    check_sms::sms,
    lifetimes,
    acr,
    keys,
    limits,
    portals,
    check_policy::accounts,
    check_policy::portals,
    check_client::clients,
    registration,
    retention,
];

impl Config {
    /// Applies every rule.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), ConfigError> {
        CHECKS.iter().try_for_each(|check| check(self))
    }
}

fn issuer(config: &Config) -> Result<(), ConfigError> {
    let value = &config.issuer;
    let Ok(url) = Url::parse(value) else {
        return config.refuse("issuer", value, "write an origin such as https://login.example.nl");
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return config.refuse(
            "issuer",
            value,
            "it must start with https:// (plain http is for loopback only)",
        );
    }
    // OpenID Connect Discovery 1.0 section 3: no query, no fragment. A path would move every endpoint.
    if url.origin().ascii_serialization() != *value {
        return config.refuse("issuer", value, "write the origin alone: no path, no slash at the end");
    }
    Ok(())
}

fn development_is_local(config: &Config) -> Result<(), ConfigError> {
    if config.dev.is_on() && !config.listen.ip().is_loopback() {
        let advice =
            "the section [dev] is set; a development server listens on loopback only, such as 127.0.0.1:8080";
        return config.refuse("listen", config.listen, advice);
    }
    if config.dev.is_on() && !Url::parse(&config.issuer).is_ok_and(|url| is_loopback(&url)) {
        // Behind a proxy that ends TLS, listening on loopback alone would publish every mail.
        let advice = "the section [dev] is set; a development server's issuer is on loopback too";
        return config.refuse("issuer", &config.issuer, advice);
    }
    let code = &config.dev.fixed_code;
    if !code.is_empty()
        && (code.len() != config.codes.digits || !code.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return config.refuse("dev.fixed_code", code, "write as many digits as codes.digits says");
    }
    Ok(())
}

fn database(config: &Config) -> Result<(), ConfigError> {
    match config.database.split(':').next() {
        Some("sqlite" | "postgres" | "postgresql") => Ok(()),
        // The value may hold a password.
        _ => config.refuse("database", "(hidden)", "write sqlite:FILE or postgres://USER@HOST/DATABASE"),
    }
}

fn ephemeral(config: &Config) -> Result<(), ConfigError> {
    if config.ephemeral == "database" {
        return Ok(());
    }
    check::redis(Place::new(&config.path, "ephemeral"), &config.ephemeral)
}

fn listeners(config: &Config) -> Result<(), ConfigError> {
    match config.metrics_listen {
        Some(at) if check::collide(at, config.listen) => {
            config.refuse("metrics_listen", at, "listen takes this port already; write another one")
        }
        _ => Ok(()),
    }
}

fn proxies(config: &Config) -> Result<(), ConfigError> {
    check::proxies(Place::new(&config.path, "trusted_proxies"), &config.trusted_proxies)
}

fn lockout(config: &Config) -> Result<(), ConfigError> {
    config.between("lockout.failures", config.lockout.failures, 3, 20)?;
    config.between("lockout.minutes", config.lockout.minutes, 1, 1_440)
}

fn codes(config: &Config) -> Result<(), ConfigError> {
    let codes = &config.codes;
    if !(6..=10).contains(&codes.digits) {
        return config.refuse("codes.digits", codes.digits, "write a number from 6 to 10");
    }
    config.between("codes.minutes", codes.minutes, 1, 10)?;
    config.between("codes.tries", codes.tries, 1, 5)?;
    config.between("codes.resend_seconds", codes.resend_seconds, 10, 600)?;
    config.between("codes.per_number_per_day", codes.per_number_per_day, 1, 1_000)?;
    config.between("codes.per_account_per_day", codes.per_account_per_day, 1, 1_000)?;
    config.between("codes.total_per_day", codes.total_per_day, 1, u32::MAX)
}

/// What all password threads together may keep.
const MOST_MEMORY_KIB: u64 = 16 * 1_024 * 1_024;

fn password(config: &Config) -> Result<(), ConfigError> {
    let rules = &config.password;
    if !(8..=64).contains(&rules.min_length) {
        return config.refuse("password.min_length", rules.min_length, "write a number from 8 to 64");
    }
    config.between("password.min_strength", u32::from(rules.min_strength), 0, 4)?;
    // OWASP Password Storage Cheat Sheet: 19 MiB with two passes is the floor for Argon2id.
    config.between("password.argon2_memory_kib", rules.argon2_memory_kib, 19_456, 1_048_576)?;
    config.between("password.argon2_iterations", rules.argon2_iterations, 2, 20)?;
    // Each keeps its memory, and all of it is taken at once when many people sign in.
    let workers = u32::try_from(rules.workers).unwrap_or(u32::MAX);
    config.between("password.workers", workers, 0, 256)?;
    let memory = u64::from(workers.max(1)) * u64::from(rules.argon2_memory_kib);
    if memory > MOST_MEMORY_KIB {
        let advice = "with password.argon2_memory_kib that is more than 16 GiB; write fewer";
        return config.refuse("password.workers", workers, advice);
    }
    if !(1..=10_000).contains(&rules.queue) {
        return config.refuse("password.queue", rules.queue, "write a number from 1 to 10000");
    }
    Ok(())
}

fn mail(config: &Config) -> Result<(), ConfigError> {
    if config.dev.outbox {
        return Ok(());
    }
    let mail = &config.mail;
    if mail.host.is_empty() {
        return config.refuse("mail.host", "\"\"", "write the name of your mail server");
    }
    // A name or an address, and nothing beside it.
    let host = mail.host.trim_start_matches('[').trim_end_matches(']');
    if Host::parse(host).is_err() && host.parse::<IpAddr>().is_err() {
        return config.refuse(
            "mail.host",
            &mail.host,
            "write the name of your mail server, and its port as mail.port",
        );
    }
    config.between("mail.port", mail.port.into(), 1, 65_535)?;
    if mail.username.as_ref().is_some_and(String::is_empty) {
        return config.refuse(
            "mail.username",
            "\"\"",
            "write the user name at the mail server, or leave it out",
        );
    }
    let local =
        mail.host == "localhost" || mail.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if mail.tls == MailTls::None && !local {
        return config.refuse(
            "mail.tls",
            "none",
            "write \"starttls\" or \"tls\"; unprotected mail is for loopback only",
        );
    }
    if mail.username.is_some() != mail.password.is_some() {
        return config.refuse(
            "mail.username",
            "(one of two)",
            "set mail.username and mail.password both, or neither",
        );
    }
    config.between("mail.timeout_seconds", mail.timeout_seconds, 1, 300)
}

fn acr(config: &Config) -> Result<(), ConfigError> {
    let names = &config.acr;
    let keys = [
        ("acr.password", &names.password),
        ("acr.known_device", &names.known_device),
        ("acr.code", &names.code),
        ("acr.strong", &names.strong),
        ("acr.hardware", &names.hardware),
    ];
    let mut seen = HashSet::new();
    for (key, value) in keys {
        let is_value = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_value || !seen.insert(value) {
            return config.refuse(key, value, "write a name of its own without spaces, such as a URN");
        }
    }
    Ok(())
}

fn lifetimes(config: &Config) -> Result<(), ConfigError> {
    config.between("accounts.confirm_hours", config.accounts.confirm_hours, 1, 168)?;
    config.between("accounts.reset_minutes", config.accounts.reset_minutes, 5, 1_440)?;
    // Two at least, so that a warning can come a minute before the end.
    config.between("sessions.idle_minutes", config.sessions.idle_minutes, 2, 1_440)?;
    config.between("sessions.absolute_hours", config.sessions.absolute_hours, 1, 720)?;
    config.between("sessions.journey_minutes", config.sessions.journey_minutes, 10, 1_440)?;
    // RFC 6749 section 4.1.2 recommends ten minutes at most; the conformance plans ask for one.
    config.between("tokens.code_seconds", config.tokens.code_seconds, 10, 60)?;
    config.between("tokens.access_token_seconds", config.tokens.access_token_seconds, 30, 3_600)?;
    config.between("tokens.id_token_seconds", config.tokens.id_token_seconds, 30, 3_600)?;
    config.between("tokens.refresh_token_days", config.tokens.refresh_token_days, 1, 400)?;
    config.between("tokens.refresh_idle_days", config.tokens.refresh_idle_days, 1, 400)?;
    config.between("tokens.pushed_request_seconds", config.tokens.pushed_request_seconds, 60, 90)
}

fn retention(config: &Config) -> Result<(), ConfigError> {
    // Less than a month answers no question about last month's bill, complaint or attack.
    for (key, days) in [
        ("retention.audit_days", config.retention.audit_days),
        ("retention.devices_days", config.retention.devices_days),
    ] {
        if days != 0 {
            config.between(key, days, 30, 36_500)?;
        }
    }
    Ok(())
}

fn keys(config: &Config) -> Result<(), ConfigError> {
    let keys = &config.keys;
    config.between("keys.announce_hours", keys.announce_hours, 192, 8_760)?;
    config.between("keys.rotate_days", keys.rotate_days, 0, 3_650)?;
    if keys.rotate_days > 0 && keys.rotate_days * 24 <= keys.announce_hours {
        let advice = "write more days than keys.announce_hours, or 0 to rotate by hand alone";
        return config.refuse("keys.rotate_days", keys.rotate_days, advice);
    }
    Ok(())
}

fn limits(config: &Config) -> Result<(), ConfigError> {
    let limits = &config.limits;
    for (key, value) in [
        ("limits.posts_per_minute", limits.posts_per_minute),
        ("limits.client_requests_per_minute", limits.client_requests_per_minute),
        ("limits.sign_ins_per_address_per_hour", limits.sign_ins_per_address_per_hour),
        ("limits.mails_per_account_per_day", limits.mails_per_account_per_day),
        ("limits.mails_per_address_per_hour", limits.mails_per_address_per_hour),
    ] {
        config.between(key, value, 0, 10_000_000)?;
    }
    Ok(())
}

fn registration(config: &Config) -> Result<(), ConfigError> {
    let wanted = &config.registration.portal;
    if wanted.is_empty() || config.portals.iter().any(|portal| portal.id == *wanted) {
        return Ok(());
    }
    config.refuse("registration.portal", wanted, "write the id of one of the portals of this file")
}

fn portals(config: &Config) -> Result<(), ConfigError> {
    let mut seen = HashSet::new();
    for portal in &config.portals {
        if portal.id.is_empty() || !seen.insert(&portal.id) {
            return config.refuse("portal.id", &portal.id, "give each portal an id of its own");
        }
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if !portal.id.bytes().all(is_word) {
            let advice = "it stands in addresses; write letters, digits, dashes and underscores only";
            return config.refuse("portal.id", &portal.id, advice);
        }
        // People follow it from the pages of this server.
        let is_page = |url: Url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
        if !Url::parse(&portal.url).is_ok_and(is_page) {
            let advice = "write the https address of the portal (plain http is for loopback only)";
            return config.refuse("portal.url", &portal.url, advice);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn error(text: &str) -> String {
        Config::parse(Path::new("idp.toml"), text).unwrap_err().to_string()
    }

    const DEV: &str = "[dev]\noutbox = true\n";

    #[test]
    fn the_smallest_development_configuration_is_accepted() {
        assert!(Config::parse(Path::new("idp.toml"), DEV).is_ok());
    }

    #[test]
    fn unsafe_values_are_refused_with_key_value_and_advice() {
        let cases = [
            ("lockout.failures", "[lockout]\nfailures = 0\n"),
            ("lockout.minutes", "[lockout]\nminutes = 0\n"),
            ("codes.digits", "[codes]\ndigits = 3\n"),
            ("password.argon2_memory_kib", "[password]\nargon2_memory_kib = 1024\n"),
            ("tokens.code_seconds", "[tokens]\ncode_seconds = 3600\n"),
            ("sessions.idle_minutes", "[sessions]\nidle_minutes = 1\n"),
            ("keys.announce_hours", "[keys]\nannounce_hours = 191\n"),
            ("keys.rotate_days", "[keys]\nrotate_days = 8\n"),
            ("password.workers", "[password]\nworkers = 300\n"),
            ("password.workers", "[password]\nworkers = 64\nargon2_memory_kib = 1048576\n"),
            ("limits.mails_per_account_per_day", "[limits]\nmails_per_account_per_day = 4294967295\n"),
            ("metrics_listen", "listen = '127.0.0.1:9090'\nmetrics_listen = '0.0.0.0:9090'\n"),
            ("trusted_proxies", "trusted_proxies = ['0.0.0.0/0']\n"),
            ("ephemeral", "ephemeral = 'redis://host:port'\n"),
            ("portal.url", "[[portal]]\nid = 'p'\nurl = 'javascript:alert(1)'\n"),
        ];
        for (key, text) in cases {
            let error = error(&format!("{text}{DEV}"));
            assert!(
                error.starts_with("idp.toml: ") && error.contains(key) && error.contains("write"),
                "{error}"
            );
        }
        assert!(error("issuer = 'http://login.example.nl'\n").contains("https"));
        assert!(error("issuer = 'https://login.example.nl/'\n").contains("origin alone"));
        assert!(error(&format!("listen = '0.0.0.0:8080'\n{DEV}")).contains("loopback"));
        assert!(error("").contains("mail.host"));
        for mail in ["host = 'mail server'", "host = 'mail.example.nl:25'", "host = 'm'\nport = 0"] {
            let error = error(&format!("[mail]\n{mail}\n"));
            assert!(error.starts_with("idp.toml: mail.") && error.contains("write"), "{error}");
        }
        assert!(error("log.level = 'verbose'\n").contains("line 1"));
    }

    #[test]
    fn clients_must_be_safe() {
        let portal = "[[portal]]\nid = 'p'\nurl = 'https://p.example'\n[[portal.client]]\nclient_id = 'c'\n";
        let with = |more: &str| error(&format!("{DEV}{portal}{more}"));
        assert!(with("redirect_uris = ['https://p.example/cb']\n").contains("client_secret of c"));
        let public = "token_endpoint_auth_method = 'none'\n";
        assert!(with(&format!("{public}redirect_uris = []\n")).contains("redirect_uris of c"));
        assert!(with(&format!("{public}redirect_uris = ['http://p.example/cb']\n")).contains("https"));
        assert!(
            with(&format!("{public}redirect_uris = ['https://p.example/cb']\nrequire_pkce = false\n"))
                .contains("PKCE")
        );
    }

    #[test]
    fn every_key_is_explained_in_the_example_and_the_shipped_file_is_it() {
        let example = Config::example().unwrap();
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/idp.example.toml");
        let shipped = std::fs::read_to_string(shipped).unwrap_or_default();
        assert!(shipped == example, "run: idp config example > deploy/idp.example.toml");
    }
}
