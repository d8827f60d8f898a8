//! Messages of the token and userinfo endpoints.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

/// RFC 6749 section 5.1 and OpenID Connect Core section 3.1.3.3.
#[derive(Clone, Debug, Serialize)]
pub struct TokenResponse {
    pub access_token: String,
    pub token_type: &'static str,
    pub expires_in: u32,
    pub scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The `sid` of logout tokens, for a client that looks for it here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_state: Option<String>,
}

/// The claims of an access token: RFC 9068 section 2.2, plus the grant it stands on. A client's own token
/// (RFC 6749 section 4.4) has no grant, and itself as its subject.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    pub iss: String,
    pub sub: String,
    #[serde(with = "audience")]
    pub aud: Vec<String>,
    pub exp: i64,
    pub iat: i64,
    pub jti: String,
    pub client_id: String,
    pub scope: String,
    #[serde(flatten)]
    pub sign_in: Option<SignInClaims>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

/// RFC 7519 section 4.1.3: one audience is a text, several are a list.
mod audience {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }

    pub(crate) fn serialize<S: Serializer>(audiences: &[String], serializer: S) -> Result<S::Ok, S::Error> {
        match audiences {
            [one] => one.serialize(serializer),
            many => many.serialize(serializer),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
        Ok(match OneOrMany::deserialize(deserializer)? {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        })
    }
}

/// What an access token says of the sign-in behind it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignInClaims {
    pub auth_time: i64,
    pub acr: String,
    pub sid: String,
    pub grant_id: String,
}

/// The key that a token is bound to (RFC 9449 section 6.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    pub jkt: String,
}

/// The `typ` of an access token (RFC 9068 section 2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";
/// The `typ` of an ID token; it is also what a token without one counts as (RFC 7519 section 5.1).
pub const ID_TOKEN_TYPE: &str = "JWT";
/// The `typ` of a logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4).
pub const LOGOUT_TOKEN_TYPE: &str = "logout+jwt";

/// A client's id and secret, in one of the ways to read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub client_id: String,
    pub secret: String,
}

/// User name and password of HTTP Basic. RFC 6749 section 2.3.1 wants each form-encoded before; half of the
/// libraries leave that out. So both readings are given, the standard's first.
pub fn basic_credentials(header: &str) -> Option<Vec<Credentials>> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    let decode =
        |part: &str| Some(percent_decode_str(&part.replace('+', " ")).decode_utf8().ok()?.into_owned());
    let decoded = decode(user).zip(decode(password));
    let as_it_stands = (user.to_owned(), password.to_owned());
    let readings = decoded.into_iter().chain([as_it_stands]);
    let mut readings: Vec<_> =
        readings.map(|(client_id, secret)| Credentials { client_id, secret }).collect();
    readings.dedup();
    Some(readings)
}

/// How an access token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 6750: whoever has the token may use it.
    Bearer,
    /// RFC 9449: together with a proof of its key.
    Dpop,
}

/// The token of an `Authorization` header (RFC 6750 section 2.1, RFC 9449 section 7.1); the scheme in any case.
pub fn presented_token(header: &str) -> Option<(Scheme, &str)> {
    let (scheme, token) = header.split_once(' ')?;
    let scheme = if scheme.eq_ignore_ascii_case("bearer") {
        Scheme::Bearer
    } else if scheme.eq_ignore_ascii_case("dpop") {
        Scheme::Dpop
    } else {
        return None;
    };
    Some((scheme, token.trim()))
}

/// Whether a text may be a `code_verifier` (RFC 7636 section 4.1).
pub fn is_verifier(text: &str) -> bool {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&text.len()) && text.bytes().all(is_unreserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_read_as_encoded_and_as_they_stand() {
        let read = |text: &str| {
            let readings = basic_credentials(&format!("basic {}", STANDARD.encode(text))).unwrap();
            readings.into_iter().map(|read| (read.client_id, read.secret)).collect::<Vec<_>>()
        };
        let pairs = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(id, secret)| ((*id).to_owned(), (*secret).to_owned())).collect::<Vec<_>>()
        };
        let (decoded, raw) = (("my:client", "p\u{eb}r cent"), ("my%3Aclient", "p%C3%ABr+cent"));
        assert_eq!(read("my%3Aclient:p%C3%ABr+cent"), pairs(&[decoded, raw]));
        assert_eq!(read("web:a+b%2"), pairs(&[("web", "a b%2"), ("web", "a+b%2")]));
        assert_eq!(read("web:a:b"), pairs(&[("web", "a:b")]), "one reading where both are the same");
        assert_eq!(read("web:%FF"), pairs(&[("web", "%FF")]), "what is no text when decoded");
        for header in ["Basic", "Basic !!", "Bearer abc", "Basic bm9jb2xvbg=="] {
            assert_eq!(basic_credentials(header), None, "{header}");
        }
    }

    #[test]
    fn access_tokens_come_by_one_of_two_schemes_in_any_case() {
        assert_eq!(presented_token("bEARER abc"), Some((Scheme::Bearer, "abc")));
        assert_eq!(presented_token("dPOP abc"), Some((Scheme::Dpop, "abc")));
        assert_eq!((presented_token("Basic abc"), presented_token("Bearer")), (None, None));
    }

    #[test]
    fn a_clients_own_token_reads_as_it_was_written() {
        let claims = AccessTokenClaims {
            iss: "i".into(),
            sub: "c".into(),
            aud: vec!["i".into()],
            exp: 2,
            iat: 1,
            jti: "j".into(),
            client_id: "c".into(),
            scope: String::new(),
            sign_in: None,
            cnf: Some(Confirmation { jkt: "k".into() }),
        };
        let json = serde_json::to_value(&claims).unwrap();
        assert!(json.get("sid").is_none() && json["cnf"]["jkt"] == "k");
        let read: AccessTokenClaims = serde_json::from_value(json).unwrap();
        assert!(read.sign_in.is_none() && read.cnf == claims.cnf);
    }
}
