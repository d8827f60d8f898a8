//! Where every step of a sign-in comes back to: ask what comes next and go there. No step names another.

use axum::response::Response;
use platform::request::{RequestContext, append};

use super::assess::Assessment;
use super::finish;
use crate::app::{App, Shared};
use crate::domain::account::Account;
use crate::domain::device::Device;
use crate::domain::journey::{Next, Step};
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::paths::{journey_in, journey_url};
use crate::http::{Answer, AppError};
use crate::protocol::error::OAuthError;
use crate::store::ephemeral::journeys::{self, Open};
use crate::verification::codes;

impl App {
    /// Goes on with a journey.
    pub fn resume<'a>(self: &'a Shared, cx: &'a RequestContext, mut open: Open) -> Answer<'a> {
        Box::pin(async move {
            let known = open.read.as_mut().and_then(|read| read.account.take());
            let assessment = self.assess_knowing(cx, &open.journey, known).await?;
            self.proceed(cx, open, assessment).await
        })
    }

    /// Saves a journey and goes on; if another request was first, goes on from what that one saved.
    pub fn save_and_resume<'a>(self: &'a Shared, cx: &'a RequestContext, open: Open) -> Answer<'a> {
        self.save_and_resume_knowing(cx, open, None)
    }

    /// As [`App::save_and_resume`], with account and device as they were just read; what must still be so when the
    /// sign-in ends is looked at again in the transaction that ends it.
    pub fn save_and_resume_knowing<'a>(
        self: &'a Shared,
        cx: &'a RequestContext,
        mut open: Open,
        known: Option<(Account, Option<Device>)>,
    ) -> Answer<'a> {
        Box::pin(async move {
            let assessment = self.assess_knowing(cx, &open.journey, known).await?;
            // What ends now need not be saved first: ending it takes the version that was read.
            if assessment.next == Next::Issue || self.keep_journey(cx, &mut open).await? {
                return self.proceed(cx, open, assessment).await;
            }
            self.resume_after_race(cx, &open.id).await
        })
    }

    /// Goes on from what another request made of the journey meanwhile.
    pub async fn resume_after_race(
        self: &Shared,
        cx: &RequestContext,
        id: &str,
    ) -> Result<Response, AppError> {
        match self.open_journey(cx, id).await? {
            Some(current) => self.resume(cx, current).await,
            None => self.journey_gone(cx).await,
        }
    }

    async fn proceed(
        self: &Shared,
        cx: &RequestContext,
        mut open: Open,
        assessment: Assessment,
    ) -> Result<Response, AppError> {
        match assessment.next {
            Next::Refuse(error) => self.refuse(cx, &open, error).await,
            Next::Issue => Box::pin(finish::finish(self, cx, open, assessment)).await,
            Next::Ask(step) => {
                if !open.is_kept() {
                    self.keep_journey(cx, &mut open).await?;
                }
                // Who typed a number to send it to has asked for the code by that.
                let waits = assessment.portal.policy.code_on_request && open.journey.pending_phone.is_none();
                let sends_code = step == Step::Code && open.journey.code.is_none() && !waits;
                if let Some(account) = assessment.account.as_ref().filter(|_| sends_code) {
                    // Boxed, as the end of a journey is: every step's handler contains this future.
                    Box::pin(codes::send(self, &mut open, account)).await?;
                }
                let mut response = see_other(&journey_url(step.path(), &open.id));
                if open.journey.is_bound {
                    let lifetime = (!open.journey.public_computer).then(|| self.journey_lifetime());
                    let bond = self.bond(cx, &open.id);
                    append(
                        &mut response,
                        cx.front.cookies.set(&names::bond_cookie(&open.id), &bond, lifetime),
                    );
                }
                Ok(response)
            }
        }
    }

    /// The answer for a journey that is not there: it ended in success a moment ago (a second click), or it is
    /// too old or another browser's.
    pub async fn journey_gone(&self, cx: &RequestContext) -> Result<Response, AppError> {
        if cx.browser_is_new && cx.uri.path() != paths::COOKIES {
            // Another browser's, or of one that keeps no cookies: the next request tells.
            return Ok(see_other(&journey_url(paths::COOKIES, &journey_in(cx))));
        }
        let finished = journeys::finished(&self.ephemeral, &journey_in(cx)).await?;
        let is_finished = finished.is_some();
        let client_id = finished.filter(|client_id| !client_id.is_empty());
        if is_finished && self.session_of(cx).await?.is_some() {
            let client = match &client_id {
                Some(id) => self.client(id).await?,
                None => None,
            };
            let login = client.as_ref().and_then(|client| client.client.initiate_login_uri.as_deref());
            return Ok(see_other(login.unwrap_or(paths::ACCOUNT)));
        }
        Err(AppError::JourneyExpired(client_id))
    }

    /// Ends a journey with an error for the client; without a client's request, with a page.
    pub async fn refuse(
        &self,
        cx: &RequestContext,
        open: &Open,
        error: OAuthError,
    ) -> Result<Response, AppError> {
        if open.is_kept() {
            journeys::finish(&self.ephemeral, open).await?;
        }
        match &open.journey.request {
            Some(request) => Ok(self.answer_error(cx, &request.return_address, error)),
            None => Err(AppError::JourneyExpired(open.journey.client_id.clone())),
        }
    }
}
