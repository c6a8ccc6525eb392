//! `Cargo.lock`, versions 1 to 4.

use std::collections::BTreeSet;

use bartizan_model::Span;
use serde::Deserialize;
use toml::Spanned;

use super::{File, toml_text};
use crate::ecosystem::EcosystemKind;
use crate::package::{Found, Origin, Package, Relation, SkipReason};

#[derive(Deserialize)]
struct Lock {
    version: Option<u32>,
    #[serde(default)]
    package: Vec<Locked>,
    /// Version 1 kept the root package apart.
    root: Option<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: Spanned<String>,
    version: String,
    source: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let Some(lock) = toml_text::whole::<Lock>(file, &mut found) else { return found };
    if let Some(version) = lock.version.filter(|version| *version > 4) {
        found.skip(file.path, file.span(0..0), SkipReason::FormatVersion(version.to_string()));
        return found;
    }
    let packages: Vec<&Locked> = lock.root.iter().chain(&lock.package).collect();
    // A dependency is `name`, `name version` or `name version (source)`, as much as is needed to tell it.
    let direct: BTreeSet<(&str, Option<&str>)> = packages
        .iter()
        .filter(|package| package.source.is_none())
        .flat_map(|package| &package.dependencies)
        .map(|dependency| {
            let mut words = dependency.split(' ');
            (words.next().unwrap_or_default(), words.next())
        })
        .collect();
    for package in packages {
        let name = package.name.get_ref();
        let origin = match package.source.as_deref() {
            None => Origin::Own,
            Some("registry+https://github.com/rust-lang/crates.io-index" | "sparse+https://index.crates.io/") => Origin::Registry,
            Some(source) => Origin::Elsewhere(source.to_owned()),
        };
        let is_direct = direct.contains(&(name.as_str(), None)) || direct.contains(&(name.as_str(), Some(package.version.as_str())));
        let span: Span = file.span(package.name.span());
        let relation = if is_direct { Relation::Direct } else { Relation::Transitive };
        found.packages.push(Package::new(EcosystemKind::CRATES, name, &package.version, span).from(origin).related(relation));
    }
    found
}
