//! Step: identifier and password. One sentence for every failure, in the same time, known account or not.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::Response;
use platform::errors::FieldErrors;
use platform::request::{Fields, RequestContext};
use platform::typed::plain;
use serde::Serialize;

use super::AboutClient;
use super::at_step::{Arrived, AtStep, Page};
use super::identified::identified;
use super::passkey::question_for_anybody;
use crate::app::notices::Mail;
use crate::app::{ServiceError, Shared};
use crate::config::Identifier;
use crate::credentials::passwords::Verdict;
use crate::credentials::temporary::TemporaryPassword;
use crate::domain::account::{Account, EmailAddress, Username};
use crate::domain::device::Device;
use crate::domain::journey::{Method, Step};
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::paths::journey_url;
use crate::http::{AppError, Form};
use crate::store::accounts::Name;
use crate::store::audit::Event;
use crate::store::ephemeral::journeys::Open;
use crate::store::lockouts::Attempt;
use crate::verification::passkeys::Question;

/// No failure is answered sooner, so that what was looked up on the way cannot be told from the time.
const FAILURE_TAKES: Duration = Duration::from_millis(250);

/// The step of these pages.
pub struct Here;

impl Page for Here {
    const STEP: Step = Step::Password;
}

/// `idp/signin_password.html`
#[derive(Clone, Debug, Serialize)]
pub struct PasswordPage {
    pub action: String,
    pub cancel_action: String,
    pub identifier_kind: &'static str,
    pub identifier: String,
    pub errors: FieldErrors,
    pub notice: Option<String>,
    pub portal_name: String,
    pub register_url: Option<String>,
    pub forgot_url: String,
    pub public_computer: bool,
    /// For who signs in with a passkey, where that is enough.
    pub passkey: Option<Question>,
    pub passkey_action: String,
    /// For clients of others.
    pub client: Option<AboutClient>,
}

impl PasswordPage {
    pub fn sample() -> Self {
        Self {
            action: "/signin/password?journey=x".into(),
            cancel_action: "/signin/cancel?journey=x".into(),
            identifier_kind: "email",
            identifier: "anna@example.nl".into(),
            errors: FieldErrors::of("", "signin-error").with("minutes", &30),
            notice: Some("notice-confirmed".into()),
            portal_name: "Portaal".into(),
            register_url: Some("/register?journey=x".into()),
            forgot_url: "/forgot?journey=x".into(),
            public_computer: true,
            passkey: Some(Question::sample()),
            passkey_action: "/signin/with-passkey?journey=x".into(),
            client: Some(AboutClient::sample()),
        }
    }
}

const NOTICES: [&str; 4] = ["confirmed", "confirm-with-password", "password-changed", "signed-out"];

pub(super) async fn page(
    app: &Shared,
    cx: &RequestContext,
    arrived: &Arrived,
    errors: FieldErrors,
) -> Result<Response, AppError> {
    let Arrived { open, assessment } = arrived;
    let client = match assessment.client.as_ref().map(|registered| &registered.client) {
        Some(client) if client.consent => Some(app.about_client(client).await?),
        _ => None,
    };
    let url = |path: &str| journey_url(path, &open.id);
    let accounts = &app.config.accounts;
    let notice = cx.query("notice");
    let page = PasswordPage {
        action: url(paths::SIGNIN_PASSWORD),
        cancel_action: url(paths::SIGNIN_CANCEL),
        identifier_kind: match accounts.identifier {
            Identifier::Email => "email",
            Identifier::Username => "username",
        },
        identifier: open.journey.identifier.clone(),
        errors: errors.with("minutes", &app.config.lockout.minutes),
        notice: NOTICES.contains(&notice.as_str()).then(|| format!("notice-{notice}")),
        portal_name: app.brand(open.journey.client_id.as_deref()).name.clone(),
        register_url: accounts.registration.then(|| url(paths::REGISTER)),
        forgot_url: url(paths::FORGOT),
        public_computer: assessment.portal.policy.public_computer,
        passkey: question_for_anybody(app, arrived)?,
        passkey_action: url(paths::SIGNIN_WITH_PASSKEY),
        client,
    };
    Ok(app.step_page(cx, open, page.errors.status(), "idp/signin_password.html", &page))
}

/// `GET /signin/password`: whoever has the journey's cookie.
pub async fn get(
    State(app): State<Shared>,
    AtStep { cx, mut arrived, .. }: AtStep<Here>,
) -> Result<Response, AppError> {
    let kept = app.kept_form(&cx).await?;
    let typed = kept.get(names::EMAIL).or(kept.get(names::USERNAME));
    arrived.open.journey.identifier = typed.map_or(arrived.open.journey.identifier, plain);
    page(&app, &cx, &arrived, FieldErrors::default()).await
}

