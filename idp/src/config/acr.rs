//! The ladder of assurance: how sure this provider is of who signed in, and under which name each rung stands
//! in tokens (`acr`, OpenID Connect Core section 2).

use serde::{Deserialize, Serialize};

/// A rung; later ones are stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assurance {
    /// A password alone.
    Password,
    /// A password on a device that received a code some days ago.
    KnownDevice,
    /// A password and a fresh one-time code, of an SMS or an authenticator app.
    Code,
    /// What cannot be passed on to somebody who pretends to be this site: a passkey (`phr`, OpenID Connect Extended
    /// Authentication Profile ACR Values 1.0 section 2).
    Strong,
    /// The same, with a key that stays in one device (`phrh` there).
    Hardware,
}

/// The names of the rungs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AcrNames {
    pub password: String,
    pub known_device: String,
    pub code: String,
    pub strong: String,
    pub hardware: String,
}

impl Default for AcrNames {
    fn default() -> Self {
        Self {
            password: "urn:voordeur:acr:password".into(),
            known_device: "urn:voordeur:acr:known-device".into(),
            code: "urn:voordeur:acr:code".into(),
            strong: "phr".into(),
            hardware: "phrh".into(),
        }
    }
}

impl AcrNames {
    fn all(&self) -> [(Assurance, &str); 5] {
        [
            (Assurance::Password, &self.password),
            (Assurance::KnownDevice, &self.known_device),
            (Assurance::Code, &self.code),
            (Assurance::Strong, &self.strong),
            (Assurance::Hardware, &self.hardware),
        ]
    }

    /// The `acr` value of a rung.
    pub fn name(&self, assurance: Assurance) -> &str {
        match assurance {
            Assurance::Password => &self.password,
            Assurance::KnownDevice => &self.known_device,
            Assurance::Code => &self.code,
            Assurance::Strong => &self.strong,
            Assurance::Hardware => &self.hardware,
        }
    }

    /// The names of the rungs that somebody can reach who can earn `most`.
    pub fn reachable(&self, most: Assurance) -> Vec<&str> {
        self.all().into_iter().filter(|(rung, _)| *rung <= most).map(|(_, name)| name).collect()
    }

    /// The least that satisfies a request for one of these values. They are in order of preference (OpenID
    /// Connect Core section 3.1.2.1): a weaker one that is asked for as well makes the stronger one optional.
    pub fn least(&self, values: &[String]) -> Option<Assurance> {
        let of =
            |value: &String| self.all().into_iter().find(|(_, name)| name == value).map(|(rung, _)| rung);
        values.iter().filter_map(of).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weakest_known_value_is_what_is_needed() {
        let names = AcrNames::default();
        let least = |values: &[&str]| {
            names.least(&values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(least(&["urn:voordeur:acr:code"]), Some(Assurance::Code));
        assert_eq!(least(&["urn:voordeur:acr:code", "urn:voordeur:acr:password"]), Some(Assurance::Password));
        assert_eq!((least(&["unknown"]), least(&[])), (None, None));
        assert!(Assurance::Password < Assurance::KnownDevice && Assurance::Code < Assurance::Strong);
        assert_eq!(
            (least(&["phrh"]), least(&["phrh", "phr"])),
            (Some(Assurance::Hardware), Some(Assurance::Strong))
        );
        assert_eq!(names.reachable(Assurance::Code).len(), 3);
    }
}
