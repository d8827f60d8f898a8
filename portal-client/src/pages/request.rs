//! Asking for access to a dossier ('Toegang dossier aanvragen'): a form, an overview of what was filled in,
//! 'Bevestigen', and what that organisation wants next. Nothing here looks whether there is such a client,
//! so nothing here can tell (T43).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use platform::ephemeral::Limit;
use platform::errors::FieldErrors;
use platform::rate_limiter::rate_limit_key;
use platform::request::Fields;
use serde::{Deserialize, Serialize};

use super::keep::kept_form;
use super::{Words, in_language, show};
use crate::app::App;
use crate::dossiers::identity::{BirthDate, Bsn};
use crate::http::error::AppError;
use crate::http::extract::{Query, SignedIn};
use crate::http::form::Form;
use crate::http::{names, paths};
use crate::links::{NewRequest, Relation};
use crate::session::Session;
use crate::team::{Act, AuditEntry};

/// How long a filled-in form waits for its confirmation.
const DRAFT_LIFETIME: Duration = Duration::from_mins(30);
const DAY: Duration = Duration::from_hours(24);

/// What somebody typed, as it was typed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Typed {
    relation: String,
    birth_date: String,
    bsn: String,
    organisation: String,
    /// The request that it became, once it was confirmed; empty before.
    #[serde(default)]
    link: String,
}

/// The form.
#[derive(Debug, Serialize)]
pub struct FormPage {
    typed: Typed,
    errors: FieldErrors,
    relations: [&'static str; 3],
    organisations: Vec<Choice>,
}

#[derive(Debug, Serialize)]
struct Choice {
    id: String,
    name: String,
}

/// What was filled in, to look over.
#[derive(Debug, Serialize)]
pub struct Overview {
    draft: String,
    relation: &'static str,
    birth_date: String,
    bsn: String,
    organisation: String,
    change_url: String,
}

/// What happens next, in the organisation's own words.
#[derive(Debug, Serialize)]
pub struct Sent {
    organisation: String,
    contact: Words,
    mention: Words,
    duration: Words,
    activate_url: String,
}

impl FormPage {
    const TEMPLATE: &'static str = "portal/request.html";

