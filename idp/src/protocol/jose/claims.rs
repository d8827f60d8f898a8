//! Claims of a token, as RFC 7519 section 4.1 says they are to be read. The time comes from outside.

use serde_json::{Map, Value};

/// How far a client's clock may be off, in seconds.
pub const SKEW: i64 = 10;

pub type Claims = Map<String, Value>;

/// A claim that is a time, in seconds (RFC 7519 section 2).
fn time(claims: &Claims, name: &str) -> Option<i64> {
    let value = claims.get(name)?;
    #[allow(clippy::cast_possible_truncation, reason = "a NumericDate may have a fraction; it is dropped")]
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
}

/// Whether `exp`, `nbf` and `iat`, where they are there, let the token be used at `now` (seconds; RFC 7519
/// section 4.1).
pub fn is_in_time(claims: &Claims, now: i64) -> bool {
    let holds = |name: &str, rule: fn(i64, i64) -> bool| {
        !claims.contains_key(name) || time(claims, name).is_some_and(|at| rule(at, now))
    };
    holds("exp", |exp, now| exp > now.saturating_sub(SKEW))
        && holds("nbf", |nbf, now| nbf <= now.saturating_add(SKEW))
        && holds("iat", |iat, now| iat <= now.saturating_add(SKEW))
}

/// `exp`, in seconds, if it is a number.
pub fn expiry(claims: &Claims) -> Option<i64> {
    time(claims, "exp")
}

/// `nbf`, in seconds, if it is a number.
pub fn not_before(claims: &Claims) -> Option<i64> {
    time(claims, "nbf")
}

/// `iat`, in seconds, if it is a number.
pub fn issued_at(claims: &Claims) -> Option<i64> {
    time(claims, "iat")
}

/// A claim that is a text that is not empty.
pub fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Whether `aud`, a text or a list of texts, names one of `accepted` (RFC 7519 section 4.1.3).
pub fn is_for(claims: &Claims, accepted: &[&str]) -> bool {
    match claims.get("aud") {
        Some(Value::String(one)) => accepted.contains(&one.as_str()),
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).any(|one| accepted.contains(&one)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_have_ten_seconds_of_leeway() {
        let at = |name: &str, value: Value| is_in_time(json!({ name: value }).as_object().unwrap(), 1_000);
        assert!(at("nbf", json!(1_008)) && !at("nbf", json!(1_060)));
        assert!(at("exp", json!(991)) && !at("exp", json!(700)) && at("exp", json!(1_000.5)));
        assert!(at("iat", json!(1_010)) && !at("iat", json!(1_011)));
        assert!(!at("exp", json!("soon")) && !at("nbf", json!(null)));
    }
}
