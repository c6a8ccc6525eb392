//! What differs between two values of a setting, in words: of lists and maps only what the other does not have.

use serde_json::{Map, Value};

use super::document::SettingChange;
use super::sentence::listed;
use crate::redact::redact;

/// Longest text that is shown, in characters.
const MOST_TEXT: usize = 60;
/// Longest list or map that is shown, in characters.
const MOST_STRUCTURE: usize = 120;
/// Structures shown of a list.
const MOST_STRUCTURES: usize = 2;
/// Characters shown of what two long texts have in common.
const KEPT: usize = 10;
/// Differences shown of one component.
const MOST_PARTS: usize = 6;

/// `name before → after` of each setting, separated by commas.
pub(super) fn settings(changes: &[SettingChange]) -> String {
    let mut parts = Vec::new();
    for change in changes {
        differences(&change.name, &change.before, &change.after, &mut parts);
    }
    let n_left_out = parts.len().saturating_sub(MOST_PARTS);
    parts.truncate(MOST_PARTS);
    if n_left_out > 0 {
        parts.push(format!("{n_left_out} more"));
    }
    parts.join(", ")
}

fn differences(name: &str, before: &Value, after: &Value, out: &mut Vec<String>) {
    let (before, after) = (&document(before), &document(after));
    match (before, after) {
        (Value::Array(old), Value::Array(new)) => {
            let (old, new) = (only(old, new), only(new, old));
            match (old.as_slice(), new.as_slice()) {
                ([], []) => out.push(format!("{name} in another order")),
                ([old @ (Value::Array(_) | Value::Object(_))], [new @ (Value::Array(_) | Value::Object(_))])
                | ([old @ Value::String(_)], [new @ Value::String(_)]) => differences(name, old, new, out),
                ([], new) => out.push(format!("{name}: new {}", items(new))),
                (old, []) => out.push(format!("{name}: gone {}", items(old))),
                (old, new) => out.push(format!("{name} {} → {}", items(old), items(new))),
            }
        }
        (Value::Object(old), Value::Object(new)) if !is_unknown(old) && !is_unknown(new) => members(name, old, new, out),
        (Value::Null, Value::Object(new)) if !is_unknown(new) => members(name, &Map::new(), new, out),
        (Value::Object(old), Value::Null) if !is_unknown(old) => members(name, old, &Map::new(), out),
        (Value::Null, Value::Array(new)) if !new.is_empty() => out.push(format!("{name}: new {}", items(new))),
        (Value::Array(old), Value::Null) if !old.is_empty() => out.push(format!("{name}: gone {}", items(old))),
        (Value::String(old), Value::String(new)) => {
            let (old, new) = cut_alike(&readable(name, old), &readable(name, new));
            out.push(format!("{name} {} → {}", quoted(&old, MOST_TEXT), quoted(&new, MOST_TEXT)));
        }
        _ => out.push(format!("{name} {} → {}", value(name, before), value(name, after))),
    }
}

fn members(name: &str, old: &Map<String, Value>, new: &Map<String, Value>, out: &mut Vec<String>) {
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for key in names {
        let (old, new) = (old.get(key).unwrap_or(&Value::Null), new.get(key).unwrap_or(&Value::Null));
        if old != new && !(is_empty(old) && is_empty(new)) {
            differences(&format!("{name}.{key}"), old, new, out);
        }
    }
}

/// What one list has more often than the other.
fn only(these: &[Value], others: &[Value]) -> Vec<Value> {
    let mut others: Vec<&Value> = others.iter().collect();
    let mut out = Vec::new();
    for item in these {
        match others.iter().position(|other| *other == item) {
            Some(place) => {
                others.swap_remove(place);
            }
            None => out.push(item.clone()),
        }
    }
    out
}

/// A list or map that is written as a text, as that.
fn document(value: &Value) -> Value {
    let structured = |text: &str| serde_json::from_str(text).ok().filter(|read: &Value| read.is_array() || read.is_object());
    match value {
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => structured(text).unwrap_or_else(|| value.clone()),
        other => other.clone(),
    }
}

fn is_unknown(map: &Map<String, Value>) -> bool {
    map.len() == 1 && map.contains_key("unknown")
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Things of a list, each quoted; of structures the first few, which are long.
fn items(items: &[Value]) -> String {
    let is_structured = items.iter().any(|item| matches!(item, Value::Array(_) | Value::Object(_)));
    let n_shown = if is_structured { items.len().min(MOST_STRUCTURES) } else { items.len() };
    let texts: Vec<String> = items.iter().take(n_shown).map(|item| cut(&plain("", item), MOST_STRUCTURE)).collect();
    match items.len() - n_shown {
        0 => listed(&texts),
        n => format!("{} and {n} more", listed(&texts)),
    }
}

fn value(name: &str, value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::Object(map) if is_unknown(map) => "not known".to_owned(),
        empty if is_empty(empty) => "nothing".to_owned(),
        Value::String(text) => quoted(&readable(name, text), MOST_TEXT),
        Value::Array(_) | Value::Object(_) => quoted(&plain(name, value), MOST_STRUCTURE),
    }
}

