//! Which schema a database has.

/// The schema that a database has, and the newest one that this program knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub version: i64,
    pub known: i64,
}
