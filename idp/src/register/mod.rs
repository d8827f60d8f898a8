//! Making an account: the form, the waiting page, the confirmation. A known address gets the same page and
//! the same time; its owner gets a mail that says so.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use web::request::{Fields, Visit};

use crate::app::{Shared, Trouble};
use crate::credentials::policy;
use crate::domain::account::{Account, AccountId, EmailAddress, Role, parse_name};
use crate::form::Posted;
use crate::mail_codes::with_journey;
use crate::notices::Mail;
use crate::oauth::resume::{journey_url, see_other};
use crate::path;
use crate::signin::run;
use crate::store::accounts::NewAccount;
use crate::store::audit::Event;
use crate::store::mail_links::Purpose;

/// No registration is answered sooner: what was looked up on the way cannot be told from the time.
const ANSWER_TAKES: Duration = Duration::from_millis(250);

/// `idp/register.html`
#[derive(Clone, Debug, Serialize)]
pub struct RegisterPage {
    pub action: String,
    pub given_name: String,
    pub family_name: String,
    pub email: String,
    /// Text keys by field.
    pub errors: BTreeMap<&'static str, &'static str>,
    pub min_length: usize,
    pub signin_url: String,
}

/// `idp/confirm.html`
#[derive(Clone, Debug, Serialize)]
pub struct ConfirmPage {
    pub action: &'static str,
    pub token: String,
}

impl RegisterPage {
    pub fn sample() -> Self {
        Self {
            action: "/register".into(),
            given_name: "Anna".into(),
            family_name: "Bakker".into(),
            email: "anna@example.nl".into(),
            errors: BTreeMap::from([
                ("given_name", "given-name-missing"),
                ("email", "email-invalid"),
                ("password", "password-too-short"),
            ]),
            min_length: 12,
            signin_url: "/signin".into(),
        }
    }
}

impl ConfirmPage {
    pub fn sample() -> Self {
        Self { action: path::CONFIRM, token: "x".into() }
    }
}

async fn client_of_journey(app: &Shared, visit: &Visit) -> Result<Option<String>, Trouble> {
    Ok(app.journey_of(visit).await?.and_then(|open| open.journey.client_id))
}

fn blank(app: &Shared, visit: &Visit) -> RegisterPage {
    let journey = visit.query("journey");
    RegisterPage {
        action: with_journey(path::REGISTER, &journey),
        given_name: String::new(),
        family_name: String::new(),
        email: String::new(),
        errors: BTreeMap::new(),
        min_length: app.config.password.min_length,
        signin_url: with_journey(path::SIGNIN, &journey),
    }
}

/// `GET /register`: anybody, where people may register themselves.
pub async fn get(State(app): State<Shared>, Extension(visit): Extension<Visit>) -> Response {
    run(&app, &visit, async {
        if !app.config.accounts.registration {
            return Ok(app.not_found(&visit));
        }
        let client_id = client_of_journey(&app, &visit).await?;
        Ok(app.page(&visit, client_id.as_deref(), StatusCode::OK, "idp/register.html", &blank(&app, &visit)))
    })
    .await
}

/// What was typed, once it is good.
struct Filled {
    given_name: String,
    family_name: String,
    email: EmailAddress,
    password: String,
}

fn check(app: &Shared, visit: &Visit, fields: &Fields) -> Result<Filled, Box<RegisterPage>> {
    let mut page = RegisterPage {
        given_name: fields.trimmed("given_name").chars().take(80).collect(),
        family_name: fields.trimmed("family_name").chars().take(80).collect(),
        email: fields.trimmed("email").chars().take(254).collect(),
        ..blank(app, visit)
    };
    let given_name = parse_name(fields.trimmed("given_name"));
    let family_name = parse_name(fields.trimmed("family_name"));
    let email = EmailAddress::parse(fields.trimmed("email"));
    let password = fields.get("password").unwrap_or_default();
    let personal = [fields.trimmed("email"), fields.trimmed("given_name"), fields.trimmed("family_name")];
    let problem = policy::check(password, &app.config.password, &personal).err();
    if let (Some(given_name), Some(family_name), Some(email), None) =
        (&given_name, &family_name, &email, &problem)
    {
        return Ok(Filled {
            given_name: given_name.clone(),
            family_name: family_name.clone(),
            email: email.clone(),
            password: password.to_owned(),
        });
    }
    let mut wrong = |field, key: Option<&'static str>| page.errors.extend(key.map(|key| (field, key)));
    wrong("given_name", given_name.is_none().then_some("given-name-missing"));
    wrong("family_name", family_name.is_none().then_some("family-name-missing"));
    wrong("email", email.is_none().then_some("email-invalid"));
    wrong("password", problem.map(|problem| problem.key));
    Err(Box::new(page))
}

