//! The whole sign-in with a passkey: no address, no password. Its question stands on the sign-in page.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use platform::ephemeral::Limit;
use platform::errors::FieldErrors;

use super::at_step::AtStep;
use super::identified::identified;
use super::passkey::{context, is_enough};
use super::password;
use crate::app::Shared;
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
    let address_key = app.address_key("sign-in-failures", cx.address);
    let most = app.config.limits.sign_ins_per_address_per_hour;
    let limit = Limit { key: &address_key, most, window: Duration::from_hours(1) };
    let reserved = match app.ephemeral.reserve(&[limit]).await? {
        Ok(reserved) => reserved,
        Err(full) => return Err(AppError::TooMany(full.until.since(app.clock.now()))),
    };
    let [sealed, answer] = [names::SEALED, names::ANSWER].map(|name| fields.get(name).unwrap_or_default());
    let context = context("sign-in", &arrived.open);
    let error = match passkeys::prove(&app, None, sealed, &context, answer).await? {
        Ok((passkey, proven)) => {
            let secret = cx.cookie(names::DEVICE_COOKIE);
            let known =
                app.store.account_and_device(&Name::Id(&passkey.account_id), secret.as_deref()).await?;
            match known.filter(|(account, _)| account.blocked_at.is_none()) {
                Some((account, device)) if passkeys::use_up(&app, &proven).await? => {
                    app.ephemeral.give_back(reserved).await?;
                    let method = Method::Passkey { synced: passkey.backup.is_eligible() };
                    let is_public = fields.get(names::PUBLIC_COMPUTER).is_some();
                    return identified(&app, &cx, arrived.open, (account, device), method, is_public).await;
                }
                _ => FAILED,
            }
        }
        Err(error) => error,
    };
    app.outcomes.refused_try(error);
    password::page(&app, &cx, &arrived, FieldErrors::of("", error)).await
}
