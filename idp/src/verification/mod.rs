//! What proves that a number or an address is somebody's: one-time codes, codes and links in mails, confirmations,
//! invitations.

pub mod codes;
pub mod confirmations;
pub mod invitations;
pub mod mail_codes;
