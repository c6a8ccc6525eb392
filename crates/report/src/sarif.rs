//! SARIF 2.1.0 for code scanning.
//! Source of the format: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".
//!
//! Results carry structural fingerprints, so a baseline survives edits, moves and other findings.
//! With a baseline each result says whether it is new (SARIF 3.27.24).
//! What code scanning would refuse or not show is left out, the mildest first, and a notification says how much.
//! No time, no absolute path and no snippet is written: two runs give the same bytes, and a literal secret is not copied.

mod flows;
mod log;
mod rules;

use std::collections::BTreeMap;

use bartizan_model::{Diagnostic, Sources, Span};
use bartizan_review::{Review, Severity, Status, Threat};
use serde::Serialize;
use serde_json::json;

use crate::baseline::{Known, Standing};
use crate::{Remedies, redact::redact, words};
use log::{
    ArtifactLocation, Driver, Invocation, Location, Log, LogicalLocation, Message, Notification, PhysicalLocation, Region,
    ReportingReference, Run, SarifResult, Suppression, Tool,
};
use rules::Rules;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// Where the tool is at home.
pub(crate) const HOME: &str = "https://github.com/bartizan/bartizan";
/// Name of the fingerprint; the number changes only if ids are ever built in another way.
const FINGERPRINT: &str = "bartizanThreat/v1";

/// Limits of code scanning: a run with more than 25,000 results is refused and 5,000 are shown, 100 locations of a result, 1,000 steps of a flow
/// and 10 tags of a rule. Source: GitHub, "SARIF support for code scanning", "Validating your SARIF file" (2026).
const MOST_RESULTS: usize = 5_000;
const MOST_LOCATIONS: usize = 100;
pub(crate) const MOST_STEPS: usize = 1_000;
pub(crate) const MOST_TAGS: usize = 10;
/// Judgement: an upload may have 10 MB when compressed, and the five-hundredth problem of the input says no more than the first.
const MOST_NOTIFICATIONS: usize = 500;

/// The review as a SARIF log; with a baseline, results say how they stand against it.
pub fn sarif(review: &Review, baseline: Option<&Standing>) -> impl Serialize + use<> {
    let sources = &review.architecture.sources;
    // INVARIANT: threats are sorted, the worst first; what is left out is the mildest. What somebody decided comes after what is open.
    let mut shown: Vec<&Threat> = review.threats.iter().collect();
    shown.sort_by_key(|threat| threat.status != Status::Open);
    let left_out = shown.len().saturating_sub(MOST_RESULTS);
    shown.truncate(MOST_RESULTS);
    let rules = Rules::of(&shown);
    let remedies = Remedies::of(review);
    let results = shown.iter().map(|threat| result(review, threat, &rules, &remedies, baseline)).collect();
    let diagnostics: Vec<&Diagnostic> = review.architecture.diagnostics.iter().chain(&review.diagnostics).collect();
    let mut notifications: Vec<Notification> = Vec::new();
    if left_out > 0 {
        notifications.push(bounded(format!("{left_out} threats, the mildest, were left out: code scanning shows {MOST_RESULTS} of a run")));
    }
    if diagnostics.len() > MOST_NOTIFICATIONS {
        notifications
            .push(bounded(format!("{} problems of the input were left out; review.json has all", diagnostics.len() - MOST_NOTIFICATIONS)));
    }
    notifications.extend(diagnostics.into_iter().take(MOST_NOTIFICATIONS).map(|diagnostic| notification(diagnostic, sources)));
    Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: vec![Run {
            tool: Tool {
                driver: Driver {
                    name: "Bartizan",
                    information_uri: HOME,
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    supported_taxonomies: rules.supported_taxonomies(),
                    rules: rules.descriptors,
                },
            },
            taxonomies: rules.taxonomies,
            // A run that read something was successful; what could not be read is told in the notifications.
            invocations: vec![Invocation { execution_successful: true, tool_execution_notifications: notifications }],
            original_uri_base_ids: json!({"%SRCROOT%": {"description": {"text": "the root of the repository; outside of one the reviewed folder"}}}),
            column_kind: "unicodeCodePoints",
            results,
        }],
    }
}

/// Tells that something was left out.
fn bounded(text: String) -> Notification {
    Notification {
        level: "warning",
        descriptor: ReportingReference { id: "report/left-out".to_owned() },
        message: Message::text(text),
        locations: Vec::new(),
    }
}

