//! The whole sign-in with a passkey: no address, no password. Its question stands on the sign-in page.

use axum::extract::State;
use axum::response::Response;
use platform::errors::FieldErrors;
use platform::request::{Fields, RequestContext};

use super::at_step::{Arrived, AtStep};
use super::identified::identified;
use super::passkey::{context, is_enough};
use super::password;
use crate::app::{ServiceError, Shared};
use crate::domain::account::Account;
use crate::domain::device::Device;
use crate::domain::journey::Method;
use crate::http::names;
use crate::http::{AppError, Form};
use crate::store::accounts::Name;
use crate::verification::passkeys::{self, FAILED};

/// `POST /signin/with-passkey`: anybody at the sign-in page, as often as an address may fail; each question takes one answer.
/// An account that is blocked is as one that is not there. A lock after wrong passwords is none for a key that nobody guesses.
pub async fn post(
    State(app): State<Shared>,
    Form(AtStep { cx, arrived, .. }, fields): Form<AtStep<password::Here>>,
) -> Result<Response, AppError> {
    if !is_enough(&arrived) {
        return password::page(&app, &cx, &arrived, FieldErrors::of("", FAILED)).await;
    }
    // Taken first, and given back unless it proved nothing: a failure of ours is nobody's try.
    let taken = app.take_try(&cx).await?;
    let given = known(&app, &cx, &arrived, &fields).await;
    if !matches!(given, Ok(Err(_))) {
        app.ephemeral.give_back(taken).await?;
    }
    let error = match given? {
        Ok((who, method)) => {
            let is_public = fields.get(names::PUBLIC_COMPUTER).is_some();
            return identified(&app, &cx, arrived.open, who, method, is_public).await;
        }
        Err(error) => error,
    };
    app.outcomes.refused_try(error);
    password::page(&app, &cx, &arrived, FieldErrors::of("", error)).await
}

/// Who an answer is of, with the device that this browser is to them, and what it proved; else the text key that says what
/// is wrong.
type Known = Result<((Account, Option<Device>), Method), &'static str>;

async fn known(
    app: &Shared,
    cx: &RequestContext,
    arrived: &Arrived,
    fields: &Fields,
) -> Result<Known, ServiceError> {
    let [sealed, answer] = [names::SEALED, names::ANSWER].map(|name| fields.get(name).unwrap_or_default());
    let context = context("sign-in", &arrived.open);
    let (passkey, proven) = match passkeys::prove(app, None, sealed, &context, answer).await? {
        Ok(proof) => proof,
        Err(error) => return Ok(Err(error)),
    };
    let secret = cx.cookie(names::DEVICE_COOKIE);
    let found = app.store.account_and_device(&Name::Id(&passkey.account_id), secret.as_deref()).await?;
    let Some(who) = found.filter(|(account, _)| account.blocked_at.is_none()) else {
        return Ok(Err(FAILED));
    };
    let is_first = passkeys::use_up(app, &proven).await?;
    Ok(if is_first {
        Ok((who, Method::Passkey { synced: passkey.backup.is_eligible() }))
    } else {
        Err(FAILED)
    })
}
