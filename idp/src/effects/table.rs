//! The table: for each change what it ends, whom it tells and what it writes down. `docs/consequences.md` is printed from
//! it.

use crate::app::notices::Mail;
use crate::store::audit::Event;
use crate::store::mail_links::Purpose;

/// What happens to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// By its holder, on the account page.
    PasswordChanged,
    /// By its holder, with a mail.
    PasswordReset,
    /// By its holder, in the place of a temporary one.
    PasswordReplaced,
    /// By its holder, in a sign-in that asked for a number.
    PhoneEnrolled,
    /// By its holder, on the account page, where there was none.
    PhoneAdded,
    PhoneChanged,
    EmailChanged,
    DevicesForgotten,
    SessionEnded,
    ConsentWithdrawn,
    Deleted,
    /// By its holder, in a sign-in that asked for a second factor.
    AppEnrolled,
    /// By its holder, on the account page.
    AppAdded,
    AppRemoved,
    RecoveryCodesMade,
    /// By its holder, in a sign-in that asked for one.
    PasskeyEnrolled,
    /// By its holder, on the account page.
    PasskeyAdded,
    PasskeyRemoved,
    /// By the care team, and so on to the end.
    DeskPhoneAdded,
    DeskPhoneChanged,
    DeskEmailChanged,
    DeskSessionsEnded,
    DeskBlocked,
    DeskUnblocked,
    DeskUnlocked,
    /// The mail with which an account starts goes out once more.
    DeskInvitedAgain,
    /// By the care team or an operator: app, passkeys and recovery codes are taken away.
    FactorsRemoved,
    /// By an operator.
    PhoneRemoved,
}

/// What is over with a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Every session, or the one that is named; its grants, codes and refresh tokens are revoked, its portals are told.
    Sessions,
    /// Every session but the one in which it happens.
    OtherSessions,
    /// Every known device, or the one that is named.
    Devices,
    /// Links and codes in mails.
    Links(Purpose),
    /// The counts of wrong passwords, with their locks.
    Lockout,
    /// What one client was let have, with the tokens that it got.
    Consent,
}

/// Who hears of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// The address that the account has, or had.
    Address(Mail),
    /// The address that it has from now, if somebody may be told there.
    NewAddress(Mail),
    /// The phone number that it had, by the text below `sms/`.
    OldNumber(&'static str),
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub event: Event,
    pub ends: &'static [Ends],
    pub tells: &'static [Tells],
}

const ALL_LINKS: [Ends; 3] =
    [Ends::Links(Purpose::Confirm), Ends::Links(Purpose::Reset), Ends::Links(Purpose::EmailChange)];
/// Whatever stood on what was before.
const EVERYTHING: &[Ends] = &[Ends::Sessions, Ends::Devices, ALL_LINKS[0], ALL_LINKS[1], ALL_LINKS[2]];
const SECURITY_NOTICE: &[Tells] = &[Tells::Address(Mail::SecurityNotice)];
const DESK_NOTICE: &[Tells] = &[Tells::Address(Mail::DeskNotice)];

impl Change {
    pub const ALL: [Self; 28] = [
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::PasswordReplaced,
        Self::PhoneEnrolled,
        Self::PhoneAdded,
        Self::PhoneChanged,
        Self::EmailChanged,
        Self::DevicesForgotten,
        Self::SessionEnded,
        Self::ConsentWithdrawn,
        Self::Deleted,
        Self::AppEnrolled,
        Self::AppAdded,
        Self::AppRemoved,
        Self::RecoveryCodesMade,
        Self::PasskeyEnrolled,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::DeskPhoneAdded,
        Self::DeskPhoneChanged,
        Self::DeskEmailChanged,
        Self::DeskSessionsEnded,
        Self::DeskBlocked,
        Self::DeskUnblocked,
        Self::DeskUnlocked,
        Self::DeskInvitedAgain,
        Self::FactorsRemoved,
        Self::PhoneRemoved,
    ];

