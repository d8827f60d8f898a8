//! The landing page: a welcome, or the tiles of the dossiers that somebody follows and has asked for.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::{day, show};
use crate::app::App;
use crate::http::error::AppError;
use crate::http::extract::Caller;
use crate::http::{paths, session_cookie};
use crate::links::{Link, State as LinkState};

/// What somebody who is not signed in sees.
#[derive(Debug, Serialize)]
pub struct Welcome {
    login_url: &'static str,
    team_url: &'static str,
}

impl Welcome {
    const TEMPLATE: &'static str = "portal/welcome.html";

    #[cfg(test)]
    pub(super) fn samples() -> Vec<(&'static str, serde_json::Value)> {
        vec![(Self::TEMPLATE, serde_json::json!(Self::new()))]
    }

    fn new() -> Self {
        Self { login_url: paths::LOGIN, team_url: paths::TEAM }
    }
}

/// What somebody who is signed in sees.
#[derive(Debug, Serialize)]
pub struct Home {
    tiles: Vec<Tile>,
    request_url: &'static str,
    team_url: &'static str,
}

/// A dossier that opens, or a request that does not yet. A request shows nothing of the client: it looks the
/// same whether there is such a client or not.
#[derive(Debug, Serialize)]
struct Tile {
    url: String,
    open: bool,
    client_name: String,
    initials: String,
    organisation: String,
    relation: &'static str,
    requested_on: String,
}

impl Home {
    const TEMPLATE: &'static str = "portal/home.html";

    #[cfg(test)]
    pub(super) fn samples() -> Vec<(&'static str, serde_json::Value)> {
        let tile = |open: bool| Tile {
            url: "/dossiers/d/home".into(),
            open,
            client_name: if open { "Mevrouw G. de Wit-Bakker".into() } else { String::new() },
            initials: if open { "GW".into() } else { String::new() },
            organisation: "Zorggroep Zonnehof".into(),
            relation: "representative",
            requested_on: "22-11-2026".into(),
        };
        let home = |tiles| Self { tiles, request_url: paths::REQUEST, team_url: paths::TEAM };
        vec![
            (Self::TEMPLATE, serde_json::json!(home(vec![tile(true), tile(false)]))),
            (Self::TEMPLATE, serde_json::json!(home(vec![]))),
        ]
    }
}

/// `GET /`
pub async fn home(State(app): State<Arc<App>>, Caller(cx): Caller) -> Result<Response, AppError> {
    let token = session_cookie::token(&cx);
    let session = match &token {
        Some(token) => app.sessions.touch(token).await?,
        None => None,
    };
    let Some(session) = session else {
        let mut response = show(&app, &cx, None, StatusCode::OK, Welcome::TEMPLATE, &Welcome::new());
        if token.is_some() {
            session_cookie::forget(&cx, &mut response);
        }
        return Ok(response);
    };
    let links = app.links.of_person(&session.person.iss, &session.person.sub).await?;
    let tiles = links.iter().filter_map(|link| tile(&app, link)).collect();
    let page = Home { tiles, request_url: paths::REQUEST, team_url: paths::TEAM };
    Ok(show(&app, &cx, Some(&session), StatusCode::OK, Home::TEMPLATE, &page))
}

fn tile(app: &App, link: &Link) -> Option<Tile> {
    let mut tile = Tile {
        url: paths::requested(&link.id),
        open: false,
        client_name: String::new(),
        initials: String::new(),
        organisation: app.organisation_name(&link.organisation),
        relation: link.relation.word(),
        requested_on: day(link.requested_at),
    };
    match &link.state {
        LinkState::Requested { .. } => Some(tile),
        LinkState::Active { dossier, .. } => {
            let dossier = app.dossiers.get(dossier)?;
            tile.url = paths::section(&dossier.id, "home");
            tile.open = true;
            tile.initials = initials(&dossier.client_name);
            tile.client_name.clone_from(&dossier.client_name);
            Some(tile)
        }
        LinkState::Ended { .. } => None,
    }
}

/// `Mevrouw G. de Wit-Bakker` becomes `GW`: the first letters of the first initial and of the family name.
fn initials(name: &str) -> String {
    let words = name.split(' ').filter(|word| {
        let title = matches!(*word, "Mevrouw" | "De" | "heer" | "Heer" | "Meneer");
        !title && word.chars().next().is_some_and(char::is_uppercase)
    });
    let letters: Vec<char> = words.filter_map(|word| word.chars().next()).collect();
    match letters.as_slice() {
        [] => String::new(),
        [one] => one.to_string(),
        [first, .., last] => format!("{first}{last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn initials_are_of_the_person_and_not_of_the_title() {
        assert_eq!(initials("Mevrouw G. de Wit-Bakker"), "GW");
        assert_eq!(initials("De heer J. van den Berg"), "JB");
        assert_eq!(initials(""), "");
    }
}
