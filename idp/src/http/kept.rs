//! Forms that somebody comes back to: left for the other language, or sent too late and there again after a sign-in.

use axum::extract::State;
use axum::response::Response;
use platform::kept::{self, Holder};
use platform::request::{Fields, RequestContext};

use super::error::AppError;
use super::extract::{Caller, Form};
use super::names;
use super::pages::see_other;
use crate::app::room::Left;
use crate::app::{App, ServiceError, Shared};
use crate::http::paths;

impl App {
    /// For whom a form of this browser is kept: for the holder of its session, also of one that ended by itself.
    async fn form_holder(&self, cx: &RequestContext) -> Result<Holder, ServiceError> {
        let Some(secret) = cx.cookie(names::SESSION_COOKIE) else { return Ok(Holder::Browser) };
        let account = self.store.account_behind(&secret).await?;
        Ok(account.map_or(Holder::Browser, |id| Holder::Person(id.0)))
    }

    /// Keeps a form that is not carried out now, or whose sender has to sign in first (`has_ended`); the address of `page`
    /// that shows it again. For a browser that nobody is signed in to it takes room, as all does that strangers leave.
    ///
    /// # Errors
    /// [`ServiceError::Full`], or a backend's.
    pub async fn keep_form(
        &self,
        cx: &RequestContext,
        page: &str,
        form: &Fields,
        has_ended: bool,
    ) -> Result<String, ServiceError> {
        let holder = self.form_holder(cx).await?;
        if holder == Holder::Browser {
            self.take_room(Left::KeptForm, cx.address, kept::FOR_BROWSERS).await?;
        }
        Ok(self.kept.keep(cx, &holder, page, form, has_ended).await?)
    }

    /// The form that this page is to show again; empty if there is none.
    pub async fn kept_form(&self, cx: &RequestContext) -> Result<Fields, ServiceError> {
        let holder = self.form_holder(cx).await?;
        Ok(self.kept.find(cx, &holder).await?)
    }
}

/// `POST /kept`: whoever has a page of ours, as often as forms may be sent; for a browser that nobody is signed in to
/// within the room for strangers (T53). A form that its writer leaves for the other language, or that stood on the page
/// when the session ended (`away`). Goes back to its page, where it stands as it was.
pub async fn keep(
    State(app): State<Shared>,
    Form(Caller(cx), fields): Form<Caller>,
) -> Result<Response, AppError> {
    let page = kept::page_of(&cx).unwrap_or_else(|| paths::HOME.to_owned());
    let is_away = cx.query("away") == "1";
    let page = app.keep_form(&cx, &page, &fields, is_away).await?;
    Ok(see_other(&if is_away { ended_url(&page) } else { page }))
}

/// The page that says that a session has ended, on the way back to `page`.
pub fn ended_url(page: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("return_to", page).finish();
    format!("{}?{query}", paths::SESSION_ENDED)
}
