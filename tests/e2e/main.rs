//! The end-to-end tests, in one binary. `tests/run` starts the servers they need.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod architecture;
mod care;
mod input;
mod journey;
mod oauth;
mod openid;
mod operations;
mod pages;
mod portal;
mod receiver;
mod sessions;
mod stores;
