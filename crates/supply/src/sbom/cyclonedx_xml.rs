//! CycloneDX in XML: the same as in JSON, with attributes for types and references.

use roxmltree::Node;

use super::cyclonedx::VERSIONS;
use super::lower::{Bill, Component, lower};
use crate::lockfile::{File, xml};
use crate::package::{Found, SkipReason};

const NAMESPACE: &str = "http://cyclonedx.org/schema/bom/";

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let Some(document) = xml::whole(file, &mut found) else { return found };
    let bom = document.root_element();
    let version = bom.tag_name().namespace().and_then(|namespace| namespace.strip_prefix(NAMESPACE)).unwrap_or_default();
    if !VERSIONS.contains(&version) {
        found.skip(file.path, file.span(0..0), SkipReason::FormatVersion(version.to_owned()));
        return found;
    }
    let mut bill = Bill::default();
    if let Some(root) = xml::child(bom, "metadata").and_then(|metadata| xml::child(metadata, "component")) {
        component(file, root, true, &mut bill);
    }
    components(file, bom, &mut bill);
    for dependency in xml::child(bom, "dependencies").into_iter().flat_map(|all| xml::children(all, "dependency")) {
        let Some(from) = dependency.attribute("ref") else { continue };
        let to = xml::children(dependency, "dependency").filter_map(|to| to.attribute("ref"));
        bill.edges.extend(to.map(|to| (from.to_owned(), to.to_owned())));
    }
    lower(bill, &mut found);
    found
}

/// The parser of XML bounds how deep elements nest.
fn components(file: &File<'_>, node: Node<'_, '_>, bill: &mut Bill) {
    for of in xml::child(node, "components").into_iter().flat_map(|all| xml::children(all, "component")) {
        component(file, of, false, bill);
    }
}

fn component(file: &File<'_>, node: Node<'_, '_>, is_root: bool, bill: &mut Bill) {
    let text = |name| xml::child_text(node, name).unwrap_or_default().to_owned();
    let id = node.attribute("bom-ref").unwrap_or(if is_root { "\0root" } else { "" }).to_owned();
    if is_root {
        bill.roots.insert(id.clone());
    }
    let (group, name) = (text("group"), text("name"));
    let properties = xml::child(node, "properties").into_iter().flat_map(|all| xml::children(all, "property"));
    let component = Component {
        id,
        kind: node.attribute("type").unwrap_or_default().to_owned(),
        name: if group.is_empty() { name } else { format!("{group}/{name}") },
        version: text("version"),
        purl: xml::child_text(node, "purl").map(str::to_owned),
        is_development: xml::child_text(node, "scope") == Some("excluded"),
        properties: properties
            .filter_map(|property| Some((property.attribute("name")?.to_owned(), property.text().unwrap_or_default().to_owned())))
            .collect(),
    };
    bill.components.push((component, file.span(node.range())));
    components(file, node, bill);
}
