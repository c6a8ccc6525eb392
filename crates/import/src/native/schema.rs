//! The shape of `bartizan.yaml`, as types from which its JSON Schema is generated.
//! Nothing is ever read into these types: reading keeps the line of every value, which plain deserialisation would lose.

#![allow(dead_code, reason = "the fields are read by schemars at compile time only")]

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// The JSON Schema of `bartizan.yaml`.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(File).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), "bartizan.yaml".into());
    }
    schema
}

/// What people declare beside the plan. Everything is optional.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct File {
    /// The system's name.
    system: Option<String>,
    /// One paragraph: what it does and for whom.
    description: Option<String>,
    /// Names or addresses of its owners.
    owners: Option<Vec<String>>,
    /// Data classes and what holds them.
    data: Option<Vec<DataClass>>,
    /// People and systems outside.
    actors: Option<Vec<Actor>>,
    /// Flows that no file shows.
    flows: Option<Vec<Flow>>,
    /// Workload figures of components.
    workload: Option<Vec<Workload>>,
    /// What the owners tolerate and may spend.
    appetite: Option<Appetite>,
    /// Answers to questions of the review.
    answers: Option<Vec<Answer>>,
    /// Decisions on threats.
    decisions: Option<Vec<Decision>>,
}

/// A class of data.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct DataClass {
    /// Unique name: `customer-records`.
    name: String,
    /// One sentence.
    description: Option<String>,
    /// Harm when outsiders read it: 1 to 5, or public, internal, confidential, restricted. 3 where left out.
    confidentiality: Option<Secrecy>,
    /// Harm when it is changed: 1 to 5, or low, medium, high, critical. 3 where left out.
    integrity: Option<Importance>,
    /// Harm when it is not there: 1 to 5, or low, medium, high, critical. 3 where left out.
    availability: Option<Importance>,
    /// Addresses of the components that store it; `*` matches any run of characters.
    stored_in: Option<OneOrMore>,
}

/// One text or a list of texts.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// A person or system outside.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Actor {
    /// Unique name, also its address in flows.
    name: String,
    /// One sentence.
    description: Option<String>,
    /// True for our own people.
    trusted: Option<bool>,
}

/// A flow that no file shows.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Flow {
    /// Address of a component, name of an actor, or `internet`.
    from: String,
    /// Address of a component, name of an actor, or `internet`.
    to: String,
    /// `https`, `mysql`, `kafka`, …
    protocol: Option<String>,
    /// TCP or UDP port.
    #[schemars(range(min = 1, max = 65535))]
    port: Option<u16>,
    /// Whether the transport is encrypted.
    encrypted: Option<bool>,
    /// How the caller proves itself: `iam`, `password`, `none`, …
    authentication: Option<String>,
    /// Names of data classes that it carries.
    data: Option<OneOrMore>,
}

/// Workload figures of a component.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Workload {
    /// Address; `*` matches any run of characters.
    component: String,
    /// Requests per second at peak.
    #[schemars(range(min = 0))]
    requests_per_second: Option<f64>,
    /// Records kept.
    #[schemars(range(min = 0))]
    records: Option<f64>,
    /// Size in GB.
    #[schemars(range(min = 0))]
    gigabytes: Option<f64>,
    /// Growth per year as a ratio: 0.5 is half as much again.
    #[schemars(range(min = 0))]
    growth: Option<f64>,
    /// Longest outage that the owners accept, minutes.
    #[schemars(range(min = 0))]
    rto_minutes: Option<f64>,
    /// Most data that they accept to lose, minutes.
    #[schemars(range(min = 0))]
    rpo_minutes: Option<f64>,
}

/// What the owners tolerate and may spend.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Appetite {
    /// Highest severity that may stay open without a decision.
    tolerated: Option<Tolerated>,
    /// For mitigations, USD per month.
    #[schemars(range(min = 0))]
    budget_usd_per_month: Option<f64>,
    /// Added latency that is acceptable at the 99th percentile, milliseconds.
    #[schemars(range(min = 0))]
    latency_budget_ms: Option<f64>,
}

/// A severity.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum Tolerated {
    Low,
    Medium,
    High,
    Critical,
}

/// An answer to a question; it becomes a known setting.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Answer {
    /// Id of the question, from the report.
    question: String,
    /// The answer: a text, number or truth value.
    #[schemars(schema_with = "scalar")]
    value: String,
    /// Who answered.
    by: Option<String>,
}

/// A decision on a threat.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Decision {
    /// Id of the threat, or `rule`, or `rule@address` where `*` in the address matches any run of characters.
    threat: String,
    /// How it was decided.
    decision: Decided,
    /// Who decided.
    by: String,
    /// Why.
    why: String,
    /// Last day it holds, `2027-03-31`; left out: no end.
    #[schemars(extend("format" = "date"))]
    until: Option<String>,
}

/// How a threat was decided.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum Decided {
    Accept,
    Mitigate,
    Transfer,
    Avoid,
    FalsePositive,
}

/// Words for confidentiality and their levels.
const SECRECY: [(&str, u8); 4] = [("public", 1), ("internal", 2), ("confidential", 4), ("restricted", 5)];
/// Words for integrity and availability and their levels.
const IMPORTANCE: [(&str, u8); 4] = [("low", 2), ("medium", 3), ("high", 4), ("critical", 5)];

/// The level behind a word of one dimension.
pub(super) fn level(dimension: &str, word: &str) -> Option<u8> {
    let words = if dimension == "confidentiality" { SECRECY } else { IMPORTANCE };
    words.iter().find(|(own, _)| *own == word).map(|(_, level)| *level)
}

/// A level of confidentiality.
struct Secrecy;

impl JsonSchema for Secrecy {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Secrecy")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        levels(&SECRECY)
    }
}

/// A level of integrity or availability.
struct Importance;

impl JsonSchema for Importance {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Importance")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        levels(&IMPORTANCE)
    }
}

fn levels(words: &[(&str, u8)]) -> Schema {
    let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    json_schema!({"anyOf": [{"type": "integer", "minimum": 1, "maximum": 5}, {"type": "string", "enum": words}]})
}

fn scalar(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["string", "number", "boolean"]})
}
