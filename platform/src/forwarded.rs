//! Whom a proxy forwards for: `X-Forwarded-For`, and `Forwarded` (RFC 7239). Proxies write addresses with and without ports,
//! brackets and quotes; one that was misread would make one address of everybody behind that proxy.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::{FORWARDED, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The addresses that requests were forwarded for, the nearest one last; `None` for what is no address.
type Hops = Vec<Option<IpAddr>>;

/// The address of the client: the peer's, or, as far as the peers are trusted proxies, the last one that they forward for
/// and that is not a trusted proxy itself.
pub(crate) fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    if !is_trusted(&peer) {
        return peer;
    }
    // From the right: each trusted proxy wrote the hop before it; whatever stands left of an untrusted or
    // unreadable hop was written by nobody we know.
    let client = |hops: Hops| {
        let mut nearest = peer;
        for hop in hops.into_iter().rev() {
            let Some(address) = hop else { return nearest };
            nearest = address;
            if !is_trusted(&nearest) {
                return nearest;
            }
        }
        nearest
    };
    let of = |name: &HeaderName, read: fn(&str) -> Hops| {
        let lines: Vec<_> = headers.get_all(name).iter().collect();
        let read = |line: &&axum::http::HeaderValue| line.to_str().map_or_else(|_| vec![None], read);
        (!lines.is_empty()).then(|| client(lines.iter().flat_map(read).collect()))
    };
    match (of(&X_FORWARDED_FOR, x_forwarded_for), of(&FORWARDED, forwarded)) {
        (Some(address), None) | (None, Some(address)) => address,
        (Some(one), Some(other)) if one == other => one,
        // A proxy writes one of them and lets the other one pass, which the client wrote: nobody can tell which.
        _ => peer,
    }
}

fn x_forwarded_for(line: &str) -> Hops {
    line.split(',').map(|hop| address(hop.trim().trim_matches('"'))).collect()
}

/// RFC 7239 section 4: elements with commas between them, one a proxy, and in each `name=value` with semicolons between.
fn forwarded(line: &str) -> Hops {
    split(line, ',').into_iter().map(element).collect()
}

fn element(element: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in split(element, ';') {
        let (name, value) = pair.split_once('=')?;
        let value = unquoted(value.trim())?;
        if name.trim().eq_ignore_ascii_case("for") {
            // Section 4: each parameter at most once.
            if found.is_some() {
                return None;
            }
            found = Some(address(&value)?);
        }
    }
    found
}

/// The parts between separators that do not stand inside quotes. A quote that is never closed takes in all the rest, so
/// that who opens one on the left makes no address of what follows.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |sign: char| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match sign {
            '\\' if is_quoted && !was_escaped => is_escaped = true,
            '"' if !was_escaped => is_quoted = !is_quoted,
            _ => return sign == separator && !is_quoted,
        }
        false
    })
    .collect()
}

/// A token, or what stands in a quoted string (RFC 9110 section 5.6.4); none for one that is open.
fn unquoted(value: &str) -> Option<String> {
    let Some(rest) = value.strip_prefix('"') else { return (!value.contains('"')).then(|| value.to_owned()) };
    let mut text = String::new();
    let mut signs = rest.strip_suffix('"')?.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => text.push(signs.next()?),
            '"' => return None,
            _ => text.push(sign),
        }
    }
    Some(text)
}

/// An address with or without a port; IPv6 with or without brackets and zone. `unknown` and names of proxies' own (RFC 7239
/// section 6) are none.
fn address(node: &str) -> Option<IpAddr> {
    let host = match node.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            let is_port = after.strip_prefix(':').is_some_and(is_port);
            (after.is_empty() || is_port).then_some(host).filter(|host| host.contains(':'))?
        }
        // More than one colon: IPv6 as it is.
        None => match node.split_once(':') {
            Some((host, port)) if !port.contains(':') => is_port(port).then_some(host)?,
            _ => node,
        },
    };
    let host = if host.contains(':') { host.split('%').next().unwrap_or(host) } else { host };
    host.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// A number, or a name of the proxy's own that starts with an underscore (RFC 7239 section 6.2).
