//! What each act of the team does: the change, the line in the audit log and the notice to the holder, in one
//! transaction that holds the account, so that a second one at the same moment finds it done.

use std::time::Duration;

use platform::clock::Timestamp;
use platform::db::Write;

use super::DAY;
use crate::app::{App, ServiceError};
use crate::domain::account::{Account, AccountId, EmailAddress};
use crate::domain::phone::PhoneNumber;
use crate::effects::{Change as Effect, Consequences};
use crate::store::audit::Event;
use crate::store::members::Scope;
use crate::verification::invitations::{By, Start};
use crate::verification::wrong_codes;

/// A change that was asked for.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Mail,
    Unlock,
    Phone(PhoneNumber),
    Email(EmailAddress),
    /// Takes app, passkeys and recovery codes away.
    Factors,
    Sessions,
    Block,
    Unblock,
}

/// What came of it.
pub(super) enum Outcome {
    /// It is done, now or a moment ago.
    Done,
    /// Nothing was done: the holder chose a password, or a colleague blocked the account meanwhile.
    Overtaken,
    /// The holder was sent as many mails today as may be.
    Limit,
    /// The account is not there any more.
    Gone,
    EmailTaken(Box<Account>),
    /// Nothing was done: who changed the other way to this account a while ago leaves this one to a colleague, or waits.
    NeedsColleague(Timestamp),
}

/// For so long who changed the phone number of an account, or took its app and passkeys away, does not change its address
/// too, nor the other way round: with both one person alone would own it. Its holder was told of the first change and has this time to say something.
const ALONE_AFTER: Duration = Duration::from_hours(7 * 24);

/// Between two mails with which an account starts; a double click sends one.
const MAIL_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// Does it.
///
/// # Errors
/// A backend's; nothing was done then.
pub(super) async fn carry_out(
    app: &App,
    scope: Scope<'_>,
    id: &AccountId,
    change: &Change,
    by: By<'_>,
) -> Result<Outcome, ServiceError> {
    // An account without a password of its holder's starts anew at its new address: the old one may be a stranger's,
    // who has the mail with the temporary password.
    let start = match change {
        Change::Mail => {
            // First, since it may be refused under load: then nothing has been counted.
            let start = app.prepare_start().await?;
            if !app.ephemeral.put_new(&format!("desk-mail-wait:{}", id.0), "", MAIL_AGAIN_AFTER).await? {
                return Ok(Outcome::Done);
            }
            let limit = app.config.limits.mails_per_account_per_day;
            if !app.within(&format!("desk-mails-to:{}", id.0), limit, DAY).await? {
                return Ok(Outcome::Limit);
            }
            Some(start)
        }
        Change::Email(_) => Some(app.prepare_start().await?),
        _ => None,
    };
    let codes_closed = matches!(change, Change::Unlock) && wrong_codes::is_closed(app, id).await?;
    let mut write = app.store.begin_write().await?;
    let Some(account) = app.store.hold_member(&mut write, scope, id).await? else {
        return Ok(Outcome::Gone);
    };
    if let Some(until) = needs_colleague(app, &mut write, &account, change, by).await? {
        return Ok(Outcome::NeedsColleague(until));
    }
    let mut what = Consequences { by: Some(by), ..Consequences::of(Effect::DeskInvitedAgain, &account) };
    what.change = match (change, &start) {
        (Change::Mail, Some(start)) => {
            if account.blocked_at.is_some() || !app.start_account(&mut write, &account, start).await? {
                return Ok(Outcome::Overtaken);
            }
            Effect::DeskInvitedAgain
        }
        (Change::Email(email), _) => {
            if account.email == *email {
                return Ok(Outcome::Done);
            }
            app.store.remove_unconfirmed_at(&mut write, email).await?;
            match app.store.change_email(&mut write, id, &account.email, email).await {
                Err(error) if error.is_unique_violation() => {
                    drop(write);
                    let owner = app.store.account_by_email(email).await?;
                    return Ok(owner.map_or(Outcome::Gone, |owner| Outcome::EmailTaken(Box::new(owner))));
                }
                result => result?,
            };
            // The mail of a start tells the holder at the new address.
            what.new_email = account.has_own_password().then_some(email);
            Effect::DeskEmailChanged
        }
        (Change::Phone(phone), _) => {
            let old = account.verified_phone().map(|sealed| app.store.open_phone(sealed)).transpose()?;
            if old.as_deref() == Some(phone.e164()) {
                return Ok(Outcome::Done);
            }
            app.store.change_phone(&mut write, id, &app.store.seal_phone(phone.e164())).await?;
            if old.is_some() { Effect::DeskPhoneChanged } else { Effect::DeskPhoneAdded }
        }
        (Change::Factors, _) => {
            if !take_factors(app, &mut write, &account).await? {
                return Ok(Outcome::Done);
            }
            Effect::FactorsRemoved
        }
        (Change::Sessions, _) => Effect::DeskSessionsEnded,
        (Change::Unlock, _) => {
            what.ends_elsewhere = codes_closed;
            Effect::DeskUnlocked
        }
        (Change::Block, _) if account.blocked_at.is_none() => {
            app.store.set_blocked(&mut write, id, true).await?;
            Effect::DeskBlocked
        }
        (Change::Unblock, _) if account.blocked_at.is_some() => {
            app.store.set_blocked(&mut write, id, false).await?;
            Effect::DeskUnblocked
        }
        _ => return Ok(Outcome::Done),
    };
    if !what.carry_out(app, &mut write).await? {
        return Ok(Outcome::Done);
    }
    if let (Change::Email(email), Some(start)) = (change, &start)
        && !account.has_own_password()
    {
        // After the links in the mails before have ended.
        start_anew(app, &mut write, &account, email, start).await?;
    }
    write.commit().await?;
    if codes_closed {
        wrong_codes::open_again(app, id).await?;
    }
    Ok(Outcome::Done)
}

