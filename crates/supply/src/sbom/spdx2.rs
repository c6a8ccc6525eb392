//! SPDX 2.2 and 2.3 in JSON.
//!
//! Source: spdx.github.io/spdx-spec/v2.3.

use std::borrow::Cow;

use bartizan_model::Span;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::lower::{Bill, Component, lower};
use crate::lockfile::{File, json};
use crate::package::{Found, SkipReason};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(borrow)]
    spdx_version: Cow<'a, str>,
    #[serde(borrow)]
    packages: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    relationships: Option<Vec<&'a RawValue>>,
    document_describes: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    #[serde(rename = "SPDXID", default)]
    id: String,
    #[serde(default)]
    name: String,
    version_info: Option<String>,
    primary_package_purpose: Option<String>,
    external_refs: Option<Vec<Reference>>,
    annotations: Option<Vec<Annotation>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    #[serde(default)]
    reference_type: String,
    #[serde(default)]
    reference_locator: String,
}

#[derive(Deserialize)]
struct Annotation {
    #[serde(default)]
    comment: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: String,
    relationship_type: String,
    related_spdx_element: String,
}

pub(super) fn read(file: &File<'_>) -> Found {
    let mut found = Found::default();
    let Some(document) = json::whole::<Document<'_>>(file, &mut found) else { return found };
    if !is_known(&document.spdx_version) {
        found.skip(file.path, file.span(0..0), SkipReason::FormatVersion(document.spdx_version.into_owned()));
        return found;
    }
    let mut spdx = Spdx { described: document.document_describes.unwrap_or_default(), ..Spdx::default() };
    for raw in document.packages.into_iter().flatten() {
        let Some(package) = json::part::<Package>(file, raw, "package", &mut found) else { continue };
        let references = package.external_refs.unwrap_or_default();
        let component = Component {
            id: package.id,
            kind: package.primary_package_purpose.unwrap_or_default().to_lowercase(),
            name: package.name,
            version: package.version_info.unwrap_or_default(),
            purl: references.into_iter().find(|reference| is_purl(&reference.reference_type)).map(|reference| reference.reference_locator),
            is_development: false,
            properties: package.annotations.into_iter().flatten().filter_map(|annotation| property(&annotation.comment)).collect(),
        };
        spdx.components.push((component, file.span_of(raw.get())));
    }
    for raw in document.relationships.into_iter().flatten() {
        if let Some(of) = json::part::<Relationship>(file, raw, "relationship", &mut found) {
            spdx.relate(&of.spdx_element_id, &of.relationship_type, &of.related_spdx_element);
        }
    }
    lower(spdx.bill(), &mut found);
    found
}

pub(super) fn is_known(version: &str) -> bool {
    matches!(version, "SPDX-2.1" | "SPDX-2.2" | "SPDX-2.3")
}

/// A reference's type, alone or as the page that defines it.
pub(super) fn is_purl(kind: &str) -> bool {
    kind == "purl" || kind.ends_with("/purl")
}

/// Our annotations are `name=value`, Trivy's `name: value`.
pub(super) fn property(comment: &str) -> Option<(String, String)> {
    let (name, value) = if comment.starts_with("bartizan:") {
        comment.split_once('=')?
    } else {
        comment.split_once(": ").filter(|(name, _)| !name.contains(' '))?
    };
    let name = if name.contains(':') { name.to_owned() } else { format!("aquasecurity:trivy:{name}") };
    Some((name, value.to_owned()))
}

/// Whether a document that is about one package says more than which package that is.
pub(super) fn has_parts(components: &[(Component, Span)]) -> bool {
    components.len() != 1 || components.iter().all(|(component, _)| component.purl.is_none())
}

/// Packages and relations of SPDX 2, in whatever syntax they came.
#[derive(Default)]
pub(super) struct Spdx {
    pub(super) components: Vec<(Component, Span)>,
    pub(super) described: Vec<String>,
    edges: Vec<(String, String)>,
    development: Vec<String>,
}

impl Spdx {
    /// Source: SPDX 2.3, table 68.
    pub(super) fn relate(&mut self, from: &str, kind: &str, to: &str) {
        let edge = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        match kind {
            "DESCRIBES" => self.described.push(to.to_owned()),
            "DESCRIBED_BY" => self.described.push(from.to_owned()),
            "DEPENDS_ON" | "CONTAINS" => self.edges.push(edge(from, to)),
            "DEPENDENCY_OF" | "RUNTIME_DEPENDENCY_OF" | "OPTIONAL_DEPENDENCY_OF" | "PROVIDED_DEPENDENCY_OF" | "CONTAINED_BY" => {
                self.edges.push(edge(to, from));
            }
            "DEV_DEPENDENCY_OF" | "TEST_DEPENDENCY_OF" | "BUILD_DEPENDENCY_OF" | "DEV_TOOL_OF" | "TEST_TOOL_OF" | "BUILD_TOOL_OF" => {
                self.edges.push(edge(to, from));
                self.development.push(from.to_owned());
            }
            _ => {}
        }
    }

    /// One described package among several is what the document is about; a document that describes all of them is a list.
    pub(super) fn bill(mut self) -> Bill {
        self.described.sort();
        self.described.dedup();
        let is_about_one = self.described.len() == 1 && has_parts(&self.components);
        Bill {
            components: self.components,
            roots: if is_about_one { self.described.into_iter().collect() } else { Default::default() },
            edges: self.edges,
            development: self.development.into_iter().collect(),
        }
    }
}
