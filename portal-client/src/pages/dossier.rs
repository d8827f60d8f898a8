//! Reading a dossier, section by section. Every look passes the gate.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use platform::errors::FieldErrors;
use platform::request::RequestContext;
use serde::Serialize;
use serde_json::{Value, json};

use super::appointment::PersonalAppointment;
use super::entered::Entered;
use super::gate::{Access, enter};
use super::keep::kept_form;
use super::{Pages, access, day, show};
use crate::app::App;
use crate::dossiers::notes::Kind;
use crate::dossiers::{Dossier, Section};
use crate::http::error::AppError;
use crate::http::extract::{SignedIn, page as page_of};
use crate::http::paths;
use crate::links::{Act, allows};
use crate::session::Session;

/// A page of a dossier: the frame with the menu, and what the section holds.
#[derive(Debug, Serialize)]
pub struct SectionPage {
    dossier: Frame,
    content: Value,
    /// What somebody tried to write.
    entered: Entered,
    /// Why that did not work.
    errors: FieldErrors,
}

#[derive(Debug, Serialize)]
struct Frame {
    id: String,
    client_name: String,
    organisation: String,
    location: String,
    contact: String,
    relation: &'static str,
    level: &'static str,
    section: &'static str,
    menu: Vec<MenuItem>,
    url: String,
    may_write: bool,
    /// Whether there is something to write on the page.
    has_form: bool,
}

#[derive(Debug, Serialize)]
struct MenuItem {
    section: &'static str,
    url: String,
}

/// Something with a date that people can read.
#[derive(Debug, Serialize)]
struct Dated {
    on: String,
    title: String,
    text: String,
}

impl SectionPage {
    fn template(section: Section) -> String {
        let name = match section {
            Section::ThisIsMe | Section::MyLife => "life-story",
            other => other.slug(),
        };
        format!("portal/sections/{name}.html")
    }
}

/// `GET /dossiers/{dossier}`
pub async fn first(Path(dossier): Path<String>, _: SignedIn) -> Result<Response, AppError> {
    if !paths::is_identifier(&dossier) {
        return Err(AppError::NotFound);
    }
    Ok(Redirect::to(&paths::section(&dossier, Section::Home.slug())).into_response())
}

/// `GET /dossiers/{dossier}/{section}`
pub async fn read(
    State(app): State<Arc<App>>,
    Path((dossier, section)): Path<(String, String)>,
    SignedIn { cx, session }: SignedIn,
) -> Result<Response, AppError> {
    let section = Section::from_slug(&section).ok_or(AppError::NotFound)?;
    let entered = enter(&app, &session, &dossier, section, Act::Read).await?;
    let tried = Entered::from_fields(&kept_form(&app, &cx, &session).await?);
    page(&app, &cx, &session, &entered, section, tried, FieldErrors::default()).await
}

/// The page of a section, with what somebody tried to write in it.
pub async fn page(
    app: &App,
    cx: &RequestContext,
    session: &Session,
    entered: &Access<'_>,
    section: Section,
    tried: Entered,
    errors: FieldErrors,
) -> Result<Response, AppError> {
    let status = errors.status();
    let page = SectionPage {
        content: content(app, cx, session, entered, section).await?,
        dossier: frame(app, entered, section),
        entered: tried,
        errors,
    };
    let template = SectionPage::template(section);
    Ok(show(app, cx, Some(session), status, &template, &page).into_response())
}

fn frame(app: &App, entered: &Access<'_>, section: Section) -> Frame {
    let Access { link, dossier, .. } = entered;
    let may = |section, act| allows(link.relation, link.level, section, act);
    let item = |section: Section| MenuItem {
        section: section.slug(),
        url: paths::section(&dossier.id, section.slug()),
    };
    Frame {
        id: dossier.id.clone(),
        client_name: dossier.client_name.clone(),
        organisation: app.organisation_name(&dossier.organisation),
        location: dossier.location.clone(),
        contact: dossier.contact.clone(),
        relation: link.relation.word(),
        level: link.level.word(),
        section: section.slug(),
        menu: Section::ALL.into_iter().filter(|other| may(*other, Act::Read)).map(item).collect(),
        url: paths::section(&dossier.id, section.slug()),
        may_write: may(section, Act::Write),
        has_form: may(section, Act::Write) && section != Section::Access,
    }
}

