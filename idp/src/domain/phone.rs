//! Dutch mobile phone numbers, to which one-time codes go.
//!
//! The numbering plan is that of Google's libphonenumber, through the crate `rlibphonenumber`: of the two Rust
//! ports it is the one whose metadata follows upstream (9.0.42 against 9.0.33 of `phonenumber` at the time of
//! writing) and that parses without a regular expression a country. The narrower rule is ours: libphonenumber
//! counts 097 (machine to machine) as mobile, and no person reads an SMS there.

use platform::typed::plain;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType, Region};

/// The longest text that anybody types for a phone number.
const MAX_TYPED: usize = 40;

/// A Dutch mobile number. Never printed: neither by `Debug` nor by `Display`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

/// Why a text is not a Dutch mobile number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    #[error("it is not a phone number")]
    Nonsense,
    #[error("it is a number of another country")]
    Foreign,
    #[error("it is a Dutch number, but not a mobile one")]
    NotMobile,
}

impl std::fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PhoneNumber(..)")
    }
}

impl PhoneNumber {
    /// Reads a number as people write it: `06-12345678`, `+31 6 12345678`, `0031612345678`, with the usual signs
    /// between its digits.
    ///
    /// # Errors
    /// [`PhoneError`] for everything that is not a Dutch mobile number.
    pub fn parse(typed: &str) -> Result<Self, PhoneError> {
        let digits = digits(typed).ok_or(PhoneError::Nonsense)?;
        let number = PHONE_NUMBER_UTIL.parse(&digits, Some(Region::NL)).map_err(|_| PhoneError::Nonsense)?;
        if number.country_code != 31 {
            return Err(if number.is_valid() { PhoneError::Foreign } else { PhoneError::Nonsense });
        }
        if !number.is_valid() {
            return Err(PhoneError::Nonsense);
        }
        let e164 = number.format_as(PhoneNumberFormat::E164);
        if number.get_type() != PhoneNumberType::Mobile || !e164.starts_with("+316") {
            return Err(PhoneError::NotMobile);
        }
        Ok(Self(e164.into_owned()))
    }

    /// The form of ITU-T E.164: `+31612345678`.
    pub fn e164(&self) -> &str {
        &self.0
    }

    /// What its owner recognises and nobody else can use: `06 •••• ••78`.
    pub fn masked(&self) -> String {
        // A parsed number is ASCII and twelve characters long.
        format!("06 •••• ••{}", &self.0[self.0.len() - 2..])
    }
}

/// The digits, with a plus in front if one was typed there. libphonenumber would also read letters
/// (0800-VOORDEUR) and extensions; people who type their own number do not use them.
fn digits(typed: &str) -> Option<String> {
    let typed = plain(typed);
    let sign = |c: char| " -./()[]\u{b7}".contains(c);
    let start = typed.trim_start_matches(sign);
    let (plus, rest) = start.strip_prefix('+').map_or(("", start), |rest| ("+", rest));
    let known = typed.len() <= MAX_TYPED && rest.chars().all(|c| c.is_ascii_digit() || sign(c));
    known.then(|| plus.chars().chain(rest.chars().filter(char::is_ascii_digit)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dutch_mobile_number_is_one_number_however_it_is_written() {
        let written = [
            "06-12345678",
            "0612345678",
            "+31 6 12345678",
            "0031612345678",
            "06 12 34 56 78",
            "06 1234 5678",
            "+31612345678",
            "+31 (0)6 12345678",
            "+31-6-12345678",
            "0031 6 12 34 56 78",
            " 0612345678 ",
            "06.12.34.56.78",
            "06/12345678",
            "(06) 12345678",
            "06\u{a0}12345678",
            "06\u{2013}12345678",
            "06\t12345678",
            "(+31) 6 12345678",
            "(+31)612345678",
            "(+31) (0)6 12345678",
            "+31 (0) 6 12 34 56 78",
            "+31(0)612345678",
            "0031 (0)6 12345678",
            "(0031) 6 12345678",
            "[06] 12345678",
            "06\u{b7}12345678",
            "\u{202a}06-12345678\u{202c}",
            "\u{200e}+31 6\u{200b}12345678",
            "\u{2066}\u{ff0b}31\u{2069} 6 12345678",
            "06\u{2212}12345678",
            "06\u{2014}12\u{202f}34\u{2009}56\u{3000}78",
            "٠٦١٢٣٤٥٦٧٨",
            "۰۶-۱۲۳۴۵۶۷۸",
            "０６１２３４５６７８",
            "०६१२३४५६७८",
        ];
        for typed in written {
            assert_eq!(
                PhoneNumber::parse(typed).map(|number| number.e164().to_owned()),
                Ok("+31612345678".to_owned()),
                "{typed}"
            );
        }
        for mobile in ["0611111111", "0620000000", "0638888888", "0643333333", "0651234567", "0681234567"] {
            assert!(PhoneNumber::parse(mobile).is_ok(), "{mobile}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        use PhoneError::{Foreign, Nonsense, NotMobile};
        let cases = [
            ("030-2345678", NotMobile),
            ("+31 20 624 1111", NotMobile),
            ("0101234567", NotMobile),
            ("097012345678", NotMobile),
            ("+3197012345678", NotMobile),
            ("0662345678", NotMobile),
            ("085-1234567", NotMobile),
            ("088-1234567", NotMobile),
            ("091-1234567", NotMobile),
            ("0800-1234", NotMobile),
            ("0900-8844", NotMobile),
            ("14030", NotMobile),
            ("112", Nonsense),
            ("+32 470 12 34 56", Foreign),
            ("0032470123456", Foreign),
            ("+49 1512 3456789", Foreign),
            ("+1 202 555 0123", Foreign),
            ("+44 7911 123456", Foreign),
            ("", Nonsense),
            ("   ", Nonsense),
            ("06", Nonsense),
            ("061234567", Nonsense),
            ("06123456789", Nonsense),
            ("0690123456", Nonsense),
            ("+999 12345678", Nonsense),
            ("0612345678 ext 5", Nonsense),
            ("06-ABCDEFGH", Nonsense),
            ("niet mijn nummer", Nonsense),
            ("٠٢٠١٢٣٤٥٦٧", NotMobile),
            ("\u{202a}\u{202c}", Nonsense),
            ("06\u{2460}2345678 9", Nonsense),
            ("(+31 6) +12345678", Nonsense),
            ("<script>0612345678</script>", Nonsense),
            ("tel:+31612345678", Nonsense),
            ("++31612345678", Nonsense),
            ("06+12345678", Nonsense),
            ("+", Nonsense),
        ];
        let mut wrong = Vec::new();
        for (typed, expected) in cases {
            let got = PhoneNumber::parse(typed).map(|number| number.e164().to_owned());
            if got != Err(expected) {
                wrong.push((typed, expected, got));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(PhoneNumber::parse(&"0".repeat(100_000)), Err(Nonsense));
    }

    #[test]
    fn it_is_shown_masked_only() {
        let number = PhoneNumber::parse("0612345678").unwrap();
        assert_eq!(number.masked(), "06 •••• ••78");
        assert!(!format!("{number:?}").contains("5678"));
    }
}
