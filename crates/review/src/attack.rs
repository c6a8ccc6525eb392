//! The attack graph of a plan: from the internet, other accounts, identity providers and insiders to administrator rights and data.
//!
//! Step 3 of the review. Facts and steps are in [`graph`]; permissions are decided in [`rights`] over the [`world`] of principals and
//! resources; [`join`] binds the catalogue's primitives, [`trust`], [`compute`], [`secrets`] and [`kubernetes`] add what is no matter of one action.
//! What it does not do: it does not guess actions from names, and it never takes an unknown for a yes or a no; what the plan does not tell
//! becomes a condition of the step.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use bartizan_model::{Address, Span};

mod can;
mod cognito;
pub(crate) mod compute;
mod controls;
mod direct;
pub(crate) mod facts;
pub(crate) mod graph;
mod join;
mod kubernetes;
mod metadata;
mod outsiders;
mod paths;
mod permissions;
mod policy;
pub(crate) mod query;
mod reach;
mod rights;
mod secrets;
mod trust;
mod world;

use compute::{Compute, plain};
use graph::{AttackGraph, Fact, FactId, Operation};
use join::Join;
use kubernetes::Kubernetes;
use rights::{Actor, Need, On, Powers, Rights};
use trust::Entries;
use world::World;

use crate::catalogue::attack::{Gain, Primitive, Primitives, Variable};
use crate::flows::Seen;
use crate::flows::index::Index;
use crate::flows::set::FlowSet;
use crate::outcome::{Evidence, Policy};

pub use can::{Answer, Asked, Line, Unanswered, can};
pub use permissions::{Permission, Via};
pub use query::{Access, Edge, Goal, Standing};

/// Actions that together let their holder do anything: it can give itself whatever is missing, and it holds the main services.
const ADMINISTRATION: &[&str] = &[
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreatePolicyVersion",
    "iam:CreateRole",
    "iam:CreateUser",
    "iam:PassRole",
    "iam:PutRolePolicy",
    "iam:PutUserPolicy",
    "iam:UpdateAssumeRolePolicy",
    "cloudformation:CreateStack",
    "dynamodb:GetItem",
    "ec2:RunInstances",
    "lambda:CreateFunction",
    "rds:ModifyDBInstance",
    "s3:GetObject",
    "secretsmanager:GetSecretValue",
    "sts:AssumeRole",
];

/// The attack graph with what is known of its principals.
#[derive(Clone, Debug, Default)]
pub struct Attack {
    /// Facts and steps.
    pub graph: AttackGraph,
    /// Entries from outside with a name for readers, and the part of an ARN that names them otherwise.
    pub(crate) entries: Vec<(FactId, String, Option<String>)>,
    /// The part of the ARN that names a principal: `role/app`.
    pub(crate) names: BTreeMap<Address, String>,
    /// What makes a component run what is in it, for edges from it to its role.
    pub(crate) starts: BTreeMap<Address, Arc<[String]>>,
    /// Places that make the system work and restrict nobody: integrations, mentions, routes.
    pub(crate) wiring: HashSet<Span>,
    /// What of a principal's policies the plan does not tell.
    pub(crate) gaps: BTreeMap<Address, String>,
    /// Users, roles and groups with whether each is an administrator.
    pub(crate) principals: Vec<(Address, &'static str, Administrator)>,
    /// What reads, changes or destroys each kind of data: for administrators, who need no statement for it.
    pub(crate) administered: Vec<Administered>,
    /// Functions that other components call by configuration: caller, function.
    pub(crate) calls: Vec<(Address, Address)>,
    /// What each principal is and can become, sorted by address.
    pub(crate) standings: Vec<Access>,
    /// Direct rights, where they were asked for, and how many were left out.
    pub(crate) direct: (Vec<direct::Direct>, usize),
    /// What policies say as it is written, sorted.
    pub permissions: Vec<Permission>,
    /// What the attacker does by each technique, by id.
    pub(crate) titles: BTreeMap<String, String>,
}

/// What administrators do with one component.
#[derive(Clone, Debug)]
pub(crate) struct Administered {
    pub(crate) account: String,
    pub(crate) address: Address,
    /// What is done with its data; nothing for a principal, which they become.
    pub(crate) operation: Option<Operation>,
    pub(crate) actions: Vec<String>,
    pub(crate) evidence: Vec<Evidence>,
}

/// Whether a principal is an administrator by its own policies.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Administrator {
    No,
    /// Where the conditions hold.
    When(Vec<String>),
    Yes,
}

