//! How redirect URIs are compared where that is not to the letter: of apps on this machine (RFC 8252).

/// Whether two URIs are of this machine itself, by its number, and the same but for the port (RFC 8252 section 7.3):
/// an app cannot choose the port that the system gives it.
pub fn differs_in_port(registered: &str, asked: &str) -> bool {
    // `localhost` may be another machine by a hosts file (section 8.3), so its port is compared.
    ["http://127.0.0.1", "http://[::1]"].into_iter().any(|host| {
        let after_port = |uri: &str| after_port(uri.strip_prefix(host)?).map(str::to_owned);
        after_port(registered).is_some_and(|rest| after_port(asked) == Some(rest))
    })
}

/// What follows a host and its port, if it has one that a socket can have.
fn after_port(rest: &str) -> Option<&str> {
    let Some(with_port) = rest.strip_prefix(':') else { return starts_path(rest).then_some(rest) };
    let end = with_port.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(with_port.len());
    let (port, rest) = with_port.split_at(end);
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    (is_port && starts_path(rest)).then_some(rest)
}

fn starts_path(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['/', '?'])
}

/// Whether a browser can send a form there: an app's own scheme takes none.
pub fn takes_forms(redirect_uri: &str) -> bool {
    redirect_uri.starts_with("https://") || redirect_uri.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_of_this_machine_may_differ() {
        let registered = "http://127.0.0.1/cb?a=1";
        for asked in ["http://127.0.0.1:1/cb?a=1", "http://127.0.0.1:65535/cb?a=1", registered] {
            assert!(differs_in_port(registered, asked), "{asked}");
            assert!(differs_in_port(asked, registered), "{asked}");
        }
        for asked in [
            "http://127.0.0.1:0/cb?a=1",
            "http://127.0.0.1:65536/cb?a=1",
            "http://127.0.0.1:/cb?a=1",
            "http://127.0.0.1:+1/cb?a=1",
            "http://127.0.0.1:1/cb?a=2",
            "http://127.0.0.1:1/cb",
            "http://127.0.0.1:1@evil.example/cb?a=1",
            "http://127.0.0.1.evil.example/cb?a=1",
            "http://127.0.0.10/cb?a=1",
            "http://[::1]:1/cb?a=1",
            "http://localhost:1/cb?a=1",
            "https://127.0.0.1:1/cb?a=1",
        ] {
            assert!(!differs_in_port(registered, asked), "{asked}");
        }
        assert!(differs_in_port("http://[::1]:4/", "http://[::1]:5/"));
        assert!(!differs_in_port("http://[::1]:4/", "http://[::1]:5"));
        assert!(!differs_in_port("https://p.example:4/", "https://p.example:5/"));
        assert!(!differs_in_port("http://localhost:4/", "http://localhost:5/"));
    }
}
