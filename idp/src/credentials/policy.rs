//! The rule a new password must meet: long enough, not common, not about its owner, hard to guess. Spaces,
//! letters of any alphabet and emoji are welcome (NIST SP 800-63B-4 section 3.1.1.2).

use std::collections::HashSet;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization as _;

use crate::config::PasswordRules;

/// The longest password that is accepted, in characters.
pub const MAX_LENGTH: usize = 128;

/// How much of a password the strength estimate reads; its cost grows with the cube of it.
const ESTIMATED: usize = 100;

/// Names shorter than this occur in too many words to be refused.
const TELLING: usize = 4;

static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("common_passwords.txt").lines();
    lines.filter(|line| !line.starts_with('#') && !line.is_empty()).collect()
});

/// What a page says of these rules besides the length: text keys.
pub fn shown(rules: &PasswordRules) -> Vec<&'static str> {
    if rules.require_classes { vec!["password-rule-classes"] } else { Vec::new() }
}

/// Why a new password is refused: the key of the sentence that says so, and the length it may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordProblem {
    pub key: &'static str,
    /// The fewest characters; for `password-too-long`, the most.
    pub min: usize,
}

/// Checks a new password against the rules. `personal` is what others know of its owner: e-mail address, user
/// name, names.
///
/// # Errors
/// The first rule that is broken, in the order in which people understand them.
pub fn check(password: &str, rules: &PasswordRules, personal: &[&str]) -> Result<(), PasswordProblem> {
    let problem = |key| Err(PasswordProblem { key, min: rules.min_length });
    // Each code point counts as one character, in the form in which it is hashed.
    let password: String = password.nfc().collect();
    let length = password.chars().count();
    if password.is_empty() {
        return problem("password-choose");
    }
    if length < rules.min_length {
        return problem("password-too-short");
    }
    if length > MAX_LENGTH {
        return Err(PasswordProblem { key: "password-too-long", min: MAX_LENGTH });
    }
    if rules.require_classes && !has_classes(&password) {
        return problem("password-classes");
    }
    let lower = password.to_lowercase();
    if is_common(&lower) {
        return problem("password-common");
    }
    let personal = telling(personal);
    if personal.iter().any(|name| lower.contains(name.as_str())) {
        return problem("password-contains-you");
    }
    let estimated: String = password.chars().take(ESTIMATED).collect();
    let known: Vec<&str> = personal.iter().map(String::as_str).collect();
    if u8::from(zxcvbn::zxcvbn(&estimated, &known).score()) < rules.min_strength {
        return problem("password-weak");
    }
    Ok(())
}

/// An upper-case letter, a lower-case letter and something that is no letter.
fn has_classes(password: &str) -> bool {
    let has = |class: fn(char) -> bool| password.chars().any(class);
    has(char::is_uppercase) && has(char::is_lowercase) && has(|c| !c.is_alphabetic())
}

/// Whether it is on the list: as it is, without the digits and signs at its ends, and with the usual
/// look-alikes read as letters.
fn is_common(lower: &str) -> bool {
    let letters = lower.trim_matches(|c: char| !c.is_alphabetic());
    [lower, letters].into_iter().any(|text| COMMON.contains(text) || COMMON.contains(plain(text).as_str()))
        || COMMON.contains(plain(lower.trim_end_matches(|c: char| !c.is_alphabetic())).as_str())
}

fn plain(text: &str) -> String {
    let letter = |c| match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    text.chars().filter(|c| !c.is_whitespace()).map(letter).collect()
}

