//! Making an account. A known address gets the same page and the same time; its owner gets a mail that says so.

pub mod confirm;

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use platform::errors::FieldErrors;
use platform::request::{Fields, RequestContext};
use serde::Serialize;

use crate::app::notices::Mail;
use crate::app::{ServiceError, Shared};
use crate::credentials::policy;
use crate::domain::account::{Account, EmailAddress, NameError, Role, parse_name};
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::paths::journey_in;
use crate::http::{AppError, Caller, Form};
use crate::store::accounts::NewAccount;
use crate::store::audit::Event;
use crate::store::mail_links::Purpose;
use crate::verification::confirmations::Registration;
use crate::verification::mail_codes::with_journey;

/// No registration is answered sooner: what was looked up on the way cannot be told from the time.
const ANSWER_TAKES: Duration = Duration::from_millis(250);

/// `idp/register.html`
#[derive(Clone, Debug, Serialize)]
pub struct RegisterPage {
    pub action: String,
    pub given_name: String,
    pub family_name: String,
    pub email: String,
    pub errors: FieldErrors,
    pub min_length: usize,
    pub rules: Vec<&'static str>,
    pub signin_url: String,
}

impl RegisterPage {
    pub fn sample() -> Self {
        Self {
            action: "/register".into(),
            given_name: "Anna".into(),
            family_name: "Bakker".into(),
            email: "anna@example.nl".into(),
            errors: FieldErrors::of("given_name", "given-name-missing")
                .and("family_name", Some("name-hidden-marks"))
                .and("email", Some("email-invalid"))
                .and("password", Some("password-too-short"))
                .with("min", &12),
            min_length: 12,
            rules: vec!["password-rule-classes"],
            signin_url: "/signin".into(),
        }
    }
}

async fn client_of_journey(app: &Shared, cx: &RequestContext) -> Result<Option<String>, ServiceError> {
    Ok(app.journey_of(cx).await?.and_then(|open| open.journey.client_id))
}

/// The form as it was filled in.
fn filled(app: &Shared, cx: &RequestContext, fields: &Fields) -> RegisterPage {
    let journey = journey_in(cx);
    RegisterPage {
        action: with_journey(paths::REGISTER, &journey),
        given_name: fields.trimmed(names::GIVEN_NAME).chars().take(80).collect(),
        family_name: fields.trimmed(names::FAMILY_NAME).chars().take(80).collect(),
        email: fields.plain(names::EMAIL).chars().take(254).collect(),
        errors: FieldErrors::default(),
        min_length: app.config.password.min_length,
        rules: policy::shown(&app.config.password),
        signin_url: with_journey(paths::SIGNIN, &journey),
    }
}

/// `GET /register`: anybody, where people may register themselves.
pub async fn get(State(app): State<Shared>, Caller(cx): Caller) -> Result<Response, AppError> {
    if !app.config.accounts.registration {
        return Err(AppError::NotFound);
    }
    let client_id = client_of_journey(&app, &cx).await?;
    let page = filled(&app, &cx, &app.kept_form(&cx).await?);
    Ok(app.page(&cx, client_id.as_deref(), StatusCode::OK, "idp/register.html", &page))
}

/// What was typed, once it is good.
struct Filled {
    given_name: String,
    family_name: String,
    email: EmailAddress,
    password: String,
}

fn check(app: &Shared, cx: &RequestContext, fields: &Fields) -> Result<Filled, Box<RegisterPage>> {
    let given_name = parse_name(fields.trimmed(names::GIVEN_NAME));
    let family_name = parse_name(fields.trimmed(names::FAMILY_NAME));
    let email = EmailAddress::parse(fields.trimmed(names::EMAIL));
    let password = fields.get(names::PASSWORD).unwrap_or_default();
    let personal =
        [fields.trimmed(names::EMAIL), fields.trimmed(names::GIVEN_NAME), fields.trimmed(names::FAMILY_NAME)];
    let problem = policy::check(password, &app.config.password, &personal).err();
    if let (Ok(given_name), Ok(family_name), Some(email), None) =
        (&given_name, &family_name, &email, &problem)
    {
        return Ok(Filled {
            given_name: given_name.clone(),
            family_name: family_name.clone(),
            email: email.clone(),
            password: password.to_owned(),
        });
    }
    let errors = FieldErrors::default()
        .and("given_name", given_name.err().map(|error| name_error(error, "given-name-missing")))
        .and("family_name", family_name.err().map(|error| name_error(error, "family-name-missing")))
        .and("email", email.is_none().then(|| email_error(fields)))
        .and("password", problem.map(|problem| problem.key))
        .with("min", &app.config.password.min_length);
    Err(Box::new(RegisterPage { errors, ..filled(app, cx, fields) }))
}

