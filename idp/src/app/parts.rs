//! What a start builds from a configuration alone, before it touches a database: every file that is named was read, every
//! secret, address and certificate looked at. `serve` builds these, and `config check` builds them and lets them go.

use platform::check::{self, Place};
use platform::clock::Clock;
use platform::config::ConfigError;
use platform::pages::Pages;
use platform::seal::RootKey;

use crate::config::{Config, Registry};
use crate::delivery::{Prepared, outbound};

/// The parts of a node that have no side effects.
pub struct Parts {
    pub root: RootKey,
    pub registry: Registry,
    pub delivery: Prepared,
    pub pages: Pages,
    /// For the keys of portals.
    pub http: reqwest::Client,
}

impl Parts {
    /// Builds them.
    ///
    /// # Errors
    /// [`ConfigError`] for the first value that cannot be used.
    pub fn new(config: &Config, clock: &Clock) -> Result<Self, ConfigError> {
        check::database(Place::new(&config.path, "database"), &config.database)?;
        Ok(Self {
            root: root_key(config)?,
            registry: config.registry()?,
            delivery: Prepared::new(config, clock)?,
            pages: pages(config)?,
            http: outbound::client(config)?,
        })
    }
}

fn root_key(config: &Config) -> Result<RootKey, ConfigError> {
    let at = Place::new(&config.path, "secrets.root");
    let root = config.reveal(&config.secrets.root, at.key)?;
    if !config.dev.is_on() && !check::is_varied(&root) {
        let advice = "it is the same few characters again and again; make one with: openssl rand -base64 32";
        return Err(at.remark("(hidden)", advice));
    }
    RootKey::new(&root).map_err(|error| at.remark("(hidden)", error.to_string()))
}

fn pages(config: &Config) -> Result<Pages, ConfigError> {
    let at = Place::new(&config.path, "brand_folder");
    let folder = config.brand_folder.as_deref().map(|name| check::folder(at, name)).transpose()?;
    let named = folder.as_deref().unwrap_or(&config.path).display();
    Pages::load(folder.as_deref()).map_err(|error| at.remark(named, error.to_string()))
}
