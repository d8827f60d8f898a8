//! Proving who signs in, by whatever proof: how often an address may try, and what follows once it is known: the journey is
//! theirs, and begins anew with it.

use std::time::Duration;

use axum::response::Response;
use platform::ephemeral::{Limit, Reserved};
use platform::request::{PUBLIC_COOKIE, RequestContext, append};

use crate::app::{App, Shared};
use crate::domain::account::Account;
use crate::domain::device::Device;
use crate::domain::journey::{Method, Proofs};
use crate::http::{AppError, names};
use crate::store::ephemeral::journeys::Open;

impl App {
    /// Takes one of the tries that an address has to prove who somebody is, whatever the proof.
    ///
    /// # Errors
    /// [`AppError::TooMany`] until there is one again.
    pub(super) async fn take_try(&self, cx: &RequestContext) -> Result<Reserved, AppError> {
        let key = self.address_key("sign-in-failures", cx.address);
        let most = self.config.limits.sign_ins_per_address_per_hour;
        let limit = Limit { key: &key, most, window: Duration::from_hours(1) };
        let taken = self.ephemeral.reserve(&[limit]).await?;
        taken.map_err(|full| AppError::TooMany(full.until.since(self.clock.now())))
    }
}

/// Makes a journey the one of an account that proved itself by `method`, and goes on. What another account proved in it
/// before is void.
pub(super) async fn identified(
    app: &Shared,
    cx: &RequestContext,
    mut open: Open,
    (account, device): (Account, Option<Device>),
    method: Method,
    is_public: bool,
) -> Result<Response, AppError> {
    let journey = &mut open.journey;
    journey.credential_version = account.credential_version();
    journey.account_id = Some(account.id.clone());
    journey.proofs = Proofs::default().with(method, app.clock.now());
    journey.pending_phone = None;
    journey.code = None;
    journey.chosen = None;
    journey.public_computer = is_public;
    journey.is_bound = true;
    let cx = &cx.with_cookie(&names::bond_cookie(&open.id), &app.bond(cx, &open.id));
    // A confirmation has changed the account since it was read.
    let known = account.email_verified_at.is_some().then_some((account, device));
    let mut response = app.save_and_resume_knowing(cx, open, known).await?;
    if is_public {
        cx.make_public(&mut response, &[names::DEVICE_COOKIE]);
    } else if cx.cookie(PUBLIC_COOKIE).is_some() {
        append(&mut response, cx.front.cookies.clear(PUBLIC_COOKIE));
    }
    Ok(response)
}
