//! Forms of ours: where they may end, and what each goes through before its handler sees it (the flood guard,
//! parsing, CSRF).

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Serialize;
use web::headers::Forms;
use web::kept::{self, Holder};
use web::request::{Fields, Visit};

use crate::app::{App, Shared, Trouble};
use crate::path;
use crate::room::Left;

/// The fields of a form that a page of ours showed to this browser; for anything else the page to show
/// instead.
#[derive(Debug)]
pub struct Posted(pub Fields);

impl FromRequest<Shared> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Response> {
        let Some(visit) = request.extensions().get::<Visit>().cloned() else {
            return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        };
        app.flood.check(visit.address).map_err(|wait| app.too_many(&visit, wait))?;
        let body = Bytes::from_request(request, app).await.map_err(|_| app.bad_form(&visit))?;
        let fields = Fields::parse(&body).map_err(|_| app.bad_form(&visit))?;
        if visit.csrf_accepts(&fields) {
            Ok(Self(fields))
        } else if visit.came_without_cookies() {
            Err(app.cookies_off(&visit))
        } else {
            Err(app.page_too_old(&visit))
        }
    }
}

impl App {
    /// A page whose form may end at a portal after redirects, where the person comes from one.
    pub fn client_page(
        &self,
        visit: &Visit,
        client_id: Option<&str>,
        status: StatusCode,
        template: &str,
        page: &impl Serialize,
    ) -> Response {
        let forms = if client_id.is_some() { Forms::Anywhere } else { Forms::Here };
        let look = self.portal_for(visit, client_id).look();
        self.pages.respond(visit, look, status, template, page, forms)
    }

    /// For whom a form of this browser is kept: for the holder of its session, also of one that ended by itself.
    async fn form_holder(&self, visit: &Visit) -> Result<Holder, Trouble> {
        let Some(secret) = visit.cookie(path::SESSION_COOKIE) else { return Ok(Holder::Browser) };
        let account = self.store.account_behind(&secret).await?;
        Ok(account.map_or(Holder::Browser, |id| Holder::Person(id.0)))
    }

    /// Keeps a form that is not carried out now, or whose sender has to sign in first (`has_ended`); the address of `page`
    /// that shows it again. For a browser that nobody is signed in to it takes room, as all does that strangers leave.
    ///
    /// # Errors
    /// [`Trouble::Full`], or a backend's.
    pub async fn keep_form(
        &self,
        visit: &Visit,
        page: &str,
        form: &Fields,
        has_ended: bool,
    ) -> Result<String, Trouble> {
        let holder = self.form_holder(visit).await?;
        if holder == Holder::Browser {
            self.take_room(Left::KeptForm, visit.address, kept::FOR_BROWSERS).await?;
        }
        Ok(self.kept.keep(visit, &holder, page, form, has_ended).await?)
    }

    /// The form that this page is to show again; empty if there is none.
    ///
    /// # Errors
    /// A backend's.
    pub async fn kept_form(&self, visit: &Visit) -> Result<Fields, Trouble> {
        let holder = self.form_holder(visit).await?;
        Ok(self.kept.find(visit, &holder).await?)
    }
}

/// `POST /kept`: whoever has a page of ours, as often as forms may be sent; for a browser that nobody is signed in to
/// within the room for strangers (T53). A form that its writer leaves for the other language, or that stood on the page
/// when the session ended (`away`). Goes back to its page, where it stands as it was.
pub async fn keep(
    State(app): State<Shared>,
    Extension(visit): Extension<Visit>,
    Posted(fields): Posted,
) -> Response {
    let page = kept::page_of(&visit).unwrap_or_else(|| path::HOME.to_owned());
    let is_away = visit.query("away") == "1";
    match app.keep_form(&visit, &page, &fields, is_away).await {
        Ok(page) if is_away => Redirect::to(&ended_url(&page)).into_response(),
        Ok(page) => Redirect::to(&page).into_response(),
        Err(trouble) => app.trouble(&visit, &trouble),
    }
}

/// The page that says that a session has ended, on the way back to `page`.
pub fn ended_url(page: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("return_to", page).finish();
    format!("{}?{query}", path::SESSION_ENDED)
}
