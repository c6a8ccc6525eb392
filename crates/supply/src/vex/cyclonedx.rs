//! `vulnerabilities` of CycloneDX 1.4 and later whose `analysis` says what people think.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Judgement, Product, Statement, Status, product_url};
use crate::lockfile::{File, json};
use crate::package::Found;

#[derive(Deserialize)]
struct Bom<'a> {
    metadata: Option<Metadata>,
    #[serde(default)]
    components: Vec<Component>,
    #[serde(borrow, default)]
    vulnerabilities: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Metadata {
    timestamp: Option<String>,
    component: Option<Component>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "bom-ref")]
    id: Option<String>,
    purl: Option<String>,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    id: String,
    #[serde(default)]
    references: Vec<Reference>,
    updated: Option<String>,
    analysis: Option<Analysis>,
    #[serde(default)]
    affects: Vec<Target>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(default)]
    id: String,
}

#[derive(Deserialize)]
struct Analysis {
    state: Option<String>,
    justification: Option<String>,
    detail: Option<String>,
    #[serde(rename = "firstIssued")]
    first_issued: Option<String>,
    #[serde(rename = "lastUpdated")]
    last_updated: Option<String>,
}

#[derive(Deserialize)]
struct Target {
    #[serde(rename = "ref", default)]
    id: String,
}

pub(super) fn read(file: &File<'_>, out: &mut Vec<Statement>, found: &mut Found) {
    let Some(bom) = json::whole::<Bom<'_>>(file, found) else { return };
    let (timestamp, root) = bom.metadata.map_or((None, None), |metadata| (metadata.timestamp, metadata.component));
    let mut urls = BTreeMap::new();
    collect(&bom.components, &mut urls);
    collect(root.as_slice(), &mut urls);
    for raw in bom.vulnerabilities {
        let span = file.span_of(raw.get());
        let Some(read) = json::part::<Raw>(file, raw, "vulnerability", found) else { continue };
        let Some(analysis) = read.analysis else { continue };
        let Some(status) = analysis.state.as_deref().and_then(status) else {
            if let Some(state) = analysis.state {
                found.malformed(&read.id, span, format!("`{state}` is no state of an analysis"));
            }
            continue;
        };
        let mut products = Vec::new();
        for target in &read.affects {
            // A link to another bill ends in what that bill calls the component, which most tools call by its package URL.
            let local = target.id.rsplit_once('#').filter(|_| target.id.starts_with("urn:cdx:")).map_or(target.id.as_str(), |(_, id)| id);
            let text = urls.get(target.id.as_str()).or_else(|| urls.get(local)).map_or_else(|| decoded(local), |url| (*url).to_owned());
            products.extend(product_url(&text, file, span, found).map(|url| Product { url, subcomponents: Vec::new() }));
        }
        let names: BTreeSet<String> =
            read.references.into_iter().map(|reference| reference.id).chain([read.id]).filter(|name| !name.is_empty()).collect();
        let times = [analysis.last_updated, analysis.first_issued, read.updated, timestamp.clone()];
        let judgement = Judgement {
            status,
            justification: analysis.justification,
            note: analysis.detail.unwrap_or_default(),
            timestamp: times.into_iter().flatten().next().unwrap_or_default(),
            span,
        };
        out.push(Statement { names, products, judgement });
    }
}

fn collect<'a>(components: &'a [Component], urls: &mut BTreeMap<&'a str, &'a str>) {
    for component in components {
        if let (Some(id), Some(url)) = (&component.id, &component.purl) {
            urls.insert(id, url);
        }
        collect(&component.components, urls);
    }
}

/// Source: CycloneDX 1.6, `impactAnalysisState`.
fn status(state: &str) -> Option<Status> {
    Some(match state {
        "not_affected" | "false_positive" => Status::NotAffected,
        "resolved" | "resolved_with_pedigree" => Status::Fixed,
        "in_triage" => Status::UnderInvestigation,
        "exploitable" => Status::Affected,
        _ => return None,
    })
}

/// The end of a link to a bill is percent-encoded.
fn decoded(text: &str) -> String {
    if text.starts_with("pkg:") {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