fn is_port(port: &str) -> bool {
    let is_name = port.strip_prefix('_').is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    });
    is_name || ((1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn seen(headers: &[(&'static str, &str)]) -> String {
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append(*name, value.parse().unwrap());
        }
        let proxies: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "2001:db8:ffff::/48".parse().unwrap()];
        client_address(PROXY.parse().unwrap(), &all, &proxies).to_string()
    }

    #[test]
    fn forwarded_addresses_count_only_from_trusted_proxies() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "198.51.100.9, 203.0.113.7, 10.0.0.2".parse().unwrap());
        let proxies: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let (proxy, stranger) = (PROXY.parse().unwrap(), "192.0.2.1".parse().unwrap());
        assert_eq!(client_address(stranger, &headers, &proxies), stranger);
        assert_eq!(client_address(proxy, &headers, &proxies).to_string(), "203.0.113.7");
        assert_eq!(client_address(proxy, &headers, &[]), proxy);
        // What the client itself wrote counts for nothing, readable or not.
        for forged in ["198.51.100.9, x, 203.0.113.7", "x,203.0.113.7", "203.0.113.7"] {
            assert_eq!(seen(&[("x-forwarded-for", forged)]), "203.0.113.7", "{forged}");
        }
        assert_eq!(seen(&[("x-forwarded-for", "198.51.100.9, x")]), PROXY);
        assert_eq!(seen(&[("x-forwarded-for", "")]), PROXY);
        assert_eq!(seen(&[]), PROXY);
    }

    #[test]
    fn an_address_is_read_with_port_brackets_and_quotes() {
        for written in [
            "203.0.113.9",
            "203.0.113.9:50001",
            "\"203.0.113.9\"",
            "\"203.0.113.9:50001\"",
            " 203.0.113.9:1 , 10.0.0.7:443",
            "198.51.100.1, 203.0.113.9:50001,[2001:db8:ffff::1]:8443",
            "::ffff:203.0.113.9",
            "[::ffff:203.0.113.9]:50001",
        ] {
            assert_eq!(seen(&[("x-forwarded-for", written)]), "203.0.113.9", "{written}");
        }
        for written in [
            "2001:db8::9",
            "[2001:db8::9]",
            "[2001:db8::9]:50001",
            "\"[2001:db8::9]:50001\"",
            "2001:db8::9%eth0",
        ] {
            assert_eq!(seen(&[("x-forwarded-for", written)]), "2001:db8::9", "{written}");
        }
        for written in [
            "unknown",
            "_hidden",
            "203.0.113.9:",
            "203.0.113.9:x",
            "203.0.113.9:500010",
            "[203.0.113.9]",
            "[2001:db8::9",
            "[2001:db8::9]x",
            "203.0.113.9 50001",
            "203.0.113",
        ] {
            assert_eq!(seen(&[("x-forwarded-for", written)]), PROXY, "{written}");
        }
        // Two lines are one list (RFC 9110 section 5.3).
        let lines = [("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "203.0.113.9:50001")];
        assert_eq!(seen(&lines), "203.0.113.9");
    }

    #[test]
    fn the_header_of_rfc_7239_is_read_as_well() {
        for written in [
            "for=203.0.113.9",
            "For=\"203.0.113.9:50001\"",
            "for=203.0.113.9;proto=https;by=10.0.0.1",
            "proto=https; for=\"203.0.113.9\" ;host=\"a,b;for=1.2.3.4\"",
            "for=198.51.100.1, for=203.0.113.9:_x, for=\"[2001:db8:ffff::2]:443\"",
            "for=\"203\\.0.113.9\"",
        ] {
            assert_eq!(seen(&[("forwarded", written)]), "203.0.113.9", "{written}");
        }
        assert_eq!(seen(&[("forwarded", "for=\"[2001:db8:cafe::17]:4711\"")]), "2001:db8:cafe::17");
        for written in [
            "for=unknown",
            "for=_gazonk",
            "proto=https",
            "for=\"203.0.113.9",
            "for=203.0.113.9;for=1.2.3.4",
            "x",
            "",
        ] {
            assert_eq!(seen(&[("forwarded", written)]), PROXY, "{written}");
        }
    }

    #[test]
    fn what_a_client_writes_of_itself_makes_it_nobody_else() {
        // A quote that the client opened takes in what the proxy wrote behind it.
        for forged in [
            "for=\"1.2.3.4, for=203.0.113.9",
            "for=\"1.2.3.4\\, for=203.0.113.9",
            "for=1.2.3.4;x=\", for=203.0.113.9",
        ] {
            assert_eq!(seen(&[("forwarded", forged)]), PROXY, "{forged}");
        }
        // The proxy writes one header and lets the other one pass.
        for (by_proxy, by_client) in [("x-forwarded-for", "forwarded"), ("forwarded", "x-forwarded-for")] {
            let value = |name, address: &str| match name {
                "forwarded" => format!("for={address}"),
                _ => address.to_owned(),
            };
            let (true_one, forged) = (value(by_proxy, "203.0.113.9"), value(by_client, "198.51.100.1"));
            assert_eq!(seen(&[(by_proxy, &true_one), (by_client, &forged)]), PROXY);
            let same = value(by_client, "203.0.113.9");
            assert_eq!(seen(&[(by_proxy, &true_one), (by_client, &same)]), "203.0.113.9");
        }
    }
}
