//! Attack paths and edges, and what principals hold.

use bartizan_model::{Architecture, Diagnostic, Sources};
use bartizan_review::{Access, Attack, AttackPath, Cut, Edge, PathStep};
use schemars::JsonSchema;
use serde::Serialize;

use super::architecture::DiagnosticDto;
use super::threat::{EvidenceDto, evidence};

/// Name of the format of paths.
pub const PATHS: &str = "bartizan/paths/1";
/// Name of the format of principals.
pub const ACCESS: &str = "bartizan/access/1";

/// A way from an entry to a goal.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AttackPathDto {
    /// Which path it is.
    #[serde(flatten)]
    pub named: FurtherPathDto,
    /// The steps in order; each comes after those that it rests on.
    pub steps: Vec<PathStepDto>,
    /// Single changes that end the path, each proven by computing the graph without it.
    pub cuts: Vec<CutDto>,
}

/// An attack path that is only named.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FurtherPathDto {
    /// Structural id.
    pub id: String,
    /// Where it starts.
    pub from: String,
    /// Where it ends: an address, or `admin`.
    pub to: String,
    /// What is done with data at its end: `read`, `write`, `destroy`, `disrupt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Probability that an attacker who tries gets through, ratio 0..=1.
    pub likelihood: f64,
}

impl FurtherPathDto {
    pub(super) fn of(path: &AttackPath) -> Self {
        Self {
            id: path.id.clone(),
            from: path.from.clone(),
            to: path.to.clone(),
            operation: path.operation.map(str::to_owned),
            likelihood: if path.likelihood.is_finite() { path.likelihood } else { 0.0 },
        }
    }
}

/// One step of an attack path.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PathStepDto {
    /// Who acts.
    pub from: String,
    /// On whom or what.
    pub to: String,
    /// Primitive of the catalogue, or relation.
    pub technique: String,
    /// IAM actions it uses.
    pub actions: Vec<String>,
    /// True where it rests on a flaw that the plan does not show.
    pub assumption: bool,
    /// What must hold and the plan does not tell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// What shows it.
    pub evidence: Vec<EvidenceDto>,
}

/// A change that ends paths.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CutDto {
    /// What to take away or narrow: what the place says today.
    pub text: String,
    /// Likelihood of reaching the goal after it, ratio 0..=1; 0 where no way is left.
    pub likelihood: f64,
    /// Where.
    pub evidence: Vec<EvidenceDto>,
    /// Other paths that it ends as well, by id.
    pub also_ends: Vec<String>,
}

/// An edge of the attack graph between addresses.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EdgeDto {
    /// Who acts.
    pub from: String,
    /// On whom or what.
    pub to: String,
    /// Primitive of the catalogue, or relation.
    pub technique: String,
    /// IAM actions it uses.
    pub actions: Vec<String>,
    /// `yes` or `conditional`.
    pub verdict: String,
}

/// Paths and edges.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "bartizan/paths/1")]
pub struct PathsDto {
    /// Name and version of the format.
    #[schemars(extend("const" = "bartizan/paths/1"))]
    pub schema: String,
    /// Paths, first where likelihood times worth of the goal is most.
    pub paths: Vec<AttackPathDto>,
    /// Every edge of the graph, sorted.
    pub edges: Vec<EdgeDto>,
    /// Edges of administrators to data that were left out because there are too many.
    pub edges_left_out: usize,
    /// Problems of the input.
    pub diagnostics: Vec<DiagnosticDto>,
}

/// What a principal is and can become.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PrincipalDto {
    /// The user, role or group.
    pub address: String,
    /// `user`, `role` or `group`.
    pub kind: String,
    /// Whether it is an administrator: `yes`, `no` or `conditional`.
    pub admin: String,
    /// Whether it can become one, at once or by others: `yes`, `no` or `conditional`.
    pub escalates: String,
    /// The techniques of the likeliest way, in order.
    pub via: Vec<String>,
    /// What must hold for that.
    pub conditions: Vec<String>,
}

/// Principals.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "bartizan/access/1")]
pub struct AccessDto {
    /// Name and version of the format.
    #[schemars(extend("const" = "bartizan/access/1"))]
    pub schema: String,
    /// Sorted by address.
    pub principals: Vec<PrincipalDto>,
    /// Problems of the input.
    pub diagnostics: Vec<DiagnosticDto>,
}

impl AttackPathDto {
    pub(super) fn of(path: &AttackPath, sources: &Sources) -> Self {
        let step = |step: &PathStep| PathStepDto {
            from: step.from.clone(),
            to: step.to.clone(),
            technique: step.technique.clone(),
            actions: step.actions.clone(),
            assumption: step.assumption,
            conditions: step.conditions.clone(),
            evidence: evidence(&step.evidence, sources),
        };
        let cut = |cut: &Cut| CutDto {
            text: cut.text.clone(),
            likelihood: if cut.likelihood.is_finite() { cut.likelihood } else { 0.0 },
            evidence: evidence(&cut.evidence, sources),
            also_ends: cut.also_ends.clone(),
        };
        Self { named: FurtherPathDto::of(path), steps: path.steps.iter().map(step).collect(), cuts: path.cuts.iter().map(cut).collect() }
    }
}

/// Paths that were asked for, with all edges, as `bartizan/paths/1`.
pub fn paths(architecture: &Architecture, attack: &Attack, paths: &[AttackPath]) -> PathsDto {
    let sources = &architecture.sources;
    let (edges, edges_left_out) = attack.edges();
    let edge = |edge: Edge| EdgeDto {
        from: edge.from,
        to: edge.to,
        technique: edge.technique,
        actions: edge.actions,
        verdict: edge.verdict.id().to_owned(),
    };
    PathsDto {
        schema: PATHS.to_owned(),
        paths: paths.iter().map(|path| AttackPathDto::of(path, sources)).collect(),
        edges: edges.into_iter().map(edge).collect(),
        edges_left_out,
        diagnostics: diagnostics(&architecture.diagnostics, sources),
    }
}

/// What principals hold, as `bartizan/access/1`.
pub fn access(architecture: &Architecture, principals: &[Access]) -> AccessDto {
    let principal = |access: &Access| PrincipalDto {
        address: access.address.to_string(),
        kind: access.kind.to_owned(),
        admin: access.admin.id().to_owned(),
        escalates: access.escalates.id().to_owned(),
        via: access.via.clone(),
        conditions: access.conditions.clone(),
    };
    AccessDto {
        schema: ACCESS.to_owned(),
        principals: principals.iter().map(principal).collect(),
        diagnostics: diagnostics(&architecture.diagnostics, &architecture.sources),
    }
}

fn diagnostics(diagnostics: &[Diagnostic], sources: &Sources) -> Vec<DiagnosticDto> {
    diagnostics.iter().map(|diagnostic| DiagnosticDto::of(diagnostic, sources)).collect()
}
