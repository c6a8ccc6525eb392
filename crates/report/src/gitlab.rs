//! Reports that GitLab shows in merge requests: SAST and Code Quality.
//!
//! Sources: GitLab, "Security report schemas", `sast-report-format.json` 15.0.4; "Code Quality", "Implement a custom tool".

use bartizan_review::{Evidence, Review, Severity, Status, Threat};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Place, Remedies, redact, sarif::HOME, words};

/// Version of the schema of the SAST report.
const VERSION: &str = "15.0.4";
/// Longest name, in characters, and longest solution, as the schema says.
const MOST_NAME: usize = 255;
const MOST_SOLUTION: usize = 7_000;

/// The open threats as `gl-sast-report.json`; `day` (ISO 8601) is when the review was made, for a report has to say so.
pub fn sast(review: &Review, day: &str) -> impl Serialize + use<> {
    let remedies = Remedies::of(review);
    let vulnerabilities: Vec<Value> = open(review).map(|threat| vulnerability(review, threat, &remedies)).collect();
    let tool = json!({
        "id": "bartizan",
        "name": "Bartizan",
        "url": HOME,
        "version": env!("CARGO_PKG_VERSION"),
        "vendor": {"name": "Bartizan"},
    });
    // The hour is not told: two runs of a day give the same bytes.
    let time = format!("{}T00:00:00", day.get(..10).unwrap_or("1970-01-01"));
    json!({
        "version": VERSION,
        "scan": {"analyzer": tool, "scanner": tool, "type": "sast", "start_time": time, "end_time": time, "status": "success"},
        "vulnerabilities": vulnerabilities,
    })
}

/// The open threats as a Code Quality report.
pub fn code_quality(review: &Review) -> impl Serialize + use<> {
    let issue = |threat: &Threat| {
        let place = place(review, threat);
        let severity = match threat.severity {
            Severity::Critical => "blocker",
            Severity::High => "critical",
            Severity::Medium => "major",
            Severity::Low => "minor",
            Severity::Info => "info",
        };
        json!({
            "description": redact(&threat.message),
            "check_name": threat.rule,
            "fingerprint": threat.id,
            "severity": severity,
            "location": {
                "path": place.as_ref().map_or(".", |place| place.file.as_str()),
                "lines": {"begin": place.as_ref().map_or(1, |place| place.line)},
            },
        })
    };
    open(review).map(issue).collect::<Vec<Value>>()
}

fn open(review: &Review) -> impl Iterator<Item = &Threat> {
    review.threats.iter().filter(|threat| threat.status == Status::Open)
}

fn vulnerability(review: &Review, threat: &Threat, remedies: &Remedies<'_>) -> Value {
    let mut identifiers = vec![json!({"type": "bartizan_rule", "name": format!("Bartizan {}", threat.rule), "value": threat.rule})];
    identifiers.extend(threat.cwe.iter().filter_map(|cwe| {
        let number = cwe.strip_prefix("CWE-")?;
        let url = format!("https://cwe.mitre.org/data/definitions/{number}.html");
        Some(json!({"type": "cwe", "name": cwe, "value": number, "url": url}))
    }));
    let links: Vec<Value> = threat.references.iter().filter(|url| url.starts_with("https://")).map(|url| json!({"url": url})).collect();
    let place = place(review, threat);
    let mut location = json!({
        "file": place.as_ref().map_or("", |place| place.file.as_str()),
        "start_line": place.as_ref().map_or(1, |place| place.line),
        "end_line": place.as_ref().map_or(1, |place| place.end_line),
    });
    if let (Some(first), Some(members)) = (threat.targets.first(), location.as_object_mut()) {
        members.insert("class".to_owned(), json!(first.as_str()));
    }
    let mut out = json!({
        "id": threat.id,
        // A name must not hold what only this finding has.
        "name": cut(&threat.title, MOST_NAME),
        "description": format!("{}\n\n{}", words::sentence(&words::capitalised(&redact(&threat.message))), threat.explanation).trim_end(),
        "severity": words::severity(threat.severity),
        "identifiers": identifiers,
        "links": links,
        "location": location,
        "tracking": {
            "type": "source",
            "items": [{
                "file": place.as_ref().map_or("", |place| place.file.as_str()),
                "start_line": place.as_ref().map_or(1, |place| place.line),
                "end_line": place.as_ref().map_or(1, |place| place.end_line),
                "signatures": [{"algorithm": "scope_offset", "value": threat.id}],
            }],
        },
    });
    if let (Some(remedy), Some(members)) = (remedies.first(threat), out.as_object_mut()) {
        let solution = format!("{}: {}", remedy.title, words::sentence(&remedy.effect));
        members.insert("solution".to_owned(), json!(cut(&solution, MOST_SOLUTION)));
    }
    out
}

/// The place to fix, its file named from the root of the repository; where nothing shows the threat, where its first component is declared.
pub(crate) fn place(review: &Review, threat: &Threat) -> Option<Place> {
    let component =
        || threat.targets.first().and_then(|address| review.architecture.component(address)).and_then(|component| component.span);
    let span = threat.evidence.first().map(|evidence: &Evidence| evidence.span).or_else(component)?;
    let sources = &review.architecture.sources;
    let place = Place::of(sources, span)?;
    Some(Place { file: sources.path_in_repository(&place.file), ..place })
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most.saturating_sub(1)) {
        Some((end, last)) if end + last.len_utf8() < text.len() => format!("{}…", text.get(..end).unwrap_or(text)),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bartizan_review::Status;
    use serde_json::{Value, json};

    use super::{code_quality, cut, sast};
    use crate::fixture;

    fn value(dto: impl serde::Serialize) -> Value {
        serde_json::to_value(dto).expect("only strings are keys")
    }

    #[test]
    fn the_sast_report_has_what_its_schema_demands() {
        let shop = fixture::shop();
        let report = value(sast(&shop, "2026-11-28"));
        assert_eq!(report["scan"]["start_time"], "2026-11-28T00:00:00");
        assert_eq!((&report["scan"]["type"], &report["scan"]["status"]), (&json!("sast"), &json!("success")));
        for part in ["id", "name", "version"] {
            assert!(report["scan"]["analyzer"][part].as_str().is_some_and(|text| !text.is_empty()), "{part}");
        }
        let found = report["vulnerabilities"].as_array().expect("a list");
        assert_eq!(found.len(), shop.threats.iter().filter(|threat| threat.status == Status::Open).count());
        let first = &found[0];
        assert_eq!((&first["severity"], &first["location"]["start_line"]), (&json!("Critical"), &json!(4)));
        assert_eq!(first["location"]["class"], "aws_s3_bucket.uploads");
        assert_eq!(first["identifiers"][1]["value"], "732");
        assert_eq!(first["tracking"]["items"][0]["signatures"][0]["value"], first["id"]);
        assert!(!report.to_string().contains("hunter2"));
    }

    #[test]
    fn an_issue_of_code_quality_has_its_five_members() {
        let report = value(code_quality(&fixture::shop()));
        let first = &report[0];
        assert_eq!(first["location"], json!({"path": "main.tf", "lines": {"begin": 4}}));
        assert_eq!((&first["severity"], &first["fingerprint"]), (&json!("blocker"), &json!("s3-public-read-3f9a1c")));
        assert!(first["check_name"].is_string() && first["description"].is_string());
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("äöüß", 3), "äö…");
    }
}
