//! The end-to-end tests, in one binary. `tests/run` starts the servers they need.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod accounts;
mod acts;
mod codes;
mod delivery;
mod devices;
mod journey;
mod lockout;
mod stores;
