//! Mailed links and their waiting pages, for a confirmation, a new password and a new address alike: a link with a
//! token that only a POST uses up, and a code that can be typed on the page that asked for the mail.

pub mod page;

use std::time::Duration;

use platform::clock::Timestamp;
use platform::db::Write;
use platform::request::RequestContext;
use platform::seal::sha256;
use platform::typed::code;

use crate::app::notices::{Mail, greeting};
use crate::app::room::Left;
use crate::app::{App, ServiceError};
use crate::domain::account::{Account, EmailAddress};
use crate::http::names;
use crate::http::paths;
use crate::http::paths::journey_url;
use crate::store::accounts::Name;
use crate::store::ephemeral::waiting::{self, Waiting};
use crate::store::mail_links::{NewMailLink, Purpose};

const DAY: Duration = Duration::from_hours(24);
const HOUR: Duration = Duration::from_hours(1);
/// Digits of the code that can be typed instead of following the link.
const DIGITS: usize = 8;
/// Wrong codes on one waiting page.
const TRIES: u32 = 5;
/// How long to wait before the same mail can be sent again.
const RESEND_AFTER: Duration = Duration::from_mins(1);

/// How many more mails all network addresses together may ask for one account than each of them.
const ALL_TOGETHER: u32 = 4;

/// What a person gave on a waiting page.
#[derive(Debug)]
enum Typed {
    /// The code is right: go on with this token, as if the link had been followed.
    Token(String),
    /// Why not, as a text key.
    Refused(&'static str),
}

/// What asking for the mail again came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    Sent,
    TooSoon,
    LimitReached,
}

impl App {
    /// Whether one more mail of this purpose may be asked for this address from this network address. Counted for
    /// unknown addresses as well. A device that the account knows and a session of its own have counts of their own: nobody
    /// else can use up what the owner may be sent there.
    pub async fn may_mail(
        &self,
        cx: &RequestContext,
        email: &EmailAddress,
        purpose: Purpose,
    ) -> Result<bool, ServiceError> {
        let limits = &self.config.limits;
        let limit = limits.mails_per_account_per_day;
        let from = self.address_key("mails-from", cx.address);
        // Who has asked for too many already uses nothing up of what others may be sent.
        if !self.within(&from, limits.mails_per_address_per_hour, HOUR).await? {
            return Ok(false);
        }
        let kind = format!("mails-{}", purpose.as_str());
        if let Some(secret) = cx.cookie(names::DEVICE_COOKIE)
            && let Some((_, Some(device))) =
                self.store.account_and_device(&Name::Email(email.clone()), Some(&secret)).await?
        {
            return Ok(self.within(&format!("{kind}-device:{}", device.id), limit, DAY).await?);
        }
        // Who is signed in proved the password: what strangers ask for uses nothing up of what they may be sent.
        if let Some(session) = self.session_of(cx).await?
            && let Some(account) = self.store.account(&session.account_id).await?
            && (account.email == *email || purpose == Purpose::EmailChange)
        {
            return Ok(self.within(&format!("{kind}-account:{}", account.id.0), limit, DAY).await?);
        }
        let to = format!("{kind}:{}", self.lookup.hash(email.as_str()));
        let from_here = self.address_key(&to, cx.address);
        Ok(self.within(&from_here, limit, DAY).await?
            && self.within(&to, limit.saturating_mul(ALL_TOGETHER), DAY).await?)
    }

    /// Opens a waiting page; it looks the same whether the address is known here or not. `account` is whose it is;
    /// a confirmation counts for the password that it has now.
    pub async fn open_waiting_page(
        &self,
        cx: &RequestContext,
        email: &EmailAddress,
        account: Option<&Account>,
        client_id: Option<&str>,
        journey_id: Option<&str>,
    ) -> Result<String, ServiceError> {
        let id = self.random.id();
        let waiting = Waiting {
            browser: sha256(&cx.browser),
            email: email.as_str().to_owned(),
            account_id: account.map(|account| account.id.clone()),
            credential_version: account.map(Account::credential_version),
            client_id: client_id.map(str::to_owned),
            journey_id: journey_id.map(str::to_owned),
            sent_at: self.clock.now(),
            tries_left: TRIES,
        };
        self.take_room(Left::WaitingPage, cx.address, waiting::LIFETIME).await?;
        waiting::put(&self.ephemeral, &id, &waiting).await?;
        if let Some(journey_id) = journey_id {
            self.keep_return(cx, email, journey_id).await?;
        }
        Ok(id)
    }

    /// Keeps the journey of this browser while a mail to this address is waited for.
    pub async fn keep_return(
        &self,
        cx: &RequestContext,
        email: &EmailAddress,
        journey_id: &str,
    ) -> Result<(), ServiceError> {
        let key = self.browser_key("return", cx, email);
        Ok(self.ephemeral.put(&key, journey_id, self.journey_lifetime()).await?)
    }

    /// Under what something is kept for this address in this browser.
    pub fn browser_key(&self, kind: &str, cx: &RequestContext, email: &EmailAddress) -> String {
        format!("{kind}:{}", self.lookup.hash(&format!("{} {}", email.as_str(), cx.browser)))
    }

