//! The care team's desk: the accounts of users that the team of one organisation made, and help for their holders. Who
//! is at the desk, with which proof, is decided here; what organisations do not share, in `store/members.rs`.

pub mod act;
mod carry_out;
pub mod create;
mod guess;
mod kept;
pub mod member;
mod operator;

pub use operator::{OperatorAct, carry_out as carry_out_as_operator};

use std::time::Duration;

use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use platform::clock::Timestamp;
use platform::request::RequestContext;
use serde::Serialize;

use crate::account::fresh::sign_in_and_return;
use crate::app::Shared;
use crate::config::Identifier;
use crate::domain::account::{Account, AccountId};
use crate::http::extract::Sent;
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::{AppError, Caller, Form, SignedIn};
use crate::store::members::{Member, Scope};
use crate::store::sessions::Session;
use crate::verification::wrong_codes;

const DAY: Duration = Duration::from_hours(24);
/// What one member of staff may make in a day; more than a home takes in, less than a thief of a session wants.
const ACCOUNTS_PER_DAY: u32 = 100;
/// Mails that one member of staff may cause in a day.
const MAILS_PER_DAY: u32 = 300;
/// How long ago the sign-in with a code may be for what changes something. Longer than for the holder's own pages:
/// forms of the desk are filled in while somebody is on the phone.
const FRESH: Duration = Duration::from_mins(15);
/// Rows on a page of the list.
const ROWS: u32 = 50;

/// Somebody at the desk: staff of an organisation whose session has had a code. Who is not signed in, or without a code in
/// this session, comes back after a sign-in; everybody else is told who may be here.
pub struct Staff {
    cx: RequestContext,
    account: Account,
    organisation: String,
    sees_self_registered: bool,
    session: Session,
}

/// Somebody at the desk for what changes something: password and code were given a moment ago. A form that was sent too
/// late is there again after the sign-in.
pub struct FreshStaff(Staff);

/// An account of the organisation of somebody at the desk; any other one is not there.
pub struct OneMember {
    staff: Staff,
    member: Member,
}

impl Staff {
    /// Whose accounts they may see.
    fn scope(&self) -> Scope<'_> {
        Scope { organisation: &self.organisation, self_registered: self.sees_self_registered }
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        let fresh = |at: Timestamp| at.plus(FRESH) > now;
        self.session.authenticated_at().is_some_and(fresh)
            && self.session.second_factor_at().is_some_and(fresh)
    }

    async fn of(app: &Shared, caller: &RequestContext, sent: Option<&Sent>) -> Result<Self, AppError> {
        let Some(SignedIn { session, account, .. }) = SignedIn::of(app, caller).await? else {
            return Err(sign_in_and_return(app, caller, sent, "").await);
        };
        let organisation = account.organisation.clone().filter(|_| account.role.is_staff());
        let organisation = organisation.ok_or(AppError::NoDesk)?;
        if session.second_factor_at().is_none() {
            let identifier = account.identifier(app.config.accounts.identifier);
            return Err(sign_in_and_return(app, caller, sent, identifier).await);
        }
        let sees_self_registered = app.config.desk.shows_self_registered_to(account.email.as_str());
        Ok(Self { cx: caller.clone(), account, organisation, sees_self_registered, session })
    }
}

impl FromRequestParts<Shared> for Staff {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, AppError> {
        let Caller(cx) = Caller::from_request_parts(parts, app).await?;
        Self::of(app, &cx, None).await
    }
}

impl FromRequestParts<Shared> for FreshStaff {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, AppError> {
        let Caller(cx) = Caller::from_request_parts(parts, app).await?;
        let staff = Staff::of(app, &cx, parts.extensions.get()).await?;
        if staff.is_fresh(app.clock.now()) {
            return Ok(Self(staff));
        }
        let identifier = staff.account.identifier(app.config.accounts.identifier);
        Err(sign_in_and_return(app, &cx, parts.extensions.get(), identifier).await)
    }
}

impl OneMember {
    async fn of(app: &Shared, staff: Staff, id: &AccountId) -> Result<Self, AppError> {
        let member = app.store.member(staff.scope(), id).await?.ok_or(AppError::NotFound)?;
        let codes_closed = wrong_codes::is_closed(app, id).await?;
        Ok(Self { staff, member: Member { codes_closed, ..member } })
    }
}

impl FromRequestParts<Shared> for OneMember {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, AppError> {
        let Caller(cx) = Caller::from_request_parts(parts, app).await?;
        let id = member_id(&cx).ok_or(AppError::NotFound)?;
        let staff = Staff::from_request_parts(parts, app).await?;
        Self::of(app, staff, &id).await
    }
}

/// The page of one account.
fn member_url(id: &AccountId) -> String {
    paths::DESK_ACCOUNT.replace("{id}", &id.0)
}

/// The account that the URL of a page names, if it can be one.
fn member_id(cx: &RequestContext) -> Option<AccountId> {
    AccountId::parse(cx.uri.path().split('/').nth(3)?)
}

