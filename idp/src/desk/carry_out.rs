//! What each act of the team does: the change, the line in the audit log and the notice to the holder, in one
//! transaction that holds the account, so that a second one at the same moment finds it done.

use std::time::Duration;

use web::clock::Timestamp;
use web::db::Write;

use super::DAY;
use crate::app::{App, Trouble};
use crate::codes;
use crate::domain::account::{Account, AccountId, EmailAddress};
use crate::domain::phone::PhoneNumber;
use crate::effects::sessions::end_session_by;
use crate::invitations::{By, Start};
use crate::notices::{Mail, greeting};
use crate::store::audit::Event;
use crate::store::mail_links::Purpose;
use crate::store::members::Scope;

/// A change that was asked for.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Mail,
    Unlock,
    Phone(PhoneNumber),
    Email(EmailAddress),
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

/// For so long who changed the phone number of an account does not change its address too, nor the other way round: with
/// both one person alone would own it. Its holder was told of the first change and has this time to say something.
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
) -> Result<Outcome, Trouble> {
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
    let codes_closed = matches!(change, Change::Unlock) && codes::is_closed(app, id).await?;
    let mut write = app.store.begin_write().await?;
    let Some(account) = app.store.hold_member(&mut write, scope, id).await? else {
        return Ok(Outcome::Gone);
    };
    if let Some(until) = needs_colleague(app, &mut write, &account, change, by).await? {
        return Ok(Outcome::NeedsColleague(until));
    }
    let event = match (change, &start) {
        (Change::Mail, Some(start)) => {
            if account.blocked_at.is_some() || !app.start_account(&mut write, &account, start).await? {
                return Ok(Outcome::Overtaken);
            }
            Some(Event::InvitedAgain)
        }
        (Change::Email(email), Some(start)) => {
            match change_email(app, &mut write, &account, email, start, by).await {
                Err(Trouble::Store(error)) if error.is_unique_violation() => {
                    drop(write);
                    let owner = app.store.account_by_email(email).await?;
                    return Ok(owner.map_or(Outcome::Gone, |owner| Outcome::EmailTaken(Box::new(owner))));
                }
                result => result?,
            }
        }
        (Change::Phone(phone), _) => change_phone(app, &mut write, &account, phone, by).await?,
        (Change::Sessions, _) => {
            end_sessions(app, &mut write, &account, by).await?.then_some(Event::SessionEnded)
        }
        (Change::Unlock, _) => {
            let was_locked = app.store.unlock(&mut write, id).await?;
            (was_locked || codes_closed).then_some(Event::Unlocked)
        }
        (Change::Block, _) if account.blocked_at.is_none() => {
            app.store.set_blocked(&mut write, id, true).await?;
            end_all(app, &mut write, &account, by).await?;
            Some(Event::Blocked)
        }
        (Change::Unblock, _) if account.blocked_at.is_some() => {
            app.store.set_blocked(&mut write, id, false).await?;
            Some(Event::Unblocked)
        }
        _ => None,
    };
    let Some(event) = event else { return Ok(Outcome::Done) };
    app.store.note_by(&mut write, Some(by.actor), event, id, None, by.reason.as_str());
    // The mail of a start and of a new address tells the holder already.
    if !matches!(change, Change::Mail | Change::Email(_)) {
        tell(app, &mut write, &account, &account.email, event).await?;
    }
    write.commit().await?;
    app.delivery.wake();
    if codes_closed {
        codes::open_again(app, id).await?;
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
) -> Result<Option<Timestamp>, Trouble> {
    let other: &[Event] = match change {
        Change::Phone(_) => &[Event::EmailChanged],
        Change::Email(_) => &[Event::PhoneChanged, Event::PhoneAdded, Event::PhoneRemoved],
        _ => return Ok(None),
    };
    if !account.has_own_password() {
        return Ok(None);
    }
    let last = app.store.last_act(write, &account.id, by.actor, other).await?;
    Ok(last.map(|at| at.plus(ALONE_AFTER)).filter(|until| *until > app.clock.now()))
}

/// Takes the phone number away from an account whose holder has it no more, as an operator may; what stands on it ends,
/// and the holder is told at both. The next sign-in asks for a number, where the portal asks for codes. False if there is
/// no number.
///
/// # Errors
/// A backend's; nothing was done then.
pub async fn remove_phone(app: &App, id: &AccountId, by: By<'_>) -> Result<bool, Trouble> {
    let mut write = app.store.begin_write().await?;
    let Some(account) = app.store.hold_account(&mut write, id).await? else { return Ok(false) };
    let Some(sealed) = account.verified_phone() else { return Ok(false) };
    let old = app.store.open_phone(sealed)?;
    app.store.remove_phone(&mut write, id).await?;
    end_all(app, &mut write, &account, by).await?;
    app.tell_old_number(&mut write, &old, account.language, "phone_removed").await?;
    app.store.note_by(&mut write, Some(by.actor), Event::PhoneRemoved, id, None, by.reason.as_str());
    tell(app, &mut write, &account, &account.email, Event::PhoneRemoved).await?;
    write.commit().await?;
    Ok(true)
}

/// Tells the holder at an address what happened.
async fn tell(
    app: &App,
    write: &mut Write,
    account: &Account,
    to: &EmailAddress,
    event: Event,
) -> Result<(), Trouble> {
    // A new address is proved by nobody yet.
    let name = if *to == account.email { greeting(account) } else { "" };
    let mut notice = app.notice(None, name);
    notice.event = format!("event-{}", event.as_str());
    app.send_mail(write, Mail::DeskNotice, to, account.language, None, &notice).await
}

async fn change_email(
    app: &App,
    write: &mut Write,
    account: &Account,
    email: &EmailAddress,
    start: &Start,
    by: By<'_>,
) -> Result<Option<Event>, Trouble> {
    if account.email == *email {
        return Ok(None);
    }
    app.store.remove_unconfirmed_at(write, email).await?;
    app.store.change_email(write, &account.id, &account.email, email).await?;
    end_all(app, write, account, by).await?;
    tell(app, write, account, &account.email, Event::EmailChanged).await?;
    let moved = Account { email: email.clone(), ..account.clone() };
    if account.has_own_password() {
        tell(app, write, account, email, Event::EmailChanged).await?;
    } else if account.blocked_at.is_some() {
        // The mail of the start is sent once somebody may come in with it.
        app.store.set_temporary_password(write, &account.id, None).await?;
    } else {
        app.start_account(write, &moved, start).await?;
    }
    Ok(Some(Event::EmailChanged))
}

async fn change_phone(
    app: &App,
    write: &mut Write,
    account: &Account,
    phone: &PhoneNumber,
    by: By<'_>,
) -> Result<Option<Event>, Trouble> {
    let old = account.verified_phone().map(|sealed| app.store.open_phone(sealed)).transpose()?;
    if old.as_deref() == Some(phone.e164()) {
        return Ok(None);
    }
    app.store.change_phone(write, &account.id, &app.store.seal_phone(phone.e164())).await?;
    end_all(app, write, account, by).await?;
    let Some(old) = old else { return Ok(Some(Event::PhoneAdded)) };
    app.tell_old_number(write, &old, account.language, "phone_changed").await?;
    Ok(Some(Event::PhoneChanged))
}

/// Ends the sessions of an account; false if there are none.
async fn end_sessions(app: &App, write: &mut Write, account: &Account, by: By<'_>) -> Result<bool, Trouble> {
    let sessions = app.store.sessions_in(write, &account.id).await?;
    for session in &sessions {
        end_session_by(app, write, &session.id, Some(by.actor)).await?;
    }
    Ok(!sessions.is_empty())
}

/// Ends whatever stands on what was before: sessions, known devices, links in mails.
async fn end_all(app: &App, write: &mut Write, account: &Account, by: By<'_>) -> Result<(), Trouble> {
    app.store.forget_devices(write, &account.id, None).await?;
    for purpose in [Purpose::Confirm, Purpose::Reset, Purpose::EmailChange] {
        app.store.void_mail_links(write, &account.id, purpose).await?;
    }
    end_sessions(app, write, account, by).await?;
    Ok(())
}
