//! Whom the policies of resources let in from outside: anyone, and accounts that are not of the plan.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Component, Relation, Span};

use super::graph::{AttackGraph, Fact, FactId, Operation, Step};
use super::trust::{Entries, OUTSIDER};
use crate::catalogue::attack::{Gain, Primitive, Primitives, Variable};
use crate::facts::document::glob;
use crate::facts::verdict::Verdict;
use crate::flows::Context;
use crate::flows::policies::{Admits, asks_for_login, behind_vpc, takes_unsigned};
use crate::outcome::Evidence;

/// Actions (or patterns of them) that a policy grants to somebody, with the place of each.
type Granted = BTreeMap<String, Span>;

/// Somebody outside, with what a resource grants them.
struct Outsider {
    entry: FactId,
    /// Words for readers: `anyone`, `account 111122223333`.
    whom: String,
    /// Account id; nothing for anyone.
    account: Option<String>,
    granted: Granted,
    /// Chance that they turn against the plan or are taken over.
    probability: f64,
    conditions: Vec<String>,
    /// Signs nothing, so that only what services do for anonymous callers is open.
    unsigned: bool,
}

/// Adds the steps from outside to data and configuration whose own policy is enough; `holders` hold credentials.
pub(crate) fn add(
    context: &Context<'_>,
    primitives: &Primitives,
    holders: &BTreeSet<Address>,
    entries: &mut Entries,
    graph: &mut AttackGraph,
) {
    for (address, admits) in &context.policies {
        let Some(component) = context.index.component(address).filter(|component| !behind_vpc(context, component)) else { continue };
        for outsider in outsiders(component, admits, entries, graph) {
            for primitive in primitives.list.iter().filter(|primitive| primitive.target.contains(&component.component_type)) {
                enter(context, component, &outsider, primitive, holders, graph);
            }
        }
    }
}

fn outsiders(component: &Component, admits: &Admits<'_>, entries: &mut Entries, graph: &mut AttackGraph) -> Vec<Outsider> {
    let mut out = Vec::new();
    if !admits.public.is_empty() && admits.in_force != Verdict::No {
        let open: Vec<String> = admits.blocked_by.iter().map(|(why, _)| why.clone()).collect();
        let mut conditions = if admits.in_force == Verdict::Yes { Vec::new() } else { open };
        if asks_for_login(component) {
            conditions.push("the caller has a login of the domain".to_owned());
        }
        let everyone = |entry: FactId, granted: &Granted, unsigned: bool| Outsider {
            entry,
            whom: "anyone".to_owned(),
            account: None,
            granted: granted.clone(),
            probability: 1.0,
            conditions: conditions.clone(),
            unsigned,
        };
        // First whoever needs nothing, so that at the same likelihood the plainer way is told.
        if admits.answers_unsigned() {
            out.push(everyone(entries.internet(graph), &admits.unsigned, true));
        }
        out.push(everyone(entries.anyone(graph), &admits.public, false));
    }
    for (account, (actions, span)) in &admits.foreign {
        out.push(Outsider {
            entry: entries.account(account, graph),
            whom: format!("account {account}"),
            account: Some(account.clone()),
            granted: actions.iter().map(|action| (action.clone(), *span)).collect(),
            probability: OUTSIDER,
            conditions: Vec::new(),
            unsigned: false,
        });
    }
    out
}

fn enter(
    context: &Context<'_>,
    component: &Component,
    outsider: &Outsider,
    primitive: &Primitive,
    holders: &BTreeSet<Address>,
    graph: &mut AttackGraph,
) {
    let on_target = primitive.needs.iter().all(|need| matches!(need.on, Some(Variable::Target | Variable::Objects)));
    if primitive.needs.is_empty() || !on_target || !primitive.prerequisites.is_empty() {
        return;
    }
    let address = &component.address;
    let holds = holders.contains(address);
    let gives = match primitive.gives {
        Gain::Read if holds => vec![Fact::Data(address.clone(), Operation::Read), Fact::Configuration(address.clone())],
        Gain::Read => vec![Fact::Data(address.clone(), Operation::Read)],
        Gain::Write => vec![Fact::Data(address.clone(), Operation::Write)],
        Gain::Destroy => vec![Fact::Data(address.clone(), Operation::Destroy)],
        Gain::Config if holds => vec![Fact::Configuration(address.clone())],
        _ => return,
    };
    let mut granted: Vec<(&String, Span)> = Vec::new();
    for need in &primitive.needs {
        let mut actions = need.actions().filter(|action| !outsider.unsigned || takes_unsigned(action));
        let Some(found) = actions.find_map(|action| Some((action, place(&outsider.granted, action)?))) else { return };
        granted.push(found);
    }
    if matches!(primitive.gives, Gain::Read | Gain::Config) && !decrypts(context, component, outsider) {
        return;
    }
    let evidence: Vec<Evidence> = granted
        .iter()
        .map(|(action, span)| Evidence { span: *span, text: format!("`{address}` lets {} `{action}`", outsider.whom) })
        .collect();
    let conditions: Vec<String> = outsider.conditions.iter().chain(&primitive.assumes).cloned().collect();
    let open = i32::try_from(conditions.len()).unwrap_or(i32::MAX);
    for fact in gives {
        let gives = graph.fact(fact);
        graph.step(Step {
            premises: vec![outsider.entry],
            gives,
            technique: primitive.id.as_str().into(),
            actions: granted.iter().map(|(action, _)| (*action).clone()).collect(),
            probability: primitive.likelihood * outsider.probability * 0.5_f64.powi(open),
            conditions: conditions.as_slice().into(),
            assumption: false,
            evidence: evidence.as_slice().into(),
        });
    }
}

/// Where an action is granted.
fn place(granted: &Granted, action: &str) -> Option<Span> {
    granted.iter().find(|(pattern, _)| glob(pattern, action)).map(|(_, span)| *span)
}

/// Under a customer's own key, the key's policy has to let them in as well.
fn decrypts(context: &Context<'_>, component: &Component, outsider: &Outsider) -> bool {
    let links = context.index.from(&component.address).iter().filter(|link| link.relation == Relation::EncryptedWith);
    // No key decrypts for somebody who signs nothing.
    let mut keys = links.map(|link| &link.to).filter(|key| context.index.component(key).is_some_and(|key| key.component_type == "kms.key"));
    keys.all(|key| {
        let Some(admits) = context.policies.get(key) else { return false };
        let public = || !outsider.unsigned && admits.public.keys().any(|pattern| glob(pattern, "kms:Decrypt"));
        let foreign =
            |account: &String| admits.foreign.get(account).is_some_and(|(actions, _)| actions.iter().any(|p| glob(p, "kms:Decrypt")));
        public() || outsider.account.as_ref().is_some_and(foreign)
    })
}
