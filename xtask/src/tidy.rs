//! `tidy`: house rules that no compiler checks: sizes, module pages, names, directions between crates, test binaries.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use walkdir::WalkDir;

/// Lines that one source file may have.
const MAX_LINES: usize = 800;
/// Names that say nothing about what a file holds.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc", "manager"];

/// What each crate may depend on within the workspace; dependencies point one way.
const DIRECTIONS: &[(&str, &[&str])] = &[
    ("bartizan-model", &[]),
    ("bartizan-iam", &[]),
    ("bartizan-import", &["bartizan-model"]),
    ("bartizan-review", &["bartizan-model", "bartizan-iam"]),
    ("bartizan-supply", &["bartizan-model", "bartizan-iam"]),
    ("bartizan-report", &["bartizan-model", "bartizan-iam", "bartizan-review", "bartizan-supply"]),
    ("bartizan-register", &["bartizan-model", "bartizan-iam", "bartizan-review", "bartizan-supply"]),
    (
        "bartizan-server",
        &[
            "bartizan-model",
            "bartizan-iam",
            "bartizan-import",
            "bartizan-review",
            "bartizan-supply",
            "bartizan-report",
            "bartizan-register",
        ],
    ),
    (
        "bartizan",
        &[
            "bartizan-model",
            "bartizan-iam",
            "bartizan-import",
            "bartizan-review",
            "bartizan-supply",
            "bartizan-report",
            "bartizan-register",
            "bartizan-server",
        ],
    ),
    ("xtask", &["bartizan-model", "bartizan-review"]),
];

pub(crate) fn check(root: &Path) -> Result<String> {
    let mut problems = Vec::new();
    let mut n_files = 0usize;
    for folder in ["crates", "xtask"] {
        for entry in WalkDir::new(root.join(folder)).sort_by_file_name() {
            let entry = entry.context("the tree cannot be listed")?;
            let path = entry.path();
            let shown = path.strip_prefix(root).unwrap_or(path).display().to_string().replace('\\', "/");
            if shown.contains("/target/") {
                continue;
            }
            if path.extension().is_some_and(|ending| ending == "rs") {
                n_files += 1;
                let text = fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
                source(&shown, &text, &mut problems);
            } else if path.file_name().is_some_and(|name| name == "Cargo.toml") {
                let text = fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
                manifest(&shown, &text, &mut problems);
            }
        }
    }
    test_binaries(root, &mut problems)?;
    if problems.is_empty() {
        return Ok(format!("{n_files} source files are tidy"));
    }
    bail!("{} house rules are broken:\n{}", problems.len(), problems.join("\n"))
}

fn source(path: &str, text: &str, problems: &mut Vec<String>) {
    let n_lines = text.lines().count();
    if n_lines > MAX_LINES {
        problems.push(format!("{path}: {n_lines} lines; at most {MAX_LINES}, and better 300: split it where its subject does"));
    }
    // The name of `foo/tests.rs` says all that its page could.
    if !text.starts_with("//!") && !path.ends_with("/tests.rs") {
        problems.push(format!("{path}: does not open with `//!`: say what it is for and what it does not do"));
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    if name == "mod.rs" {
        problems.push(format!("{path}: a module is `foo.rs` with the folder `foo/`, not `foo/mod.rs`"));
    }
    let stem = name.trim_end_matches(".rs");
    if EMPTY_NAMES.contains(&stem) || path.split('/').any(|part| EMPTY_NAMES.contains(&part)) {
        problems.push(format!("{path}: name it after what it holds"));
    }
}

fn manifest(path: &str, text: &str, problems: &mut Vec<String>) {
    let sections = sections(text);
    let name = sections.get("package").and_then(|lines| lines.iter().find_map(|line| line.strip_prefix("name = "))).unwrap_or_default();
    let name = name.trim_matches('"');
    let Some((_, allowed)) = DIRECTIONS.iter().find(|(known, _)| *known == name) else {
        problems.push(format!("{path}: the crate `{name}` has no place in xtask's list of directions; a new crate needs a decision page"));
        return;
    };
    for line in sections.get("dependencies").into_iter().flatten() {
        let dependency = line.split(['.', ' ', '=']).next().unwrap_or_default();
        if dependency.starts_with("bartizan") && !allowed.contains(&dependency) {
            problems.push(format!("{path}: `{name}` must not depend on `{dependency}`"));
        }
    }
    let inherits = sections.get("lints").is_some_and(|lines| lines.contains(&"workspace = true"));
    if !inherits {
        problems.push(format!("{path}: `[lints] workspace = true` is missing"));
    }
}

/// Lines by section of a manifest; enough of TOML for how ours are written.
fn sections(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut sections: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut current = "";
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            current = name;
        } else {
            sections.entry(current).or_default().push(line);
        }
    }
    sections
}

/// Each binary links everything anew; one per crate keeps the tests quick to build.
fn test_binaries(root: &Path, problems: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(root.join("crates")).context("cannot list crates/")? {
        let tests = entry.context("cannot list crates/")?.path().join("tests");
        if !tests.is_dir() {
            continue;
        }
        let mut binaries = Vec::new();
        for entry in fs::read_dir(&tests).with_context(|| format!("cannot list {}", tests.display()))? {
            let path = entry.context("cannot list tests")?.path();
            let is_binary = path.extension().is_some_and(|ending| ending == "rs") || path.join("main.rs").is_file();
            if is_binary {
                binaries.push(path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default());
            }
        }
        binaries.sort();
        if binaries.len() > 1 {
            let shown = tests.strip_prefix(root).unwrap_or(&tests).display().to_string();
            problems.push(format!("{shown}: one test binary per crate, and these are {}", binaries.join(", ")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{manifest, source};

    fn of_manifest(text: &str) -> Vec<String> {
        let mut problems = Vec::new();
        manifest("Cargo.toml", text, &mut problems);
        problems
    }

    #[test]
    fn a_dependency_against_the_direction_is_told() {
        let text = "[package]\nname = \"bartizan-model\"\n[lints]\nworkspace = true\n[dependencies]\nbartizan-review.workspace = true\n";
        assert_eq!(of_manifest(text), ["Cargo.toml: `bartizan-model` must not depend on `bartizan-review`"]);
        let dev = text.replace("[dependencies]", "[dev-dependencies]");
        assert!(of_manifest(&dev).is_empty(), "tests may look at more");
    }

    #[test]
    fn a_file_without_a_page_or_with_an_empty_name_is_told() {
        let mut problems = Vec::new();
        source("crates/model/src/utils.rs", "use std::fmt;\n", &mut problems);
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
}
