//! Why somebody of the care team did something to an account: kept in the audit log, and read by the account's holder.

use platform::typed::line;

/// The longest reason; it is a line, not a report.
const MAX_CHARACTERS: usize = 200;
/// So many digits in a row are a number of a person: a phone, a date of birth with more, a citizen's number.
const MAX_DIGITS: usize = 6;

/// A reason as it may be kept in plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

/// Why a text is no reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReasonError {
    #[error("there is no reason")]
    Missing,
    #[error("it is too long")]
    TooLong,
    #[error("it holds a number that may be somebody's")]
    Number,
}

impl Reason {
    /// Reads a reason as typed. One with a long number is refused: such numbers never stand unsealed.
    ///
    /// # Errors
    /// [`ReasonError`]
    pub fn parse(typed: &str) -> Result<Self, ReasonError> {
        let text = line(typed);
        if text.chars().filter(|c| c.is_alphabetic()).count() < 3 {
            return Err(ReasonError::Missing);
        }
        if text.chars().count() > MAX_CHARACTERS {
            return Err(ReasonError::TooLong);
        }
        if longest_number(&text) > MAX_DIGITS {
            return Err(ReasonError::Number);
        }
        Ok(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How many digits stand in a row at most, whatever signs people put between them.
fn longest_number(text: &str) -> usize {
    let (mut longest, mut current) = (0, 0);
    for c in text.chars() {
        if c.is_numeric() {
            current += 1;
        } else if c.is_alphabetic() {
            current = 0;
        }
        longest = longest.max(current);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_line_of_words() {
        let reason = Reason::parse("  Gebeld met de dochter,\n kamer 12 ").unwrap();
        assert_eq!(reason.as_str(), "Gebeld met de dochter, kamer 12");
        assert!(Reason::parse("op 22-11 gebeld").is_ok());
        for (typed, error) in [
            ("", ReasonError::Missing),
            (" . ", ReasonError::Missing),
            ("12", ReasonError::Missing),
            (&"lang ".repeat(60), ReasonError::TooLong),
            ("nieuw nummer 0612345678", ReasonError::Number),
            ("nieuw nummer 06-12 34.56 78", ReasonError::Number),
            ("nummer 999990019 gezien", ReasonError::Number),
            ("nummer 999\u{200b}99\u{202c}0019 gezien", ReasonError::Number),
            ("nummer \u{669}\u{669}\u{669}\u{669}\u{669}\u{660}\u{660}\u{661}\u{669}", ReasonError::Number),
        ] {
            assert_eq!(Reason::parse(typed), Err(error), "{typed}");
        }
    }
}
