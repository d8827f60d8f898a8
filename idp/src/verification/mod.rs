//! What proves that a number or an address is somebody's: one-time codes, authenticator apps, recovery codes, codes and links in mails, confirmations,
//! invitations.

pub mod apps;
pub mod codes;
pub mod confirmations;
pub mod invitations;
pub mod mail_codes;
pub mod passkeys;
pub mod recovery_codes;
pub mod wrong_codes;
