//! `bartizan/diff/1`: what a comparison says, as it is written. Addresses are those of the newer review, of what is gone those of the older one.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// Name of the format.
pub const DIFF: &str = "bartizan/diff/1";

/// What changed between two reviews.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "bartizan/diff/1")]
pub struct Difference {
    /// Name and version of the format.
    #[schemars(extend("const" = "bartizan/diff/1"))]
    pub schema: String,
    /// What the older review is of, as the user named it.
    pub base: String,
    /// What the newer review is of, as the user named it.
    pub head: String,
    /// Open threats before and after.
    pub risk: RiskChange,
    /// Threats: new ones first, then what got worse; within these the worst first.
    pub threats: Vec<ThreatChange>,
    /// Attack paths, in the same order.
    pub attack_paths: Vec<PathChange>,
    /// Who can reach a component; not of components that are new or gone.
    pub exposures: Vec<ExposureChange>,
    /// Statements of policies.
    pub permissions: Vec<PermissionChange>,
    /// Pairs of components whose flows cross a trust boundary.
    pub crossings: Vec<CrossingChange>,
    /// Data flows.
    pub flows: Vec<FlowChange>,
    /// Components, and what decides how they behave.
    pub components: Vec<ComponentChange>,
    /// Questions to the teams.
    pub questions: Vec<QuestionChange>,
    /// Blocks that make nothing since then, because their `count` is zero or their `for_each` empty, where nothing of them is told as gone;
    /// never judged.
    pub switched_off: Vec<SwitchedOff>,
    /// What has another address and is otherwise the same; never judged.
    pub renamed: Vec<Renamed>,
}

/// Which way something changed, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Only the newer review has it.
    New,
    /// It got worse.
    Worse,
    /// It is different, and neither better nor worse.
    Changed,
    /// It got better.
    Better,
    /// Only the older review has it.
    Gone,
}

/// Open threats of both reviews.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RiskChange {
    /// Of the older review.
    pub before: RiskTotals,
    /// Of the newer review.
    pub after: RiskTotals,
}

/// Open threats in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RiskTotals {
    /// Open threats.
    pub open: usize,
    /// Sum of their residual risks, each 1..=25.
    pub total: usize,
    /// How many there are of each severity: `critical`, `high`, `medium`, `low`, `info`.
    pub by_severity: BTreeMap<String, usize>,
    /// Attack paths.
    pub attack_paths: usize,
}

/// A place in the sources.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Spot {
    /// Path as the review names it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
}

/// A threat.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ThreatChange {
    /// Which way.
    pub change: Change,
    /// Whether a gate may judge it: it is open, and new or worse.
    pub judged: bool,
    /// Its id; of what is gone the one that it had.
    pub id: String,
    /// Its id in the older review, where it was another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_before: Option<String>,
    /// The rule.
    pub rule: String,
    /// The rule's title.
    pub title: String,
    /// This instance in one sentence.
    pub message: String,
    /// Main group.
    pub category: String,
    /// `critical`, `high`, `medium`, `low`, `info`.
    pub severity: String,
    /// In the older review, where it has it.
    pub severity_before: Option<String>,
    /// Residual risk, 1..=25.
    pub risk: u8,
    /// In the older review, where it has it.
    pub risk_before: Option<u8>,
    /// `open`, `mitigated`, `accepted` or `question`.
    pub status: String,
    /// In the older review, where it has it.
    pub status_before: Option<String>,
    /// Addresses it concerns, the cause first.
    pub targets: Vec<String>,
    /// What it concerns only in the newer review.
    pub targets_new: Vec<String>,
    /// What it no longer concerns.
    pub targets_gone: Vec<String>,
    /// The decision that applies, or applied until it expired.
    pub decision: Option<String>,
    /// The place to fix.
    pub origin: Option<Spot>,
}

/// An attack path.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PathChange {
    /// Which way.
    pub change: Change,
    /// Its id.
    pub id: String,
    /// Where it starts.
    pub from: String,
    /// Where it ends: an address, or `admin`.
    pub to: String,
    /// What is done at its end: `read`, `write`, `destroy`, `disrupt`.
    pub operation: Option<String>,
    /// The places between, in order.
    pub over: Vec<String>,
    /// The severity by which a gate judges it: that of the worst open threat on it, of a path to administrator rights at least high; medium where
    /// no threat lies on it.
    pub severity: String,
    /// Probability that an attacker who tries gets through, ratio 0..=1; of what is gone the one that it had.
    pub likelihood: f64,
    /// In the older review, where it has it.
    pub likelihood_before: Option<f64>,
}

/// Who can reach a component.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ExposureChange {
    /// `worse` or `better`.
    pub change: Change,
    /// The component.
    pub address: String,
    /// `internet`, `other-accounts`, `account`, `vpc`, `cluster`, `none`.
    pub exposure: String,
    /// In the older review.
    pub exposure_before: String,
    /// Why it has that exposure now.
    pub why: Vec<String>,
    /// What says so.
    pub origin: Option<Spot>,
}

