//! Settings as short text for the component's panel.

use bartizan_model::{Node, Value};
use indexmap::IndexMap;

use crate::redact::{hidden, redact};

/// Longest value shown; the machine format has it whole.
const MOST: usize = 160;

/// Name and value of every setting that says something.
pub(super) fn settings(settings: &IndexMap<String, Node>) -> Vec<(String, String)> {
    let shown = |(name, node): (&String, &Node)| {
        let value = match &node.value {
            Value::Null => return None,
            Value::Text(text) if bartizan_model::names_secret(name) && text.is_literal() => hidden(),
            _ => {
                let mut out = String::new();
                write(&node.value, &mut out);
                redact(&out)
            }
        };
        Some((name.clone(), cut(value)))
    };
    settings.iter().filter_map(shown).collect()
}

fn write(value: &Value, out: &mut String) {
    if out.len() > MOST * 4 {
        return;
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(&value.to_string()),
        Value::Number(value) => out.push_str(&value.to_string()),
        Value::Text(text) => out.push_str(&text.to_string()),
        Value::Unknown(unknown) => out.push_str(&format!("not known: {}", unknown.why)),
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write(&item.value, out);
            }
        }
        Value::Map(map) => {
            let holds_secret = map.get("name").and_then(|name| name.value.as_str()).is_some_and(|name| bartizan_model::names_secret(&name));
            out.push('{');
            for (index, (key, item)) in map.iter().filter(|(_, item)| !item.value.is_null()).enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                out.push_str(&format!("{key}: "));
                match &item.value {
                    Value::Text(text) if text.is_literal() && (bartizan_model::names_secret(key) || (holds_secret && key == "value")) => {
                        out.push_str(&hidden())
                    }
                    other => write(other, out),
                }
            }
            out.push('}');
        }
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or("")),
        None => text,
    }
}