/// Builds the attack graph; where the policy asks for every right, also what each principal may do to each component.
pub(crate) fn analyse(seen: &Seen<'_, '_>, primitives: &Primitives, policy: &Policy) -> Attack {
    let Seen { context, flows, entities, .. } = *seen;
    let index = &context.index;
    let world = World::read(index);
    let needed = primitives.list.iter().flat_map(|primitive| &primitive.needs).flat_map(|need| need.actions().cloned());
    let actions = needed.chain(ADMINISTRATION.iter().map(|action| (*action).to_owned()));
    let rights = Rights::new(&world, actions, policy.today.as_deref());
    let mut graph = AttackGraph::default();
    let mut entries = Entries::default();
    let held = secrets::find(context);
    let holders: BTreeSet<Address> = held.iter().map(|held| held.holder.clone()).collect();
    let mut attack = Attack { titles: primitives.titles(), ..Attack::default() };

    trust::add(&rights, index, &mut entries, &mut graph);
    Compute { index, flows, entities, primitives }.add(&mut entries, &mut graph);
    cognito::add(index, &mut entries, &mut graph);
    outsiders::add(context, primitives, &holders, &mut entries, &mut graph);
    secrets::add(context, &held, &mut graph);
    let of_clusters = Kubernetes { index, world: &world, primitives, holders: &holders }.add(&mut entries, &mut graph);
    for (address, principal) in &world.principals {
        let actor = Actor::of(principal);
        let administrator = administrator(&rights, actor);
        let own = graph.fact(Fact::Identity(address.clone()));
        if let Some(step) = administers(own, &principal.account, &administrator, evidence_of(&rights, actor), &mut graph) {
            graph.step(step);
        }
        let kind = principal.component.component_type.rsplit('.').next().unwrap_or("");
        let kind = match kind {
            "user" => "user",
            "role" => "role",
            _ => "group",
        };
        attack.principals.push((address.clone(), kind, administrator));
    }
    let mut join = Join::new(&rights, index, &holders, &primitives.list, &mut graph);
    for (principal, (_, _, administrator)) in world.principals.values().zip(&attack.principals) {
        let actor = Actor::of(principal);
        match administrator {
            // In its own account there is nothing that it could not do.
            Administrator::Yes => join.run_abroad(actor),
            Administrator::No | Administrator::When(_) => join.run(actor),
        }
    }
    freed(&mut join);
    elevated(&mut join);
    administer_others(&world, &mut graph);
    attack.administered = administered(&world, primitives);
    for item in &attack.administered {
        let from = graph.fact(Fact::Admin(item.account.clone()));
        let mut gives = match item.operation {
            Some(operation) => vec![Fact::Data(item.address.clone(), operation)],
            None => vec![Fact::Identity(item.address.clone())],
        };
        if item.operation == Some(Operation::Read) && holders.contains(&item.address) {
            gives.push(Fact::Configuration(item.address.clone()));
        }
        for fact in gives {
            let gives = graph.fact(fact);
            let step = plain(from, gives, "administers", 0.98, item.evidence.as_slice().into());
            graph.step(graph::Step { actions: item.actions.as_slice().into(), ..step });
        }
    }
    attack.entries = entries.list.into_iter().map(|(entry, name)| (entry, name, entries.arns.get(&entry).cloned())).collect();
    attack.gaps = world.principals.iter().filter_map(|(address, principal)| Some((address.clone(), principal.gap.clone()?))).collect();
    attack.names = world.principals.iter().filter_map(|(address, principal)| Some((address.clone(), arn_name(principal)?))).collect();
    if policy.every_right {
        attack.calls = calls(index, flows);
        attack.direct = direct::rights(&rights, index, &attack);
    }
    attack.wiring = paths::wiring(index, flows);
    attack.starts = compute::starts(&graph, index, primitives);
    attack.graph = graph;
    attack.permissions = permissions::list(&world, of_clusters);
    attack.standings = attack.standings();
    attack
}

/// Functions that components of the plan call.
fn calls(index: &Index<'_>, flows: &FlowSet) -> Vec<(Address, Address)> {
    let is_function = |address: &Address| index.component(address).is_some_and(|component| component.component_type == "lambda.function");
    let calls =
        flows.values().filter(|flow| crate::flows::is_active(flow) && is_function(&flow.to) && index.component(&flow.from).is_some());
    let mut calls: Vec<_> = calls.map(|flow| (flow.from.clone(), flow.to.clone())).collect();
    calls.dedup();
    calls
}

