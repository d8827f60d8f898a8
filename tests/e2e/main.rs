//! The end-to-end tests, in one binary. `tests/run` starts the servers they need.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod browser;
mod journey;
