//! `docs/integration.md` shows the files that the tests run.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::clients::folder;

/// The files that the document shows, each with what it shows of it: a comment names the file, and the fenced
/// block after it is its text.
fn shown(document: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for part in document.split("<!-- file: ").skip(1) {
        let (name, rest) = part.split_once(" -->\n").expect("a name");
        let (fence, rest) = rest.trim_start_matches('\n').split_once('\n').expect("a fence");
        assert!(fence.starts_with("```"), "no block follows the name of {name}");
        let (text, _) = rest.split_once("\n```\n").expect("an end of the fence");
        found.push((name.to_owned(), format!("{text}\n")));
    }
    found
}

#[test]
fn the_document_shows_the_files_that_run() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("docs/integration.md");
    let shown = shown(&fs::read_to_string(document).unwrap());
    for (name, text) in &shown {
        let file = fs::read_to_string(folder().join(name)).unwrap();
        assert!(*text == file, "docs/integration.md shows another text than tests/clients/{name}");
    }
    let names: BTreeSet<&str> = shown.iter().map(|(name, _)| name.as_str()).collect();
    for file in fs::read_dir(folder()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let is_setup = name.starts_with('.') || name.starts_with("package") || name == "requirements.txt";
        assert!(names.contains(name.as_str()) || is_setup || name == "drivers", "{name} is not shown");
    }
}

#[test]
fn the_lock_file_names_no_registry() {
    let lock = fs::read_to_string(folder().join("package-lock.json")).unwrap();
    assert!(lock.contains("\"integrity\"") && !lock.contains("\"resolved\""));
}
