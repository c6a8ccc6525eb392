//! SPDX 3.0 in JSON-LD, in the one shape that its specification allows: `@context` and a flat `@graph`.
//!
//! Source: spdx.github.io/spdx-spec/v3.0.1, and its JSON schema.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lower::{Bill, Component, lower};
use super::spdx2::{has_parts, property};
use crate::lockfile::{File, json};
use crate::package::Found;

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow, rename = "@graph")]
    graph: Vec<&'a RawValue>,
}

/// An element; which fields it has depends on its type.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Element {
    #[serde(rename = "type", alias = "@type", default)]
    kind: String,
    #[serde(alias = "@id", default)]
    spdx_id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(rename = "software_packageVersion")]
    version: Option<String>,
    #[serde(rename = "software_packageUrl")]
    purl: Option<String>,
    #[serde(rename = "software_primaryPurpose")]
    purpose: Option<String>,
    external_identifier: Option<Vec<Identifier>>,
    root_element: Option<Vec<String>>,
    from: Option<String>,
    to: Option<Vec<String>>,
    relationship_type: Option<String>,
    scope: Option<String>,
    subject: Option<String>,
    statement: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identifier {
    #[serde(default)]
    external_identifier_type: String,
    #[serde(default)]
    identifier: String,
}

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let Some(document) = json::whole::<Document<'_>>(file, &mut found) else { return found };
    let mut bill = Bill::default();
    let mut sboms: Vec<String> = Vec::new();
    let mut statements: Vec<(String, String)> = Vec::new();
    for raw in document.graph {
        let Some(element) = json::part::<Element>(file, raw, "element", &mut found) else { continue };
        match element.kind.as_str() {
            "software_Package" => {
                let identifiers = element.external_identifier.unwrap_or_default();
                let named = |of: &Identifier| matches!(of.external_identifier_type.as_str(), "packageUrl" | "packageURL" | "purl");
                let purl = element.purl.or_else(|| identifiers.into_iter().find(named).map(|of| of.identifier));
                let component = Component {
                    id: element.spdx_id,
                    kind: match element.purpose.as_deref() {
                        Some("operatingSystem") => "operating-system".to_owned(),
                        purpose => purpose.unwrap_or_default().to_owned(),
                    },
                    name: element.name.unwrap_or_default(),
                    version: element.version.unwrap_or_default(),
                    purl,
                    ..Component::default()
                };
                bill.components.push((component, file.span_of(raw.get())));
            }
            // A document is about its bill, and the bill is about its packages.
            "software_Sbom" | "SpdxDocument" => sboms.extend(element.root_element.unwrap_or_default()),
            "Relationship" | "LifecycleScopedRelationship" => {
                let (Some(from), Some(kind)) = (element.from, element.relationship_type) else { continue };
                if !matches!(kind.as_str(), "dependsOn" | "contains") {
                    continue;
                }
                for to in element.to.unwrap_or_default() {
                    if matches!(element.scope.as_deref(), Some("development" | "test" | "build")) {
                        bill.development.insert(to.clone());
                    }
                    bill.edges.push((from.clone(), to));
                }
            }
            "Annotation" => statements.extend(element.subject.zip(element.statement)),
            _ => {}
        }
    }
    for (subject, statement) in statements {
        for (component, _) in bill.components.iter_mut().filter(|(component, _)| component.id == subject) {
            component.properties.extend(property(&statement));
        }
    }
    let described: Vec<String> = sboms.into_iter().filter(|id| bill.components.iter().any(|(component, _)| component.id == *id)).collect();
    if has_parts(&bill.components) && described.windows(2).all(|pair| pair.first() == pair.last()) {
        bill.roots.extend(described);
    }
    lower(bill, &mut found);
    found
}
