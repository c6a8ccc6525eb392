//! `bartizan/register/1`: what the register tells as JSON. The types here are what is written, apart from what is kept.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::change::Change;
use crate::course::Course;
use crate::outbox::NoticeState;
use crate::register::{Entry, RecordedRun};
use crate::risk::Risk;
use crate::run::Severity;
use crate::vulnerability::Vulnerability;

/// What was asked of a register; parts that were not asked for are left out.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(title = "bartizan/register/1")]
pub struct Document {
    /// Name and version of the format.
    #[schemars(extend("const" = "bartizan/register/1"))]
    pub schema: &'static str,
    /// Systems, by name.
    pub systems: Vec<SystemDto>,
    /// Notices, in the order of their times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notices: Option<Vec<NoticeDto>>,
}

/// A system.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SystemDto {
    /// Unique name.
    pub name: String,
    /// Address of its repository; empty where it is not known.
    pub repository: String,
    /// What is reviewed.
    pub paths: Vec<String>,
    /// Number of its last run.
    pub last_run: i64,
    /// When it was last looked at, RFC 3339.
    pub looked_at: String,
    /// Day of the latest of the advisories that its packages were last matched against; empty where that never happened.
    pub advisories_of: String,
    /// Runs in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<Vec<RunDto>>,
    /// Risks, worst first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risks: Option<Vec<RiskDto>>,
    /// Vulnerabilities, worst first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vulnerabilities: Option<Vec<VulnerabilityDto>>,
    /// Changes in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Vec<ChangeDto>>,
}

/// A run and the numbers after it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunDto {
    /// Number, from 1.
    pub number: i64,
    /// When, RFC 3339.
    pub at: String,
    /// `record` or `watch`.
    pub cause: String,
    /// Version of the tool.
    pub tool: String,
    /// Revision of the source; empty where it is not known.
    pub revision: String,
    /// SHA-256 of the review; empty where there was none.
    pub review: String,
    /// Day of the latest advisory; empty where there were none.
    pub advisories_of: String,
    /// Files that could not be read.
    pub unread: i64,
    /// Open risks by severity.
    pub open: BTreeMap<&'static str, i64>,
    /// Risks that depend on an answer.
    pub questions: i64,
    /// Risks that controls hold down.
    pub mitigated: i64,
    /// Risks that a decision lets be.
    pub decided: i64,
    /// Sum over open risks of likelihood times impact (1..=25 each) before controls.
    pub inherent: i64,
    /// The same after controls.
    pub residual: i64,
    /// Open vulnerabilities by severity.
    pub vulnerabilities: BTreeMap<&'static str, i64>,
    /// Number of changes that it brought.
    pub changes: i64,
}

/// How something has gone on.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CourseDto {
    /// `open`, `reopened`, `decided`, `mitigated`, `question` or `gone`.
    #[schemars(extend("enum" = ["open", "reopened", "decided", "mitigated", "question", "gone"]))]
    pub state: &'static str,
    /// When it was first seen, RFC 3339.
    pub first_seen: String,
    /// Number of the run that saw it first.
    pub first_run: i64,
    /// When it was last seen, RFC 3339.
    pub last_seen: String,
    /// Number of the run that saw it last.
    pub last_run: i64,
    /// The last decision that was taken in the register.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionDto>,
}

/// A decision.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DecisionDto {
    /// `accept`, `mitigate`, `transfer`, `avoid` or `false-positive`.
    pub kind: String,
    /// Who decided.
    pub by: String,
    /// Why.
    pub why: String,
    /// When, RFC 3339.
    pub at: String,
    /// Last day it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A risk.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RiskDto {
    /// Id of the threat.
    pub id: String,
    /// The rule that raised it.
    pub rule: String,
    /// The rule's title.
    pub title: String,
    /// This instance in one sentence.
    pub message: String,
    /// Of the residual risk.
    pub severity: &'static str,
    /// Likelihood times impact before controls, 1..=25.
    pub inherent: i64,
    /// The same after controls.
    pub residual: i64,
    /// Addresses it concerns, the cause first.
    pub targets: Vec<String>,
    /// What shows it, as `file:line`.
    pub places: Vec<String>,
    /// How it has gone on.
    #[serde(flatten)]
    pub course: CourseDto,
}

/// A vulnerability.
#[derive(Debug, Serialize, JsonSchema)]
pub struct VulnerabilityDto {
    /// Made from package and first name.
    pub id: String,
    /// The name that people know best.
    pub name: String,
    /// All names.
    pub names: Vec<String>,
    /// Ecosystem as OSV names it.
    pub ecosystem: String,
    /// Name of the package.
    pub package: String,
    /// Versions that the system has.
    pub versions: Vec<String>,
    /// Where they were read, as `file:line`.
    pub places: Vec<String>,
    /// What ships the package, by address, or the layer of its image; empty where that is not known.
    pub workloads: Vec<String>,
    /// How bad it is.
    pub severity: &'static str,
    /// CVSS base score, 0..=10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Probability that it is used within 30 days, 0..=1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epss: Option<f64>,
    /// The lowest version that mends it; empty where none does.
    pub fixed: String,
    /// Day since which it is known to be used; empty where it is not.
    pub known_exploited: String,
    /// `unmaintained`, `unsound` or `notice` where it is no flaw that an attacker uses; else empty.
    pub informational: String,
    /// One sentence.
    pub summary: String,
    /// Which advisory arrived when.
    pub advisories: Vec<ArrivalDto>,
    /// How it has gone on.
    #[serde(flatten)]
    pub course: CourseDto,
}

