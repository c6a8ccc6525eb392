//! Where a match is shown: the values that a rule names as evidence become lines of the user's files.

use std::collections::BTreeSet;

use bartizan_model::{Address, Sources, Span, names_secret};

use super::view::{Subject, View};
use crate::catalogue::Rule;
use crate::expression::{Operand, Val};
use crate::facts::words;
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
    let fact = operand.read.filter(|read| read.is_fact()).map(|read| read.name.as_str());
    let is_secret = operand.read.is_some_and(|read| !read.is_fact() && names_secret(&read.name));
    let mut added = false;
    for element in elements.iter().take(MAX_PER_LIST) {
        if let Some(span) = element.span.filter(|span| is_known(*span, sources)) {
            added = true;
            let text = match fact.and_then(words::says) {
                Some(says) => said(says, element),
                None => format!("{}: `{}`", label(operand, source), shorten(&element.display())),
            };
            push(found, Evidence { span, text });
        }
    }
    if let Some(span) = operand.span.filter(|span| !added && is_known(*span, sources)) {
        let label = label(operand, source);
        let is_absent = matches!(&operand.value, Val::Null | Val::Bool(false) | Val::Nodes([]) | Val::Map(None));
        let otherwise = fact.filter(|_| is_absent).and_then(words::otherwise);
        let text = match &operand.value {
            // Whoever reads the report need not know it.
            Val::Text(_) | Val::Partial(_) if is_secret => format!("{label} is written as it is"),
            Val::Unknown(gaps) => format!("{label} is not known: {}", gaps.first().map_or("", |gap| gap.why.as_str())),
            _ if let Some(otherwise) = otherwise => otherwise.to_owned(),
            Val::Null => format!("{label} is not set"),
            Val::Nodes([]) => format!("{label} is empty"),
            Val::Text(text) if text.is_empty() => format!("{label} is empty"),
            _ => match fact.and_then(words::says) {
                Some(says) => said(says, operand),
                None => format!("{label} is `{}`", shorten(&operand.display())),
            },
        };
        push(found, Evidence { span, text });
    }
}

/// The words of a fact with a value of it.
fn said(says: &str, value: &Operand<'_>) -> String {
    let Val::Map(Some(map)) = &value.value else {
        let shown = shorten(&value.display());
        return says.replace("{words}", &shown).replace("{}", &format!("`{shown}`"));
    };
    let member = |name: &str| map.get(name).and_then(|node| node.value.as_str()).unwrap_or_default();
    let number = |name: &str| map.get(name).and_then(|node| node.value.as_number());
    let what = if map.contains_key("from_port") {
        let from = match member("kind").as_ref() {
            "self" => "its own members".to_owned(),
            "group" => "members of another group".to_owned(),
            _ => format!("`{}`", member("cidr")),
        };
        let protocol = member("protocol");
        match (protocol.as_ref(), number("from_port"), number("to_port")) {
            ("any", ..) => format!("{from} on every port"),
            (_, Some(first), Some(last)) if first == last => format!("{from} on {protocol} {first}"),
            (_, Some(first), Some(last)) => format!("{from} on {protocol} {first} to {last}"),
            _ => format!("{from} on {protocol}"),
        }
    } else if map.contains_key("ends") {
        let ended = map.get("ended").and_then(|node| node.value.as_bool()) == Some(true);
        let verb = if ended { "has not been supported since" } else { "is supported until" };
        format!("{} {} {verb} {}", member("product"), member("version"), member("ends"))
    } else if map.contains_key("name") {
        format!("`{}`", member("name"))
    } else {
        format!("`{}`", shorten(&value.display()))
    };
    says.replace("{words}", &what).replace("{}", &what)
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
