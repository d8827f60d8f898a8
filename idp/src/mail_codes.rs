//! Mailed links and their waiting pages, for confirmation and for a new password alike: a link with a token
//! that only a POST uses up, and a code that can be typed on the page that asked for the mail.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use web::clock::Timestamp;
use web::db::Write;
use web::request::Visit;
use web::seal::sha256;

use crate::app::{App, Trouble};
use crate::domain::account::{Account, AccountId, EmailAddress};
use crate::ephemeral::waiting::{self, Waiting};
use crate::notices::Mail;
use crate::oauth::resume::{journey_url, see_other};
use crate::path;
use crate::store::mail_links::{NewMailLink, Purpose};

const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);
/// Digits of the code that can be typed instead of following the link.
const DIGITS: usize = 8;
/// Wrong codes on one waiting page.
const TRIES: u32 = 5;
/// No mail is sent again sooner: whether there is an account to send it to cannot be told from the time.
const ANSWER_TAKES: Duration = Duration::from_millis(150);
/// How long to wait before the same mail can be sent again.
const RESEND_AFTER: Duration = Duration::from_mins(1);

/// `idp/register_sent.html` and `idp/forgot_sent.html`
#[derive(Clone, Debug, Serialize)]
pub struct WaitingPage {
    pub email: String,
    pub action: String,
    pub resend_action: String,
    pub error: Option<&'static str>,
    pub resent: bool,
    pub resend_in_seconds: u64,
    pub signin_url: String,
}

impl WaitingPage {
    pub fn sample() -> Self {
        Self {
            email: "anna@example.nl".into(),
            action: "/register/sent?page=x".into(),
            resend_action: "/register/resend?page=x".into(),
            error: Some("mail-code-wrong"),
            resent: true,
            resend_in_seconds: 42,
            signin_url: "/signin".into(),
        }
    }
}

/// What a person gave on a waiting page.
#[derive(Debug)]
enum Typed {
    /// The code is right: go on with this token, as if the link had been followed.
    Token(String),
    Wrong,
    Ended,
}

/// What asking for the mail again came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    Sent,
    TooSoon,
    LimitReached,
}

impl App {
    /// Whether one more mail may be asked for this address from this network address. Counted for unknown
    /// addresses as well.
    ///
    /// # Errors
    /// The backend's.
    pub async fn may_mail(&self, visit: &Visit, email: &EmailAddress) -> Result<bool, Trouble> {
        let limits = &self.config.limits;
        let to = format!("mails-to:{}", self.lookup.hash(email.as_str()));
        let from = self.address_key("mails-from", visit.address);
        // Who has asked for too many already uses nothing up of what others may be sent.
        Ok(self.within(&from, limits.mails_per_address_per_hour, HOUR).await?
            && self.within(&to, limits.mails_per_account_per_day, DAY).await?)
    }

    /// Opens a waiting page; it looks the same whether the address is known here or not.
    ///
    /// # Errors
    /// The backend's.
    pub async fn open_waiting_page(
        &self,
        visit: &Visit,
        email: &EmailAddress,
        account: Option<&Account>,
        client_id: Option<&str>,
        journey_id: Option<&str>,
    ) -> Result<(String, Waiting), Trouble> {
        let id = self.random.id();
        let waiting = Waiting {
            browser: sha256(&visit.browser),
            email: email.as_str().to_owned(),
            account_id: account.map(|account| account.id.clone()),
            client_id: client_id.map(str::to_owned),
            journey_id: journey_id.map(str::to_owned),
            sent_at: self.clock.now(),
            tries_left: TRIES,
        };
        waiting::put(&self.ephemeral, &id, &waiting).await?;
        if let (Some(account), Some(journey_id)) = (account, journey_id) {
            let key = self.return_key(visit, &account.id);
            self.ephemeral.put(&key, journey_id, self.journey_lifetime()).await?;
        }
        Ok((id, waiting))
    }

    /// Under what the journey of this browser is kept while a mail to this account is waited for.
    pub fn return_key(&self, visit: &Visit, account: &AccountId) -> String {
        format!("return:{}", self.lookup.hash(&format!("{} {}", account.0, visit.browser)))
    }