/// A statement of a policy, as far as the other review's policies of the same holder do not cover it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct PermissionChange {
    /// `new` or `gone`; a statement that forbids is `new` where more is forbidden.
    pub change: Change,
    /// Whether it widens what somebody may do: a grant that is new, or a denial or a boundary that is gone.
    pub widens: bool,
    /// Whom it speaks of.
    pub holder: String,
    /// `policy`, `managed-policy`, `boundary`, `trust`, `resource-policy` or `cluster-role`.
    pub via: String,
    /// `allow` or `deny`.
    pub effect: String,
    /// Patterns of actions or verbs; empty for policies that AWS keeps, and roles whose rules no file shows.
    pub actions: Vec<String>,
    /// Patterns of resources, in a cluster `namespace/secrets`; for policies that AWS keeps empty.
    pub resources: Vec<String>,
    /// Conditions; all must hold.
    pub conditions: Vec<String>,
    /// The policy.
    pub policy: String,
    /// Where it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Spot>,
}

/// A pair of components with a flow across a trust boundary.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct CrossingChange {
    /// `new` or `gone`.
    pub change: Change,
    /// The boundary that the flow leaves, in words.
    pub out_of: String,
    /// The boundary that it enters, in words.
    pub into: String,
    /// Address of the caller or the data's origin.
    pub from: String,
    /// Address of the other side.
    pub to: String,
}

/// A data flow.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FlowChange {
    /// Which way.
    pub change: Change,
    /// Address of the caller or the data's origin.
    pub from: String,
    /// Address of the other side.
    pub to: String,
    /// Lower-case protocol.
    pub protocol: String,
    /// TCP or UDP port.
    pub port: Option<u16>,
    /// Whether it crosses a trust boundary.
    pub crosses: bool,
    /// `declared`, `integration`, `granted` or `reachable`.
    pub confidence: String,
    /// What is different, by name: `port`, `encrypted`, `authentication`, `status`, `data`.
    pub changes: Vec<SettingChange>,
    /// Why we say so.
    pub why: Option<String>,
    /// What says so.
    pub origin: Option<Spot>,
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SettingChange {
    /// Its name in the catalogue.
    pub name: String,
    /// In the older review; what is not known is `{"unknown": reason}`.
    pub before: Value,
    /// In the newer review.
    pub after: Value,
}

/// A component.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ComponentChange {
    /// Which way: `new`, `gone` or `changed`.
    pub change: Change,
    /// Its address.
    pub address: String,
    /// The catalogue's type: `s3.bucket`.
    pub component_type: String,
    /// `external_entity`, `process`, `data_store` or `supporting`.
    pub kind: String,
    /// What a reader calls it.
    pub name: String,
    /// Who can reach it, where that was derived.
    pub exposure: Option<String>,
    /// The trust boundary around it, in words.
    pub boundary: Option<String>,
    /// The module that it went into by a `moved` block, where the module's code is not among the files, so that nobody can tell what became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub went_into: Option<String>,
    /// Settings that differ; statements of policies are told among the permissions.
    pub settings: Vec<SettingChange>,
    /// Where it is declared.
    pub origin: Option<Spot>,
}

/// A question to the teams.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct QuestionChange {
    /// `new` or `gone`.
    pub change: Change,
    /// The question.
    pub text: String,
    /// Who knows.
    pub to: String,
    /// The component it is about.
    pub about: String,
}

/// A block that makes nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct SwitchedOff {
    /// Where its instances would stand, without their key; the first of several.
    pub address: String,
    /// How many uses of the block there are: one for each module call that it lies in.
    pub uses: usize,
    /// The block.
    pub origin: Option<Spot>,
}

/// What has another address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Renamed {
    /// In the older review.
    pub before: String,
    /// In the newer review.
    pub after: String,
}

impl Difference {
    /// True where nothing of the architecture changed; what is only renamed does not count.
    pub fn is_empty(&self) -> bool {
        self.threats.is_empty()
            && self.attack_paths.is_empty()
            && self.exposures.is_empty()
            && self.permissions.is_empty()
            && self.crossings.is_empty()
            && self.flows.is_empty()
            && self.components.is_empty()
            && self.questions.is_empty()
    }

    /// Threats and attack paths of at least this severity that are new or worse: what a gate stops.
    pub fn stops(&self, severity: bartizan_review::Severity) -> usize {
        let at_gate = |word: &str| super::snapshot::severity(word) >= severity;
        let threats = self.threats.iter().filter(|threat| threat.judged && at_gate(&threat.severity));
        let paths = self.attack_paths.iter().filter(|path| path.change <= Change::Worse && at_gate(&path.severity));
        threats.count() + paths.count()
    }
}
