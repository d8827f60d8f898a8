//! Another phone number: a code on the new one, after a fresh sign-in with a code on the old one. The old number and
//! the holder's address are told, and remembered devices ask for a code again.

use std::time::Duration;

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::Response;
use platform::errors::FieldErrors;
use platform::request::RequestContext;
use serde::Serialize;

use super::fresh::{Fresh, FreshOrKept};
use crate::app::{ServiceError, Shared};
use crate::domain::account::Account;
use crate::domain::journey::Proofs;
use crate::domain::phone::PhoneNumber;
use crate::effects::{Change, Consequences};
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::paths::{journey_in, journey_url};
use crate::http::{AppError, Caller, Form, SignedIn};
use crate::signin::code::{CodePage, code_page};
use crate::store::ephemeral::journeys::{self, Open};
use crate::verification::codes::{self, Sending, Try};

/// `idp/account_phone.html`
#[derive(Clone, Debug, Serialize)]
pub struct PhonePage {
    pub action: &'static str,
    pub phone: String,
    pub errors: FieldErrors,
}

impl PhonePage {
    pub fn sample() -> Self {
        Self {
            action: paths::ACCOUNT_PHONE,
            phone: "020 1234567".into(),
            errors: FieldErrors::of("phone", "phone-not-dutch-mobile"),
        }
    }
}

fn page(app: &Shared, cx: &RequestContext, typed: &str, error: Option<&'static str>) -> Response {
    let errors = FieldErrors::default().and("phone", error);
    let page = PhonePage { action: paths::ACCOUNT_PHONE, phone: typed.chars().take(40).collect(), errors };
    app.page(cx, None, page.errors.status(), "idp/account_phone.html", &page)
}

/// `GET /account/phone`: the holder, freshly signed in.
pub async fn get(State(app): State<Shared>, Fresh(SignedIn { cx, .. }): Fresh) -> Result<Response, AppError> {
    let kept = app.kept_form(&cx).await?;
    Ok(page(&app, &cx, &kept.plain(names::PHONE), None))
}

/// `POST /account/phone`: the holder, freshly signed in; sends a code, within the limits for numbers and accounts.
pub async fn post(
    State(app): State<Shared>,
    Form(FreshOrKept(SignedIn { cx, account, .. }), fields): Form<FreshOrKept>,
) -> Result<Response, AppError> {
    let typed = fields.plain(names::PHONE);
    let typed = typed.as_str();
    if typed.is_empty() {
        return Ok(page(&app, &cx, "", Some("phone-empty")));
    }
    let Ok(number) = PhoneNumber::parse(typed) else {
        return Ok(page(&app, &cx, typed, Some("phone-not-dutch-mobile")));
    };
    let current = account.verified_phone().map(|sealed| app.store.open_phone(sealed)).transpose()?;
    if current.as_deref() == Some(number.e164()) {
        return Ok(page(&app, &cx, typed, Some("phone-same")));
    }
    // The code of this change is kept as that of a sign-in is, in a journey that has proved nothing.
    let mut open = app.begin_journey(&cx, None, None).await?;
    open.journey.proofs = Proofs::default();
    open.journey.pending_phone = Some(app.store.seal_phone(number.e164()));
    if app.keep_journey(&cx, &mut open).await? {
        codes::send(&app, &mut open, &account).await?;
    }
    Ok(see_other(&journey_url(paths::ACCOUNT_PHONE_CODE, &open.id)))
}

/// The change of this browser's holder whose code is waited for; anybody else is sent on.
pub struct Changing {
    cx: RequestContext,
    open: Open,
    account: Account,
}

impl Changing {
    async fn of(app: &Shared, caller: &RequestContext) -> Result<Self, AppError> {
        let Some(SignedIn { cx, account, .. }) = SignedIn::of(app, caller).await? else {
            return Err(AppError::instead(see_other(paths::SIGNIN)));
        };
        let open = app.journey_of(&cx).await?.filter(|open| {
            open.journey.account_id.as_ref() == Some(&account.id)
                && open.journey.pending_phone.is_some()
                && open.journey.proofs == Proofs::default()
        });
        if let Some(open) = open {
            return Ok(Self { cx, open, account });
        }
        let mut there = see_other(paths::ACCOUNT_PHONE);
        if journeys::finished(&app.ephemeral, &journey_in(&cx)).await?.is_some() {
            // A second click finds the change done, if the first one got that far.
            let lately = app.clock.now().minus(Duration::from_mins(10));
            let account = app.store.account(&account.id).await?;
            if account.and_then(|account| account.phone_verified_at) > Some(lately) {
                there = done();
            }
        }
        Err(AppError::instead(there))
    }
}

