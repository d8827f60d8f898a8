//! Documents that name tests: each of them exists, and each threat's test is named.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn every_test_that_the_conformance_document_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let document = fs::read_to_string(root.join("docs/conformance.md")).unwrap();
    let named: BTreeSet<(&str, &str)> =
        document.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).collect();
    assert!(named.len() > 30, "{}", named.len());
    for (file, test) in named {
        let source = fs::read_to_string(root.join(format!("tests/e2e/{file}.rs")))
            .unwrap_or_else(|_| panic!("docs/conformance.md names {file}::{test}; there is no such file"));
        let is_there = source.split("#[tokio::test").skip(1).any(|after| {
            after.split_once("async fn ").is_some_and(|(_, name)| name.starts_with(&format!("{test}()")))
        });
        assert!(is_there, "docs/conformance.md names {file}::{test}; there is no such test");
    }
    // Each row of a table shows something, or says why not.
    let rows = document.lines().filter(|line| line.starts_with('|') && !line.starts_with("|---"));
    for row in rows.filter(|row| !row.contains("shown by")) {
        let shown = row.trim_end_matches('|').rsplit('|').next().unwrap().trim();
        assert!(shown.contains("::") || ["later", "does not apply"].contains(&shown), "{row}");
    }
}

/// The names of all asynchronous tests below a folder.
fn tests_below(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            names.extend(tests_below(&entry));
            continue;
        }
        let source = fs::read_to_string(&entry).unwrap();
        let tests = source.split("#[tokio::test").skip(1).filter_map(|after| after.split_once("async fn "));
        names.extend(tests.map(|(_, name)| name.split('(').next().unwrap().to_owned()));
    }
    names
}

/// Whether a name begins like that of a threat's test: `t12_`.
fn is_of_a_threat(name: &str) -> bool {
    let number = name.strip_prefix('t').and_then(|rest| rest.split('_').next()).unwrap_or_default();
    number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[test]
fn the_document_of_threats_names_the_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let document = fs::read_to_string(root.join("docs/threats.md")).unwrap();
    let (table, _) = document.split_once("Knowingly open").unwrap();
    let mut named = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| T")) {
        let threat = row[2..5].to_ascii_lowercase();
        for name in row.split('`').skip(1).step_by(2) {
            assert!(name.starts_with(&threat), "{name} stands beside {threat}");
            named.insert(name.to_owned());
        }
    }
    let mut written = tests_below(&root.join("tests/e2e"));
    written.retain(|name| is_of_a_threat(name));
    assert!(written.len() > 60);
    let differ: Vec<&String> = named.symmetric_difference(&written).collect();
    assert!(differ.is_empty(), "only in docs/threats.md, or only in the tests: {differ:#?}");
}

#[test]
fn every_step_of_webauthn_has_a_test_that_exists_or_says_who_else_does_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let document = fs::read_to_string(root.join("docs/webauthn.md")).unwrap();
    let (first, second) = document.split_once("## A proof (7.2)").unwrap();
    let written = tests_below(&root.join("tests/e2e"));
    let mut named = BTreeSet::new();
    for (section, steps) in [(first, 29), (second, 25)] {
        let rows = section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| step"));
        let mut numbers = Vec::new();
        for row in rows {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
            let [number, _, who, tests] = cells[..] else { panic!("{row}") };
            numbers.push(number.parse::<u32>().unwrap());
            let shown: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
            // The hash is looked at by what is signed over it.
            let needs_none = ["the page's script", "does not apply"].contains(&who) || number == "12";
            assert!(!shown.is_empty() || (needs_none && tests == "-"), "{row}");
            named.extend(shown);
        }
        assert_eq!(numbers, (1..=steps).collect::<Vec<_>>(), "every step, once and in order");
    }
    let gone: Vec<_> = named.iter().filter(|name| !written.contains(**name)).collect();
    assert!(gone.is_empty() && named.len() > 20, "docs/webauthn.md names tests that are not there: {gone:?}");
}

#[test]
fn the_page_of_the_architecture_names_files_and_rooms_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let document = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let quoted: BTreeSet<&str> = document.split('`').skip(1).step_by(2).collect();
    let folders = ["idp/", "portal-client/", "platform/", "templates/", "migrations/"];
    let files: Vec<&&str> = quoted
        .iter()
        .filter(|name| name.contains('/') && folders.iter().any(|folder| name.starts_with(folder)))
        .collect();
    assert!(files.len() > 35, "{files:?}");
    let gone: Vec<_> = files.iter().filter(|name| !root.join(name).exists()).collect();
    assert!(gone.is_empty(), "docs/architecture.md names what is not there: {gone:?}");
    let lib = fs::read_to_string(root.join("idp/src/lib.rs")).unwrap();
    let rooms = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let unnamed: Vec<&str> = rooms.filter(|room| !quoted.contains(room)).collect();
    assert!(unnamed.is_empty(), "rooms that docs/architecture.md does not name: {unnamed:?}");
    let (_, changes) = document.split_once("Where do I change").unwrap();
    assert!(changes.lines().filter(|line| line.starts_with("| ")).count() > 20);
}
