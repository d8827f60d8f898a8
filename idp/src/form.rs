//! What every form of ours goes through before its handler looks at it: the flood guard, parsing, CSRF.

use axum::body::Bytes;
use axum::response::Response;
use web::request::{Fields, Visit};

use crate::app::App;

/// The fields of a form that a page of ours showed to this browser.
///
/// # Errors
/// The page to show instead.
pub fn read(app: &App, visit: &Visit, body: &Bytes) -> Result<Fields, Box<Response>> {
    app.flood.check(visit.address).map_err(|wait| Box::new(app.too_many(visit, wait)))?;
    let fields = Fields::parse(body).map_err(|_| Box::new(app.bad_form(visit)))?;
    if !visit.csrf_accepts(&fields) {
        return Err(Box::new(app.page_too_old(visit)));
    }
    Ok(fields)
}
