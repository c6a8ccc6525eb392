//! Values while an expression is evaluated: borrowed from the plan, each with the place and the path it comes from.

use std::borrow::Cow;

use bartizan_model::{Node, Part, Span, Text, Value};
use indexmap::IndexMap;

use super::{Read, ValueKind};

/// Why an expression has no value although nothing is unknown: a mistake in the catalogue, or a plan that breaks a promise of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EvaluationError(pub String);

/// Something unknown that decides a result.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// The path: `settings.versioning`, `to.facts.open_ports`.
    pub path: String,
    /// Why it is not known.
    pub why: String,
    /// Where it is written.
    pub span: Option<Span>,
}

/// A value with where it comes from.
#[derive(Clone, Debug)]
pub struct Operand<'a> {
    /// The value.
    pub value: Val<'a>,
    /// Where it is written.
    pub span: Option<Span>,
    /// The path it was read from; elements of a list keep the list's.
    pub read: Option<&'a Read>,
}

/// A value. Known texts are plain; a text that is known in part keeps its parts.
#[derive(Clone, Debug)]
pub enum Val<'a> {
    /// Not set.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text that is wholly known.
    Text(Cow<'a, str>),
    /// A text with parts that the plan does not know.
    Partial(&'a Text),
    /// A list as the plan holds it.
    Nodes(&'a [Node]),
    /// A list that was computed.
    List(Vec<Operand<'a>>),
    /// A map as the plan holds it; `None` is the empty map.
    Map(Option<&'a IndexMap<String, Node>>),
    /// Not known, and what would have to be.
    Unknown(Vec<Gap>),
}

impl<'a> Operand<'a> {
    /// A computed value.
    pub fn new(value: Val<'a>) -> Self {
        Self { value, span: None, read: None }
    }

    /// A plain text, or null.
    pub fn text(text: Option<&'a str>) -> Self {
        Self::new(text.map_or(Val::Null, |text| Val::Text(Cow::Borrowed(text))))
    }

    /// What a path that has no node gives: empty for lists and maps, else null.
    pub fn absent(read: &'a Read) -> Self {
        let value = match read.kind {
            ValueKind::List => Val::Nodes(&[]),
            ValueKind::Map => Val::Map(None),
            ValueKind::Bool | ValueKind::Number | ValueKind::Text | ValueKind::Any => Val::Null,
        };
        Self { value, span: None, read: Some(read) }
    }

    /// A path that is not known, and why.
    pub fn unknown(read: &'a Read, why: &str, span: Option<Span>) -> Self {
        let gap = Gap { path: read.path(), why: why.to_owned(), span };
        Self { value: Val::Unknown(vec![gap]), span, read: Some(read) }
    }

    /// The node at a path, brought into the type that the path promises.
    pub fn of_node(node: &'a Node, read: &'a Read) -> Self {
        let plain = Self::element(node, Some(read));
        let value = match (read.kind, plain.value) {
            (ValueKind::List | ValueKind::Map, Val::Null) => return Self { span: Some(node.span), ..Self::absent(read) },
            (ValueKind::Bool, Val::Text(text)) => match text.as_ref() {
                "true" => Val::Bool(true),
                "false" => Val::Bool(false),
                _ => Val::Text(text),
            },
            (ValueKind::Number, Val::Text(text)) => match text.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => Val::Number(number),
                Ok(_) | Err(_) => Val::Text(text),
            },
            (ValueKind::Bool | ValueKind::Number, Val::Partial(text)) => {
                return Self::unknown(read, &why_partial(text), Some(node.span));
            }
            (ValueKind::Text, Val::Number(number)) => Val::Text(Cow::Owned(number_text(number))),
            (ValueKind::Text, Val::Bool(value)) => Val::Text(Cow::Borrowed(if value { "true" } else { "false" })),
            // A block that may appear once is a list of one map, and a block that may be repeated a map where the source writes JSON.
            (ValueKind::Map, Val::Nodes([only])) => Self::element(only, Some(read)).value,
            (ValueKind::List, value @ (Val::Map(_) | Val::Text(_) | Val::Partial(_) | Val::Bool(_) | Val::Number(_))) => {
                Val::List(vec![Self { value, span: plain.span, read: Some(read) }])
            }
            (_, value) => value,
        };
        Self { value, span: Some(node.span), read: Some(read) }
    }

    /// A node inside a value that was read from `read`.
    pub(super) fn element(node: &'a Node, read: Option<&'a Read>) -> Self {
        let value = match &node.value {
            Value::Null => Val::Null,
            Value::Bool(value) => Val::Bool(*value),
            Value::Number(number) => Val::Number(*number),
            Value::Text(text) => text.known().map_or(Val::Partial(text), Val::Text),
            Value::List(items) => Val::Nodes(items),
            Value::Map(map) => Val::Map(Some(map)),
            Value::Unknown(unknown) => {
                let path = read.map_or_else(String::new, Read::path);
                Val::Unknown(vec![Gap { path, why: unknown.why.to_string(), span: Some(node.span) }])
            }
        };
        Self { value, span: Some(node.span), read }
    }

    /// The elements of a list.
    pub fn elements(&self) -> Option<Vec<Operand<'a>>> {
        match &self.value {
            Val::Nodes(nodes) => Some(nodes.iter().map(|node| Self::element(node, self.read)).collect()),
            Val::List(items) => Some(items.clone()),
            _ => None,
        }
    }

    /// What would have to be known to know this value.
    pub(super) fn gaps(&self) -> Vec<Gap> {
        match &self.value {
            Val::Unknown(gaps) => gaps.clone(),
            Val::Partial(text) => {
                let path = self.read.map_or_else(String::new, Read::path);
                vec![Gap { path, why: why_partial(text), span: self.span }]
            }
            _ => Vec::new(),
        }
    }

    /// The value for a reader: texts as they are, lists with commas.
    pub fn display(&self) -> String {
        match &self.value {
            Val::Null => "not set".to_owned(),
            Val::Bool(value) => value.to_string(),
            Val::Number(number) => number_text(*number),
            Val::Text(text) => text.to_string(),
            Val::Partial(text) => text.to_string(),
            Val::Nodes(_) | Val::List(_) => {
                let shown: Vec<String> = self.elements().unwrap_or_default().iter().map(Operand::display).collect();
                match shown.get(..6) {
                    Some(first) if shown.len() > 6 => format!("{} and {} more", first.join(", "), shown.len() - 6),
                    _ => shown.join(", "),
                }
            }
            Val::Map(map) => {
                let shown = |(key, node): (&String, &'a Node)| match &node.value {
                    Value::Null => None,
                    _ => Some(format!("{key} {}", Self::element(node, self.read).display())),
                };
                map.iter().flat_map(|map| map.iter()).filter_map(shown).take(6).collect::<Vec<_>>().join(", ")
            }
            Val::Unknown(_) => "unknown".to_owned(),
        }
    }
}

impl Val<'_> {
    /// The word that messages use for the type.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Val::Null => "not set",
            Val::Bool(_) => "a truth value",
            Val::Number(_) => "a number",
            Val::Text(_) | Val::Partial(_) => "a text",
            Val::Nodes(_) | Val::List(_) => "a list",
            Val::Map(_) => "a map",
            Val::Unknown(_) => "unknown",
        }
    }
}

fn number_text(number: f64) -> String {
    // `{}` writes whole doubles without a fraction, which is how plans write them.
    format!("{number}")
}

fn why_partial(text: &Text) -> String {
    let unknown = text.parts().find_map(|part| match part {
        Part::Unknown(why) => Some(why.to_owned()),
        Part::Reference { address, attribute, value: None } => Some(format!("the plan does not know `{address}.{attribute}`")),
        Part::Literal(_) | Part::Reference { .. } => None,
    });
    unknown.unwrap_or_else(|| "part of the text is not known".to_owned())
}
