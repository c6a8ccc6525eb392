//! CycloneDX 1.6 in JSON, with vulnerabilities and what was judged of them.
//!
//! 1.6 is the first version whose evidence has lines, and the newest that scanners of these days read.
//! Licences are left out: no lock file tells them.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Component, Components, Content, TOOL, group_and_name};
use crate::matching::{Rating, Vulnerability};
use crate::package::Origin;
use crate::sbom::marks;
use crate::vex::{Judgement, Status};

const ROOT: &str = "root";

/// Writes a bill.
pub fn document(content: &Content<'_>) -> Value {
    let components = Components::new(content);
    let mut metadata = json!({
        "tools": {"components": [{"type": "application", "name": TOOL, "version": env!("CARGO_PKG_VERSION")}]},
        "component": {"type": "application", "bom-ref": ROOT, "name": content.name},
    });
    if let (Some(timestamp), Some(fields)) = (content.timestamp, metadata.as_object_mut()) {
        fields.insert("timestamp".to_owned(), json!(timestamp));
    }
    let mut bom = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "",
        "version": 1,
        "metadata": metadata,
        "components": components.all.iter().map(component).collect::<Vec<_>>(),
        "dependencies": [{"ref": ROOT, "dependsOn": components.direct().map(|component| component.id.as_str()).collect::<Vec<_>>()}],
        // Which package asks for which is known to some lock files only.
        "compositions": [{"aggregate": "incomplete", "dependencies": [ROOT]}],
        "vulnerabilities": vulnerabilities(content, &components),
    });
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, bom.to_string().as_bytes());
    if let Some(serial) = bom.get_mut("serialNumber") {
        *serial = json!(format!("urn:uuid:{id}"));
    }
    bom
}

