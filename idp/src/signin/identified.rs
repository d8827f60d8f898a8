//! What follows once it is known who signs in, by whatever proof: the journey is theirs, and begins anew with it.

use axum::response::Response;
use platform::request::{PUBLIC_COOKIE, RequestContext, append};

use crate::app::Shared;
use crate::domain::account::Account;
use crate::domain::device::Device;
use crate::domain::journey::{Method, Proofs};
use crate::http::{AppError, names};
use crate::store::ephemeral::journeys::Open;

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
