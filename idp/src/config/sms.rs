//! By which ways SMS leave the house: gateways in order of preference.

use platform::config::Secret;
use serde::{Deserialize, Serialize};

/// Whose interface a gateway has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmsGatewayKind {
    /// CM.com, Business Messaging API.
    Cm,
    /// Spryng, REST API version 1.
    Spryng,
    /// MessageBird (Bird), SMS Messaging API.
    MessageBird,
    /// Twilio, Programmable Messaging.
    Twilio,
    /// Any other that takes a POST of JSON or of a form; see [`SmsRequest`].
    Generic,
}

impl SmsGatewayKind {
    /// Where the provider documents its interface to be.
    pub fn documented_url(self, account: &str) -> Option<String> {
        let url = match self {
            Self::Cm => "https://gw.messaging.cm.com/v1.0/message",
            Self::Spryng => "https://rest.spryngsms.com/v1/messages",
            Self::MessageBird => "https://rest.messagebird.com/messages",
            Self::Twilio => {
                return Some(format!("https://api.twilio.com/2010-04-01/Accounts/{account}/Messages.json"));
            }
            Self::Generic => return None,
        };
        Some(url.to_owned())
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sms {
    pub sender: String,
    /// The first that takes a message delivers it.
    #[serde(rename = "gateway")]
    pub gateways: Vec<SmsGateway>,
}

impl Default for Sms {
    fn default() -> Self {
        Self { sender: "Voordeur".into(), gateways: Vec::new() }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsGateway {
    pub id: String,
    pub kind: SmsGatewayKind,
    pub url: Option<String>,
    pub account: Option<String>,
    pub sender: Option<String>,
    #[serde(default = "ten_seconds")]
    pub timeout_seconds: u32,
    pub token: Option<Secret>,
    /// What proves that a delivery report is the gateway's; without it none is accepted. Twilio's proof is `token`.
    pub report_secret: Option<Secret>,
    pub request: Option<SmsRequest>,
}

fn ten_seconds() -> u32 {
    10
}

impl SmsGateway {
    /// One of a kind, with what else it may have left out.
    pub fn new(id: &str, kind: SmsGatewayKind) -> Self {
        Self {
            id: id.to_owned(),
            kind,
            url: None,
            account: None,
            sender: None,
            timeout_seconds: ten_seconds(),
            token: None,
            report_secret: None,
            request: None,
        }
    }

    /// Every key with a value, for the generated example.
    pub(super) fn sample() -> Self {
        let secret = |file: &str| Some(Secret::File { file: file.into() });
        Self {
            url: SmsGatewayKind::Cm.documented_url(""),
            account: Some("AC0123456789abcdef0123456789abcdef".into()),
            sender: Some("Zorgportaal".into()),
            token: secret("cm.token"),
            report_secret: secret("cm-reports.secret"),
            request: Some(SmsRequest {
                auth_header: Some("X-Api-Key".into()),
                accepted_pointer: Some("/messages/0/status".into()),
                ..SmsRequest::default()
            }),
            ..Self::new("cm", SmsGatewayKind::Cm)
        }
    }

    /// Where messages are posted to; empty for one of kind `generic` that lacks its address.
    pub fn url(&self) -> String {
        let account = self.account.as_deref().unwrap_or_default();
        self.url.clone().or_else(|| self.kind.documented_url(account)).unwrap_or_default()
    }
}

/// How the body of a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyFormat {
    Json,
    Form,
}

impl BodyFormat {
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
        }
    }
}

/// The request of a gateway of kind `generic`, what its answer means, and how it reports.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmsRequest {
    pub format: BodyFormat,
    pub body: String,
    /// `None`: `Authorization: Bearer` with the token.
    pub auth_header: Option<String>,
    pub accepted_status: Vec<u16>,
    pub accepted_pointer: Option<String>,
    pub accepted_value: String,
    pub report_reference: String,
    pub report_status: String,
    pub report_delivered: Vec<String>,
    pub report_failed: Vec<String>,
}

impl Default for SmsRequest {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Self {
            format: BodyFormat::Json,
            body: r#"{"to": "{to}", "from": "{sender}", "text": "{text}", "reference": "{reference}"}"#
                .into(),
            auth_header: None,
            accepted_status: vec![200, 201, 202, 204],
            accepted_pointer: None,
            accepted_value: "accepted".into(),
            report_reference: "reference".into(),
            report_status: "status".into(),
            report_delivered: texts(&["delivered"]),
            report_failed: texts(&["failed", "undelivered", "rejected", "expired"]),
        }
    }
}