    fn new(app: &App, typed: Typed, errors: FieldErrors) -> Self {
        let listed = app.settings.organisations.iter();
        Self {
            typed,
            errors,
            relations: Relation::ALL.map(Relation::word),
            organisations: listed.map(|o| Choice { id: o.id.clone(), name: o.name.clone() }).collect(),
        }
    }
}

impl Overview {
    const TEMPLATE: &'static str = "portal/request_overview.html";
}

impl Sent {
    const TEMPLATE: &'static str = "portal/request_sent.html";
}

#[cfg(test)]
pub(super) fn samples() -> Vec<(&'static str, serde_json::Value)> {
    use platform::language::Language;

    let text = |text: &str| text.to_owned();
    let words = |text: &str| in_language(Language::Nl, text, "");
    let form = |errors| FormPage {
        typed: Typed { relation: text("client"), birth_date: text("31-02-1940"), ..Typed::default() },
        errors,
        relations: Relation::ALL.map(Relation::word),
        organisations: vec![Choice { id: text("zonnehof"), name: text("Zorggroep Zonnehof") }],
    };
    let errors = |suffix: bool| {
        FieldErrors::of(names::RELATION, "portal-request-error-relation")
            .and(
                names::BIRTH_DATE,
                Some(if suffix {
                    "portal-request-error-birth-date-empty"
                } else {
                    "portal-request-error-birth-date"
                }),
            )
            .and(
                names::BSN,
                Some(if suffix { "portal-request-error-bsn-empty" } else { "portal-request-error-bsn" }),
            )
            .and(names::ORGANISATION, Some("portal-request-error-organisation"))
    };
    let overview = Overview {
        draft: text("d"),
        relation: "representative",
        birth_date: text("01-02-1940"),
        bsn: text("999990019"),
        organisation: text("Zorggroep Zonnehof"),
        change_url: text("/request?draft=d"),
    };
    let sent = Sent {
        organisation: text("Zorggroep Zonnehof"),
        contact: words("Bel de teamleider."),
        mention: words("Noem de naam van de cliënt."),
        duration: words("Meestal drie werkdagen."),
        activate_url: text("/requests/x"),
    };
    vec![
        (FormPage::TEMPLATE, serde_json::json!(form(FieldErrors::default()))),
        (FormPage::TEMPLATE, serde_json::json!(form(errors(false)))),
        (FormPage::TEMPLATE, serde_json::json!(form(errors(true)))),
        (Overview::TEMPLATE, serde_json::json!(overview)),
        (Sent::TEMPLATE, serde_json::json!(sent)),
    ]
}

/// `GET /request`: the form, empty or as it was filled in.
pub async fn form(
    State(app): State<Arc<App>>,
    SignedIn { cx, session }: SignedIn,
    Query(query): Query,
) -> Result<Response, AppError> {
    let typed = match query.get(names::DRAFT) {
        Some(draft) => read_draft(&app, &session, draft).await?.unwrap_or_default(),
        None => Typed::from_fields(&kept_form(&app, &cx, &session).await?),
    };
    let page = FormPage::new(&app, typed, FieldErrors::default());
    Ok(show(&app, &cx, Some(&session), StatusCode::OK, FormPage::TEMPLATE, &page))
}

/// `POST /request`: looks at what was filled in; keeps it, sealed, until it is confirmed.
pub async fn check(
    State(app): State<Arc<App>>,
    SignedIn { cx, session }: SignedIn,
    Form(fields): Form,
) -> Result<Response, AppError> {
    let typed = Typed::from_fields(&fields);
    if let Err(errors) = typed.check(&app) {
        let status = errors.status();
        let page = FormPage::new(&app, typed, errors);
        return Ok(show(&app, &cx, Some(&session), status, FormPage::TEMPLATE, &page));
    }
    let draft = app.random.id();
    keep_draft(&app, &session, &draft, &typed).await?;
    Ok(Redirect::to(&format!("{}?{}={draft}", paths::REQUEST_OVERVIEW, names::DRAFT)).into_response())
}

/// `GET /request/overview`: what was filled in, with 'Bevestigen'.
pub async fn overview(
    State(app): State<Arc<App>>,
    SignedIn { cx, session }: SignedIn,
    Query(query): Query,
) -> Result<Response, AppError> {
    let draft = query.get(names::DRAFT).unwrap_or_default();
    let typed = read_draft(&app, &session, draft).await?;
    if let Some(Typed { link, .. }) = typed.as_ref().filter(|typed| !typed.link.is_empty()) {
        return Ok(Redirect::to(&paths::requested_sent(link)).into_response());
    }
    let Some(Ok(request)) = typed.map(|typed| typed.check(&app)) else {
        return Ok(Redirect::to(paths::REQUEST).into_response());
    };
    let page = Overview {
        draft: draft.to_owned(),
        relation: request.relation.word(),
        birth_date: request.birth_date.dutch(),
        bsn: request.bsn.reveal().to_owned(),
        organisation: app.organisation_name(&request.organisation),
        change_url: format!("{}?{}={draft}", paths::REQUEST, names::DRAFT),
    };
    Ok(show(&app, &cx, Some(&session), StatusCode::OK, Overview::TEMPLATE, &page))
}

/// `POST /request/overview`: 'Bevestigen'. Counted per account and per address, over all nodes. Once it was confirmed, it
/// leads to the request that it became.
pub async fn confirm(
    State(app): State<Arc<App>>,
    SignedIn { cx, session }: SignedIn,
    Form(fields): Form,
) -> Result<Response, AppError> {
    let draft = fields.trimmed(names::DRAFT);
    let Some(typed) = read_draft(&app, &session, draft).await? else {
        return Ok(Redirect::to(paths::REQUEST).into_response());
    };
    if !typed.link.is_empty() {
        return Ok(Redirect::to(&paths::requested_sent(&typed.link)).into_response());
    }
    let Ok(request) = typed.check(&app) else { return Ok(Redirect::to(paths::REQUEST).into_response()) };
    let limits = app.settings.limits;
    let (account, address) =
        (session.person.counter("request"), format!("request-address:{}", rate_limit_key(cx.address)));
    let taken = [
        Limit { key: &account, most: limits.requests_per_account, window: DAY },
        Limit { key: &address, most: limits.requests_per_address, window: DAY },
    ];
    if app.ephemeral.reserve(&taken).await?.is_err() {
        return Err(AppError::TooManyToday);
    }
    let now = app.clock.now();
    let id = app.random.id();
    let mut write = app.db.begin_write().await?;
    let link = app.links.request(&mut write, &id, &session.person, &request, now).await?;
    if link == id {
        let deed = AuditEntry {
            actor: &session.person,
            link: &link,
            organisation: &request.organisation,
            act: Act::Requested,
            reason: "",
        };
        app.audit.add(&mut write, &app.random.id(), deed, now).await?;
    }
    write.commit().await?;
    let sent = paths::requested_sent(&link);
    keep_draft(&app, &session, draft, &Typed { link, ..Typed::default() }).await?;
    Ok(Redirect::to(&sent).into_response())
}

/// `GET /requests/{link}/sent`: what that organisation wants next.
pub async fn sent(
    State(app): State<Arc<App>>,
    Path(link): Path<String>,
    SignedIn { cx, session }: SignedIn,
) -> Result<Response, AppError> {
    let link = app.links.own(&link, &session.person).await?.ok_or(AppError::NotFound)?;
    let own = app.organisation(&link.organisation).cloned().unwrap_or_default();
    let language = app.settings.look().language(&cx);
    let words = |nl: &str, en: &str| in_language(language, nl, en);
    let page = Sent {
        organisation: app.organisation_name(&link.organisation),
        contact: words(&own.contact_nl, &own.contact_en),
        mention: words(&own.mention_nl, &own.mention_en),
        duration: words(&own.duration_nl, &own.duration_en),
        activate_url: paths::requested(&link.id),
    };
    Ok(show(&app, &cx, Some(&session), StatusCode::OK, Sent::TEMPLATE, &page))
}

impl Typed {
    fn from_fields(fields: &Fields) -> Self {
        let short = |name: &str| fields.plain(name).chars().take(80).collect::<String>();
        Self {
            relation: short(names::RELATION),
            birth_date: short(names::BIRTH_DATE),
            bsn: short(names::BSN),
            organisation: short(names::ORGANISATION),
            link: String::new(),
        }
    }

