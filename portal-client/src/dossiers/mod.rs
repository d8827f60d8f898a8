//! The dossiers themselves: who the clients are, what stands in each section, and what people wrote in them
//! through the portal. Who may see what is decided in `links`.

pub mod demo;
mod dossier;
pub mod identity;
pub mod notes;
pub mod section;

pub use dossier::Dossier;
use identity::Matcher;
pub use section::Section;

/// Where dossiers come from. Today that is the embedded demonstration or nothing; a source over FHIR R4
/// takes its place beside it here.
#[derive(Clone, Debug, Default)]
pub struct Dossiers {
    known: Vec<(String, Dossier)>,
}

impl Dossiers {
    /// The people of the demonstration.
    pub fn demo(matcher: &Matcher) -> Self {
        let known = demo::dossiers()
            .into_iter()
            .filter_map(|(bsn, dossier)| {
                let born = identity::BirthDate::from_iso(&dossier.birth_date)?;
                Some((matcher.key(&dossier.organisation, &bsn, born), dossier))
            })
            .collect();
        Self { known }
    }

    /// The dossier with this identifier.
    pub fn get(&self, id: &str) -> Option<&Dossier> {
        self.known.iter().map(|(_, dossier)| dossier).find(|dossier| dossier.id == id)
    }

    /// The dossier of the client that a request named, by [`Matcher::key`]. Only a care team's page asks
    /// this: the person who requests must not learn it.
    pub fn matching(&self, key: &str) -> Option<&Dossier> {
        self.known.iter().find(|(known, _)| platform::seal::same(known, key)).map(|(_, dossier)| dossier)
    }
}
