//! Addresses that are in use where somebody at the desk sees nobody: with another care team, or of people who registered
//! themselves. The desk cannot make an account for one and has to say so. That an account is the reason is not said; it is
//! said a few times a day, and each time is written down (docs/decisions/0031).

use platform::ephemeral::{Limit, Reserved};

use super::{DAY, Staff};
use crate::app::{App, ServiceError};
use crate::store::audit::Event;

/// How often a day a member of staff is told that an address cannot have an account: more than happens by mistake, and
/// too few to find out who is in care somewhere.
const REFUSALS_PER_DAY: u32 = 5;

/// Takes the right to be refused an address, before it is looked for; `None` if there is none left today.
pub(super) async fn take(app: &App, staff: &Staff) -> Result<Option<Reserved>, ServiceError> {
    let key = format!("desk-refusals:{}", staff.account.id.0);
    let limit = Limit { key: &key, most: REFUSALS_PER_DAY, window: DAY };
    Ok(app.ephemeral.reserve(&[limit]).await?.ok())
}

/// Writes down that an address was refused, which uses the right up; otherwise gives it back.
pub(super) async fn settle(
    app: &App,
    staff: &Staff,
    right: Reserved,
    was_refused: bool,
) -> Result<(), ServiceError> {
    if !was_refused {
        return Ok(app.ephemeral.give_back(right).await?);
    }
    drop(right);
    let mut write = app.store.begin_write().await?;
    app.store.note(&mut write, Event::AddressRefused, &staff.account.id, None, "");
    Ok(write.commit().await?)
}
