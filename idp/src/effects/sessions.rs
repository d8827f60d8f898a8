//! The end of a session: what was granted in it is revoked, and every portal of it is told (OpenID Connect Back-Channel
//! Logout 1.0).

use platform::db::Write;
use serde_json::json;

use crate::app::{App, ServiceError};
use crate::delivery::Message;
use crate::domain::account::AccountId;
use crate::store::audit::Event;

/// Ends a session, revokes what was granted in it, and puts a logout token for each of its portals into the
/// outbox. False if it had ended before.
pub async fn end_session(app: &App, write: &mut Write, id: &str) -> Result<bool, ServiceError> {
    end_session_by(app, write, id, None).await
}

/// As [`end_session`], for a session that ends because of what `actor` did.
pub async fn end_session_by(
    app: &App,
    write: &mut Write,
    id: &str,
    actor: Option<&AccountId>,
) -> Result<bool, ServiceError> {
    let Some(session) = app.store.session_in(write, id).await? else { return Ok(false) };
    if !app.store.end_session(write, id).await? {
        return Ok(false);
    }
    // Read after the grants were revoked: a code that is redeemed at this moment counts or finds it revoked.
    let clients = app.store.clients_in(write, id).await?;
    let account = app.store.account_in(write, &session.account_id).await?;
    app.store.note_by(write, actor, Event::SignedOut, &session.account_id, None, "");
    let Some(account) = account else { return Ok(true) };
    for client_id in clients {
        let Some(registered) = app.client(&client_id).await? else { continue };
        let Some(uri) = &registered.client.backchannel_logout_uri else { continue };
        // Section 2.4: these claims and no nonce.
        let claims = [
            ("iss", json!(app.config.issuer)),
            ("sub", json!(app.subject_for(&registered.client, &account))),
            ("aud", json!(client_id)),
            ("jti", json!(app.random.id())),
            ("sid", json!(id)),
            ("events", json!({ "http://schemas.openid.net/event/backchannel-logout": {} })),
        ];
        let message = Message::Logout {
            uri: uri.clone(),
            alg: registered.client.signing_alg().name().to_owned(),
            claims: claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        };
        app.store.enqueue(write, &message).await?;
    }
    Ok(true)
}
