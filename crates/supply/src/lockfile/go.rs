//! Go's `go.mod`, and `go.sum` where the module is older than Go 1.17, which did not list what is needed indirectly.
//!
//! Source: go.dev/ref/mod.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{FileId, Span};

use super::File;
use crate::ecosystem::EcosystemKind;
use crate::package::{Found, Origin, Package, Relation};
use crate::version::{Scheme, Version};

/// A module that another one stands for, from a `replace`.
struct Replacement<'a> {
    /// Only this version of the module, where one is given.
    version: Option<&'a str>,
    path: &'a str,
    /// `None` for a folder.
    to_version: Option<&'a str>,
}

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let mut block: Option<&str> = None;
    let mut language = (1, 16);
    let mut standard_library: Option<(String, Span)> = None;
    let mut required: Vec<(&str, &str, bool, Span)> = Vec::new();
    let mut replacements: BTreeMap<&str, Vec<Replacement<'_>>> = BTreeMap::new();
    for line in file.text.split_inclusive('\n') {
        let (statement, comment) = line.trim().split_once("//").unwrap_or((line.trim(), ""));
        let mut words: Vec<&str> = statement.split_whitespace().map(|word| word.trim_matches(['"', '`'])).collect();
        if words.as_slice() == [")"] {
            block = None;
            continue;
        }
        if let [verb, "("] = words.as_slice() {
            block = Some(verb);
            continue;
        }
        let verb = match block {
            Some(verb) => verb,
            None if words.is_empty() => continue,
            None => words.remove(0),
        };
        let span = file.span_of(line.trim());
        match (verb, words.as_slice()) {
            (_, []) => {}
            ("module", [name]) => {
                found.packages.push(Package::new(EcosystemKind::GO, *name, "", span).from(Origin::Own).related(Relation::Direct))
            }
            ("go", [version]) => {
                language = go_version(version);
                if language >= (1, 21) && standard_library.is_none() {
                    standard_library = release(version).map(|version| (version, span));
                }
            }
            // It is at least as new as the line `go`, and stands after it.
            ("toolchain", [name]) => {
                let version = name.strip_prefix("go").and_then(release).map(|version| (version, span));
                standard_library = version.or(standard_library);
            }
            ("require", [name, version]) => {
                required.push((name, version, comment.trim() == "indirect" || comment.trim().starts_with("indirect;"), span))
            }
            ("replace", words) => replace(words, &mut replacements),
            ("exclude" | "retract" | "godebug" | "tool" | "ignore", _) => {}
            _ => {
                let message = format!("`{}` is no statement of go.mod", line.trim());
                found.malformed(file.path, span, message);
            }
        }
    }
    // Advisories of Go speak of the library in every program, and of the commands that build it.
    if let Some((version, span)) = standard_library {
        found.packages.push(Package::new(EcosystemKind::GO, "stdlib", &version, span).related(Relation::Direct));
        found.packages.push(Package::new(EcosystemKind::GO, "toolchain", version, span).related(Relation::Direct).for_development(true));
    }
    let listed: BTreeSet<&str> = required.iter().map(|(name, ..)| *name).collect();
    for (name, version, is_indirect, span) in &required {
        push(name, version, *is_indirect, *span, &replacements, &mut found);
    }
    if language < (1, 17)
        && let Some((id, text)) = file.read_beside("go.sum")
    {
        for (name, version, span) in selected(id, &text) {
            if !listed.contains(name.as_str()) {
                push(&name, &version, true, span, &replacements, &mut found);
            }
        }
    }
    found
}

fn go_version(text: &str) -> (u32, u32) {
    // `23rc2` is of language 1.23.
    let digits = |part: &str| part.find(|of: char| !of.is_ascii_digit()).map_or(part.len(), |end| end);
    let mut parts = text.split('.').map(|part| part.get(..digits(part)).and_then(|number| number.parse().ok()).unwrap_or(0));
    (parts.next().unwrap_or(1), parts.next().unwrap_or(0))
}

/// A release of Go (`1.22`, `1.22.1`, `1.23rc2`, `1.22.1-vendor`) as a semantic version; before Go 1.21 the line named a language only.
///
/// Source: go.dev/doc/toolchain, "Version numbers".
fn release(text: &str) -> Option<String> {
    let text = text.split('-').next().unwrap_or(text);
    let end = text.find(|of: char| of.is_ascii_alphabetic()).unwrap_or(text.len());
    let (numbers, preview) = text.split_at_checked(end)?;
    let mut parts = numbers.split('.').map(|part| part.parse::<u32>().ok());
    let (major, minor, patch) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    let at = preview.find(|of: char| of.is_ascii_digit()).unwrap_or(preview.len());
    let preview = preview.split_at_checked(at).filter(|(word, _)| !word.is_empty()).map(|(word, number)| format!("-{word}.{number}"));
    Some(format!("{major}.{minor}.{patch}{}", preview.unwrap_or_default()))
}

/// `old [version] => new [version]`.
fn replace<'a>(words: &[&'a str], out: &mut BTreeMap<&'a str, Vec<Replacement<'a>>>) {
    let Some(arrow) = words.iter().position(|word| *word == "=>") else { return };
    let (Some(old), Some(path)) = (words.first(), words.get(arrow + 1)) else { return };
    let version = words.get(1).filter(|_| arrow == 2).copied();
    out.entry(old).or_default().push(Replacement { version, path, to_version: words.get(arrow + 2).copied() });
}

fn push(name: &str, version: &str, is_indirect: bool, span: Span, replacements: &BTreeMap<&str, Vec<Replacement<'_>>>, found: &mut Found) {
    let relation = if is_indirect { Relation::Transitive } else { Relation::Direct };
    let replaced = replacements.get(name).into_iter().flatten().find(|replacement| replacement.version.is_none_or(|only| only == version));
    let package = match replaced {
        None => Package::new(EcosystemKind::GO, name, version, span),
        Some(Replacement { path, to_version: Some(to_version), .. }) => Package::new(EcosystemKind::GO, *path, *to_version, span),
        Some(_) => Package::new(EcosystemKind::GO, name, "", span).from(Origin::Own),
    };
    found.packages.push(package.related(relation));
}

/// The highest version of each module whose code `go.sum` knows: what the build selects, or a little more.
fn selected(file: FileId, text: &str) -> Vec<(String, String, Span)> {
    let mut highest: BTreeMap<&str, (&str, Version, Span)> = BTreeMap::new();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let span = Span::new(file, offset..offset + line.trim_end().len());
        offset += line.len();
        let mut words = line.split_whitespace();
        let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
        if version.ends_with("/go.mod") {
            continue;
        }
        let Ok(parsed) = Version::parse(Scheme::SemVer, version) else { continue };
        match highest.get(name) {
            Some((_, known, _)) if *known >= parsed => {}
            _ => {
                highest.insert(name, (version, parsed, span));
            }
        }
    }
    highest.into_iter().map(|(name, (version, _, span))| (name.to_owned(), version.to_owned(), span)).collect()
}
