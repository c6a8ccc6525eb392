//! What people write by hand in `bartizan.yaml`. Everything in it is optional.

use crate::{Classification, Span};

/// The whole file, or nothing at all.
#[derive(Clone, Debug, Default)]
pub struct Declarations {
    /// The system's name.
    pub system: Option<String>,
    /// One paragraph.
    pub description: Option<String>,
    /// Owners: names or addresses.
    pub owners: Vec<String>,
    /// Data classes.
    pub data: Vec<DataClass>,
    /// People and systems outside.
    pub actors: Vec<Actor>,
    /// Flows that no file shows.
    pub flows: Vec<DeclaredFlow>,
    /// Workload figures per component.
    pub workload: Vec<Workload>,
    /// What the owners tolerate and may spend.
    pub appetite: RiskAppetite,
    /// Answers to questions.
    pub answers: Vec<Answer>,
    /// Decisions on threats.
    pub decisions: Vec<Decision>,
}

/// A data class and what holds it.
#[derive(Clone, Debug)]
pub struct DataClass {
    /// Unique name.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// How much it is worth.
    pub classification: Classification,
    /// Address patterns (`*` matches any run) of the components that store it.
    pub stored_in: Vec<(String, Span)>,
    /// Where it is declared.
    pub span: Span,
}

/// A person or system outside.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Unique name, also its address.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// True for our own people.
    pub trusted: bool,
    /// Where it is declared.
    pub span: Span,
}

/// A flow that no file shows.
#[derive(Clone, Debug)]
pub struct DeclaredFlow {
    /// Address or actor.
    pub from: (String, Span),
    /// Address or actor.
    pub to: (String, Span),
    /// Lower-case protocol.
    pub protocol: Option<String>,
    /// Port.
    pub port: Option<u16>,
    /// Whether the transport is encrypted.
    pub encrypted: Option<bool>,
    /// How the caller proves itself.
    pub authentication: Option<String>,
    /// Names of data classes.
    pub data: Vec<String>,
    /// Where it is declared.
    pub span: Span,
}

/// Workload figures of a component.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Address pattern.
    pub component: (String, Span),
    /// Requests per second at peak.
    pub requests_per_second: Option<f64>,
    /// Records kept.
    pub records: Option<f64>,
    /// Size in GB.
    pub gigabytes: Option<f64>,
    /// Growth, ratio per year (0.5 is half as much again).
    pub growth: Option<f64>,
    /// Longest outage the owners accept, minutes.
    pub rto_minutes: Option<f64>,
    /// Most data they accept to lose, minutes.
    pub rpo_minutes: Option<f64>,
}

/// What the owners tolerate and may spend.
#[derive(Clone, Debug, Default)]
pub struct RiskAppetite {
    /// Highest severity that may stay open without a decision: `low`, `medium`, `high`, `critical`.
    pub tolerated: Option<String>,
    /// For mitigations, USD per month.
    pub budget_usd_per_month: Option<f64>,
    /// Added latency that is acceptable at the 99th percentile, milliseconds.
    pub latency_budget_ms: Option<f64>,
}

/// An answer to a question; it becomes a known setting.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Id of the question.
    pub question: String,
    /// The value, as a YAML scalar.
    pub value: crate::Node,
    /// Who answered.
    pub by: Option<String>,
    /// Where it is written.
    pub span: Span,
}

/// How a threat was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DecisionKind {
    /// The owners live with it.
    Accept,
    /// It will be or is mitigated outside the plan.
    Mitigate,
    /// An insurer or supplier bears it.
    Transfer,
    /// The cause goes away.
    Avoid,
    /// The finding is wrong.
    FalsePositive,
}

/// A decision on a threat.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Id of the threat, or `rule` / `rule@address pattern`.
    pub threat: String,
    /// How.
    pub kind: DecisionKind,
    /// Who decided.
    pub by: String,
    /// Why.
    pub why: String,
    /// Last day it holds, ISO 8601 (`2027-03-31`); `None`: no end.
    pub until: Option<String>,
    /// Where it is written.
    pub span: Span,
}
