//! Which file of a crate stands on which, and whether some stand on each other.
//!
//! A file depends on the file in which a thing that it names is written. A name is followed to there: through modules that
//! were imported (`use crate::session; session::find()`) and through what a `mod.rs` hands on (`pub use store::Row`). To
//! declare a child, to hand one of its names on or to import a module without naming anything in it is no dependency:
//! else each folder would be a circle. To use a child's things in a `mod.rs` is one, and so is `super::` in the child:
//! together they make a circle. A method that is called names no file, and is not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::paths::{Import, Paths};

/// A module by its place in the crate: `["store", "sms"]`.
type Module = Vec<String>;

/// Which files stand on which.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

/// The files of a crate, by module.
pub struct Files {
    files: BTreeMap<Module, (String, Paths)>,
}

impl Files {
    /// Those in a crate's folder; `name` is what stands before their names.
    pub fn read(source: &Path, name: &str) -> Self {
        let texts = super::sources(source).into_iter().map(|path| {
            let inside = path.strip_prefix(source).unwrap().to_str().unwrap().to_owned();
            (inside, fs::read_to_string(&path).unwrap())
        });
        Self::new(name, texts)
    }

    fn new(name: &str, texts: impl IntoIterator<Item = (String, String)>) -> Self {
        // A binary stands on its crate, and nothing on a binary. Tests in files of their own set up what they need.
        let is_read =
            |inside: &str| inside != "main.rs" && !inside.split('/').any(|part| part.starts_with("tests"));
        let files = texts.into_iter().filter(|(inside, _)| is_read(inside));
        let files = files.map(|(inside, text)| {
            let module = inside.trim_end_matches(".rs").split('/').map(str::to_owned);
            let module = module.filter(|part| part != "mod" && part != "lib").collect();
            (module, (format!("{name}{inside}"), Paths::read(&text)))
        });
        Self { files: files.collect() }
    }

    pub fn graph(&self) -> Graph {
        let on = |module, paths: &Paths| {
            let imported = paths.imports.iter().filter(|import| !import.is_public).map(|import| &import.path);
            let globs = paths.imports.iter().filter(|import| import.alias == "*" && !import.is_public);
            let globs = globs.filter_map(|import| self.module(module, &import.path));
            let found = imported.chain(&paths.named).filter_map(|path| self.home(module, path, 0));
            let found = found.chain(globs).filter(|other| other != module);
            found.map(|other| self.files[&other].0.clone()).collect()
        };
        self.files.iter().map(|(module, (file, paths))| (file.clone(), on(module, paths))).collect()
    }

    /// The file in which a thing is written that `module` calls `path`; none for another crate's, a local name and a
    /// module itself.
    fn home(&self, module: &Module, path: &[String], depth: usize) -> Option<Module> {
        assert!(depth < 20, "{module:?} names {path:?}, which leads nowhere");
        let (mut here, mut rest) = self.start(module, path)?;
        while let Some((name, after)) = rest.split_first() {
            let child = [here.as_slice(), std::slice::from_ref(name)].concat();
            if self.files.contains_key(&child) {
                (here, rest) = (child, after);
                continue;
            }
            return match self.import(&here, name) {
                Some(import) => {
                    let path = [import.path.as_slice(), after].concat();
                    self.home(&here, &path, depth + 1)
                }
                None => Some(here),
            };
        }
        None
    }

    /// The module where a path starts, and what is left of it.
    fn start<'a>(&self, module: &Module, path: &'a [String]) -> Option<(Module, &'a [String])> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some((Vec::new(), rest)),
            "self" => Some((module.clone(), rest)),
            "super" => {
                let above = module.split_last()?.1.to_vec();
                if rest.first().is_some_and(|next| next == "super") {
                    return self.start(&above, rest);
                }
                Some((above, rest))
            }
            // A name by itself: a child, or what was imported under it. `use x::y` in a file that imports an `x` of its own
            // would lead to itself.
            name => {
                let is_child =
                    self.files.contains_key(&[module.as_slice(), std::slice::from_ref(first)].concat());
                let known =
                    is_child || self.import(module, name).is_some_and(|import| import.path[0] != *first);
                known.then(|| (module.clone(), path))
            }
        }
    }

    fn import(&self, module: &Module, name: &str) -> Option<&Import> {
        self.files.get(module)?.1.imports.iter().find(|import| import.alias == name)
    }

    /// The module that a path names.
    fn module(&self, module: &Module, path: &[String]) -> Option<Module> {
        let (here, rest) = self.start(module, path)?;
        let whole = [here.as_slice(), rest].concat();
        self.files.contains_key(&whole).then_some(whole)
    }
}

/// The circles of a graph: a shortest one through each file that is on none of them yet.
pub fn circles(graph: &Graph) -> Vec<Vec<String>> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for file in graph.keys() {
        if seen.contains(file) {
            continue;
        }
        if let Some(circle) = circle_through(graph, file) {
            seen.extend(circle.iter().cloned());
            found.push(circle);
        }
    }
    found
}

/// A shortest way from a file back to it, which it starts and ends with.
fn circle_through(graph: &Graph, file: &String) -> Option<Vec<String>> {
    let mut ways = vec![vec![file.clone()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in &graph[way.last()?] {
                let way = [way.as_slice(), std::slice::from_ref(next)].concat();
                if next == file {
                    return Some(way);
                }
                if seen.insert(next.clone()) {
                    longer.push(way);
                }
            }
        }
        ways = longer;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(texts: &[(&str, &str)]) -> Graph {
        let texts = texts.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned()));
        Files::new("", texts).graph()
    }

    #[test]
    fn a_name_is_followed_to_the_file_where_it_is_written() {
        let graph = graph(&[
            ("lib.rs", "pub mod app;\npub mod store;"),
            ("app.rs", "use crate::store::{self, Row};\nfn f() { store::sms::send(store::find()) }"),
            ("store/mod.rs", "mod rows;\npub mod sms;\npub use rows::Row;\npub fn find() {}"),
            ("store/rows.rs", "pub struct Row;"),
            ("store/sms.rs", "use super::find;\nuse std::fmt;"),
        ]);
        let on = |file: &str| graph[file].iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(on("app.rs"), ["store/mod.rs", "store/rows.rs", "store/sms.rs"]);
        assert_eq!(on("store/sms.rs"), ["store/mod.rs"]);
        assert!(on("lib.rs").is_empty() && on("store/mod.rs").is_empty() && on("store/rows.rs").is_empty());
        assert!(circles(&graph).is_empty());
    }

    #[test]
    fn a_circle_is_found_however_long_and_told_once() {
        let graph = graph(&[
            ("lib.rs", ""),
            ("a/mod.rs", "mod one;\npub mod two;\nfn f() { one::g() }"),
            ("a/one.rs", "use super::two::h;"),
            ("a/two.rs", "use super::*;"),
            ("b.rs", "use crate::a::two::h;"),
        ]);
        let circle = ["a/mod.rs", "a/one.rs", "a/two.rs", "a/mod.rs"].map(str::to_owned);
        assert_eq!(circles(&graph), [circle]);
    }
}
