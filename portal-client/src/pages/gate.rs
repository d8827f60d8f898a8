//! The gate to a dossier: the server decides by link and level who may do what in which section, and writes down who came
//! before anything is shown.

use platform::db::Write;

use crate::access_log::{Look, Outcome};
use crate::app::App;
use crate::dossiers::{Dossier, Section};
use crate::http::error::AppError;
use crate::http::paths;
use crate::links::{Act, Link, allows};
use crate::session::Session;

/// Somebody who may do this in this section.
pub struct Access<'a> {
    pub link: Link,
    pub dossier: &'a Dossier,
    section: Section,
}

impl Access<'_> {
    /// Writes down, in the transaction that does it, that somebody wrote.
    pub async fn written(&self, app: &App, write: &mut Write, session: &Session) -> Result<(), sqlx::Error> {
        let look = Look {
            person: &session.person,
            relation: Some(self.link.relation.word()),
            link: &self.link.id,
            organisation: &self.dossier.organisation,
            dossier: &self.dossier.id,
            section: self.section,
            act: Act::Write,
            outcome: Outcome::Allowed,
        };
        app.access_log.add_to(write, &app.random.id(), look, app.clock.now()).await
    }
}

/// The longest name of a dossier that is written down.
const LONGEST_NAME: usize = 64;

/// Whether somebody may do this in this section of this dossier, now. Written down at once (T44), but for a write
/// that is allowed: that is for [`Access::written`].
///
/// # Errors
/// [`AppError::Refused`], the same and with the same work for a hidden section, another's dossier and one that does
/// not exist.
pub(crate) async fn enter<'a>(
    app: &'a App,
    session: &Session,
    name: &str,
    section: Section,
    act: Act,
) -> Result<Access<'a>, AppError> {
    if !paths::is_identifier(name) || name.len() > LONGEST_NAME {
        return Err(AppError::Refused);
    }
    let link = app.links.opening(name, &session.person).await?;
    let dossier = app.dossiers.get(name);
    let entered = link.clone().zip(dossier).map(|(link, dossier)| Access { link, dossier, section });
    let entered = entered.filter(|entered| {
        let Link { relation, level, .. } = entered.link;
        allows(relation, level, section, act)
    });
    if entered.is_none() || act == Act::Read {
        let look = Look {
            person: &session.person,
            relation: link.as_ref().map(|link| link.relation.word()),
            link: link.as_ref().map_or("", |link| link.id.as_str()),
            organisation: dossier.map_or("", |dossier| dossier.organisation.as_str()),
            dossier: name,
            section,
            act,
            outcome: if entered.is_some() { Outcome::Allowed } else { Outcome::Refused },
        };
        app.access_log.add(&app.random.id(), look, app.clock.now()).await?;
    }
    entered.ok_or(AppError::Refused)
}