/// An advisory that arrived.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ArrivalDto {
    /// Its id at its publisher.
    pub id: String,
    /// When it was published, as it says.
    pub published: String,
    /// When it was first met here, RFC 3339.
    pub arrived: String,
    /// Number of the run that met it.
    pub run: i64,
}

/// A change.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangeDto {
    /// Number, from 1.
    pub number: i64,
    /// Number of the run that brought it.
    pub run: i64,
    /// When, RFC 3339.
    pub at: String,
    /// `risk` or `vulnerability`.
    pub about: &'static str,
    /// Id of the risk or vulnerability.
    pub id: String,
    /// What happened: `new`, `reopened`, `worse`, `milder`, `advisory`, `question`, `decided`, `revoked`, `mitigated`, `gone`.
    pub kind: &'static str,
    /// Who did it, where a person did.
    pub who: String,
    /// More words on it; may be empty.
    pub text: String,
}

/// A notice and where it stands.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NoticeDto {
    /// The key by which receivers know a repeated delivery.
    pub key: String,
    /// Name of the channel.
    pub channel: String,
    /// The news in one line.
    pub summary: String,
    /// When it was written, RFC 3339.
    pub created: String,
    /// `waiting`, `sent` or `failed`.
    pub state: String,
    /// Tries so far.
    pub attempts: i64,
    /// What the last try met; empty where it went well.
    pub error: String,
    /// When it was sent, RFC 3339; empty where it was not.
    pub sent: String,
}

/// JSON Schema of the format.
pub fn schema() -> Value {
    schemars::schema_for!(Document).to_value()
}

impl Document {
    /// An empty one.
    pub fn new() -> Self {
        Self { schema: "bartizan/register/1", ..Self::default() }
    }
}

impl From<&Entry> for SystemDto {
    fn from(entry: &Entry) -> Self {
        Self {
            name: entry.system.name.clone(),
            repository: entry.system.repository.clone(),
            paths: entry.system.paths.clone(),
            last_run: entry.n_runs,
            looked_at: entry.looked_at.to_string(),
            advisories_of: entry.database_day.clone(),
            runs: None,
            risks: None,
            vulnerabilities: None,
            changes: None,
        }
    }
}

fn by_word(counts: &BTreeMap<Severity, i64>) -> BTreeMap<&'static str, i64> {
    counts.iter().map(|(severity, n)| (severity.id(), *n)).collect()
}

impl From<&RecordedRun> for RunDto {
    fn from(run: &RecordedRun) -> Self {
        Self {
            number: run.number,
            at: run.at.to_string(),
            cause: run.cause.clone(),
            tool: run.tool.clone(),
            revision: run.revision.clone(),
            review: run.review.clone(),
            advisories_of: run.database_day.clone(),
            unread: run.n_unread,
            open: by_word(&run.open),
            questions: run.questions,
            mitigated: run.mitigated,
            decided: run.decided,
            inherent: run.inherent,
            residual: run.residual,
            vulnerabilities: by_word(&run.vulnerabilities),
            changes: run.n_changes,
        }
    }
}

impl From<&Course> for CourseDto {
    fn from(course: &Course) -> Self {
        Self {
            state: course.state.id(),
            first_seen: course.first_seen.to_string(),
            first_run: course.first_run,
            last_seen: course.last_seen.to_string(),
            last_run: course.last_run,
            decision: course.decision.as_ref().map(|decision| DecisionDto {
                kind: decision.kind.clone(),
                by: decision.by.clone(),
                why: decision.why.clone(),
                at: decision.at.to_string(),
                until: decision.until.clone(),
            }),
        }
    }
}

impl From<&Risk> for RiskDto {
    fn from(risk: &Risk) -> Self {
        let threat = &risk.threat;
        Self {
            id: threat.id.clone(),
            rule: threat.rule.clone(),
            title: threat.title.clone(),
            message: threat.message.clone(),
            severity: threat.severity.id(),
            inherent: threat.inherent,
            residual: threat.residual,
            targets: threat.targets.clone(),
            places: threat.places.clone(),
            course: (&risk.course).into(),
        }
    }
}

impl From<&Vulnerability> for VulnerabilityDto {
    fn from(of: &Vulnerability) -> Self {
        let flaw = of.flaw.clone();
        let arrival = |arrival: &crate::vulnerability::Arrival| ArrivalDto {
            id: arrival.advisory.clone(),
            published: arrival.published.clone(),
            arrived: arrival.at.to_string(),
            run: arrival.run,
        };
        Self {
            id: of.id.clone(),
            name: flaw.name,
            names: flaw.names,
            ecosystem: flaw.ecosystem,
            package: flaw.package,
            versions: of.versions.clone(),
            places: of.places.clone(),
            workloads: of.workloads.clone(),
            severity: flaw.severity.id(),
            score: flaw.score,
            epss: flaw.epss,
            fixed: flaw.fixed,
            known_exploited: flaw.known_exploited,
            informational: flaw.informational,
            summary: flaw.summary,
            advisories: of.arrivals.iter().map(arrival).collect(),
            course: (&of.course).into(),
        }
    }
}

impl From<&Change> for ChangeDto {
    fn from(change: &Change) -> Self {
        Self {
            number: change.number,
            run: change.run,
            at: change.at.to_string(),
            about: change.about.id(),
            id: change.subject.clone(),
            kind: change.kind.id(),
            who: change.who.clone(),
            text: change.text.clone(),
        }
    }
}

impl From<&NoticeState> for NoticeDto {
    fn from(of: &NoticeState) -> Self {
        Self {
            key: of.key.clone(),
            channel: of.channel.clone(),
            summary: of.summary.clone(),
            created: of.created.clone(),
            state: of.state.clone(),
            attempts: of.attempts,
            error: of.error.clone(),
            sent: of.sent_at.clone(),
        }
    }
}