/// `POST /register`: anybody, within the limits on mails. Twice at once leaves one account and one live link.
pub async fn post(
    State(app): State<Shared>,
    Extension(visit): Extension<Visit>,
    Posted(fields): Posted,
) -> Response {
    let started = Instant::now();
    if !app.config.accounts.registration {
        return app.not_found(&visit);
    }
    run(&app, &visit, async {
        let client_id = client_of_journey(&app, &visit).await?;
        let filled = match check(&app, &visit, &fields) {
            Ok(filled) => filled,
            Err(page) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                return Ok(app.page(&visit, client_id.as_deref(), status, "idp/register.html", &*page));
            }
        };
        if !app.may_mail(&visit, &filled.email).await? {
            return Ok(app.too_many(&visit, Duration::from_hours(1)));
        }
        let hash = app.passwords.hash(&filled.password).await.map_err(|_| Trouble::Busy)?;
        let id = keep(&app, &visit, filled, hash, client_id.as_deref()).await?;
        tokio::time::sleep_until((started + ANSWER_TAKES).into()).await;
        Ok(see_other(&format!("{}?page={id}", path::REGISTER_SENT)))
    })
    .await
}

/// Adds the account, or tells the owner of a known address; returns the waiting page.
async fn keep(
    app: &Shared,
    visit: &Visit,
    filled: Filled,
    hash: String,
    client_id: Option<&str>,
) -> Result<String, Trouble> {
    let new = NewAccount {
        given_name: filled.given_name,
        family_name: filled.family_name,
        email: filled.email.clone(),
        email_is_confirmed: false,
        username: None,
        password_hash: Some(hash),
        phone_sealed: None,
        role: Role::User,
        organisation: None,
        language: visit.language,
    };
    let mut known = app.store.account_by_email(&filled.email).await?;
    if known.is_none() {
        let mut write = app.store.begin_write().await?;
        match app.store.insert_account(&mut write, &new).await {
            Ok(id) => {
                app.store.note(&mut write, Event::Registered, &id, client_id, "").await?;
                write.commit().await?;
            }
            // Somebody registered the same address at the same moment.
            Err(error) if error.is_unique_violation() => drop(write),
            Err(error) => return Err(error.into()),
        }
        known = app.store.account_by_email(&filled.email).await?;
    }
    let account = known.ok_or_else(|| Trouble::Other("a registered account is gone".into()))?;
    let journey = visit.query("journey");
    let journey = (!journey.is_empty()).then_some(journey.as_str());
    let (page_id, _) =
        app.open_waiting_page(visit, &filled.email, Some(&account), client_id, journey).await?;
    let mut write = app.store.begin_write().await?;
    if app.store.replace_unconfirmed(&mut write, &account.id, &new).await? {
        let renamed = Account { given_name: new.given_name.clone(), language: new.language, ..account };
        app.mail_link(&mut write, Purpose::Confirm, &renamed, &page_id, client_id).await?;
    } else {
        let link = match client_id {
            Some(_) => app.registry.portal_of(client_id).url.clone(),
            None => app.url(path::SIGNIN),
        };
        app.notify(&mut write, Mail::AlreadyRegistered, &account, client_id, |notice| notice.link = link)
            .await?;
    }
    write.commit().await?;
    app.delivery.wake();
    Ok(page_id)
}

/// `GET /register/sent`: the browser that registered, or one whose sign-in waits for the confirmation.
pub async fn sent(State(app): State<Shared>, Extension(visit): Extension<Visit>) -> Response {
    run(&app, &visit, async {
        if let Some(mut open) = app.journey_of(&visit).await? {
            return confirm_in_journey(&app, &visit, &mut open).await;
        }
        app.show_waiting(&visit, Purpose::Confirm, None).await
    })
    .await
}

