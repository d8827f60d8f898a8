//! What the providers have in common: how long a message is of use, and what their answers come to.

use crate::delivery::retry;
use crate::delivery::send_error::SendError;
use crate::store::outbox::Kind;

/// How long a network may keep trying, in seconds: no longer than what it delivers is of use.
pub(super) fn validity() -> u64 {
    retry::max_age(Kind::Sms).as_secs()
}

/// The gateway answered something that says nothing about the message.
pub(super) fn answers(status: u16) -> SendError {
    SendError::Later(format!("the SMS gateway answers {status}"))
}

/// The gateway did not take the message, by its own code.
pub(super) fn refuses(code: i64) -> SendError {
    SendError::Never(format!("the SMS gateway refuses the message ({code})"))
}

/// Something is wrong at the gateway or with the account there, by its own code.
pub(super) fn troubled(code: i64) -> SendError {
    SendError::Later(format!("the SMS gateway reports error {code}"))
}
