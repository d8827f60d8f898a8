//! The identity provider. Data flows one way: a room knows only those above it in this list, which is
//! therefore not sorted. `tests/` fails on an import that points the wrong way.

#![warn(unreachable_pub)]

pub mod config;
pub mod protocol;
pub mod domain;
pub mod store;
pub mod keys;
pub mod credentials;
pub mod delivery;
pub mod app;
pub mod http;
pub mod verification;
pub mod effects;
pub mod flow;
pub mod oauth;
pub mod signin;
pub mod account;
pub mod desk;
pub mod operators;
pub mod router;
pub mod cli;
