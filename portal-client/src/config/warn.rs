//! What a configuration says that works and still deserves a second look.

use std::path::Path;

use platform::check::{self, Place};
use platform::config::ConfigError;

use super::{Config, Settings};

/// What an operator should look at again. None of it keeps the portal from starting.
pub fn warnings(config: &Config, settings: &Settings, path: &Path) -> Vec<ConfigError> {
    let mut found = open_files(config, settings, path);
    let at = |key| Place::new(path, key);
    if !check::is_long(settings.provider.client_secret.secret()) {
        let advice = "it has fewer than 32 characters; make one with: openssl rand -hex 32";
        found.push(at("oidc.client_secret").remark("(hidden)", advice));
    }
    if settings.redis.as_deref().is_some_and(check::is_unprotected) {
        let advice = "what people filled in goes over the network as it is; write rediss:// for TLS";
        found.push(at("ephemeral").remark("(hidden)", advice));
    }
    if settings.https && settings.trusted_proxies.is_empty() {
        let advice = "the proxy that ends TLS is believed in nothing, so all people count as one address: write its network";
        found.push(at("trusted_proxies").remark("[]", advice));
    }
    if settings.https && settings.demo {
        let advice = "people who do not exist are shown to everybody; write false where real people sign in";
        found.push(at("demo").remark(true, advice));
    }
    found
}

fn open_files(config: &Config, settings: &Settings, path: &Path) -> Vec<ConfigError> {
    let secrets = [
        ("secrets.root", &config.secrets.root),
        ("oidc.client_secret", &config.oidc.client_secret),
        ("database", &config.database),
        ("ephemeral", &config.ephemeral),
    ];
    let of_secrets = secrets.into_iter().filter_map(|(key, secret)| Some((key, secret.file(path)?)));
    let of_database = check::files_of(&settings.database).into_iter().map(|file| ("database", file));
    let open = of_secrets.chain(of_database).filter(|(_, file)| check::is_public(file));
    open.map(|(key, file)| Place::new(path, key).remark(file.display(), check::close(&file))).collect()
}
