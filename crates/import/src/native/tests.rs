use bartizan_model::{DecisionKind, Declarations, Diagnostic, Sources, Value};

use super::{read, schema};

const EXAMPLE: &str = r#"
system: Orders platform
description: Takes orders and tells the warehouse.
owners: [orders-team@example.org]
data:
  - name: customer-records
    description: Names, addresses and orders of customers
    confidentiality: confidential
    integrity: high
    availability: 3
    stored_in: [aws_db_instance.orders, "module.*.aws_s3_bucket.exports"]
actors:
  - {name: warehouse, description: The warehouse's own system}
  - {name: operator, trusted: true}
flows:
  - from: warehouse
    to: aws_sqs_queue.shipments
    protocol: HTTPS
    port: 443
    encrypted: true
    authentication: iam
    data: customer-records
workload:
  - {component: aws_db_instance.orders, records: 2.0e+6, growth: 0.4, rto_minutes: 60, rpo_minutes: 5}
appetite: {tolerated: low, budget_usd_per_month: 400, latency_budget_ms: 20}
answers:
  - {question: q-1, value: true, by: ops}
decisions:
  - threat: s3-public-read@aws_s3_bucket.site
    decision: accept
    by: Jo
    why: it is the public web site
    until: 2027-03-31
"#;

fn parse(text: &str) -> (Declarations, Vec<Diagnostic>, Sources) {
    let mut sources = Sources::default();
    let file = sources.add("bartizan.yaml", text);
    let (declarations, diagnostics) = read(file, text);
    (declarations, diagnostics, sources)
}

/// `line: message (help)` of every diagnostic.
fn told(text: &str) -> Vec<String> {
    let (_, diagnostics, sources) = parse(text);
    diagnostics
        .iter()
        .map(|diagnostic| {
            let help = diagnostic.help.as_deref().map(|help| format!(" ({help})")).unwrap_or_default();
            format!("{}: {}{help}", sources.start(diagnostic.span.unwrap()).line, diagnostic.message)
        })
        .collect()
}

#[test]
fn the_whole_file_is_read_with_its_places() {
    let (declarations, diagnostics, sources) = parse(EXAMPLE);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!(declarations.system.as_deref(), Some("Orders platform"));
    let data = &declarations.data[0];
    assert_eq!((data.classification.confidentiality, data.classification.integrity, data.classification.availability), (4, 4, 3));
    assert_eq!(sources.start(data.stored_in[1].1).line, 11);
    assert!(declarations.actors[1].trusted && !declarations.actors[0].trusted);
    let flow = &declarations.flows[0];
    assert_eq!((flow.protocol.as_deref(), flow.port, flow.encrypted), (Some("https"), Some(443), Some(true)));
    assert_eq!(flow.data, ["customer-records"]);
    assert_eq!((declarations.workload[0].records, declarations.workload[0].rpo_minutes), (Some(2e6), Some(5.0)));
    assert_eq!(declarations.appetite.budget_usd_per_month, Some(400.0));
    assert_eq!(declarations.answers[0].value.value, Value::Bool(true));
    assert_eq!(declarations.decisions[0].kind, DecisionKind::Accept);
    assert_eq!(declarations.decisions[0].until.as_deref(), Some("2027-03-31"));
}

#[test]
fn typos_are_errors_at_their_line_with_what_was_meant() {
    assert_eq!(told("sistem: x\n"), ["1: the file has no key `sistem` (did you mean `system`?)"]);
    assert_eq!(
        told("data:\n- name: a\n  confidentialtiy: high\n"),
        ["3: an entry of `data` has no key `confidentialtiy` (did you mean `confidentiality`?)"]
    );
    assert_eq!(
        told("data:\n- name: a\n  confidentiality: confidental\n"),
        [
            "3: `confidentiality` cannot be `confidental`: one of `public`, `internal`, `confidential`, `restricted` is expected (did you mean `confidential`?)"
        ]
    );
    assert_eq!(
        told("data: [{name: cards}]\nflows: [{from: a, to: b, data: [card]}]\n"),
        ["2: there is no data class `card` (did you mean `cards`?)"]
    );
}

#[test]
fn wrong_types_and_missing_keys_are_told_and_the_rest_counts() {
    assert_eq!(told("owners: 7\n"), ["1: `owners` must be a list, not a number"]);
    assert_eq!(
        told("actors:\n- {trusted: yes}\n"),
        ["2: `trusted` must be `true` or `false`, not a text", "2: an entry of `actors` needs the key `name`"]
    );
    assert_eq!(told("data: [{name: a, integrity: 9}]\n"), ["1: `integrity` must be at most 5, not 9"]);
    assert_eq!(told("flows: [{from: a, to: b, port: 70000}]\n"), ["1: `port` must be at most 65535, not 70000"]);
    let (declarations, diagnostics, _) = parse("system: [x]\nactors:\n- {name: a}\n- 5\n- {name: a}\n");
    assert_eq!(
        diagnostics.iter().map(|diagnostic| diagnostic.code).collect::<Vec<_>>(),
        ["native/type", "native/type", "native/declared-twice"]
    );
    assert_eq!(declarations.actors.len(), 2);
}

#[test]
fn a_decision_whose_end_cannot_be_read_does_not_hold() {
    let text = "decisions:\n- {threat: t, decision: accept, by: a, why: b, until: 2027-02-30}\n";
    let (declarations, ..) = parse(text);
    assert!(declarations.decisions.is_empty());
    assert_eq!(told(text), ["2: `2027-02-30` is no day (write it as `2027-03-31`)"]);
}

#[test]
fn an_empty_file_declares_nothing() {
    for text in ["", "# nothing yet\n", "---\n"] {
        let (declarations, diagnostics, _) = parse(text);
        assert!(declarations.system.is_none() && diagnostics.is_empty());
    }
}

#[test]
fn the_schema_names_every_key_and_refuses_others() {
    let schema = schema();
    let keys = |pointer: &str| schema.pointer(pointer).unwrap().as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        keys("/properties"),
        ["system", "description", "owners", "data", "actors", "flows", "workload", "appetite", "answers", "decisions"]
    );
    assert_eq!(schema["additionalProperties"], false);
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        if definition["type"] == "object" {
            assert_eq!(definition["additionalProperties"], false, "{name}");
        }
    }
}

#[test]
fn a_schema_validator_agrees() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let json = |text: &str| -> serde_json::Value { serde_saphyr::from_str(text).unwrap() };
    let errors: Vec<String> = validator.iter_errors(&json(EXAMPLE)).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    for wrong in [
        "sistem: x",
        "data: [{name: a, confidentiality: secret}]",
        "data: [{}]",
        "flows: [{from: a, to: b, port: 0}]",
        "decisions: [{threat: t}]",
    ] {
        assert!(!validator.is_valid(&json(wrong)), "{wrong}");
        assert!(!told(wrong).is_empty(), "{wrong}");
    }
}
