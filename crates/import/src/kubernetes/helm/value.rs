//! Values as templates see them.

use std::collections::BTreeMap;
use std::rc::Rc;

use bartizan_model::{Node, Value};

/// Deepest nesting that a template may build; values are walked by recursion.
const MAX_DEPTH: usize = 128;
/// Bytes of text that weigh as much as a value.
const BYTES_PER_VALUE: usize = 16;

/// A value of a template. Maps are sorted, as Go's templates range over them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Val {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Rc<str>),
    List(Rc<Vec<Val>>),
    Map(Rc<BTreeMap<String, Val>>),
}

impl Val {
    pub(super) fn str(text: impl AsRef<str>) -> Self {
        Val::Str(Rc::from(text.as_ref()))
    }

    pub(super) fn list(items: Vec<Val>) -> Self {
        Val::List(Rc::new(items))
    }

    pub(super) fn map(members: impl IntoIterator<Item = (String, Val)>) -> Self {
        Val::Map(Rc::new(members.into_iter().collect()))
    }

    /// A value from a YAML tree; the texts in it are already marked.
    pub(super) fn from_node(node: &Node) -> Self {
        match &node.value {
            Value::Null | Value::Unknown(_) => Val::Nil,
            Value::Bool(value) => Val::Bool(*value),
            Value::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => Val::Int(*number as i64),
            Value::Number(number) => Val::Float(*number),
            Value::Text(text) => Val::str(text.encoded()),
            Value::List(items) => Val::list(items.iter().map(Val::from_node).collect()),
            Value::Map(map) => Val::map(map.iter().map(|(key, node)| (key.clone(), Val::from_node(node)))),
        }
    }

    /// How many values a walk over this one meets, texts by their length; `most` where it is more or nested too deeply.
    pub(super) fn weight(&self, most: usize) -> usize {
        let mut left = most;
        self.weigh(&mut left, 0);
        most - left
    }

    fn weigh(&self, left: &mut usize, depth: usize) {
        let own = match self {
            Val::Str(text) => 1 + text.len() / BYTES_PER_VALUE,
            Val::Nil | Val::Bool(_) | Val::Int(_) | Val::Float(_) | Val::List(_) | Val::Map(_) => 1,
        };
        *left = if depth > MAX_DEPTH { 0 } else { left.saturating_sub(own) };
        let inner: &mut dyn Iterator<Item = &Val> = match self {
            Val::List(items) => &mut items.iter(),
            Val::Map(map) => &mut map.values(),
            Val::Nil | Val::Bool(_) | Val::Int(_) | Val::Float(_) | Val::Str(_) => return,
        };
        for value in inner {
            if *left == 0 {
                return;
            }
            value.weigh(left, depth + 1);
        }
    }

    /// What `if` takes for true.
    pub(super) fn truthy(&self) -> bool {
        match self {
            Val::Nil => false,
            Val::Bool(value) => *value,
            Val::Int(number) => *number != 0,
            Val::Float(number) => *number != 0.0,
            Val::Str(text) => !text.is_empty(),
            Val::List(items) => !items.is_empty(),
            Val::Map(map) => !map.is_empty(),
        }
    }

    /// The member of a map; nil of anything else.
    pub(super) fn get(&self, key: &str) -> Val {
        match self {
            Val::Map(map) => map.get(key).cloned().unwrap_or(Val::Nil),
            _ => Val::Nil,
        }
    }

    /// The text as a template prints it.
    pub(super) fn display(&self) -> String {
        match self {
            Val::Nil => String::new(),
            Val::Bool(value) => value.to_string(),
            Val::Int(number) => number.to_string(),
            Val::Float(number) => number.to_string(),
            Val::Str(text) => text.to_string(),
            Val::List(items) => format!("[{}]", items.iter().map(Val::display).collect::<Vec<_>>().join(" ")),
            Val::Map(map) => {
                format!("map[{}]", map.iter().map(|(key, value)| format!("{key}:{}", value.display())).collect::<Vec<_>>().join(" "))
            }
        }
    }

    pub(super) fn int(&self) -> i64 {
        match self {
            Val::Int(number) => *number,
            Val::Float(number) => *number as i64,
            Val::Bool(value) => i64::from(*value),
            Val::Str(text) => text.trim().parse().unwrap_or(0),
            Val::Nil | Val::List(_) | Val::Map(_) => 0,
        }
    }

