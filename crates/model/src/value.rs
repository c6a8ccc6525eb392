//! Values as a plan gives them: known, absent, or not to be known before it is applied; each with its span.

use std::borrow::Cow;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::{Span, Text};

/// A value and where it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it is written: the expression that decides it, or the block that leaves it out.
    pub span: Span,
}

/// A value. Numbers are 64-bit floats as in JSON; sets are lists.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Absent: the source says nothing, or says `null`.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(f64),
    /// Text, perhaps with references in it.
    Text(Text),
    /// A list, tuple or set, and repeated blocks.
    List(Vec<Node>),
    /// A map or object, and a block's body; in source order.
    Map(IndexMap<String, Node>),
    /// Not to be known from the plan.
    Unknown(Unknown),
}

/// Why a value is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Whether someone could say it today.
    pub kind: UnknownKind,
    /// The reason in words for a reader: ``variable `region` has no value``.
    pub why: Arc<str>,
}

/// The two ways of not knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnknownKind {
    /// Decided when the plan is applied, or read from the account.
    AfterApply,
    /// The source should say it but it could not be resolved: a variable without value, a module that is not there, a function that failed.
    Unresolved,
}

impl Node {
    /// Pairs a value with its span.
    pub fn new(value: Value, span: Span) -> Self {
        Self { value, span }
    }

    /// A plain text node.
    pub fn text(text: impl Into<Text>, span: Span) -> Self {
        Self::new(Value::Text(text.into()), span)
    }

    /// The member of a map; of the only element where the value is a list of one map (a block that may appear once).
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(map) => map.get(key),
            Value::List(items) => match items.as_slice() {
                [only] => only.get(key),
                _ => None,
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unknown(_) => None,
        }
    }

    /// Every node at a dotted path: `vpc_config.subnet_ids`, `rule[].prefix`.
    ///
    /// A list met on the way is entered: each of its elements is followed, so repeated blocks need no mark; `[]` at the end of a segment
    /// enters the list that the segment names, so that `subnets[]` gives the elements and `subnets` the list itself.
    /// An unknown value met on the way is itself a result, so that "not known" is never taken for "not there".
    pub fn at(&self, path: &str) -> Vec<&Node> {
        let mut current = vec![self];
        for segment in path.split('.') {
            let (key, enter) = match segment.strip_suffix("[]") {
                Some(key) => (key, true),
                None => (segment, false),
            };
            let mut next = Vec::new();
            for node in current {
                node.step(key, &mut next);
            }
            if enter {
                let mut inside = Vec::new();
                for node in next {
                    match &node.value {
                        Value::List(items) => inside.extend(items),
                        Value::Map(_) | Value::Text(_) | Value::Bool(_) | Value::Number(_) | Value::Unknown(_) => inside.push(node),
                        Value::Null => {}
                    }
                }
                next = inside;
            }
            current = next;
        }
        current
    }

    fn step<'a>(&'a self, key: &str, out: &mut Vec<&'a Node>) {
        match &self.value {
            Value::Map(map) if key == "*" => out.extend(map.values()),
            Value::Map(map) => out.extend(map.get(key)),
            Value::List(items) => items.iter().for_each(|item| item.step(key, out)),
            Value::Unknown(_) => out.push(self),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
        }
    }

    /// The first node at a path that is not absent.
    pub fn first_at(&self, path: &str) -> Option<&Node> {
        self.at(path).into_iter().find(|node| !node.value.is_null())
    }

    /// Calls `visit` for every text in the tree, with the node that holds it.
    pub fn for_each_text<'a>(&'a self, visit: &mut impl FnMut(&'a Text, &'a Node)) {
        match &self.value {
            Value::Text(text) => visit(text, self),
            Value::List(items) => items.iter().for_each(|item| item.for_each_text(visit)),
            Value::Map(map) => map.values().for_each(|item| item.for_each_text(visit)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Unknown(_) => {}
        }
    }
}

impl Value {
    /// An unknown that is decided when the plan is applied.
    pub fn after_apply(why: impl AsRef<str>) -> Self {
        Value::Unknown(Unknown { kind: UnknownKind::AfterApply, why: Arc::from(why.as_ref()) })
    }

    /// An unknown that the source should have said.
    pub fn unresolved(why: impl AsRef<str>) -> Self {
        Value::Unknown(Unknown { kind: UnknownKind::Unresolved, why: Arc::from(why.as_ref()) })
    }

    /// True for `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// True for a value that is not to be known; a text with an unvalued reference in it is not counted.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Value::Unknown(_))
    }

    /// The truth value; the texts `true` and `false` count, as in Terraform.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(*value),
            Value::Text(text) => match text.known()?.as_ref() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
            Value::Null | Value::Number(_) | Value::List(_) | Value::Map(_) | Value::Unknown(_) => None,
        }
    }

    /// The number; a text that spells one counts, as in Terraform.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Text(text) => text.known()?.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) | Value::Unknown(_) => None,
        }
    }

    /// The text, where it is one.
    pub fn as_text(&self) -> Option<&Text> {
        match self {
            Value::Text(text) => Some(text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) | Value::Unknown(_) => None,
        }
    }

    /// The plain string, where it is a text whose value is known.
    pub fn as_str(&self) -> Option<Cow<'_, str>> {
        self.as_text().and_then(Text::known)
    }

    /// The elements, where it is a list.
    pub fn as_list(&self) -> Option<&[Node]> {
        match self {
            Value::List(items) => Some(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) | Value::Unknown(_) => None,
        }
    }

    /// The members, where it is a map.
    pub fn as_map(&self) -> Option<&IndexMap<String, Node>> {
        match self {
            Value::Map(map) => Some(map),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Unknown(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Node, Value};
    use crate::{FileId, Span};

    #[test]
    fn paths_enter_repeated_blocks_and_stop_at_unknowns() {
        let span = Span::new(FileId(0), 0..1);
        let block = |value| Node::new(Value::Map([("prefix".to_owned(), Node::new(value, span))].into_iter().collect()), span);
        let rules = Node::new(Value::List(vec![block(Value::Bool(true)), block(Value::Null)]), span);
        let root = Node::new(
            Value::Map([("rule".to_owned(), rules), ("later".to_owned(), Node::new(Value::after_apply("x"), span))].into_iter().collect()),
            span,
        );
        assert_eq!(root.at("rule.prefix").len(), 2);
        assert_eq!(root.at("rule[]").len(), 2);
        assert_eq!(root.at("rule").len(), 1);
        assert!(root.first_at("later.a.b").is_some_and(|node| node.value.is_unknown()));
        assert!(root.first_at("none.a").is_none());
    }
}
