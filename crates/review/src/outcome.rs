//! What a review says: the types of its outcome. Plain values; `report` writes them.

use std::collections::BTreeMap;

use bartizan_model::{Address, Architecture, Diagnostic, Span};

use crate::attack::Attack;

/// A review of one architecture: all seven steps.
#[derive(Clone, Debug)]
pub struct Review {
    /// The architecture with flows, boundaries, exposure and assets filled in.
    pub architecture: Architecture,
    /// Threats, worst first (severity, then risk, then id).
    pub threats: Vec<Threat>,
    /// Attack paths from outside to administrator rights and sensitive data, likeliest first.
    pub attack_paths: Vec<AttackPath>,
    /// Attack paths beyond those that a reader has time for, in the same order and without cuts: for comparisons.
    pub further_paths: Vec<AttackPath>,
    /// The attack graph that they are paths of.
    pub attack: Attack,
    /// Mitigations, most risk reduced first.
    pub mitigations: Vec<Mitigation>,
    /// Alarms, recovery and runbooks.
    pub response: Response,
    /// What only the teams can answer, most threats decided by it first.
    pub questions: Vec<Question>,
    /// What was checked and found good.
    pub in_order: Vec<InOrder>,
    /// Training outline per audience.
    pub training: Vec<TrainingTopic>,
    /// Problems of catalogue or evaluation (those of the input are in the architecture).
    pub diagnostics: Vec<Diagnostic>,
}

/// The six groups of the review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Someone acts who should not.
    UnauthorizedAccess,
    /// Data leaves.
    DataExfiltration,
    /// Data or code is changed.
    DataTampering,
    /// Money, quota or capacity runs out.
    ResourceExhaustion,
    /// The service stops.
    DenialOfService,
    /// Something we depend on turns bad.
    InsecureDependencies,
}

impl Category {
    /// All, in the order reports use.
    pub const ALL: [Category; 6] = [
        Category::UnauthorizedAccess,
        Category::DataExfiltration,
        Category::DataTampering,
        Category::ResourceExhaustion,
        Category::DenialOfService,
        Category::InsecureDependencies,
    ];

    /// Kebab-case id, as in files.
    pub fn id(self) -> &'static str {
        match self {
            Category::UnauthorizedAccess => "unauthorized-access",
            Category::DataExfiltration => "data-exfiltration",
            Category::DataTampering => "data-tampering",
            Category::ResourceExhaustion => "resource-exhaustion",
            Category::DenialOfService => "denial-of-service",
            Category::InsecureDependencies => "insecure-dependencies",
        }
    }
}

/// Severity of a threat, from the risk matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Accept or fix when convenient.
    Low,
    /// Plan a fix.
    Medium,
    /// Fix in this release.
    High,
    /// Fix before anything else.
    Critical,
}

impl Severity {
    /// Lower-case word.
    pub fn id(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

/// Where a threat stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Nothing stops it.
    Open,
    /// Evidenced controls bring it to what is tolerated, or a person decided so.
    Mitigated,
    /// A person accepted, transferred or refuted it, and the decision has not expired.
    Accepted,
    /// It depends on an answer.
    Question,
}

/// A score from 1 to 5 with every term of its reasoning.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// 1..=5.
    pub value: u8,
    /// The terms, in the order they were added; their sum, rounded and clamped to 1..=5, is `value`.
    pub terms: Vec<Term>,
}

/// One term of a score.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// What it adds (negative: takes away), in points.
    pub points: f64,
    /// Why, in words.
    pub text: String,
    /// What shows it.
    pub evidence: Vec<Evidence>,
}

/// A place that shows something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Evidence {
    /// Where.
    pub span: Span,
    /// What is there, lower case: ``publicly_accessible is `true` ``.
    pub text: String,
}

