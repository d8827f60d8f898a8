//! An account and the names it goes by.

use serde::{Deserialize, Serialize};
use web::clock::Timestamp;
use web::language::Language;
use web::seal::sha256;

use crate::config::Identifier;

/// The key of an account; internal, never shown to a portal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub String);

impl AccountId {
    /// An id out of a URL; `None` if no account can have it.
    pub fn parse(text: &str) -> Option<Self> {
        // As `Random::id` makes them: 128 bits in 22 URL-safe characters.
        let is_id = text.len() == 22
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        is_id.then(|| Self(text.to_owned()))
    }
}

/// What portals know a person by: `sub` (OpenID Connect Core section 2). Opaque and never reused.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubjectId(pub String);

/// An e-mail address, in the lower case in which it is compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads what a person typed; `None` if no mail could go there.
    pub fn parse(typed: &str) -> Option<Self> {
        let typed = typed.trim();
        // RFC 5321 section 4.5.3.1.3 leaves 254 characters for an address.
        if typed.len() > 254 || !typed.is_ascii() {
            return None;
        }
        let address: lettre::Address = typed.parse().ok()?;
        // A mail that leaves the house goes to a host with a dot in its name.
        address.domain().contains('.').then(|| Self(typed.to_ascii_lowercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name to sign in with, in the lower case in which it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// Reads what a person typed: 3 to 64 letters (a to z), digits, dots, hyphens and underscores.
    pub fn parse(typed: &str) -> Option<Self> {
        let name = typed.trim();
        let is_name = (3..=64).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        is_name.then(|| Self(name.to_ascii_lowercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What an account may do here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    User,
    CareTeam,
    Administrator,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::CareTeam => "care_team",
            Self::Administrator => "administrator",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::User, Self::CareTeam, Self::Administrator].into_iter().find(|role| role.as_str() == text)
    }

    /// Whether people of this role see other people's data, and so always need a second factor.
    pub fn is_staff(self) -> bool {
        self != Self::User
    }
}

/// An account as it is stored.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: AccountId,
    pub subject: SubjectId,
    pub given_name: String,
    pub family_name: String,
    pub email: EmailAddress,
    pub email_confirmed_at: Option<Timestamp>,
    pub username: Option<String>,
    pub password_hash: Option<String>,
    /// While the password is one that was mailed and must be replaced: until when it works.
    pub temporary_password_until: Option<Timestamp>,
    /// When the temporary password was used; it works once.
    pub temporary_password_used_at: Option<Timestamp>,
    /// Sealed; opened only to send to it or to show its last digits.
    pub phone_sealed: Option<String>,
    pub phone_verified_at: Option<Timestamp>,
    pub role: Role,
    /// Of staff: where they work. Of a user: whose care team made the account and sees it; portals never learn that.
    pub organisation: Option<String>,
    pub language: Language,
    pub blocked_at: Option<Timestamp>,
    /// Standard claims that sign-in itself does not need, sealed.
    pub claims_sealed: Option<String>,
    pub updated_at: Timestamp,
}

impl Account {
    /// The name by which a person is addressed.
    pub fn full_name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name).trim().to_owned()
    }

    /// What the holder signs in with; empty if that is a user name and the account has none.
    pub fn identifier(&self, kind: Identifier) -> &str {
        match kind {
            Identifier::Email => self.email.as_str(),
            Identifier::Username => self.username.as_deref().unwrap_or_default(),
        }
    }

    /// A phone number that received a code before.
    pub fn verified_phone(&self) -> Option<&str> {
        self.phone_verified_at.and(self.phone_sealed.as_deref())
    }

    /// Whether the holder has a password that nobody else chose.
    pub fn has_own_password(&self) -> bool {
        self.password_hash.is_some() && self.temporary_password_until.is_none()
    }

    /// Whether the password, if it is a temporary one, can still be used at the sign-in page.
    pub fn password_works(&self, now: Timestamp) -> bool {
        self.temporary_password_until
            .is_none_or(|until| now < until && self.temporary_password_used_at.is_none())
    }

    /// Another one for every password; tells nothing of it.
    pub fn password_mark(&self) -> String {
        sha256(self.password_hash.as_deref().unwrap_or_default())
    }
}

/// A person's name as typed: without the white space around it, of a length that fits a form, and
/// without characters that no name has but markup and control sequences do.
pub fn parse_name(typed: &str) -> Option<String> {
    let name = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_name = (1..=80).contains(&name.chars().count())
        && name.chars().any(char::is_alphabetic)
        && !name.chars().any(|c| c.is_control() || "<>{}[]\\/|@:;\"=*".contains(c));
    is_name.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_in_lower_case() {
        assert_eq!(
            EmailAddress::parse("  Anna.Bakker@Example.NL ").unwrap().as_str(),
            "anna.bakker@example.nl"
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for typed in [
            "",
            "anna",
            "anna@",
            "@example.nl",
            "anna@localhost",
            "a b@example.nl",
            "anna@example.nl\r\nBcc: x@y.nl",
        ] {
            assert_eq!(EmailAddress::parse(typed), None, "{typed}");
        }
        assert_eq!(EmailAddress::parse(&format!("{}@example.nl", "a".repeat(300))), None);
    }

    #[test]
    fn user_names_are_short_and_plain() {
        assert_eq!(Username::parse(" A.Bakker-2_x ").unwrap().as_str(), "a.bakker-2_x");
        for typed in ["", "ab", "a b", "anna@example.nl", "ann\u{eb}", "<b>", &"a".repeat(65)] {
            assert_eq!(Username::parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn an_id_out_of_a_url_holds_nothing_that_leads_elsewhere() {
        assert!(AccountId::parse("P_jtDsxVtO5kTwSkd6PHBg").is_some());
        for text in ["", "new", "../../../../../account/", "P_jtDsxVtO5kTwSkd6PHB\n"] {
            assert_eq!(AccountId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_names() {
        assert_eq!(
            parse_name("  Annemiek   de Vri\u{eb}s-O'Neil ").as_deref(),
            Some("Annemiek de Vri\u{eb}s-O'Neil")
        );
        for typed in ["", "   ", "123", "<script>alert(1)</script>", "http://spam.example", &"a".repeat(81)] {
            assert_eq!(parse_name(typed), None, "{typed}");
        }
    }
}
