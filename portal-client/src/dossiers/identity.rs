//! Who a client is to the care organisation: BSN and date of birth, parsed at the edge, and the keyed hash
//! by which the two are recognised without being read.

use jiff::civil::Date;
use platform::clock::Timestamp;
use platform::seal::{Hasher, RootKey};
use platform::typed::{code, plain};

/// A citizen service number (burgerservicenummer) that passes the eleven-test. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Bsn(String);

impl std::fmt::Debug for Bsn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bsn(..)")
    }
}

impl Bsn {
    /// Reads what a person typed: nine digits, or the eight of an old number, with spaces, dots or dashes
    /// between them. `None` if that is not a number which the eleven-test allows.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = code(text);
        if !(8..=9).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = format!("{digits:0>9}");
        (passes_eleven_test(&digits) && digits != "000000000").then_some(Self(digits))
    }

    /// Whether a text that somebody wrote holds nine digits that are such a number. What is eight digits long, such
    /// as a date, is taken for something else.
    pub fn is_in(text: &str) -> bool {
        let text = plain(text);
        let pieces = text.split(|c: char| !(c.is_ascii_digit() || matches!(c, ' ' | '.' | '-')));
        pieces.into_iter().any(|piece| {
            let digits: Vec<char> = piece.chars().filter(char::is_ascii_digit).collect();
            digits.len() == 9 && Self::parse(piece).is_some()
                || piece.split(' ').any(|word| {
                    word.bytes().filter(u8::is_ascii_digit).count() == 9 && Self::parse(word).is_some()
                })
        })
    }

    /// The nine digits, for sealing and for the page of who typed them; nowhere else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The last three digits, for a care team that compares them with its own records.
    pub fn ending(&self) -> String {
        format!("••••••{}", &self.0[6..])
    }
}

/// The weights are 9 down to 2, and -1 for the last digit; the sum must be a multiple of eleven.
fn passes_eleven_test(digits: &str) -> bool {
    let weights = [9, 8, 7, 6, 5, 4, 3, 2, -1];
    let sum: i32 = digits.bytes().zip(weights).map(|(digit, weight)| i32::from(digit - b'0') * weight).sum();
    sum % 11 == 0
}

/// A date of birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BirthDate(Date);

impl BirthDate {
    /// Reads a date by [`parse_date`]. `None` if there is no such day, or nobody alive was born on it.
    pub fn parse(text: &str, now: Timestamp) -> Option<Self> {
        let date = parse_date(text)?;
        let today = jiff::Timestamp::from_millisecond(now.0).ok()?.in_tz("Europe/Amsterdam").ok()?.date();
        let plausible = date <= today && date.year() >= today.year() - 125;
        plausible.then_some(Self(date))
    }

    /// `1940-02-01`, as it is stored and matched.
    pub fn iso(self) -> String {
        self.0.to_string()
    }

    /// From [`BirthDate::iso`].
    pub fn from_iso(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    /// `01-02-1940`, as people write it.
    pub fn dutch(self) -> String {
        self.0.strftime("%d-%m-%Y").to_string()
    }
}

/// Reads a date as people write it: `1-2-1940`, `01-02-1940`, `01/02/1940`, `1 2 1940`, `01021940` or
/// `1940-02-01`; day first unless the year is.
pub fn parse_date(text: &str) -> Option<Date> {
    let text = plain(text);
    let parts: Vec<&str> =
        text.split(['-', '/', '.', ' ']).map(str::trim).filter(|part| !part.is_empty()).collect();
    let (year, month, day) = match parts.as_slice() {
        [year, month, day] if year.len() == 4 => (*year, *month, *day),
        [day, month, year] if year.len() == 4 => (*year, *month, *day),
        [all] if all.len() == 8 && all.is_ascii() => (&all[4..], &all[2..4], &all[..2]),
        _ => return None,
    };
    let number = |text: &str| -> Option<i16> {
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
    };
    let (month, day) = (i8::try_from(number(month)?).ok()?, i8::try_from(number(day)?).ok()?);
    Date::new(number(year)?, month, day).ok()
}

/// Makes the value by which a request and a dossier are recognised as the same client's.
#[derive(Clone, Debug)]
pub struct Matcher(Hasher);

impl Matcher {
    pub fn new(root: &RootKey) -> Self {
        Self(root.hasher("client match"))
    }

