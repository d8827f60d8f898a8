//! What handlers ask of a request before they run, and the one error with which they may end early.

pub mod browser;
pub mod error;
pub mod extract;
pub mod kept;
pub mod names;
pub mod pages;
pub mod paths;

pub use error::{Answer, AppError};
pub use extract::{Caller, Form, SignedIn};