/// Until when a change is not for who asks for it (T56). An account that nobody uses yet is nobody's to take over: what was
/// mistyped when it was made is mended by who made it.
async fn needs_colleague(
    app: &App,
    write: &mut Write,
    account: &Account,
    change: &Change,
    by: By<'_>,
) -> Result<Option<Timestamp>, ServiceError> {
    let other: &[Event] = match change {
        Change::Phone(_) | Change::Factors => &[Event::EmailChanged],
        Change::Email(_) => {
            &[Event::PhoneChanged, Event::PhoneAdded, Event::PhoneRemoved, Event::FactorsRemoved]
        }
        _ => return Ok(None),
    };
    if !account.has_own_password() {
        return Ok(None);
    }
    let last = app.store.last_act(write, &account.id, by.actor, other).await?;
    Ok(last.map(|at| at.plus(ALONE_AFTER)).filter(|until| *until > app.clock.now()))
}

/// Takes app, passkeys and recovery codes away within a unit of work; false if there were none.
pub(super) async fn take_factors(
    app: &App,
    write: &mut Write,
    account: &Account,
) -> Result<bool, ServiceError> {
    let had_app = app.store.remove_app(write, &account.id).await?;
    let had_passkeys = app.store.remove_passkeys(write, &account.id, None).await? > 0;
    let had_codes = app.store.remove_recovery_codes(write, &account.id).await?;
    Ok(had_app || had_passkeys || had_codes)
}

/// An account without a password of its holder's starts anew at its new address.
async fn start_anew(
    app: &App,
    write: &mut Write,
    account: &Account,
    email: &EmailAddress,
    start: &Start,
) -> Result<(), ServiceError> {
    if account.blocked_at.is_some() {
        // The mail of the start is sent once somebody may come in with it.
        app.store.set_temporary_password(write, &account.id, None).await?;
        return Ok(());
    }
    let moved = Account { email: email.clone(), ..account.clone() };
    app.start_account(write, &moved, start).await?;
    Ok(())
}
