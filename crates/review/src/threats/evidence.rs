//! Where a match is shown: the values that a rule names as evidence become lines of the user's files.

use std::collections::BTreeSet;

use bartizan_model::{Address, Sources, Span};

use super::view::{Subject, View};
use crate::catalogue::Rule;
use crate::expression::{Operand, Val};
use crate::outcome::Evidence;

/// Places that one threat shows; more help nobody.
pub(super) const MAX_PER_THREAT: usize = 12;
/// Elements of one list that are shown.
const MAX_PER_LIST: usize = 5;
/// Characters of a value that are shown.
const MAX_VALUE: usize = 80;

/// The evidence of a rule on a subject, the place to fix first; the subject's own line where the rule names none or none is in a file.
pub(super) fn of(rule: &Rule, view: &View<'_>, subject: Subject<'_>) -> Vec<Evidence> {
    let scope = view.scope(subject);
    let sources = &view.architecture.sources;
    let mut found: Vec<Evidence> = Vec::new();
    for expression in &rule.evidence {
        // A rule may name evidence that does not exist on every match; what cannot be evaluated is not evidence.
        let Ok(operand) = expression.evaluate(&scope) else { continue };
        collect(&operand, expression.source(), sources, &mut found);
    }
    if found.is_empty()
        && let Some(span) = subject.span()
    {
        let text = match subject.flow() {
            Some(flow) => flow.why.first().map_or_else(|| "the flow".to_owned(), |reason| reason.text.clone()),
            None => subject.component().map_or_else(String::new, |component| format!("`{}` is declared here", component.name)),
        };
        found.push(Evidence { span, text });
    }
    found
}

/// Components that the evidence of a rule on the system names.
pub(super) fn components(rule: &Rule, view: &View<'_>) -> BTreeSet<Address> {
    let scope = view.scope(Subject::System);
    let operands = rule.evidence.iter().filter_map(|expression| expression.evaluate(&scope).ok());
    let named = operands.flat_map(|operand| match &operand.value {
        Val::Nodes(_) | Val::List(_) => {
            operand.elements().unwrap_or_default().iter().map(|element| Address::new(element.display())).collect()
        }
        _ => Vec::new(),
    });
    named.filter(|address| view.architecture.component(address).is_some()).collect()
}

fn collect(operand: &Operand<'_>, source: &str, sources: &Sources, found: &mut Vec<Evidence>) {
    let elements = match &operand.value {
        Val::Nodes(_) | Val::List(_) => operand.elements().unwrap_or_default(),
        _ => Vec::new(),
    };
    let mut added = false;
    for element in elements.iter().take(MAX_PER_LIST) {
        if let Some(span) = element.span.filter(|span| is_known(*span, sources)) {
            added = true;
            push(found, Evidence { span, text: format!("{}: `{}`", label(operand, source), shorten(&element.display())) });
        }
    }
    if let Some(span) = operand.span.filter(|span| !added && is_known(*span, sources)) {
        let label = label(operand, source);
        let text = match &operand.value {
            Val::Null => format!("{label} is not set"),
            Val::Nodes([]) => format!("{label} is empty"),
            Val::Unknown(gaps) => format!("{label} is not known: {}", gaps.first().map_or("", |gap| gap.why.as_str())),
            _ => format!("{label} is `{}`", shorten(&operand.display())),
        };
        push(found, Evidence { span, text });
    }
}

fn push(found: &mut Vec<Evidence>, evidence: Evidence) {
    if !found.contains(&evidence) {
        found.push(evidence);
    }
}

fn label(operand: &Operand<'_>, source: &str) -> String {
    match operand.read {
        Some(read) => format!("`{}`", read.name),
        None => format!("`{}`", shorten(source)),
    }
}

fn shorten(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MAX_VALUE {
        return line;
    }
    line.chars().take(MAX_VALUE).chain(['…']).collect()
}

fn is_known(span: Span, sources: &Sources) -> bool {
    sources.get(span.file).is_some()
}