    fn mailed_code_hash(&self, page_id: &str, code: &str) -> String {
        self.lookup.hash(&format!("{page_id} {code}"))
    }

    /// Mails a link with its code, in the caller's transaction; earlier links of the purpose end.
    ///
    /// # Errors
    /// The database's.
    pub async fn mail_link(
        &self,
        write: &mut Write,
        purpose: Purpose,
        account: &Account,
        page_id: &str,
        client_id: Option<&str>,
    ) -> Result<(), Trouble> {
        let (token, code) = (self.random.token(), self.random.digits(DIGITS));
        let accounts = &self.config.accounts;
        let (mail, target, minutes) = match purpose {
            Purpose::Confirm => (Mail::Confirm, path::CONFIRM, accounts.confirm_hours * 60),
            Purpose::Reset => (Mail::Reset, path::RESET, accounts.reset_minutes),
        };
        let new = NewMailLink {
            purpose,
            account_id: &account.id,
            page_id,
            token: &token,
            code_hash: &self.mailed_code_hash(page_id, &code),
            client_id,
            lifetime: Duration::from_secs(u64::from(minutes) * 60),
        };
        self.store.insert_mail_link(write, &new).await?;
        let link = self.url(&format!("{target}?token={token}"));
        self.notify(write, mail, account, client_id, |notice| {
            notice.link = link;
            notice.code = code;
            notice.minutes = minutes;
        })
        .await
    }

    /// Checks a code typed on a waiting page.
    ///
    /// # Errors
    /// A backend's.
    async fn type_code(
        &self,
        visit: &Visit,
        purpose: Purpose,
        page_id: &str,
        typed: &str,
    ) -> Result<Option<Typed>, Trouble> {
        let code: String = typed.chars().filter(char::is_ascii_digit).collect();
        for _ in 0..10 {
            let Some((mut page, version)) = waiting::get(&self.ephemeral, page_id, &visit.browser).await?
            else {
                return Ok(None);
            };
            if page.tries_left == 0 {
                return Ok(Some(Typed::Ended));
            }
            // The try counts before it is looked at, so tries at once count one by one.
            page.tries_left -= 1;
            if !waiting::save(&self.ephemeral, page_id, version, &page).await? {
                continue;
            }
            let token = self.random.token();
            let hash = self.mailed_code_hash(page_id, &code);
            let fits = self.store.trade_code_for_token(purpose, page_id, &hash, &token).await?;
            return Ok(Some(match (fits, page.tries_left) {
                (true, _) => Typed::Token(token),
                (false, 0) => Typed::Ended,
                (false, _) => Typed::Wrong,
            }));
        }
        Ok(Some(Typed::Ended))
    }

    /// Sends the mail of a waiting page again. For an unknown address everything but the mail is the same.
    ///
    /// # Errors
    /// A backend's.
    async fn mail_again(
        &self,
        visit: &Visit,
        purpose: Purpose,
        page_id: &str,
        mut page: Waiting,
        version: i64,
    ) -> Result<Again, Trouble> {
        if self.clock.now() < again_at(&page) {
            return Ok(Again::TooSoon);
        }
        let Some(email) = EmailAddress::parse(&page.email) else { return Ok(Again::LimitReached) };
        if !self.may_mail(visit, &email).await? {
            return Ok(Again::LimitReached);
        }
        page.sent_at = self.clock.now();
        page.tries_left = TRIES;
        if !waiting::save(&self.ephemeral, page_id, version, &page).await? {
            // A second click at the same moment: the first one sent it.
            return Ok(Again::Sent);
        }
        let account = match &page.account_id {
            Some(id) => self.store.account(id).await?,
            None => None,
        };
        if let Some(account) = account.filter(|account| wants(purpose, account)) {
            let mut write = self.store.begin_write().await?;
            self.mail_link(&mut write, purpose, &account, page_id, page.client_id.as_deref()).await?;
            write.commit().await?;
            self.delivery.wake();
        }
        Ok(Again::Sent)
    }

