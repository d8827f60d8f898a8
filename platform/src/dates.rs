//! Days and moments in words: what people read is '22 november 2026', whatever order they write figures in.

use crate::language::Language;

/// `22-11-2026` or `22-11-2026 19:04` (as [`crate::clock::Timestamp::local_text`] has it) in words; any other text as
/// it is.
pub fn in_words(local: &str, language: Language) -> String {
    words(local, language).unwrap_or_else(|| local.to_owned())
}

fn words(local: &str, language: Language) -> Option<String> {
    let (date, time) = local.split_once(' ').map_or((local, None), |(date, time)| (date, Some(time)));
    let [day, month, year] = date.splitn(3, '-').collect::<Vec<_>>()[..] else { return None };
    let (day, month): (u8, u8) = (day.parse().ok()?, month.parse().ok()?);
    let is_date = (1..=31).contains(&day) && (1..=12).contains(&month) && year.len() == 4;
    let year: u16 = year.parse().ok().filter(|_| is_date)?;
    let values = [("day", day.to_string()), ("month", month.to_string()), ("year", year.to_string())];
    let date = language.text("date-in-words", &values)?;
    match time {
        Some(time) => language.text("time-in-words", &[("date", date), ("time", time.to_owned())]),
        None => Some(date),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_words_in_both_languages_and_other_texts_stay() {
        for (text, nl, en) in [
            ("22-11-2026", "22 november 2026", "22 November 2026"),
            ("01-02-1940", "1 februari 1940", "1 February 1940"),
            ("22-11-2026 09:04", "22 november 2026 om 09:04", "22 November 2026 at 09:04"),
            ("31-12-2026", "31 december 2026", "31 December 2026"),
        ] {
            assert_eq!(in_words(text, Language::Nl), nl);
            assert_eq!(in_words(text, Language::En), en);
        }
        for text in ["", "nooit", "22-13-2026", "2026-11-22", "1-2", "a-b-c", "22-11-26"] {
            assert_eq!(in_words(text, Language::Nl), text);
        }
    }
}
