//! A family's own appointments: notes with a date, a time and a title in them.

use platform::typed::plain;
use serde::{Deserialize, Serialize};

use crate::dossiers::identity::parse_date;
use crate::dossiers::notes::Note;

/// A family's own appointment.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PersonalAppointment {
    pub id: String,
    /// `23-11-2026`
    pub on: String,
    /// `2026-11-23`
    pub date: String,
    pub time: String,
    pub title: String,
    pub author: String,
}

/// As it stands in the note.
#[derive(Serialize, Deserialize)]
pub(crate) struct Stored {
    pub date: String,
    pub time: String,
    pub title: String,
}

impl PersonalAppointment {
    /// From the note that it is kept in.
    pub(crate) fn read(note: &Note) -> Option<Self> {
        let stored: Stored = serde_json::from_str(&note.body).ok()?;
        let on = parse_date(&stored.date)?.strftime("%d-%m-%Y").to_string();
        let (id, author) = (note.id.clone(), note.author.clone());
        Some(Self { id, on, date: stored.date, time: stored.time, title: stored.title, author })
    }
}

/// `9:30`, `09.30` or `9 uur` as `09:30`.
pub(crate) fn clock_time(text: &str) -> Option<String> {
    let text = plain(text);
    let text = text.trim_end_matches("uur").trim();
    let (hour, minute) = text.split_once([':', '.']).unwrap_or((text, "0"));
    let (hour, minute): (u8, u8) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then(|| format!("{hour:02}:{minute:02}"))
}

#[cfg(test)]
mod tests {
    use super::clock_time;

    #[test]
    fn a_time_may_be_written_in_every_usual_way() {
        for (text, time) in [
            ("9:30", "09:30"),
            ("09.30", "09:30"),
            ("14", "14:00"),
            ("9 uur", "09:00"),
            ("\u{200e}\u{669}:\u{663}\u{660}", "09:30"),
        ] {
            assert_eq!(clock_time(text).as_deref(), Some(time));
        }
        for text in ["", "25:00", "9:61", "half tien", "-1:00"] {
            assert_eq!(clock_time(text), None, "{text}");
        }
    }
}
