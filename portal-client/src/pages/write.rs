//! Writing in a dossier: the two life stories, reports, personal appointments; and ending somebody's access.
//! The same gate decides as for reading.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use platform::db::Write;
use platform::errors::FieldErrors;
use platform::request::Fields;

use super::appointment::{Stored, clock_time};
use super::entered::Entered;
use super::gate::enter;
use super::{access, after, dossier};
use crate::app::App;
use crate::dossiers::Section;
use crate::dossiers::identity::parse_date;
use crate::dossiers::notes::{Kind, Writer};
use crate::http::error::AppError;
use crate::http::extract::SignedIn;
use crate::http::form::Form;
use crate::http::{names, paths};
use crate::links::Act;

/// The longest text that is taken, in characters.
const LONGEST: usize = 5000;
/// The longest title of an appointment.
const LONGEST_TITLE: usize = 200;

/// `POST /dossiers/{dossier}/{section}`
pub async fn write(
    State(app): State<Arc<App>>,
    Path((dossier, section)): Path<(String, String)>,
    SignedIn { cx, session }: SignedIn,
    Form(fields): Form,
) -> Result<Response, AppError> {
    let section = Section::from_slug(&section).ok_or(AppError::NotFound)?;
    let entered = enter(&app, &session, &dossier, section, Act::Write).await?;
    let own = paths::section(&entered.dossier.id, section.slug());
    let person = &session.person;
    let writer =
        Writer { iss: &person.iss, sub: &person.sub, name: &person.name, dossier: &entered.dossier.id };
    let is_removal = section == Section::Appointments && fields.get(names::REMOVE).is_some();
    let mut write = app.db.begin_write().await?;
    let tried = match section {
        Section::ThisIsMe => text(&app, &mut write, writer, Kind::ThisIsMe, &fields).await?,
        Section::MyLife => text(&app, &mut write, writer, Kind::MyLife, &fields).await?,
        Section::Reports => text(&app, &mut write, writer, Kind::Report, &fields).await?,
        Section::Appointments => appointment(&app, &mut write, writer, &fields).await?,
        Section::Access => {
            let done = access::end(&app, &mut write, &session, &entered, fields.trimmed(names::LINK)).await?;
            if done { Tried::Done } else { Tried::Gone }
        }
        _ => return Err(AppError::Refused),
    };
    match tried {
        Tried::Done => {
            entered.written(&app, &mut write, &session).await?;
            write.commit().await?;
            let done = match section {
                Section::Reports => "sent",
                Section::Access => "ended",
                _ if is_removal => "removed",
                _ => "saved",
            };
            return Ok(Redirect::to(&after(&own, done)).into_response());
        }
        Tried::Gone => drop(write),
        Tried::Wrong(errors) => {
            drop(write);
            let tried = Entered::from_fields(&fields);
            let entered = enter(&app, &session, &dossier, section, Act::Read).await?;
            return dossier::page(&app, &cx, &session, &entered, section, tried, errors).await;
        }
    }
    Ok(Redirect::to(&own).into_response())
}

/// What came of an attempt to write.
enum Tried {
    /// To be committed with the line about it.
    Done,
    /// What it was about is not there any more.
    Gone,
    /// It cannot be kept like this; nothing was written.
    Wrong(FieldErrors),
}

/// Writes a text.
async fn text(
    app: &App,
    write: &mut Write,
    writer: Writer<'_>,
    kind: Kind,
    fields: &Fields,
) -> Result<Tried, AppError> {
    let text = fields.trimmed(names::TEXT);
    let error = match text.chars().count() {
        0 => Some("portal-write-error-text"),
        length if length > LONGEST => Some("portal-write-error-long"),
        _ => None,
    };
    if let Some(error) = error {
        return Ok(Tried::Wrong(FieldErrors::of(names::TEXT, error)));
    }
    let id = note_id(app, writer, fields, text);
    app.notes.write(write, &id, writer, kind, text, app.clock.now()).await?;
    Ok(Tried::Done)
}

/// The identifier of a note: the same for the same text from the same showing of a page, so that it arrives once, however
/// often and from whichever node it is sent.
fn note_id(app: &App, writer: Writer<'_>, fields: &Fields, body: &str) -> String {
    let Some(once) = fields.get(platform::once::FIELD) else { return app.random.id() };
    let Writer { iss, sub, dossier, .. } = writer;
    platform::seal::sha256(&[iss, sub, dossier, once, body].join("\n"))
}

/// Adds, changes (`note`) or removes (`remove`) a personal appointment.
async fn appointment(
    app: &App,
    write: &mut Write,
    writer: Writer<'_>,
    fields: &Fields,
) -> Result<Tried, AppError> {
    let now = app.clock.now();
    let done = |done: bool| if done { Tried::Done } else { Tried::Gone };
    let old = fields.get(names::NOTE);
    if let (Some(old), Some(_)) = (old, fields.get(names::REMOVE)) {
        return Ok(done(app.notes.change(write, old, None, writer, Kind::Appointment, now).await?));
    }
    let tried = Entered::from_fields(fields);
    let title_error = match tried.title.chars().count() {
        0 => Some("portal-write-error-title"),
        length if length > LONGEST_TITLE => Some("portal-write-error-title-long"),
        _ => None,
    };
    let (date, time) = (parse_date(&tried.date), clock_time(&tried.time));
    let (Some(date), Some(time), None) = (date, time.clone(), title_error) else {
        let unread = |typed: &str, empty, wrong| if typed.is_empty() { empty } else { wrong };
        let date_error = unread(&tried.date, "portal-write-error-date-empty", "portal-write-error-date");
        let time_error = unread(&tried.time, "portal-write-error-time-empty", "portal-write-error-time");
        let errors = FieldErrors::default()
            .and(names::TITLE, title_error)
            .and(names::DATE, date.is_none().then_some(date_error))
            .and(names::TIME, time.is_none().then_some(time_error));
        return Ok(Tried::Wrong(errors));
    };
    let stored = Stored { date: date.to_string(), time, title: tried.title };
    let body = serde_json::to_string(&stored)?;
    let id = note_id(app, writer, fields, &format!("{} {body}", old.unwrap_or_default()));
    let new = (id.as_str(), body.as_str());
    if let Some(old) = old {
        return Ok(done(app.notes.change(write, old, Some(new), writer, Kind::Appointment, now).await?));
    }
    app.notes.write(write, &id, writer, Kind::Appointment, &body, now).await?;
    Ok(Tried::Done)
}
