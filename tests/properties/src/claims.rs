//! The `claims` parameter (OpenID Connect Core section 5.5): what was read of it reads the same, and a client gets no
//! claim of a scope that is not for it.

use idp::config::ScopeSet;
use idp::protocol::claims::{RequestedClaims, scope_of};
use serde_json::Value;

/// Whether a number in it has a fraction or an exponent: those need not read back to the last bit.
pub fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(values) => values.iter().any(has_fraction),
        Value::Object(members) => members.values().any(has_fraction),
        _ => false,
    }
}

/// The parameter as it came.
pub fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(claims) = RequestedClaims::parse(text) else { return };
    let kept = serde_json::to_value(&claims).unwrap();
    if !has_fraction(&kept) {
        assert_eq!(RequestedClaims::parse(&kept.to_string()), Ok(claims.clone()));
    }
    assert_eq!(claims.is_empty(), claims.userinfo.is_empty() && claims.id_token.is_empty());

    for wish in claims.userinfo.values().chain(claims.id_token.values()).flatten() {
        assert!(wish.texts().iter().all(|text| wish.accepts(text)));
        let names_none = wish.value.is_none() && wish.values.is_empty();
        assert_eq!(wish.accepts("\u{1}no such value"), names_none);
    }
    for name in claims.id_token.keys() {
        assert!(claims.in_id_token(name).is_some());
    }

    let scope = ScopeSet::parse("openid email");
    let mut within = claims.clone();
    within.keep_within(&scope);
    let named = |claims: &RequestedClaims| -> Vec<String> {
        claims.userinfo.keys().chain(claims.id_token.keys()).cloned().collect()
    };
    assert!(within.scopes().all(|of| scope.contains(of)));
    for name in named(&claims) {
        let may = scope_of(&name).is_none_or(|of| scope.contains(of));
        assert_eq!(named(&within).contains(&name), may, "{name}");
    }
}