/// Somebody signed in whose address is not confirmed yet: the mail is sent again and waited for.
async fn confirm_in_journey(
    app: &Shared,
    visit: &Visit,
    open: &mut crate::ephemeral::journeys::Open,
) -> Result<Response, Trouble> {
    let assessment = app.assess(visit, &open.journey).await?;
    let (crate::journey::Next::Ask(crate::journey::Step::ConfirmMail), Some(account)) =
        (assessment.next, assessment.account)
    else {
        return app.resume(visit, open.clone()).await;
    };
    let client_id = open.journey.client_id.clone();
    if let Some(id) = &open.journey.confirm_page {
        return Ok(see_other(&format!("{}?page={id}", path::REGISTER_SENT)));
    }
    if !app.may_mail(visit, &account.email).await? {
        return Ok(app.too_many(visit, Duration::from_hours(1)));
    }
    let (id, _) = app
        .open_waiting_page(visit, &account.email, Some(&account), client_id.as_deref(), Some(&open.id))
        .await?;
    open.journey.confirm_page = Some(id.clone());
    if crate::ephemeral::journeys::save(&app.ephemeral, open, app.journey_lifetime()).await? {
        let mut write = app.store.begin_write().await?;
        app.mail_link(&mut write, Purpose::Confirm, &account, &id, client_id.as_deref()).await?;
        write.commit().await?;
        app.delivery.wake();
    }
    Ok(see_other(&format!("{}?page={id}", path::REGISTER_SENT)))
}

/// `POST /register/sent`: the code of the mail, typed; five tries for each mail.
pub async fn type_code(
    State(app): State<Shared>,
    Extension(visit): Extension<Visit>,
    Posted(fields): Posted,
) -> Response {
    run(&app, &visit, async {
        match app.token_for(&visit, Purpose::Confirm, fields.trimmed("code")).await? {
            Ok(token) => confirm(&app, &visit, &token).await,
            Err(page) => Ok(page),
        }
    })
    .await
}

/// `POST /register/resend`: after a wait, within the limits on mails.
pub async fn resend(State(app): State<Shared>, Extension(visit): Extension<Visit>, _: Posted) -> Response {
    run(&app, &visit, app.resend_mail(&visit, Purpose::Confirm)).await
}

/// `GET /confirm`: shows a button and changes nothing, however often a mail scanner opens it.
pub async fn confirm_page(State(app): State<Shared>, Extension(visit): Extension<Visit>) -> Response {
    run(&app, &visit, async {
        let token = visit.query("token");
        let Some(link) = app.store.peek_mail_link(Purpose::Confirm, &token).await? else {
            return Ok(app.link_invalid(&visit));
        };
        let page = ConfirmPage { action: path::CONFIRM, token };
        Ok(app.page(&visit, link.client_id.as_deref(), StatusCode::OK, "idp/confirm.html", &page))
    })
    .await
}

/// `POST /confirm`: the button; the link works once.
pub async fn confirm_post(
    State(app): State<Shared>,
    Extension(visit): Extension<Visit>,
    Posted(fields): Posted,
) -> Response {
    run(&app, &visit, confirm(&app, &visit, fields.trimmed("token"))).await
}

async fn confirm(app: &Shared, visit: &Visit, token: &str) -> Result<Response, Trouble> {
    let mut write = app.store.begin_write().await?;
    let Some(link) = app.store.use_mail_link(&mut write, Purpose::Confirm, token).await? else {
        drop(write);
        return Ok(app.link_invalid(visit));
    };
    if app.store.confirm_email(&mut write, &link.account_id).await? {
        app.store.note(&mut write, Event::Confirmed, &link.account_id, link.client_id.as_deref(), "").await?;
    }
    write.commit().await?;
    back_to_signin(app, visit, &link.account_id, link.client_id, "confirmed").await
}

/// Back at the sign-in page, with the portal that the person came from, in this browser or another one.
///
/// # Errors
/// A backend's.
pub async fn back_to_signin(
    app: &Shared,
    visit: &Visit,
    account_id: &AccountId,
    client_id: Option<String>,
    notice: &str,
) -> Result<Response, Trouble> {
    let kept = app.ephemeral.get(&app.return_key(visit, account_id)).await?.map(|kept| kept.value);
    let journey = match kept {
        Some(id) => crate::ephemeral::journeys::open(&app.ephemeral, &id, &visit.browser).await?,
        None => None,
    };
    let open = match journey {
        Some(open) => open,
        None => app.begin_journey(visit, None, client_id).await?,
    };
    Ok(see_other(&format!("{}&notice={notice}", journey_url(path::SIGNIN_PASSWORD, &open.id))))
}
