//! The paths of this server, as redirects, links, metadata and tests name them.

use platform::request::RequestContext;

use super::names;
use crate::domain::journey::Step;
use crate::store::ephemeral::journeys;

pub const HOME: &str = "/";
pub const CONFIGURATION: &str = "/.well-known/openid-configuration";
/// The same document under the name of RFC 8414 section 3.
pub const OAUTH_CONFIGURATION: &str = "/.well-known/oauth-authorization-server";
/// Where password managers look for the page (W3C, A Well-Known URL for Changing Passwords).
pub const CHANGE_PASSWORD: &str = "/.well-known/change-password";
pub const JWKS: &str = "/jwks";
pub const AUTHORIZE: &str = "/authorize";
pub const PAR: &str = "/par";
pub const INTROSPECT: &str = "/introspect";
pub const REVOKE: &str = "/revoke";
pub const TOKEN: &str = "/token";
pub const USERINFO: &str = "/userinfo";
pub const LOGOUT: &str = "/logout";
pub const SIGNIN: &str = "/signin";
pub const SIGNIN_PASSWORD: &str = Step::Password.path();
pub const SIGNIN_NEW_PASSWORD: &str = Step::NewPassword.path();
pub const SIGNIN_PHONE: &str = Step::Phone.path();
pub const SIGNIN_CODE: &str = Step::Code.path();
pub const SIGNIN_RESEND: &str = "/signin/code/resend";
pub const SIGNIN_PASSKEY: &str = Step::Passkey.path();
pub const SIGNIN_WITH_PASSKEY: &str = "/signin/with-passkey";
pub const SIGNIN_NEW_PASSKEY: &str = Step::AddPasskey.path();
pub const SIGNIN_APP: &str = Step::Totp.path();
pub const SIGNIN_NEW_APP: &str = Step::AddTotp.path();
pub const SIGNIN_RECOVERY_CODE: &str = Step::RecoveryCode.path();
pub const SIGNIN_OTHER_WAY: &str = "/signin/other-way";
pub const SIGNIN_TERMS: &str = Step::Terms.path();
pub const SIGNIN_CONSENT: &str = Step::Consent.path();
pub const SIGNIN_CANCEL: &str = "/signin/cancel";
/// Finds out whether a browser keeps cookies.
pub const COOKIES: &str = "/cookies";
pub const REGISTER: &str = "/register";
pub const REGISTER_SENT: &str = Step::ConfirmMail.path();
pub const REGISTER_RESEND: &str = "/register/resend";
pub const CONFIRM: &str = "/confirm";
pub const FORGOT: &str = "/forgot";
pub const FORGOT_SENT: &str = "/forgot/sent";
pub const FORGOT_RESEND: &str = "/forgot/resend";
pub const RESET: &str = "/reset";
pub const ACCOUNT: &str = "/account";
pub const ACCOUNT_FORGET_DEVICE: &str = "/account/devices/forget";
pub const ACCOUNT_END_SESSION: &str = "/account/sessions/end";
pub const ACCOUNT_WITHDRAW: &str = "/account/consents/withdraw";
pub const ACCOUNT_SIGN_OUT: &str = "/account/sign-out";
pub const ACCOUNT_EMAIL: &str = "/account/email";
pub const ACCOUNT_EMAIL_SENT: &str = "/account/email/sent";
pub const ACCOUNT_EMAIL_RESEND: &str = "/account/email/resend";
pub const ACCOUNT_EMAIL_CONFIRM: &str = "/account/email/confirm";
pub const ACCOUNT_PHONE: &str = "/account/phone";
pub const ACCOUNT_PHONE_CODE: &str = "/account/phone/code";
pub const ACCOUNT_PHONE_RESEND: &str = "/account/phone/resend";
pub const ACCOUNT_PASSWORD: &str = "/account/password";
pub const ACCOUNT_PASSKEYS: &str = "/account/passkeys";
pub const ACCOUNT_PASSKEYS_RENAME: &str = "/account/passkeys/rename";
pub const ACCOUNT_PASSKEYS_REMOVE: &str = "/account/passkeys/remove";
pub const ACCOUNT_APP: &str = "/account/app";
pub const ACCOUNT_APP_REMOVE: &str = "/account/app/remove";
pub const ACCOUNT_RECOVERY_CODES: &str = "/account/recovery-codes";
pub const ACCOUNT_DOWNLOAD: &str = "/account/download";
pub const ACCOUNT_DELETE: &str = "/account/delete";
pub const ACCOUNT_DELETED: &str = "/account/deleted";
pub use crate::delivery::SMS_REPORT;
/// How long the session of a browser still has.
pub const SESSION: &str = "/session";
pub const SESSION_EXTEND: &str = "/session/extend";
pub const SESSION_ENDED: &str = "/session/ended";
pub const DESK: &str = "/desk";
pub const DESK_SEARCH: &str = "/desk/search";
pub const DESK_NEW: &str = "/desk/accounts/new";
pub const DESK_ACCOUNT: &str = "/desk/accounts/{id}";
pub const DESK_ACT: &str = "/desk/accounts/{id}/{act}";
pub const HEALTHZ: &str = "/healthz";
pub const READYZ: &str = "/readyz";
pub const METRICS: &str = "/metrics";
pub const DEV_OUTBOX: &str = "/dev/outbox";
pub const DEV_OUTBOX_JSON: &str = "/dev/outbox.json";
pub const DEV_CLOCK: &str = "/dev/clock/advance";

/// Registration of clients; that of people is at `/register`.
pub const CLIENTS: &str = "/clients";
pub const CLIENT: &str = "/clients/{client_id}";

/// The page that stands for a target which answers to forms alone; every other path is its own.
pub fn page_of(path: &str) -> &str {
    match path {
        SIGNIN_RESEND => SIGNIN_CODE,
        SIGNIN_CANCEL | SIGNIN_OTHER_WAY => SIGNIN,
        REGISTER_RESEND => REGISTER_SENT,
        FORGOT_RESEND => FORGOT_SENT,
        ACCOUNT_EMAIL_RESEND => ACCOUNT_EMAIL_SENT,
        ACCOUNT_PHONE_RESEND => ACCOUNT_PHONE_CODE,
        ACCOUNT_APP_REMOVE => ACCOUNT_APP,
        ACCOUNT_PASSKEYS_RENAME | ACCOUNT_PASSKEYS_REMOVE => ACCOUNT_PASSKEYS,
        SIGNIN_WITH_PASSKEY => SIGNIN_PASSWORD,
        DESK_SEARCH => DESK,
        platform::kept::ROUTE => HOME,
        ACCOUNT_FORGET_DEVICE
        | ACCOUNT_END_SESSION
        | ACCOUNT_WITHDRAW
        | ACCOUNT_SIGN_OUT
        | SESSION_EXTEND => ACCOUNT,
        other => other,
    }
}

/// The URL of a page of a journey.
pub fn journey_url(path: &str, id: &str) -> String {
    let (random, portal) = journeys::parts(id);
    let url = format!("{path}?journey={random}");
    if portal.is_empty() { url } else { format!("{url}&{}={portal}", names::PORTAL) }
}

/// The id of the journey in the URL; empty if there is none.
pub fn journey_in(cx: &RequestContext) -> String {
    let random = cx.query("journey");
    if random.is_empty() { random } else { journeys::id_with(&random, &cx.query(names::PORTAL)) }
}
