//! NuGet: `packages.lock.json`, `packages.config`, and the versions that a project file asks for where nothing is locked.

use std::borrow::Cow;
use std::collections::BTreeMap;

use indexmap::IndexMap;
use roxmltree::{Document, Node};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{File, json, xml};
use crate::ecosystem::EcosystemKind;
use crate::package::{Found, Origin, Package, Relation, SkipReason};

#[derive(Deserialize)]
struct Lock<'a> {
    version: Option<u32>,
    #[serde(borrow, default)]
    dependencies: IndexMap<Cow<'a, str>, IndexMap<Cow<'a, str>, &'a RawValue>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    resolved: Option<Cow<'a, str>>,
}

pub(super) fn read_lock(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let Some(lock) = json::whole::<Lock<'_>>(file, &mut found) else { return found };
    if let Some(version) = lock.version.filter(|version| *version > 2) {
        found.skip(file.path, file.span(0..0), SkipReason::FormatVersion(version.to_string()));
        return found;
    }
    for (name, raw) in lock.dependencies.values().flatten() {
        let Some(entry) = json::part::<Entry<'_>>(file, raw, name, &mut found) else { continue };
        let span = file.span_of(raw.get());
        let package = match (entry.kind.as_ref(), entry.resolved) {
            ("Project", _) => Package::new(EcosystemKind::NUGET, name.as_ref(), "", span).from(Origin::Own),
            (_, None) => {
                found.skip(name.as_ref(), span, SkipReason::NoExactVersion(String::new()));
                continue;
            }
            (kind, Some(version)) => {
                let relation = if kind == "Direct" { Relation::Direct } else { Relation::Transitive };
                Package::new(EcosystemKind::NUGET, name.as_ref(), version, span).related(relation)
            }
        };
        found.packages.push(package);
    }
    found
}

pub(super) fn read_packages_config(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let Some(document) = xml::whole(file, &mut found) else { return found };
    for node in document.descendants().filter(|node| node.tag_name().name() == "package") {
        let span = place(file, node);
        let (Some(name), Some(version)) = (node.attribute("id"), node.attribute("version")) else {
            found.malformed("a package", span, "a package without `id` or `version`");
            continue;
        };
        let is_development = node.attribute("developmentDependency") == Some("true");
        found.packages.push(Package::new(EcosystemKind::NUGET, name, version, span).for_development(is_development));
    }
    found
}

/// Reads the references of a project file, unless a lock file beside it says more.
pub(super) fn read_project(file: &File<'_>) -> Found {
    let mut found = Found::default();
    if file.read_beside("packages.lock.json").is_some() {
        return found;
    }
    let Some(document) = xml::whole(file, &mut found) else { return found };
    let mut properties = BTreeMap::new();
    let mut central = BTreeMap::new();
    add_properties(document.root_element(), &mut properties);
    // Versions kept in one place for a tree of projects; the nearest file holds.
    for folder in ["", "../", "../../", "../../../"] {
        for name in ["Directory.Packages.props", "Directory.Build.props"] {
            let Some((_, text)) = file.read_beside(&format!("{folder}{name}")) else { continue };
            let Ok(document) = Document::parse(&text) else { continue };
            add_properties(document.root_element(), &mut properties);
            for node in document.descendants().filter(|node| node.tag_name().name() == "PackageVersion") {
                if let (Some(name), Some(version)) = (node.attribute("Include"), value(node, "Version")) {
                    central.entry(name.to_lowercase()).or_insert_with(|| version.to_owned());
                }
            }
        }
    }
    for node in document.descendants().filter(|node| node.tag_name().name() == "PackageReference") {
        // `Update` changes a reference that stands elsewhere.
        let Some(name) = node.attribute("Include") else { continue };
        let span = place(file, node);
        let declared = value(node, "Version").or_else(|| value(node, "VersionOverride"));
        let Some(text) = declared.or_else(|| central.get(&name.to_lowercase()).map(String::as_str)) else {
            found.skip(name, span, SkipReason::Unresolved("the version".to_owned()));
            continue;
        };
        let Some(version) = expand(text, &properties) else {
            found.skip(name, span, SkipReason::Unresolved(text.to_owned()));
            continue;
        };
        let exact = version.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&version);
        if exact.contains(['*', ',', '[', ']', '(', ')']) || exact.is_empty() {
            found.skip(name, span, SkipReason::NoExactVersion(version));
            continue;
        }
        let is_development = value(node, "PrivateAssets").is_some_and(|assets| assets.eq_ignore_ascii_case("all"));
        let package = Package::new(EcosystemKind::NUGET, name, exact, span).related(Relation::Direct);
        found.packages.push(package.for_development(is_development));
    }
    found
}

fn place(file: &File<'_>, node: Node<'_, '_>) -> bartizan_model::Span {
    file.span(node.range().start..node.range().start + 1)
}

/// An attribute, or the child that says the same.
fn value<'a>(node: Node<'a, '_>, name: &'static str) -> Option<&'a str> {
    node.attribute(name).or_else(|| xml::child_text(node, name))
}

fn add_properties(root: Node<'_, '_>, properties: &mut BTreeMap<String, String>) {
    for property in xml::children(root, "PropertyGroup").flat_map(|group| group.children().filter(Node::is_element)) {
        let value = property.text().map(str::trim).unwrap_or_default().to_owned();
        properties.entry(property.tag_name().name().to_lowercase()).or_insert(value);
    }
}

/// A text with its `$(…)` replaced; `None` where one of them is not known.
fn expand(text: &str, properties: &BTreeMap<String, String>) -> Option<String> {
    let mut text = text.trim().to_owned();
    for _ in 0..16 {
        let Some(start) = text.find("$(") else { return Some(text) };
        let end = start + text.get(start..)?.find(')')?;
        let value = properties.get(&text.get(start + 2..end)?.to_lowercase())?.clone();
        text.replace_range(start..=end, &value);
    }
    None
}
