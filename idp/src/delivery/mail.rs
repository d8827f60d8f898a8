//! Mail over SMTP (RFC 5321), with TLS from the first byte or by STARTTLS.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, MailParameter};
use platform::check::{self, Place};
use platform::clock::Timestamp;
use platform::config::ConfigError;

use super::metrics::DeliveryMetrics;
use super::send_error::SendError;
use super::smtp::{Reason, Stage, judge, no_word_after_the_text};
use crate::config::{Config, MailTls};

pub(super) struct Mailer {
    host: String,
    port: u16,
    tls: MailTls,
    /// What TLS needs, unless it is off.
    tls_parameters: Option<TlsParameters>,
    credentials: Option<Credentials>,
    from: Mailbox,
    /// For the connection; a mail as a whole may take twice as long.
    timeout: Duration,
}

/// How long a server that has the mail may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

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
        let tls_parameters = (mail.tls != MailTls::None).then(|| tls_parameters(config)).transpose()?;
        let credentials = match (&mail.username, &mail.password) {
            (Some(username), Some(password)) => {
                let password = config.reveal(password, "mail.password")?;
                Some(Credentials::new(username.clone(), password))
            }
            _ => None,
        };
        Ok(Self {
            host: mail.host.clone(),
            port: mail.port,
            tls: mail.tls,
            tls_parameters,
            credentials,
            from,
            timeout: Duration::from_secs(u64::from(mail.timeout_seconds)),
        })
    }

    pub(super) async fn send(
        &self,
        id: &str,
        now: Timestamp,
        letter: &Letter<'_>,
        metrics: &DeliveryMetrics,
    ) -> Result<(), SendError> {
        let message = self.message(id, now, letter)?;
        let mut stage = Stage::Introduction;
        let talk = tokio::time::timeout(self.timeout * 2, self.hand_over(&mut stage, &message)).await;
        let (reason, error) = match talk {
            Ok(Ok(mut connection)) => {
                metrics.mail_sent();
                // It has the mail: whatever comes now changes nothing.
                let _ = tokio::time::timeout(GOODBYE, connection.abort()).await;
                return Ok(());
            }
            Ok(Err(error)) => judge(stage, &error),
            Err(_) if stage == Stage::Text => no_word_after_the_text(),
            Err(_) => (Reason::Connection, SendError::Later("the mail server takes too long".into())),
        };
        metrics.mail_failed(reason);
        if reason == Reason::Server {
            tracing::error!(
                host = self.host,
                %error,
                "the mail server takes no mail of ours; see mail.host, mail.username, mail.password and mail.from"
            );
        }
        Err(error)
    }

    /// One mail over one connection, up to the server's word on it. `stage` tells how far it came.
    async fn hand_over(
        &self,
        stage: &mut Stage,
        message: &lettre::Message,
    ) -> Result<AsyncSmtpConnection, smtp::Error> {
        let hello = ClientId::default();
        let (from_the_start, later) = match self.tls {
            MailTls::Tls => (self.tls_parameters.clone(), None),
            _ => (None, self.tls_parameters.clone()),
        };
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(self.timeout), &hello, from_the_start, None)
                .await?;
        if let Some(parameters) = later {
            connection.starttls(parameters, &hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        let envelope = message.envelope();
        // RFC 6531: asked for only where an address needs it; a server that cannot do it refuses the parameter.
        let is_ascii = |address: &lettre::Address| AsRef::<str>::as_ref(address).is_ascii();
        let options = if envelope.to().iter().chain(envelope.from()).all(is_ascii) {
            vec![]
        } else {
            vec![MailParameter::SmtpUtfEight]
        };
        connection.command(Mail::new(envelope.from().cloned(), options)).await?;
        *stage = Stage::Recipient;
        for recipient in envelope.to() {
            connection.command(Rcpt::new(recipient.clone(), vec![])).await?;
        }
        connection.command(Data).await?;
        *stage = Stage::Text;
        connection.message(&message.formatted()).await?;
        Ok(connection)
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
