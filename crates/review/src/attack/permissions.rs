//! What policies say, statement by statement and as it is written: for whoever compares two plans or lists what a principal was given.
//!
//! Nothing is decided here: a statement is listed also where another one denies what it grants.

use bartizan_iam::{Actions, Condition, Document, Effect, Principals, Resources, Statement};
use bartizan_model::{Address, Span};

use super::policy;
use super::world::{Policy, World};

/// Where a statement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// A policy of the principal.
    Policy,
    /// A policy that AWS keeps; its text is not repeated.
    ManagedPolicy,
    /// The permissions boundary of the principal.
    Boundary,
    /// The trust policy of a role.
    Trust,
    /// The policy of a resource.
    ResourcePolicy,
    /// A role of a Kubernetes cluster, an access policy of EKS or a group.
    ClusterRole,
}

impl Via {
    /// Kebab-case word, as in files.
    pub fn id(self) -> &'static str {
        match self {
            Via::Policy => "policy",
            Via::ManagedPolicy => "managed-policy",
            Via::Boundary => "boundary",
            Via::Trust => "trust",
            Via::ResourcePolicy => "resource-policy",
            Via::ClusterRole => "cluster-role",
        }
    }
}

/// One statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// Whom it speaks of: the address of a user, role, group or service account, or what a policy of a resource names (`*`, an account, a
    /// service, an ARN); a group or user of a cluster is `Group/name` or `User/name`.
    pub holder: String,
    /// Where it stands.
    pub via: Via,
    /// Address of the policy or of what carries it; for policies that AWS keeps, their name.
    pub policy: String,
    /// False where it grants, true where it forbids.
    pub denies: bool,
    /// Patterns of actions or verbs, sorted; `not iam:*` for all but these. Empty where AWS keeps the text, or no file shows the rules.
    pub actions: Vec<String>,
    /// Patterns of resources, sorted; `not …` for all but these. For policies of a resource and trust policies the address that carries them;
    /// in a cluster `namespace/secrets`, `*` for every namespace, after `${cluster.arn}/` where the holder is a principal of AWS.
    pub resources: Vec<String>,
    /// Conditions in words, sorted; all must hold.
    pub conditions: Vec<String>,
    /// Where it is written.
    pub span: Option<Span>,
}

/// The statements of all policies with what roles of clusters grant, sorted.
pub(super) fn list(world: &World<'_>, of_clusters: Vec<Permission>) -> Vec<Permission> {
    let mut out = of_clusters;
    for (address, principal) in &world.principals {
        let from = out.len();
        let inherited = |place: usize| principal.through.iter().any(|(_, places)| places.contains(&place));
        for (_, policy) in principal.policies.iter().enumerate().filter(|(place, _)| !inherited(*place)) {
            identity(&mut out, address, policy, Via::Policy);
        }
        if let Some(boundary) = &principal.boundary {
            identity(&mut out, address, boundary, Via::Boundary);
        }
        if let Some(trust) = &principal.trust {
            resource(&mut out, address, trust, Via::Trust);
        }
        out.iter_mut().skip(from).for_each(|permission| name_accounts(permission, world, &principal.account));
    }
    for (address, target) in &world.targets {
        if let Some(document) = &target.policy {
            let from = out.len();
            resource(&mut out, address, document, Via::ResourcePolicy);
            out.iter_mut().skip(from).for_each(|permission| name_accounts(permission, world, &target.account));
        }
    }
    out.sort();
    out.dedup();
    out
}

/// The number that stands for an account which no file tells depends on how many there are: readers see words instead.
fn name_accounts(permission: &mut Permission, world: &World<'_>, own: &str) {
    let Permission { holder, resources, conditions, .. } = permission;
    for text in [holder].into_iter().chain(resources).chain(conditions) {
        if let Some(worded) = world.with_named_accounts(text, own) {
            *text = worded;
        }
    }
}

fn identity(out: &mut Vec<Permission>, holder: &Address, policy: &Policy, via: Via) {
    if let Some(span) = policy.attached_at {
        let via = if via == Via::Policy { Via::ManagedPolicy } else { via };
        out.push(Permission {
            holder: holder.to_string(),
            via,
            policy: policy.name.clone(),
            denies: false,
            actions: Vec::new(),
            resources: Vec::new(),
            conditions: Vec::new(),
            span: Some(span),
        });
        return;
    }
    for statement in &policy.document.statements {
        out.push(told(statement, holder.to_string(), via, policy.name.clone(), resources(&statement.resources)));
    }
}

fn resource(out: &mut Vec<Permission>, carrier: &Address, document: &Document, via: Via) {
    for statement in &document.statements {
        let except = matches!(statement.principals, Principals::Except(_));
        for listed in statement.principals.list() {
            let holder = if except { format!("not {}", listed.text) } else { listed.text.to_string() };
            out.push(told(statement, holder, via, carrier.to_string(), vec![carrier.to_string()]));
        }
    }
}

fn told(statement: &Statement, holder: String, via: Via, policy: String, resources: Vec<String>) -> Permission {
    let mut conditions: Vec<String> = statement.conditions.iter().map(Condition::to_string).collect();
    conditions.sort();
    Permission {
        holder,
        via,
        policy,
        denies: statement.effect == Effect::Deny,
        actions: actions(&statement.actions),
        resources,
        conditions,
        span: Some(policy::span(statement.origin)),
    }
}

fn actions(actions: &Actions) -> Vec<String> {
    words(actions.patterns().iter().map(|pattern| pattern.text.to_string()), actions.is_except())
}

fn resources(resources: &Resources) -> Vec<String> {
    let texts = resources.patterns().iter().map(|pattern| pattern.text.to_string());
    words(texts, matches!(resources, Resources::Except(_)))
}

/// What all but some patterns match is one pattern: `not a, b`.
fn words(patterns: impl Iterator<Item = String>, except: bool) -> Vec<String> {
    let mut patterns: Vec<String> = patterns.collect();
    patterns.sort();
    patterns.dedup();
    if except { vec![format!("not {}", patterns.join(", "))] } else { patterns }
}
