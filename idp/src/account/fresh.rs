//! What only somebody may do who signed in a moment ago, with a code where the account has a phone: a session that was
//! left open is not enough (OWASP ASVS 5 section 7.5).

use std::time::Duration;

use axum::response::Response;
use web::clock::Timestamp;
use web::kept;
use web::request::{Fields, Visit};

use super::holder;
use crate::app::{Shared, Trouble};
use crate::domain::account::Account;
use crate::store::sessions::Session;

const FRESH: Duration = Duration::from_mins(5);

fn is_fresh(session: &Session, account: &Account, now: Timestamp) -> bool {
    let fresh = |at: Timestamp| at.plus(FRESH) > now;
    fresh(session.authenticated_at)
        && (account.verified_phone().is_none() || session.code_at.is_some_and(fresh))
}

/// As [`holder`], after a fresh sign-in; otherwise the way to one, which comes back to `page`, where a form that was `sent`
/// too late is there again.
///
/// # Errors
/// A backend's.
pub(super) async fn fresh_holder(
    app: &Shared,
    visit: &Visit,
    page: &str,
    sent: Option<&Fields>,
) -> Result<Result<(Session, Account), Response>, Trouble> {
    let identifier = match holder(app, visit).await? {
        Ok((session, account)) if is_fresh(&session, &account, app.clock.now()) => {
            return Ok(Ok((session, account)));
        }
        Ok((_, account)) => account.identifier(app.config.accounts.identifier).to_owned(),
        Err(_) => String::new(),
    };
    let page = match sent {
        Some(form) => app.keep_form(visit, page, form, true).await?,
        None => page_with_form(visit, page),
    };
    sign_in_for(app, visit, &page, &identifier).await.map(Err)
}

/// The page itself, with the form that it is to show again if it names one.
pub fn page_with_form(visit: &Visit, page: &str) -> String {
    match visit.uri.path_and_query() {
        Some(here) if here.path() == page && kept::is_back(visit) => here.as_str().to_owned(),
        _ => page.to_owned(),
    }
}

/// Begins a fresh sign-in that ends at `page`.
///
/// # Errors
/// A backend's.
pub async fn sign_in_for(
    app: &Shared,
    visit: &Visit,
    page: &str,
    identifier: &str,
) -> Result<Response, Trouble> {
    let mut open = app.begin_journey(visit, None, None).await?;
    open.journey.step_up_to = Some(page.to_owned());
    identifier.clone_into(&mut open.journey.identifier);
    app.save_and_resume(visit, open).await
}
