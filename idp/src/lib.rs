//! The identity provider. Data flows one way: a room knows only those above it in this list, which is
//! therefore not sorted. `tests/` fails on an import that points the wrong way.

pub mod config;
pub mod path;
pub mod protocol;
pub mod domain;
pub mod journey;
pub mod ephemeral;
pub mod store;
pub mod keys;
pub mod credentials;
pub mod delivery;
pub mod app;
pub mod http;
pub mod notices;
pub mod invitations;
pub mod codes;
pub mod reports;
pub mod effects;
pub mod flow;
pub mod oauth;
pub mod mail_codes;
pub mod confirmations;
pub mod signin;
pub mod register;
pub mod recover;
pub mod account;
pub mod desk;
pub mod dev;
pub mod operators;
pub mod jobs;
pub mod router;
pub mod cli;
#[cfg(test)]
mod samples;
