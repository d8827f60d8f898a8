//! Forms of ours: where they may end, and what each goes through before its handler sees it (the flood guard,
//! parsing, CSRF).

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use web::headers::Forms;
use web::request::{Fields, Visit};

use crate::app::{App, Shared};

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
        self.pages.respond(visit, self.look(client_id), status, template, page, forms)
    }
}