    fn check(&self, app: &App) -> Result<NewRequest, FieldErrors> {
        let relation = Relation::from_word(&self.relation);
        let birth_date = BirthDate::parse(&self.birth_date, app.clock.now());
        let bsn = Bsn::parse(&self.bsn);
        let organisation = app.organisation(&self.organisation).map(|o| o.id.clone());
        let unread = |typed: &str, empty, wrong| if typed.is_empty() { empty } else { wrong };
        let errors = FieldErrors::default()
            .and(names::RELATION, relation.is_none().then_some("portal-request-error-relation"))
            .and(
                names::BIRTH_DATE,
                birth_date.is_none().then(|| {
                    let empty = "portal-request-error-birth-date-empty";
                    unread(&self.birth_date, empty, "portal-request-error-birth-date")
                }),
            )
            .and(
                names::BSN,
                bsn.is_none()
                    .then(|| unread(&self.bsn, "portal-request-error-bsn-empty", "portal-request-error-bsn")),
            )
            .and(names::ORGANISATION, organisation.is_none().then_some("portal-request-error-organisation"));
        match (relation, birth_date, bsn, organisation) {
            (Some(relation), Some(birth_date), Some(bsn), Some(organisation)) => {
                Ok(NewRequest { relation, birth_date, bsn, organisation })
            }
            _ => Err(errors),
        }
    }
}

fn draft_key(session: &Session, draft: &str) -> String {
    format!("draft:{}", platform::seal::sha256(&format!("{}\n{draft}", session.key())))
}

async fn keep_draft(app: &App, session: &Session, draft: &str, typed: &Typed) -> Result<(), AppError> {
    let sealed = app.drafts.seal(&serde_json::to_vec(typed)?);
    Ok(app.ephemeral.put(&draft_key(session, draft), &sealed, DRAFT_LIFETIME).await?)
}

async fn read_draft(app: &App, session: &Session, draft: &str) -> Result<Option<Typed>, AppError> {
    let Some(kept) = app.ephemeral.get(&draft_key(session, draft)).await? else { return Ok(None) };
    let opened = app.drafts.open(&kept.value)?;
    Ok(Some(serde_json::from_slice(&opened)?))
}
