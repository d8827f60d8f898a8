//! The dossiers of the demonstration: people who do not exist, with BSNs from the range that is never given
//! out (999990000 and up).

use serde::{Deserialize, Serialize};

use super::dossier::Dossier;
use super::identity::Bsn;
use crate::config::Organisation;

const DATA: &str = include_str!("demo.json");

#[derive(Deserialize)]
struct Entry {
    bsn: String,
    dossier: Dossier,
}

/// What `portal-client demo dossiers --json` prints, to try the portal with.
#[derive(Debug, Serialize)]
pub struct Listed {
    pub bsn: String,
    pub birth_date: String,
    pub organisation: String,
    pub client_name: String,
}

fn entries() -> Vec<Entry> {
    serde_json::from_str(DATA).expect("demo.json is part of the program; a test reads it")
}

/// The dossiers with the BSN of each.
pub fn dossiers() -> Vec<(Bsn, Dossier)> {
    entries().into_iter().filter_map(|entry| Some((Bsn::parse(&entry.bsn)?, entry.dossier))).collect()
}

/// The dossiers as somebody has to ask for them.
pub fn list() -> Vec<Listed> {
    let entries = entries().into_iter();
    entries
        .map(|entry| Listed {
            bsn: entry.bsn,
            birth_date: entry.dossier.birth_date,
            organisation: entry.dossier.organisation,
            client_name: entry.dossier.client_name,
        })
        .collect()
}

/// The two care organisations of the demonstration, for a configuration that names none.
pub fn organisations() -> Vec<Organisation> {
    vec![
        Organisation {
            id: "zonnehof".into(),
            name: "Zorggroep Zonnehof".into(),
            contact_nl: "Mail naar toegang@zonnehof.example of bel de teamleider van de locatie.".into(),
            contact_en: "Mail toegang@zonnehof.example or call the team leader of the location.".into(),
            mention_nl:
                "Noem de naam van de cliënt, de locatie, en of u eerste of tweede contactpersoon bent.".into(),
            mention_en: "Mention the client's name, the location, and whether you are the first or second \
                         contact person."
                .into(),
            duration_nl: "Meestal krijgt u binnen drie werkdagen een activatiecode.".into(),
            duration_en: "You will usually get an activation code within three working days.".into(),
        },
        Organisation {
            id: "de-linde".into(),
            name: "Thuiszorg De Linde".into(),
            contact_nl: "Bel het wijkteam op 088 - 000 00 00, op werkdagen tussen 9 en 12 uur.".into(),
            contact_en: "Call the district team on 088 - 000 00 00, on working days between 9 and 12.".into(),
            mention_nl: "Noem de naam en de woonplaats van de cliënt. Houd uw legitimatiebewijs bij de hand."
                .into(),
            mention_en: "Mention the client's name and town. Have your identity document at hand.".into(),
            duration_nl: "U krijgt de activatiecode bij het eerstvolgende bezoek, meestal binnen een week."
                .into(),
            duration_en: "You will get the activation code at the next visit, usually within a week.".into(),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::super::identity::BirthDate;
    use super::*;

    #[test]
    fn every_demonstration_client_can_be_asked_for() {
        let (listed, known) = (list(), dossiers());
        assert_eq!(listed.len(), known.len(), "a BSN of the demonstration fails the eleven-test");
        assert!(listed.len() >= 4);
        for entry in &listed {
            assert!(entry.bsn.starts_with("99999"), "only numbers that nobody has");
            assert!(BirthDate::from_iso(&entry.birth_date).is_some());
            assert!(organisations().iter().any(|organisation| organisation.id == entry.organisation));
        }
    }
}
