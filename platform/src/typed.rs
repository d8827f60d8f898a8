//! What people type or paste, cleaned. Phones put invisible marks around copied text, keyboards of other languages
//! have other digits, and there are many dashes and spaces: none of them is a mistake of the person.

use unicode_normalization::UnicodeNormalization as _;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// No field of one line holds more characters; what comes after them is not looked at.
const LONGEST: usize = 1000;

/// Cleans what was typed into a field of one line that a program reads: a phone number, an address, a user name, a date, a
/// code of any kind, a password that we made. Invisible marks go, spaces of every width become one space, dashes a hyphen,
/// digits of every script and letters of full width the ones of ASCII (NFKC). What is left is as it was typed.
pub fn plain(typed: &str) -> String {
    let shaped = typed.chars().take(LONGEST).nfkc().filter(|c| !is_selector(*c)).map(|c| {
        let digit = if c.is_ascii() { None } else { digit(c) };
        digit.unwrap_or(if is_dash(c) { '-' } else { c })
    });
    one_line(shaped)
}

/// Cleans one line that people read: a title, a reason, a search. Its letters and signs stay as they are; marks that nobody
/// sees, or that turn the direction of what follows, go.
pub fn line(typed: &str) -> String {
    one_line(typed.chars().take(LONGEST))
}

/// The letters, digits and other signs that stand in a cleaned code, without what people put between them.
pub fn code(typed: &str) -> String {
    plain(typed).chars().filter(|c| !matches!(c, ' ' | '-' | '.' | ',' | '/' | ':' | '_')).collect()
}

/// Whether a text holds marks that nobody sees: such a name could look like another's, or turn the line it stands in.
pub fn has_hidden_marks(text: &str) -> bool {
    text.chars().any(is_hidden)
}

fn one_line(characters: impl Iterator<Item = char>) -> String {
    let mut cleaned = String::new();
    for c in characters {
        if c.is_whitespace() {
            if !cleaned.is_empty() && !cleaned.ends_with(' ') {
                cleaned.push(' ');
            }
        } else if !is_control(c) {
            cleaned.push(c);
        }
    }
    cleaned.truncate(cleaned.trim_end().len());
    cleaned
}

/// Whether a character is one of those marks.
pub fn is_hidden(c: char) -> bool {
    is_control(c) || is_selector(c) || is_blank(c)
}

/// Controls of the terminal and of the writing direction, joiners and other marks without a shape of their own.
fn is_control(c: char) -> bool {
    matches!(
        c.general_category(),
        GeneralCategory::Control | GeneralCategory::Format | GeneralCategory::PrivateUse
    )
}

/// Marks that choose the shape of the letter before them: of no use in what a program reads.
fn is_selector(c: char) -> bool {
    matches!(c, '\u{34f}' | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Letters and signs by their category that are drawn as nothing.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{ffa0}'
    )
}

/// The minus sign and the hyphen bullet are none by their category, and are typed for one.
fn is_dash(c: char) -> bool {
    c.general_category() == GeneralCategory::DashPunctuation
        || matches!(c, '\u{2212}' | '\u{2043}' | '\u{2d7}')
}

/// The ASCII digit that stands for a decimal digit of another script. The ten of a script stand in a row, zero first
/// (Unicode Standard section 4.6); two such rows touch at most, once NFKC has shaped those of mathematics.
fn digit(c: char) -> Option<char> {
    let is_digit = |c: char| c.general_category() == GeneralCategory::DecimalNumber;
    if !is_digit(c) {
        return None;
    }
    let before = |n: u32| u32::from(c).checked_sub(n).and_then(char::from_u32).is_some_and(is_digit);
    let value = (1..20).take_while(|n| before(*n)).count();
    char::from_digit(u32::try_from(value).ok()? % 10, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_phones_and_keyboards_add_is_taken_away() {
        for (typed, cleaned) in [
            ("\u{202a}06-12345678\u{202c}", "06-12345678"),
            ("\u{200e}anna@example.nl\u{200b}", "anna@example.nl"),
            ("\u{2066}1\u{ad}2\u{2060}3\u{feff}4\u{2069}", "1234"),
            ("\u{660}\u{666}\u{661}", "061"),
            ("\u{6f0}\u{6f9} \u{966}\u{96f} \u{ff10}\u{ff19} \u{1d7d8}\u{1d7e1}", "09 09 09 09"),
            (
                "1\u{2010}2\u{2011}3\u{2012}4\u{2013}5\u{2014}6\u{2212}7\u{fe63}8\u{ff0d}9",
                "1-2-3-4-5-6-7-8-9",
            ),
            ("\u{3000}a\u{a0}\u{2009}b\tc\r\nd\u{2028}", "a b c d"),
            ("a\u{7}b\u{0}", "ab"),
            ("anna\u{ff20}example\u{ff0e}nl", "anna@example.nl"),
            ("\u{ff21}\u{fe0f}B", "AB"),
            ("\u{1f600} ok", "\u{1f600} ok"),
            ("", ""),
            (" \u{200b} ", ""),
        ] {
            assert_eq!(plain(typed), cleaned, "{typed:?}");
            assert_eq!(plain(&plain(typed)), cleaned, "cleaning twice changes nothing: {typed:?}");
        }
        assert!(
            plain(&"\u{fdfa}".repeat(100_000)).chars().count() < 20_000,
            "long texts are not read to their end"
        );
    }

    #[test]
    fn every_digit_of_every_script_is_the_one_it_stands_for() {
        let rows = (0..0x0011_0000)
            .filter_map(char::from_u32)
            .filter(|c| c.to_digit(10).is_none() && digit(*c).is_some());
        let rows: Vec<char> = rows.filter(|c| !('\u{1d7ce}'..='\u{1d7ff}').contains(c)).collect();
        assert!(rows.len() > 500);
        for row in rows.chunks(10) {
            let row: String = row.iter().collect();
            assert_eq!(plain(&row), "0123456789", "{row}");
        }
    }

    #[test]
    fn lines_and_codes() {
        assert_eq!(line(" \u{202e}Kapper \u{2013} 10\u{bd} uur \u{200f}"), "Kapper \u{2013} 10\u{bd} uur");
        assert_eq!(code("\u{200e}AB\u{2011}cd 12.34\u{a0}"), "ABcd1234");
    }

    #[test]
    fn hidden_marks_are_found() {
        for text in [
            "a\u{200b}",
            "\u{202e}a",
            "a\u{2066}b",
            "a\u{ad}b",
            "a\u{e0041}",
            "a\u{fe0f}",
            "\u{3164}",
            "a\u{7f}",
        ] {
            assert!(has_hidden_marks(text), "{text:?}");
        }
        for text in [
            "Anna",
            "Vri\u{eb}s-O\u{2019}Neil",
            "\u{645}\u{62d}\u{645}\u{62f}",
            "Ng\u{75}\u{31b}\u{300}",
            "\u{1f600}",
        ] {
            assert!(!has_hidden_marks(text), "{text:?}");
        }
    }
}
