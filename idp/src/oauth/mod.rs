//! The endpoints that portals call, and the end of a sign-in, where codes are issued.

pub mod authorize;
pub mod clients;
pub mod discovery;
pub mod issue;
pub mod logout;
mod oxide;
pub mod resume;
pub mod token;
pub mod userinfo;