/// What follows when a principal's boundary or its own denials are gone: what its policies grant.
fn freed<'w>(join: &mut Join<'w, '_, '_>) {
    let rights = join.rights;
    let actor = |fact: &Fact| {
        let (address, powers) = match fact {
            Fact::Unbound(address) => (address, Powers { unbound: true, ..Powers::default() }),
            Fact::Undenied(address) => (address, Powers { undenied: true, ..Powers::default() }),
            _ => return None,
        };
        Some(Actor { principal: rights.world.principals.get(address)?, powers })
    };
    let actors: Vec<Actor<'w, '_>> = join.graph.facts.iter().filter_map(actor).collect();
    for actor in actors {
        if !administers_as(rights, actor, join.graph) {
            join.run(actor);
        }
    }
}

/// What follows when a principal can be given any permission: everything, unless a boundary or a deny still limits it.
fn elevated<'w>(join: &mut Join<'w, '_, '_>) {
    let (rights, graph) = (join.rights, &mut *join.graph);
    let world = rights.world;
    // Changing a group changes its members.
    for (address, principal) in &world.principals {
        for group in &principal.groups {
            let Some(changed) = graph.find(&Fact::Group(group.clone())) else { continue };
            let member = graph.fact(Fact::Identity(address.clone()));
            let gives = graph.fact(Fact::Elevated(address.clone()));
            let evidence = principal.component.span.map(|span| Evidence { span, text: format!("`{address}` is in `{group}`") });
            let step = plain(changed, gives, "group-member", 1.0, evidence.into_iter().collect());
            graph.step(graph::Step { premises: vec![changed, member], ..step });
        }
    }
    // What changes a group raises whoever is in it; a group that nobody is in raises nobody.
    let changed = graph.facts.iter().filter_map(|fact| if let Fact::Group(group) = fact { Some(group.clone()) } else { None });
    for group in changed.collect::<Vec<_>>() {
        let premises = vec![graph.fact(Fact::Group(group.clone())), graph.fact(Fact::Identity(group.clone()))];
        let gives = graph.fact(Fact::Elevated(group.clone()));
        let evidence = world.principals.get(&group).map(|group| query::declared(group.component, "its members have what it has"));
        let step = plain(gives, gives, "group-member", 1.0, evidence.unwrap_or_default().into());
        graph.step(graph::Step { premises, ..step });
    }
    let facts: Vec<Fact> = graph.facts.iter().filter(|fact| matches!(fact, Fact::Elevated(_))).cloned().collect();
    let mut limited = Vec::new();
    for fact in facts {
        let Fact::Elevated(address) = &fact else { continue };
        let Some(principal) = world.principals.get(address) else { continue };
        let elevated = Actor { principal, powers: Powers { elevated: true, ..Powers::default() } };
        if administers_as(rights, elevated, graph) {
            continue;
        }
        limited.push(elevated);
        // With what limits it gone as well, there may be nothing left that it cannot do.
        let unbound = graph.find(&Fact::Unbound(address.clone())).is_some();
        let undenied = graph.find(&Fact::Undenied(address.clone())).is_some();
        for (unbound, undenied) in [(unbound, false), (false, undenied), (unbound, undenied)] {
            if unbound || undenied {
                administers_as(rights, Actor { principal, powers: Powers { elevated: true, unbound, undenied } }, graph);
            }
        }
    }
    limited.into_iter().for_each(|actor| join.run(actor));
}

/// Adds the step to administration, where an actor holds that with its powers.
fn administers_as(rights: &Rights<'_, '_>, actor: Actor<'_, '_>, graph: &mut AttackGraph) -> bool {
    let administrator = administrator(rights, actor);
    let premises: Vec<FactId> = actor.facts().into_iter().map(|fact| graph.fact(fact)).collect();
    let Some(own) = premises.first() else { return false };
    let evidence = query::declared(actor.principal.component, "nothing else limits it");
    let step = administers(*own, &actor.principal.account, &administrator, evidence, graph);
    let Some(step) = step else { return false };
    graph.step(graph::Step { premises, ..step });
    true
}

fn administers(
    own: FactId,
    account: &str,
    administrator: &Administrator,
    evidence: Vec<Evidence>,
    graph: &mut AttackGraph,
) -> Option<graph::Step> {
    let conditions = match administrator {
        Administrator::No => return None,
        Administrator::When(conditions) => conditions.clone(),
        Administrator::Yes => Vec::new(),
    };
    let gives = graph.fact(Fact::Admin(account.to_owned()));
    let probability = if conditions.is_empty() { 1.0 } else { 0.5 };
    let step = plain(own, gives, "administrator", probability, evidence.into());
    Some(graph::Step { conditions: conditions.into(), ..step })
}

