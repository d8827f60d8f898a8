//! What every handler stands on: extractors ask of a request what it must have, a handler returns a response or the one error.
//! And what stands on the wire: paths, fields, cookies.

pub mod error;
pub mod extract;
pub mod form;
pub mod names;
pub mod paths;
pub mod session_cookie;
