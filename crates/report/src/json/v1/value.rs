//! Settings as plain JSON.

use bartizan_model::{Node, Value};
use indexmap::IndexMap;
use serde_json::{Map, Number, Value as Json};

use crate::redact;

/// Settings or tags by name. What is not known is `{"unknown": reason}`; texts with references are written as Terraform writes them.
pub(super) fn settings(settings: &IndexMap<String, Node>) -> Json {
    Json::Object(settings.iter().map(|(name, node)| (name.clone(), member(name, node))).collect())
}

fn member(name: &str, node: &Node) -> Json {
    match &node.value {
        Value::Text(text) if bartizan_model::names_secret(name) && text.is_literal() && !text.is_empty() => Json::String(redact::hidden()),
        _ => json(node),
    }
}

fn json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(value) => number(*value),
        Value::Text(text) => Json::String(redact::redact(&text.to_string())),
        Value::List(items) => Json::Array(items.iter().map(json).collect()),
        Value::Map(map) => {
            // `{name: DB_PASSWORD, value: …}`, as container definitions and manifests write their environment.
            let holds_secret = map.get("name").and_then(|name| name.value.as_str()).is_some_and(|name| bartizan_model::names_secret(&name));
            Json::Object(
                map.iter()
                    .map(|(key, item)| match &item.value {
                        Value::Text(text) if holds_secret && key == "value" && text.is_literal() => {
                            (key.clone(), Json::String(redact::hidden()))
                        }
                        _ => (key.clone(), member(key, item)),
                    })
                    .collect(),
            )
        }
        Value::Unknown(unknown) => Json::Object(Map::from_iter([("unknown".to_owned(), Json::String(unknown.why.to_string()))])),
    }
}

/// Whole numbers are written without a fraction, as the sources write them.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn number(value: f64) -> Json {
    // 2^53: beyond it a float no longer holds every whole number.
    if value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0 {
        return Json::Number(Number::from(value as i64));
    }
    Number::from_f64(value).map_or(Json::Null, Json::Number)
}