    pub(super) fn float(&self) -> f64 {
        match self {
            Val::Float(number) => *number,
            Val::Str(text) => text.trim().parse().unwrap_or(0.0),
            other => other.int() as f64,
        }
    }

    /// The elements of a list; nothing of anything else.
    pub(super) fn items(&self) -> &[Val] {
        match self {
            Val::List(items) => items,
            _ => &[],
        }
    }

    /// What templates call the kind of a value.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Val::Nil => "invalid",
            Val::Bool(_) => "bool",
            Val::Int(_) => "int",
            Val::Float(_) => "float64",
            Val::Str(_) => "string",
            Val::List(_) => "slice",
            Val::Map(_) => "map",
        }
    }

    /// The value as block YAML, without a line break at its end.
    pub(super) fn yaml(&self) -> String {
        let mut out = String::new();
        self.write_yaml(&mut out, 0);
        out.trim_end_matches('\n').to_owned()
    }

    fn write_yaml(&self, out: &mut String, indent: usize) {
        let pad = "  ".repeat(indent.min(MAX_INDENT));
        match self {
            Val::Map(map) if !map.is_empty() => {
                for (key, value) in map.iter() {
                    out.push_str(&pad);
                    out.push_str(&scalar(key));
                    out.push(':');
                    value.write_nested(out, indent, matches!(value, Val::List(_)));
                }
            }
            Val::List(items) if !items.is_empty() => {
                for item in items.iter() {
                    out.push_str(&pad);
                    out.push('-');
                    match item {
                        Val::Map(map) if !map.is_empty() => {
                            let mut inner = String::new();
                            item.write_yaml(&mut inner, indent + 1);
                            out.push(' ');
                            out.push_str(inner.trim_start());
                        }
                        _ => item.write_nested(out, indent, false),
                    }
                }
            }
            other => {
                out.push_str(&pad);
                out.push_str(&other.json());
                out.push('\n');
            }
        }
    }

    fn write_nested(&self, out: &mut String, indent: usize, same: bool) {
        match self {
            Val::Map(map) if !map.is_empty() => {
                out.push('\n');
                self.write_yaml(out, indent + 1);
            }
            Val::List(items) if !items.is_empty() => {
                out.push('\n');
                self.write_yaml(out, if same { indent } else { indent + 1 });
            }
            other => {
                out.push(' ');
                out.push_str(&other.json());
                out.push('\n');
            }
        }
    }

    /// The value as JSON, which is YAML in one line too.
    pub(super) fn json(&self) -> String {
        match self {
            Val::Nil => "null".to_owned(),
            Val::Str(text) => serde_json::Value::String(text.to_string()).to_string(),
            Val::List(items) => format!("[{}]", items.iter().map(Val::json).collect::<Vec<_>>().join(",")),
            Val::Map(map) => {
                let member = |(key, value): (&String, &Val)| format!("{}:{}", serde_json::Value::String(key.clone()), value.json());
                format!("{{{}}}", map.iter().map(member).collect::<Vec<_>>().join(","))
            }
            other => other.display(),
        }
    }
}

/// Deeper values are written, but no further to the right.
const MAX_INDENT: usize = 128;

/// A key as a YAML scalar: plain where that is safe.
fn scalar(key: &str) -> String {
    let safe = !key.is_empty() && key.chars().all(|character| character.is_ascii_alphanumeric() || "-_./".contains(character));
    if safe { key.to_owned() } else { serde_json::Value::String(key.to_owned()).to_string() }
}

/// `over` laid over `base`: maps are merged, everything else is replaced, null removes.
pub(super) fn merged(base: &Val, over: &Val) -> Val {
    match (base, over) {
        (Val::Map(base), Val::Map(over)) => {
            let mut out = (**base).clone();
            for (key, value) in over.iter() {
                if *value == Val::Nil {
                    out.remove(key);
                } else {
                    let value = out.get(key).map_or_else(|| value.clone(), |below| merged(below, value));
                    out.insert(key.clone(), value);
                }
            }
            Val::Map(Rc::new(out))
        }
        _ => over.clone(),
    }
}

/// Sets the value at a dotted path of nested maps.
pub(super) fn set_path(base: &Val, path: &[String], value: Val) -> Val {
    let Some((first, rest)) = path.split_first() else { return value };
    let mut map = match base {
        Val::Map(map) => (**map).clone(),
        _ => BTreeMap::new(),
    };
    let below = map.get(first).cloned().unwrap_or(Val::Nil);
    map.insert(first.clone(), set_path(&below, rest, value));
    Val::Map(Rc::new(map))
}