/// One threat: one cause, over all its instances.
#[derive(Clone, Debug)]
pub struct Threat {
    /// Structural: rule id and a hash of rule and cause address: `s3-public-read-3f9a1c`.
    pub id: String,
    /// The rule.
    pub rule: String,
    /// The rule's title.
    pub title: String,
    /// This instance in one sentence, with the user's names in backticks.
    pub message: String,
    /// Main group.
    pub category: Category,
    /// STRIDE words.
    pub stride: Vec<String>,
    /// MITRE ATT&CK technique ids.
    pub attack: Vec<String>,
    /// CWE ids: `CWE-732`.
    pub cwe: Vec<String>,
    /// Addresses it concerns, sorted; the cause first.
    pub targets: Vec<Address>,
    /// True where the rule judges the system as a whole: the targets are all that it looked at.
    pub of_system: bool,
    /// Flows it concerns, by id.
    pub flows: Vec<String>,
    /// Where it stands.
    pub status: Status,
    /// Of the residual risk.
    pub severity: Severity,
    /// Severity before evidenced controls.
    pub inherent_severity: Severity,
    /// Before evidenced controls.
    pub likelihood: Score,
    /// Before evidenced controls.
    pub impact: Score,
    /// After evidenced controls.
    pub residual_likelihood: Score,
    /// After evidenced controls.
    pub residual_impact: Score,
    /// What shows it; the first is the place to fix.
    pub evidence: Vec<Evidence>,
    /// Controls that are evidenced already, by id.
    pub controls_present: Vec<String>,
    /// Controls that would help, best first, by id; details in [`Review::mitigations`].
    pub controls: Vec<String>,
    /// Attack paths it lies on, by id.
    pub paths: Vec<String>,
    /// The decision that applies: who, why, until.
    pub decision: Option<String>,
    /// Why it matters, from the rule's page: one paragraph of Markdown.
    pub explanation: String,
    /// Pages to read.
    pub references: Vec<String>,
}

impl Threat {
    /// Inherent risk: likelihood times impact, 1..=25.
    pub fn inherent_risk(&self) -> u8 {
        self.likelihood.value.saturating_mul(self.impact.value)
    }

    /// Residual risk: likelihood times impact, 1..=25.
    pub fn residual_risk(&self) -> u8 {
        self.residual_likelihood.value.saturating_mul(self.residual_impact.value)
    }
}

/// A way from an entry to a goal.
#[derive(Clone, Debug)]
pub struct AttackPath {
    /// Structural id.
    pub id: String,
    /// Where it starts.
    pub from: String,
    /// Where it ends: an address, or `admin`.
    pub to: String,
    /// What is done with data at its end: `read`, `write`, `destroy`, `disrupt`.
    pub operation: Option<&'static str>,
    /// Probability that an attacker who tries gets through, ratio 0..=1.
    pub likelihood: f64,
    /// The steps in order; each comes after those that it rests on.
    pub steps: Vec<PathStep>,
    /// Single changes that take at least four fifths of the likelihood, those that end most paths first; each is proven by computing the
    /// graph without it.
    pub cuts: Vec<Cut>,
}

/// A change that ends attack paths.
#[derive(Clone, Debug, PartialEq)]
pub struct Cut {
    /// What to take away or narrow, in words: what the place says today.
    pub text: String,
    /// Likelihood of reaching the goal after it, ratio 0..=1; 0 where no way is left.
    pub likelihood: f64,
    /// Where.
    pub evidence: Vec<Evidence>,
    /// Other paths of the review that it ends as well, by id.
    pub also_ends: Vec<String>,
}

/// One step of an attack path.
#[derive(Clone, Debug)]
pub struct PathStep {
    /// Where.
    pub from: String,
    /// To.
    pub to: String,
    /// Technique: primitive id or relation.
    pub technique: String,
    /// IAM actions it uses.
    pub actions: Vec<String>,
    /// True where it rests on a flaw that the plan does not show.
    pub assumption: bool,
    /// What must hold and the plan does not tell, in words.
    pub conditions: Vec<String>,
    /// Chance that the step works for somebody who tries, ratio 0..=1.
    pub likelihood: f64,
    /// What shows it.
    pub evidence: Vec<Evidence>,
}

/// A monthly cost above this for each point of risk is worth a thought for what is not of high severity. Judgement, in USD.
pub(crate) const USD_PER_POINT: f64 = 25.0;

/// A control applied to threats of this system.
#[derive(Clone, Debug)]
pub struct Mitigation {
    /// Structural: control id and a hash of the component: `kms-cmk-81b2ee`.
    pub id: String,
    /// The control.
    pub control: String,
    /// The control's title.
    pub title: String,
    /// `prevent`, `detect`, `recover`.
    pub kind: String,
    /// Where it is applied.
    pub target: Address,
    /// The threats it reduces, by id.
    pub threats: Vec<String>,
    /// Points of residual risk that it takes from each of `threats`, in their order; more than 0.
    pub points: Vec<f64>,
    /// What it changes, in words: `likelihood 4 → 2`.
    pub effect: String,
    /// Sum over its threats of inherent points that it takes away.
    pub risk_reduction: f64,
    /// What drives its cost, in words with figures and their source.
    pub cost: String,
    /// USD per month, where workload figures allow an estimate.
    pub cost_usd_per_month: Option<f64>,
    /// What it does to performance, in words with figures and their source.
    pub performance: String,
    /// `worth it`, `consider`, `not worth it`: reduction against cost, latency and the declared budget; with the reason.
    pub advice: String,
    /// `AWS FSBP S3.8`, `CIS AWS 7.0 2.1.4`, `Well-Architected SEC08-BP02`; with edition.
    pub standards: Vec<String>,
    /// Terraform that names the user's own resources; `None` where it is no matter of configuration.
    pub fix: Option<Fix>,
}