fn result(review: &Review, threat: &Threat, rules: &Rules, remedies: &Remedies<'_>, baseline: Option<&Standing>) -> SarifResult {
    let sources = &review.architecture.sources;
    let component = threat.targets.first().and_then(|address| review.architecture.component(address));
    let logical: Vec<LogicalLocation> = threat
        .targets
        .iter()
        .take(MOST_LOCATIONS)
        .map(|address| LogicalLocation { fully_qualified_name: address.to_string(), kind: "resource" })
        .collect();
    let mut evidence = threat.evidence.iter().take(MOST_LOCATIONS);
    let first = evidence.next();
    let place = first.map(|first| first.span).or_else(|| component.and_then(|component| component.span));
    let related = evidence
        .zip(1..)
        .filter_map(|(item, id)| {
            Some(Location {
                id: Some(id),
                physical_location: Some(physical(item.span, sources)?),
                logical_locations: Vec::new(),
                message: Some(Message::text(redact(&item.text))),
            })
        })
        .collect();
    let (kind, level) = kind_and_level(threat);
    SarifResult {
        rule_id: threat.rule.clone(),
        rule_index: rules.index(&threat.rule),
        kind,
        level,
        baseline_state: baseline.map(|standing| match standing.of(threat) {
            Known::New => "new",
            Known::Worse => "updated",
            Known::Known => "unchanged",
        }),
        message: message(threat, remedies),
        locations: vec![Location {
            id: None,
            physical_location: place.and_then(|span| physical(span, sources)),
            logical_locations: logical,
            message: first.map(|first| Message::text(redact(&first.text))),
        }],
        related_locations: related,
        code_flows: flows::code_flows(review, threat),
        partial_fingerprints: BTreeMap::from([(FINGERPRINT, threat.id.clone())]),
        rank: f64::from(threat.residual_risk()) * 4.0,
        suppressions: (threat.status == Status::Accepted).then(|| {
            vec![Suppression { kind: "external", status: "accepted", justification: threat.decision.clone().unwrap_or_default() }]
        }),
        properties: json!({
            "status": words::status_id(threat.status),
            "severity": threat.severity.id(),
            "category": threat.category.id(),
            "likelihood": threat.residual_likelihood.value,
            "impact": threat.residual_impact.value,
            "risk": threat.residual_risk(),
            "inherentRisk": threat.inherent_risk(),
        }),
    }
}

/// SARIF 3.27.9 and 3.27.10: a result that is no failure has the level `none`.
fn kind_and_level(threat: &Threat) -> (&'static str, &'static str) {
    match threat.status {
        Status::Open | Status::Accepted => ("fail", level(threat.severity)),
        Status::Question => ("review", "none"),
        Status::Mitigated => ("informational", "none"),
    }
}

pub(crate) fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

fn message(threat: &Threat, remedies: &Remedies<'_>) -> Message {
    let mut text = redact(&threat.message);
    if let Some(remedy) = remedies.first(threat) {
        text = format!("{} Remedy: {}: {}", words::sentence(&text), remedy.title, words::sentence(&remedy.effect));
    }
    escaped(&text)
}

/// A message without links: in SARIF, brackets start a link and braces a placeholder.
fn escaped(text: &str) -> Message {
    Message::text(text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]").replace('{', "{{").replace('}', "}}"))
}

fn notification(diagnostic: &Diagnostic, sources: &Sources) -> Notification {
    Notification {
        level: match diagnostic.severity {
            bartizan_model::Severity::Note => "note",
            bartizan_model::Severity::Warning => "warning",
            bartizan_model::Severity::Error => "error",
        },
        descriptor: ReportingReference { id: diagnostic.code.to_owned() },
        message: Message::text(redact(&diagnostic.message).replace('{', "{{").replace('}', "}}")),
        locations: diagnostic
            .span
            .and_then(|span| physical(span, sources))
            .map(|place| Location { id: None, physical_location: Some(place), logical_locations: Vec::new(), message: None })
            .into_iter()
            .collect(),
    }
}

fn physical(span: Span, sources: &Sources) -> Option<PhysicalLocation> {
    let file = sources.get(span.file)?;
    let (start, end) = (sources.start(span), sources.end(span));
    Some(PhysicalLocation {
        artifact_location: ArtifactLocation { uri: uri(&sources.path_in_repository(&file.path)), uri_base_id: "%SRCROOT%" },
        // SARIF's end column is one past the last character.
        region: Region { start_line: start.line, start_column: start.column, end_line: end.line, end_column: end.column + 1 },
    })
}

