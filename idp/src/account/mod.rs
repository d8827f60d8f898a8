//! The holder's own page: what is kept, where one is signed in, what happened. Only ever one's own account,
//! found by the session's cookie and never by a parameter.

pub mod app;
pub mod email;
pub mod fresh;
pub mod leave;
mod leaving;
pub mod passkeys;
pub mod password;
pub mod phone;
pub mod recovery_codes;
pub mod session;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use platform::clock::Timestamp;
use platform::request::append;
use serde::Serialize;

use crate::app::{ServiceError, Shared};
use crate::domain::account::Account;
use crate::domain::device::Device;
use crate::effects::sessions::end_session;
use crate::effects::{Change, Consequences};
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::{AppError, Caller, Form, SignedIn};
use crate::store::audit::Event;
use crate::store::history::Happened;
use crate::store::sessions::Session;

/// `idp/account.html`
#[derive(Clone, Debug, Serialize)]
pub struct AccountPage {
    pub name: String,
    pub email: String,
    pub phone_masked: String,
    pub passkeys: u32,
    /// None where the server has no name that passkeys could be bound to.
    pub passkeys_url: Option<&'static str>,
    pub has_app: bool,
    pub app_url: &'static str,
    pub recovery_codes: u32,
    pub recovery_codes_url: &'static str,
    pub devices: Vec<DeviceRow>,
    pub sessions: Vec<SessionRow>,
    pub consents: Vec<ConsentRow>,
    pub withdraw_action: &'static str,
    pub history: Vec<HistoryRow>,
    pub forget_device_action: &'static str,
    pub forget_all_action: &'static str,
    pub end_session_action: &'static str,
    pub end_all_action: &'static str,
    pub signout_action: &'static str,
    /// The portals of this session, or the provider's first one: the way back to them.
    pub portals: Vec<PortalLink>,
    /// What was just changed: a text key.
    pub notice: Option<String>,
    pub change_email_url: &'static str,
    pub change_phone_url: &'static str,
    pub change_password_url: &'static str,
    pub download_url: &'static str,
    pub delete_url: &'static str,
    /// For staff: the way to the desk.
    pub desk_url: Option<&'static str>,
}

