//! The end of a sign-in: session, remembered device, grant and code, in one write transaction.

use std::time::Duration;

use axum::response::Response;
use platform::clock::Timestamp;
use platform::request::{RequestContext, append};

use super::assess::Assessment;
use crate::app::notices::Mail;
use crate::app::{ServiceError, Shared};
use crate::config::RegisteredClient;
use crate::domain::account::Account;
use crate::domain::journey::{Facts, Journey};
use crate::effects::sessions::end_session_by;
use crate::http::AppError;
use crate::http::browser;
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::protocol::error::INVALID_REQUEST_URI;
use crate::store::audit::Event;
use crate::store::ephemeral::journeys::{self, Open};
use crate::store::ephemeral::pushed;
use crate::store::grants::{GrantDetails, NewGrant};
use crate::store::sessions::{Session, SignedIn};

/// How long the browser keeps the device cookie; what it is worth is decided here.
const DEVICE_COOKIE_LIFETIME: Duration = Duration::from_hours(400 * 24);

/// What is to be done once the transaction has been committed: cookies to set.
#[derive(Default)]
struct Afterwards {
    session: Option<String>,
    device: Option<String>,
}

/// The browser in which a sign-in ends.
struct Here {
    label: String,
    /// The session that it had.
    session: Option<Session>,
    /// The device that it is to the account.
    device_id: Option<String>,
}

/// Issues what the journey was for. Of two requests that end the same journey at once only one issues; the
/// other one goes on from what the first one left.
///
/// # Errors
/// A backend's; nothing was issued then.
pub(crate) async fn finish(
    app: &Shared,
    cx: &RequestContext,
    open: Open,
    assessment: Assessment,
) -> Result<Response, AppError> {
    let journey = &open.journey;
    let proved_at = journey.proofs.authenticated_at();
    let (Some(account), Some(facts), Some(auth_time)) = (&assessment.account, &assessment.facts, proved_at)
    else {
        return Err(AppError::JourneyExpired(journey.client_id.clone()));
    };
    let pushed_as = journey.request.as_ref().and_then(|request| request.pushed_as.as_deref());
    // The one that ends the journey issues. Where journeys are rows of this database, that is a part of the transaction. Of
    // a journey that was kept nowhere there is but this request.
    let within = open.is_kept() && pushed_as.is_none();
    let finishes = within.then(|| journeys::finish_within(&app.ephemeral, &open)).flatten();
    if open.is_kept() && finishes.is_none() && !journeys::finish(&app.ephemeral, &open).await? {
        return app.resume_after_race(cx, &open.id).await;
    }
    if let (Some(request), Some(id)) = (&journey.request, pushed_as)
        && !pushed::use_up(&app.ephemeral, id, app.journey_lifetime() * 2).await?
    {
        return Ok(app.answer_error(cx, &request.return_address, INVALID_REQUEST_URI));
    }
    let current = match &open.read {
        // Whether it still lives is asked again where it is held.
        Some(read) => Some(read.session.clone()),
        None => app.session_of(cx).await?,
    };
    let held = app.store.begin_holding(&account.id, account.password_hash.as_deref(), finishes).await?;
    let Some(mut write) = held else {
        // The password was changed, the account blocked, or the journey went on, after they were read.
        if open.is_kept() {
            return app.resume_after_race(cx, &open.id).await;
        }
        return app.resume(cx, open.as_it_was()).await;
    };
    let mut after = Afterwards::default();
    let device_id = keep_device(app, cx, &mut write, journey, &assessment, account, &mut after).await?;
    let here = Here { label: browser::label(cx), session: current, device_id };
    let Some(session_id) = keep_session(app, &mut write, journey, account, here, &mut after).await? else {
        return Err(AppError::JourneyExpired(journey.client_id.clone()));
    };
    let mut code = None;
    if let Some(request) = &journey.request {
        let fresh = app.random.token();
        let details = GrantDetails {
            nonce: request.nonce.clone(),
            acr: acr(app, &assessment, journey, facts),
            amr: journey.proofs.amr(),
            auth_time,
            claims: request.claims.clone(),
            resource: request.resource.clone(),
            jkt: request.dpop_jkt.clone(),
        };
        let grant = NewGrant {
            session_id: &session_id,
            account_id: &account.id,
            client_id: &request.client_id,
            redirect_uri: request.return_address.redirect_uri(),
            scope: &request.scope,
            code_challenge: request.code_challenge.as_deref(),
            details: &details,
            code: &fresh,
            code_lifetime: Duration::from_secs(app.config.tokens.code_seconds.into()),
        };
        app.store.insert_grant(&mut write, &grant)?;
        code = Some(fresh);
    }
    if after.session.is_some() {
        app.store.note(&mut write, Event::SignedIn, &account.id, journey.client_id.as_deref(), "");
    }
    write.commit().await?;

    let outcome = if after.session.is_some() { "signed_in" } else { "signed_in_silently" };
    app.outcomes.sign_in(&assessment.portal.id, outcome);
    let mut response = match (&journey.request, code) {
        (Some(request), Some(code)) => app.answer(cx, &request.return_address, &[("code", &code)]),
        _ => see_other(&where_to(app, journey, assessment.client.as_deref())),
    };
    if journey.is_bound {
        append(&mut response, cx.front.cookies.clear(&names::bond_cookie(&open.id)));
    }
    if let Some(secret) = after.session {
        append(&mut response, cx.front.cookies.set(names::SESSION_COOKIE, &secret, None));
    }
    if let Some(secret) = after.device {
        let lifetime = Some(DEVICE_COOKIE_LIFETIME);
        append(&mut response, cx.front.cookies.set(names::DEVICE_COOKIE, &secret, lifetime));
    }
    Ok(response)
}

