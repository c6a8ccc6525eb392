//! CycloneDX in JSON.
//!
//! Source: cyclonedx.org/docs, versions 1.2 to 1.7.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lower::{Bill, Component, lower};
use crate::lockfile::{File, json};
use crate::package::{Found, SkipReason};

/// Components nest by what is inside of what; more than this is no real bill.
const MAX_NESTING: usize = 100;
/// Versions of the format that are read.
pub(super) const VERSIONS: &[&str] = &["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bom<'a> {
    #[serde(borrow)]
    spec_version: Cow<'a, str>,
    #[serde(borrow)]
    metadata: Option<Metadata<'a>>,
    #[serde(borrow)]
    components: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    dependencies: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow)]
    component: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dependency {
    #[serde(rename = "ref")]
    from: String,
    #[serde(default)]
    depends_on: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(rename = "bom-ref")]
    id: Option<String>,
    group: Option<String>,
    name: Option<String>,
    version: Option<String>,
    scope: Option<String>,
    purl: Option<String>,
    #[serde(default)]
    properties: Option<Vec<Property>>,
    #[serde(borrow)]
    components: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Property {
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: String,
}

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let Some(bom) = json::whole::<Bom<'_>>(file, &mut found) else { return found };
    if !VERSIONS.contains(&bom.spec_version.as_ref()) {
        found.skip(file.path, file.span(0..0), SkipReason::FormatVersion(bom.spec_version.into_owned()));
        return found;
    }
    let mut bill = Bill::default();
    if let Some(raw) = bom.metadata.and_then(|metadata| metadata.component) {
        component(file, raw, 0, true, &mut bill, &mut found);
    }
    for raw in bom.components.into_iter().flatten() {
        component(file, raw, 0, false, &mut bill, &mut found);
    }
    for raw in bom.dependencies.into_iter().flatten() {
        if let Some(of) = json::part::<Dependency>(file, raw, "dependencies", &mut found) {
            let from = of.from;
            bill.edges.extend(of.depends_on.into_iter().flatten().map(|to| (from.clone(), to)));
        }
    }
    lower(bill, &mut found);
    found
}

fn component<'a>(file: &File<'a>, raw: &'a RawValue, depth: usize, is_root: bool, bill: &mut Bill, found: &mut Found) {
    let span = file.span_of(raw.get());
    if depth > MAX_NESTING {
        found.malformed(file.path, span, "components are nested too deep");
        return;
    }
    let Some(read) = json::part::<Raw<'a>>(file, raw, "component", found) else { return };
    let name = read.name.unwrap_or_default();
    let id = match read.id {
        // What relations cannot name is still what the bill is about.
        None if is_root => "\0root".to_owned(),
        id => id.unwrap_or_default(),
    };
    if is_root {
        bill.roots.insert(id.clone());
    }
    let component = Component {
        id,
        kind: read.kind,
        name: match read.group {
            Some(group) if !group.is_empty() => format!("{group}/{name}"),
            _ => name,
        },
        version: read.version.unwrap_or_default(),
        purl: read.purl,
        is_development: read.scope.as_deref() == Some("excluded"),
        properties: read.properties.into_iter().flatten().map(|property| (property.name, property.value)).collect(),
    };
    bill.components.push((component, span));
    for raw in read.components.into_iter().flatten() {
        self::component(file, raw, depth + 1, false, bill, found);
    }
}
