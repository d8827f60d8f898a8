//! `idp audit export`

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use platform::clock::Timestamp;
use platform::db::{Needs, create_private};

use super::accounts::find;
use super::command::{At, Outcome};
use super::open::{operator, with_tables};
use crate::domain::account::AccountId;
use crate::store::audit::{Entry, Event, Filter, Operation};

#[derive(Debug, clap::Args)]
pub(super) struct Export {
    #[command(flatten)]
    at: At,
    /// How many rows at most, the newest first.
    #[arg(long, default_value_t = 100_000)]
    limit: u32,
    /// Only of this account: its e-mail address, user name or id.
    #[arg(long, allow_hyphen_values = true)]
    account: Option<String>,
    /// Only of this kind, such as signed-in.
    #[arg(long)]
    event: Option<String>,
    /// Only from this moment on: a date (2026-11-30, in Dutch time) or a time (2026-11-30T14:00:00Z).
    #[arg(long)]
    from: Option<String>,
    /// Only up to this moment; of a date, to its end.
    #[arg(long)]
    until: Option<String>,
    /// Write to this file, which its owner alone may read, instead of standard output; it must not exist.
    #[arg(long)]
    to: Option<PathBuf>,
}

pub(super) async fn export(arguments: Export) -> Outcome {
    let Export { at, limit, account, event, from, until, to } = arguments;
    let moment = |key: &str, text: Option<&str>| {
        let advice = || format!("{key}: write a date (2026-11-30) or a time (2026-11-30T14:00:00Z)");
        text.map(|text| Timestamp::parse(text).ok_or_else(advice)).transpose()
    };
    let from = moment("--from", from.as_deref())?;
    let is_date = until.as_ref().is_some_and(|text| !text.contains(':'));
    let until =
        moment("--until", until.as_deref())?.map(|until| if is_date { next_midnight(until) } else { until });
    if let Some(event) = &event {
        let known =
            || Event::ALL.iter().map(|event| event.as_str()).chain(Operation::ALL.map(Operation::as_str));
        if !known().any(|known| known == event) {
            let known: Vec<&str> = known().collect();
            return Err(format!(
                "--event {event}: there is no such event; write one of {}",
                known.join(", ")
            )
            .into());
        }
    }
    with_tables(&at.config, Needs::Current, async |tables| {
        let account = match &account {
            // An account that was deleted has rows yet, by its id alone.
            Some(name) => Some(find(&tables.store, name).await?.unwrap_or_else(|| AccountId(name.clone()))),
            None => None,
        };
        let filter = Filter { account, event, from, until };
        let entries = tables.store.audit_of(&filter, limit).await?;
        let mut text = String::new();
        for entry in &entries {
            text.push_str(&line(entry).to_string());
            text.push('\n');
        }
        let detail = format!("{} rows", entries.len());
        tables.store.note_operation(&operator(), Operation::AuditExported, &detail).await?;
        match &to {
            Some(to) => {
                let named = |error| format!("--to {}: {error}", to.display());
                create_private(to).and_then(|mut file| file.write_all(text.as_bytes())).map_err(named)?;
            }
            None => std::io::stdout().write_all(text.as_bytes())?,
        }
        if u32::try_from(entries.len()).is_ok_and(|count| count == limit) {
            eprintln!("idp: these are {limit} rows; there may be older ones: raise --limit, or use --until");
        }
        Ok(())
    })
    .await
}

/// The end of the day that begins at `midnight`; a day with a change of the clock has 23 or 25 hours.
fn next_midnight(midnight: Timestamp) -> Timestamp {
    let noon_after = midnight.plus(Duration::from_hours(36));
    let date = noon_after.local_date();
    Timestamp::parse(&date).unwrap_or(noon_after)
}

fn line(entry: &Entry) -> serde_json::Value {
    serde_json::json!({
        "at": entry.at.rfc3339(),
        "event": entry.event,
        "account": entry.account_id,
        "actor": entry.actor_id,
        "organisation": entry.organisation,
        "client": entry.client_id,
        "request": entry.request_id,
        "detail": entry.detail,
    })
}
