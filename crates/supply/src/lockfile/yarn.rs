//! `yarn.lock`, of Yarn 1 (its own syntax) and of Yarn 2 and later (YAML that looks much the same).
//!
//! Both are entries without indentation, named by what asked for them, with attributes indented by two. Neither tells what only development uses.

use bartizan_model::Span;

use super::{File, npm};
use crate::ecosystem::EcosystemKind;
use crate::package::{Found, Origin, Package, SkipReason};

/// An entry that is being read.
struct Entry<'a> {
    key: &'a str,
    version: Option<&'a str>,
    /// Address (Yarn 1) or `name@npm:version` (later).
    resolved: Option<&'a str>,
    span: Span,
}

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let mut entry: Option<Entry<'_>> = None;
    for line in file.text.split_inclusive('\n').map(|line| line.trim_end_matches(['\n', '\r'])) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if !line.starts_with(' ') {
            finish(entry.take(), &mut found);
            let Some(key) = line.strip_suffix(':') else {
                let message = format!("`{line}` is neither an entry nor a part of one");
                found.malformed(file.path, file.span_of(line), message);
                continue;
            };
            entry = Some(Entry { key, version: None, resolved: None, span: file.span_of(line) });
            continue;
        }
        let (Some(entry), Some(attribute)) = (entry.as_mut(), line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '))) else {
            continue;
        };
        let Some((name, value)) = attribute.split_once(' ') else { continue };
        let value = value.trim().trim_matches('"');
        match name.trim_end_matches(':').trim_matches('"') {
            "version" => entry.version = Some(value),
            "resolved" | "resolution" => entry.resolved = Some(value),
            _ => {}
        }
    }
    finish(entry, &mut found);
    found
}

fn finish(entry: Option<Entry<'_>>, found: &mut Found) {
    let Some(entry) = entry.filter(|entry| entry.key != "__metadata") else { return };
    let asked = entry.key.split(',').next().unwrap_or(entry.key).trim().trim_matches('"');
    // A resolution names what was installed, also under another name.
    let resolution = entry.resolved.filter(|resolved| !resolved.starts_with("http") && !resolved.starts_with("git"));
    let (name, reference) = split(resolution.unwrap_or(asked));
    let (name, reference) = match (
        resolution,
        reference.strip_prefix("npm:").and_then(|alias| alias.rfind('@').filter(|at| *at > 0).map(|at| alias.split_at(at))),
    ) {
        // Yarn 1 names the alias and its target in what asked for it.
        (None, Some((target, _))) => (target, reference),
        _ => (name, reference),
    };
    let version = match entry.version {
        Some(version) if !version.is_empty() => version,
        _ => {
            found.skip(asked, entry.span, SkipReason::NoExactVersion(String::new()));
            return;
        }
    };
    let origin = if is_own(reference) {
        Origin::Own
    } else if reference.starts_with("patch:") || reference.starts_with("npm:") {
        Origin::Registry
    } else {
        match entry.resolved {
            Some(address) if npm::is_elsewhere(address) => Origin::Elsewhere(address.to_owned()),
            _ if resolution.is_some() => Origin::Elsewhere(reference.to_owned()),
            _ => Origin::Registry,
        }
    };
    let version = if origin == Origin::Own && version == "0.0.0-use.local" { "" } else { version };
    found.packages.push(Package::new(EcosystemKind::NPM, name, version, entry.span).from(origin));
}

fn is_own(reference: &str) -> bool {
    ["workspace:", "link:", "portal:", "file:"].iter().any(|scheme| reference.starts_with(scheme))
}

/// Splits `name@reference`; a scope's own `@` belongs to the name.
fn split(text: &str) -> (&str, &str) {
    let at = text.get(1..).and_then(|rest| rest.find('@')).map(|at| at + 1);
    at.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?))).unwrap_or((text, ""))
}
