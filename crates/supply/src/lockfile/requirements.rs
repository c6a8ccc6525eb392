//! pip's `requirements.txt`: only `==` settles a version.
//!
//! Source: pip's documentation, "Requirements File Format"; PEP 508.

use bartizan_model::Span;

use super::File;
use crate::ecosystem::EcosystemKind;
use crate::package::{Found, Origin, Package, Relation, SkipReason};

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let is_development =
        file.path.rsplit('/').next().is_some_and(|name| ["dev", "test", "lint", "docs"].iter().any(|word| name.contains(word)));
    let mut lines = file.text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let first = line.trim_end_matches(['\n', '\r']);
        let mut whole = without_comment(first).to_owned();
        while whole.ends_with('\\') {
            whole.pop();
            let Some(next) = lines.next() else { break };
            whole.push_str(without_comment(next.trim_end_matches(['\n', '\r'])));
        }
        let requirement = whole.trim();
        if !requirement.is_empty() {
            one(requirement, file.span_of(first.trim()), is_development, &mut found);
        }
    }
    found
}

/// A comment begins at the line's start or after a blank.
fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with('#') {
        return "";
    }
    line.find(" #").or_else(|| line.find("\t#")).and_then(|at| line.get(..at)).unwrap_or(line).trim_end()
}

fn one(requirement: &str, span: Span, is_development: bool, found: &mut Found) {
    if let Some(option) = requirement.strip_prefix('-') {
        let path = option.trim_start_matches('-').trim_start_matches(['e', ' ', '=']);
        // Included files are read by their own name, indexes and hashes name no package; only what is installed from elsewhere counts.
        let editable = option.starts_with("e ") || option.starts_with("-editable");
        if editable && !path.trim_start_matches("ditable").trim_start_matches(['=', ' ']).starts_with(['.', '/']) {
            found.skip(requirement, span, SkipReason::NoExactVersion(String::new()));
        }
        return;
    }
    // A path beside is the system's own code.
    if requirement.starts_with(['.', '/']) {
        return;
    }
    // Hashes and options follow the requirement; a marker says when it holds, which nobody knows here, so it counts.
    let requirement = requirement.split(" --").next().unwrap_or(requirement);
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
