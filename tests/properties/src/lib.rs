//! What holds for any input from outside. Each property takes bytes and panics if it is broken: `fuzz/` looks for
//! such bytes, and the test here feeds every file of `fuzz/corpus`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a broken property panics")]

mod authorization;
mod claims;
mod client_assertion;
mod cookies;
mod dpop_proof;
mod jose;
mod passkey_answers;
mod redirect_uri;
mod request_object;

/// A property, under the name of its fuzz target and of its folder in `fuzz/corpus`.
pub type Property = (&'static str, fn(&[u8]));

pub const ALL: &[Property] = &[
    ("authorization", authorization::holds),
    ("claims", claims::holds),
    ("client_assertion", client_assertion::holds),
    ("cookies", cookies::holds),
    ("dpop_proof", dpop_proof::holds),
    ("passkey_answers", passkey_answers::holds),
    ("redirect_uri", redirect_uri::holds),
    ("request_object", request_object::holds),
];

/// Panics if the property of this name does not hold for `data`.
pub fn check(name: &str, data: &[u8]) {
    let (_, holds) = ALL.iter().find(|(known, _)| *known == name).expect("a property of this name");
    holds(data);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::ALL;

    #[test]
    fn every_property_holds_for_its_corpus() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
        let entries = fs::read_dir(&corpus).unwrap();
        let folders: BTreeSet<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(folders, ALL.iter().map(|(name, _)| (*name).to_owned()).collect(), "a folder for each");
        for (name, holds) in ALL {
            let mut files = 0;
            for entry in fs::read_dir(corpus.join(name)).unwrap() {
                let path = entry.unwrap().path();
                println!("{}", path.display());
                holds(&fs::read(path).unwrap());
                files += 1;
            }
            assert!(files >= 3, "{name}: {files} files");
        }
    }
}
