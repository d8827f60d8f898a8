//! What a change ends, tells and writes down.

pub mod sessions;
