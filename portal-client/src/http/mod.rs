//! What every handler stands on: extractors that ask of a request what it must have, the one error, and the portal's paths.

pub mod error;
pub mod extract;
pub mod paths;
pub mod session_cookie;