impl FromRequestParts<Shared> for Changing {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, AppError> {
        let Caller(cx) = Caller::from_request_parts(parts, app).await?;
        Self::of(app, &cx).await
    }
}

async fn show_code(
    app: &Shared,
    Changing { cx, open, account }: &Changing,
    error: Option<&'static str>,
) -> Result<Response, AppError> {
    let page = CodePage {
        action: journey_url(paths::ACCOUNT_PHONE_CODE, &open.id),
        resend_action: journey_url(paths::ACCOUNT_PHONE_RESEND, &open.id),
        another_number_url: Some(paths::ACCOUNT_PHONE.to_owned()),
        back_url: Some(paths::ACCOUNT),
        step: 0,
        steps: 0,
        ..code_page(app, cx, open, account, error).await?
    };
    let cx = cx.at(&page.action);
    Ok(app.page(&cx, None, page.errors.status(), "idp/signin_code.html", &page))
}

/// `GET /account/phone/code`: the holder who gave the number.
pub async fn code_get(State(app): State<Shared>, changing: Changing) -> Result<Response, AppError> {
    show_code(&app, &changing, None).await
}

/// `POST /account/phone/code`: five wrong ones end a code; the right one changes the number once.
pub async fn code_post(
    State(app): State<Shared>,
    Form(mut changing, fields): Form<Changing>,
) -> Result<Response, AppError> {
    let typed = fields.get(names::CODE).unwrap_or_default();
    for _ in 0..20 {
        match codes::give(&app, &mut changing.open, &changing.account, typed).await? {
            Try::Right => {
                if let Some(done) = change(&app, &changing.open, &changing.account).await? {
                    return Ok(done);
                }
            }
            Try::Refused(error) => return show_code(&app, &changing, Some(error)).await,
            Try::Overtaken => {}
        }
        // Another try was first: the journey is read anew.
        changing = Changing::of(&app, &changing.cx).await?;
    }
    Err(AppError::TooMany(Duration::from_secs(5)))
}

/// `POST /account/phone/resend`: after a wait, within the day's limits.
pub async fn resend(
    State(app): State<Shared>,
    Form(mut changing, fields): Form<Changing>,
) -> Result<Response, AppError> {
    let resent = format!("{}&resent=1", journey_url(paths::ACCOUNT_PHONE_CODE, &changing.open.id));
    if fields.get(names::AFTER).is_some_and(|shown| shown != codes::mark(&changing.open)) {
        // The second click on a page whose first one has sent a code.
        return Ok(see_other(&resent));
    }
    match codes::send(&app, &mut changing.open, &changing.account).await? {
        Sending::TooSoon => show_code(&app, &changing, Some("resend-too-soon")).await,
        Sending::LimitReached => show_code(&app, &changing, None).await,
        Sending::Sent | Sending::Overtaken => Ok(see_other(&resent)),
    }
}

fn done() -> Response {
    see_other(&format!("{}?notice=phone", paths::ACCOUNT))
}

/// Changes the number and ends the journey, both or neither; `None` if another request ended it, or the account was
/// blocked or given another password meanwhile. Where journeys are kept apart, the last thing before the commit is to
/// end it: who finds it ended then may find the number unchanged, if the commit failed.
async fn change(app: &Shared, open: &Open, account: &Account) -> Result<Option<Response>, ServiceError> {
    let Some(sealed) = open.journey.pending_phone.as_deref() else { return Ok(Some(done())) };
    let finishes = journeys::finish_within(&app.ephemeral, open);
    let is_apart = finishes.is_none();
    let held = app.store.begin_holding(&account.id, account.password_hash.as_deref(), finishes).await?;
    let Some(mut write) = held else { return Ok(None) };
    app.store.change_phone(&mut write, &account.id, sealed).await?;
    let has_another = account.verified_phone().is_some();
    let change = if has_another { Change::PhoneChanged } else { Change::PhoneAdded };
    Consequences::of(change, account).carry_out(app, &mut write).await?;
    if is_apart && !journeys::finish(&app.ephemeral, open).await? {
        return Ok(None);
    }
    write.commit().await?;
    Ok(Some(done()))
}
