//! What a configuration says that works and still deserves a second look.

use platform::check::{self, Place};
use platform::config::{ConfigError, Secret};

use super::{Client, Config};

type Warnings = fn(&Config) -> Vec<ConfigError>;

const ALL: &[Warnings] = &[open_files, short_secrets, addresses, proxies, ephemeral, assurance];

impl Config {
    /// What an operator should look at again. None of it keeps a server from starting.
    pub fn warnings(&self) -> Vec<ConfigError> {
        ALL.iter().flat_map(|warnings| warnings(self)).collect()
    }

    fn warn(&self, key: &str, value: impl std::fmt::Display, advice: impl Into<String>) -> ConfigError {
        Place::new(&self.path, key).remark(value, advice)
    }

    fn clients(&self) -> impl Iterator<Item = &Client> {
        self.portals.iter().flat_map(|portal| &portal.clients)
    }

    /// Every secret of the file, with its key.
    fn secrets(&self) -> Vec<(String, &Secret)> {
        let one = |key: &str, secret| vec![(key.to_owned(), secret)];
        let mut all = one("secrets.root", &self.secrets.root);
        all.extend(one("database", &self.database_source));
        all.extend(one("ephemeral", &self.ephemeral_source));
        all.extend(self.mail.password.iter().map(|secret| ("mail.password".to_owned(), secret)));
        for gateway in &self.sms.gateways {
            for (name, secret) in [("token", &gateway.token), ("report_secret", &gateway.report_secret)] {
                all.extend(
                    secret.iter().map(|secret| (format!("sms.gateway.{name} of {}", gateway.id), secret)),
                );
            }
        }
        for client in self.clients() {
            let key = format!("portal.client.client_secret of {}", client.client_id);
            all.extend(client.client_secret.iter().map(|secret| (key.clone(), secret)));
        }
        all
    }
}

fn open_files(config: &Config) -> Vec<ConfigError> {
    let of_secrets = config.secrets();
    let of_secrets =
        of_secrets.into_iter().filter_map(|(key, secret)| Some((key, secret.file(&config.path)?)));
    let of_database = check::files_of(&config.database).into_iter().map(|file| ("database".to_owned(), file));
    let open = of_secrets.chain(of_database).filter(|(_, file)| check::is_public(file));
    open.map(|(key, file)| config.warn(&key, file.display(), check::close(&file))).collect()
}

fn short_secrets(config: &Config) -> Vec<ConfigError> {
    let of = config.clients().filter_map(|client| {
        let key = format!("portal.client.client_secret of {}", client.client_id);
        let secret = config.reveal(client.client_secret.as_ref()?, &key).ok()?;
        let advice = "it has fewer than 32 characters; make one with: openssl rand -hex 32";
        (!check::is_long(&secret)).then(|| config.warn(&key, "(hidden)", advice))
    });
    of.collect()
}

/// Many systems give `localhost` an IPv4 address first, and a content security policy knows no IPv6 addresses.
fn addresses(config: &Config) -> Vec<ConfigError> {
    let of = config.clients().filter_map(|client| {
        let uri = client.redirect_uris.iter().find(|uri| uri.contains("://["))?;
        let key = format!("portal.client.redirect_uris of {}", client.client_id);
        let advice =
            "browsers and programs do not agree about addresses in brackets; write a name, or 127.0.0.1";
        Some(config.warn(&key, uri, advice))
    });
    of.collect()
}

fn proxies(config: &Config) -> Vec<ConfigError> {
    let is_behind_one = config.is_https() && config.trusted_proxies.is_empty();
    let advice = "the proxy that ends TLS is believed in nothing, so all people count as one address: write its network";
    is_behind_one.then(|| config.warn("trusted_proxies", "[]", advice)).into_iter().collect()
}

fn ephemeral(config: &Config) -> Vec<ConfigError> {
    let advice = "codes and passwords go over the network as they are; write rediss:// for TLS";
    let is_open = check::is_unprotected(&config.ephemeral);
    is_open.then(|| config.warn("ephemeral", "(hidden)", advice)).into_iter().collect()
}

/// Nobody gets in where more is asked for than anybody can show.
fn assurance(config: &Config) -> Vec<ConfigError> {
    let of = config.portals.iter().flat_map(|portal| {
        portal.clients.iter().filter_map(|client| {
            let least = config.acr.least(&client.default_acr_values)?;
            let key = format!("portal.client.default_acr_values of {}", client.client_id);
            let advice =
                "nobody reaches this with what policy.second_factor.methods takes; write another one";
            let is_out_of_reach = least > config.most(portal);
            is_out_of_reach.then(|| config.warn(&key, config.acr.name(least), advice))
        })
    });
    of.collect()
}
