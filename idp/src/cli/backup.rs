//! `idp backup | restore`, for the embedded database. PostgreSQL has `pg_dump` and `pg_restore`.

use std::path::Path;

use platform::clock::Clock;
use platform::db::{self, CopyError, Needs};
use platform::random::Random;
use serde_json::json;

use super::command::{At, Outcome};
use super::open::{operator, root_key, say, with_tables};
use crate::config::Config;
use crate::keys::KeyRing;
use crate::store::audit::Operation;
use crate::store::{SCHEMA, Store};

/// Writes a copy that is whole, of one moment, while servers write.
pub(super) async fn backup(at: &At, to: &Path) -> Outcome {
    with_tables(&at.config, Needs::Any, async |tables| {
        let refused = |error: CopyError| match error {
            CopyError::Postgres => format!("{}: {error}", at.config.display()),
            other => format!("--to {}: {other}", to.display()),
        };
        if db::file_of(&tables.config.database).is_none() {
            return Err(refused(CopyError::Postgres).into());
        }
        if to.symlink_metadata().is_ok() {
            return Err(refused(CopyError::Exists(to.to_owned())).into());
        }
        let root = tables.store.root();
        let copied = db::backup(tables.store.db(), &SCHEMA, root, to).await.map_err(refused)?;
        tables.store.note_operation(&operator(), Operation::BackupMade, "").await?;
        if at.json {
            println!("{}", json!({ "file": to, "schema": copied.found.version, "rows": copied.rows() }));
            return Ok(());
        }
        println!("{}: good. {}", to.display(), copied);
        println!("Keep secrets.root as well, elsewhere: without it the sealed values cannot be read.");
        Ok(())
    })
    .await
}

/// Puts a backup where the configuration wants its database, once it is known to be good.
pub(super) async fn restore(at: &At, from: &Path) -> Outcome {
    let config = Config::load(&at.config)?;
    let root = root_key(&config)?;
    let (clock, random) = (Clock::system(), Random::system());
    let name = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // A ring that opens shows that every key in it can be used.
    let mark = async |opened| {
        let store = Store::within(opened, clock.clone(), random.clone(), root.clone());
        KeyRing::read(store.clone(), &config.keys, &config.tokens)
            .await
            .map_err(|error| error.to_string())?;
        let noted = store.note_operation(&operator(), Operation::BackupRestored, &name).await;
        noted.map_err(|error| error.to_string())
    };
    let restored = db::restore(&config.database, from, &SCHEMA, &root, clock.now(), mark)
        .await
        .map_err(|error| format!("{}: database: {error}", at.config.display()))?;
    config.marks().leave();
    say(restored.copied.found);
    if at.json {
        let found = restored.copied.found.version;
        println!(
            "{}",
            json!({ "file": restored.file, "schema": found, "rows": restored.copied.rows(), "kept": restored.kept })
        );
        return Ok(());
    }
    println!("{}: restored from {}. {}", restored.file.display(), from.display(), restored.copied);
    for kept in &restored.kept {
        println!("What was there before: {}", kept.display());
    }
    Ok(())
}
