//! The endpoints that portals call, and the end of a sign-in, where codes are issued.

pub mod authorize;
mod clients;
pub mod cors;
pub mod discovery;
mod dpop;
mod grants;
pub mod introspect;
pub mod issue;
pub mod logout;
pub mod oxide;
pub mod par;
pub mod refusal;
pub mod registration;
mod request;
pub mod resume;
mod subject;
pub mod token;
mod tokens;
pub mod userinfo;
