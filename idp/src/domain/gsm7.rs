//! The alphabet of text messages (3GPP TS 23.038 section 6.2.1). A text in it fits one message up to 160 characters; with
//! any other character in it only 70 do, and the rest is a second message, paid for and sometimes late.

use unicode_normalization::UnicodeNormalization as _;

/// Characters of one message.
pub const SEGMENT: usize = 160;

const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
                     ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Each takes the place of two.
const EXTENDED: &str = "^{}\\[~]|€";

/// How many characters of a message a text takes; `None` if it is not in this alphabet.
pub fn length(text: &str) -> Option<usize> {
    text.chars()
        .map(|letter| match letter {
            _ if BASIC.contains(letter) => Some(1),
            _ if EXTENDED.contains(letter) => Some(2),
            _ => None,
        })
        .sum()
}

/// The text in this alphabet: letters lose a mark that is not in it, and what has no place at all is left out.
pub fn fold(text: &str) -> String {
    text.nfc().map(fold_letter).collect()
}

fn fold_letter(letter: char) -> String {
    if BASIC.contains(letter) || EXTENDED.contains(letter) {
        return letter.into();
    }
    match letter {
        '\u{2018}' | '\u{2019}' | '`' | '\u{b4}' => "'".into(),
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}' => "\"".into(),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => "-".into(),
        '\u{2026}' => "...".into(),
        _ if letter.is_whitespace() => " ".into(),
        _ => letter.nfd().filter(|part| BASIC.contains(*part)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_as_long_as_its_characters_take() {
        assert_eq!(length("Uw code is 123456\n\n@login.example.nl #123456"), Some(44));
        assert_eq!(length("é€"), Some(3));
        for other in ["ë", "’", "\u{200b}", "😀"] {
            assert_eq!(length(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_not_in_the_alphabet_is_written_in_it() {
        assert_eq!(fold("Cliëntportaal ’s Heeren Loo – Zuid…"), "Clientportaal 's Heeren Loo - Zuid...");
        assert_eq!(fold("Cafe\u{301} Ñandú"), "Café Ñandu");
        assert_eq!(fold("a\u{a0}b\u{200b}\u{202e}😀c"), "a bc");
        assert_eq!(length(&fold("ŁÍÔçÿ\u{feff}")).map(|length| length > 0), Some(true));
    }
}