/// `POST /signin/password`: as often as the lockout lets; twice at once counts twice.
pub async fn post(
    State(app): State<Shared>,
    Form(AtStep { cx, mut arrived, .. }, fields): Form<AtStep<Here>>,
) -> Result<Response, AppError> {
    let started = Instant::now();
    let kind = app.config.accounts.identifier;
    let typed = match kind {
        Identifier::Email => fields.plain(names::EMAIL),
        Identifier::Username => fields.plain(names::USERNAME),
    };
    arrived.open.journey.identifier = typed.chars().take(254).collect();
    let unfit = unfit(kind, &typed, fields.get(names::PASSWORD));
    if !unfit.is_empty() {
        return page(&app, &cx, &arrived, unfit).await;
    }
    // Taken before the password is looked at, and given back unless it is wrong: many at once are as many.
    let reserved = app.take_try(&cx).await?;
    let given = give(&app, &cx, arrived, &typed, &fields, started).await;
    if !matches!(given, Ok(Given::Wrong(_))) {
        app.ephemeral.give_back(reserved).await?;
    }
    let (Given::Wrong(response) | Given::Other(response)) = given?;
    Ok(response)
}

/// What an identifier and a password came to.
enum Given {
    Wrong(Response),
    Other(Response),
}

async fn give(
    app: &Shared,
    cx: &RequestContext,
    arrived: Arrived,
    typed: &str,
    fields: &Fields,
    started: Instant,
) -> Result<Given, AppError> {
    if let Some((account, device)) = check(app, cx, &arrived.open, typed, fields).await? {
        let is_public = fields.get(names::PUBLIC_COMPUTER).is_some();
        let known = (account, device);
        let response = identified(app, cx, arrived.open, known, Method::Password, is_public).await?;
        return Ok(Given::Other(response));
    }
    let waiting = waiting_page(app, cx, typed, fields).await?;
    if let Some((email, _)) = &waiting {
        app.keep_return(cx, email, &arrived.open.id).await?;
    }
    tokio::time::sleep_until((started + FAILURE_TAKES).into()).await;
    if let Some((_, page_id)) = waiting {
        let client_id = arrived.open.journey.client_id.as_deref();
        let waiting = app.waiting_url(cx, client_id, paths::REGISTER_SENT, &page_id);
        return Ok(Given::Other(see_other(&waiting)));
    }
    app.outcomes.refused_try("wrong_password");
    Ok(Given::Wrong(page(app, cx, &arrived, FieldErrors::of("", "signin-error")).await?))
}

/// What is missing, or cannot be anybody's name to sign in with: no try at a password, and the same for everybody.
fn unfit(kind: Identifier, typed: &str, password: Option<&str>) -> FieldErrors {
    let (field, empty, invalid) = match kind {
        Identifier::Email => {
            ("email", "email-empty", EmailAddress::parse(typed).is_none().then_some("email-invalid"))
        }
        Identifier::Username => {
            ("username", "username-missing", Username::parse(typed).is_none().then_some("username-invalid"))
        }
    };
    let name = if typed.is_empty() { Some(empty) } else { invalid };
    FieldErrors::default().and(field, name).and("password", password.is_none().then_some("password-empty"))
}

/// The waiting page of a registration in this browser with this address and password. It is shown for a taken
/// address as for a free one, so it tells nothing; and one hash more is computed for either.
async fn waiting_page(
    app: &Shared,
    cx: &RequestContext,
    typed: &str,
    fields: &Fields,
) -> Result<Option<(EmailAddress, String)>, ServiceError> {
    let Some(email) = EmailAddress::parse(typed) else { return Ok(None) };
    let Some(registration) = app.registration_here(cx, &email).await? else { return Ok(None) };
    let password = fields.get(names::PASSWORD).unwrap_or_default();
    let verdict = app.passwords.verify(password, Some(&registration.password_hash)).await;
    Ok(verdict.map_err(|_| ServiceError::Busy)?.matches.then_some((email, registration.page_id)))
}

