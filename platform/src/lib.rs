//! The floor that both servers stand on. Owns what is the same for an identity provider and a
//! relying party (time, randomness, sealing, the database handle, values that expire, cookies, CSRF,
//! pages, request log) and knows nothing of accounts, tokens or dossiers.

#![warn(unreachable_pub)]

pub mod assets;
pub mod check;
pub mod clock;
pub mod compress;
pub mod config;
pub mod connections;
pub mod cookies;
pub mod csrf;
pub mod dates;
pub mod db;
pub mod document;
pub mod ending;
pub mod ephemeral;
pub mod errors;
pub mod fault;
pub mod rate_limiter;
mod forwarded;
pub mod headers;
pub mod health;
pub mod kept;
pub mod language;
pub mod links;
pub mod local_path;
pub mod look;
pub mod metrics;
pub mod once;
pub mod pages;
pub mod priority;
pub mod random;
pub mod request;
pub mod request_log;
pub mod seal;
pub mod serve;
pub mod shutdown;
pub mod typed;
mod warning;
