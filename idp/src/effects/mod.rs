//! What a change to an account ends, tells and writes down: one table, and one function that carries it out within a unit of
//! work.

pub mod sessions;
pub mod table;
#[cfg(test)]
mod tests;

use platform::db::Write;

use crate::app::notices::{Mail, greeting};
use crate::app::{App, ServiceError};
use crate::domain::account::{Account, EmailAddress};
use crate::verification::invitations::By;
use sessions::end_session_by;
pub use table::Change;
use table::{Ends, Row, Tells};

/// A change, with what its consequences need to know.
pub struct Consequences<'a> {
    pub change: Change,
    /// As it was before.
    pub account: &'a Account,
    /// Who did it, and why, if it was not the holder.
    pub by: Option<By<'a>>,
    /// The portal in whose sign-in it happens.
    pub client_id: Option<&'a str>,
    /// The session of this account that ends, or the one that goes on where the others end.
    pub session: Option<&'a str>,
    /// The one device that is forgotten.
    pub device: Option<&'a str>,
    /// The address that it has from now, if somebody may be told there.
    pub new_email: Option<&'a EmailAddress>,
    /// Something ends with it that is kept apart from this unit of work.
    pub ends_elsewhere: bool,
    /// For the line of the audit log, where there is no reason of somebody else's.
    pub detail: &'a str,
    /// Where it happens, in words.
    pub browser: &'a str,
}

impl<'a> Consequences<'a> {
    /// Those of what its holder does to an account.
    pub fn of(change: Change, account: &'a Account) -> Self {
        Self {
            change,
            account,
            by: None,
            client_id: None,
            session: None,
            device: None,
            new_email: None,
            ends_elsewhere: false,
            detail: "",
            browser: "",
        }
    }

    /// Carries them out within a unit of work; true unless the change was nothing but an end of what was not there.
    ///
    /// # Errors
    /// A backend's, or a template's: nothing of the unit may be kept then.
    pub async fn carry_out(&self, app: &App, write: &mut Write) -> Result<bool, ServiceError> {
        let Row { event, ends, tells } = self.change.row();
        let mut has_ended = self.ends_elsewhere;
        for end in ends {
            has_ended |= self.end(app, write, *end).await?;
        }
        if self.change.is_only_an_end() && !has_ended {
            return Ok(false);
        }
        let detail = self.by.map_or(self.detail, |by| by.reason.as_str());
        let actor = self.by.map(|by| by.actor);
        app.store.note_by(write, actor, event, &self.account.id, self.client_id, detail);
        for tell in tells {
            self.tell(app, write, *tell).await?;
        }
        Ok(true)
    }

    /// Ends one kind of thing; whether there was any.
    async fn end(&self, app: &App, write: &mut Write, end: Ends) -> Result<bool, ServiceError> {
        let id = &self.account.id;
        let actor = self.by.map(|by| by.actor);
        Ok(match (end, self.session) {
            (Ends::Sessions, Some(named)) => end_session_by(app, write, named, actor).await?,
            (Ends::Sessions | Ends::OtherSessions, goes_on) => {
                let mut any = false;
                for session in app.store.sessions_in(write, id).await? {
                    if goes_on != Some(session.id.as_str()) {
                        any |= end_session_by(app, write, &session.id, actor).await?;
                    }
                }
                any
            }
            (Ends::Devices, _) => app.store.forget_devices(write, id, self.device).await? > 0,
            (Ends::Links(purpose), _) => {
                app.store.void_mail_links(write, id, purpose).await?;
                false
            }
            (Ends::Lockout, _) => app.store.unlock(write, id).await?,
            (Ends::Consent, _) => match self.client_id {
                Some(client) => app.store.withdraw_consent(write, id, client).await?,
                None => false,
            },
        })
    }

    async fn tell(&self, app: &App, write: &mut Write, tell: Tells) -> Result<(), ServiceError> {
        let account = self.account;
        match tell {
            Tells::Address(mail) => self.mail(app, write, mail, &account.email, greeting(account)).await,
            Tells::NewAddress(mail) => match self.new_email {
                // Its holder has just proved the address; one that somebody else gave is proved by nobody yet.
                Some(email) if self.by.is_none() => {
                    self.mail(app, write, mail, email, greeting(account)).await
                }
                Some(email) => self.mail(app, write, mail, email, "").await,
                None => Ok(()),
            },
            Tells::OldNumber(template) => match account.verified_phone() {
                Some(sealed) => {
                    let old = app.store.open_phone(sealed)?;
                    app.tell_old_number(write, &old, account.language, template).await
                }
                None => Ok(()),
            },
        }
    }

    async fn mail(
        &self,
        app: &App,
        write: &mut Write,
        mail: Mail,
        to: &EmailAddress,
        name: &str,
    ) -> Result<(), ServiceError> {
        let mut notice = app.notice(self.client_id, name);
        notice.event = format!("event-{}", self.change.row().event.as_str());
        self.browser.clone_into(&mut notice.device);
        app.send_mail(write, mail, to, self.account.language, self.client_id, &notice).await
    }
}
