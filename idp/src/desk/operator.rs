//! What an operator does to one account on the command line, for nights without a desk: whoever's it is. What stands on what
//! was changed ends, the holder is told, and a line of the audit log says who did it and why.

use platform::db::Write;

use super::carry_out::take_factors;
use crate::app::{App, ServiceError};
use crate::domain::account::{Account, AccountId};
use crate::effects::{Change, Consequences};
use crate::verification::invitations::By;
use crate::verification::wrong_codes;

/// One thing that an operator can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorAct {
    /// The next sign-in asks for a number, where the portal asks for codes.
    RemovePhone,
    /// App, passkeys and recovery codes; the phone number stays.
    ResetFactors,
    Block,
    Unblock,
    /// Opens a lock after wrong passwords, and takes wrong codes of today as not given.
    Unlock,
    EndSessions,
    Delete,
}

/// Does it. False if there was nothing to do.
///
/// # Errors
/// A backend's; nothing was done then.
pub async fn carry_out(
    app: &App,
    id: &AccountId,
    act: OperatorAct,
    by: By<'_>,
) -> Result<bool, ServiceError> {
    let codes_closed = act == OperatorAct::Unlock && wrong_codes::is_closed(app, id).await?;
    let mut write = app.store.begin_write().await?;
    let Some(account) = app.store.hold_account(&mut write, id).await? else { return Ok(false) };
    let change = match act {
        OperatorAct::RemovePhone => Change::PhoneRemoved,
        OperatorAct::ResetFactors => Change::FactorsRemoved,
        OperatorAct::Block => Change::DeskBlocked,
        OperatorAct::Unblock => Change::DeskUnblocked,
        OperatorAct::Unlock => Change::DeskUnlocked,
        OperatorAct::EndSessions => Change::DeskSessionsEnded,
        OperatorAct::Delete => Change::Deleted,
    };
    if !prepare(app, &mut write, &account, act).await? {
        return Ok(false);
    }
    let what =
        Consequences { by: Some(by), ends_elsewhere: codes_closed, ..Consequences::of(change, &account) };
    if !what.carry_out(app, &mut write).await? {
        return Ok(false);
    }
    if act == OperatorAct::Delete {
        app.store.delete_account(&mut write, id).await?;
    }
    write.commit().await?;
    if codes_closed {
        wrong_codes::open_again(app, id).await?;
    }
    Ok(true)
}

/// Changes the row, before what follows from it; false if it is so already.
async fn prepare(
    app: &App,
    write: &mut Write,
    account: &Account,
    act: OperatorAct,
) -> Result<bool, ServiceError> {
    let id = &account.id;
    match act {
        OperatorAct::RemovePhone if account.verified_phone().is_some() => {
            app.store.remove_phone(write, id).await?;
            Ok(true)
        }
        OperatorAct::ResetFactors => take_factors(app, write, account).await,
        OperatorAct::Block if account.blocked_at.is_none() => {
            app.store.set_blocked(write, id, true).await?;
            Ok(true)
        }
        OperatorAct::Unblock if account.blocked_at.is_some() => {
            app.store.set_blocked(write, id, false).await?;
            Ok(true)
        }
        OperatorAct::RemovePhone | OperatorAct::Block | OperatorAct::Unblock => Ok(false),
        OperatorAct::Unlock | OperatorAct::EndSessions | OperatorAct::Delete => Ok(true),
    }
}
