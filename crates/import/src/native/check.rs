//! Checks a tree against the JSON Schema and says what is wrong, where, and what was probably meant.

use bartizan_model::{Diagnostic, Node, Severity, Span, Value};
use serde_json::Value as Json;

use super::schema::schema;
use crate::yaml::Marks;

/// Adds a diagnostic for every place where the file departs from its schema.
pub(super) fn check(root: &Node, marks: &Marks, diagnostics: &mut Vec<Diagnostic>) {
    let schema = schema();
    Checker { schema: &schema, marks, diagnostics }.node(root, &schema, "the file");
}

struct Checker<'a> {
    schema: &'a Json,
    marks: &'a Marks,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl<'a> Checker<'a> {
    fn error(&mut self, code: &'static str, message: String, span: Span) {
        self.diagnostics.push(Diagnostic::new(code, Severity::Error, message, span));
    }

    fn resolve(&self, schema: &'a Json) -> &'a Json {
        match schema.get("$ref").and_then(Json::as_str).and_then(|reference| self.schema.pointer(reference.trim_start_matches('#'))) {
            Some(found) => found,
            None => schema,
        }
    }

    /// A schema, or the alternatives that it consists of.
    fn alternatives(&self, schema: &'a Json) -> Vec<&'a Json> {
        let schema = self.resolve(schema);
        match schema.get("anyOf").and_then(Json::as_array) {
            Some(options) => options.iter().map(|option| self.resolve(option)).collect(),
            None => vec![schema],
        }
    }

    fn node(&mut self, node: &Node, schema: &'a Json, what: &str) {
        let schema = self.resolve(schema);
        if let Some(options) = schema.get("anyOf").and_then(Json::as_array) {
            let options: Vec<&Json> = options.iter().flat_map(|option| self.alternatives(option)).collect();
            match options.iter().find(|option| fits(node, option)) {
                Some(option) => self.node(node, option, what),
                None => self.wrong_type(node, &options, what),
            }
            return;
        }
        if !fits(node, schema) {
            self.wrong_type(node, &[schema], what);
            return;
        }
        match &node.value {
            Value::Map(_) => self.members(node, schema, what),
            Value::List(items) => {
                if let Some(schema) = schema.get("items") {
                    for item in items {
                        self.node(item, schema, &format!("an entry of {what}"));
                    }
                }
            }
            _ => self.scalar(node, schema, what),
        }
    }

    fn members(&mut self, node: &Node, schema: &'a Json, what: &str) {
        let (Value::Map(map), Some(properties)) = (&node.value, schema.get("properties").and_then(Json::as_object)) else { return };
        for (key, value) in map {
            if let Some(schema) = properties.get(key) {
                self.node(value, schema, &format!("`{key}`"));
            } else {
                let span = self.marks.key_of(value).unwrap_or(value.span);
                let diagnostic = Diagnostic::new("native/unknown-key", Severity::Error, format!("{what} has no key `{key}`"), span);
                self.diagnostics.push(with_suggestion(diagnostic, key, properties.keys().map(String::as_str)));
            }
        }
        for required in schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
            if map.get(required).is_none_or(|value| value.value.is_null()) {
                self.error("native/missing-key", format!("{what} needs the key `{required}`"), node.span);
            }
        }
    }

    fn scalar(&mut self, node: &Node, schema: &Json, what: &str) {
        if let (Some(choices), Some(text)) = (choices(schema), node.value.as_str())
            && !choices.contains(&text.as_ref())
        {
            let message = format!("{what} cannot be `{text}`: one of {} is expected", quoted(&choices));
            self.diagnostics.push(with_suggestion(
                Diagnostic::new("native/value", Severity::Error, message, node.span),
                &text,
                choices.iter().copied(),
            ));
        }
        let bound = |key: &str| schema.get(key).and_then(Json::as_f64);
        if let Value::Number(number) = node.value {
            let low = bound("minimum").filter(|low| number < *low);
            let high = bound("maximum").filter(|high| number > *high);
            if let Some(low) = low {
                self.error("native/value", format!("{what} must be at least {low}, not {number}"), node.span);
            } else if let Some(high) = high {
                self.error("native/value", format!("{what} must be at most {high}, not {number}"), node.span);
            }
        }
    }

    fn wrong_type(&mut self, node: &Node, options: &[&Json], what: &str) {
        let mut words: Vec<&str> = Vec::new();
        for name in options.iter().flat_map(|option| types(option)).filter(|name| *name != "null") {
            let word = match name {
                "string" => "a text",
                "number" => "a number",
                "integer" => "a whole number",
                "boolean" => "`true` or `false`",
                "array" => "a list",
                _ => "a mapping",
            };
            if !words.contains(&word) {
                words.push(word);
            }
        }
        let found = match &node.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a truth value",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
            Value::Unknown(_) => "an alias that names nothing",
        };
        self.error("native/type", format!("{what} must be {}, not {found}", words.join(" or ")), node.span);
    }
}

/// The texts that a schema allows, where it lists them.
fn choices(schema: &Json) -> Option<Vec<&str>> {
    if let Some(list) = schema.get("enum").and_then(Json::as_array) {
        return Some(list.iter().filter_map(Json::as_str).collect());
    }
    let each = |option: &'_ Json| option.get("const").and_then(Json::as_str).is_some();
    let list = schema.get("oneOf").and_then(Json::as_array).filter(|list| list.iter().all(each))?;
    Some(list.iter().filter_map(|option| option.get("const").and_then(Json::as_str)).collect())
}

/// The JSON types that a schema allows.
fn types(schema: &Json) -> Vec<&str> {
    match schema.get("type") {
        Some(Json::String(name)) => vec![name],
        Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
        _ if choices(schema).is_some() => vec!["string"],
        _ => Vec::new(),
    }
}

fn fits(node: &Node, schema: &Json) -> bool {
    let types = types(schema);
    types.is_empty()
        || types.iter().any(|name| match (*name, &node.value) {
            ("null", Value::Null)
            | ("boolean", Value::Bool(_))
            | ("string", Value::Text(_))
            | ("array", Value::List(_))
            | ("object", Value::Map(_)) => true,
            ("number", Value::Number(_)) => true,
            ("integer", Value::Number(number)) => number.fract() == 0.0,
            _ => false,
        })
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Adds what was probably meant: the known word that is nearest, if it is near.
pub(super) fn with_suggestion<'a>(diagnostic: Diagnostic, word: &str, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let near = known.map(|candidate| (distance(word, candidate), candidate)).min();
    match near {
        Some((distance, candidate)) if distance * 3 <= word.chars().count().max(3) => {
            diagnostic.with_help(format!("did you mean `{candidate}`?"))
        }
        _ => diagnostic,
    }
}

/// Edits between two words: insertions, deletions, replacements and swaps of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(MAX_WORD).collect();
    let b: Vec<char> = b.chars().take(MAX_WORD).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
            let mut best = (at(&last, j) + usize::from(x != y)).min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

/// Longer words are not typing mistakes.
const MAX_WORD: usize = 64;

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn edits_count_swaps_as_one() {
        assert_eq!(distance("confidentialtiy", "confidentiality"), 1);
        assert_eq!(distance("ownr", "owners"), 2);
        assert_eq!(distance("", "ab"), 2);
    }
}
