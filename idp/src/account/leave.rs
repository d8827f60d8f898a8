//! Taking one's data along, and leaving for good.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use platform::errors::FieldErrors;
use platform::language::Language;
use platform::request::{RequestContext, append};
use serde::Serialize;
use serde_json::{Value, json};

use super::fresh::Fresh;
use crate::app::{App, ServiceError, Shared};
use crate::credentials::passkeys::authenticator_name;
use crate::domain::account::Account;
use crate::effects::{Change, Consequences};
use crate::http::error::MessagePage;
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::{AppError, Caller, Form, SignedIn};
use crate::store::audit::Event;

/// `idp/account_delete.html`
#[derive(Clone, Debug, Serialize)]
pub struct DeletePage {
    pub action: &'static str,
    pub errors: FieldErrors,
}

/// `idp/account_download.html`
#[derive(Clone, Debug, Serialize)]
pub struct DownloadPage {
    pub action: &'static str,
    pub back_url: &'static str,
}

impl DownloadPage {
    pub fn sample() -> Self {
        Self { action: paths::ACCOUNT_DOWNLOAD, back_url: paths::ACCOUNT }
    }
}

impl DeletePage {
    pub fn sample() -> Self {
        Self { action: paths::ACCOUNT_DELETE, errors: FieldErrors::of("confirmation", "delete-wrong") }
    }
}

/// `GET /account/download`: the holder, freshly signed in: what is in it, and the button that takes it.
pub async fn download_get(State(app): State<Shared>, Fresh(SignedIn { cx, .. }): Fresh) -> Response {
    let page = DownloadPage { action: paths::ACCOUNT_DOWNLOAD, back_url: paths::ACCOUNT };
    app.page(&cx, None, StatusCode::OK, "idp/account_download.html", &page)
}

/// `POST /account/download`: the holder, freshly signed in; everything that is kept of them, as JSON. What only serves to
/// recognise a secret is left out. Each time leaves a line in the history.
pub async fn download_post(
    State(app): State<Shared>,
    Form(Fresh(SignedIn { account, .. }), _): Form<Fresh>,
) -> Result<Response, AppError> {
    let mut write = app.store.begin_write().await?;
    app.store.note(&mut write, Event::DataDownloaded, &account.id, None, "");
    write.commit().await?;
    let data = serde_json::to_string_pretty(&everything(&app, &account).await?)
        .map_err(|error| ServiceError::Other(error.to_string()))?;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"account.json\""),
    ];
    Ok((headers, data).into_response())
}