/// The name of the rung that was reached, as the portal counts it.
fn acr(app: &Shared, assessment: &Assessment, journey: &Journey, facts: &Facts) -> String {
    let levels = assessment.portal.policy.second_factor.levels;
    app.config.acr.name(journey.proofs.assurance(levels, facts.device_trusted)).to_owned()
}

/// Where a sign-in without a portal's request ends: at the page that wanted it, at the portal that it was for, or at
/// the account page.
fn where_to(app: &Shared, journey: &Journey, client: Option<&RegisteredClient>) -> String {
    if let Some(page) = &journey.step_up_to {
        return page.clone();
    }
    client
        .and_then(|client| {
            // OpenID Connect Core section 4: `iss` tells the client where to send the request.
            let mut url = url::Url::parse(client.client.initiate_login_uri.as_deref()?).ok()?;
            url.query_pairs_mut().append_pair("iss", &app.config.issuer);
            Some(url.into())
        })
        .unwrap_or_else(|| paths::ACCOUNT.to_owned())
}

/// Makes the device known to the account, unless the person said that this computer is a public one: a known
/// device has its own count of failures, so strangers cannot lock its owner out. After a fresh code, where the
/// portal remembers devices, it is trusted as well and makes the code unnecessary for a while.
async fn keep_device(
    app: &Shared,
    cx: &RequestContext,
    write: &mut platform::db::Write,
    journey: &Journey,
    assessment: &Assessment,
    account: &Account,
    after: &mut Afterwards,
) -> Result<Option<String>, ServiceError> {
    let known = assessment.device.as_ref();
    let is_new = |at: Option<Timestamp>| at.is_some_and(|at| at >= journey.created_at);
    let remembered =
        assessment.portal.policy.remembers().filter(|_| is_new(journey.proofs.second_factor_at()));
    let meets = known.is_none() && is_new(journey.proofs.authenticated_at());
    if journey.public_computer || !(remembered.is_some() || meets) {
        if let Some(device) = known {
            app.store.touch_device(write, &device.id);
        }
        return Ok(known.map(|device| device.id.clone()));
    }
    let (brought, secret) = (cx.cookie(names::DEVICE_COOKIE), app.random.token());
    let label = browser::label(cx);
    let (id, is_new) =
        app.store.trust_device(write, &account.id, brought.as_deref(), &secret, &label, remembered).await?;
    if is_new {
        let client_id = journey.client_id.as_deref();
        app.store.note(write, Event::DeviceRemembered, &account.id, client_id, &label);
        app.notify(write, Mail::NewDevice, account, client_id, |notice| notice.device = label).await?;
    }
    after.device = Some(secret);
    Ok(Some(id))
}

/// The session of this sign-in: the one the browser has if nothing was proved anew; else the same one under
/// a new secret, or a new one. `None` if the session ended while the person was on the way.
async fn keep_session(
    app: &Shared,
    write: &mut platform::db::Write,
    journey: &Journey,
    account: &Account,
    here: Here,
    after: &mut Afterwards,
) -> Result<Option<String>, ServiceError> {
    let proofs = &journey.proofs;
    if proofs.renewed_at().is_none_or(|at| at < journey.created_at) {
        // Single sign-on stands on the session; without it there is nothing.
        let same = here.session.filter(|session| Some(&session.id) == journey.session_id.as_ref());
        let Some(session) = same else { return Ok(None) };
        let lives = app.store.hold_session(write, &session.id, journey.is_silent()).await?;
        return Ok(lives.then_some(session.id));
    }
    let secret = app.random.token();
    let signed_in = SignedIn {
        account_id: &account.id,
        device_id: here.device_id.as_deref(),
        label: &here.label,
        proofs: proofs.for_session(),
        lifetime: Duration::from_hours(app.config.sessions.absolute_hours.into()),
    };
    let mut kept = None;
    if let Some(session) = here.session {
        if session.account_id == account.id
            && app.store.renew_session(write, &session.id, &secret, &signed_in).await?
        {
            kept = Some(session.id);
        } else if session.account_id != account.id {
            // Somebody else signs in at this browser: the other one's session ends.
            end_session_by(app, write, &session.id, Some(&account.id)).await?;
        }
    }
    let id = match kept {
        Some(id) => id,
        None => app.store.insert_session(write, &secret, &signed_in),
    };
    after.session = Some(secret);
    Ok(Some(id))
}
