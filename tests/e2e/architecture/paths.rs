//! Reads the paths out of a Rust file: what it imports and what it names, without its comments, strings and tests.

/// One name that a `use` brings in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub path: Vec<String>,
    /// What it is called here; `*` for all of it, `_` for a trait without a name.
    pub alias: String,
    pub is_public: bool,
}

/// What one file says about others.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Paths {
    pub imports: Vec<Import>,
    /// Every other path, whole: `session::store::read`, and single names too.
    pub named: Vec<Vec<String>>,
}

impl Paths {
    pub fn read(text: &str) -> Self {
        let words = words(code(text));
        let mut paths = Self::default();
        let mut at = 0;
        while at < words.len() {
            let before = at.checked_sub(1).map_or("", |before| &words[before]);
            if words[at] == "use" && words.get(at + 1).is_some_and(|word| is_name(word)) {
                let is_public = ["pub", ")"].contains(&before);
                at = paths.tree(&words, at + 1, &[], is_public);
            } else if is_name(&words[at]) && ![".", "::"].contains(&before) {
                let mut path = vec![words[at].clone()];
                while words.get(at + 1).is_some_and(|word| word == "::")
                    && words.get(at + 2).is_some_and(|word| is_name(word))
                {
                    path.push(words[at + 2].clone());
                    at += 2;
                }
                paths.named.push(path);
            }
            at += 1;
        }
        paths
    }

    /// Reads a tree of imports that starts at `at`; the place of the word after it.
    fn tree(&mut self, words: &[String], mut at: usize, above: &[String], is_public: bool) -> usize {
        let mut path = above.to_vec();
        let mut alias = None;
        while at < words.len() {
            match words[at].as_str() {
                "{" => loop {
                    at = self.tree(words, at + 1, &path, is_public);
                    if words.get(at).is_none_or(|word| word != ",") {
                        return at + 1;
                    }
                },
                "as" => {
                    alias = words.get(at + 1).cloned();
                    at += 1;
                }
                "*" => alias = Some("*".into()),
                "self" if !path.is_empty() => {}
                "::" => {}
                word if is_name(word) => path.push(word.into()),
                _ => break,
            }
            at += 1;
        }
        // After the last comma of a list there is nothing.
        if path.len() > above.len() || alias.is_some() || words.get(at - 1).is_some_and(|word| word == "self")
        {
            let alias = alias.or_else(|| path.last().cloned()).unwrap_or_default();
            self.imports.push(Import { path, alias, is_public });
        }
        at
    }
}

/// A file without its tests, which stand at its end and may set up what they need. Those in a file of their own are named
/// anywhere.
fn code(text: &str) -> &str {
    let starts = text.match_indices("\n#[cfg(test)]\nmod ");
    let mut ends = starts.filter(|(at, start)| {
        text[at + start.len()..].lines().next().is_some_and(|line| line.ends_with('{'))
    });
    ends.next().map_or(text, |(at, _)| &text[..at])
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
}

/// The words of a text: names, `::` and single signs. Comments, strings and characters are no words.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(end) = raw(rest) {
            end
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' && (rest[1..].starts_with('\\') || rest[1..].chars().nth(1) == Some('\'')) {
            quoted(rest, '\'')
        } else if is_name(rest) {
            rest.find(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let word = &rest[..length];
        let is_text = word.starts_with("//") || word.contains(['"', '\'']);
        if !is_text && !first.is_whitespace() {
            words.push(word.to_owned());
        }
        rest = &rest[length..];
    }
    words
}

/// The length of a string such as `r#"..."#`, if one stands here.
fn raw(text: &str) -> Option<usize> {
    let start = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = start.chars().take_while(|sign| *sign == '#').count();
    let inside = start[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let left = inside.find(&end).map_or(0, |at| inside.len() - at - end.len());
    Some(text.len() - left)
}

/// The length of what stands between two marks, with both.
fn quoted(text: &str, mark: char) -> usize {
    let mut is_escaped = false;
    for (at, sign) in text.char_indices().skip(1) {
        match sign {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if sign == mark => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(path: &str) -> Vec<String> {
        path.split("::").map(str::to_owned).collect()
    }

    #[test]
    fn every_form_of_an_import_is_read() {
        let text = "use crate::app::{App, store::{self, Row as R, read as _,},};\npub use super::*;\n\
                    pub(crate) use crate::keys;\nuse std::fmt;\n";
        let import =
            |path, alias: &str, is_public| Import { path: split(path), alias: alias.into(), is_public };
        assert_eq!(
            Paths::read(text).imports,
            [
                import("crate::app::App", "App", false),
                import("crate::app::store", "store", false),
                import("crate::app::store::Row", "R", false),
                import("crate::app::store::read", "_", false),
                import("super", "*", true),
                import("crate::keys", "keys", true),
                import("std::fmt", "fmt", false),
            ]
        );
    }

    #[test]
    fn what_is_no_code_names_nothing() {
        let text = "//! [`crate::a`]\nlet x: &'a str = f('\"', r#\"crate::b\"#, \"\\\"crate::c\");\n\
                    crate::d::<T>(x.crate_e, '\\'', store::read) // crate::f\n\
                    #[cfg(test)]\nmod tests {\nuse crate::g; }";
        let named = Paths::read(text).named;
        let named: Vec<String> = named.iter().map(|path| path.join("::")).collect();
        assert_eq!(named, ["let", "x", "a", "str", "f", "crate::d", "T", "x", "store::read"]);
    }
}
