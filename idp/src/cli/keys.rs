//! `idp keys list | rotate | revoke`: works on the database; running servers look there at each request.

use super::{KeysCommand, Outcome, open_store, print_rows};
use crate::keys::{Algorithm, KeyRing, Phase, When};

pub(super) async fn run(command: KeysCommand) -> Outcome {
    let at = match &command {
        KeysCommand::List(at) | KeysCommand::Rotate { at, .. } | KeysCommand::Revoke { at, .. } => at,
    };
    let (config, store) = open_store(&at.config).await?;
    let ring = KeyRing::open(store, &config.keys, &config.tokens).await?;
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
                ring.rotate(algorithm, when).await?;
            }
        }
        KeysCommand::Revoke { kid, .. } => ring.revoke(kid).await?,
    }
    print_rows(&ring.list(), at.json, |key| {
        vec![key.kid.clone(), key.algorithm.clone(), phase(key.phase), key.signs_from.rfc3339()]
    })
}

fn phase(phase: Phase) -> String {
    format!("{phase:?}").to_lowercase()
}
