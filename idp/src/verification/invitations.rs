//! Accounts that are made for somebody else: what a new one needs, and the mail with which its holder starts, as
//! `accounts.first_password` has it. Who may make one is decided by the pages above.

use std::time::Duration;

use platform::db::Write;
use platform::language::Language;

use crate::app::notices::Mail;
use crate::app::{App, ServiceError};
use crate::config::{FirstPassword, Identifier, Recovery, When};
use crate::credentials::temporary::TemporaryPassword;
use crate::domain::account::{Account, AccountId, EmailAddress, Role, Username};
use crate::domain::phone::PhoneNumber;
use crate::domain::reason::Reason;
use crate::http::paths;
use crate::store::accounts::NewAccount;
use crate::store::audit::Event;

/// Whom an account is made for.
#[derive(Clone, Debug)]
pub struct Invitation {
    pub given_name: String,
    pub family_name: String,
    pub email: EmailAddress,
    pub username: Option<Username>,
    pub phone: Option<PhoneNumber>,
    pub language: Language,
    /// Whose care team sees the account.
    pub organisation: String,
}

/// Who does something to another's account, and why.
#[derive(Clone, Copy, Debug)]
pub struct By<'a> {
    pub actor: &'a AccountId,
    pub reason: &'a Reason,
}

/// Why no account was made: what another one has already.
#[derive(Clone, Debug)]
pub enum Taken {
    /// The account is there for who may know of it, and for nobody else.
    Email(Box<Account>),
    Username,
}

/// How an account starts, prepared outside the transaction, since hashing takes its time.
#[derive(Debug)]
pub enum Start {
    /// The password for the mail, its hash for the table.
    Temporary {
        password: TemporaryPassword,
        hash: String,
    },
    Chosen,
}

impl App {
    /// Whether an account made for somebody needs a user name.
    pub fn asks_username(&self) -> bool {
        let accounts = &self.config.accounts;
        accounts.identifier == Identifier::Username || accounts.recovery == Recovery::UsernameAndEmail
    }

    /// Whether it needs a phone number: it does where any portal asks for codes. Otherwise whoever reads the first mail
    /// could say which phone the codes go to.
    pub fn asks_phone(&self) -> bool {
        self.config.portals.iter().any(|portal| portal.policy.second_factor.when != When::Never)
    }

    /// Prepares the start of an account.
    ///
    /// # Errors
    /// [`ServiceError::Busy`]
    pub async fn prepare_start(&self) -> Result<Start, ServiceError> {
        Ok(match self.config.accounts.first_password {
            FirstPassword::Chosen => Start::Chosen,
            FirstPassword::Temporary => {
                let password = TemporaryPassword::generate(&self.random);
                let hash = self.passwords.hash(password.reveal()).await.map_err(|_| ServiceError::Busy)?;
                Start::Temporary { password, hash }
            }
        })
    }

    /// Makes an account and mails its holder how to start. Of two at once for one address one makes it.
    pub async fn invite(
        &self,
        invitation: &Invitation,
        by: By<'_>,
    ) -> Result<Result<AccountId, Taken>, ServiceError> {
        let start = self.prepare_start().await?;
        let new = NewAccount {
            given_name: invitation.given_name.clone(),
            family_name: invitation.family_name.clone(),
            email: invitation.email.clone(),
            // The only way in leads through a mail to this address, so who comes in has confirmed it; and the job
            // that removes unconfirmed accounts leaves this one alone.
            email_is_confirmed: true,
            username: invitation.username.as_ref().map(|name| name.as_str().to_owned()),
            password_hash: None,
            phone_sealed: invitation.phone.as_ref().map(|phone| self.store.seal_phone(phone.e164())),
            role: Role::User,
            organisation: Some(invitation.organisation.clone()),
            language: invitation.language,
        };
        let mut write = self.store.begin_write().await?;
        // A registration that nobody confirmed keeps no address from its owner.
        self.store.remove_unconfirmed_at(&mut write, &invitation.email).await?;
        let id = match self.store.insert_account(&mut write, &new).await {
            Ok(id) => id,
            Err(error) if error.is_unique_violation() => {
                drop(write);
                let owner = self.store.account_by_email(&invitation.email).await?;
                return Ok(Err(owner.map_or(Taken::Username, |owner| Taken::Email(Box::new(owner)))));
            }
            Err(error) => return Err(error.into()),
        };
        let reason = by.reason.as_str();
        self.store.note_by(&mut write, Some(by.actor), Event::AccountCreated, &id, None, reason);
        let account = self.store.account_in(&mut write, &id).await?;
        let account = account.ok_or_else(|| ServiceError::Other("a new account is gone".into()))?;
        self.start_account(&mut write, &account, &start).await?;
        write.commit().await?;
        Ok(Ok(id))
    }

    /// Mails the holder of an account without a password of their own how to start; an earlier temporary password
    /// ends. False if the holder has chosen a password meanwhile: nothing was done then.
    ///
    /// # Errors
    /// The database's, or a template's.
    pub async fn start_account(
        &self,
        write: &mut Write,
        account: &Account,
        start: &Start,
    ) -> Result<bool, ServiceError> {
        let hours = self.config.accounts.temporary_password_hours;
        let until = self.clock.now().plus(Duration::from_hours(hours.into()));
        let password = match start {
            Start::Temporary { hash, .. } => Some((hash.as_str(), until)),
            Start::Chosen => None,
        };
        if !self.store.set_temporary_password(write, &account.id, password).await? {
            return Ok(false);
        }
        // Failures with an earlier password say nothing of this one.
        self.store.unlock(write, &account.id).await?;
        // Nobody has shown yet that this is the right address: at a mistyped one lives a stranger, who learns no name.
        let mut notice = self.notice(None, "");
        let identifier = self.config.accounts.identifier;
        let mail = match start {
            Start::Temporary { password, .. } => {
                account.identifier(identifier).clone_into(&mut notice.username);
                notice.password = Some(password.clone());
                notice.until = until.local_text();
                notice.link = self.url(paths::SIGNIN);
                Mail::AccountCreated
            }
            Start::Chosen => {
                if self.asks_username() {
                    notice.username = account.username.clone().unwrap_or_default();
                }
                Mail::Invited
            }
        };
        self.send_mail(write, mail, &account.email, account.language, None, &notice).await?;
        Ok(true)
    }
}
