//! Rebuilds the binary when a file of the catalogue comes or goes; the embedding macro alone sees only changes of known files.

fn main() {
    println!("cargo::rerun-if-changed=../../catalogue");
}
