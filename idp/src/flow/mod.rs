//! The driver of a sign-in: begin, assess, proceed, finish. Called by pages and by the authorization endpoint; it calls
//! neither.

pub mod answer;
pub mod assess;
pub mod begin;
mod finish;
mod proceed;
