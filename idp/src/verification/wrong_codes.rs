//! Wrong second factors of a day, of whatever kind and in however many sign-ins: after so many none is looked at any more.
//! A passkey cannot be guessed and does not count.

use std::time::Duration;

use platform::ephemeral::{Limit, Reserved};

use crate::app::{App, ServiceError};
use crate::domain::account::AccountId;
use crate::store::audit::Event;

pub(super) const DAY: Duration = Duration::from_hours(24);
/// Wrong codes for one account in a day.
pub(super) const PER_DAY: u32 = 15;
/// The limit, as a text key.
pub const LIMIT: &str = "code-limit-wrong";

/// The counter of an account.
pub(super) fn failures(account: &AccountId) -> String {
    format!("code-failures:{}", account.0)
}

/// Marks that a limit was written down today.
fn noted(limit: &str, account: &AccountId) -> String {
    format!("{limit}-noted:{}", account.0)
}

/// Takes one try of the day, before the code is looked at; none if there is none left.
pub async fn take(app: &App, account: &AccountId) -> Result<Option<Reserved>, ServiceError> {
    let limit = Limit { key: &failures(account), most: PER_DAY, window: DAY };
    Ok(app.ephemeral.reserve(&[limit]).await?.ok())
}

/// Gives the try back if the code was not a wrong one; writes down that none is left.
pub async fn settle(
    app: &App,
    account: &AccountId,
    client_id: Option<&str>,
    taken: Reserved,
    is_wrong: bool,
) -> Result<(), ServiceError> {
    if !is_wrong {
        app.ephemeral.give_back(taken).await?;
    } else if is_closed(app, account).await? {
        note_limit(app, account, client_id, LIMIT).await?;
    }
    Ok(())
}

/// Whether so many wrong codes were given for an account today that none is looked at any more.
pub async fn is_closed(app: &App, account: &AccountId) -> Result<bool, ServiceError> {
    Ok(app.is_exhausted(&failures(account), PER_DAY).await?)
}

/// Forgets the wrong codes of today: somebody who knows the holder says that it was them.
pub async fn open_again(app: &App, account: &AccountId) -> Result<(), ServiceError> {
    app.ephemeral.delete(&noted(LIMIT, account)).await?;
    Ok(app.ephemeral.delete(&failures(account)).await?)
}

/// Writes down, once a day, that an account reached a limit.
pub(super) async fn note_limit(
    app: &App,
    account: &AccountId,
    client_id: Option<&str>,
    limit: &str,
) -> Result<(), ServiceError> {
    if app.ephemeral.count(&noted(limit, account), DAY).await?.count > 1 {
        return Ok(());
    }
    let mut write = app.store.begin_write().await?;
    app.store.note(&mut write, Event::CodeLimit, account, client_id, "");
    write.commit().await?;
    Ok(())
}
