//! Threats, risks and attack paths as they are written.

use bartizan_model::Sources;
use bartizan_review::{Evidence, Score, Term, Threat};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Place, redact, words};

/// A threat.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ThreatDto {
    /// Structural id: it survives edits elsewhere.
    pub id: String,
    /// The rule that raised it.
    pub rule: String,
    /// The rule's title.
    pub title: String,
    /// This instance in one sentence.
    pub message: String,
    /// Main group: `data-exfiltration`, …
    pub category: String,
    /// STRIDE words.
    pub stride: Vec<String>,
    /// MITRE ATT&CK technique ids.
    pub attack: Vec<String>,
    /// CWE ids.
    pub cwe: Vec<String>,
    /// Addresses it concerns, the cause first.
    pub targets: Vec<String>,
    /// True where the rule judges the system as a whole: the targets are all that it looked at.
    pub of_system: bool,
    /// Ids of the flows it concerns.
    pub flows: Vec<String>,
    /// `open`, `mitigated`, `accepted` or `question`.
    pub status: String,
    /// Of the residual risk: `critical`, `high`, `medium`, `low`, `info`.
    pub severity: String,
    /// Before evidenced controls.
    pub inherent_severity: String,
    /// Before evidenced controls.
    pub likelihood: ScoreDto,
    /// Before evidenced controls.
    pub impact: ScoreDto,
    /// After evidenced controls.
    pub residual: LevelsDto,
    /// What shows it; the first is the place to fix.
    pub evidence: Vec<EvidenceDto>,
    /// Ids of controls that would help, best first.
    pub controls: Vec<String>,
    /// Ids of controls that are evidenced.
    pub controls_present: Vec<String>,
    /// Ids of attack paths it lies on.
    pub paths: Vec<String>,
    /// The decision that applies.
    pub decision: Option<String>,
    /// Why it matters, Markdown.
    pub explanation: String,
    /// Pages to read.
    pub references: Vec<String>,
}

/// A score with its reasoning.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ScoreDto {
    /// 1..=5.
    pub value: u8,
    /// The terms; their sum, rounded and clamped, is the value.
    pub terms: Vec<TermDto>,
}

/// One term of a score.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TermDto {
    /// What it adds, in points.
    pub points: f64,
    /// Why.
    pub text: String,
    /// What shows it.
    pub evidence: Vec<EvidenceDto>,
}

/// Residual levels.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LevelsDto {
    /// Likelihood.
    pub likelihood: ScoreDto,
    /// Impact.
    pub impact: ScoreDto,
    /// Likelihood times impact, 1..=25.
    pub risk: u8,
    /// Severity from the matrix.
    pub severity: String,
}

/// A place that shows something.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EvidenceDto {
    /// Path relative to the reviewed root.
    pub file: String,
    /// First line, from 1.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// First column in characters, from 1.
    pub column: u32,
    /// Last column, inclusive.
    pub end_column: u32,
    /// What is there.
    pub text: String,
}

/// The risk of one threat, for a register.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RiskDto {
    /// Id of the threat.
    pub threat: String,
    /// Likelihood times impact before evidenced controls, 1..=25.
    pub inherent: u8,
    /// Likelihood times impact after them, 1..=25.
    pub residual: u8,
    /// Severity of the residual risk.
    pub severity: String,
    /// `open`, `mitigated`, `accepted` or `question`.
    pub status: String,
    /// The decision that applies.
    pub decision: Option<String>,
}

impl ThreatDto {
    pub(super) fn of(threat: &Threat, sources: &Sources) -> Self {
        Self {
            id: threat.id.clone(),
            rule: threat.rule.clone(),
            title: threat.title.clone(),
            message: redact::redact(&threat.message),
            category: threat.category.id().to_owned(),
            stride: threat.stride.clone(),
            attack: threat.attack.clone(),
            cwe: threat.cwe.clone(),
            targets: threat.targets.iter().map(ToString::to_string).collect(),
            of_system: threat.of_system,
            flows: threat.flows.clone(),
            status: words::status_id(threat.status).to_owned(),
            severity: threat.severity.id().to_owned(),
            inherent_severity: threat.inherent_severity.id().to_owned(),
            likelihood: ScoreDto::of(&threat.likelihood, sources),
            impact: ScoreDto::of(&threat.impact, sources),
            residual: LevelsDto {
                likelihood: ScoreDto::of(&threat.residual_likelihood, sources),
                impact: ScoreDto::of(&threat.residual_impact, sources),
                risk: threat.residual_risk(),
                severity: threat.severity.id().to_owned(),
            },
            evidence: evidence(&threat.evidence, sources),
            controls: threat.controls.clone(),
            controls_present: threat.controls_present.clone(),
            paths: threat.paths.clone(),
            decision: threat.decision.clone(),
            explanation: threat.explanation.clone(),
            references: threat.references.clone(),
        }
    }
}

impl ScoreDto {
    fn of(score: &Score, sources: &Sources) -> Self {
        let term = |term: &Term| TermDto {
            points: if term.points.is_finite() { term.points } else { 0.0 },
            text: redact::redact(&term.text),
            evidence: evidence(&term.evidence, sources),
        };
        Self { value: score.value, terms: score.terms.iter().map(term).collect() }
    }
}

/// One risk per threat, highest residual first, then by id.
pub(super) fn risks(threats: &[Threat]) -> Vec<RiskDto> {
    let mut sorted: Vec<&Threat> = threats.iter().collect();
    sorted.sort_by(|a, b| (b.severity, b.residual_risk()).cmp(&(a.severity, a.residual_risk())).then_with(|| a.id.cmp(&b.id)));
    let risk = |threat: &Threat| RiskDto {
        threat: threat.id.clone(),
        inherent: threat.inherent_risk(),
        residual: threat.residual_risk(),
        severity: threat.severity.id().to_owned(),
        status: words::status_id(threat.status).to_owned(),
        decision: threat.decision.clone(),
    };
    sorted.into_iter().map(risk).collect()
}

pub(super) fn evidence(evidence: &[Evidence], sources: &Sources) -> Vec<EvidenceDto> {
    let written = |item: &Evidence| {
        let place = Place::of(sources, item.span)?;
        Some(EvidenceDto {
            file: place.file,
            line: place.line,
            end_line: place.end_line,
            column: place.column,
            end_column: place.end_column,
            text: redact::redact(&item.text),
        })
    };
    evidence.iter().filter_map(written).collect()
}
