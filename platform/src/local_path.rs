//! Paths of this server that somebody may be sent to.

/// A path of this server to return to: it starts with one slash, so that no browser takes it for another host, and
/// has nothing in it that browsers rewrite.
pub fn local_path(path: &str) -> Option<&str> {
    let is_local = path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 512
        && path.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    is_local.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_server_are_returned_to() {
        for path in ["/account", "/account?notice=email", "/%2F/evil"] {
            assert_eq!(local_path(path), Some(path));
        }
        for path in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil", "evil", "/a\nb"]
        {
            assert_eq!(local_path(path), None, "{path:?}");
        }
    }
}
