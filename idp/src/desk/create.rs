//! An account for somebody else: the form, and what is wrong with what was filled in.

use axum::extract::State;
use axum::response::Response;
use platform::errors::FieldErrors;
use platform::language::Language;
use platform::request::{Fields, RequestContext};
use serde::Serialize;

use super::{ACCOUNTS_PER_DAY, DAY, FreshStaff, MAILS_PER_DAY, Staff, guess, member_url};
use crate::app::{App, ServiceError, Shared};
use crate::domain::account::{Account, EmailAddress, Role, Username, parse_name};
use crate::domain::phone::PhoneNumber;
use crate::domain::reason::{Reason, ReasonError};
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::{AppError, Form};
use crate::signin::register::{email_error, name_error};
use crate::store::audit::Event;
use crate::verification::invitations::{By, Invitation, Taken};

/// `idp/desk_create.html`
#[derive(Clone, Debug, Serialize)]
pub struct CreatePage {
    pub action: &'static str,
    pub back_url: &'static str,
    pub given_name: String,
    pub family_name: String,
    pub email: String,
    pub username: String,
    pub phone: String,
    pub language: String,
    pub reason: String,
    pub ask_username: bool,
    pub phone_required: bool,
    pub errors: FieldErrors,
    /// The account of this organisation that has the address already.
    pub existing_url: Option<String>,
}

impl CreatePage {
    pub fn sample() -> Self {
        let errors = FieldErrors::of("given_name", "given-name-missing")
            .and("family_name", Some("name-signs"))
            .and("email", Some("desk-email-taken-here"))
            .and("username", Some("desk-username-taken"))
            .and("phone", Some("phone-not-dutch-mobile"))
            .and("language", Some("desk-language-missing"))
            .and("reason", Some("desk-reason-number"));
        Self {
            action: paths::DESK_NEW,
            back_url: paths::DESK,
            given_name: "Anna".into(),
            family_name: "de Vries".into(),
            email: "anna@example.nl".into(),
            username: "avries".into(),
            phone: "020 1234567".into(),
            language: "nl".into(),
            reason: "nieuwe bewoner".into(),
            ask_username: true,
            phone_required: true,
            errors,
            existing_url: Some("/desk/accounts/P_jtDsxVtO5kTwSkd6PHBg".into()),
        }
    }

    fn new(app: &App, fields: &Fields) -> Self {
        let typed = |name: &str, most: usize| fields.line(name).chars().take(most).collect::<String>();
        Self {
            action: paths::DESK_NEW,
            back_url: paths::DESK,
            given_name: typed(names::GIVEN_NAME, 80),
            family_name: typed(names::FAMILY_NAME, 80),
            email: typed(names::EMAIL, 254),
            username: typed(names::USERNAME, 64),
            phone: typed(names::PHONE, 40),
            language: Language::from_tag(fields.trimmed(names::LANGUAGE))
                .unwrap_or_default()
                .tag()
                .to_owned(),
            reason: typed(names::REASON, 300),
            ask_username: app.asks_username(),
            phone_required: app.asks_phone(),
            errors: FieldErrors::default(),
            existing_url: None,
        }
    }

    fn show(&self, app: &App, cx: &RequestContext) -> Response {
        app.page(cx, None, self.errors.status(), "idp/desk_create.html", self)
    }
}

/// What is wrong with a reason, as a text key.
pub(super) fn reason_error(error: ReasonError) -> &'static str {
    match error {
        ReasonError::Missing => "desk-reason-missing",
        ReasonError::TooLong => "desk-reason-long",
        ReasonError::Number => "desk-reason-number",
    }
}

/// What is wrong with an address that another account has.
pub(super) fn taken_error(staff: &Staff, owner: &Account) -> &'static str {
    if is_elsewhere(staff, owner) { "desk-email-taken" } else { "desk-email-taken-here" }
}

/// Whether an account is none that staff may know of: one of somebody else's organisation, of staff or of a person who
/// registered.
pub(super) fn is_elsewhere(staff: &Staff, owner: &Account) -> bool {
    owner.role != Role::User || owner.organisation.as_ref() != Some(&staff.organisation)
}