    /// The waiting page as it stands.
    pub fn waiting_page(
        &self,
        visit: &Visit,
        purpose: Purpose,
        id: &str,
        page: &Waiting,
        error: Option<&'static str>,
    ) -> Response {
        let (template, sent, resend) = match purpose {
            Purpose::Confirm => ("idp/register_sent.html", path::REGISTER_SENT, path::REGISTER_RESEND),
            Purpose::Reset => ("idp/forgot_sent.html", path::FORGOT_SENT, path::FORGOT_RESEND),
        };
        let wait = again_at(page).since(self.clock.now());
        let shown = WaitingPage {
            email: page.email.clone(),
            action: format!("{sent}?page={id}"),
            resend_action: format!("{resend}?page={id}"),
            error,
            resent: visit.query("resent") == "1" && error.is_none(),
            resend_in_seconds: wait.as_secs() + u64::from(wait.subsec_millis() > 0),
            signin_url: with_journey(path::SIGNIN, page.journey_id.as_deref().unwrap_or_default()),
        };
        self.page(visit, page.client_id.as_deref(), status_of(error), template, &shown)
    }

    /// The waiting page of this browser, or that it is over.
    ///
    /// # Errors
    /// The backend's.
    pub async fn show_waiting(
        &self,
        visit: &Visit,
        purpose: Purpose,
        error: Option<&'static str>,
    ) -> Result<Response, Trouble> {
        let id = visit.query("page");
        Ok(match waiting::get(&self.ephemeral, &id, &visit.browser).await? {
            Some((page, _)) => self.waiting_page(visit, purpose, &id, &page, error),
            None => self.journey_expired(visit, None),
        })
    }

    /// Sends the mail of the waiting page in the URL again and shows that page.
    ///
    /// # Errors
    /// A backend's.
    pub async fn resend_mail(&self, visit: &Visit, purpose: Purpose) -> Result<Response, Trouble> {
        let answer_at = Instant::now() + ANSWER_TAKES;
        let id = visit.query("page");
        let Some((page, version)) = waiting::get(&self.ephemeral, &id, &visit.browser).await? else {
            return Ok(self.journey_expired(visit, None));
        };
        let sent = match purpose {
            Purpose::Confirm => path::REGISTER_SENT,
            Purpose::Reset => path::FORGOT_SENT,
        };
        let again = self.mail_again(visit, purpose, &id, page, version).await?;
        tokio::time::sleep_until(answer_at.into()).await;
        match again {
            Again::Sent => Ok(see_other(&format!("{sent}?page={id}&resent=1"))),
            Again::TooSoon => self.show_waiting(visit, purpose, Some("resend-too-soon")).await,
            Again::LimitReached => self.show_waiting(visit, purpose, Some("resend-limit")).await,
        }
    }

    /// The token for which a typed code was good, or the page to show instead.
    ///
    /// # Errors
    /// A backend's.
    pub async fn token_for(
        &self,
        visit: &Visit,
        purpose: Purpose,
        typed: &str,
    ) -> Result<Result<String, Response>, Trouble> {
        let error = match self.type_code(visit, purpose, &visit.query("page"), typed).await? {
            Some(Typed::Token(token)) => return Ok(Ok(token)),
            Some(Typed::Wrong) => "mail-code-wrong",
            Some(Typed::Ended) => "code-ended",
            None => return Ok(Err(self.journey_expired(visit, None))),
        };
        Ok(Err(self.show_waiting(visit, purpose, Some(error)).await?))
    }
}

/// A page with an error is not a success.
pub fn status_of(error: Option<&'static str>) -> StatusCode {
    if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }
}

/// A path of ours, with the journey the person is on.
pub fn with_journey(path: &str, journey: &str) -> String {
    if journey.is_empty() { path.to_owned() } else { journey_url(path, journey) }
}

fn again_at(page: &Waiting) -> Timestamp {
    page.sent_at.plus(RESEND_AFTER)
}

/// Whether a mail of this purpose makes sense for the account still.
fn wants(purpose: Purpose, account: &Account) -> bool {
    match purpose {
        Purpose::Confirm => account.email_confirmed_at.is_none(),
        Purpose::Reset => account.blocked_at.is_none() && account.email_confirmed_at.is_some(),
    }
}
