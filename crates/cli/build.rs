//! Embeds the catalogue: a list of paths and texts, each YAML file as the JSON that says the same, for a start reads that many times faster.
//! See `docs/decisions/0006-embedded-catalogue.md`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=../../catalogue");
    let mut files = BTreeMap::new();
    collect(&Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../catalogue"), "", &mut files)?;
    let mut list = String::from("[\n");
    for (path, text) in &files {
        writeln!(list, "    ({path:?}, {:?}),", quick(path, text))?;
    }
    list.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("catalogue.rs"), list)?;
    Ok(())
}

/// The files of a folder by their path below the catalogue, with `/`.
fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.insert(path, fs::read_to_string(entry.path())?);
        }
    }
    Ok(())
}

/// A YAML file as JSON; one with a mistake stays as it is, so that the loader tells the mistake with its place.
fn quick(path: &str, text: &str) -> String {
    if !path.ends_with(".yaml") {
        return text.to_owned();
    }
    match serde_saphyr::from_str::<serde_json::Value>(text) {
        Ok(value) if value.is_object() => value.to_string(),
        _ => text.to_owned(),
    }
}