/// What was filled in, once it is good.
fn check(app: &App, staff: &Staff, fields: &Fields) -> Result<(Invitation, Reason), Box<CreatePage>> {
    let mut page = CreatePage::new(app, fields);
    let given_name = parse_name(fields.trimmed(names::GIVEN_NAME))
        .map_err(|error| name_error(error, "given-name-missing"));
    let family_name = parse_name(fields.trimmed(names::FAMILY_NAME))
        .map_err(|error| name_error(error, "family-name-missing"));
    let email = EmailAddress::parse(fields.trimmed(names::EMAIL)).ok_or_else(|| email_error(fields));
    let username = if page.ask_username {
        let invalid = if fields.plain(names::USERNAME).is_empty() {
            "desk-username-missing"
        } else {
            "desk-username-invalid"
        };
        Username::parse(fields.trimmed(names::USERNAME)).ok_or(invalid).map(Some)
    } else {
        Ok(None)
    };
    let phone = match fields.plain(names::PHONE).as_str() {
        "" if page.phone_required => Err("desk-phone-missing"),
        "" => Ok(None),
        typed => PhoneNumber::parse(typed).map(Some).map_err(|_| "phone-not-dutch-mobile"),
    };
    let language = Language::from_tag(fields.trimmed(names::LANGUAGE)).ok_or("desk-language-missing");
    let reason = Reason::parse(fields.trimmed(names::REASON)).map_err(reason_error);
    page.errors = FieldErrors::default()
        .and("given_name", given_name.as_ref().err().copied())
        .and("family_name", family_name.as_ref().err().copied())
        .and("email", email.as_ref().err().copied())
        .and("username", username.as_ref().err().copied())
        .and("phone", phone.as_ref().err().copied())
        .and("language", language.as_ref().err().copied())
        .and("reason", reason.as_ref().err().copied());
    match (given_name, family_name, email, username, phone, language, reason) {
        (Ok(given_name), Ok(family_name), Ok(email), Ok(username), Ok(phone), Ok(language), Ok(reason)) => {
            let organisation = staff.organisation.clone();
            let invitation =
                Invitation { given_name, family_name, email, username, phone, language, organisation };
            Ok((invitation, reason))
        }
        _ => Err(Box::new(page)),
    }
}

/// `GET /desk/accounts/new`: staff, freshly signed in.
pub async fn get(State(app): State<Shared>, FreshStaff(staff): FreshStaff) -> Result<Response, AppError> {
    let cx = &staff.cx;
    Ok(CreatePage::new(&app, &app.kept_form(cx).await?).show(&app, cx))
}

/// `POST /desk/accounts/new`: staff, freshly signed in, within the day's limits. Of two at once one makes the account;
/// the other one ends at it too.
pub async fn post(
    State(app): State<Shared>,
    Form(FreshStaff(staff), fields): Form<FreshStaff>,
) -> Result<Response, AppError> {
    let cx = &staff.cx;
    let (invitation, reason) = match check(&app, &staff, &fields) {
        Ok(filled) => filled,
        Err(page) => return Ok(page.show(&app, cx)),
    };
    let id = &staff.account.id.0;
    if !app.within(&format!("desk-accounts:{id}"), ACCOUNTS_PER_DAY, DAY).await?
        || !app.within(&format!("desk-mails:{id}"), MAILS_PER_DAY, DAY).await?
    {
        return Err(AppError::DeskLimit);
    }
    let Some(right) = guess::take(&app, &staff).await? else { return Err(AppError::DeskLimit) };
    let by = By { actor: &staff.account.id, reason: &reason };
    let invited = app.invite(&invitation, by).await?;
    // A user name may be anybody's too.
    let is_elsewhere = match &invited {
        Err(Taken::Email(owner)) => is_elsewhere(&staff, owner),
        Err(Taken::Username) => true,
        Ok(_) => false,
    };
    guess::settle(&app, &staff, right, is_elsewhere).await?;
    let taken = match invited {
        Ok(id) => return Ok(see_other(&format!("{}?notice=create", member_url(&id)))),
        Err(taken) => taken,
    };
    let mut page = CreatePage::new(&app, &fields);
    match taken {
        Taken::Username => page.errors = FieldErrors::of("username", "desk-username-taken"),
        Taken::Email(owner) if made_just_now(&app, &staff, &owner).await? => {
            return Ok(see_other(&format!("{}?notice=create", member_url(&owner.id))));
        }
        Taken::Email(owner) => {
            let error = taken_error(&staff, &owner);
            page.existing_url = (error == "desk-email-taken-here").then(|| member_url(&owner.id));
            page.errors = FieldErrors::of("email", error);
        }
    }
    Ok(page.show(&app, cx))
}

/// Whether this is the account that the first of two clicks made.
async fn made_just_now(app: &App, staff: &Staff, owner: &Account) -> Result<bool, ServiceError> {
    let since = app.clock.now().minus(std::time::Duration::from_mins(1));
    let entries = app.store.audit(Some(&owner.id), 20).await?;
    Ok(entries.iter().any(|entry| {
        entry.event == Event::AccountCreated.as_str()
            && entry.actor_id.as_ref() == Some(&staff.account.id.0)
            && entry.at >= since
    }))
}
