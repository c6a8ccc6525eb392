//! Answers that people gave: they fill settings and facts that are unknown, before any rule looks.

use bartizan_model::{Address, Answer, Architecture, Node, Value};

use super::questions::id;
use crate::Facts;

/// Fills unknown settings; a value that the plan states wins over an answer.
pub(crate) fn apply_to_settings(architecture: &mut Architecture) {
    let Architecture { declarations, components, .. } = architecture;
    if declarations.answers.is_empty() {
        return;
    }
    for component in components.values_mut() {
        for (name, node) in component.settings.iter_mut().filter(|(_, node)| is_open(node)) {
            fill(&declarations.answers, &component.address, "settings", name, node);
        }
    }
}

/// Fills unknown facts of components.
pub(crate) fn apply_to_facts(architecture: &Architecture, facts: &mut Facts) {
    let answers = &architecture.declarations.answers;
    if answers.is_empty() {
        return;
    }
    for (address, named) in &mut facts.by_component {
        for (name, node) in named.iter_mut().filter(|(_, node)| is_open(node)) {
            fill(answers, address, "facts", name, node);
        }
    }
}

fn fill(answers: &[Answer], address: &Address, root: &str, name: &str, node: &mut Node) {
    let wanted = id(address, root, name);
    if let Some(answer) = answers.iter().find(|answer| answer.question == wanted) {
        *node = answer.value.clone();
    }
}

/// Whether any part of a value is not known.
fn is_open(node: &Node) -> bool {
    match &node.value {
        Value::Unknown(_) => true,
        Value::Text(text) => text.known().is_none(),
        Value::List(items) => items.iter().any(is_open),
        Value::Map(map) => map.values().any(is_open),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