async fn content(
    app: &App,
    cx: &RequestContext,
    session: &Session,
    entered: &Access<'_>,
    section: Section,
) -> Result<Value, AppError> {
    let dossier = entered.dossier;
    let ago = |days: u16| day(app.clock.now().minus(days_of(days)));
    let ahead = |days: u16| day(app.clock.now().plus(days_of(days)));
    Ok(match section {
        Section::Home => {
            let news = dossier.news.iter();
            let news =
                news.map(|n| Dated { on: ago(n.days_ago), title: n.title.clone(), text: n.text.clone() });
            json!({ "news": news.collect::<Vec<_>>() })
        }
        Section::ThisIsMe => {
            story(app, session, dossier, (Kind::ThisIsMe, json!(dossier.this_is_me))).await?
        }
        Section::MyLife => story(app, session, dossier, (Kind::MyLife, json!(dossier.my_life))).await?,
        Section::Appointments => {
            let planned = dossier.appointments.iter().map(
                |a| json!({ "on": ahead(a.in_days), "time": a.time, "title": a.title, "place": a.place }),
            );
            let notes = app.notes.list(&dossier.id, Kind::Appointment).await?;
            let mut personal: Vec<_> = notes.iter().filter_map(PersonalAppointment::read).collect();
            personal.sort_by(|one, other| (&one.date, &one.time).cmp(&(&other.date, &other.time)));
            json!({ "planned": planned.collect::<Vec<_>>(), "personal": personal })
        }
        Section::Medical => json!(dossier.medical),
        Section::Documents => {
            let documents = dossier.documents.iter();
            let documents = documents.map(|d| Dated {
                on: ago(d.days_ago),
                title: d.title.clone(),
                text: d.summary.clone(),
            });
            json!({ "documents": documents.collect::<Vec<_>>() })
        }
        Section::Reports => {
            let asked = page_of(cx)?;
            let written = app.notes.page(&dossier.id, Kind::Report, asked).await?;
            let pages = Pages::new(cx.uri.path(), asked, written.next);
            let mut reports: Vec<_> = written
                .rows
                .into_iter()
                .map(|note| Dated { on: note.written_at.local_text(), title: note.author, text: note.body })
                .collect();
            // What the organisation's own system holds comes after what was written here.
            if written.next.is_none() {
                reports.extend(dossier.reports.iter().map(|report| Dated {
                    on: ago(report.days_ago),
                    title: report.author.clone(),
                    text: report.text.clone(),
                }));
            }
            json!({ "reports": reports, "pages": pages })
        }
        Section::CarePlan => json!({ "goals": dossier.care_plan }),
        Section::Access => access::content(app, session, entered).await?,
        Section::Views => access::views(app, cx, dossier).await?,
    })
}

/// A life story: the answers in the organisation's own system, what each of the family wrote, and of that what whoever looks
/// may change, which is their own.
async fn story(
    app: &App,
    session: &Session,
    dossier: &Dossier,
    (kind, answers): (Kind, Value),
) -> Result<Value, AppError> {
    let notes = app.notes.list(&dossier.id, kind).await?;
    let own = notes.iter().find(|note| note.is_by(&session.person)).map(|note| note.body.clone());
    let texts = notes.iter().map(|note| {
        json!({ "text": note.body, "author": note.author, "on": day(note.written_at),
                "is_own": note.is_by(&session.person) })
    });
    Ok(json!({ "answers": answers, "texts": texts.collect::<Vec<_>>(), "own": own.unwrap_or_default() }))
}

fn days_of(days: u16) -> Duration {
    Duration::from_hours(u64::from(days) * 24)
}

#[cfg(test)]
pub(super) fn samples() -> Vec<(String, Value)> {
    let (_, dossier) = crate::dossiers::demo::dossiers().swap_remove(0);
    let dated = json!([{ "on": "22-11-2026", "title": "Titel", "text": "Tekst" }]);
    let texts = json!([
        { "text": "Koffie", "author": "Marjan", "on": "22-11-2026", "is_own": true },
        { "text": "Thee", "author": "Piet", "on": "22-11-2026", "is_own": false },
    ]);
    let contents = [
        (Section::Home, json!({ "news": dated })),
        (Section::ThisIsMe, json!({ "answers": dossier.this_is_me, "texts": texts, "own": "Koffie" })),
        (Section::MyLife, json!({ "answers": dossier.my_life, "texts": [], "own": "" })),
        (
            Section::Appointments,
            json!({
                "planned": [{ "on": "22-11-2026", "time": "10:30", "title": "Kapper", "place": "Kamer 2" }],
                "personal": [{ "id": "n", "on": "23-11-2026", "date": "2026-11-23", "time": "09:00",
                               "title": "Koffie", "author": "Marjan" }],
            }),
        ),
        (Section::Medical, json!(dossier.medical)),
        (Section::Documents, json!({ "documents": dated })),
        (Section::Reports, json!({ "reports": dated, "pages": Pages::sample() })),
        (Section::CarePlan, json!({ "goals": dossier.care_plan })),
        (Section::Access, access::sample_content()),
        (Section::Views, access::sample_views()),
    ];
    let menu =
        || Section::ALL.map(|s| MenuItem { section: s.slug(), url: format!("/dossiers/d/{}", s.slug()) });
    let pages = contents.into_iter().flat_map(|(section, content)| {
        let wrong = || {
            FieldErrors::of("text", "portal-write-error-text")
                .and("title", Some("portal-write-error-title"))
                .and("date", Some("portal-write-error-date"))
                .and("time", Some("portal-write-error-time"))
        };
        let none = FieldErrors::default;
        [(none(), true, ""), (wrong(), true, "n"), (wrong(), true, ""), (none(), false, "")].map(
            |(errors, may_write, note)| {
                let page = SectionPage {
                    dossier: Frame {
                        id: "d".into(),
                        client_name: dossier.client_name.clone(),
                        organisation: "Zorggroep Zonnehof".into(),
                        location: dossier.location.clone(),
                        contact: dossier.contact.clone(),
                        relation: "representative",
                        level: "limited",
                        section: section.slug(),
                        menu: menu().into(),
                        url: "/dossiers/d/home".into(),
                        may_write,
                        has_form: may_write && section != Section::Access,
                    },
                    content: content.clone(),
                    entered: Entered { note: note.into(), ..Entered::default() },
                    errors,
                };
                (SectionPage::template(section), json!(page))
            },
        )
    });
    pages.collect()
}