/// What is wrong with a name, as a text key; `missing` says whose it is.
pub fn name_error(error: NameError, missing: &'static str) -> &'static str {
    match error {
        NameError::Missing => missing,
        NameError::TooLong => "name-too-long",
        NameError::HiddenMarks => "name-hidden-marks",
        NameError::Signs => "name-signs",
    }
}

/// What is wrong with a refused address, as a text key.
pub fn email_error(fields: &Fields) -> &'static str {
    if fields.plain(names::EMAIL).is_empty() { "email-empty" } else { "email-invalid" }
}

/// `POST /register`: anybody, within the limits on mails. Twice at once leaves one account and one live link.
pub async fn post(
    State(app): State<Shared>,
    Form(Caller(cx), fields): Form<Caller>,
) -> Result<Response, AppError> {
    let started = Instant::now();
    if !app.config.accounts.registration {
        return Err(AppError::NotFound);
    }

    let client_id = client_of_journey(&app, &cx).await?;
    let filled = match check(&app, &cx, &fields) {
        Ok(filled) => filled,
        Err(page) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(app.page(&cx, client_id.as_deref(), status, "idp/register.html", &*page));
        }
    };
    if !app.may_mail(&cx, &filled.email, Purpose::Confirm).await? {
        return Err(AppError::TooMany(Duration::from_hours(1)));
    }
    let hash = app.passwords.hash(&filled.password).await.map_err(|_| ServiceError::Busy)?;
    let id = keep(&app, &cx, filled, hash, client_id.as_deref()).await?;
    tokio::time::sleep_until((started + ANSWER_TAKES).into()).await;
    Ok(see_other(&app.waiting_url(&cx, client_id.as_deref(), paths::REGISTER_SENT, &id)))
}

/// Adds the account, or tells the owner of a known address; returns the waiting page.
async fn keep(
    app: &Shared,
    cx: &RequestContext,
    filled: Filled,
    hash: String,
    client_id: Option<&str>,
) -> Result<String, ServiceError> {
    let new = NewAccount {
        given_name: filled.given_name,
        family_name: filled.family_name,
        email: filled.email.clone(),
        email_is_confirmed: false,
        username: None,
        password_hash: Some(hash.clone()),
        phone_sealed: None,
        role: Role::User,
        organisation: None,
        // That of the page, which is what was read.
        language: app.look(client_id).language(cx),
    };
    let mut known = app.store.account_by_email(&filled.email).await?;
    if known.is_none() {
        let mut write = app.store.begin_write().await?;
        match app.store.insert_account(&mut write, &new).await {
            Ok(id) => {
                app.store.note(&mut write, Event::Registered, &id, client_id, "");
                write.commit().await?;
            }
            // Somebody registered the same address at the same moment.
            Err(error) if error.is_unique_violation() => drop(write),
            Err(error) => return Err(error.into()),
        }
        known = app.store.account_by_email(&filled.email).await?;
    }
    let account = known.ok_or_else(|| ServiceError::Other("a registered account is gone".into()))?;
    let journey = journey_in(cx);
    let journey = (!journey.is_empty()).then_some(journey.as_str());
    let renamed = Account {
        given_name: new.given_name.clone(),
        language: new.language,
        password_hash: new.password_hash.clone(),
        ..account.clone()
    };
    let page_id = app.open_waiting_page(cx, &filled.email, Some(&renamed), client_id, journey).await?;
    let registration = Registration { page_id: page_id.clone(), password_hash: hash };
    app.keep_registration(cx, &filled.email, &registration).await?;
    let mut write = app.store.begin_write().await?;
    if app.store.replace_unconfirmed(&mut write, &account.id, &new).await? {
        app.mail_link(&mut write, Purpose::Confirm, &renamed, &page_id, client_id, None).await?;
    } else {
        let link = match client_id {
            Some(_) => app.registry.portal_of(client_id).url.clone(),
            None => app.url(paths::SIGNIN),
        };
        app.notify(&mut write, Mail::AlreadyRegistered, &account, client_id, |notice| notice.link = link)
            .await?;
    }
    write.commit().await?;
    Ok(page_id)
}
