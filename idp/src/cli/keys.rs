//! `idp keys list | rotate | revoke`: works on the database; running servers look there at each request.

use web::db::Needs;

use super::open::{operator, with_tables};
use super::{KeysCommand, Outcome, print_rows};
use crate::keys::{Algorithm, KeyRing, Phase, When};
use crate::store::audit::Operation;

pub(super) async fn run(command: KeysCommand) -> Outcome {
    let at = match &command {
        KeysCommand::List(at) | KeysCommand::Rotate { at, .. } | KeysCommand::Revoke { at, .. } => at,
    };
    with_tables(&at.config, Needs::Current, async |tables| {
        let store = &tables.store;
        let ring = KeyRing::read(store.clone(), &tables.config.keys, &tables.config.tokens).await?;
        match &command {
            KeysCommand::List(_) => {}
            KeysCommand::Rotate { alg, now, .. } => {
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
            KeysCommand::Revoke { kid, .. } => {
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
