//! What the end-to-end tests stand on: the real servers in this process on free ports, real databases, browsers
//! with a cookie jar of their own, and a clock that is moved instead of waited for.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test ends at the first surprise")]

mod authenticator;
mod browser;
mod mail_server;
mod pristine;
mod chromium;
mod relying_party;
mod signing;
mod sms;
mod world;

pub use authenticator::{Algorithm, Authenticator, Credential, Lies};
pub use browser::{Browser, Page};
pub use chromium::{Chromium, Look};
pub use mail_server::{Arrived, MailServer};
pub use relying_party::{RelyingParty, Tokens};
pub use signing::{Key, SigningClient, borrowed, changed};
pub use sms::{Play, SmsGateway, SmsReport, Text, Told};
pub use world::{Backend, Person, World, origin_of, postgres};