fn property(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

fn component(of: &Component<'_>) -> Value {
    let package = &of.package;
    let (group, name) = group_and_name(package);
    let kind = if package.origin == Origin::Own { "application" } else { "library" };
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    put("type", json!(kind));
    put("bom-ref", json!(of.id));
    if let Some(group) = group {
        put("group", json!(group));
    }
    put("name", json!(name));
    if !package.version.is_empty() {
        put("version", json!(package.version));
    }
    if package.is_development {
        put("scope", json!("excluded"));
    }
    if let Some(url) = &of.url {
        put("purl", json!(url));
    }
    let occurrences: Vec<Value> = of.places.iter().map(|(file, line)| json!({"location": file, "line": line})).collect();
    put("evidence", json!({"occurrences": occurrences}));
    put("properties", marks::of(package).iter().map(|(name, value)| property(name, value)).collect());
    fields.into()
}

/// One entry for each flaw and what was judged of it, with all components that it is in.
fn vulnerabilities(content: &Content<'_>, components: &Components<'_>) -> Vec<Value> {
    let mut flaws: Vec<(&Vulnerability, Vec<&str>)> = Vec::new();
    let mut all: Vec<&Vulnerability> = content.matches.vulnerabilities.iter().chain(&content.matches.suppressed).collect();
    all.sort_by_key(|flaw| (&flaw.names, flaw.judgement.as_ref().map(|judgement| judgement.status), flaw.package));
    let said = |flaw: &Vulnerability| flaw.judgement.as_ref().map(|of| (of.status, of.justification.clone(), of.note.clone()));
    for flaw in all {
        let Some(component) = components.of(flaw.package) else { continue };
        match flaws.last_mut() {
            Some((last, ids)) if last.names == flaw.names && said(last) == said(flaw) => {
                if !ids.contains(&component.id.as_str()) {
                    ids.push(&component.id);
                }
            }
            _ => flaws.push((flaw, vec![&component.id])),
        }
    }
    flaws.into_iter().map(|(flaw, ids)| vulnerability(flaw, &ids)).collect()
}

fn vulnerability(flaw: &Vulnerability, ids: &[&str]) -> Value {
    let mut fields = Map::new();
    let mut put = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    put("id", json!(flaw.name()));
    put("source", source(flaw.name()));
    let others = flaw.names.iter().filter(|name| *name != flaw.name());
    let references: Vec<Value> = others.map(|name| json!({"id": name, "source": source(name)})).collect();
    if !references.is_empty() {
        put("references", references.into());
    }
    let ratings = ratings(flaw);
    if !ratings.is_empty() {
        put("ratings", ratings.into());
    }
    let mut cwes: Vec<u64> =
        flaw.advisories.iter().flat_map(|advisory| &advisory.cwe).filter_map(|cwe| cwe.strip_prefix("CWE-")?.parse().ok()).collect();
    cwes.sort_unstable();
    cwes.dedup();
    if !cwes.is_empty() {
        put("cwes", json!(cwes));
    }
    if !flaw.summary().is_empty() {
        put("description", json!(flaw.summary()));
    }
    if let Some(fixed) = &flaw.fixed {
        put("recommendation", json!(format!("update to {fixed} or later")));
    }
    let mut pages: Vec<&str> = flaw.advisories.iter().flat_map(|advisory| &advisory.references).map(String::as_str).collect();
    pages.sort_unstable();
    pages.dedup();
    if !pages.is_empty() {
        put("advisories", pages.into_iter().map(|page| json!({"url": page})).collect());
    }
    if let Some(judgement) = &flaw.judgement {
        put("analysis", analysis(judgement));
    }
    put("affects", ids.iter().map(|id| json!({"ref": id})).collect());
    let properties = [
        ("bartizan:known-exploited", flaw.kev.as_ref().map(|kev| kev.date_added.clone())),
        ("bartizan:epss", flaw.epss.map(|epss| epss.probability.to_string())),
        ("bartizan:informational", flaw.informational.clone()),
        ("bartizan:fixed", flaw.fixed.clone()),
    ];
    let properties: Vec<Value> = properties.into_iter().filter_map(|(name, value)| Some(property(name, &value?))).collect();
    if !properties.is_empty() {
        put("properties", properties.into());
    }
    fields.into()
}

/// Who gives names of that form.
fn source(name: &str) -> Value {
    let named = |name: &str, url: String| json!({"name": name, "url": url});
    match name.split('-').next().unwrap_or_default() {
        "CVE" => named("NVD", format!("https://nvd.nist.gov/vuln/detail/{name}")),
        "GHSA" => named("GitHub Advisories", format!("https://github.com/advisories/{name}")),
        "RUSTSEC" => named("RustSec", format!("https://rustsec.org/advisories/{name}.html")),
        "GO" => named("Go Vulnerability Database", format!("https://pkg.go.dev/vuln/{name}")),
        prefix => json!({"name": prefix}),
    }
}

fn ratings(flaw: &Vulnerability) -> Vec<Value> {
    let mut ratings: Vec<Value> = Vec::new();
    for advisory in &flaw.advisories {
        let vectors = advisory.cvss.iter().filter_map(|vector| Some((vector, vector.parse::<cvss::Cvss>().ok()?.score())));
        let before = ratings.len();
        for (vector, score) in vectors {
            let method = match vector.split('/').next() {
                Some("CVSS:4.0") => "CVSSv4",
                Some("CVSS:3.1") => "CVSSv31",
                Some("CVSS:3.0") => "CVSSv3",
                _ => "CVSSv2",
            };
            let severity = if score == 0.0 { "none" } else { Rating::of_score(score).id() };
            ratings.push(json!({"source": source(&advisory.id), "score": score, "severity": severity, "method": method, "vector": vector}));
        }
        if let Some(word) = advisory.severity.as_deref().filter(|_| ratings.len() == before) {
            ratings.push(json!({"source": source(&advisory.id), "severity": Rating::of_word(word).id(), "method": "other"}));
        }
    }
    ratings.dedup();
    ratings
}

/// States and reasons of CycloneDX; reasons of OpenVEX become those that say the same, or words.
fn analysis(judgement: &Judgement) -> Value {
    let state = match judgement.status {
        Status::NotAffected => "not_affected",
        Status::Fixed => "resolved",
        Status::UnderInvestigation => "in_triage",
        Status::Affected => "exploitable",
    };
    let mut fields = Map::from_iter([("state".to_owned(), json!(state))]);
    let mut words = judgement.note.clone();
    if let Some(text) = &judgement.justification {
        let known = match text.as_str() {
            "component_not_present" | "vulnerable_code_not_present" => Some("code_not_present"),
            "vulnerable_code_not_in_execute_path" => Some("code_not_reachable"),
            "inline_mitigations_already_exist" => Some("protected_by_mitigating_control"),
            text if JUSTIFICATIONS.contains(&text) => Some(text),
            _ => None,
        };
        match known {
            Some(known) => {
                fields.insert("justification".to_owned(), json!(known));
            }
            None if words.is_empty() => words.clone_from(text),
            None => words = format!("{text}: {words}"),
        }
    }
    if !words.is_empty() {
        fields.insert("detail".to_owned(), json!(words));
    }
    if let Some(time) = crate::instant::normalised(&judgement.timestamp) {
        fields.insert("lastUpdated".to_owned(), json!(time));
    }
    fields.into()
}

/// Source: CycloneDX 1.6, `impactAnalysisJustification`.
const JUSTIFICATIONS: &[&str] = &[
    "code_not_present",
    "code_not_reachable",
    "requires_configuration",
    "requires_dependency",
    "requires_environment",
    "protected_by_compiler",
    "protected_at_runtime",
    "protected_at_perimeter",
    "protected_by_mitigating_control",
];
