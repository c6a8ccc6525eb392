//! Terraform's functions, all but those that need the network or a clock.
//!
//! Arguments that are not known give a result that is not known; a function that copies text keeps the references in it.

mod collections;
mod encoding;
mod files;
mod format;
mod network;
mod numbers;
mod strings;
mod time;

use bartizan_model::{Node, Span, Text, Value};

use super::budget::{MAX_TEXT, size};
use super::evaluate::{Evaluated, Failure, Scope, equal, is_symbolic, is_unknown, unknown_of};
use super::resolve::Resolver;

/// Why a function gives no value of its own.
pub(crate) enum Stop {
    /// Terraform would refuse the call.
    Fail(String),
    /// This argument is not known.
    Unknown(Node),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Stop::Fail(failure.why)
    }
}

/// Result of a function.
pub(crate) type Called = Result<Value, Stop>;

/// Arguments of a call.
pub(crate) struct Args<'n> {
    nodes: &'n [Node],
}

/// What every call may cost beside its result: pairs that it compares, values that it multiplies.
const MAX_CALL: u64 = 20_000_000;

/// Refuses a call that would cost too much.
fn affordable(cost: u64) -> Result<(), Stop> {
    if cost > MAX_CALL { Err(Stop::Fail("more elements than are sensible".to_owned())) } else { Ok(()) }
}

/// What copies of a value cost.
fn cost_of(node: &Node, copies: usize) -> u64 {
    size(node).cost.saturating_mul(copies as u64)
}

/// Calls a function by its name.
pub(crate) fn call<'a>(resolver: &Resolver<'a>, scope: &Scope<'a>, name: &str, nodes: Vec<Node>, span: Span) -> Evaluated<Node> {
    let short = name.strip_prefix("core::").unwrap_or(name);
    let args = Args { nodes: &nodes };
    let result = match short {
        // A value passed through keeps its place.
        "sensitive" | "nonsensitive" | "ephemeralasnull" => {
            return nodes.into_iter().next().ok_or_else(|| Failure::new(format!("`{name}` wants an argument"), span));
        }
        _ => collections::call(short, &args)
            .or_else(|| strings::call(short, &args))
            .or_else(|| format::call(short, &args))
            .or_else(|| numbers::call(short, &args))
            .or_else(|| encoding::call(resolver, short, &args, span))
            .or_else(|| network::call(short, &args))
            .or_else(|| time::call(short, &args))
            .or_else(|| files::call(resolver, scope, short, &args, span)),
    };
    match result {
        Some(Ok(value)) => {
            if value.as_text().is_some_and(|text| text.encoded().len() > MAX_TEXT) {
                return Err(Failure::new(format!("`{name}`: the text grows too long"), span));
            }
            let node = Node::new(value, span);
            resolver.spend_on(&node, span)?;
            Ok(node)
        }
        Some(Err(Stop::Fail(why))) => Err(Failure::new(format!("`{name}`: {why}"), span)),
        Some(Err(Stop::Unknown(node))) => {
            let value = if copies_text(short) { derived(&node) } else { unknown_of(&node) };
            Ok(Node::new(value, span))
        }
        None if name.contains("::") => {
            Ok(Node::new(Value::after_apply(format!("the provider's function `{name}` is not evaluated")), span))
        }
        None => Err(Failure::new(format!("there is no function `{name}`"), span)),
    }
}

/// Functions whose result is a piece of their text argument, so that a reference in it still says where it comes from.
fn copies_text(name: &str) -> bool {
    matches!(
        name,
        "lower"
            | "upper"
            | "title"
            | "trim"
            | "trimprefix"
            | "trimsuffix"
            | "trimspace"
            | "replace"
            | "substr"
            | "chomp"
            | "split"
            | "regex"
            | "urlencode"
            | "base64encode"
            | "base64decode"
            | "indent"
            | "strrev"
            | "basename"
            | "dirname"
    )
}

