//! Facts that follow from the flows: who feeds whom, what comes from outside, loops, dead letters, encryption in transit.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Flow, Kind, ReasonKind, Relation, Value};
use petgraph::graph::{DiGraph, NodeIndex};

use super::read::first_setting;
use super::sink::Sink;
use crate::flows::set::FlowSet;
use crate::flows::{Context, Entities, is_active, is_untrusted};

/// Most components of a cycle that is told.
const MAX_LOOP: usize = 50;

/// Sets the facts of flows.
pub(super) fn add(context: &Context<'_>, set: &FlowSet, entities: &Entities, sink: &mut Sink) {
    let external = |address: &Address| {
        let component = context.index.component(address).or_else(|| entities.get(address));
        component.is_none_or(|component| component.kind == Kind::ExternalEntity)
    };
    for flow in set.values().filter(|flow| is_active(flow)) {
        let span = flow.why.iter().find_map(|reason| reason.span);
        if !external(&flow.from) {
            sink.push_text(&flow.from, "consumers", flow.to.as_str(), span);
        }
        if !external(&flow.to) {
            sink.push_text(&flow.to, "producers", flow.from.as_str(), span);
            if flow.encrypted == Some(false) {
                sink.push_text(&flow.to, "cleartext_flows", flow.from.as_str(), span);
            }
            if is_trigger(context, flow) {
                sink.push_text(&flow.to, "triggers", flow.from.as_str(), span);
            }
        }
    }
    encrypted(set, &external, sink);
    from_outside(context, set, entities, sink);
    loops(context, set, sink);
    dead_letters(context, sink);
}

/// A flow that starts the target's code.
fn is_trigger(context: &Context<'_>, flow: &Flow) -> bool {
    let integration = flow.why.iter().any(|reason| reason.kind == ReasonKind::Integration);
    integration
        && context.index.component(&flow.to).is_some_and(|to| context.index.services.has_any(to, &["compute", "workflow"]))
        && context.index.component(&flow.from).is_some_and(|from| {
            context
                .index
                .services
                .has_any(from, &["queue", "topic", "stream", "event_bus", "object_store", "database", "workflow", "user_directory", "log"])
                || from.service == "eventbridge"
                || from.service == "scheduler"
        })
}

/// Every way in encrypted: yes; one in the clear: no; otherwise it depends on the client.
fn encrypted(set: &FlowSet, external: &dyn Fn(&Address) -> bool, sink: &mut Sink) {
    let mut ways: BTreeMap<&Address, (bool, Option<&Flow>)> = BTreeMap::new();
    for flow in set.values().filter(|flow| is_active(flow) && !external(&flow.to)) {
        let entry = ways.entry(&flow.to).or_insert((true, None));
        if flow.encrypted != Some(true) {
            entry.0 = false;
            if entry.1.is_none_or(|known| known.encrypted.is_none()) {
                entry.1 = Some(flow);
            }
        }
    }
    for (address, (all, open)) in ways {
        let span = open.and_then(|flow| flow.why.iter().find_map(|reason| reason.span));
        match open.map(|flow| flow.encrypted) {
            None if all => sink.yes(address, "encrypted_in_transit", None),
            Some(Some(false)) => sink.set(address, "encrypted_in_transit", Value::Bool(false), span),
            _ => sink.unknown(address, "encrypted_in_transit", "whether its clients use encryption is theirs to decide", span),
        }
    }
}

/// How far data of external entities travels: breadth first along the direction in which data moves.
fn from_outside(context: &Context<'_>, set: &FlowSet, entities: &Entities, sink: &mut Sink) {
    let mut next: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    let mut entries: BTreeSet<&Address> = BTreeSet::new();
    for flow in set.values().filter(|flow| is_active(flow)) {
        // Deliveries of access logs carry what callers wrote, but nothing acts on it.
        next.entry(&flow.from).or_default().push(&flow.to);
        let from = context.index.component(&flow.from).or_else(|| entities.get(&flow.from));
        if from.is_some_and(is_untrusted) {
            entries.insert(&flow.from);
        }
    }
    for entry in entries {
        let mut seen: BTreeSet<&Address> = BTreeSet::new();
        let mut queue = vec![entry];
        while let Some(at) = queue.pop() {
            for to in next.get(at).into_iter().flatten() {
                if seen.insert(to) {
                    queue.push(to);
                }
            }
        }
        for address in seen {
            if context.index.component(address).is_some_and(|component| component.kind != Kind::ExternalEntity) {
                sink.push_text(address, "entry_points", entry.as_str(), None);
                sink.yes(address, "external_input", None);
            }
        }
    }
}

