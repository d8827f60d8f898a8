//! `idp keys list | rotate | revoke`: works on the database; running servers look there at each request.

use clap::Subcommand;
use platform::db::Needs;

use super::command::{At, Outcome, print_rows};
use super::open::{operator, with_tables};
use crate::keys::{Algorithm, KeyRing, Phase, When};
use crate::store::audit::Operation;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show all keys and their phases.
    List(At),
    /// Make a new key, announced now and signing later; with --now in half a minute.
    Rotate {
        #[command(flatten)]
        at: At,
        /// RS256, PS256, ES256 or EdDSA; all unless given.
        #[arg(long)]
        alg: Option<String>,
        #[arg(long)]
        now: bool,
    },
    /// Make a key worthless at once, on every server: what it signed verifies no more.
    Revoke {
        #[command(flatten)]
        at: At,
        #[arg(long, allow_hyphen_values = true)]
        kid: String,
    },
}

pub(super) async fn run(command: Command) -> Outcome {
    let at = match &command {
        Command::List(at) | Command::Rotate { at, .. } | Command::Revoke { at, .. } => at,
    };
    with_tables(&at.config, Needs::Current, async |tables| {
        let store = &tables.store;
        let ring = KeyRing::read(store.clone(), &tables.config.keys, &tables.config.tokens).await?;
        match &command {
            Command::List(_) => {}
            Command::Rotate { alg, now, .. } => {
                let when = if *now { When::Soon } else { When::Announce };
                let algorithms = match alg {
                    Some(name) => {
                        vec![Algorithm::parse(name).ok_or("--alg: write RS256, PS256, ES256 or EdDSA")?]
                    }
                    None => Algorithm::ALL.to_vec(),
                };
                for algorithm in algorithms {
                    let kid = ring.rotate(algorithm, when).await?;
                    let detail = format!("{algorithm} {kid}{}", if *now { ", now" } else { "" });
                    store.note_operation(&operator(), Operation::KeysRotated, &detail).await?;
                }
            }
            Command::Revoke { kid, .. } => {
                ring.revoke(kid).await?;
                store.note_operation(&operator(), Operation::KeyRevoked, kid).await?;
            }
        }
        print_rows(&ring.list(), at.json, |key| {
            vec![key.kid.clone(), key.algorithm.clone(), phase(key.phase), key.signs_from.rfc3339()]
        })
    })
    .await
}

fn phase(phase: Phase) -> String {
    format!("{phase:?}").to_lowercase()
}
