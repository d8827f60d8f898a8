//! Mails and SMS as people read them: composed here, in the account's language, and put into the outbox in
//! the transaction that caused them.

use platform::db::Write;
use platform::language::Language;
use serde::Serialize;

use crate::app::{App, ServiceError};
use crate::credentials::temporary::TemporaryPassword;
use crate::delivery::Message;
use crate::domain::account::{Account, EmailAddress};
use crate::domain::gsm7;

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
    /// What was done: a text key.
    pub event: String,
    /// How many recovery codes are left, and whether those are few.
    pub left: u32,
    pub few: bool,
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
    /// The holder changed how the account is signed in to.
    SecurityNotice,
    RecoveryCodeUsed,
}

impl Mail {
    pub const ALL: [Self; 16] = [
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
        Self::SecurityNotice,
        Self::RecoveryCodeUsed,
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
            Self::SecurityNotice => "security_notice",
            Self::RecoveryCodeUsed => "recovery_code_used",
        }
    }
}

impl App {
    /// A notice with what every mail may want to say.
    pub fn notice(&self, client_id: Option<&str>, name: &str) -> Notice {
        Notice {
            // Names from before it was refused may hold marks that nobody sees, and that turn text around.
            name: name.chars().filter(|letter| !is_invisible(*letter)).collect(),
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
    ) -> Result<(), ServiceError> {
        let brand = self.brand(client_id);
        let part = |ending: &str| {
            let template = format!("mail/{}.{ending}", mail.template());
            self.pages
                .message(language, brand, &template, notice)
                .map_err(|error| ServiceError::Other(error.to_string()))
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
    ) -> Result<(), ServiceError> {
        let mut notice = self.notice(client_id, greeting(account));
        change(&mut notice);
        self.send_mail(write, mail, &account.email, account.language, client_id, &notice).await
    }

    /// Puts a one-time code into the outbox. The text says what the code is for and names no person and no care, and ends
    /// with the line that binds the code to this origin (WICG, 'Origin-bound one-time codes delivered via SMS').
    ///
    /// # Errors
    /// The database's, or a template's.
    pub async fn send_code(
        &self,
        write: &mut Write,
        sms: &CodeSms<'_>,
        language: Language,
        client_id: Option<&str>,
    ) -> Result<(), ServiceError> {
        let values = Code {
            brand: String::new(),
            prefix: sms.prefix.unwrap_or_default(),
            code: sms.code,
            is_for_number: sms.is_for_number,
            host: self.config.host(),
        };
        let named = |brand: &str| Code { brand: brand.to_owned(), ..values.clone() };
        let text = self.one_sms(language, client_id, "sms/code.txt", named)?;
        let message = Message::Sms { to: sms.e164.to_owned(), text };
        Ok(self.store.enqueue_as(write, sms.message, &message).await?)
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
    ) -> Result<(), ServiceError> {
        #[derive(Serialize)]
        struct Changed {
            brand: String,
        }
        let named = |brand: &str| Changed { brand: brand.to_owned() };
        let text = self.one_sms(language, None, &format!("sms/{template}.txt"), named)?;
        let sms = Message::Sms { to: e164.to_owned(), text };
        Ok(self.store.enqueue(write, &sms).await?)
    }

    /// A text that fits one message: the name of the brand, which `named` puts into it, is cut where it is too long, and
    /// left out where nothing that says something would be left of it.
    fn one_sms<T: Serialize>(
        &self,
        language: Language,
        client_id: Option<&str>,
        template: &str,
        named: impl Fn(&str) -> T,
    ) -> Result<String, ServiceError> {
        let brand = self.brand(client_id);
        let render = |name: &str| {
            let text = self.pages.message(language, brand, template, &named(name));
            text.map(|text| gsm7::fold(text.trim())).map_err(|error| ServiceError::Other(error.to_string()))
        };
        let name = gsm7::fold(&brand.name);
        let text = render(name.trim())?;
        let over = gsm7::length(&text).unwrap_or_default().saturating_sub(gsm7::SEGMENT);
        if over == 0 {
            return Ok(text);
        }
        // Room for the dot that says that it goes on.
        let kept: String =
            name.trim().chars().take(name.trim().chars().count().saturating_sub(over + 1)).collect();
        if kept.trim().chars().count() < SHORTEST_NAME {
            render("")
        } else {
            render(&format!("{}.", kept.trim()))
        }
    }
}

/// What is left of a brand's name in a text message has so many characters at least.
const SHORTEST_NAME: usize = 4;

/// A one-time code for a number.
#[derive(Clone, Copy, Debug)]
pub struct CodeSms<'a> {
    /// The id of the message.
    pub message: &'a str,
    pub e164: &'a str,
    /// Stands on the page.
    pub prefix: Option<&'a str>,
    pub code: &'a str,
    /// It proves a number that is new; else it is for signing in.
    pub is_for_number: bool,
}

/// `sms/code.txt`
#[derive(Clone, Serialize)]
struct Code<'a> {
    brand: String,
    prefix: &'a str,
    code: &'a str,
    is_for_number: bool,
    host: String,
}

/// The name that a mail may greet the holder of an account by. Until somebody has shown that the address is theirs, by
/// coming in with a mail to it, a stranger may live there: no text goes there that somebody else chose.
pub fn greeting(account: &Account) -> &str {
    let is_proved = account.email_verified_at.is_some() && account.has_own_password();
    if is_proved { &account.given_name } else { "" }
}

/// Controls, marks of direction and of no width (Unicode's `Bidi_Control`, and what shows nothing).
fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}