/// Cycles through triggers: each flow on the way starts the next step by itself.
fn loops(context: &Context<'_>, set: &FlowSet, sink: &mut Sink) {
    let mut graph: DiGraph<&Address, ()> = DiGraph::new();
    let mut nodes: BTreeMap<&Address, NodeIndex> = BTreeMap::new();
    for flow in set.values().filter(|flow| is_active(flow)) {
        let ends = [&flow.from, &flow.to];
        if ends.iter().any(|end| context.index.component(end).is_none_or(|component| component.kind == Kind::ExternalEntity)) {
            continue;
        }
        // From a store only triggers go on; from code every write does.
        let from_store = context.index.component(&flow.from).is_some_and(|from| {
            context.index.services.has_any(from, &["queue", "topic", "stream", "event_bus", "object_store", "database"])
        });
        let writes = !from_store
            && context.index.component(&flow.to).is_some_and(|to| {
                context
                    .index
                    .services
                    .has_any(to, &["queue", "topic", "stream", "event_bus", "object_store", "database", "compute", "workflow"])
            })
            && (flow.why.iter().any(|reason| reason.kind == ReasonKind::Integration) || may_write(flow) && !answers(flow));
        if is_trigger(context, flow) || writes {
            let from = *nodes.entry(&flow.from).or_insert_with(|| graph.add_node(&flow.from));
            let to = *nodes.entry(&flow.to).or_insert_with(|| graph.add_node(&flow.to));
            graph.add_edge(from, to, ());
        }
    }
    for component in petgraph::algo::tarjan_scc(&graph) {
        // A tangle of hundreds is a system, not a loop that someone could look at.
        if component.len() < 2 || component.len() > MAX_LOOP {
            continue;
        }
        let mut members: Vec<&Address> = component.iter().filter_map(|node| graph.node_weight(*node).copied()).collect();
        members.sort();
        for on in &members {
            for member in &members {
                sink.push_text(on, "event_loop", member.as_str(), None);
            }
        }
    }
}

/// The grant behind a flow says that it writes.
fn may_write(flow: &Flow) -> bool {
    const WORDS: &[&str] = &["Put", "Send", "Publish", "Write", "Update", ":*", "`*`", "Invoke", "Start"];
    flow.why.iter().any(|reason| reason.kind == ReasonKind::Permission && WORDS.iter().any(|word| reason.text.contains(word)))
}

/// The grant lets it answer a waiting workflow, which starts nothing.
fn answers(flow: &Flow) -> bool {
    let granted = flow.why.iter().filter(|reason| reason.kind == ReasonKind::Permission);
    granted.clone().any(|reason| reason.text.contains("states:SendTask"))
        && !granted.clone().any(|reason| reason.text.contains("states:Start") || reason.text.contains("states:*"))
}

/// Where messages go that cannot be processed.
fn dead_letters(context: &Context<'_>, sink: &mut Sink) {
    for (address, component) in &context.index.architecture.components {
        let link =
            context.index.from(address).iter().find(|link| matches!(&link.relation, Relation::Other(name) if name == "dead_letters_to"));
        let own = first_setting(component, &["redrive_policy", "dead_letter_target", "dead_letter_config", "dead_letter_arn"]);
        let span = link.and_then(|link| link.span).or(own.map(|node| node.span));
        if link.is_some() || own.is_some() {
            sink.yes(address, "dead_letter", span);
            // A mapping or subscription catches failures for the function it feeds and the queue it reads.
            if component.kind == Kind::Supporting {
                for part in context.index.follow(address, "part_of") {
                    sink.yes(&part.address, "dead_letter", span);
                }
            }
        }
        if let Some(node) = first_setting(component, &["on_failure_destination", "dead_letter_target"]) {
            sink.yes(address, "async_failures_kept", Some(node.span));
        }
    }
}