/// A value on one line without quotes and without members that are not set.
fn plain(name: &str, value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(text) => readable(name, text),
        Value::Array(items) => format!("[{}]", items.iter().map(|item| plain(name, item)).collect::<Vec<_>>().join(", ")),
        Value::Object(map) if is_unknown(map) => "not known".to_owned(),
        Value::Object(map) => {
            let members = map.iter().filter(|(key, item)| !is_empty(item) && *key != "description");
            let members: Vec<String> = members.map(|(key, item)| format!("{key} {}", plain(key, item))).collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

/// A text as it may be shown, with its name: without secrets, control characters and reasons why a part is not known.
fn readable(name: &str, text: &str) -> String {
    // A secret is recognised by the name before it.
    let name = name.rsplit('.').next().unwrap_or_default();
    let named = redact(&format!("{name}={text}"));
    let hidden = named.split_once('=').map_or(text, |(_, shown)| shown);
    without_reasons(&hidden.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>())
}

/// A text with `…` for each part of it that is not known; the reasons stand among the questions.
pub(super) fn without_reasons(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let (inner, left) = after.split_once('}').unwrap_or((after, ""));
        // A reference has no space outside of a key, a reason is a sentence.
        if inner == "?" || inner.split('[').next().is_some_and(|head| head.contains(' ')) {
            out.push('…');
        } else {
            out.push_str("${");
            out.push_str(inner);
            out.push('}');
        }
        rest = left;
    }
    out.push_str(rest);
    out
}

/// Long texts that begin alike differ further on.
fn cut_alike(old: &str, new: &str) -> (String, String) {
    let common = old.chars().zip(new.chars()).take_while(|(old, new)| old == new).count();
    if common <= MOST_TEXT / 2 {
        return (old.to_owned(), new.to_owned());
    }
    let rest = |text: &str| format!("…{}", text.chars().skip(common.saturating_sub(KEPT)).collect::<String>());
    (rest(old), rest(new))
}

fn cut(text: &str, most: usize) -> String {
    let short: String = text.chars().take(most).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

fn quoted(text: &str, most: usize) -> String {
    format!("`{}`", cut(text, most).replace('`', "'"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{settings, without_reasons};
    use crate::difference::SettingChange;

    fn told(name: &str, before: Value, after: Value) -> String {
        settings(&[SettingChange { name: name.to_owned(), before, after }])
    }

    #[test]
    fn only_what_differs_is_told() {
        let rule = |port: u16| json!({"from_port": port, "protocol": "tcp", "description": "x", "prefix_list_ids": []});
        for (before, after, expected) in [
            (json!(null), json!(true), "s not set → true"),
            (json!([rule(22)]), json!([rule(22), rule(443)]), "s: new `{from_port 443, protocol tcp}`"),
            (json!([rule(22)]), json!([]), "s: gone `{from_port 22, protocol tcp}`"),
            (json!([rule(22)]), json!([rule(23)]), "s.from_port 22 → 23"),
            (json!([]), json!([[1], [2], [3], [4]]), "s: new `[1]` and `[2]` and 2 more"),
            (json!([1, 1]), json!([1]), "s: gone `1`"),
            (json!([1, 2]), json!([2, 1]), "s in another order"),
            (json!({"A": "x", "B": "y"}), json!({"A": "z", "C": "y"}), "s.A `x` → `z`, s.B `y` → not set, s.C not set → `y`"),
            (json!({"A": null}), json!({"A": [], "B": 1}), "s.B not set → 1"),
            (json!(null), json!({"A": {"unknown": null}}), "s.A not set → not known"),
            (json!("{\"a\": [1]}"), json!("{\"a\": [1, 2]}"), "s.a: new `2`"),
        ] {
            assert_eq!(told("s", before, after), expected);
        }
    }

    #[test]
    fn secrets_stay_hidden_and_reasons_are_left_out() {
        let shown = told("environment", json!({"DB_PASSWORD": "hunter2"}), json!({"DB_PASSWORD": "hunter3"}));
        assert_eq!(shown, "environment.DB_PASSWORD `********` → `********`");
        assert_eq!(without_reasons("${?}-x-${the variable `id` has no value.name}"), "…-x-…");
        assert_eq!(without_reasons("${module.m[\"a b\"].aws_sqs_queue.q.arn}/*"), "${module.m[\"a b\"].aws_sqs_queue.q.arn}/*");
    }
}