    /// A keyed hash of the three together: neither of them can be found from it without the key.
    pub fn key(&self, organisation: &str, bsn: &Bsn, birth_date: BirthDate) -> String {
        self.0.hash(&format!("{organisation}\n{}\n{}", bsn.reveal(), birth_date.iso()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_000_000_000); // November 2026

    #[test]
    fn a_bsn_passes_the_eleven_test_however_it_is_spaced() {
        for text in [
            "999990019",
            "9999 90 019",
            "9999.90.019",
            " 999990019 ",
            "\u{202a}9999\u{2011}90\u{2013}019\u{200b}",
            "٩٩٩٩٩٠٠١٩",
            "９９９９９００１９",
        ] {
            assert_eq!(Bsn::parse(text).unwrap().reveal(), "999990019", "{text}");
        }
        assert_eq!(Bsn::parse("10000008").unwrap().reveal(), "010000008", "an old number of eight digits");
    }

    #[test]
    fn what_is_no_bsn_is_refused() {
        for text in ["", "999990018", "99999001", "9999900190", "000000000", "abcdefghi", "٩٩٩٩٩٠٠١٨", "-1"]
        {
            assert!(Bsn::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn t47_a_bsn_is_found_in_a_text_and_a_date_or_telephone_number_is_none() {
        for text in [
            "BSN 999990019 klopt",
            "(9999.90.019)",
            "nr. 9999 90 019",
            "op 12-03-2026: 999990019",
            "BSN 9999\u{200b}90\u{2011}019",
            "BSN ٩٩٩٩٩٠٠١٩",
        ] {
            assert!(Bsn::is_in(text), "{text}");
        }
        for text in ["", "gebeld", "06-12345678", "op 12-03-2026 om 14.30", "999990018", "dossier 99999001"] {
            assert!(!Bsn::is_in(text), "{text}");
        }
    }

    #[test]
    fn t47_a_bsn_does_not_print() {
        let bsn = Bsn::parse("999990019").unwrap();
        assert!(!format!("{bsn:?}").contains("999990019"));
        assert_eq!(bsn.ending(), "••••••019");
    }

    #[test]
    fn a_birth_date_may_be_written_in_every_usual_way() {
        for text in [
            "01-02-1940",
            "1-2-1940",
            "1940-02-01",
            "1/2/1940",
            "1.2.1940",
            "01 02 1940",
            "01021940",
            " 1 - 2 - 1940 ",
            "\u{200e}01\u{2011}02\u{2011}1940\u{200b}",
            "01\u{2013}02\u{2212}1940",
            "01\u{2024}02\u{ff0e}1940",
            "٠١-٠٢-١٩٤٠",
            "０１０２１９４０",
        ] {
            assert_eq!(BirthDate::parse(text, NOW).unwrap().iso(), "1940-02-01", "{text}");
        }
        assert_eq!(BirthDate::from_iso("1940-02-01").unwrap().dutch(), "01-02-1940");
    }

    #[test]
    fn days_that_do_not_exist_or_cannot_be_are_refused() {
        for text in [
            "",
            "30-02-1940",
            "1-13-1940",
            "01-02-40",
            "01-02-2040",
            "01-02-1840",
            "first of May",
            "1--1940",
            "é1021940",
        ] {
            assert!(BirthDate::parse(text, NOW).is_none(), "{text}");
        }
    }

    #[test]
    fn a_match_needs_all_three() {
        let matcher = Matcher::new(&RootKey::new("0123456789abcdef0123456789abcdef").unwrap());
        let (bsn, born) = (Bsn::parse("999990019").unwrap(), BirthDate::from_iso("1940-02-01").unwrap());
        let key = matcher.key("a", &bsn, born);
        assert_eq!(key, matcher.key("a", &bsn, born));
        assert_ne!(key, matcher.key("b", &bsn, born));
        assert_ne!(key, matcher.key("a", &bsn, BirthDate::from_iso("1940-02-02").unwrap()));
    }
}
