//! Mitigations, response, questions, what is in order and training as they are written.

use bartizan_model::Sources;
use bartizan_review::{Alarm, Fix, InOrder, Mitigation, Question, Recovery, Response, Runbook, TrainingTopic};
use schemars::JsonSchema;
use serde::Serialize;

use super::Origin;
use super::threat::{EvidenceDto, evidence};

/// A control applied to threats of this system.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MitigationDto {
    /// Structural id.
    pub id: String,
    /// The control.
    pub control: String,
    /// The control's title.
    pub title: String,
    /// `prevent`, `detect` or `recover`.
    pub kind: String,
    /// Address it is applied to.
    pub target: String,
    /// Ids of the threats it reduces.
    pub threats: Vec<String>,
    /// What it changes, in words.
    pub effect: String,
    /// Sum of the inherent points it takes away.
    pub risk_reduction: f64,
    /// What drives its cost.
    pub cost: String,
    /// USD per month, where it could be estimated.
    pub cost_usd_per_month: Option<f64>,
    /// What it does to performance.
    pub performance: String,
    /// Whether it is worth it, with the reason.
    pub advice: String,
    /// Ids in standards, with edition.
    pub standards: Vec<String>,
    /// Code that applies it.
    pub fix: Option<FixDto>,
}

/// A fix as code.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FixDto {
    /// `hcl` or `yaml`.
    pub language: String,
    /// The code.
    pub code: String,
    /// Where it belongs.
    pub place: Option<Origin>,
    /// False: fill what is between `<` and `>`.
    pub complete: bool,
}

/// Alarms, recovery and runbooks.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ResponseDto {
    /// Alarms this system needs.
    pub alarms: Vec<AlarmDto>,
    /// Recovery per data store.
    pub recovery: Vec<RecoveryDto>,
    /// One runbook per category that occurs.
    pub runbooks: Vec<RunbookDto>,
}

/// An alarm that a component needs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AlarmDto {
    /// Address of the component.
    pub component: String,
    /// Metric, event or finding.
    pub signal: String,
    /// When to wake someone.
    pub condition: String,
    /// What it tells.
    pub why: String,
    /// Address of the alarm that covers it.
    pub covered_by: Option<String>,
    /// Code for it.
    pub fix: Option<FixDto>,
}

/// Backup and recovery of one data store.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RecoveryDto {
    /// Address of the data store.
    pub component: String,
    /// What is configured.
    pub configured: Vec<EvidenceDto>,
    /// Most data lost.
    pub rpo: String,
    /// Time to come back.
    pub rto: String,
    /// What the owners want, and whether it is met.
    pub target: Option<String>,
    /// What is missing.
    pub gaps: Vec<String>,
}

/// A runbook.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RunbookDto {
    /// Threat category.
    pub category: String,
    /// Title.
    pub title: String,
    /// Markdown.
    pub body: String,
}

/// A question to the teams.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct QuestionDto {
    /// Structural id.
    pub id: String,
    /// The question.
    pub text: String,
    /// Who knows.
    pub to: String,
    /// Address of the component it is about.
    pub about: String,
    /// The setting it is about.
    pub setting: Option<String>,
    /// Why it could not be read.
    pub why: String,
    /// Where it arises.
    pub origin: Option<Origin>,
    /// Ids of threats and rules that the answer decides.
    pub decides: Vec<String>,
}

/// A rule that was checked and found good.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct InOrderDto {
    /// The rule.
    pub rule: String,
    /// Its title.
    pub title: String,
    /// Why it is not raised.
    pub because: String,
    /// Addresses it was checked on.
    pub checked: Vec<String>,
    /// What shows it, for the first of them.
    pub evidence: Vec<EvidenceDto>,
}

/// A topic of the training outline.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TrainingDto {
    /// `developers` or `operators`.
    pub audience: String,
    /// Title.
    pub title: String,
    /// Markdown.
    pub body: String,
    /// Ids of the threats it teaches.
    pub threats: Vec<String>,
}

impl MitigationDto {
    pub(super) fn of(mitigation: &Mitigation, sources: &Sources) -> Self {
        Self {
            id: mitigation.id.clone(),
            control: mitigation.control.clone(),
            title: mitigation.title.clone(),
            kind: mitigation.kind.clone(),
            target: mitigation.target.to_string(),
            threats: mitigation.threats.clone(),
            effect: mitigation.effect.clone(),
            risk_reduction: if mitigation.risk_reduction.is_finite() { mitigation.risk_reduction } else { 0.0 },
            cost: mitigation.cost.clone(),
            cost_usd_per_month: mitigation.cost_usd_per_month.filter(|cost| cost.is_finite()),
            performance: mitigation.performance.clone(),
            advice: mitigation.advice.clone(),
            standards: mitigation.standards.clone(),
            fix: mitigation.fix.as_ref().map(|fix| FixDto::of(fix, sources)),
        }
    }
}

impl FixDto {
    fn of(fix: &Fix, sources: &Sources) -> Self {
        Self { language: fix.language.clone(), code: fix.code.clone(), place: Origin::of(fix.place, sources), complete: fix.complete }
    }
}

impl ResponseDto {
    pub(super) fn of(response: &Response, sources: &Sources) -> Self {
        let alarm = |alarm: &Alarm| AlarmDto {
            component: alarm.component.to_string(),
            signal: alarm.signal.clone(),
            condition: alarm.condition.clone(),
            why: alarm.why.clone(),
            covered_by: alarm.covered_by.as_ref().map(ToString::to_string),
            fix: alarm.fix.as_ref().map(|fix| FixDto::of(fix, sources)),
        };
        let recovery = |recovery: &Recovery| RecoveryDto {
            component: recovery.component.to_string(),
            configured: evidence(&recovery.configured, sources),
            rpo: recovery.rpo.clone(),
            rto: recovery.rto.clone(),
            target: recovery.target.clone(),
            gaps: recovery.gaps.clone(),
        };
        let runbook =
            |runbook: &Runbook| RunbookDto { category: runbook.category.clone(), title: runbook.title.clone(), body: runbook.body.clone() };
        Self {
            alarms: response.alarms.iter().map(alarm).collect(),
            recovery: response.recovery.iter().map(recovery).collect(),
            runbooks: response.runbooks.iter().map(runbook).collect(),
        }
    }
}

impl QuestionDto {
    pub(super) fn of(question: &Question, sources: &Sources) -> Self {
        Self {
            id: question.id.clone(),
            text: question.text.clone(),
            to: question.to.clone(),
            about: question.about.to_string(),
            setting: question.setting.clone(),
            why: question.why.clone(),
            origin: Origin::of(question.span, sources),
            decides: question.decides.clone(),
        }
    }
}

impl InOrderDto {
    pub(super) fn of(checked: &InOrder, sources: &Sources) -> Self {
        Self {
            rule: checked.rule.clone(),
            title: checked.title.clone(),
            because: checked.because.clone(),
            checked: checked.checked.iter().map(ToString::to_string).collect(),
            evidence: evidence(&checked.evidence, sources),
        }
    }
}

impl TrainingDto {
    pub(super) fn of(topic: &TrainingTopic) -> Self {
        Self { audience: topic.audience.clone(), title: topic.title.clone(), body: topic.body.clone(), threats: topic.threats.clone() }
    }
}
