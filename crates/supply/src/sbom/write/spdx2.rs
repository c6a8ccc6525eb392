//! SPDX 2.3 in JSON. Vulnerabilities are references of their package, for the standard has no place for more.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Component, Components, Content, NO_TIME, TOOL};
use crate::package::Origin;
use crate::sbom::marks;

const ROOT: &str = "SPDXRef-Root";

/// Writes a document.
pub fn document(content: &Content<'_>) -> Value {
    let components = Components::new(content);
    let created = content.timestamp.unwrap_or(NO_TIME);
    let tool = format!("Tool: {TOOL}-{}", env!("CARGO_PKG_VERSION"));
    let mut pages: Vec<BTreeSet<(String, String)>> = vec![BTreeSet::new(); components.all.len()];
    for flaw in &content.matches.vulnerabilities {
        let Some(pages) = components.of_package.get(flaw.package).and_then(|index| pages.get_mut(*index)) else { continue };
        // A locator is an address without blanks.
        let page =
            flaw.advisories.iter().flat_map(|advisory| &advisory.references).find(|page| page.contains("://") && !page.contains(' '));
        pages.extend(page.map(|page| (flaw.name().to_owned(), page.clone())));
    }
    let mut packages = vec![json!({
        "SPDXID": ROOT, "name": content.name, "downloadLocation": "NOASSERTION", "filesAnalyzed": false, "primaryPackagePurpose": "APPLICATION",
    })];
    let mut relationships = vec![relationship("SPDXRef-DOCUMENT", "DESCRIBES", ROOT)];
    for (component, pages) in components.all.iter().zip(&pages) {
        packages.push(package(component, pages, created, &tool));
        let id = spdx_id(component);
        let relation = if component.package.origin == Origin::Own { "CONTAINS" } else { "DEPENDS_ON" };
        relationships.push(if component.package.is_development {
            relationship(&id, "DEV_DEPENDENCY_OF", ROOT)
        } else {
            relationship(ROOT, relation, &id)
        });
    }
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, Value::from(packages.clone()).to_string().as_bytes());
    json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": content.name,
        "documentNamespace": format!("urn:uuid:{id}"),
        "creationInfo": {"created": created, "creators": [tool]},
        "packages": packages,
        "relationships": relationships,
    })
}

fn relationship(from: &str, kind: &str, to: &str) -> Value {
    json!({"spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to})
}

/// Letters, digits, `.` and `-`, and a number made from the whole id, which tells apart what these leave alike.
fn spdx_id(component: &Component<'_>) -> String {
    let package = &component.package;
    let plain: String = format!("{}-{}", package.name, package.version)
        .chars()
        .map(|of| if of.is_ascii_alphanumeric() || of == '.' { of } else { '-' })
        .collect();
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, component.id.as_bytes());
    format!("SPDXRef-{plain}-{}", id.simple())
}

fn package(of: &Component<'_>, pages: &BTreeSet<(String, String)>, created: &str, tool: &str) -> Value {
    let package = &of.package;
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    put("SPDXID", json!(spdx_id(of)));
    put("name", json!(package.name));
    if !package.version.is_empty() {
        put("versionInfo", json!(package.version));
    }
    put("downloadLocation", json!("NOASSERTION"));
    put("filesAnalyzed", json!(false));
    put("primaryPackagePurpose", json!(if package.origin == Origin::Own { "APPLICATION" } else { "LIBRARY" }));
    let places: Vec<String> = of.places.iter().map(|(file, line)| format!("{file}:{line}")).collect();
    put("sourceInfo", json!(format!("read from {}", places.join(", "))));
    let mut references = Vec::new();
    if let Some(url) = &of.url {
        references.push(json!({"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": url}));
    }
    let advisory = |(name, page): &(String, String)| json!({"referenceCategory": "SECURITY", "referenceType": "advisory", "referenceLocator": page, "comment": name});
    references.extend(pages.iter().map(advisory));
    put("externalRefs", references.into());
    let annotation = |(name, value): &(&str, String)| json!({"annotationDate": created, "annotationType": "OTHER", "annotator": tool, "comment": format!("{name}={value}")});
    put("annotations", marks::of(package).iter().map(annotation).collect());
    fields.into()
}
