//! Single decisions, from `tests/data/vectors/`.
//!
//! Each vector has a caller (an ARN, `service:HOST`, `federated:ARN` or `anonymous`), an action, a resource, policies and a context.
//! Keys that a vector does not name are absent; with `"open": true` they are not known, and with `"since"` it is that day or a later one.
//! `expect` is what the AWS documentation says, on the page in `source`.
//! `oracle` is what an independent evaluator said where it said something else, and `oracle_note` why the page is followed.

use std::collections::BTreeSet;
use std::fmt::Write;

use bartizan_iam::{Caller, Context, ContextValue, Document, Outcome, Policies, PolicyText, Request, ResourceName, Truth, decide};
use serde_json::Value;

/// Names of the outcomes in the vectors.
fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allow => "allow",
        Outcome::Conditional => "conditional",
        Outcome::ExplicitDeny => "explicit-deny",
        Outcome::ImplicitDeny => "implicit-deny",
    }
}

fn document(value: &Value) -> Document {
    Document::from_json(&value.to_string()).unwrap()
}

fn documents(value: &Value) -> Vec<Document> {
    value.as_array().map(|list| list.iter().map(document).collect()).unwrap_or_default()
}

/// Control policies by level: `[{"policies": [{"policy": …}]}]`.
fn levels(value: &Value) -> Vec<Vec<Document>> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    list(value).iter().map(|level| list(&level["policies"]).iter().map(|entry| document(&entry["policy"])).collect()).collect()
}

fn optional(value: &Value) -> Option<Document> {
    (!value.is_null()).then(|| document(value))
}

fn caller(vector: &Value) -> Caller {
    let mut out = named_caller(vector["principal"].as_str().unwrap());
    out.exempt_from_scp |= vector["exempt_from_scp"] == true;
    out
}

fn named_caller(text: &str) -> Caller {
    match text.split_once(':') {
        Some(("service", host)) => Caller::service(host),
        Some(("federated", provider)) => Caller::federated(provider),
        _ if text == "anonymous" => Caller::anonymous(),
        _ => Caller::from_arn(&text.into()).unwrap(),
    }
}

fn context(vector: &Value) -> Context {
    let mut context = if vector["open"] == true { Context::open() } else { Context::complete() };
    if let Some(day) = vector["since"].as_str() {
        context = context.since(day);
    }
    for (key, value) in vector["context"].as_object().into_iter().flatten() {
        let value = match value {
            Value::Array(values) => {
                ContextValue::Multiple(values.iter().map(|value| PolicyText::literal(value.as_str().unwrap())).collect())
            }
            Value::Null => ContextValue::Absent,
            other => ContextValue::Single(other.as_str().unwrap().into()),
        };
        context.set(key, value);
    }
    context
}

fn refs(levels: &[Vec<Document>]) -> Vec<Vec<&Document>> {
    levels.iter().map(|level| level.iter().collect()).collect()
}

const FILES: [&str; 10] = [
    include_str!("../data/vectors/basics.json"),
    include_str!("../data/vectors/buckets-and-functions.json"),
    include_str!("../data/vectors/conditions.json"),
    include_str!("../data/vectors/cross-account.json"),
    include_str!("../data/vectors/keys-and-trust.json"),
    include_str!("../data/vectors/one-account.json"),
    include_str!("../data/vectors/organisation.json"),
    include_str!("../data/vectors/plan-time.json"),
    include_str!("../data/vectors/statement.json"),
    include_str!("../data/vectors/variables.json"),
];

fn vectors() -> Vec<Value> {
    let lists = FILES.iter().map(|text| serde_json::from_str::<Value>(text).unwrap()["vectors"].as_array().unwrap().clone());
    lists.flatten().collect()
}

/// What differs, one line per vector.
fn disagreements(list: &[Value]) -> String {
    let mut out = String::new();
    for vector in list {
        let resource = ResourceName::new(vector["resource"].as_str().unwrap());
        let mut request = Request::new(caller(vector), vector["action"].as_str().unwrap(), resource, context(vector));
        if let Some(account) = vector["resource_account"].as_str() {
            request = request.owned_by(account);
        }
        let (identity, scp, rcp) = (documents(&vector["identity"]), levels(&vector["scp"]), levels(&vector["rcp"]));
        let single = ["boundary", "session", "resource_policy", "endpoint"].map(|name| optional(&vector[name]));
        let [boundary, session, resource_policy, endpoint] = &single;
        let policies = Policies {
            identity: identity.iter().collect(),
            boundary: boundary.as_ref(),
            session: session.as_ref(),
            resource: resource_policy.as_ref(),
            service_control: refs(&scp),
            resource_control: refs(&rcp),
            endpoint: endpoint.as_ref(),
            restrict_public_buckets: Truth::from(vector["restrict_public_buckets"] == true),
        };
        let decision = decide(&request, &policies);
        let got = outcome_name(decision.outcome);
        if vector["expect"] != got {
            writeln!(out, "{}: expected {}, got {got} ({})", vector["id"], vector["expect"], vector["why"]).unwrap();
        }
    }
    out
}

#[test]
fn decisions_agree_with_the_documentation() {
    assert_eq!(disagreements(&vectors()), "");
}

#[test]
fn every_vector_is_there_once_and_names_its_page() {
    let list = vectors();
    assert!(list.len() >= 630, "only {} vectors", list.len());
    let ids: BTreeSet<_> = list.iter().map(|vector| vector["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), list.len(), "an id occurs twice");
    for vector in &list {
        let source = vector["source"].as_str().unwrap_or_default();
        assert!(source.starts_with("https://docs.aws.amazon.com/"), "{}: {source}", vector["id"]);
        assert_eq!(vector["oracle"].is_string(), vector["oracle_note"].is_string(), "{}", vector["id"]);
        assert_ne!(vector["oracle"], vector["expect"], "{}", vector["id"]);
    }
}
