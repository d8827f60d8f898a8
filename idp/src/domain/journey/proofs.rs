//! What somebody proved and when, in a sign-in and in the session that came of it; and what follows from it for tokens:
//! `auth_time`, `amr` and the assurance. A new method is a variant here, and its place in the lines below.

use platform::clock::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::{Assurance, Factor, Levels};

/// How something was proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Method {
    Password,
    /// A temporary password was replaced.
    NewPassword,
    /// A one-time code was received on the account's phone.
    Sms,
    /// A code of the account's authenticator app was given.
    Totp,
    /// One of the account's recovery codes was used up.
    RecoveryCode,
    /// One of the account's passkeys signed, after its authenticator had verified the person.
    Passkey {
        /// A password manager carries it from device to device.
        synced: bool,
    },
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
    /// Whether it says who somebody is, so that a sign-in can begin with it.
    fn authenticates(&self) -> bool {
        matches!(self, Self::Password | Self::Upstream { .. } | Self::Passkey { .. })
    }

    /// Whether a session goes on proving it to later sign-ins.
    fn outlives_its_journey(&self) -> bool {
        self.authenticates() || self.second_factor(Levels::default()).is_some()
    }

    /// The rung that it earns as a second factor, if it is one of ours.
    fn second_factor(&self, levels: Levels) -> Option<Assurance> {
        match self {
            Self::Sms => Some(levels.sms),
            Self::Totp => Some(levels.totp),
            Self::RecoveryCode => Some(Assurance::Code),
            Self::Passkey { synced: true } => Some(levels.synced_passkey),
            Self::Passkey { synced: false } => Some(levels.passkey),
            Self::Password | Self::NewPassword | Self::Upstream { .. } | Self::Consent => None,
        }
    }

    /// The kind of second factor that it is; a recovery code stands for any.
    fn factor(&self) -> Option<Factor> {
        match self {
            Self::Sms => Some(Factor::Sms),
            Self::Totp => Some(Factor::Totp),
            Self::Passkey { .. } => Some(Factor::Passkey),
            _ => None,
        }
    }

    /// Its values in `amr` (RFC 8176 section 2): of what was proved, not of how it was asked.
    fn amr(&self) -> Vec<&str> {
        match self {
            Self::Password => vec!["pwd"],
            Self::Sms => vec!["sms"],
            Self::Totp | Self::RecoveryCode => vec!["otp"],
            Self::Passkey { synced } => vec!["pop", if *synced { "swk" } else { "hwk" }, "user"],
            Self::Upstream { amr, .. } => amr.iter().map(String::as_str).collect(),
            Self::NewPassword | Self::Consent => Vec::new(),
        }
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

    /// When a second factor of ours was proved last.
    pub fn second_factor_at(&self) -> Option<Timestamp> {
        let levels = Levels::default();
        let given = self.0.iter().filter(|proof| proof.method.second_factor(levels).is_some());
        given.map(|proof| proof.at).max()
    }

    /// When a kind, or a stronger one, was proved last; a recovery code stands for any.
    pub fn as_strong_as(&self, factor: Factor) -> Option<Timestamp> {
        let is_enough = |method: &Method| method.factor() >= Some(factor) || *method == Method::RecoveryCode;
        self.0.iter().filter(|proof| is_enough(&proof.method)).map(|proof| proof.at).max()
    }

    /// The most that second factors of these kinds earn, recovery codes included.
    pub fn earned(&self, levels: Levels, kinds: &[Factor]) -> Option<Assurance> {
        let is_taken = |proof: &&Proof| proof.method.factor().is_none_or(|factor| kinds.contains(&factor));
        self.0.iter().filter(is_taken).filter_map(|proof| proof.method.second_factor(levels)).max()
    }

    /// What they have earned. A remembered device is weaker than a fresh code.
    pub fn assurance(&self, levels: Levels, device_is_trusted: bool) -> Assurance {
        let known = device_is_trusted && self.at(&Method::Password).is_some();
        let known = known.then_some(Assurance::KnownDevice);
        let all = [known, self.earned(levels, &Factor::ALL), self.upstream()];
        all.into_iter().flatten().max().unwrap_or(Assurance::Password)
    }

    /// The `amr` of them (RFC 8176).
    pub fn amr(&self) -> Vec<String> {
        let has = |wanted: fn(&Method) -> bool| self.0.iter().any(|proof| wanted(&proof.method));
        // A passkey is something that one has, and its authenticator asked for something that one knows or is.
        let is_mfa = has(|method| matches!(method, Method::Passkey { .. }))
            || (has(|method| *method == Method::Password)
                && has(|method| matches!(method, Method::Sms | Method::Totp | Method::RecoveryCode)));
        let (others, own): (Vec<_>, Vec<_>) = self
            .0
            .iter()
            .map(|proof| &proof.method)
            .partition(|method| matches!(method, Method::Upstream { .. }));
        let (password, own): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|method| **method == Method::Password);
        let own = password.into_iter().chain(own).flat_map(Method::amr);
        let values = own.chain(is_mfa.then_some("mfa")).chain(others.into_iter().flat_map(Method::amr));
        let mut methods: Vec<String> = Vec::new();
        for value in values {
            if !methods.iter().any(|known| known == value) {
                methods.push(value.to_owned());
            }
        }
        methods
    }
}
