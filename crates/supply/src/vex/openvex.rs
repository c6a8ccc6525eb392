//! OpenVEX 0.0.1 to 0.2.0.
//!
//! Source: openvex.dev/ns/v0.2.0 and its schema.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Judgement, Product, Statement, Status, by_flaw, product_url};
use crate::lockfile::{File, json};
use crate::matching::Matches;
use crate::package::{Found, Package};
use crate::purl::package_url;

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(default)]
    timestamp: String,
    #[serde(default)]
    last_updated: String,
    #[serde(borrow)]
    statements: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Raw {
    vulnerability: Flaw,
    #[serde(default)]
    products: Vec<Thing>,
    #[serde(default)]
    subcomponents: Vec<Thing>,
    status: String,
    justification: Option<String>,
    impact_statement: Option<String>,
    action_statement: Option<String>,
    status_notes: Option<String>,
    timestamp: Option<String>,
    last_updated: Option<String>,
}

/// Early versions write the name alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Flaw {
    Name(String),
    Object {
        #[serde(default)]
        name: String,
        #[serde(rename = "@id", default)]
        id: String,
        #[serde(default)]
        aliases: Vec<String>,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Thing {
    Name(String),
    Object {
        #[serde(rename = "@id", default)]
        id: String,
        #[serde(default)]
        identifiers: BTreeMap<String, String>,
        #[serde(default)]
        subcomponents: Vec<Thing>,
    },
}

impl Thing {
    fn url(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Object { id, identifiers, .. } => identifiers.get("purl").unwrap_or(id),
        }
    }
}

pub(super) fn read(file: &File<'_>, out: &mut Vec<Statement>, found: &mut Found) {
    let Some(document) = json::whole::<Document<'_>>(file, found) else { return };
    for raw in document.statements {
        let span = file.span_of(raw.get());
        let Some(read) = json::part::<Raw>(file, raw, "statement", found) else { continue };
        let Some(status) = Status::of(&read.status) else {
            found.malformed("statement", span, format!("`{}` is no status of OpenVEX", read.status));
            continue;
        };
        let names = match read.vulnerability {
            Flaw::Name(name) => BTreeSet::from([name]),
            Flaw::Object { name, id, aliases } => {
                // The id is an address most often, whose end is a name.
                let last = id.rsplit('/').next().unwrap_or_default().to_owned();
                aliases.into_iter().chain([name, last]).filter(|name| !name.is_empty()).collect()
            }
        };
        let mut urls = |things: &[Thing]| things.iter().filter_map(|thing| product_url(thing.url(), file, span, found)).collect::<Vec<_>>();
        let shared = urls(&read.subcomponents);
        let mut products = Vec::new();
        for thing in &read.products {
            let mut subcomponents = shared.clone();
            let mut n_named = read.subcomponents.len();
            if let Thing::Object { subcomponents: own, .. } = thing {
                subcomponents.extend(urls(own));
                n_named += own.len();
            }
            // A statement about parts that nobody knows must not become one about the whole.
            if n_named > 0 && subcomponents.is_empty() {
                continue;
            }
            products.extend(urls(std::slice::from_ref(thing)).into_iter().map(|url| Product { url, subcomponents: subcomponents.clone() }));
        }
        let times = [read.last_updated, read.timestamp, Some(document.last_updated.clone()), Some(document.timestamp.clone())];
        let notes = [read.impact_statement, read.action_statement, read.status_notes];
        let judgement = Judgement {
            status,
            justification: read.justification,
            note: notes.into_iter().flatten().find(|note| !note.trim().is_empty()).unwrap_or_default(),
            timestamp: times.into_iter().flatten().find(|time| !time.is_empty()).unwrap_or_default(),
            span,
        };
        out.push(Statement { names, products, judgement });
    }
}

