//! What a well-formed list of SMS gateways may still get wrong.

use std::collections::HashSet;

use axum::http::HeaderName;
use platform::check::is_loopback;
use platform::config::ConfigError;
use url::Url;

use super::{BodyFormat, Config, SmsGateway, SmsGatewayKind};

type Check = fn(&Config, &SmsGateway) -> Result<(), ConfigError>;

const CHECKS: &[Check] = &[url, account, token, sender, timeout, report_secret, request];

pub(super) fn sms(config: &Config) -> Result<(), ConfigError> {
    if config.dev.outbox {
        return Ok(());
    }
    if config.sms.gateways.is_empty() {
        let advice = "write a section [[sms.gateway]] with id, kind and token; the first one is tried first";
        return config.refuse("sms.gateway", "(none)", advice);
    }
    if !is_sender(&config.sms.sender) {
        return config.refuse("sms.sender", &config.sms.sender, SENDER);
    }
    let mut seen = HashSet::new();
    for gateway in &config.sms.gateways {
        let id = &gateway.id;
        let is_name = (1..=32).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !is_name || !seen.insert(id) {
            let advice =
                "give each gateway a name of its own: 1 to 32 lower-case letters, digits and hyphens";
            return config.refuse("sms.gateway.id", id, advice);
        }
        CHECKS.iter().try_for_each(|check| check(config, gateway))?;
    }
    Ok(())
}

/// A key as errors name it.
fn key(gateway: &SmsGateway, name: &str) -> String {
    format!("sms.gateway.{name} of {}", gateway.id)
}

fn url(config: &Config, gateway: &SmsGateway) -> Result<(), ConfigError> {
    let (key, value) = (key(gateway, "url"), gateway.url());
    let Ok(url) = Url::parse(&value) else {
        return config.refuse(&key, &value, "write the https address that messages are posted to");
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return config.refuse(&key, &value, "it must start with https://; write that address");
    }
    Ok(())
}

fn account(config: &Config, gateway: &SmsGateway) -> Result<(), ConfigError> {
    let key = key(gateway, "account");
    match (&gateway.account, gateway.kind) {
        (None, SmsGatewayKind::Twilio) => {
            config.refuse(&key, "(not set)", "write the Account SID, which starts with AC")
        }
        (Some(sid), SmsGatewayKind::Twilio) => {
            // It stands in the path of the request.
            if sid.starts_with("AC") && sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Ok(());
            }
            config.refuse(&key, sid, "write the Account SID, which starts with AC")
        }
        (Some(value), _) => config.refuse(&key, value, "only Twilio has one; write nothing here"),
        (None, _) => Ok(()),
    }
}

fn token(config: &Config, gateway: &SmsGateway) -> Result<(), ConfigError> {
    if gateway.token.is_some() || gateway.kind == SmsGatewayKind::Generic {
        return Ok(());
    }
    let advice = "write { file = \"...\" } with the secret that the gateway gave you";
    config.refuse(&key(gateway, "token"), "(not set)", advice)
}

const SENDER: &str =
    "write 11 letters, digits and spaces at most, or a phone number of 15 digits at most, with + or without";

