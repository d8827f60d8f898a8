//! What people prove themselves with: passwords (hashed on threads of their own), the rule a new password must
//! meet, temporary passwords, passkeys, one-time codes, authenticator apps and recovery codes. Owns how they are checked; how often one may try is for the sign-in pages.

pub mod app_codes;
pub mod codes;
pub mod passkeys;
pub mod passwords;
pub mod policy;
pub mod recovery_codes;
pub mod temporary;
