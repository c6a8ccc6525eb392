//! SPDX 3.0.1 in JSON-LD: packages, what they depend on, and vulnerabilities with what was judged of them.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Component, Components, Content, NO_TIME, TOOL};
use crate::matching::Vulnerability;
use crate::package::Origin;
use crate::sbom::marks;
use crate::vex::Status;

/// Node of the graph that all elements share.
const CREATION: &str = "_:creation";

/// Writes a document.
pub fn document(content: &Content<'_>) -> Value {
    let components = Components::new(content);
    let created = content.timestamp.unwrap_or(NO_TIME);
    let ids: Vec<&str> = components.all.iter().map(|component| component.id.as_str()).collect();
    let base = format!("urn:uuid:{}", Uuid::new_v5(&Uuid::NAMESPACE_URL, json!([content.name, created, ids]).to_string().as_bytes()));
    let id = |of: &str| format!("{base}#{}", Uuid::new_v5(&Uuid::NAMESPACE_URL, of.as_bytes()).simple());
    let tool = id("tool");
    let root = id("root");
    let sbom = id("sbom");
    let mut graph = vec![
        json!({"type": "CreationInfo", "@id": CREATION, "specVersion": "3.0.1", "created": created, "createdBy": [tool]}),
        element("SoftwareAgent", &tool, Some(TOOL)),
        with(
            element("SpdxDocument", &id("document"), Some(content.name)),
            json!({"profileConformance": ["core", "software", "security"], "rootElement": [sbom]}),
        ),
        with(element("software_Sbom", &sbom, None), json!({"rootElement": [root], "software_sbomType": ["source"]})),
        with(element("software_Package", &root, Some(content.name)), json!({"software_primaryPurpose": "application"})),
    ];
    let (mut own, mut shipped, mut development) = (Vec::new(), Vec::new(), Vec::new());
    for component in &components.all {
        let subject = id(&component.id);
        graph.push(package(component, &subject));
        for (name, value) in marks::of(&component.package) {
            let annotation = element("Annotation", &id(&format!("{subject}{name}")), None);
            graph.push(with(annotation, json!({"annotationType": "other", "subject": subject, "statement": format!("{name}={value}")})));
        }
        match (&component.package.origin, component.package.is_development) {
            (Origin::Own, _) => own.push(subject),
            (_, true) => development.push(subject),
            (_, false) => shipped.push(subject),
        }
    }
    let relation = |kind: &str, name: &str, to: &[String], more: Value| {
        with(element(kind, &id(&format!("relation {name}")), None), with(json!({"from": root, "to": to}), more))
    };
    if !own.is_empty() {
        graph.push(relation("Relationship", "contains", &own, json!({"relationshipType": "contains"})));
    }
    if !shipped.is_empty() {
        graph.push(relation("Relationship", "dependsOn", &shipped, json!({"relationshipType": "dependsOn"})));
    }
    if !development.is_empty() {
        let more = json!({"relationshipType": "dependsOn", "scope": "development"});
        graph.push(relation("LifecycleScopedRelationship", "development", &development, more));
    }
    let mut all: Vec<&Vulnerability> = content.matches.vulnerabilities.iter().chain(&content.matches.suppressed).collect();
    all.sort_by_key(|flaw| (&flaw.names, flaw.package));
    let mut last: Option<&[String]> = None;
    for flaw in all {
        let Some(component) = components.of(flaw.package) else { continue };
        let subject = id(&format!("vulnerability {}", flaw.names.join(" ")));
        if last != Some(&flaw.names) {
            last = Some(&flaw.names);
            graph.push(vulnerability(flaw, &subject));
        }
        graph.push(judged(flaw, &subject, &id(&component.id), &id(&format!("judged {subject} {} {}", component.id, flaw.package))));
    }
    json!({"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": graph})
}

fn element(kind: &str, id: &str, name: Option<&str>) -> Value {
    let mut fields =
        Map::from_iter([("type".to_owned(), json!(kind)), ("spdxId".to_owned(), json!(id)), ("creationInfo".to_owned(), json!(CREATION))]);
    if let Some(name) = name {
        fields.insert("name".to_owned(), json!(name));
    }
    fields.into()
}

fn with(mut element: Value, more: Value) -> Value {
    if let (Some(fields), Value::Object(more)) = (element.as_object_mut(), more) {
        fields.extend(more);
    }
    element
}

fn package(of: &Component<'_>, id: &str) -> Value {
    let package = &of.package;
    let purpose = if package.origin == Origin::Own { "application" } else { "library" };
    let mut value = with(element("software_Package", id, Some(&package.name)), json!({"software_primaryPurpose": purpose}));
    if !package.version.is_empty() {
        value = with(value, json!({"software_packageVersion": package.version}));
    }
    if let Some(url) = &of.url {
        value = with(value, json!({"software_packageUrl": url}));
    }
    let places: Vec<String> = of.places.iter().map(|(file, line)| format!("{file}:{line}")).collect();
    with(value, json!({"software_sourceInfo": format!("read from {}", places.join(", "))}))
}

fn vulnerability(flaw: &Vulnerability, id: &str) -> Value {
    let identifier = |name: &String| {
        let kind = if name.starts_with("CVE-") { "cve" } else { "securityOther" };
        json!({"type": "ExternalIdentifier", "externalIdentifierType": kind, "identifier": name})
    };
    let value = with(
        element("security_Vulnerability", id, Some(flaw.name())),
        json!({"externalIdentifier": flaw.names.iter().map(identifier).collect::<Vec<_>>()}),
    );
    if flaw.summary().is_empty() { value } else { with(value, json!({"description": flaw.summary()})) }
}

/// Source: SPDX 3.0.1, profile Security: each kind of statement has its own class, fields and relationship.
fn judged(flaw: &Vulnerability, vulnerability: &str, component: &str, id: &str) -> Value {
    let note = flaw.judgement.as_ref().map(|judgement| judgement.note.as_str()).filter(|note| !note.is_empty());
    let status = flaw.judgement.as_ref().map_or(Status::UnderInvestigation, |judgement| judgement.status);
    let (class, relationship) = match status {
        Status::NotAffected => ("security_VexNotAffectedVulnAssessmentRelationship", "doesNotAffect"),
        Status::Fixed => ("security_VexFixedVulnAssessmentRelationship", "fixedIn"),
        Status::UnderInvestigation => ("security_VexUnderInvestigationVulnAssessmentRelationship", "underInvestigationFor"),
        Status::Affected => ("security_VexAffectedVulnAssessmentRelationship", "affects"),
    };
    let value = with(element(class, id, None), json!({"from": vulnerability, "relationshipType": relationship, "to": [component]}));
    match status {
        Status::NotAffected => with(value, json!({"security_impactStatement": note.unwrap_or("no reason was given")})),
        Status::Affected => with(value, json!({"security_actionStatement": note.unwrap_or("see its advisories")})),
        _ => note.map_or_else(|| value.clone(), |note| with(value.clone(), json!({"security_statusNotes": note}))),
    }
}
