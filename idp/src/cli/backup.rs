//! `idp backup | restore`, for the embedded database. PostgreSQL has `pg_dump` and `pg_restore`.

use std::path::{Path, PathBuf};

use sqlx::Row as _;

use super::{Outcome, open_store};
use crate::config::Config;

/// The file of an embedded database.
fn file_of(config: &Config) -> Result<PathBuf, String> {
    let file = config.database.strip_prefix("sqlite:").and_then(|rest| rest.split('?').next());
    let file = file.map(|file| PathBuf::from(file.strip_prefix("//").unwrap_or(file)));
    file.ok_or_else(|| {
        let path = config.path.display();
        format!(
            "{path}: database is PostgreSQL; use pg_dump and pg_restore, and keep secrets.root with the dump"
        )
    })
}

/// Writes a copy that is whole, of one moment, while servers write.
pub(super) async fn backup(config: &Path, to: &Path) -> Outcome {
    let (config, store) = open_store(config).await?;
    file_of(&config)?;
    if to.exists() {
        return Err(format!("--to {}: this file exists; a backup overwrites nothing", to.display()).into());
    }
    let target = to.to_str().ok_or("--to: the name is not UTF-8")?;
    sqlx::query("VACUUM INTO $1").bind(target).execute(store.db().pool()).await?;
    check(to).await?;
    println!(
        "{}: good. Keep secrets.root as well, elsewhere: without it the sealed values cannot be read.",
        to.display()
    );
    Ok(())
}

/// Copies a backup to where the configuration wants its database, then opens it as a server would.
pub(super) async fn restore(config: &Path, from: &Path) -> Outcome {
    let settings = Config::load(config)?;
    let file = file_of(&settings)?;
    if file.exists() {
        let advice = "this database exists; stop the servers and move it away first";
        return Err(format!("{}: database = {}: {advice}", config.display(), file.display()).into());
    }
    check(from).await?;
    std::fs::copy(from, &file)
        .map_err(|error| format!("cannot copy {} to {}: {error}", from.display(), file.display()))?;
    let (settings, store) = open_store(config).await?;
    // A ring that opens shows that the root key is the one that sealed these values.
    crate::keys::KeyRing::open(store.clone(), &settings.keys, &settings.tokens).await?;
    println!("{}: restored", file.display());
    Ok(())
}

/// Whether a file is a whole database of this program.
async fn check(file: &Path) -> Outcome {
    if !file.is_file() {
        return Err(format!("{}: there is no such file", file.display()).into());
    }
    sqlx::any::install_default_drivers();
    let damaged =
        |error: &dyn std::fmt::Display| format!("{}: this is not a whole backup: {error}", file.display());
    let url = format!("sqlite:{}?mode=ro", file.display());
    let pool = sqlx::AnyPool::connect(&url).await.map_err(|error| damaged(&error))?;
    let row =
        sqlx::query("PRAGMA integrity_check").fetch_one(&pool).await.map_err(|error| damaged(&error))?;
    let verdict: String = row.try_get(0)?;
    if verdict != "ok" {
        return Err(damaged(&verdict).into());
    }
    sqlx::query("SELECT id FROM accounts LIMIT 1")
        .fetch_optional(&pool)
        .await
        .map_err(|error| damaged(&error))?;
    pool.close().await;
    Ok(())
}
