//! A disk whose plug can be pulled, and a load whose promises can be held against what is found afterwards.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

pub mod disk;
pub mod load;
mod vfs;