/// How an account stands: `desk-state-WORD` is its text.
fn state(member: &Member, now: Timestamp) -> (&'static str, String) {
    let account = &member.account;
    let (word, until) = match (account.blocked_at, member.locked_until) {
        (Some(_), _) => ("blocked", None),
        (None, Some(until)) => ("locked", Some(until)),
        (None, None) if member.codes_closed => ("codes-locked", None),
        (None, None) if !account.password_works(now) => ("mail-spent", None),
        (None, None) if !account.has_own_password() => ("invited", account.temporary_password_until),
        (None, None) if member.last_signed_in_at.is_none() => ("invited", None),
        (None, None) => ("active", None),
    };
    (word, until.map(Timestamp::local_text).unwrap_or_default())
}

/// `idp/desk.html`
#[derive(Clone, Debug, Serialize)]
pub struct DeskPage {
    pub organisation: String,
    /// People who registered themselves are in the list too.
    pub with_self_registered: bool,
    pub search: String,
    pub search_action: &'static str,
    pub all_url: &'static str,
    pub create_url: &'static str,
    pub rows: Vec<Row>,
    pub previous: Option<String>,
    pub next: Option<String>,
}

/// One account in the list.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub url: String,
    pub name: String,
    pub email: String,
    /// No care team made this account.
    pub self_registered: bool,
    /// Where people sign in with one.
    pub username: String,
    pub state: &'static str,
    pub until: String,
    pub last_signed_in: String,
}

impl DeskPage {
    pub fn sample() -> Self {
        let row = |state, until: &str, last_signed_in: &str| Row {
            url: "/desk/accounts/P_jtDsxVtO5kTwSkd6PHBg".into(),
            name: "Anna Bakker".into(),
            email: "anna@example.nl".into(),
            self_registered: state == "active",
            username: "abakker".into(),
            state,
            until: until.into(),
            last_signed_in: last_signed_in.into(),
        };
        Self {
            organisation: "zonnehof".into(),
            with_self_registered: true,
            search: "anna b".into(),
            search_action: paths::DESK_SEARCH,
            all_url: paths::DESK,
            create_url: paths::DESK_NEW,
            rows: vec![
                row("invited", "", ""),
                row("invited", "25-11-2026 19:04", ""),
                row("mail-spent", "", ""),
                row("active", "", "22-11-2026 19:04"),
                row("locked", "22-11-2026 19:34", "22-11-2026 19:04"),
                row("blocked", "", "22-11-2026 19:04"),
            ],
            previous: Some("/desk?page=1".into()),
            next: Some("/desk?page=3".into()),
        }
    }
}

/// A page of the list.
fn list_url(search_id: &str, page: u32) -> String {
    let search = if search_id.is_empty() { String::new() } else { format!("search={search_id}&") };
    format!("{}?{search}page={page}", paths::DESK)
}

/// `GET /desk`: staff, the accounts of their organisation, a page at a time.
pub async fn get(State(app): State<Shared>, staff: Staff) -> Result<Response, AppError> {
    let cx = &staff.cx;
    let search_id = cx.query("search");
    let kept = kept::search(&app, &staff.account.id, &search_id).await?;
    let search_id = if kept.is_some() { search_id } else { String::new() };
    let search = kept.unwrap_or_default();
    let page = cx.query("page").parse().unwrap_or(1).clamp(1, 100_000_u32);
    let offset = i64::from(page - 1) * i64::from(ROWS);
    // One row more than a page holds tells whether there is another page.
    let found = app.store.members(staff.scope(), &search, i64::from(ROWS) + 1, offset).await?;
    let has_next = found.len() > ROWS as usize;
    let now = app.clock.now();
    let with_username = app.config.accounts.identifier == Identifier::Username;
    let rows = found.into_iter().take(ROWS as usize).map(|member| {
        let (state, until) = state(&member, now);
        Row {
            url: member_url(&member.account.id),
            name: member.account.full_name(),
            state,
            until,
            last_signed_in: member.last_signed_in_at.map(Timestamp::local_text).unwrap_or_default(),
            username: member.account.username.filter(|_| with_username).unwrap_or_default(),
            self_registered: member.account.organisation.is_none(),
            email: member.account.email.as_str().to_owned(),
        }
    });
    let page = DeskPage {
        with_self_registered: staff.sees_self_registered,
        organisation: app.config.desk.name_of(&staff.organisation).to_owned(),
        rows: rows.collect(),
        search,
        search_action: paths::DESK_SEARCH,
        all_url: paths::DESK,
        create_url: paths::DESK_NEW,
        previous: (page > 1).then(|| list_url(&search_id, page - 1)),
        next: has_next.then(|| list_url(&search_id, page + 1)),
    };
    Ok(app.page(cx, None, StatusCode::OK, "idp/desk.html", &page))
}

/// `POST /desk/search`: staff; as often as they like, twice at once keeps two searches.
pub async fn search(
    State(app): State<Shared>,
    Form(staff, fields): Form<Staff>,
) -> Result<Response, AppError> {
    let typed: String = fields.line(names::SEARCH).chars().take(100).collect();
    if typed.is_empty() {
        return Ok(see_other(paths::DESK));
    }
    let id = kept::keep_search(&app, &staff.account.id, &typed).await?;
    Ok(see_other(&list_url(&id, 1)))
}
