//! `docs/conformance.md` names tests; each of them exists.

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