impl Mitigation {
    /// True where it only shortens the time until somebody notices.
    pub fn only_detects(&self) -> bool {
        self.kind == "detect"
    }

    /// Points of residual risk that it takes from a threat, by its id; 0 where it is none of its threats.
    pub fn points_from(&self, threat: &str) -> f64 {
        self.threats.iter().zip(&self.points).find(|(id, _)| *id == threat).map_or(0.0, |(_, points)| *points)
    }

    /// True where its cost, as far as it can be told, is much for what it takes from a threat: a commitment such as Shield Advanced.
    pub fn is_dear_for(&self, threat: &str) -> bool {
        self.cost_usd_per_month.is_some_and(|usd| usd > USD_PER_POINT * self.points_from(threat))
    }
}

/// A fix as code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// `hcl`, `yaml`.
    pub language: String,
    /// The code.
    pub code: String,
    /// Where it belongs.
    pub place: Option<Span>,
    /// True when applied alone it is complete; false: fill what is between `<` and `>`.
    pub complete: bool,
}

/// Step 6.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// Alarms this system needs, and whether it has them.
    pub alarms: Vec<Alarm>,
    /// Recovery per data store.
    pub recovery: Vec<Recovery>,
    /// One runbook per threat category that occurs.
    pub runbooks: Vec<Runbook>,
}

/// An alarm that a component needs.
#[derive(Clone, Debug)]
pub struct Alarm {
    /// The component.
    pub component: Address,
    /// CloudWatch namespace and metric, CloudTrail event or GuardDuty finding.
    pub signal: String,
    /// When to wake someone.
    pub condition: String,
    /// What it tells.
    pub why: String,
    /// The alarm resource that covers it, if any.
    pub covered_by: Option<Address>,
    /// Terraform for it.
    pub fix: Option<Fix>,
}

/// Backup and recovery of one data store.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// The data store.
    pub component: Address,
    /// What is configured, with evidence.
    pub configured: Vec<Evidence>,
    /// Most data lost, in words: `5 minutes (point-in-time recovery)`, `everything`.
    pub rpo: String,
    /// Time to come back, in words.
    pub rto: String,
    /// What the owners want, where declared, and whether it is met.
    pub target: Option<String>,
    /// What is missing, in words.
    pub gaps: Vec<String>,
}

/// A runbook with this system's names in its commands.
#[derive(Clone, Debug)]
pub struct Runbook {
    /// Threat category id.
    pub category: String,
    /// Title.
    pub title: String,
    /// Markdown, commands filled with this system's names.
    pub body: String,
}

/// A question to the teams.
#[derive(Clone, Debug)]
pub struct Question {
    /// Structural id.
    pub id: String,
    /// The question, one sentence.
    pub text: String,
    /// Who knows: `development`, `operations`, `data owner`.
    pub to: String,
    /// The component it is about.
    pub about: Address,
    /// The setting it is about, if it is one.
    pub setting: Option<String>,
    /// Why it could not be read from the files.
    pub why: String,
    /// Where it arises.
    pub span: Option<Span>,
    /// Threats and rules that the answer decides, by id.
    pub decides: Vec<String>,
}

/// A rule that was checked and found good.
#[derive(Clone, Debug)]
pub struct InOrder {
    /// The rule.
    pub rule: String,
    /// Its title.
    pub title: String,
    /// Why it is not raised.
    pub because: String,
    /// The components it was checked on, sorted.
    pub checked: Vec<Address>,
    /// What shows it, for the first components.
    pub evidence: Vec<Evidence>,
}

/// A topic of the training outline.
#[derive(Clone, Debug)]
pub struct TrainingTopic {
    /// `developers` or `operators`.
    pub audience: String,
    /// Title.
    pub title: String,
    /// Markdown with this system's examples.
    pub body: String,
    /// Threats it teaches, by id.
    pub threats: Vec<String>,
}

/// What a reviewer's organisation decides about the review itself; no IO, so the day is passed in.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Today, ISO 8601, for decisions that expire; `None`: none expires.
    pub today: Option<String>,
    /// Whether the attack graph lists what each principal may do to each component, beyond what its search needs.
    pub every_right: bool,
    /// Rules to leave out, by id.
    pub disabled_rules: Vec<String>,
    /// Values by which messages and runbooks are filled when the plan has none: region, account.
    pub placeholders: BTreeMap<String, String>,
}
