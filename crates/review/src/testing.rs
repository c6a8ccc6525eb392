//! Components for unit tests, from values; real sources are tested through import.

use bartizan_model::{Address, Component, FileId, Kind, Node, Span, Value};
use indexmap::IndexMap;

/// A component under construction.
pub(crate) struct Draft(Component);

/// The span that test values carry; `line` tells them apart.
pub(crate) fn span(line: usize) -> Span {
    Span::new(FileId(0), line..line + 1)
}

/// Starts a component.
pub(crate) fn component(address: &str, component_type: &str) -> Draft {
    Draft(Component {
        address: Address::new(address),
        source_type: String::new(),
        service: component_type.split('.').next().unwrap_or("").to_owned(),
        component_type: component_type.to_owned(),
        kind: Kind::Process,
        name: address.rsplit('.').next().unwrap_or(address).to_owned(),
        name_text: None,
        stack: String::new(),
        account: None,
        region: None,
        span: Some(span(0)),
        settings: IndexMap::new(),
        tags: IndexMap::new(),
        exposure: None,
        boundary: None,
        assets: Vec::new(),
    })
}

impl Draft {
    pub(crate) fn with(mut self, setting: &str, value: Value) -> Self {
        self.0.settings.insert(setting.to_owned(), Node::new(value, span(1)));
        self
    }

    pub(crate) fn with_text(self, setting: &str, value: &str) -> Self {
        self.with(setting, text(value))
    }

    pub(crate) fn with_number(self, setting: &str, value: f64) -> Self {
        self.with(setting, Value::Number(value))
    }

    pub(crate) fn build(self) -> Component {
        self.0
    }
}

pub(crate) fn text(value: &str) -> Value {
    Value::Text(bartizan_model::Text::literal(value))
}

pub(crate) fn list(items: Vec<Value>) -> Value {
    Value::List(items.into_iter().map(|value| Node::new(value, span(2))).collect())
}

pub(crate) fn map(entries: &[(&str, Value)]) -> Value {
    Value::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), Node::new(value.clone(), span(3)))).collect())
}
