//! The end-to-end tests, in one binary. `tests/run` starts the servers they need.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod accounts;
mod acts;
mod architecture;
mod browser;
mod care;
mod changes;
mod clients;
mod clients_apache;
mod clients_document;
mod clients_fapi;
mod clients_openidconnect;
mod codes;
mod confirmation;
mod delivery;
mod devices;
mod ending;
mod input;
mod journey;
mod keys;
mod lockout;
mod look;
mod oauth;
mod openid;
mod operations;
mod pages;
mod portal;
mod protocol_acts;
mod protocol_assertion;
mod protocol_basic;
mod protocol_claims;
mod protocol_document;
mod protocol_dpop;
mod protocol_fapi;
mod protocol_logout;
mod protocol_par;
mod protocol_races;
mod protocol_refresh;
mod protocol_requests;
mod protocol_subjects;
mod protocol_tokens;
mod receiver;
mod registration;
mod sessions;
mod stores;