/// The references of a text without the rest: what is left to say of a text that was changed in a way that is not known.
fn derived(node: &Node) -> Value {
    let Some(text) = node.value.as_text() else { return unknown_of(node) };
    let mut out = Text::default();
    for (address, attribute) in text.references() {
        out.push(&Text::reference(address, attribute, None));
    }
    if out.is_empty() { unknown_of(node) } else { Value::Text(out) }
}

/// Elements without their repetitions, in first-seen order; elements that are not known stay.
pub(crate) fn distinct(items: Vec<Node>) -> Vec<Node> {
    let mut seen = std::collections::HashSet::new();
    let mut out: Vec<Node> = Vec::with_capacity(items.len());
    for item in items {
        let new = match &item.value {
            // The common case, in linear time.
            Value::Text(text) => seen.insert(text.clone()),
            _ => !out.iter().any(|other| equal(other, &item) == Some(true)),
        };
        if new {
            out.push(item);
        }
    }
    out
}

impl<'n> Args<'n> {
    fn all(&self) -> &'n [Node] {
        self.nodes
    }

    fn len(&self) -> usize {
        self.nodes.len()
    }

    fn get(&self, index: usize) -> Result<&'n Node, Stop> {
        self.nodes.get(index).ok_or_else(|| Stop::Fail(format!("wants at least {} arguments", index + 1)))
    }

    fn known(&self, index: usize) -> Result<&'n Node, Stop> {
        let node = self.get(index)?;
        if is_unknown(node) { Err(Stop::Unknown(node.clone())) } else { Ok(node) }
    }

    /// A text whose value is known; numbers and truth values are converted.
    fn string(&self, index: usize) -> Result<String, Stop> {
        known_string(self.get(index)?)
    }

    fn number(&self, index: usize) -> Result<f64, Stop> {
        let node = self.known(index)?;
        node.value.as_number().ok_or_else(|| Stop::Fail("expected a number".to_owned()))
    }

    fn integer(&self, index: usize) -> Result<i64, Stop> {
        let number = self.number(index)?;
        if number.fract() == 0.0 && number.abs() < 9e15 { Ok(number as i64) } else { Err(Stop::Fail("expected a whole number".to_owned())) }
    }

    /// A list; `null` is refused.
    fn list(&self, index: usize) -> Result<&'n [Node], Stop> {
        let node = self.get(index)?;
        as_list(node)
    }

    fn map(&self, index: usize) -> Result<&'n indexmap::IndexMap<String, Node>, Stop> {
        let node = self.get(index)?;
        match &node.value {
            Value::Map(map) => Ok(map),
            _ if is_unknown(node) => Err(Stop::Unknown(node.clone())),
            // Instances of which it is not known how many there are.
            Value::List(items) => match items.as_slice() {
                [only] if is_symbolic(only) => Err(Stop::Unknown(only.clone())),
                _ => Err(Stop::Fail("expected a map".to_owned())),
            },
            _ => Err(Stop::Fail("expected a map".to_owned())),
        }
    }
}

/// The elements of a list; unknown where the node is.
fn as_list(node: &Node) -> Result<&[Node], Stop> {
    match &node.value {
        Value::List(items) => Ok(items),
        _ if is_unknown(node) => Err(Stop::Unknown(node.clone())),
        _ => Err(Stop::Fail("expected a list".to_owned())),
    }
}

/// A text whose value is known; numbers and truth values are converted.
fn known_string(node: &Node) -> Result<String, Stop> {
    if is_unknown(node) {
        return Err(Stop::Unknown(node.clone()));
    }
    let text = super::evaluate::to_text(node)?;
    match text.known() {
        Some(known) => Ok(known.into_owned()),
        None => Err(Stop::Unknown(node.clone())),
    }
}

fn text_value(text: impl Into<String>) -> Value {
    Value::Text(Text::literal(text))
}
