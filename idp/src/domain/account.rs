//! An account and the names it goes by.

use platform::clock::Timestamp;
use platform::language::Language;
use platform::seal::sha256;
use platform::typed::{has_hidden_marks, plain};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use crate::config::Identifier;
use crate::domain::factors::Factors;

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

/// An e-mail address, in the lower case in which it is compared; a domain of other letters in the form of mail and DNS
/// (`xn--...`, RFC 5891).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads what a person typed or copied out of a mail (`Anna <anna@example.nl>`); `None` if no mail could go there.
    pub fn parse(typed: &str) -> Option<Self> {
        const ENDS: [char; 3] = ['.', ',', ';'];
        let typed = plain(typed);
        let typed = typed.trim_end_matches(ENDS);
        let within = typed.strip_suffix('>').and_then(|text| text.rsplit_once('<'));
        let typed = within.map_or(typed, |(_, address)| address);
        let typed = typed.strip_prefix("mailto:").unwrap_or(typed).trim_end_matches(ENDS);
        let (local, domain) = typed.rsplit_once('@')?;
        let address = format!("{local}@{}", mail_domain(domain)?).to_ascii_lowercase();
        // RFC 5321 section 4.5.3.1.3 leaves 254 characters for an address.
        let fits = address.len() <= 254 && address.is_ascii() && !address.contains(' ');
        (fits && address.parse::<lettre::Address>().is_ok()).then_some(Self(address))
    }

    /// An address as it was stored: it has been read before, perhaps by an older rule.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The domain of an address in its form for the DNS. None without a dot: a mail that leaves the house goes to a host with
/// one. No number either: what runs at an address of the network says who it is to nobody, and may be a machine of ours.
fn mail_domain(typed: &str) -> Option<String> {
    // The parser of URLs reads escapes, which no mail knows.
    if typed.contains('%') {
        return None;
    }
    let url::Host::Domain(domain) = url::Host::parse(typed).ok()? else { return None };
    let has_room = domain.split('.').all(|label| (1..=63).contains(&label.len()));
    (has_room && domain.contains('.')).then_some(domain)
}

/// A name to sign in with, in the lower case in which it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// Reads what a person typed: 3 to 64 letters (a to z), digits, dots, hyphens and underscores.
    pub fn parse(typed: &str) -> Option<Self> {
        let name = plain(typed);
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
    pub email_verified_at: Option<Timestamp>,
    pub username: Option<String>,
    pub password_hash: Option<String>,
    /// While the password is one that was mailed and must be replaced: until when it works.
    pub temporary_password_until: Option<Timestamp>,
    /// When the temporary password was used; it works once.
    pub temporary_password_used_at: Option<Timestamp>,
    /// Sealed; opened only to send to it or to show its last digits.
    pub phone_sealed: Option<String>,
    pub phone_verified_at: Option<Timestamp>,
    /// What the holder can prove with beside the password.
    pub factors: Factors,
    pub role: Role,
    /// Of staff: where they work. Of a user: whose care team made the account and sees it; portals never learn that.
    pub organisation: Option<String>,
    pub language: Language,
    pub blocked_at: Option<Timestamp>,
    /// Standard claims that sign-in itself does not need, sealed.
    pub claims_sealed: Option<String>,
    pub created_at: Timestamp,
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
    pub fn credential_version(&self) -> String {
        sha256(self.password_hash.as_deref().unwrap_or_default())
    }
}

/// Why a text is no name of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("there is no name")]
    Missing,
    #[error("it is longer than 80 characters")]
    TooLong,
    #[error("it holds marks that nobody sees")]
    HiddenMarks,
    #[error("it has no letter, or a sign that no name has, such as < > / @ : ;")]
    Signs,
}