/// What phones can show as a sender (3GPP TS 23.040 section 9.1.2.5), without signs that gateways do not take.
fn is_sender(sender: &str) -> bool {
    let digits = sender.strip_prefix('+').unwrap_or(sender);
    let is_number = (3..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = (1..=11).contains(&sender.len())
        && sender.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ')
        && sender.trim() == sender;
    is_number || is_name
}

fn sender(config: &Config, gateway: &SmsGateway) -> Result<(), ConfigError> {
    match &gateway.sender {
        Some(sender) if !is_sender(sender) => config.refuse(&key(gateway, "sender"), sender, SENDER),
        _ => Ok(()),
    }
}

fn timeout(config: &Config, gateway: &SmsGateway) -> Result<(), ConfigError> {
    config.between(&key(gateway, "timeout_seconds"), gateway.timeout_seconds, 1, 60)
}

fn report_secret(config: &Config, gateway: &SmsGateway) -> Result<(), ConfigError> {
    if gateway.report_secret.is_some() && gateway.kind == SmsGatewayKind::Twilio {
        let advice = "Twilio signs its reports with the token; write nothing here";
        return config.refuse(&key(gateway, "report_secret"), "(hidden)", advice);
    }
    Ok(())
}

fn request(config: &Config, gateway: &SmsGateway) -> Result<(), ConfigError> {
    let request = match (&gateway.request, gateway.kind) {
        (Some(request), SmsGatewayKind::Generic) => request,
        (Some(_), _) => {
            let advice = "the request of this kind is known; write kind = \"generic\" to say another";
            return config.refuse(&key(gateway, "request"), "(set)", advice);
        }
        (None, _) => return Ok(()),
    };
    let body = &request.body;
    for placeholder in ["{to}", "{text}"] {
        if !body.contains(placeholder) {
            let advice = format!("write {placeholder} where it belongs");
            return config.refuse(&key(gateway, "request.body"), body, &advice);
        }
    }
    if gateway.report_secret.is_some() && !body.contains("{reference}") {
        let advice = "write {reference} where it belongs: reports name the message by it";
        return config.refuse(&key(gateway, "request.body"), body, advice);
    }
    let filled = request.fill(&[("to", "1"), ("text", "1"), ("reference", "1"), ("sender", "1")]);
    if request.format == BodyFormat::Json && serde_json::from_str::<serde_json::Value>(&filled).is_err() {
        let advice = "write JSON, with placeholders inside of texts: \"{to}\"";
        return config.refuse(&key(gateway, "request.body"), body, advice);
    }
    if let Some(name) = &request.auth_header
        && HeaderName::from_bytes(name.as_bytes()).is_err()
    {
        let advice = "write the name of a header, such as X-Api-Key";
        return config.refuse(&key(gateway, "request.auth_header"), name, advice);
    }
    if let Some(pointer) = &request.accepted_pointer
        && !pointer.starts_with('/')
    {
        let advice = "write a JSON pointer (RFC 6901), such as /messages/0/status";
        return config.refuse(&key(gateway, "request.accepted_pointer"), pointer, advice);
    }
    if request.accepted_status.is_empty() {
        return config.refuse(&key(gateway, "request.accepted_status"), "[]", "write [200], or more of them");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const MAIL: &str = "[mail]\nhost = 'localhost'\n";

    fn error(gateways: &str) -> String {
        let text = format!("{MAIL}{gateways}");
        Config::parse(Path::new("idp.toml"), &text).err().map_or_else(String::new, |error| error.to_string())
    }

    const CM: &str = "[[sms.gateway]]\nid = 'cm'\nkind = 'cm'\ntoken = { file = 't' }\n";

    #[test]
    fn each_kind_needs_little_more_than_its_secret() {
        let two = format!(
            "{CM}[[sms.gateway]]\nid = 'twilio'\nkind = 'twilio'\naccount = 'AC00'\ntoken = {{ env = 'T' }}\n\
             [[sms.gateway]]\nid = 'own'\nkind = 'generic'\nurl = 'https://sms.example.nl/send'\n"
        );
        assert_eq!(error(&two), "");
        let urls = ["cm", "spryng", "messagebird"].map(|kind| {
            let text = format!("{MAIL}{}", CM.replace("kind = 'cm'", &format!("kind = '{kind}'")));
            Config::parse(Path::new("idp.toml"), &text).unwrap().sms.gateways[0].url()
        });
        assert!(urls.iter().all(|url| url.starts_with("https://")), "{urls:?}");
    }

    #[test]
    fn a_gateway_that_cannot_work_is_refused_with_its_id_key_value_and_advice() {
        let generic = "[[sms.gateway]]\nid = 'own'\nkind = 'generic'\nurl = 'https://sms.example.nl/send'\n";
        let cases = [
            (String::new(), "sms.gateway = (none): write"),
            (format!("{CM}{CM}"), "sms.gateway.id = cm: give"),
            (CM.replace("'cm'\nkind", "'C M'\nkind"), "sms.gateway.id = C M: give"),
            (CM.replace("token = { file = 't' }", ""), "sms.gateway.token of cm = (not set): write"),
            (
                format!("{CM}url = 'http://sms.example.nl/'\n"),
                "sms.gateway.url of cm = http://sms.example.nl/",
            ),
            (format!("{CM}url = 'ftp://127.0.0.1/'\n"), "sms.gateway.url of cm = ftp://127.0.0.1/"),
            (format!("{CM}account = 'x'\n"), "sms.gateway.account of cm = x: only Twilio"),
            (CM.replace("kind = 'cm'", "kind = 'twilio'"), "sms.gateway.account of cm = (not set): write"),
            (format!("{CM}sender = 'Een lange naam'\n"), "sms.gateway.sender of cm = Een lange naam: write"),
            (format!("{CM}timeout_seconds = 0\n"), "sms.gateway.timeout_seconds of cm = 0: write"),
            (format!("{CM}[sms.gateway.request]\n"), "sms.gateway.request of cm = (set): the request"),
            (generic.replace("url", "#url"), "sms.gateway.url of own = : write"),
            (format!("{generic}request.body = '{{\"a\": \"{{to}}\"}}'\n"), "write {text} where"),
            (format!("{generic}request.body = '{{to}} {{text}}'\n"), "write JSON"),
            (
                format!(
                    "{generic}report_secret = {{ env = 'S' }}\nrequest.format = 'form'\nrequest.body = '{{to}}&{{text}}'\n"
                ),
                "write {reference} where",
            ),
            (
                format!("{generic}request.auth_header = 'a b'\n"),
                "sms.gateway.request.auth_header of own = a b: write",
            ),
            (format!("{generic}request.accepted_pointer = 'a'\n"), "accepted_pointer of own = a: write"),
            (format!("{generic}request.accepted_status = []\n"), "accepted_status of own = []: write"),
        ];
        for (gateways, expected) in cases {
            let error = error(&gateways);
            assert!(error.starts_with("idp.toml: ") && error.contains(expected), "{expected}: {error}");
        }
    }

    #[test]
    fn what_was_before_is_refused_with_its_line() {
        for old in
            ["gateway = 'cm'", "url = 'https://gw.messaging.cm.com/v1.0/message'", "timeout_seconds = 5"]
        {
            let error = error(&format!("[sms]\n{old}\n"));
            assert!(error.contains("line 4"), "{error}");
        }
    }

    #[test]
    fn a_text_is_filled_in_once_and_escaped() {
        let json = super::super::SmsRequest::default();
        let values = [("to", "+316"), ("text", "a\"{sender}\n\u{eb}"), ("reference", "r"), ("sender", "S")];
        let filled: serde_json::Value = serde_json::from_str(&json.fill(&values)).unwrap();
        assert_eq!(filled["text"], "a\"{sender}\n\u{eb}");
        assert_eq!(filled["from"], "S");
        let form = super::super::SmsRequest {
            format: BodyFormat::Form,
            body: "to={to}&text={text}&x={y}".into(),
            ..json
        };
        assert_eq!(form.fill(&values), "to=%2B316&text=a%22%7Bsender%7D%0A%C3%AB&x={y}");
    }
}