/// The account that identifier and password belong to, and the device that this browser is to it. Whatever the answer,
/// one password hash is computed.
async fn check(
    app: &Shared,
    cx: &RequestContext,
    open: &Open,
    typed: &str,
    fields: &Fields,
) -> Result<Option<(Account, Option<Device>)>, ServiceError> {
    let password = fields.get(names::PASSWORD).unwrap_or_default();
    let name = match app.config.accounts.identifier {
        Identifier::Email => EmailAddress::parse(typed).map(Name::Email),
        Identifier::Username => (!typed.is_empty()).then_some(Name::Username(typed)),
    };
    let found = match name {
        Some(name) => {
            let secret = cx.cookie(names::DEVICE_COOKIE);
            app.store.account_and_device(&name, secret.as_deref()).await?
        }
        None => None,
    };
    let Some((mut account, device)) = found else {
        app.passwords.verify(password, None).await.map_err(|_| ServiceError::Busy)?;
        return Ok(None);
    };
    let password = match account.temporary_password_until.map(|_| TemporaryPassword::typed(password)) {
        None => Cow::Borrowed(password),
        Some(Some(typed)) => typed,
        // A sign that we put into no password: it is wrong, but no try.
        Some(None) => {
            app.passwords.verify(password, None).await.map_err(|_| ServiceError::Busy)?;
            return Ok(None);
        }
    };
    let password = password.as_ref();
    // A device that the account knows has a count of its own: a stranger's failures do not lock it.
    let device_id = device.as_ref().map(|device| device.id.as_str()).unwrap_or_default();
    let may_enter = account.blocked_at.is_none() && account.password_works(app.clock.now());
    let client_id = open.journey.client_id.as_deref();
    if let Some(verdict) = try_password(app, &account, device_id, password, may_enter, client_id).await? {
        if account.email_verified_at.is_none() && !confirmed_by(app, cx, open, &account).await? {
            return Ok(None);
        }
        if !use_up(app, &account, client_id).await? {
            return Ok(None);
        }
        if let (true, Some(old)) = (verdict.outdated, account.password_hash.as_deref()) {
            let new = app.passwords.hash(password).await.map_err(|_| ServiceError::Busy)?;
            app.store.upgrade_password_hash(&account.id, old, &new).await?;
            account.password_hash = Some(new);
        }
        return Ok(Some((account, device)));
    }
    Ok(None)
}

/// Uses the right password up if it is a temporary one: it opens the way to the page that replaces it in one sign-in.
/// False if another one was first; that is a failure like any other.
async fn use_up(app: &Shared, account: &Account, client_id: Option<&str>) -> Result<bool, ServiceError> {
    let (Some(hash), Some(_)) = (&account.password_hash, account.temporary_password_until) else {
        return Ok(true);
    };
    if app.store.use_temporary_password(&account.id, hash).await? {
        return Ok(true);
    }
    let mut write = app.store.begin_write().await?;
    app.store.note(&mut write, Event::SignInFailed, &account.id, client_id, "");
    write.commit().await?;
    Ok(false)
}

/// One try at the password of an account from a known device (or ''), counted before it is looked at. `None` unless
/// the password is right and `may_enter`; that is written down, and the holder is told of a lock.
///
/// # Errors
/// A backend's, or that the password threads are busy: then the try does not count.
pub async fn try_password(
    app: &Shared,
    account: &Account,
    device: &str,
    password: &str,
    may_enter: bool,
    client_id: Option<&str>,
) -> Result<Option<Verdict>, ServiceError> {
    let lockout = &app.config.lockout;
    let lock_for = Duration::from_secs(u64::from(lockout.minutes) * 60);
    let attempt = app.store.begin_attempt(&account.id, device, lockout.failures, lock_for).await?;
    let Attempt::Allowed { locks_until } = attempt else {
        app.passwords.verify(password, None).await.map_err(|_| ServiceError::Busy)?;
        return Ok(None);
    };
    let Ok(verdict) = app.passwords.verify(password, account.password_hash.as_deref()).await else {
        // Nobody looked at the password: under load a right one must not lock its owner out.
        app.store.undo_attempt(&account.id, device, locks_until).await?;
        return Err(ServiceError::Busy);
    };
    if verdict.matches && may_enter && app.store.end_attempts(&account.id, device, locks_until).await? {
        return Ok(Some(verdict));
    }
    let mut write = app.store.begin_write().await?;
    app.store.note(&mut write, Event::SignInFailed, &account.id, client_id, "");
    if let Some(until) = locks_until {
        app.outcomes.refused_try("locked");
        app.store.note(&mut write, Event::Locked, &account.id, client_id, "");
        if account.email_verified_at.is_some() {
            app.notify(&mut write, Mail::Locked, account, client_id, |notice| {
                notice.until = until.local_text();
            })
            .await?;
        }
    }
    write.commit().await?;
    Ok(None)
}

/// Whether the right password completes a confirmation: the button of the mail was pressed in this browser.
async fn confirmed_by(
    app: &Shared,
    cx: &RequestContext,
    open: &Open,
    account: &Account,
) -> Result<bool, ServiceError> {
    if !app.was_pressed(cx, account).await? {
        return Ok(false);
    }
    let mut write = app.store.begin_write().await?;
    let confirmed = app.confirm_account(&mut write, account, open.journey.client_id.as_deref()).await?;
    write.commit().await?;
    Ok(confirmed)
}