    /// Its row.
    pub const fn row(self) -> Row {
        const fn row(event: Event, ends: &'static [Ends], tells: &'static [Tells]) -> Row {
            Row { event, ends, tells }
        }
        match self {
            Self::PasswordChanged => row(
                Event::PasswordChanged,
                &[Ends::OtherSessions, Ends::Devices, Ends::Links(Purpose::Reset)],
                &[Tells::Address(Mail::PasswordChanged)],
            ),
            // Whoever reads the mail of the address has confirmed it.
            Self::PasswordReset => row(
                Event::PasswordChanged,
                &[Ends::Sessions, Ends::Devices, Ends::Links(Purpose::Confirm), Ends::Lockout],
                &[Tells::Address(Mail::PasswordChanged)],
            ),
            Self::PasswordReplaced => {
                row(Event::PasswordChanged, &[], &[Tells::Address(Mail::PasswordChanged)])
            }
            Self::PhoneEnrolled => row(Event::PhoneAdded, &[], &[Tells::Address(Mail::PhoneAdded)]),
            Self::PhoneAdded => row(Event::PhoneAdded, &[Ends::Devices], &[Tells::Address(Mail::PhoneAdded)]),
            Self::PhoneChanged => row(
                Event::PhoneChanged,
                &[Ends::Devices],
                &[Tells::OldNumber("phone_changed"), Tells::Address(Mail::PhoneChanged)],
            ),
            // A link that went to the old address opens nothing any more.
            Self::EmailChanged => row(
                Event::EmailChanged,
                &[Ends::Links(Purpose::Reset)],
                &[Tells::Address(Mail::EmailChanged), Tells::NewAddress(Mail::EmailChanged)],
            ),
            Self::DevicesForgotten => row(Event::DeviceForgotten, &[Ends::Devices], &[]),
            Self::SessionEnded => row(Event::SessionEnded, &[Ends::Sessions], &[]),
            Self::ConsentWithdrawn => row(Event::ConsentWithdrawn, &[Ends::Consent], &[]),
            Self::Deleted => {
                row(Event::AccountDeleted, &[Ends::Sessions], &[Tells::Address(Mail::AccountDeleted)])
            }
            Self::AppEnrolled => row(Event::AppAdded, &[], SECURITY_NOTICE),
            Self::AppAdded => row(Event::AppAdded, &[Ends::Devices], SECURITY_NOTICE),
            Self::AppRemoved => row(Event::AppRemoved, &[Ends::Devices], SECURITY_NOTICE),
            Self::RecoveryCodesMade => row(Event::RecoveryCodesMade, &[], SECURITY_NOTICE),
            Self::PasskeyEnrolled => row(Event::PasskeyAdded, &[], SECURITY_NOTICE),
            Self::PasskeyAdded => row(Event::PasskeyAdded, &[Ends::Devices], SECURITY_NOTICE),
            Self::PasskeyRemoved => row(Event::PasskeyRemoved, &[Ends::Devices], SECURITY_NOTICE),
            Self::DeskPhoneAdded => row(Event::PhoneAdded, EVERYTHING, DESK_NOTICE),
            Self::DeskPhoneChanged => row(
                Event::PhoneChanged,
                EVERYTHING,
                &[Tells::OldNumber("phone_changed"), Tells::Address(Mail::DeskNotice)],
            ),
            Self::DeskEmailChanged => row(
                Event::EmailChanged,
                EVERYTHING,
                &[Tells::Address(Mail::DeskNotice), Tells::NewAddress(Mail::DeskNotice)],
            ),
            Self::DeskSessionsEnded => row(Event::SessionEnded, &[Ends::Sessions], DESK_NOTICE),
            Self::DeskBlocked => row(Event::Blocked, EVERYTHING, DESK_NOTICE),
            Self::DeskUnblocked => row(Event::Unblocked, &[], DESK_NOTICE),
            Self::DeskUnlocked => row(Event::Unlocked, &[Ends::Lockout], DESK_NOTICE),
            // The mail of the start tells the holder.
            Self::DeskInvitedAgain => row(Event::InvitedAgain, &[], &[]),
            Self::FactorsRemoved => row(Event::FactorsRemoved, EVERYTHING, DESK_NOTICE),
            Self::PhoneRemoved => row(
                Event::PhoneRemoved,
                EVERYTHING,
                &[Tells::OldNumber("phone_removed"), Tells::Address(Mail::DeskNotice)],
            ),
        }
    }

    /// Whether it is nothing where nothing was ended.
    pub(super) fn is_only_an_end(self) -> bool {
        matches!(
            self,
            Self::DevicesForgotten
                | Self::SessionEnded
                | Self::ConsentWithdrawn
                | Self::DeskSessionsEnded
                | Self::DeskUnlocked
        )
    }
}
