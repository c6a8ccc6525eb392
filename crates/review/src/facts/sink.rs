//! Collects facts with the spans that prove them.

use std::collections::HashSet;

use bartizan_model::{Address, FileId, Node, Span, Text, Value};
use indexmap::IndexMap;

use super::Facts;

/// A span for what no file states; it lies in no known file, and evidence leaves it out.
pub(crate) const NOWHERE: Span = Span { file: FileId(u32::MAX), start: 0, end: 0 };

/// Facts under construction.
#[derive(Default)]
pub(crate) struct Sink {
    facts: Facts,
    /// Texts that are in a list already; a group of thousands of members is not searched for each of them.
    seen: HashSet<(Address, &'static str, Text)>,
}

impl Sink {
    /// Sets a fact of a component.
    pub(crate) fn set(&mut self, address: &Address, name: &'static str, value: Value, span: Option<Span>) {
        self.facts.by_component.entry(address.clone()).or_default().insert(name.to_owned(), Node::new(value, span.unwrap_or(NOWHERE)));
    }

    /// Sets a fact that is true.
    pub(crate) fn yes(&mut self, address: &Address, name: &'static str, span: Option<Span>) {
        self.set(address, name, Value::Bool(true), span);
    }

    /// Says that a fact cannot be told from the plan.
    pub(crate) fn unknown(&mut self, address: &Address, name: &'static str, why: &str, span: Option<Span>) {
        self.set(address, name, Value::unresolved(why), span);
    }

    /// Adds to a list; what is in it already stays once.
    pub(crate) fn push(&mut self, address: &Address, name: &'static str, value: Value, span: Option<Span>) {
        let facts = self.facts.by_component.entry(address.clone()).or_default();
        push(facts, name, value, span);
    }

    /// Adds a text to a list.
    pub(crate) fn push_text(&mut self, address: &Address, name: &'static str, text: &str, span: Option<Span>) {
        let text = Text::literal(text);
        if self.seen.insert((address.clone(), name, text.clone())) {
            let facts = self.facts.by_component.entry(address.clone()).or_default();
            append(facts, name, Value::Text(text), span);
        }
    }

    /// Sets a fact of the system.
    pub(crate) fn set_system(&mut self, name: &'static str, value: Value, span: Option<Span>) {
        self.facts.system.insert(name.to_owned(), Node::new(value, span.unwrap_or(NOWHERE)));
    }

    /// Adds to a list of the system.
    pub(crate) fn push_system(&mut self, name: &'static str, text: &str, span: Option<Span>) {
        push(&mut self.facts.system, name, Value::Text(Text::literal(text)), span);
    }

    /// A fact that was set before.
    pub(crate) fn get(&self, address: &Address, name: &str) -> Option<&Node> {
        self.facts.by_component.get(address)?.get(name)
    }

    /// The facts, by name within each component.
    pub(crate) fn finish(mut self) -> Facts {
        for facts in self.facts.by_component.values_mut() {
            facts.sort_keys();
        }
        self.facts.system.sort_keys();
        self.facts
    }
}

fn push(facts: &mut IndexMap<String, Node>, name: &str, value: Value, span: Option<Span>) {
    let there = facts.get(name).and_then(|list| list.value.as_list()).is_some_and(|items| items.iter().any(|item| item.value == value));
    if !there {
        append(facts, name, value, span);
    }
}

fn append(facts: &mut IndexMap<String, Node>, name: &str, value: Value, span: Option<Span>) {
    let span = span.unwrap_or(NOWHERE);
    let list = facts.entry(name.to_owned()).or_insert_with(|| Node::new(Value::List(Vec::new()), span));
    // What is known beats what could not be told before.
    if list.value.is_unknown() {
        *list = Node::new(Value::List(Vec::new()), span);
    }
    if let Value::List(items) = &mut list.value {
        items.push(Node::new(value, span));
    }
}

/// A map value.
pub(crate) fn map(entries: Vec<(&str, Value)>, span: Span) -> Value {
    Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), Node::new(value, span))).collect())
}

/// A text value.
pub(crate) fn text(value: impl AsRef<str>) -> Value {
    Value::Text(Text::literal(value.as_ref()))
}

/// A number value.
pub(crate) fn number(value: impl Into<f64>) -> Value {
    Value::Number(value.into())
}
