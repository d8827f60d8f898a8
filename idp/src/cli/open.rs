//! How a command opens the tables: on a database that is there, of this program and this root key, whose schema it
//! names and leaves as it is. Only `serve` and `migrate` change one.

use std::path::Path;

use platform::clock::Clock;
use platform::db::{Found, Needs, OpenError};
use platform::random::Random;
use platform::seal::RootKey;

use super::command::Outcome;
use crate::config::Config;
use crate::store::Store;

/// What a command has at hand.
pub(super) struct Tables {
    pub config: Config,
    pub store: Store,
    pub found: Found,
}

type Opened = Result<Tables, Box<dyn std::error::Error>>;

/// Does something with the tables of a configuration, beside running servers; the database is closed after it, so that
/// SQLite takes away what it laid beside it.
pub(super) async fn with_tables(
    path: &Path,
    needs: Needs,
    work: impl AsyncFnOnce(&Tables) -> Outcome,
) -> Outcome {
    let tables = open(Config::load(path)?, needs).await?;
    say(tables.found);
    let outcome = work(&tables).await;
    tables.store.db().close().await;
    outcome
}

/// As [`with_tables`], for what may come before the first start of a server: makes the database where none was.
pub(super) async fn with_new_tables(path: &Path, work: impl AsyncFnOnce(&Tables) -> Outcome) -> Outcome {
    let config = Config::load(path)?;
    let root = root_key(&config)?;
    let (clock, random) = (Clock::system(), Random::system());
    let opened =
        Store::open_existing(&config.database, (clock.clone(), random.clone(), root.clone()), Needs::Current);
    let tables = match opened.await {
        Ok((store, found)) => {
            // Many are made in a row, of one database.
            if found.version != found.known {
                say(found);
            }
            Tables { config, store, found }
        }
        Err(missing @ (OpenError::Missing(_) | OpenError::Empty(_) | OpenError::NoTables { .. })) => {
            if let Some(mark) = config.marks().found() {
                return Err(format!(
                    "{}: {missing}. This root key or a database in this place was in use before ({}): nothing was \
                     made. To begin anew, remove that file first",
                    path.display(),
                    mark.display()
                )
                .into());
            }
            let store = Store::open(&config.database, clock, random, root).await.map_err(named(path))?;
            config.marks().leave();
            eprintln!("idp: there was no database ({}): a new one was made", config.database_name());
            let found = store.db().found();
            Tables { config, store, found }
        }
        Err(error) => return Err(named(path)(error).into()),
    };
    let outcome = work(&tables).await;
    tables.store.db().close().await;
    outcome
}

/// The tables of a configuration.
pub(super) async fn open(config: Config, needs: Needs) -> Opened {
    let keys = (Clock::system(), Random::system(), root_key(&config)?);
    let opened = Store::open_existing(&config.database, keys, needs).await;
    let (store, found) = opened.map_err(named(&config.path))?;
    Ok(Tables { config, store, found })
}

/// The root key of a configuration.
pub(super) fn root_key(config: &Config) -> Result<RootKey, Box<dyn std::error::Error>> {
    let root = config.reveal(&config.secrets.root, "secrets.root")?;
    Ok(RootKey::new(&root).map_err(|error| format!("{}: secrets.root: {error}", config.path.display()))?)
}

/// Says what was found on standard error, so that what a command prints stays what it is.
pub(super) fn say(found: Found) {
    eprintln!("idp: the database has schema {}; this program knows {}", found.version, found.known);
}

fn named(path: &Path) -> impl Fn(OpenError) -> String + '_ {
    move |error| format!("{}: database: {error}", path.display())
}

/// Who runs this, as far as the system says: for the audit log.
pub(super) fn operator() -> String {
    let name = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    format!("operator:{}", name.filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".into()))
}
