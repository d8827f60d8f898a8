//! The guard of every step: a browser is let in at the step where its journey is, and sent to its own from any other.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use platform::request::RequestContext;

use crate::app::Shared;
use crate::domain::account::Account;
use crate::domain::journey::{Next, Step};
use crate::flow::assess::Assessment;
use crate::http::{AppError, Caller};
use crate::store::ephemeral::journeys::Open;

/// A browser at the step where its journey is.
pub struct Arrived {
    pub open: Open,
    pub assessment: Assessment,
}

impl Arrived {
    /// Lets a browser in at `step` only if that is what its journey asks for; otherwise the error is the way to where it is.
    pub async fn at(app: &Shared, cx: &RequestContext, step: Step) -> Result<Self, AppError> {
        let Some(open) = app.journey_of(cx).await? else {
            return Err(AppError::instead(app.journey_gone(cx).await?));
        };
        let assessment = app.assess(cx, &open.journey).await?;
        if assessment.next == Next::Ask(step) {
            return Ok(Self { open, assessment });
        }
        Err(AppError::instead(app.resume(cx, open).await?))
    }

    /// The account of the journey, at a step that is after the password.
    pub fn account(&self) -> Result<Account, AppError> {
        let gone = || AppError::JourneyExpired(self.open.journey.client_id.clone());
        self.assessment.account.clone().ok_or_else(gone)
    }
}

/// The step of a page, as a type.
pub trait Page {
    const STEP: Step;
}

/// A browser whose journey asks for the step of the page `P`.
pub struct AtStep<P> {
    pub cx: RequestContext,
    pub arrived: Arrived,
    page: PhantomData<P>,
}

impl<P: Page> FromRequestParts<Shared> for AtStep<P> {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, AppError> {
        let Caller(cx) = Caller::from_request_parts(parts, app).await?;
        let arrived = Arrived::at(app, &cx, P::STEP).await?;
        Ok(Self { cx, arrived, page: PhantomData })
    }
}
