//! Pure things and their rules: accounts, phone numbers, devices, passkeys, sessions. No I/O, no clock.

pub mod account;
pub mod device;
pub mod factors;
pub mod gsm7;
pub mod journey;
pub mod passkey;
pub mod phone;
pub mod reason;
pub mod search;
