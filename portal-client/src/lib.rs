//! Voordeur's thin portal: a relying party that shows people the care dossiers linked to them.
//!
//! A room knows only those before it: `config`, `paging`, `session`, `oidc`, `dossiers`, `links`, `access_log`, `team`,
//! `app`, `http`, `pages`, `router`, `cli`.

#![warn(unreachable_pub)]

pub mod access_log;
pub mod app;
pub mod cli;
pub mod config;
pub mod dossiers;
pub mod http;
pub mod links;
pub mod oidc;
pub mod outcomes;
pub mod pages;
pub mod paging;
pub mod router;
pub mod session;
pub mod team;
#[cfg(test)]
mod testing;
