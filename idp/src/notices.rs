//! Mails and SMS as people read them: composed here, in the account's language, and put into the outbox in
//! the transaction that caused them.

use serde::Serialize;
use web::db::Write;
use web::language::Language;

use crate::app::{App, Trouble};
use crate::credentials::temporary::TemporaryPassword;
use crate::delivery::Message;
use crate::domain::account::{Account, EmailAddress};

/// What a mail template may use; each uses what makes sense in it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Notice {
    pub name: String,
    pub link: String,
    pub code: String,
    pub minutes: u32,
    pub when: String,
    pub until: String,
    pub device: String,
    pub portal_name: String,
    pub forgot_link: String,
    pub account_link: String,
    pub username: String,
    pub password: Option<TemporaryPassword>,
    /// What the care team did: a text key.
    pub event: String,
}

/// The mails that exist; each is three templates below `mail/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mail {
    Confirm,
    AlreadyRegistered,
    Reset,
    PasswordChanged,
    Locked,
    NewDevice,
    PhoneChanged,
    PhoneAdded,
    /// To a new address that is to be confirmed.
    EmailChange,
    EmailChanged,
    AccountDeleted,
    /// To who gets an account from a care team, with user name and temporary password.
    AccountCreated,
    /// The same where the holder chooses the first password.
    Invited,
    /// The care team changed something.
    DeskNotice,
}

impl Mail {
    pub const ALL: [Self; 14] = [
        Self::Confirm,
        Self::AlreadyRegistered,
        Self::Reset,
        Self::PasswordChanged,
        Self::Locked,
        Self::NewDevice,
        Self::PhoneChanged,
        Self::PhoneAdded,
        Self::EmailChange,
        Self::EmailChanged,
        Self::AccountDeleted,
        Self::AccountCreated,
        Self::Invited,
        Self::DeskNotice,
    ];

    pub fn template(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::AlreadyRegistered => "already_registered",
            Self::Reset => "reset",
            Self::PasswordChanged => "password_changed",
            Self::Locked => "locked",
            Self::NewDevice => "new_device",
            Self::PhoneChanged => "phone_changed",
            Self::PhoneAdded => "phone_added",
            Self::EmailChange => "email_change",
            Self::EmailChanged => "email_changed",
            Self::AccountDeleted => "account_deleted",
            Self::AccountCreated => "account_created",
            Self::Invited => "invited",
            Self::DeskNotice => "desk_notice",
        }
    }
}

impl App {
    /// A notice with what every mail may want to say.
    pub fn notice(&self, client_id: Option<&str>, name: &str) -> Notice {
        Notice {
            name: name.to_owned(),
            when: self.clock.now().local_text(),
            portal_name: self.brand(client_id).name.clone(),
            forgot_link: self.url("/forgot"),
            account_link: self.url("/account"),
            ..Notice::default()
        }
    }

    /// Puts a mail into the outbox.
    ///
    /// # Errors
    /// The database's, or a template's.
    pub async fn send_mail(
        &self,
        write: &mut Write,
        mail: Mail,
        to: &EmailAddress,
        language: Language,
        client_id: Option<&str>,
        notice: &Notice,
    ) -> Result<(), Trouble> {
        let brand = self.brand(client_id);
        let part = |ending: &str| {
            let template = format!("mail/{}.{ending}", mail.template());
            self.pages
                .message(language, brand, &template, notice)
                .map_err(|error| Trouble::Other(error.to_string()))
        };
        let message = Message::Mail {
            to: to.as_str().to_owned(),
            subject: part("subject.txt")?.trim().to_owned(),
            text: part("txt")?,
            html: part("html")?,
        };
        Ok(self.store.enqueue(write, &message).await?)
    }

    /// Tells the holder of an account that something happened to it.
    ///
    /// # Errors
    /// The database's, or a template's.
    pub async fn notify(
        &self,
        write: &mut Write,
        mail: Mail,
        account: &Account,
        client_id: Option<&str>,
        change: impl FnOnce(&mut Notice),
    ) -> Result<(), Trouble> {
        let mut notice = self.notice(client_id, &account.given_name);
        change(&mut notice);
        self.send_mail(write, mail, &account.email, account.language, client_id, &notice).await
    }

    /// Puts a one-time code for `e164` into the outbox, under the id `message`, after a prefix that stands on the page. The
    /// text names no person and no care, and ends with
    /// the line that binds the code to this origin (WICG, 'Origin-bound one-time codes delivered via SMS').
    ///
    /// # Errors
    /// The database's, or a template's.
    pub async fn send_code(
        &self,
        write: &mut Write,
        message: &str,
        e164: &str,
        (prefix, code): (Option<&str>, &str),
        language: Language,
        client_id: Option<&str>,
    ) -> Result<(), Trouble> {
        #[derive(Serialize)]
        struct Code<'a> {
            prefix: &'a str,
            code: &'a str,
            host: String,
        }
        let values = Code { prefix: prefix.unwrap_or_default(), code, host: self.config.host() };
        let text = self
            .pages
            .message(language, self.brand(client_id), "sms/code.txt", &values)
            .map_err(|error| Trouble::Other(error.to_string()))?;
        let sms = Message::Sms { to: e164.to_owned(), text: text.trim().to_owned() };
        Ok(self.store.enqueue_as(write, message, &sms).await?)
    }

    /// Tells a number that the account does not use it any more, by a template below `sms/`.
    ///
    /// # Errors
    /// The database's, or a template's.
    pub async fn tell_old_number(
        &self,
        write: &mut Write,
        e164: &str,
        language: Language,
        template: &str,
    ) -> Result<(), Trouble> {
        let text = self
            .pages
            .message(language, self.brand(None), &format!("sms/{template}.txt"), &Notice::default())
            .map_err(|error| Trouble::Other(error.to_string()))?;
        let sms = Message::Sms { to: e164.to_owned(), text: text.trim().to_owned() };
        Ok(self.store.enqueue(write, &sms).await?)
    }
}
