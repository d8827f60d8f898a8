//! Proofs of a journey as the version before reads and writes them, beside the list of this one: while servers go up one
//! after the other, a sign-in may meet both. The next version keeps the list alone.

use platform::clock::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::proofs::{Method, Proofs};
use crate::config::Assurance;

#[derive(Deserialize, Serialize)]
struct Upstream {
    at: Timestamp,
    assurance: Assurance,
    amr: Vec<String>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Both {
    password_at: Option<Timestamp>,
    upstream: Option<Upstream>,
    new_password_at: Option<Timestamp>,
    code_at: Option<Timestamp>,
    consent_at: Option<Timestamp>,
    list: Option<Proofs>,
}

pub(super) fn serialize<S: Serializer>(proofs: &Proofs, serializer: S) -> Result<S::Ok, S::Error> {
    let upstream = proofs.all().find_map(|proof| match &proof.method {
        Method::Upstream { assurance, amr } => {
            Some(Upstream { at: proof.at, assurance: *assurance, amr: amr.clone() })
        }
        _ => None,
    });
    let both = Both {
        password_at: proofs.at(&Method::Password),
        upstream,
        new_password_at: proofs.at(&Method::NewPassword),
        code_at: proofs.at(&Method::Sms),
        consent_at: proofs.at(&Method::Consent),
        list: Some(proofs.clone()),
    };
    both.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Proofs, D::Error> {
    let both = Both::deserialize(deserializer)?;
    Ok(both.list.unwrap_or_else(|| {
        let upstream = both
            .upstream
            .map(|proof| (Method::Upstream { assurance: proof.assurance, amr: proof.amr }, Some(proof.at)));
        let own = [
            (Method::Password, both.password_at),
            (Method::NewPassword, both.new_password_at),
            (Method::Sms, both.code_at),
            (Method::Consent, both.consent_at),
        ];
        let given = own.into_iter().chain(upstream).filter_map(|(method, at)| Some((method, at?)));
        given.fold(Proofs::default(), |proofs, (method, at)| proofs.with(method, at))
    }))
}