/// A document of all vulnerabilities, to be edited by people who look: what nobody judged yet is under investigation.
///
/// `timestamp` is RFC 3339; the id is made from the content, so the same scan gives the same bytes.
pub fn document(packages: &[Package], matches: &Matches, timestamp: &str) -> Value {
    let mut statements = Vec::new();
    for (names, flaws) in by_flaw(matches) {
        let mut by_judgement: Vec<(Option<&Judgement>, BTreeSet<String>, BTreeSet<&str>)> = Vec::new();
        for flaw in &flaws {
            let Some(url) = packages.get(flaw.package).and_then(package_url) else { continue };
            let judgement = flaw.judgement.as_ref();
            let said = |of: Option<&Judgement>| of.map(|of| (of.status, of.justification.clone(), of.note.clone()));
            let place = by_judgement.iter().position(|(known, ..)| said(*known) == said(judgement)).unwrap_or_else(|| {
                by_judgement.push((judgement, BTreeSet::new(), BTreeSet::new()));
                by_judgement.len() - 1
            });
            if let Some((_, urls, fixed)) = by_judgement.get_mut(place) {
                urls.insert(url.to_string());
                fixed.extend(flaw.fixed.as_deref());
            }
        }
        let Some(flaw) = flaws.first() else { continue };
        for (judgement, urls, fixed) in by_judgement {
            let status = judgement.map_or(Status::UnderInvestigation, |judgement| judgement.status);
            let mut statement = json!({
                "vulnerability": {"name": flaw.name(), "description": flaw.summary(), "aliases": names.iter().filter(|name| *name != flaw.name()).collect::<Vec<_>>()},
                "products": urls.iter().map(|url| json!({"@id": url, "identifiers": {"purl": url}})).collect::<Vec<_>>(),
                "status": status.id(),
            });
            let Some(fields) = statement.as_object_mut() else { continue };
            let note = judgement.map(|judgement| judgement.note.as_str()).filter(|note| !note.is_empty());
            let mends = || {
                let fixed: Vec<&str> = fixed.iter().copied().collect();
                if fixed.is_empty() { "no version mends it".to_owned() } else { format!("mended in {}", fixed.join(", ")) }
            };
            match status {
                // The schema wants a reason of its own list, or words.
                Status::NotAffected => {
                    let justification = judgement.and_then(|judgement| judgement.justification.as_deref());
                    if let Some(justification) = justification.map(openvex_justification) {
                        fields.insert("justification".to_owned(), json!(justification));
                    }
                    if note.is_some() || justification.is_none() {
                        fields.insert("impact_statement".to_owned(), json!(note.unwrap_or("no reason was given")));
                    }
                }
                Status::Affected => {
                    fields.insert("action_statement".to_owned(), json!(note.map_or_else(mends, str::to_owned)));
                }
                Status::Fixed => {
                    note.map(|note| fields.insert("status_notes".to_owned(), json!(note)));
                }
                Status::UnderInvestigation => {
                    fields.insert("status_notes".to_owned(), json!(note.map_or_else(mends, str::to_owned)));
                }
            }
            if let Some(time) = judgement.map(|judgement| &judgement.timestamp).filter(|time| !time.is_empty()) {
                fields.insert("timestamp".to_owned(), json!(time));
            }
            statements.push(statement);
        }
    }
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, Value::from(statements.clone()).to_string().as_bytes());
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": format!("https://openvex.dev/docs/public/vex-{id}"),
        "author": "unknown",
        "timestamp": timestamp,
        "version": 1,
        "tooling": format!("bartizan {}", env!("CARGO_PKG_VERSION")),
        "statements": statements,
    })
}

/// CycloneDX has more reasons than OpenVEX; these are the ones that say the same, or the least that is true.
fn openvex_justification(text: &str) -> &str {
    match text {
        "code_not_present" => "vulnerable_code_not_present",
        "requires_dependency" => "component_not_present",
        "code_not_reachable" | "requires_configuration" | "requires_environment" => "vulnerable_code_not_in_execute_path",
        "protected_by_compiler" | "protected_at_runtime" | "protected_at_perimeter" | "protected_by_mitigating_control" => {
            "inline_mitigations_already_exist"
        }
        text => text,
    }
}
