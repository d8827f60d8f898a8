//! What an answer of a mail server, or none, means for a mail. It depends on how far the conversation had come (RFC 5321
//! section 3): before the recipient is named, a refusal is about us and an operator's to repair; after, about the mail.

use std::error::Error as _;
use std::io;

use lettre::transport::smtp::Error;

use super::send_error::SendError;

/// How far the conversation with the server has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Connection, greeting, TLS, login, and our own address.
    Introduction,
    /// The server is asked whether it takes mail for this address.
    Recipient,
    /// The text is on its way. The server may have it even if it does not say so.
    Text,
}

/// Why a mail did not go out, as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Nobody answers, or not as the configuration asks.
    Connection,
    /// The server asks to come back later.
    Busy,
    /// It does not take mail from us, whoever it is for.
    Server,
    /// It takes no mail for this address, or not this mail.
    Address,
    /// It said nothing after the text.
    Silence,
}

impl Reason {
    pub(super) const ALL: [Self; 5] =
        [Self::Connection, Self::Busy, Self::Server, Self::Address, Self::Silence];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Busy => "busy",
            Self::Server => "server",
            Self::Address => "address",
            Self::Silence => "silence",
        }
    }
}

/// What to do about an SMTP error, and how to name it without the address that servers like to repeat.
pub(super) fn judge(stage: Stage, error: &Error) -> (Reason, SendError) {
    if let Some(code) = error.status().map(u16::from) {
        let answer = error.source().map(ToString::to_string).unwrap_or_default();
        let reason = match code {
            ..500 => Reason::Busy,
            _ if stage == Stage::Introduction || is_about_us(code, &answer) => Reason::Server,
            _ => Reason::Address,
        };
        return (reason, refused(reason, code, stage));
    }
    if stage == Stage::Text {
        return no_word_after_the_text();
    }
    let what = if error.is_timeout() {
        "the mail server does not answer in time"
    } else if error.is_tls() || fails_in_handshake(error) {
        "no TLS with the mail server: is its certificate for mail.host, and of an authority that this server knows?"
    } else if error.is_client() {
        "the mail server lacks what the configuration asks of it"
    } else {
        "no connection to the mail server"
    };
    (Reason::Connection, SendError::Later(what.into()))
}

/// The connection ended, or time was up, after the text and before the server's word on it.
pub(super) fn no_word_after_the_text() -> (Reason, SendError) {
    let what = "the mail server says nothing after the text; it may have the mail";
    (Reason::Silence, SendError::Uncertain(what.into()))
}

fn refused(reason: Reason, code: u16, stage: Stage) -> SendError {
    let place = match stage {
        Stage::Introduction => "at its greeting, the login or our sender's address",
        Stage::Recipient => "at the recipient's address",
        Stage::Text => "after the text",
    };
    let text = format!("the mail server answers {code} {place}");
    if reason == Reason::Address { SendError::Never(text) } else { SendError::Later(text) }
}

/// Whether a refusal that comes after the recipient was named is still one of us: of the login, of commands, of the
/// network we are in. Enhanced codes (RFC 3463) say so where a server gives them.
fn is_about_us(code: u16, answer: &str) -> bool {
    match enhanced(answer) {
        // Our own address is no good.
        Some((1, 7 | 8)) => true,
        // Addresses, mailboxes and what is in the mail; and 5.4.1, by which Exchange says 'no such recipient'.
        Some((1 | 2 | 6, _) | (4, 1)) => false,
        // The mail system, routes, the protocol, policies such as 'relay access denied'.
        Some((3 | 4 | 5 | 7, _)) => true,
        // RFC 5321 section 4.2.2 and RFC 4954 section 6: commands, a host that takes no mail, logins.
        _ => matches!(code, 500..=504 | 521 | 530 | 534 | 535 | 538),
    }
}

/// Subject and detail of a permanent enhanced status code at the head of an answer.
fn enhanced(answer: &str) -> Option<(u16, u16)> {
    let mut parts = answer.split_ascii_whitespace().next()?.split('.');
    let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
    if class != "5" || parts.next().is_some() {
        return None;
    }
    Some((subject.parse().ok()?, detail.parse().ok()?))
}

/// Whether the TLS handshake failed, by the error that tokio-rustls wraps what rustls says in; for lettre that is one
/// of the connection.
fn fails_in_handshake(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::InvalidData) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_after_the_recipient_is_the_addresss_unless_it_speaks_of_us() {
        for (code, answer) in [
            (550, "5.1.1 No such user here"),
            (550, "no such user"),
            (553, "mailbox name not allowed"),
            (556, "5.1.10 null MX"),
            (552, "5.2.2 mailbox full"),
            (550, "5.4.1 Recipient address rejected: Access denied"),
            (554, "5.6.0 cannot be converted"),
            (554, "transaction failed"),
        ] {
            assert!(!is_about_us(code, answer), "{code} {answer}");
        }
        for (code, answer) in [
            (554, "5.7.1 Relay access denied"),
            (550, "5.7.60 client does not have permissions to send as this sender"),
            (550, "5.1.8 sender's domain not found"),
            (530, "authentication required"),
            (503, "bad sequence of commands"),
            (521, "does not accept mail"),
            (554, "5.3.4 message too big for system"),
        ] {
            assert!(is_about_us(code, answer), "{code} {answer}");
        }
    }
}
