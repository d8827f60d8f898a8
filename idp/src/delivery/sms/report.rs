//! Delivery reports: how one comes in, and what it says. What follows from it is for `delivery::reports`.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method};

/// Where an SMS gateway reports what became of a message.
pub const PATH: &str = "/sms/report/{gateway}";

/// A request to the address of a gateway's reports.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub method: Method,
    /// As the gateway wrote it: at our issuer, with its query.
    pub url: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Incoming {
    /// The parameters of the address.
    pub(super) fn query(&self) -> Vec<(String, String)> {
        let query = self.url.split_once('?').map_or("", |(_, query)| query);
        pairs(query.as_bytes())
    }

    /// Those of the address, then those of a form.
    pub(super) fn parameters(&self) -> Vec<(String, String)> {
        let mut all = self.query();
        all.extend(pairs(&self.body));
        all
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

pub(super) fn pairs(form: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(form).into_owned().collect()
}

/// The only parameter of this name; none if it is repeated, which no gateway does.
pub(super) fn only<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut found = parameters.iter().filter(|(known, _)| known == name);
    found.next().filter(|_| found.next().is_none()).map(|(_, value)| value.as_str())
}

/// What a gateway says of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub reference: String,
    pub status: Status,
}

impl Report {
    pub(super) fn new(reference: &str, status: Status) -> Result<Self, Fault> {
        // Ours are short, and of letters and digits.
        if reference.is_empty() || reference.len() > 64 {
            return Err(Fault::Malformed);
        }
        Ok(Self { reference: reference.to_owned(), status })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Delivered,
    /// Final: it will not be delivered.
    Failed,
    /// Anything that is not final.
    Underway,
}

/// Why a report is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing proves that it is the gateway's.
    Forged,
    /// It is not of the documented form.
    Malformed,
}