/// A relative URI reference of a path (RFC 3986: everything but unreserved characters, `/` and a few delimiters is percent-encoded).
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::fixture;

    fn sarif(review: &bartizan_review::Review) -> Value {
        serde_json::to_value(super::sarif(review, None)).expect("only strings are keys")
    }

    const OASIS: &str = include_str!("../../../corpora/schemas/sarif-2.1.0.json");

    #[test]
    fn the_log_is_valid_against_the_schema_of_oasis() {
        let schema: Value = serde_json::from_str(OASIS).expect("the schema is JSON");
        let validator = jsonschema::validator_for(&schema).expect("a valid schema");
        for review in [fixture::shop(), fixture::hostile(), fixture::attacked()] {
            let log = sarif(&review);
            let errors: Vec<String> = validator.iter_errors(&log).map(|error| format!("{error} at {}", error.instance_path())).collect();
            assert_eq!(errors, Vec::<String>::new());
        }
    }

    #[test]
    fn a_threat_on_a_path_carries_its_steps() {
        let log = sarif(&fixture::attacked());
        let results = log["runs"][0]["results"].as_array().expect("results");
        let steps = results[0]["codeFlows"][0]["threadFlows"][0]["locations"].as_array().expect("steps");
        assert_eq!(steps.len(), 3);
        assert_eq!(steps[0]["location"]["physicalLocation"]["region"]["startLine"], 4);
        assert_eq!(steps[2]["location"]["message"]["text"], "data rds read: `app` grants {{it}}");
        assert_eq!(steps[2]["location"]["logicalLocations"][0]["fullyQualifiedName"], "aws_db_instance.orders");
        assert!(results[1].get("codeFlows").is_none());
    }

    #[test]
    fn regions_cover_the_evidence_exactly() {
        let log = sarif(&fixture::shop());
        let first = &log["runs"][0]["results"][0];
        let region = &first["locations"][0]["physicalLocation"]["region"];
        assert_eq!(*region, json!({"startLine": 4, "startColumn": 3, "endLine": 4, "endColumn": 25}));
        assert_eq!(first["relatedLocations"][0]["physicalLocation"]["region"]["endLine"], 2);
        assert_eq!(first["partialFingerprints"]["bartizanThreat/v1"], "s3-public-read-3f9a1c");
        assert_eq!(first["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], "aws_s3_bucket.uploads");
    }

    #[test]
    fn rules_carry_what_code_scanning_shows() {
        let log = sarif(&fixture::shop());
        let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().expect("rules");
        let index = log["runs"][0]["results"][0]["ruleIndex"].as_u64().expect("an index");
        let rule = &rules[usize::try_from(index).expect("small")];
        assert_eq!(rule["id"], "s3-public-read");
        assert_eq!(rule["properties"]["security-severity"], "9.5");
        assert_eq!(rule["defaultConfiguration"]["level"], "error");
        assert!(rule["help"]["markdown"].as_str().is_some_and(|help| help.contains("scanners")));
        assert_eq!(rule["relationships"][0]["target"]["id"], "732");
        let taxon = rule["relationships"][0]["target"]["index"].as_u64().expect("an index");
        assert_eq!(log["runs"][0]["taxonomies"][0]["taxa"][usize::try_from(taxon).expect("small")]["id"], "732");
    }

    #[test]
    fn decisions_suppress_and_questions_are_no_failures() {
        let log = sarif(&fixture::shop());
        let results = log["runs"][0]["results"].as_array().expect("results");
        assert_eq!(results[2]["suppressions"][0]["status"], "accepted");
        assert!(results[0].get("suppressions").is_none());
        assert_eq!((&results[3]["kind"], &results[3]["level"]), (&json!("review"), &json!("none")));
        // The question has no evidence: it lies where its component is declared.
        assert_eq!(results[3]["locations"][0]["physicalLocation"]["region"]["startLine"], 7);
    }

    #[test]
    fn a_baseline_tells_what_is_new() {
        let mut review = fixture::shop();
        let baseline = crate::baseline::Baseline::of(&review);
        review.threats[1].id = "another-000000".to_owned();
        review.threats[1].rule = "another".to_owned();
        let log = serde_json::to_value(super::sarif(&review, Some(&baseline.compare(&review)))).expect("only strings are keys");
        let states: Vec<&str> =
            log["runs"][0]["results"].as_array().expect("results").iter().filter_map(|result| result["baselineState"].as_str()).collect();
        assert_eq!(states.len(), review.threats.len());
        assert_eq!(states.iter().filter(|state| **state == "unchanged").count(), baseline.threats.len() - 1);
        let schema: Value = serde_json::from_str(OASIS).expect("the schema is JSON");
        assert!(jsonschema::validator_for(&schema).expect("a valid schema").is_valid(&log));
    }

    #[test]
    fn code_scanning_gets_the_worst_and_is_told_what_is_missing() {
        let mut review = fixture::shop();
        let template = review.threats[0].clone();
        let mild = bartizan_review::Threat { severity: bartizan_review::Severity::Low, ..template };
        review.threats.extend((0..super::MOST_RESULTS).map(|n| bartizan_review::Threat { id: format!("mild-{n}"), ..mild.clone() }));
        let n_threats = review.threats.len();
        let log = sarif(&review);
        let run = &log["runs"][0];
        let results = run["results"].as_array().expect("results");
        assert_eq!(results.len(), super::MOST_RESULTS);
        assert_eq!(results[0]["properties"]["severity"], "critical");
        let told = run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].as_str().expect("a note");
        assert!(told.starts_with(&format!("{} threats, the mildest", n_threats - super::MOST_RESULTS)), "{told}");
        let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
        assert!(rules.iter().all(|rule| rule["properties"]["tags"].as_array().is_some_and(|tags| tags.len() <= super::MOST_TAGS)));
    }
}