/// All that is kept of the holder of an account; what only serves to recognise a secret is left out.
///
/// # Errors
/// A backend's, or that something was sealed under another root key.
pub async fn everything(app: &App, account: &Account) -> Result<Value, ServiceError> {
    let time = |at: platform::clock::Timestamp| at.rfc3339();
    let phone = account.verified_phone().map(|sealed| app.store.open_phone(sealed)).transpose()?;
    let claims = account.claims_sealed.as_deref().map(|sealed| app.store.open_claims(sealed)).transpose()?;
    let devices = app.store.devices(&account.id).await?.into_iter().map(|device| {
        json!({ "label": device.label, "last_used_at": time(device.last_used_at),
                "trusted_until": time(device.trusted_until) })
    });
    let passkeys = app.store.passkeys(&account.id).await?.into_iter().map(|passkey| {
        json!({ "name": passkey.name, "authenticator": authenticator_name(&passkey.aaguid), "aaguid": passkey.aaguid,
                "can_be_copied": passkey.backup.is_eligible(), "created_at": time(passkey.created_at),
                "last_used_at": passkey.last_used_at.map(time) })
    });
    let clients = app.store.clients_of_account(&account.id).await?;
    let sessions = app.store.sessions(&account.id).await?.into_iter().map(|session| {
        let clients = clients.iter().filter(|(id, _)| *id == session.id).map(|(_, client)| client);
        json!({ "label": session.label, "signed_in_at": session.authenticated_at().map(time),
                "code_given_at": session.second_factor_at().map(time), "last_seen_at": time(session.last_seen_at),
                "clients": clients.collect::<Vec<_>>() })
    });
    let app_for_codes = app.store.app(&account.id).await?.map(
        |known| json!({ "added_at": time(known.created_at), "last_used_at": known.last_used_at.map(time) }),
    );
    let consents = app
        .store
        .consents(&account.id)
        .await?
        .into_iter()
        .map(|(client, scope, at)| json!({ "client": client, "scope": scope, "given_at": time(at) }));
    let terms = app.store.accepted_terms(&account.id).await?.into_iter().map(|terms| {
        json!({ "portal": terms.portal_id, "version": terms.version, "accepted_at": time(terms.accepted_at) })
    });
    let history = app.store.history(&account.id, 10_000).await?.into_iter().map(|entry| {
        json!({ "at": time(entry.at), "event": entry.event, "times": entry.times, "client": entry.client_id,
                "detail": entry.detail,
                "by_somebody_else": entry.actor_id.is_some() })
    });
    Ok(json!({
        "account": {
            "subject": account.subject.0, "given_name": account.given_name, "family_name": account.family_name,
            "email": account.email.as_str(), "email_confirmed_at": account.email_verified_at.map(time),
            "username": account.username, "phone_number": phone,
            "phone_verified_at": account.phone_verified_at.map(time), "role": account.role,
            "organisation": account.organisation, "language": account.language,
            "created_at": time(account.created_at), "updated_at": time(account.updated_at), "claims": claims,
        },
        "authenticator_app": app_for_codes,
        "recovery_codes_left": account.factors.recovery_codes,
        "devices": devices.collect::<Vec<_>>(),
        "passkeys": passkeys.collect::<Vec<_>>(),
        "sessions": sessions.collect::<Vec<_>>(),
        "consents": consents.collect::<Vec<_>>(),
        "accepted_terms": terms.collect::<Vec<_>>(),
        "history": history.collect::<Vec<_>>(),
    }))
}

fn page(app: &Shared, cx: &RequestContext, error: Option<&'static str>) -> Response {
    let page = DeletePage {
        action: paths::ACCOUNT_DELETE,
        errors: FieldErrors::default().and("confirmation", error),
    };
    app.page(cx, None, page.errors.status(), "idp/account_delete.html", &page)
}

/// `GET /account/delete`: the holder, freshly signed in.
pub async fn delete_get(State(app): State<Shared>, Fresh(SignedIn { cx, .. }): Fresh) -> Response {
    page(&app, &cx, None)
}

/// `POST /account/delete`: the holder, freshly signed in, who typed the word in either language. Every portal of every
/// session gets its logout token; the audit log keeps what happened, under an id that names nobody any more.
pub async fn delete_post(
    State(app): State<Shared>,
    Form(Fresh(SignedIn { cx, account, .. }), fields): Form<Fresh>,
) -> Result<Response, AppError> {
    let typed = fields.plain(names::CONFIRMATION).to_lowercase();
    let is_word = |language: Language| {
        language.text("delete-word", &[]).is_some_and(|word| word.to_lowercase() == typed)
    };
    if !Language::ALL.into_iter().any(is_word) {
        return Ok(page(&app, &cx, Some("delete-wrong")));
    }
    let held = app.store.begin_holding(&account.id, account.password_hash.as_deref(), []).await?;
    if let Some(mut write) = held {
        Consequences::of(Change::Deleted, &account).carry_out(&app, &mut write).await?;
        app.store.delete_account(&mut write, &account.id).await?;
        write.commit().await?;
    } else if app.store.account(&account.id).await?.is_some() {
        // Blocked, or given another password, a moment ago: who may still be here is asked again.
        return Ok(see_other(paths::ACCOUNT_DELETE));
    }
    let mut response = see_other(paths::ACCOUNT_DELETED);
    for cookie in [names::SESSION_COOKIE, names::DEVICE_COOKIE] {
        append(&mut response, cx.front.cookies.clear(cookie));
    }
    Ok(response)
}

/// `GET /account/deleted`: anybody; says that an account is gone, and whose is not said.
pub async fn deleted(State(app): State<Shared>, Caller(cx): Caller) -> Response {
    // There is nothing to start again with.
    let page = MessagePage::new("deleted", "", "start-again");
    app.page(&cx, None, StatusCode::OK, "idp/message.html", &page)
}
