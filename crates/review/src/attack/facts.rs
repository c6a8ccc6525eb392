//! What the attack graph tells rules: who can become an administrator, whom outsiders become, and what lies on a path.

use std::collections::BTreeMap;

use bartizan_model::{Address, Node, Span, Text, Value};
use indexmap::IndexMap;

use super::Attack;
use super::query::Standing;
use crate::facts::Facts;
use crate::outcome::{AttackPath, PathStep};

/// A span that lies in no file; evidence leaves it out.
const NOWHERE: Span = crate::facts::NOWHERE;

/// Sets the facts.
pub(crate) fn add(attack: &Attack, paths: &[AttackPath], facts: &mut Facts) {
    for principal in attack.access().iter().filter(|principal| principal.admin == Standing::No && principal.kind != "group") {
        let steps = principal.path.as_ref().map(|path| path.steps.as_slice()).unwrap_or_default();
        match principal.escalates {
            Standing::No => {
                if let Some(gap) = attack.gaps.get(&principal.address) {
                    set(facts, &principal.address, "escalates_via", Value::unresolved(gap), NOWHERE);
                }
            }
            Standing::Yes => {
                set(facts, &principal.address, "becomes_admin", Value::Bool(true), first_span(steps));
                let told = steps.iter().map(told).collect();
                set(facts, &principal.address, "escalates_via", Value::List(told), first_span(steps));
            }
            Standing::Conditional => {
                let why = format!("it may become an administrator if {}", principal.conditions.join(" and "));
                set(facts, &principal.address, "escalates_via", Value::unresolved(why), first_span(steps));
            }
        }
    }
    let mut likelihoods: BTreeMap<&str, &AttackPath> = BTreeMap::new();
    for path in paths {
        let shown = path.steps.iter().all(|step| !step.assumption && step.conditions.is_empty());
        let on_path = path.steps.iter().flat_map(|step| [step.from.as_str(), step.to.as_str()]).filter(|address| *address != path.from);
        for address in on_path {
            likelihoods
                .entry(address)
                .and_modify(|known| {
                    if path.likelihood > known.likelihood {
                        *known = path;
                    }
                })
                .or_insert(path);
        }
        // A flaw that nobody has shown is no finding of its own; it weighs on what it would reach.
        if !shown {
            continue;
        }
        let end = Address::new(&path.to);
        let cause = if path.to == "admin" { path.steps.first().map(|step| Address::new(&step.to)) } else { Some(end) };
        let name = if path.to == "admin" { "outsiders_become_admin" } else { "outsiders_reach_data" };
        let Some(cause) = cause else { continue };
        let known = facts.by_component.entry(cause).or_default();
        let told: Vec<Node> = path.steps.iter().map(told).collect();
        match known.get_mut(name).map(|node| &mut node.value) {
            Some(Value::List(list)) => list.extend(told),
            _ => {
                known.insert(name.to_owned(), Node::new(Value::List(told), first_span(&path.steps)));
            }
        }
    }
    // Whoever comes in from outside with rights that are not known may be an administrator.
    for entered in attack.entered() {
        let known = facts.by_component.entry(entered.clone()).or_default();
        if let Some(gap) = attack.gaps.get(&entered).filter(|_| !known.contains_key("outsiders_become_admin")) {
            known.insert("outsiders_become_admin".to_owned(), Node::new(Value::unresolved(gap), NOWHERE));
        }
    }
    for (address, path) in likelihoods.into_iter().filter(|(address, _)| *address != "admin") {
        let entry = facts.by_component.entry(Address::new(address)).or_default();
        let place = first_span(&path.steps);
        let members = [("likelihood", Value::Number(path.likelihood)), ("path", Value::Text(Text::literal(path.id.as_str())))];
        let members: IndexMap<String, Node> = members.into_iter().map(|(key, value)| (key.to_owned(), Node::new(value, place))).collect();
        entry.insert("on_attack_path".to_owned(), Node::new(Value::Map(members), place));
    }
}

fn set(facts: &mut Facts, address: &Address, name: &str, value: Value, span: Span) {
    facts.by_component.entry(address.clone()).or_default().insert(name.to_owned(), Node::new(value, span));
}

fn first_span(steps: &[PathStep]) -> Span {
    steps.iter().flat_map(|step| &step.evidence).map(|item| item.span).next().unwrap_or(NOWHERE)
}

/// A step in words, at the place that shows it.
fn told(step: &PathStep) -> Node {
    let by = if step.actions.is_empty() { step.technique.replace('-', " ") } else { step.actions.join(" and ") };
    let place = step.evidence.first().map_or(NOWHERE, |item| item.span);
    Node::new(Value::Text(Text::literal(format!("`{}` → `{}` by {by}", step.from, step.to))), place)
}
