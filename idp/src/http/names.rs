//! What stands on the wire and is no path: the names of cookies and of the fields of our own forms. The fields stand in the
//! templates too, and in `platform::kept` those of forms that are kept. What clients send has the names of its standards,
//! in `protocol/`.

pub use platform::csrf::FIELD as CSRF;
pub use platform::request::{BROWSER_COOKIE, LANGUAGE_COOKIE, PUBLIC_COOKIE};

/// The cookie of a session; its value is the secret of which the database keeps a hash.
pub const SESSION_COOKIE: &str = "session";
/// The cookie of a device that may be known to accounts.
pub const DEVICE_COOKIE: &str = "device";

/// The cookie of a journey in which the password was given.
pub fn bond_cookie(journey: &str) -> String {
    format!("sign-in-{journey}")
}

/// The parameter that says which portal a URL belongs to, for who comes too late.
pub const PORTAL: &str = "portal";

// Fields of forms.
pub const EMAIL: &str = "email";
pub const PHONE: &str = "phone";
pub const USERNAME: &str = "username";
/// A one-time code, of an SMS or a mail.
pub const CODE: &str = "code";
pub const PASSWORD: &str = "password";
pub const GIVEN_NAME: &str = "given_name";
pub const FAMILY_NAME: &str = "family_name";
/// Why staff do it.
pub const REASON: &str = "reason";
/// Which code or mail the page knew of, for the button that asks for another one.
pub const AFTER: &str = "after";
/// The session or device that is ended.
pub const ID: &str = "id";
/// Of a mailed link.
pub const TOKEN: &str = "token";
pub const NEW_PASSWORD: &str = "new_password";
/// What a browser answers to a question for a passkey.
pub const ANSWER: &str = "answer";
/// What a holder calls a passkey.
pub const NAME: &str = "name";
/// Another way to give the second factor.
pub const WAY: &str = "way";
/// What a page carries to its next request, and nobody can read.
pub const SEALED: &str = "sealed";
/// The answer to a question: 'yes', or not.
pub const ACCEPT: &str = "accept";
/// The holder's, of an account that staff make.
pub const LANGUAGE: &str = "language";
/// How far the clock of a development setting is moved.
pub const SECONDS: &str = "seconds";
/// The word that somebody types who deletes the account.
pub const CONFIRMATION: &str = "confirmation";
/// Where to go on.
pub const RETURN_TO: &str = "return_to";
/// This computer is used by others too.
pub const PUBLIC_COMPUTER: &str = "public_computer";
/// Whom staff look for.
pub const SEARCH: &str = "search";