impl SmsRequest {
    /// The body of a request. What is filled in is escaped for the format and filled in once: a text that holds the
    /// name of a placeholder stays as it is.
    pub fn fill(&self, values: &[(&str, &str)]) -> String {
        let mut filled = String::with_capacity(self.body.len() + 200);
        let mut rest = self.body.as_str();
        while let Some(start) = rest.find('{') {
            filled.push_str(&rest[..start]);
            rest = &rest[start..];
            let known = values.iter().find_map(|(name, value)| {
                Some((rest.strip_prefix('{')?.strip_prefix(name)?.strip_prefix('}')?, *value))
            });
            if let Some((after, value)) = known {
                filled.push_str(&self.escape(value));
                rest = after;
            } else {
                filled.push('{');
                rest = &rest[1..];
            }
        }
        filled.push_str(rest);
        filled
    }

    fn escape(&self, value: &str) -> String {
        match self.format {
            BodyFormat::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
            BodyFormat::Form => url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
        }
    }
}

/// What each key means, for the generated example.
pub(super) const EXPLANATIONS: &[(&str, &str)] = &[
    ("sms", "SMS, which leave through the gateways below."),
    ("sms.sender", "The sender that phones show: 11 letters, digits and spaces at most, or a phone number."),
    (
        "sms.gateway",
        "An SMS gateway. Repeat for each, in order of preference: what one does not take, the next one gets at once.",
    ),
    (
        "sms.gateway.id",
        "A name of your own choice; it stands in the address of its delivery reports and in metrics.",
    ),
    (
        "sms.gateway.kind",
        "Whose interface it has: \"cm\" (CM.com), \"spryng\", \"messagebird\" (Bird), \"twilio\", or \"generic\".",
    ),
    (
        "sms.gateway.url",
        "Where messages are posted to; unset, where the provider documents it. Needed for \"generic\".",
    ),
    ("sms.gateway.account", "For \"twilio\" alone: the Account SID."),
    ("sms.gateway.sender", "A sender at this gateway in place of sms.sender."),
    (
        "sms.gateway.timeout_seconds",
        "How long it may take before the next one is tried, in seconds (1 to 60).",
    ),
    (
        "sms.gateway.token",
        "The secret that it gave you: { file = \"...\" } or { env = \"...\" }. CM.com: product token; Spryng: REST API key;\nMessageBird: live access key; Twilio: auth token.",
    ),
    (
        "sms.gateway.report_secret",
        "What proves that a delivery report is its own; unset, reports are refused. MessageBird: the signing key. CM.com,\nSpryng, generic: 32 characters or more of your own (openssl rand -hex 32), for the address that you give them:\nISSUER/sms/report/ID?secret=SECRET. Twilio: nothing, it signs with the token.",
    ),
    ("sms.gateway.request", "For \"generic\" alone: the request, what its answer means, and how it reports."),
    ("sms.gateway.request.format", "\"json\" or \"form\"."),
    (
        "sms.gateway.request.body",
        "What is posted. {to} (as +31612345678), {text}, {reference} and {sender} are filled in, escaped.",
    ),
    (
        "sms.gateway.request.auth_header",
        "The header that carries the token; unset, it is sent as Authorization: Bearer.",
    ),
    ("sms.gateway.request.accepted_status", "The status codes of an answer that may mean: accepted."),
    (
        "sms.gateway.request.accepted_pointer",
        "Where in the JSON of such an answer accepted_value must stand (RFC 6901); unset, its status alone counts.",
    ),
    ("sms.gateway.request.accepted_value", "What stands there if the message was accepted."),
    (
        "sms.gateway.request.report_reference",
        "The parameter of a report that holds {reference}; in a report of JSON a pointer may be written.",
    ),
    ("sms.gateway.request.report_status", "The parameter that holds the status, likewise."),
    ("sms.gateway.request.report_delivered", "Statuses that mean: delivered."),
    ("sms.gateway.request.report_failed", "Statuses that mean: not delivered, and not going to be."),
    ("sms.gateway.token.file", "The file that holds it."),
    ("sms.gateway.report_secret.file", "The file that holds it."),
];
