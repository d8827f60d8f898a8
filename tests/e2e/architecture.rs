//! The order of the house: a room knows only those above it in `idp/src/lib.rs`, and no two files stand on each other.

mod circles;
mod paths;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

pub fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found = Vec::new();
    for path in entries {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The rooms that a file names by `crate::`, each with its line.
fn named(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        // A file's tests stand at its end and may set up what they need.
        if line.starts_with("#[cfg(test)]") {
            break;
        }
        let code = line.split("//").next().unwrap_or_default();
        for rest in code.split("crate::").skip(1) {
            let inside = rest.strip_prefix('{').unwrap_or(rest);
            for part in inside.split('}').next().unwrap_or_default().split(',') {
                let name: String =
                    part.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                found.push((number + 1, name));
                if !rest.starts_with('{') {
                    break;
                }
            }
        }
    }
    found
}

#[test]
fn no_room_of_the_identity_provider_knows_one_below_it() {
    let source = root().join("idp/src");
    let lib = fs::read_to_string(source.join("lib.rs")).unwrap();
    let rooms = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let order: BTreeMap<&str, usize> = rooms.enumerate().map(|(at, room)| (room, at)).collect();
    assert!(order.len() > 15 && order["config"] < order["store"] && order["store"] < order["oauth"]);

    let mut wrong = Vec::new();
    for path in sources(&source) {
        let inside = path.strip_prefix(&source).unwrap();
        let room = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        // The crate's two entrances, and tests in files of their own.
        if ["lib", "main", "samples"].contains(&room) || inside.ends_with("tests.rs") {
            continue;
        }
        let own = order.get(room).unwrap_or_else(|| panic!("{room} does not stand in lib.rs"));
        for (line, other) in named(&fs::read_to_string(&path).unwrap()) {
            if order.get(other.as_str()).is_some_and(|at| at > own) {
                wrong.push(format!("idp/src/{}:{line}: {room} knows {other}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that point down the house:\n{}", wrong.join("\n"));
}

#[test]
fn the_reader_of_imports_sees_every_form() {
    let text = "use crate::app::{App, Shared};\nuse crate::{account, dev as d};\nlet x = crate::codes::send();\n\
                // crate::cli\n#[cfg(test)]\nuse crate::router;";
    let names: Vec<String> = named(text).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["app", "account", "dev", "codes"]);
}

#[test]
fn portal_and_provider_meet_over_http_only() {
    let manifest = |name: &str| fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
    assert!(!manifest("portal-client").lines().any(|line| line.starts_with("idp")));
    assert!(!manifest("idp").lines().any(|line| line.starts_with("portal-client")));
    for file in sources(&root().join("idp/src")).iter().chain(&sources(&root().join("platform/src"))) {
        let text = fs::read_to_string(file).unwrap();
        assert!(
            !text.contains("BSN") && !text.contains("Bsn"),
            "{}: the provider sees no BSN",
            file.display()
        );
    }
}

#[test]
fn libraries_that_decide_are_named_in_one_place() {
    for (library, place) in
        [("oxide_auth", "idp/src/oauth/oxide.rs"), ("webauthn_rp", "idp/src/credentials/passkeys")]
    {
        let place = root().join(place);
        let named: Vec<PathBuf> = sources(&root().join("idp/src"))
            .into_iter()
            .filter(|file| fs::read_to_string(file).unwrap().contains(library))
            .collect();
        assert!(!named.is_empty());
        for file in named {
            assert!(file.starts_with(&place), "{} names {library}", file.display());
        }
    }
}

#[test]
fn no_two_files_stand_on_each_other() {
    let mut found = Vec::new();
    for name in ["idp", "portal-client", "platform"] {
        let graph = circles::Files::read(&root().join(name).join("src"), &format!("{name}/src/")).graph();
        assert!(graph.values().any(|on| on.len() > 5), "{name} was not read");
        found.extend(circles::circles(&graph));
    }
    let printed = found.iter().map(|circle| format!("a circle: {}\n", circle.join("\n    -> ")));
    assert!(found.is_empty(), "{}", printed.collect::<String>());
}

#[test]
fn the_provider_has_so_few_rooms_that_they_fit_a_glance() {
    let entries = fs::read_dir(root().join("idp/src")).unwrap().count();
    assert!((10..=20).contains(&entries), "idp/src has {entries} entries");
}

/// The functions of a file that answer requests, each with its length in lines.
fn handlers(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let starts = lines.iter().enumerate().filter(|(_, line)| line.starts_with("pub async fn "));
    let mut found = Vec::new();
    for (start, line) in starts {
        let Some(length) = lines[start..].iter().position(|line| *line == "}") else { continue };
        let head = lines[start..].iter().take_while(|line| !line.ends_with('{')).copied();
        let head: String =
            head.chain(lines[start..].iter().find(|line| line.ends_with('{')).copied()).collect();
        if head.contains("State(app): State<") {
            let name = line.trim_start_matches("pub async fn ").split(['(', '<']).next().unwrap();
            found.push((name.to_owned(), length + 1));
        }
    }
    found
}

#[test]
fn no_handler_is_longer_than_a_screen() {
    let (mut seen, mut long) = (0, Vec::new());
    for file in sources(&root().join("idp/src")).iter().chain(&sources(&root().join("portal-client/src"))) {
        for (name, length) in handlers(&fs::read_to_string(file).unwrap()) {
            seen += 1;
            if length > 60 {
                long.push(format!("{}: {name} has {length} lines", file.display()));
            }
        }
    }
    assert!(seen > 60, "only {seen} handlers were found");
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// The lines of the sections of a manifest that list dependencies, by their names.
fn dependencies(manifest: &str) -> Vec<&str> {
    let mut is_listed = false;
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_listed = line.ends_with("dependencies]");
        } else if let Some((name, _)) =
            line.split_once(['.', ' ', '=']).filter(|_| is_listed && !line.starts_with('#'))
        {
            found.push(name);
        }
    }
    found
}

#[test]
fn every_dependency_is_used() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let members =
        ["platform", "idp", "portal-client", "tests", "tests/bench", "tests/plug", "tests/properties"];
    let mut unused = Vec::new();
    let mut listed = BTreeSet::new();
    for member in members {
        let manifest = read(&format!("{member}/Cargo.toml"));
        let files = sources(&root().join(member));
        let of_another = |file: &Path| {
            members.iter().any(|other| {
                *other != member && other.starts_with(member) && file.starts_with(root().join(other))
            })
        };
        let text: Vec<String> = files
            .iter()
            .filter(|file| !of_another(file))
            .map(|file| fs::read_to_string(file).unwrap())
            .collect();
        for name in dependencies(&manifest) {
            let path = format!("{}::", name.replace('-', "_"));
            let is_named = text.iter().any(|text| text.contains(&path));
            if !is_named {
                unused.push(format!("{member}: {name}"));
            }
            listed.insert(name.to_owned());
        }
    }
    let all = read("Cargo.toml");
    let own = dependencies(&all).into_iter().filter(|name| !listed.contains(*name));
    unused.extend(own.map(|name| format!("the workspace: {name}")));
    assert!(unused.is_empty(), "in a Cargo.toml, and in no source: {}", unused.join(", "));
}
