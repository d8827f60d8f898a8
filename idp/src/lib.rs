//! The identity provider. Data flows one way: a room knows only those above it in this list.

pub mod config;
pub mod protocol;
pub mod domain;
pub mod journey;
pub mod store;
pub mod keys;
pub mod credentials;
pub mod delivery;
pub mod app;
pub mod oauth;
pub mod signin;
pub mod register;
pub mod recover;
pub mod account;
pub mod jobs;
pub mod router;
pub mod cli;