/// Whether an actor may do everything that administration takes.
fn administrator(rights: &Rights<'_, '_>, actor: Actor<'_, '_>) -> Administrator {
    let mut conditions: BTreeSet<String> = BTreeSet::new();
    for action in ADMINISTRATION {
        let Some(grant) = grant_everywhere(rights, actor, action) else { return Administrator::No };
        conditions.extend(grant.needs.iter().map(|need| match need {
            Need::SecondFactor => "the caller has a second factor".to_owned(),
            Need::Tags => "the resource has the tag that is asked for".to_owned(),
            Need::Open(words) => words.clone(),
        }));
    }
    if conditions.is_empty() { Administrator::Yes } else { Administrator::When(conditions.into_iter().collect()) }
}

/// The right on any resource whatever, not just on some.
fn grant_everywhere(rights: &Rights<'_, '_>, actor: Actor<'_, '_>, action: &str) -> Option<rights::Grant> {
    rights.may(actor, action, On::Everything, &[])
}

fn evidence_of(rights: &Rights<'_, '_>, actor: Actor<'_, '_>) -> Vec<Evidence> {
    ADMINISTRATION
        .first()
        .and_then(|action| grant_everywhere(rights, actor, action))
        .map(|grant| grant.evidence.to_vec())
        .unwrap_or_default()
}

/// What else administrators have in their account, as far as some step needs it: code, configuration, tags, second factors, clusters.
fn administer_others(world: &World<'_>, graph: &mut AttackGraph) {
    let account_of = |fact: &Fact| match fact {
        Fact::Code(address) | Fact::Configuration(address) | Fact::Tags(address) | Fact::SecondFactor(address) | Fact::Cluster(address) => {
            world.targets.get(address)
        }
        _ => None,
    };
    let found = graph.facts.iter().filter_map(|fact| Some((fact.clone(), account_of(fact)?)));
    for (fact, target) in found.collect::<Vec<_>>() {
        let Some(from) = graph.find(&Fact::Admin(target.account.clone())) else { continue };
        let gives = graph.fact(fact);
        let evidence = query::declared(target.component, "it lies in the account that is administered");
        graph.step(plain(from, gives, "administers", 0.98, evidence.into()));
    }
}

/// What administrators do with data: one entry per component and operation.
fn administered(world: &World<'_>, primitives: &Primitives) -> Vec<Administered> {
    let mut out: BTreeMap<(Address, Option<Operation>), Administered> = BTreeMap::new();
    for primitive in &primitives.list {
        if let Gain::User | Gain::Role | Gain::Rights = primitive.gives {
            become_others(world, primitive, &mut out);
            continue;
        }
        let operation = match primitive.gives {
            Gain::Read => Operation::Read,
            Gain::Write => Operation::Write,
            Gain::Destroy => Operation::Destroy,
            _ => continue,
        };
        for address in primitive.target.iter().flat_map(|name| world.of_type(name)) {
            let Some(target) = world.targets.get(address) else { continue };
            let item = out.entry((address.clone(), Some(operation))).or_insert_with(|| Administered::of(target, Some(operation)));
            item.add(primitive.needs.iter().flat_map(|need| need.actions()));
        }
    }
    out.into_values().collect()
}

/// An administrator becomes any user by a key or password of its own, any role by its trust.
fn become_others(world: &World<'_>, primitive: &Primitive, out: &mut BTreeMap<(Address, Option<Operation>), Administered>) {
    let [need] = primitive.needs.as_slice() else { return };
    let kind = match need.on {
        Some(Variable::User) => "iam.user",
        Some(Variable::Role) => "iam.role",
        _ => return,
    };
    for target in world.of_type(kind).iter().filter_map(|address| world.targets.get(address)) {
        let item = out.entry((target.component.address.clone(), None)).or_insert_with(|| Administered::of(target, None));
        item.add(need.actions());
    }
}

impl Administered {
    fn of(target: &world::Target<'_>, operation: Option<Operation>) -> Self {
        Self {
            account: target.account.clone(),
            address: target.component.address.clone(),
            operation,
            actions: Vec::new(),
            evidence: query::declared(target.component, "it lies in the account that is administered"),
        }
    }

    fn add<'p>(&mut self, actions: impl Iterator<Item = &'p String>) {
        for action in actions {
            if !self.actions.contains(action) {
                self.actions.push(action.clone());
            }
        }
    }
}

/// `role/app`, as an ARN names a principal.
fn arn_name(principal: &world::Principal<'_>) -> Option<String> {
    let texts = principal.caller.as_ref()?.name.texts();
    let [.., resource] = texts.iter().find_map(|text| text.arn_segments())?;
    Some(resource.to_string())
}
