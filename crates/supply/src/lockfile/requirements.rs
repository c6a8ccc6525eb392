//! pip's `requirements.txt`: only `==` settles a version.
//!
//! Source: pip's documentation, "Requirements File Format"; PEP 508.

use bartizan_model::Span;

use super::{File, Format};
use crate::ecosystem::EcosystemKind;
use crate::package::{Found, Origin, Package, Relation, SkipReason};

/// Files that include files; more is a loop.
const MAX_INCLUDES: usize = 16;

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let name = file.path.rsplit('/').next().unwrap_or(file.path);
    let is_development = ["dev", "test", "lint", "docs"].iter().any(|word| name.contains(word));
    read_into(file, is_development, 0, &mut found);
    found
}

fn read_into(file: &File<'_>, is_development: bool, depth: usize, found: &mut Found) {
    let mut lines = file.text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let first = line.trim_end_matches(['\n', '\r']);
        let mut whole = without_comment(first).to_owned();
        while whole.ends_with('\\') {
            whole.pop();
            let Some(next) = lines.next() else { break };
            whole.push_str(without_comment(next.trim_end_matches(['\n', '\r'])));
        }
        let span = file.span_of(first.trim());
        match option(whole.trim()) {
            None if whole.trim().is_empty() => {}
            None => one(whole.trim(), span, is_development, found),
            Some(("r" | "requirement", path)) => include(file, path, span, is_development, depth, found),
            // A path beside is the system's own code; anything else is installed in a version that nobody wrote down.
            Some(("e" | "editable", what)) if !what.starts_with(['.', '/']) && !what.starts_with("file:") => {
                found.skip(what, span, SkipReason::NoExactVersion(String::new()));
            }
            Some(_) => {}
        }
    }
}

/// Name and value of an option: `-r file`, `-rfile`, `--requirement=file`.
fn option(line: &str) -> Option<(&str, &str)> {
    let (name, value) = match line.strip_prefix("--") {
        Some(long) => long.split_at(long.find([' ', '=']).unwrap_or(long.len())),
        None => line.strip_prefix('-')?.split_at_checked(1)?,
    };
    Some((name, value.trim_start_matches([' ', '=']).trim()))
}

/// Reads an included file, unless it is read by its own name anyway.
fn include(file: &File<'_>, relative: &str, span: Span, is_development: bool, depth: usize, found: &mut Found) {
    let path = file.beside(relative).filter(|_| depth < MAX_INCLUDES && !relative.contains("://"));
    let Some((path, (id, text))) = path.and_then(|path| Some((path.clone(), (file.other)(&path)?))) else {
        found.skip(relative, span, SkipReason::Unreadable("the included file is not there".to_owned()));
        return;
    };
    if Format::of(&path) != Some(Format::Requirements) {
        read_into(&File { id, path: &path, text: &text, other: file.other }, is_development, depth + 1, found);
    }
}

/// A comment begins at the line's start or after a blank.
fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with('#') {
        return "";
    }
    line.find(" #").or_else(|| line.find("\t#")).and_then(|at| line.get(..at)).unwrap_or(line).trim_end()
}

fn one(requirement: &str, span: Span, is_development: bool, found: &mut Found) {
    // A path beside is the system's own code.
    if requirement.starts_with(['.', '/']) {
        return;
    }
    // Hashes and options follow the requirement; a marker says when it holds, which nobody knows here, so it counts.
    let requirement = requirement.split(" -").next().unwrap_or(requirement);
    let bare = requirement.split(';').next().unwrap_or(requirement).trim();
    let name_end =
        bare.find(|character: char| !character.is_ascii_alphanumeric() && !matches!(character, '-' | '_' | '.')).unwrap_or(bare.len());
    let (name, rest) = bare.split_at_checked(name_end).unwrap_or((bare, ""));
    let rest = rest.trim_start();
    let rest = if rest.starts_with('[') { rest.split_once(']').map_or("", |(_, after)| after) } else { rest }.trim();
    if name.is_empty() || bare.contains("://") && !rest.starts_with('@') {
        found.skip(bare, span, SkipReason::NoExactVersion(String::new()));
        return;
    }
    let constraint = rest.trim_start_matches('(').trim_end_matches(')').trim();
    let exact = constraint.strip_prefix("===").or_else(|| constraint.strip_prefix("==")).map(str::trim);
    match exact.filter(|version| !version.is_empty() && !version.contains([',', '*', ' '])) {
        Some(version) => {
            let package = Package::new(EcosystemKind::PYPI, name, version, span);
            found.packages.push(package.from(Origin::Registry).related(Relation::Unknown).for_development(is_development));
        }
        None => found.skip(name, span, SkipReason::NoExactVersion(constraint.to_owned())),
    }
}
