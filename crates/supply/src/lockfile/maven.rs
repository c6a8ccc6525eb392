//! Maven's `pom.xml`: the versions that are declared.
//!
//! Properties and parents are followed inside the tree; what a remote parent or an imported list settles is skipped, and what dependencies bring
//! along is not in the file at all.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use super::{File, xml};
use crate::ecosystem::EcosystemKind;
use crate::package::{Found, Origin, Package, Relation, SkipReason};

/// Parents of parents; more is a loop.
const MAX_PARENTS: usize = 16;
/// Properties inside properties.
const MAX_EXPANSIONS: usize = 32;

/// What a file and its parents say.
#[derive(Default)]
struct Settled {
    properties: BTreeMap<String, String>,
    /// Managed versions by `group:artifact`.
    managed: BTreeMap<String, String>,
}

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let Some(document) = xml::whole(file, &mut found) else { return found };
    let project = document.root_element();
    let mut settled = Settled::default();
    collect(file, project, &mut settled, 0);
    let span = |node: Node<'_, '_>| file.span(node.range().start..node.range().start + 1);

    let parent = xml::child(project, "parent");
    let inherited = |name| xml::child_text(project, name).or_else(|| parent.and_then(|parent| xml::child_text(parent, name)));
    if let (Some(group), Some(artifact)) = (inherited("groupId"), xml::child_text(project, "artifactId")) {
        let version = inherited("version").and_then(|version| expand(version, &settled)).unwrap_or_default();
        let at = xml::child(project, "artifactId").unwrap_or(project);
        found.packages.push(Package::new(EcosystemKind::MAVEN, format!("{group}:{artifact}"), version, span(at)).from(Origin::Own));
    }
    let mut lists: Vec<Node<'_, '_>> = xml::children(project, "dependencies").collect();
    for profile in xml::children(project, "profiles").flat_map(|profiles| xml::children(profiles, "profile")) {
        lists.extend(xml::children(profile, "dependencies"));
    }
    for dependency in lists.into_iter().flat_map(|list| xml::children(list, "dependency")) {
        let (Some(group), Some(artifact)) = (xml::child_text(dependency, "groupId"), xml::child_text(dependency, "artifactId")) else {
            found.malformed("a dependency", span(dependency), "a dependency without `groupId` or `artifactId`");
            continue;
        };
        let name = format!("{}:{}", expand(group, &settled).unwrap_or_default(), expand(artifact, &settled).unwrap_or_default());
        let scope = xml::child_text(dependency, "scope").unwrap_or("compile");
        let declared = xml::child_text(dependency, "version");
        let Some(text) = declared.or_else(|| settled.managed.get(&name).map(String::as_str)) else {
            found.skip(name, span(dependency), SkipReason::Unresolved("the version".to_owned()));
            continue;
        };
        let Some(version) = expand(text, &settled) else {
            found.skip(name, span(dependency), SkipReason::Unresolved(text.to_owned()));
            continue;
        };
        // `[1.0]` is exactly 1.0; other brackets are ranges.
        let exact = version.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).filter(|inner| !inner.contains(','));
        if exact.is_none() && version.contains(['[', '(', ',']) || matches!(version.as_str(), "LATEST" | "RELEASE") {
            found.skip(name, span(dependency), SkipReason::NoExactVersion(version));
            continue;
        }
        let version = exact.unwrap_or(&version);
        let at = xml::child(dependency, "artifactId").unwrap_or(dependency);
        let package = Package::new(EcosystemKind::MAVEN, name, version, span(at)).related(Relation::Direct);
        found.packages.push(package.for_development(scope == "test"));
    }
    found
}

/// Adds what a project and the parents of it in the tree say; the nearer one wins.
fn collect(file: &File<'_>, project: Node<'_, '_>, settled: &mut Settled, depth: usize) {
    let mut set = |name: String, value: &str| {
        settled.properties.entry(name).or_insert_with(|| value.to_owned());
    };
    for property in xml::children(project, "properties").flat_map(|properties| properties.children().filter(Node::is_element)) {
        set(property.tag_name().name().to_owned(), property.text().map(str::trim).unwrap_or_default());
    }
    let parent = xml::child(project, "parent");
    for name in ["groupId", "version", "artifactId"] {
        if let Some(value) = xml::child_text(project, name).or_else(|| parent.and_then(|parent| xml::child_text(parent, name))) {
            set(format!("project.{name}"), value);
            set(format!("pom.{name}"), value);
        }
        if let Some(value) = parent.and_then(|parent| xml::child_text(parent, name)) {
            set(format!("project.parent.{name}"), value);
        }
    }
    let managed = xml::children(project, "dependencyManagement").flat_map(|list| xml::children(list, "dependencies"));
    for dependency in managed.flat_map(|list| xml::children(list, "dependency")) {
        let (group, artifact) = (xml::child_text(dependency, "groupId"), xml::child_text(dependency, "artifactId"));
        let (Some(group), Some(artifact), Some(version)) = (group, artifact, xml::child_text(dependency, "version")) else { continue };
        if xml::child_text(dependency, "scope") != Some("import") {
            let name = format!("{}:{}", expand(group, settled).unwrap_or_default(), expand(artifact, settled).unwrap_or_default());
            settled.managed.entry(name).or_insert_with(|| version.to_owned());
        }
    }
    let Some(parent) = parent.filter(|_| depth < MAX_PARENTS) else { return };
    let relative = xml::child(parent, "relativePath").map_or("../pom.xml", |path| path.text().map(str::trim).unwrap_or_default());
    let relative = if relative.ends_with(".xml") || relative.is_empty() { relative.to_owned() } else { format!("{relative}/pom.xml") };
    let Some(path) = file.beside(&relative).filter(|_| !relative.is_empty()) else { return };
    let Some((id, text)) = (file.other)(&path) else { return };
    let Ok(document) = Document::parse(&text) else { return };
    let root = document.root_element();
    // A folder above may hold another project, whose properties are none of ours.
    if xml::child_text(root, "artifactId") == xml::child_text(parent, "artifactId") {
        collect(&File { id, path: &path, text: &text, other: file.other }, root, settled, depth + 1);
    }
}

/// A text with its `${…}` replaced; `None` where one of them is not known.
fn expand(text: &str, settled: &Settled) -> Option<String> {
    let mut text = text.to_owned();
    for _ in 0..MAX_EXPANSIONS {
        let Some(start) = text.find("${") else { return Some(text) };
        let end = start + text.get(start..)?.find('}')?;
        let value = settled.properties.get(text.get(start + 2..end)?)?.clone();
        text.replace_range(start..=end, &value);
        if text.len() > 10_000 {
            return None;
        }
    }
    None
}
