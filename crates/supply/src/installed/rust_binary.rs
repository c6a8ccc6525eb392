//! The crates of a Rust binary that was built with cargo-auditable.
//!
//! Source: cargo-auditable's `PARSING.md` and its JSON schema.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::ecosystem::EcosystemKind;
use crate::lockfile::{File, json};
use crate::package::{Found, Origin, Package, Relation};

#[derive(Deserialize)]
struct Audit<'a> {
    #[serde(borrow)]
    packages: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(default)]
    root: bool,
}

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let Some(audit) = json::whole::<Audit<'_>>(file, &mut found) else { return found };
    for raw in audit.packages {
        let Some(entry) = json::part::<Entry<'_>>(file, raw, "a package", &mut found) else { continue };
        let Some(name) = json::part::<Cow<'_, str>>(file, entry.name, "a name", &mut found) else { continue };
        let origin = match &*entry.source {
            "crates.io" => Origin::Registry,
            "local" => Origin::Own,
            source => Origin::Elsewhere(source.to_owned()),
        };
        let relation = if entry.root { Relation::Direct } else { Relation::Unknown };
        let package = Package::new(EcosystemKind::CRATES, name, entry.version, file.span_of(entry.name.get()));
        // What only ran during the build is not in the binary.
        let is_development = entry.kind.is_some_and(|kind| kind == "build");
        found.packages.push(package.from(origin).related(relation).for_development(is_development));
    }
    found
}
