//! Tells cargo that the templates, translations or assets compiled into this crate are part of it: a file that is added or removed
//! is not seen otherwise.

fn main() {
    println!("cargo:rerun-if-changed=../templates");
}
