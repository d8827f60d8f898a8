//! `idp migrate`: brings the schema of a database up to date, for who wants that before the first start of a newer server.

use std::io::{IsTerminal as _, Write as _};

use platform::clock::Clock;
use platform::db::{Found, Needs};
use platform::random::Random;

use super::command::{At, Outcome};
use super::open::{self, operator, root_key, say};
use crate::config::Config;
use crate::store::Store;
use crate::store::audit::Operation;

pub(super) async fn migrate(at: &At, yes: bool) -> Outcome {
    let tables = open::open(Config::load(&at.config)?, Needs::Any).await?;
    tables.store.db().close().await;
    let (config, found) = (tables.config, tables.found);
    say(found);
    if found.version >= found.known {
        tell(at.json, found, &format!("{}: nothing to do", config.database_name()));
        return Ok(());
    }
    if !yes {
        agree(&config.database_name())?;
    }
    let store = Store::open(&config.database, Clock::system(), Random::system(), root_key(&config)?).await?;
    let detail = format!("{} to {}", found.version, found.known);
    store.note_operation(&operator(), Operation::SchemaChanged, &detail).await?;
    store.db().close().await;
    tell(at.json, found, &format!("{}: schema {detail}", config.database_name()));
    Ok(())
}

fn tell(json: bool, found: Found, text: &str) {
    if json {
        println!("{}", serde_json::json!({ "from": found.version, "to": found.known.max(found.version) }));
    } else {
        println!("{text}");
    }
}

/// Asks whoever sits there.
fn agree(database: &str) -> Outcome {
    if !std::io::stdin().is_terminal() {
        return Err("nobody is there to be asked: make a backup, then write --yes".into());
    }
    eprint!("{database}: is there a backup, and may its schema be changed? Type yes: ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if answer.trim() == "yes" { Ok(()) } else { Err("nothing was changed".into()) }
}
