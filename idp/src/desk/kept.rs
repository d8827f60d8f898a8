//! A search of somebody at the desk, which can be paged through and come back to. It is kept sealed, for whoever typed it: in
//! a URL, names would stay in the history of a shared computer.

use std::time::Duration;

use crate::app::{App, ServiceError};
use crate::domain::account::AccountId;

/// How long a search can be paged through and come back to.
const SEARCH_LIVES: Duration = Duration::from_hours(1);

fn key(staff: &AccountId, id: &str) -> String {
    format!("desk-search:{}:{id}", staff.0)
}

/// Keeps a search; its id.
pub(super) async fn keep_search(app: &App, staff: &AccountId, search: &str) -> Result<String, ServiceError> {
    let id = app.random.id();
    app.ephemeral.put(&key(staff, &id), &app.store.seal_for_desk(search), SEARCH_LIVES).await?;
    Ok(id)
}

/// The search of this id. What is too old to be kept, or to be read, is nothing.
pub(super) async fn search(app: &App, staff: &AccountId, id: &str) -> Result<Option<String>, ServiceError> {
    if id.is_empty() {
        return Ok(None);
    }
    let kept = app.ephemeral.get(&key(staff, id)).await?;
    Ok(kept.and_then(|kept| app.store.open_for_desk(&kept.value).ok()))
}