/// A portal's name and address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PortalLink {
    pub name: String,
    pub url: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct DeviceRow {
    pub id: String,
    pub label: String,
    pub last_used: String,
    /// Until when no code is asked there; empty if one is.
    pub trusted_until: String,
    pub current: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct SessionRow {
    pub id: String,
    pub label: String,
    pub since: String,
    pub portals: Vec<String>,
    pub current: bool,
}

/// A client that the holder let have something.
#[derive(Clone, Debug, Serialize)]
pub struct ConsentRow {
    pub client_id: String,
    pub name: String,
    pub since: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct HistoryRow {
    pub at: String,
    /// A text key.
    pub event: String,
    pub detail: String,
    /// How often on that day; 1 for most.
    pub times: i64,
    /// Somebody else did it.
    pub by_staff: bool,
}

impl AccountPage {
    pub fn sample() -> Self {
        let text = str::to_owned;
        Self {
            name: text("Anna Bakker"),
            email: text("anna@example.nl"),
            phone_masked: text("06 \u{2022}\u{2022}\u{2022}\u{2022} \u{2022}\u{2022}78"),
            passkeys: 2,
            passkeys_url: Some(paths::ACCOUNT_PASSKEYS),
            has_app: true,
            app_url: paths::ACCOUNT_APP,
            recovery_codes: 3,
            recovery_codes_url: paths::ACCOUNT_RECOVERY_CODES,
            devices: vec![DeviceRow {
                id: text("d"),
                label: text("Chrome, Android"),
                last_used: text("22-11-2026 19:04"),
                trusted_until: text("22-12-2026 19:04"),
                current: true,
            }],
            sessions: vec![SessionRow {
                id: text("s"),
                label: text("Chrome, Android"),
                since: text("22-11-2026 19:04"),
                portals: vec![text("Portaal")],
                current: true,
            }],
            consents: vec![ConsentRow {
                client_id: text("c"),
                name: text("Voorbeeld"),
                since: text("22-11-2026 19:04"),
            }],
            withdraw_action: paths::ACCOUNT_WITHDRAW,
            history: Event::ALL
                .map(|event| HistoryRow {
                    at: text("22-11-2026 19:04"),
                    event: format!("event-{}", event.as_str()),
                    detail: String::new(),
                    times: if event == Event::SignInFailed { 25 } else { 1 },
                    by_staff: event == Event::Unlocked,
                })
                .to_vec(),
            forget_device_action: paths::ACCOUNT_FORGET_DEVICE,
            forget_all_action: paths::ACCOUNT_FORGET_DEVICE,
            end_session_action: paths::ACCOUNT_END_SESSION,
            end_all_action: paths::ACCOUNT_END_SESSION,
            signout_action: paths::ACCOUNT_SIGN_OUT,
            portals: vec![PortalLink { name: text("Portaal"), url: text("https://portal.example/") }],
            notice: Some(text("account-notice-phone")),
            change_email_url: paths::ACCOUNT_EMAIL,
            change_phone_url: paths::ACCOUNT_PHONE,
            change_password_url: paths::ACCOUNT_PASSWORD,
            download_url: paths::ACCOUNT_DOWNLOAD,
            delete_url: paths::ACCOUNT_DELETE,
            desk_url: Some(paths::DESK),
        }
    }
}

const NOTICES: [&str; 10] = [
    "email",
    "phone",
    "password",
    "device",
    "devices",
    "session",
    "app",
    "app-removed",
    "passkey",
    "consent",
];

/// The account page, with what was just done.
fn done(notice: &str) -> Response {
    see_other(&format!("{}?notice={notice}", paths::ACCOUNT))
}

/// Where a session's holder came from: its portals, or the first of the configuration.
fn portals_of(app: &Shared, clients: &[(String, String)], session: &Session) -> Vec<PortalLink> {
    let of_session =
        clients.iter().filter(|(id, _)| *id == session.id).map(|(_, client)| Some(client.as_str()));
    let link = |client: Option<&str>| {
        let portal = app.registry.portal_of(client);
        PortalLink { name: portal.brand.name.clone(), url: portal.url.clone() }
    };
    let mut portals: Vec<_> = of_session.map(link).filter(|portal| !portal.url.is_empty()).collect();
    if portals.is_empty() {
        portals.extend(Some(link(None)).filter(|portal| !portal.url.is_empty()));
    }
    portals.sort();
    portals.dedup();
    portals
}

/// `GET /account`: whoever is signed in, their own.
pub async fn get(
    State(app): State<Shared>,
    SignedIn { cx, session, account }: SignedIn,
) -> Result<Response, AppError> {
    let notice = cx.query("notice");
    let clients = app.store.clients_of_account(&account.id).await?;
    let page = AccountPage {
        name: account.full_name(),
        email: account.email.as_str().to_owned(),
        phone_masked: account
            .verified_phone()
            .map(|sealed| app.masked_phone(sealed))
            .transpose()?
            .unwrap_or_default(),
        passkeys: account.factors.passkeys,
        passkeys_url: app.passkeys.is_some().then_some(paths::ACCOUNT_PASSKEYS),
        has_app: account.factors.totp,
        app_url: paths::ACCOUNT_APP,
        recovery_codes: account.factors.recovery_codes,
        recovery_codes_url: paths::ACCOUNT_RECOVERY_CODES,
        devices: devices(&app, &account, &session).await?,
        sessions: sessions(&app, &account, &session, &clients).await?,
        consents: consents(&app, &account).await?,
        withdraw_action: paths::ACCOUNT_WITHDRAW,
        history: history(&app, &account).await?,
        forget_device_action: paths::ACCOUNT_FORGET_DEVICE,
        forget_all_action: paths::ACCOUNT_FORGET_DEVICE,
        end_session_action: paths::ACCOUNT_END_SESSION,
        end_all_action: paths::ACCOUNT_END_SESSION,
        signout_action: paths::ACCOUNT_SIGN_OUT,
        portals: portals_of(&app, &clients, &session),
        notice: NOTICES.contains(&notice.as_str()).then(|| format!("account-notice-{notice}")),
        change_email_url: paths::ACCOUNT_EMAIL,
        change_phone_url: paths::ACCOUNT_PHONE,
        change_password_url: paths::ACCOUNT_PASSWORD,
        download_url: paths::ACCOUNT_DOWNLOAD,
        delete_url: paths::ACCOUNT_DELETE,
        desk_url: account.role.is_staff().then_some(paths::DESK),
    };
    Ok(app.page(&cx, None, StatusCode::OK, "idp/account.html", &page))
}

async fn devices(app: &Shared, account: &Account, here: &Session) -> Result<Vec<DeviceRow>, ServiceError> {
    let now = app.clock.now();
    let row = |device: Device| DeviceRow {
        current: here.device_id.as_ref() == Some(&device.id),
        last_used: device.last_used_at.local_text(),
        trusted_until: if device.is_trusted(now) { device.trusted_until.local_text() } else { String::new() },
        id: device.id,
        label: device.label,
    };
    Ok(app.store.devices(&account.id).await?.into_iter().map(row).collect())
}

/// The sessions with the portals that were opened in each, by their `clients`.
async fn sessions(
    app: &Shared,
    account: &Account,
    here: &Session,
    clients: &[(String, String)],
) -> Result<Vec<SessionRow>, ServiceError> {
    let row = |one: Session| {
        let of_this = clients.iter().filter(|(id, _)| *id == one.id);
        let mut portals: Vec<String> =
            of_this.map(|(_, client)| app.registry.portal_of(Some(client)).brand.name.clone()).collect();
        portals.sort();
        portals.dedup();
        SessionRow {
            current: one.id == here.id,
            since: one.authenticated_at().map(Timestamp::local_text).unwrap_or_default(),
            id: one.id,
            label: one.label,
            portals,
        }
    };
    Ok(app.store.sessions(&account.id).await?.into_iter().map(row).collect())
}

async fn consents(app: &Shared, account: &Account) -> Result<Vec<ConsentRow>, ServiceError> {
    let mut rows = Vec::new();
    for (client_id, _, at) in app.store.consents(&account.id).await? {
        let client = app.known_client(&client_id).await?;
        let name = client.map(|registered| registered.client.client_name.clone());
        let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| client_id.clone());
        rows.push(ConsentRow { client_id, name, since: at.local_text() });
    }
    Ok(rows)
}

/// `POST /account/consents/withdraw`: the holder; what one client (`id`) was let have, with the tokens that it got.
pub async fn withdraw_consent(
    State(app): State<Shared>,
    Form(SignedIn { account, .. }, fields): Form<SignedIn>,
) -> Result<Response, AppError> {
    let client_id = fields.get(names::ID).unwrap_or_default();
    let name = app.known_client(client_id).await?.map(|registered| registered.client.client_name.clone());
    let mut write = app.store.begin_write().await?;
    let what = Consequences {
        client_id: Some(client_id),
        detail: name.as_deref().unwrap_or(client_id),
        ..Consequences::of(Change::ConsentWithdrawn, &account)
    };
    if what.carry_out(&app, &mut write).await? {
        write.commit().await?;
    }
    Ok(done("consent"))
}

async fn history(app: &Shared, account: &Account) -> Result<Vec<HistoryRow>, ServiceError> {
    let entries = app.store.history(&account.id, 20).await?.into_iter();
    let row = |entry: Happened| HistoryRow {
        at: entry.at.local_text(),
        times: entry.times,
        event: format!("event-{}", entry.event),
        by_staff: entry.actor_id.is_some_and(|actor| actor != account.id.0),
        detail: entry.detail,
    };
    Ok(entries.map(row).collect())
}

/// `POST /account/devices/forget`: one of one's own devices (`id`), or all.
pub async fn forget_device(
    State(app): State<Shared>,
    Form(SignedIn { account, .. }, fields): Form<SignedIn>,
) -> Result<Response, AppError> {
    let mut write = app.store.begin_write().await?;
    let what = Consequences {
        device: fields.get(names::ID),
        ..Consequences::of(Change::DevicesForgotten, &account)
    };
    what.carry_out(&app, &mut write).await?;
    write.commit().await?;
    Ok(done(if fields.get(names::ID).is_some() { "device" } else { "devices" }))
}

/// `POST /account/sessions/end`: one of one's own sessions (`id`), or all but this one.
pub async fn end_sessions(
    State(app): State<Shared>,
    Form(SignedIn { session: current, account, .. }, fields): Form<SignedIn>,
) -> Result<Response, AppError> {
    let own = app.store.sessions(&account.id).await?;
    let chosen = own.iter().filter(|session| match fields.get(names::ID) {
        Some(id) => session.id == id,
        None => session.id != current.id,
    });
    let mut write = app.store.begin_write().await?;
    for session in chosen {
        let what = Consequences {
            session: Some(&session.id),
            detail: &session.label,
            ..Consequences::of(Change::SessionEnded, &account)
        };
        what.carry_out(&app, &mut write).await?;
    }
    write.commit().await?;
    Ok(done("session"))
}

/// `POST /account/sign-out`: this session, here and at its portals.
pub async fn sign_out(
    State(app): State<Shared>,
    Form(Caller(cx), _): Form<Caller>,
) -> Result<Response, AppError> {
    if let Some(session) = app.session_of(&cx).await? {
        let mut write = app.store.begin_write().await?;
        end_session(&app, &mut write, &session.id).await?;
        write.commit().await?;
    }
    let done = format!("{}?done=1", paths::LOGOUT);
    let mut response = see_other(&app.url_at(app.portal_for(&cx, None), &done));
    if cx.cookie(names::SESSION_COOKIE).is_some() {
        append(&mut response, cx.front.cookies.clear(names::SESSION_COOKIE));
    }
    Ok(response)
}
