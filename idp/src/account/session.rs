//! How long the holder's session still has, for the script that warns; the one action that extends it; and the page
//! that is there when it has ended.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use web::ending::{Ending, is_script, told};
use web::local_path::local_path;
use web::request::{Visit, append};

use super::holder;
use crate::app::{App, Shared, Trouble};
use crate::form::{Posted, ended_url};
use crate::oauth::resume::see_other;
use crate::path;
use crate::signin::run;
use crate::store::sessions::Session;

/// How long before the end pages warn; half the idle time, where that is less.
const WARN: Duration = Duration::from_mins(2);

/// `idp/session_ended.html`
#[derive(Clone, Debug, Serialize)]
pub struct EndedPage {
    /// `session-WHY-title`, `-text` and `-button` are its texts: `ended`, or `elsewhere` if another window goes on.
    pub why: &'static str,
    pub go_on_url: String,
}

impl EndedPage {
    pub fn sample() -> Self {
        Self { why: "ended", go_on_url: path::SIGNIN.into() }
    }
}

fn ending(app: &App, session: &Session) -> Ending {
    let idle = app.idle();
    let seen = (session.last_seen_at, idle);
    Ending::new(app.clock.now(), seen, session.expires_at, WARN.min(idle / 2), path::SESSION_ENDED)
}

/// A visit whose pages warn before the session ends.
pub(super) fn within(app: &App, visit: &Visit, session: &Session) -> Visit {
    Visit { ending: Some(ending(app, session)), ..visit.clone() }
}

/// The same for a page that extends nothing and that may be shown without a session.
///
/// # Errors
/// The database's.
pub(super) async fn in_session(app: &App, visit: Visit) -> Result<Visit, Trouble> {
    let ending = app.session_of(&visit).await?.map(|session| ending(app, &session));
    Ok(Visit { ending, ..visit })
}

/// `GET /session`: the seconds left, without extending anything (T32); zero when it has ended.
pub async fn remaining(State(app): State<Shared>, Extension(visit): Extension<Visit>) -> Response {
    run(&app, &visit, async {
        let session = app.session_of(&visit).await?;
        Ok(told(session.map(|session| ending(&app, &session))))
    })
    .await
}

/// `POST /session/extend`: the holder is still there. A script gets the seconds left, a form goes back to its page
/// (`return_to`).
pub async fn extend(
    State(app): State<Shared>,
    Extension(visit): Extension<Visit>,
    Posted(fields): Posted,
) -> Response {
    run(&app, &visit, async {
        let session = holder(&app, &visit).await?.ok().map(|(session, _)| session);
        if is_script(&visit.headers) {
            return Ok(told(session.map(|session| ending(&app, &session))));
        }
        let return_to = fields.get("return_to").and_then(local_path).unwrap_or(path::ACCOUNT);
        Ok(see_other(&if session.is_some() { return_to.to_owned() } else { ended_url(return_to) }))
    })
    .await
}

/// `GET /session/ended`: where pages go whose time ran out. Extends nothing: another window may still be at work,
/// and then this page says so.
pub async fn ended(State(app): State<Shared>, Extension(visit): Extension<Visit>) -> Response {
    run(&app, &visit, async {
        let lives = app.session_of(&visit).await?.is_some();
        let return_to = visit.query("return_to");
        let page = if lives {
            let go_on_url = local_path(&return_to).unwrap_or(path::ACCOUNT).to_owned();
            EndedPage { why: "elsewhere", go_on_url }
        } else {
            // These pages ask for a sign-in themselves, and are there again after it.
            let comes_back = |page: &&str| page.starts_with("/account/") || page.starts_with(path::DESK);
            let go_on_url = local_path(&return_to).filter(comes_back).unwrap_or(path::SIGNIN).to_owned();
            EndedPage { why: "ended", go_on_url }
        };
        let mut response = app.page(&visit, None, StatusCode::OK, "idp/session_ended.html", &page);
        if !lives && visit.cookie(path::SESSION_COOKIE).is_some() {
            // A stale cookie traps nobody.
            append(&mut response, visit.front.cookies.clear(path::SESSION_COOKIE));
        }
        Ok(response)
    })
    .await
}
