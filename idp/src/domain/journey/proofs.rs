//! What somebody proved and when, in a sign-in and in the session that came of it; and what follows from it for tokens:
//! `auth_time`, `amr` and the assurance. A new method is a variant here, and its place in the lines below.

use platform::clock::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::Assurance;

/// How something was proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Method {
    Password,
    /// A temporary password was replaced.
    NewPassword,
    /// A one-time code was received on the account's phone.
    Sms,
    /// Another identity provider vouched for the person, in place of the password and perhaps of the code.
    Upstream {
        /// How sure that one is, as the operator rates it.
        assurance: Assurance,
        /// Its `amr` (RFC 8176).
        amr: Vec<String>,
    },
    Consent,
}

impl Method {
    /// Whether it says who somebody is, so that a sign-in begins with it.
    fn authenticates(&self) -> bool {
        matches!(self, Self::Password | Self::Upstream { .. })
    }

    /// Whether a session goes on proving it to later sign-ins.
    fn outlives_its_journey(&self) -> bool {
        matches!(self, Self::Password | Self::Sms | Self::Upstream { .. })
    }

    /// Its value in `amr` (RFC 8176).
    fn amr(&self) -> &[String] {
        if let Self::Upstream { amr, .. } = self { amr } else { &[] }
    }
}

/// One thing that was proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    #[serde(flatten)]
    pub method: Method,
    pub at: Timestamp,
}

/// All that was proved, each method once: what is proved again counts from then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Proofs(Vec<Proof>);

impl Proofs {
    /// As the session keeps them.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Each of them.
    pub fn all(&self) -> impl Iterator<Item = &Proof> {
        self.0.iter()
    }

    /// With one proof more.
    #[must_use]
    pub fn with(mut self, method: Method, at: Timestamp) -> Self {
        self.add(method, at);
        self
    }

    /// Adds a proof.
    pub fn add(&mut self, method: Method, at: Timestamp) {
        self.0.retain(|proof| std::mem::discriminant(&proof.method) != std::mem::discriminant(&method));
        self.0.push(Proof { method, at });
    }

    /// Takes a proof away that turned out to stand on nothing.
    pub fn remove(&mut self, method: &Method) {
        self.0.retain(|proof| proof.method != *method);
    }

    /// When it was proved.
    pub fn at(&self, method: &Method) -> Option<Timestamp> {
        self.0.iter().find(|proof| proof.method == *method).map(|proof| proof.at)
    }

    /// Those that count with a limit on their age.
    #[must_use]
    pub fn since(&self, oldest: Timestamp) -> Self {
        Self(self.0.iter().filter(|proof| proof.at >= oldest).cloned().collect())
    }

    /// Those that the session keeps.
    #[must_use]
    pub fn for_session(&self) -> Self {
        Self(self.0.iter().filter(|proof| proof.method.outlives_its_journey()).cloned().collect())
    }

    /// When the person last proved who they are: `auth_time`.
    pub fn authenticated_at(&self) -> Option<Timestamp> {
        self.0.iter().filter(|proof| proof.method.authenticates()).map(|proof| proof.at).max()
    }

    /// When the last proof was given that somebody's session rests on.
    pub fn renewed_at(&self) -> Option<Timestamp> {
        self.0.iter().filter(|proof| proof.method.outlives_its_journey()).map(|proof| proof.at).max()
    }

    /// How sure another identity provider is.
    pub fn upstream(&self) -> Option<Assurance> {
        self.0.iter().find_map(|proof| match &proof.method {
            Method::Upstream { assurance, .. } => Some(*assurance),
            _ => None,
        })
    }

    /// What they have earned. A remembered device is weaker than a fresh code.
    pub fn assurance(&self, device_is_trusted: bool) -> Assurance {
        let own = match (self.at(&Method::Sms), device_is_trusted) {
            (Some(_), _) => Assurance::Code,
            (None, true) if self.at(&Method::Password).is_some() => Assurance::KnownDevice,
            (None, _) => Assurance::Password,
        };
        self.upstream().map_or(own, |assurance| own.max(assurance))
    }

    /// The `amr` of them (RFC 8176).
    pub fn amr(&self) -> Vec<String> {
        let password = self.at(&Method::Password).map(|_| "pwd");
        let sms = self.at(&Method::Sms).map(|_| "sms");
        let own: Vec<&str> = password.into_iter().chain(sms).collect();
        let mfa = (own.len() > 1).then_some("mfa");
        let upstream = self.0.iter().flat_map(|proof| proof.method.amr()).map(String::as_str);
        let mut methods: Vec<String> = Vec::new();
        for method in own.into_iter().chain(mfa).chain(upstream) {
            if !methods.iter().any(|known| known == method) {
                methods.push(method.to_owned());
            }
        }
        methods
    }
}