/// The parts of what is known that give somebody away: an address up to its @, each word of a name.
fn telling(personal: &[&str]) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for known in personal {
        let known = known.nfc().collect::<String>().to_lowercase();
        let known = known.split('@').next().unwrap_or_default();
        parts.push(known.to_owned());
        parts.extend(known.split(|c: char| !c.is_alphanumeric()).map(str::to_owned));
    }
    parts.retain(|part| part.chars().count() >= TELLING);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERSONAL: &[&str] = &["h.jansen@voorbeeld.nl", "Hendrika", "van den Broek-Ouwerkerk", "Ed"];

    fn problem(password: &str, rules: &PasswordRules) -> Option<&'static str> {
        check(password, rules, PERSONAL).err().map(|problem| problem.key)
    }

    #[test]
    fn passwords_are_refused_with_the_reason() {
        let rules = PasswordRules::default();
        let cases = [
            ("", "password-choose"),
            ("kort", "password-too-short"),
            ("elf tekens!", "password-too-short"),
            ("ëëëëëëëëëëë", "password-too-short"),
            ("Welkom123456", "password-common"),
            ("WELKOM!!!!!!", "password-common"),
            ("W3lk0m202612", "password-common"),
            ("2026Wachtwoord!", "password-common"),
            ("welkom welkom", "password-common"),
            ("wachtwoordwachtwoord", "password-common"),
            ("correcthorsebatterystaple", "password-common"),
            ("123456789012", "password-common"),
            ("1q2w3e4r5t6y", "password-common"),
            ("P@ssw0rd2026", "password-common"),
            ("Zomer2026!!!", "password-common"),
            ("mijn kat heet Hendrika", "password-contains-you"),
            ("ouwerkerk kookt graag soep", "password-contains-you"),
            ("de fiets van jansen is rood", "password-contains-you"),
            ("aaaaaaaaaaaaaaaa", "password-weak"),
            ("abcabcabcabcabc", "password-weak"),
            ("20202020202020", "password-weak"),
        ];
        for (password, key) in cases {
            assert_eq!(problem(password, &rules), Some(key), "{password}");
        }
        assert_eq!(check("kort", &rules, &[]).unwrap_err().min, 12);
    }

    #[test]
    fn long_passwords_spaces_dots_and_emoji_are_welcome() {
        let rules = PasswordRules::default();
        let sentence = "de zeën 🌊 zijn vandaag bijzonder rustig, zei zij tegen haar broer";
        let exactly = "Wq7 ".repeat(32);
        for password in ["paars gordijn fietst", "xK9#mQ2$vL5p", "zeeën 🌊 klotsen", sentence, &exactly] {
            assert_eq!(
                problem(password, &PasswordRules { min_strength: 0, ..rules.clone() }),
                None,
                "{password}"
            );
        }
        for password in ["paars gordijn fietst", "xK9#mQ2$vL5p", "zeeën 🌊 klotsen", sentence] {
            assert_eq!(problem(password, &rules), None, "{password}");
        }
        let refused = check(&format!("{exactly}x"), &rules, PERSONAL).unwrap_err();
        assert_eq!(refused, PasswordProblem { key: "password-too-long", min: 128 });
    }

    #[test]
    fn a_short_name_is_in_too_many_words() {
        assert_eq!(problem("bedoeling gordijn fietst", &PasswordRules::default()), None);
    }

    #[test]
    fn classes_are_asked_only_where_a_portal_has_them() {
        let classes = PasswordRules {
            min_length: 8,
            min_strength: 0,
            require_classes: true,
            ..PasswordRules::default()
        };
        for password in ["gordijntje", "GORDIJNTJE", "Gordijntje", "gordijn12", "1234567890"] {
            assert_eq!(problem(password, &classes), Some("password-classes"), "{password}");
        }
        for password in ["Gordijn1", "gordijN fietst", "Ëgordijn-"] {
            assert_eq!(problem(password, &classes), None, "{password}");
        }
    }

    #[test]
    fn the_worst_input_is_still_quick() {
        let start = std::time::Instant::now();
        let _ = check(&"a1".repeat(64), &PasswordRules::default(), PERSONAL);
        let _ = check(&"qwertyuiopasdfghjklzxcvbnm".repeat(4), &PasswordRules::default(), PERSONAL);
        let _ = check(&"x".repeat(1_000_000), &PasswordRules::default(), PERSONAL);
        assert!(start.elapsed() < std::time::Duration::from_secs(2), "{:?}", start.elapsed());
    }

    #[test]
    fn the_list_is_as_the_comparison_expects_it() {
        assert!(COMMON.len() > 400);
        assert!(COMMON.iter().filter(|word| word.chars().count() >= 12).count() > 60);
        assert!(
            COMMON.iter().all(|word| word.to_lowercase() == **word && !word.contains(char::is_whitespace))
        );
    }
}
