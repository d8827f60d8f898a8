//! Why a message did not go out.

/// Why a message did not go out. The text names no person: it is logged and kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SendError {
    /// Trying again may help: no connection, a busy server, a wrong password of ours.
    #[error("{0}")]
    Later(String),
    /// The other side may have it, though it did not say so: trying again soon would send it twice.
    #[error("{0}")]
    Uncertain(String),
    /// This message will never be taken: no such address.
    #[error("{0}")]
    Never(String),
}

impl SendError {
    /// For what does no harm if it arrives twice.
    pub(super) fn at_once(self) -> Self {
        match self {
            Self::Uncertain(text) => Self::Later(text),
            sure => sure,
        }
    }

    /// What kept a request from being answered, without its URL.
    pub(super) fn of_request(error: &reqwest::Error) -> Self {
        let what = if error.is_timeout() {
            "no answer in time"
        } else if error.is_connect() {
            "no connection"
        } else if error.is_builder() {
            return Self::Never("the address is not a URL".into());
        } else {
            "the connection broke"
        };
        if error.is_connect() { Self::Later(what.into()) } else { Self::Uncertain(what.into()) }
    }
}