/// A person's name as typed: of a length that fits a form, in one normal form (NFC), and without characters that no name
/// has but markup and control sequences do. Marks that nobody sees are refused and not taken away: with them a name is
/// made to look like another's, and who has them in by mistake is told.
///
/// # Errors
/// [`NameError`]
pub fn parse_name(typed: &str) -> Result<String, NameError> {
    let name: String = typed.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect();
    if has_hidden_marks(&name) {
        return Err(NameError::HiddenMarks);
    }
    match name.chars().count() {
        0 => Err(NameError::Missing),
        1..=80 if !name.chars().any(char::is_alphabetic) => Err(NameError::Signs),
        1..=80 if name.chars().any(|c| "<>{}[]\\/|@:;\"=*".contains(c)) => Err(NameError::Signs),
        1..=80 => Ok(name),
        _ => Err(NameError::TooLong),
    }
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
    fn an_address_is_the_same_however_it_was_copied() {
        for typed in [
            "\u{202a}anna@example.nl\u{202c}",
            "an\u{200b}na@exam\u{ad}ple.nl",
            "Anna Bakker <anna@example.nl>",
            "<anna@example.nl>,",
            "mailto:anna@example.nl",
            "anna@example.nl.",
            "anna\u{ff20}example\u{3002}nl",
        ] {
            assert_eq!(EmailAddress::parse(typed).unwrap().as_str(), "anna@example.nl", "{typed:?}");
        }
    }

    #[test]
    fn a_domain_of_other_letters_is_kept_as_mail_needs_it() {
        for (typed, kept) in [
            ("anna@B\u{fc}cher.example", "anna@xn--bcher-kva.example"),
            ("anna@zorg\u{eb}n.nl", "anna@xn--zorgn-qsa.nl"),
            ("anna@xn--bcher-kva.example", "anna@xn--bcher-kva.example"),
        ] {
            let address = EmailAddress::parse(typed).unwrap();
            assert_eq!(address.as_str(), kept);
            assert_eq!(
                EmailAddress::parse(address.as_str()),
                Some(address),
                "reading it again changes nothing"
            );
        }
        assert_eq!(
            EmailAddress::parse(&format!("anna@{}.nl", "\u{eb}".repeat(70))),
            None,
            "a label of 63 at most"
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
            "anna@[127.0.0.1]",
            "anna@10.0.0.1",
            "anna@[IPv6:::1]",
            "anna@[::1]",
            "anna@0x7f.1",
            "anna@2130706433",
            "anna@127.0.0.1.",
            "anna@\u{661}\u{660}.\u{660}.\u{660}.\u{661}",
            "anna@example.%6El",
            "anna@example..nl",
            "anna@-.",
            "anna\u{e9}@example.nl",
            "<anna@>",
        ] {
            assert_eq!(EmailAddress::parse(typed), None, "{typed}");
        }
        assert_eq!(EmailAddress::parse(&format!("{}@example.nl", "a".repeat(300))), None);
    }

    #[test]
    fn user_names_are_short_and_plain() {
        for typed in [" A.Bakker-2_x ", "\u{200e}a.bakker\u{2011}\u{662}_x\u{200b}"] {
            assert_eq!(Username::parse(typed).unwrap().as_str(), "a.bakker-2_x", "{typed:?}");
        }
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
            parse_name("  Annemiek   de Vrie\u{308}s-O'Neil ").as_deref(),
            Ok("Annemiek de Vri\u{eb}s-O'Neil")
        );
        assert!(parse_name("\u{645}\u{62d}\u{645}\u{62f}").is_ok());
        for (typed, error) in [
            ("", NameError::Missing),
            ("   ", NameError::Missing),
            ("123", NameError::Signs),
            ("<script>alert(1)</script>", NameError::Signs),
            ("http://spam.example", NameError::Signs),
            (&"a".repeat(81), NameError::TooLong),
        ] {
            assert_eq!(parse_name(typed), Err(error), "{typed}");
        }
    }

    #[test]
    fn t55_a_name_holds_no_direction_controls_and_no_invisible_marks() {
        for mark in [
            '\u{202a}',
            '\u{202e}',
            '\u{2066}',
            '\u{2069}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{61c}',
            '\u{ad}',
            '\u{2060}',
            '\u{feff}',
            '\u{34f}',
            '\u{fe0f}',
            '\u{3164}',
            '\u{2800}',
            '\u{e0041}',
            '\u{e000}',
            '\u{7f}',
        ] {
            for name in
                [format!("An{mark}na"), format!("{mark}Anna"), format!("Anna{mark}"), mark.to_string()]
            {
                assert_eq!(parse_name(&name), Err(NameError::HiddenMarks), "{name:?}");
            }
        }
    }
}
