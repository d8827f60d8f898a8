//! The endpoints that portals and other clients call.

pub mod authorize;
mod clients;
pub mod cors;
pub mod discovery;
mod dpop;
mod grants;
mod id_token;
pub mod introspect;
pub mod logout;
pub mod oxide;
pub mod par;
pub mod refusal;
pub mod registration;
mod request;
pub mod token;
mod tokens;
pub mod userinfo;
