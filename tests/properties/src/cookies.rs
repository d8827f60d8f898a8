//! The cookie parser: a cookie that this server set is read back, whatever stands beside it.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use platform::cookies::CookieRules;

const NAME: &str = "session";

/// Any bytes: what a browser sends besides, from other sites of the same domain.
pub fn holds(data: &[u8]) {
    for secure in [false, true] {
        let rules = CookieRules { secure };
        let read = |lines: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                let Ok(line) = HeaderValue::from_bytes(line) else { return None };
                headers.append(header::COOKIE, line);
            }
            Some(rules.read(&headers, NAME))
        };
        let Some(found) = read(&[data]) else { return };
        if let Some(value) = &found {
            assert!(!value.is_empty() && value.len() <= 512);
            assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{value:?}");
        }

        // A value of ours: a random token, or a language.
        let value = URL_SAFE_NO_PAD.encode(&data[..data.len().min(32)]) + "x";
        let set = rules.set(NAME, &value, None);
        let pair = set.to_str().unwrap().split(';').next().unwrap().to_owned();
        assert_eq!(pair, format!("{}={value}", rules.wire_name(NAME)));

        let behind = [pair.as_bytes(), b"; ", data].concat();
        assert_eq!(read(&[&behind]).unwrap().as_deref(), Some(value.as_str()));
        assert_eq!(read(&[pair.as_bytes(), data]).unwrap().as_deref(), Some(value.as_str()));
        // In front of it, unless that names the same cookie.
        let wire_name = rules.wire_name(NAME);
        let names_it = data.windows(wire_name.len()).any(|part| part == wire_name.as_bytes());
        if !names_it {
            assert_eq!(found, None);
            let before = [data, b"; ", pair.as_bytes()].concat();
            assert_eq!(read(&[&before]).unwrap().as_deref(), Some(value.as_str()));
        }
    }
}
