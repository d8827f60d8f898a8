//! A portal's rules for the second factor: when one is asked, which ones it takes, and what each of them earns.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::Assurance;

/// When a second factor is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    Never,
    /// On a device that the account does not know, or whose remembered time is over.
    #[default]
    NewDevice,
    Always,
}

/// A kind of second factor that a portal may take. Recovery codes stand for any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// A one-time code on the account's phone.
    Sms,
    /// A code of an authenticator app (RFC 6238).
    Totp,
    /// A key of the person's own device or password manager (WebAuthn).
    Passkey,
}

impl Factor {
    pub const ALL: [Self; 3] = [Self::Sms, Self::Totp, Self::Passkey];
}

/// Which rung each kind earns beside a password, or alone where it is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Levels {
    pub sms: Assurance,
    pub totp: Assurance,
    /// A passkey that a password manager carries from device to device.
    pub synced_passkey: Assurance,
    /// A passkey that stays in the device that made it.
    pub passkey: Assurance,
}

impl Default for Levels {
    fn default() -> Self {
        Self {
            sms: Assurance::Code,
            totp: Assurance::Code,
            synced_passkey: Assurance::Strong,
            passkey: Assurance::Hardware,
        }
    }
}

impl Levels {
    /// The most that one of this kind can earn.
    pub fn of(&self, factor: Factor) -> Assurance {
        match factor {
            Factor::Sms => self.sms,
            Factor::Totp => self.totp,
            Factor::Passkey => self.passkey.max(self.synced_passkey),
        }
    }
}

/// The rules; in a file `second_factor = "always"` stands for `second_factor.when = "always"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecondFactor {
    pub when: When,
    /// Those that the portal takes, in the order in which they are offered.
    pub methods: Vec<Factor>,
    /// Whether who signs in with a passkey is asked for nothing else, the password included.
    pub passkey_alone: bool,
    pub levels: Levels,
}

impl Default for SecondFactor {
    fn default() -> Self {
        Self {
            when: When::default(),
            methods: vec![Factor::Passkey, Factor::Totp, Factor::Sms],
            passkey_alone: true,
            levels: Levels::default(),
        }
    }
}

impl From<When> for SecondFactor {
    fn from(when: When) -> Self {
        Self { when, ..Self::default() }
    }
}

impl SecondFactor {
    /// The most that can be earned with what the portal takes.
    pub fn most(&self) -> Assurance {
        let earned = self.methods.iter().map(|factor| self.levels.of(*factor));
        earned.max().unwrap_or(Assurance::Password)
    }
}

impl<'de> Deserialize<'de> for SecondFactor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// What stands in a table; each part as it is without.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            when: Option<When>,
            methods: Option<Vec<Factor>>,
            passkey_alone: Option<bool>,
            levels: Option<Levels>,
        }

        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = SecondFactor;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"never\", \"new_device\", \"always\" or a table of rules")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<SecondFactor, E> {
                When::deserialize(StrDeserializer::new(word)).map(SecondFactor::from)
            }

            fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<SecondFactor, M::Error> {
                let table = Table::deserialize(MapAccessDeserializer::new(map))?;
                let usual = SecondFactor::default();
                Ok(SecondFactor {
                    when: table.when.unwrap_or_default(),
                    methods: table.methods.unwrap_or(usual.methods),
                    passkey_alone: table.passkey_alone.unwrap_or(usual.passkey_alone),
                    levels: table.levels.unwrap_or_default(),
                })
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn read(text: &str) -> Result<SecondFactor, String> {
        let text =
            format!("dev.outbox = true\n[[portal]]\nid = 'p'\nurl = 'https://p.example'\npolicy.{text}\n");
        match Config::parse(Path::new("idp.toml"), &text) {
            Ok(config) => Ok(config.portals[0].policy.second_factor.clone()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_word_stands_for_the_rule_when_and_a_table_for_all_of_them() {
        let always = SecondFactor { when: When::Always, ..SecondFactor::default() };
        assert_eq!(read("second_factor = 'always'").unwrap(), always);
        assert_eq!(read("second_factor.when = 'always'").unwrap(), always);
        assert_eq!(read("public_computer = false").unwrap(), SecondFactor::default());
        let some = read("second_factor = { methods = ['totp', 'sms'], levels = { totp = 'code' } }").unwrap();
        assert_eq!(some.methods, [Factor::Totp, Factor::Sms]);
        assert_eq!((some.when, some.most()), (When::NewDevice, Assurance::Code));
        for (wrong, says) in [
            ("second_factor = 'sometimes'", "sometimes"),
            ("second_factor = 3", "table of rules"),
            ("second_factor.method = ['sms']", "method"),
            ("second_factor.methods = ['mail']", "mail"),
            ("second_factor.levels = { mail = 'code' }", "mail"),
        ] {
            assert!(read(wrong).unwrap_err().contains(says), "{wrong}");
        }
    }

    #[test]
    fn a_server_without_a_name_offers_no_passkeys_and_promises_none() {
        let at = |issuer: &str| {
            let text = format!(
                "dev.outbox = true\nissuer = '{issuer}'\n[[portal]]\nid = 'p'\nurl = 'https://p.example'\n"
            );
            let config = Config::parse(Path::new("idp.toml"), &text).unwrap();
            let taken = config.registry().unwrap().portal_of(None).policy.second_factor.methods.clone();
            (config.most(&config.portals[0]), taken)
        };
        assert_eq!(at("http://127.0.0.1:8080"), (Assurance::Code, vec![Factor::Totp, Factor::Sms]));
        let all = vec![Factor::Passkey, Factor::Totp, Factor::Sms];
        assert_eq!(at("http://localhost:8080"), (Assurance::Hardware, all));
    }
}
