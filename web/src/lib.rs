//! The floor that both servers stand on. Owns what is the same for an identity provider and a
//! relying party (time, randomness, sealing, the database handle, values that expire, cookies, CSRF,
//! pages, request log) and knows nothing of accounts, tokens or dossiers.

pub mod assets;
pub mod clock;
pub mod compress;
pub mod config;
pub mod cookies;
pub mod csrf;
pub mod dates;
pub mod db;
pub mod ending;
pub mod ephemeral;
pub mod flood;
pub mod headers;
pub mod language;
pub mod look;
pub mod metrics;
pub mod pages;
pub mod random;
pub mod request;
pub mod request_log;
pub mod seal;
pub mod serve;