    fn mailed_code_hash(&self, page_id: &str, code: &str) -> String {
        self.lookup.hash(&format!("{page_id} {code}"))
    }

    /// Mails a link with its code, in the caller's transaction; earlier links of the purpose end. A `new_email` is
    /// what the account's address is to become, and where the mail goes.
    pub async fn mail_link(
        &self,
        write: &mut Write,
        purpose: Purpose,
        account: &Account,
        page_id: &str,
        client_id: Option<&str>,
        new_email: Option<&EmailAddress>,
    ) -> Result<(), ServiceError> {
        let (token, code) = (self.random.token(), self.random.digits(DIGITS));
        let accounts = &self.config.accounts;
        let (mail, target, minutes) = match purpose {
            Purpose::Confirm => (Mail::Confirm, paths::CONFIRM, accounts.confirm_hours * 60),
            Purpose::Reset => (Mail::Reset, paths::RESET, accounts.reset_minutes),
            Purpose::EmailChange => {
                (Mail::EmailChange, paths::ACCOUNT_EMAIL_CONFIRM, accounts.confirm_hours * 60)
            }
        };
        let mark = account.credential_version();
        let new = NewMailLink {
            purpose,
            account_id: &account.id,
            page_id,
            token: &token,
            code_hash: &self.mailed_code_hash(page_id, &code),
            client_id,
            lifetime: Duration::from_secs(u64::from(minutes) * 60),
            credential_version: (purpose == Purpose::Confirm).then_some(mark.as_str()),
            new_email,
        };
        self.store.insert_mail_link(write, &new).await?;
        // At a mistyped address lives a stranger: nobody's name goes there.
        let name = if new_email.is_some() || purpose == Purpose::Confirm { "" } else { greeting(account) };
        let mut notice = self.notice(client_id, name);
        let link = self.url_at(self.registry.portal_of(client_id), &format!("{target}?token={token}"));
        notice.link = self.url(&link);
        notice.code = code;
        notice.minutes = minutes;
        let to = new_email.unwrap_or(&account.email);
        self.send_mail(write, mail, to, account.language, client_id, &notice).await
    }

    /// Checks a code typed on a waiting page.
    async fn type_code(
        &self,
        cx: &RequestContext,
        purpose: Purpose,
        page_id: &str,
        typed: &str,
    ) -> Result<Option<Typed>, ServiceError> {
        let code = code(typed);
        // What cannot be a code is no try at one.
        if code.is_empty() {
            return Ok(Some(Typed::Refused("code-empty")));
        }
        if code.len() != DIGITS || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Some(Typed::Refused("mail-code-malformed")));
        }
        for _ in 0..10 {
            let Some((mut page, version)) = waiting::get(&self.ephemeral, page_id, &cx.browser).await? else {
                return Ok(None);
            };
            if page.tries_left == 0 {
                return Ok(Some(Typed::Refused("code-ended")));
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
                (false, 0) => Typed::Refused("code-ended"),
                (false, _) => Typed::Refused("mail-code-wrong"),
            }));
        }
        Ok(Some(Typed::Refused("code-ended")))
    }

    /// Sends the mail of a waiting page again. For an unknown address everything but the mail is the same.
    async fn mail_again(
        &self,
        cx: &RequestContext,
        purpose: Purpose,
        page_id: &str,
        mut page: Waiting,
        version: i64,
    ) -> Result<Again, ServiceError> {
        if self.clock.now() < again_at(&page) {
            return Ok(Again::TooSoon);
        }
        let email = EmailAddress::stored(page.email.clone());
        if !self.may_mail(cx, &email, purpose).await? {
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
        if let Some(account) = account.filter(|account| wants(purpose, account, &page)) {
            let new_email = (purpose == Purpose::EmailChange).then_some(&email);
            let client_id = page.client_id.as_deref();
            let mut write = self.store.begin_write().await?;
            // An address that somebody else has gets nothing to confirm.
            if new_email.is_none() || self.store.confirmed_account_in(&mut write, &email).await?.is_none() {
                self.mail_link(&mut write, purpose, &account, page_id, client_id, new_email).await?;
            }
            write.commit().await?;
        }
        Ok(Again::Sent)
    }
}

/// A path of ours, with the journey the person is on.
pub fn with_journey(path: &str, journey: &str) -> String {
    if journey.is_empty() { path.to_owned() } else { journey_url(path, journey) }
}

fn again_at(page: &Waiting) -> Timestamp {
    page.sent_at.plus(RESEND_AFTER)
}

/// Whether a mail of this purpose makes sense for the account still.
fn wants(purpose: Purpose, account: &Account, page: &Waiting) -> bool {
    match purpose {
        // Of a later registration of the same address this page knows nothing.
        Purpose::Confirm => {
            account.email_verified_at.is_none()
                && page.credential_version == Some(account.credential_version())
        }
        // Also before the address was confirmed: whoever reads its mail is its owner.
        Purpose::Reset => account.blocked_at.is_none(),
        Purpose::EmailChange => true,
    }
}
