//! npm's `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3.

use std::borrow::Cow;
use std::collections::BTreeSet;

use bartizan_model::Span;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{File, json};
use crate::ecosystem::EcosystemKind;
use crate::package::{Found, Origin, Package, Relation, SkipReason};

type Raw<'a> = IndexMap<Cow<'a, str>, &'a RawValue>;

/// Version 1 nests packages as deep as folders; more than this is no real tree.
const MAX_NESTING: usize = 100;

#[derive(Deserialize)]
struct Lock<'a> {
    #[serde(rename = "lockfileVersion")]
    version: Option<u32>,
    #[serde(borrow)]
    packages: Option<Raw<'a>>,
    #[serde(borrow)]
    dependencies: Option<Raw<'a>>,
}

/// An entry of `packages`, versions 2 and 3.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    resolved: Option<Resolved<'a>>,
    #[serde(default)]
    link: bool,
    #[serde(default)]
    dev: bool,
    #[serde(default)]
    dev_optional: bool,
    #[serde(borrow, default)]
    dependencies: Option<Raw<'a>>,
    #[serde(borrow, default)]
    dev_dependencies: Option<Raw<'a>>,
    #[serde(borrow, default)]
    optional_dependencies: Option<Raw<'a>>,
}

/// npm writes an address, or `true` and `false` for what it did not resolve.
#[derive(Deserialize)]
#[serde(untagged)]
enum Resolved<'a> {
    Address(#[serde(borrow)] Cow<'a, str>),
    Flag(#[expect(dead_code, reason = "only its presence counts")] bool),
}

/// An entry of `dependencies`, version 1.
#[derive(Deserialize)]
struct Nested<'a> {
    #[serde(borrow)]
    version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    resolved: Option<Resolved<'a>>,
    #[serde(default)]
    dev: bool,
    #[serde(borrow)]
    dependencies: Option<Raw<'a>>,
}

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let Some(lock) = json::whole::<Lock<'_>>(file, &mut found) else { return found };
    if let Some(version) = lock.version.filter(|version| *version > 3) {
        found.skip(file.path, file.span(0..0), SkipReason::FormatVersion(version.to_string()));
        return found;
    }
    match (lock.packages, lock.dependencies) {
        (Some(packages), _) => flat(file, &packages, &mut found),
        (None, Some(dependencies)) => nested(file, &dependencies, 0, &mut found),
        (None, None) => {}
    }
    found
}

fn flat<'a>(file: &File<'a>, packages: &Raw<'a>, found: &mut Found) {
    let entries: Vec<(&Cow<'a, str>, &'a RawValue, Entry<'a>)> =
        packages.iter().filter_map(|(key, raw)| Some((key, *raw, json::part::<Entry<'a>>(file, raw, key, found)?))).collect();
    let direct: BTreeSet<&str> = entries
        .iter()
        .filter(|(key, ..)| !key.contains("node_modules/"))
        .flat_map(|(.., entry)| [&entry.dependencies, &entry.dev_dependencies, &entry.optional_dependencies])
        .flatten()
        .flat_map(|names| names.keys().map(AsRef::as_ref))
        .collect();
    for (key, raw, entry) in &entries {
        let folder = key.rsplit_once("node_modules/");
        // A link leads to an entry of its own.
        if entry.link {
            continue;
        }
        let span = file.span_of(raw.get());
        let name = entry.name.as_deref().or(folder.map(|(_, name)| name));
        let Some((before, _)) = folder else {
            if let Some(name) = name {
                let version = entry.version.as_deref().unwrap_or_default();
                found.packages.push(Package::new(EcosystemKind::NPM, name, version, span).from(Origin::Own).related(Relation::Direct));
            }
            continue;
        };
        let Some(name) = name else { continue };
        let is_direct = direct.contains(key.rsplit("node_modules/").next().unwrap_or_default()) && !before.contains("node_modules/");
        let address = address(entry.resolved.as_ref());
        let is_development = entry.dev || entry.dev_optional;
        push(found, name, entry.version.as_deref(), address, is_direct, is_development, span);
    }
}

fn nested<'a>(file: &File<'a>, dependencies: &Raw<'a>, depth: usize, found: &mut Found) {
    if depth > MAX_NESTING {
        found.malformed(file.path, file.span(0..0), "dependencies are nested too deep");
        return;
    }
    for (name, raw) in dependencies {
        let Some(entry) = json::part::<Nested<'a>>(file, raw, name, found) else { continue };
        let span = file.span_of(raw.get());
        // Version 1 does not tell which packages the project itself asks for; whoever stands at the top may be one.
        push(found, name, entry.version.as_deref(), address(entry.resolved.as_ref()), false, entry.dev, span);
        if depth == 0
            && let Some(package) = found.packages.last_mut()
            && package.span == span
        {
            package.relation = Relation::Unknown;
        }
        if let Some(inner) = &entry.dependencies {
            nested(file, inner, depth + 1, found);
        }
    }
}

fn address<'e>(resolved: Option<&'e Resolved<'_>>) -> Option<&'e str> {
    match resolved? {
        Resolved::Address(address) => Some(address),
        Resolved::Flag(_) => None,
    }
}

/// Pushes one package; `version` may be an address (version 1) or name another package (`npm:other@1.0.0`).
fn push(found: &mut Found, name: &str, version: Option<&str>, resolved: Option<&str>, is_direct: bool, is_development: bool, span: Span) {
    let relation = if is_direct { Relation::Direct } else { Relation::Transitive };
    let Some(version) = version.filter(|version| !version.is_empty()) else {
        found.skip(name, span, SkipReason::NoExactVersion(String::new()));
        return;
    };
    let (name, version) = version.strip_prefix("npm:").and_then(|alias| alias.rsplit_once('@')).unwrap_or((name, version));
    if version.starts_with("file:") || version.starts_with("link:") {
        found
            .packages
            .push(Package::new(EcosystemKind::NPM, name, "", span).from(Origin::Own).related(relation).for_development(is_development));
        return;
    }
    if version.contains(':') || version.contains('/') {
        found.skip(format!("{name}@{version}"), span, SkipReason::NoExactVersion(version.to_owned()));
        return;
    }
    let origin = match resolved {
        Some(address) if is_elsewhere(address) => Origin::Elsewhere(address.to_owned()),
        _ => Origin::Registry,
    };
    found
        .packages
        .push(Package::new(EcosystemKind::NPM, name, version, span).from(origin).related(relation).for_development(is_development));
}

/// Whether an address is a repository; mirrors of the registry keep its names and versions.
pub(super) fn is_elsewhere(address: &str) -> bool {
    address.starts_with("git") || address.contains("codeload.github.com") || address.starts_with("file:")
}
