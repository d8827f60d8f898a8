//! Mail over SMTP (RFC 5321), with TLS from the first byte or by STARTTLS.

use std::error::Error as _;
use std::io;
use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use web::check::{self, Place};
use web::clock::Timestamp;
use web::config::ConfigError;

use super::SendError;
use crate::config::{Config, MailTls};

pub(super) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// For commands to the server lettre keeps this time each; here it holds for a mail as a whole.
    timeout: Duration,
}

/// A mail as it was written.
pub(super) struct Letter<'a> {
    pub to: &'a str,
    pub subject: &'a str,
    pub text: &'a str,
    pub html: &'a str,
}

impl Mailer {
    pub(super) fn new(config: &Config) -> Result<Self, ConfigError> {
        let mail = &config.mail;
        let refuse =
            |key, value: &str, advice: String| ConfigError::refused(&config.path, key, value, advice);
        let from = mail.from.parse().map_err(|error| {
            refuse(
                "mail.from",
                &mail.from,
                format!(
                    "write an address such as Name <noreply@example.nl>; a name with commas, dots or brackets in quotes: \
                     '\"Zorg, Noord\" <noreply@example.nl>' ({error})"
                ),
            )
        })?;
        let tls = match mail.tls {
            MailTls::Tls => Tls::Wrapper(tls_parameters(config)?),
            MailTls::Starttls => Tls::Required(tls_parameters(config)?),
            MailTls::None => Tls::None,
        };
        let timeout = Duration::from_secs(u64::from(mail.timeout_seconds));
        // 'Dangerous' because it starts without TLS; the line below says which.
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&mail.host)
            .port(mail.port)
            .tls(tls)
            .timeout(Some(timeout));
        if let (Some(username), Some(password)) = (&mail.username, &mail.password) {
            let password = config.reveal(password, "mail.password")?;
            builder = builder.credentials(Credentials::new(username.clone(), password));
        }
        Ok(Self { transport: builder.build(), from, timeout: timeout * 2 })
    }

    pub(super) async fn send(&self, id: &str, now: Timestamp, letter: &Letter<'_>) -> Result<(), SendError> {
        let message = self.message(id, now, letter)?;
        match tokio::time::timeout(self.timeout, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(judge(&error)),
            Err(_) => Err(SendError::Later("the mail server takes too long".into())),
        }
    }

    fn message(&self, id: &str, now: Timestamp, letter: &Letter<'_>) -> Result<lettre::Message, SendError> {
        // Their texts repeat the address.
        let to: Mailbox =
            letter.to.parse().map_err(|_| SendError::Never("the address is not one of SMTP".into()))?;
        let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(now.0).unwrap_or(0));
        // The same for every attempt, so that a mail that arrives twice is seen to be one (RFC 5322 section 3.6.4).
        let message_id = format!("<{id}@{}>", self.from.email.domain());
        // RFC 3834 section 5: no out-of-office answers to this.
        let automatic =
            HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        lettre::Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(letter.subject)
            .date(date)
            .message_id(Some(message_id))
            .raw_header(automatic)
            .multipart(MultiPart::alternative_plain_html(letter.text.to_owned(), letter.html.to_owned()))
            .map_err(|_| SendError::Never("the mail cannot be written".into()))
    }
}

fn tls_parameters(config: &Config) -> Result<TlsParameters, ConfigError> {
    let host = &config.mail.host;
    let mut builder = TlsParameters::builder(host.clone());
    let mut refused = (Place::new(&config.path, "mail.host"), host.clone());
    if let Some(file) = &config.mail.ca_file {
        let at = Place::new(&config.path, "mail.ca_file");
        refused = (at, at.beside(file).display().to_string());
        let pem = check::certificates(at, file)?;
        let certificate = Certificate::from_pem(&pem)
            .map_err(|error| at.remark(&refused.1, format!("no certificates can be read: {error}")))?;
        builder = builder.add_root_certificate(certificate);
    }
    let (at, named) = refused;
    builder.build().map_err(|error| at.remark(named, format!("TLS cannot be set up: {error:?}")))
}

/// What to do about an SMTP error, and how to name it without the address that servers like to repeat.
fn judge(error: &lettre::transport::smtp::Error) -> SendError {
    if let Some(code) = error.status().map(u16::from) {
        let text = format!("the mail server answers {code}");
        return match code {
            // RFC 4954 section 6: it does not know us, or not yet; the operator repairs that.
            530 | 534 | 535 | 538 => SendError::Later(text),
            // RFC 5321 section 4.2.1: a permanent negative answer.
            500..=599 => SendError::Never(text),
            _ => SendError::Later(text),
        };
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
    SendError::Later(what.into())
}

/// Whether the TLS handshake failed, by the error that tokio-rustls wraps what rustls says in; for lettre that is one
/// of the connection.
fn fails_in_handshake(error: &lettre::transport::smtp::Error) -> bool {
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
    fn a_mail_has_both_forms_and_says_that_nobody_wrote_it() {
        let mut config = Config::default();
        config.mail.from = "Zorgportaal Ë <noreply@example.nl>".into();
        config.mail.tls = MailTls::None;
        let letter = Letter {
            to: "h.jansen@example.nl",
            subject: "Één vraag\r\nBcc: x@y.nl",
            text: "Tekst",
            html: "<p>Html</p>",
        };
        let message =
            Mailer::new(&config).unwrap().message("m1", Timestamp(1_795_000_000_000), &letter).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        for part in [
            "Message-ID: <m1@example.nl>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Date: Wed, 18 Nov 2026 11:06:40 +0000\r\n",
            "To: h.jansen@example.nl\r\n",
            "Content-Type: multipart/alternative;",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Type: text/html; charset=utf-8",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("\r\nBcc:"), "a subject adds no header: {text}");
        let nobody = Letter { to: "niemand", ..letter };
        let refused = Mailer::new(&config).unwrap().message("m1", Timestamp(0), &nobody).unwrap_err();
        assert!(matches!(refused, SendError::Never(_)));
    }
}
