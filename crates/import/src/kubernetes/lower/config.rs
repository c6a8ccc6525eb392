//! Configuration and secrets. Values of Secrets are never kept.

use bartizan_model::{Kind, Node, Value};

use super::super::object::{Object, list_at};
use super::{Lowered, Settings, list};

pub(super) fn config_map(object: &Object) -> Lowered {
    let mut settings = Settings::new(object);
    settings.at("data", &object.node, "data");
    Lowered { component_type: "kubernetes.config_map", kind: Kind::Supporting, settings }
}

pub(super) fn secret(object: &Object) -> Lowered {
    let mut settings = Settings::new(object);
    settings.at_or("secret_type", &object.node, "type", Value::Text("Opaque".into()));
    let mut keys = Vec::new();
    let mut literal = None;
    for field in ["data", "stringData"] {
        let Some(data) = object.node.get(field).and_then(|data| data.value.as_map()) else { continue };
        for (key, value) in data {
            keys.push(Node::text(key.as_str(), value.span));
            let written = value.value.as_text().is_some_and(|text| !text.is_empty() && text.is_literal());
            if written && literal.is_none() {
                literal = Some(value.span);
            }
        }
    }
    settings.put("keys", list(keys, object.span));
    settings.put("values_in_source", Node::new(Value::Bool(literal.is_some()), literal.unwrap_or(object.span)));
    Lowered { component_type: "kubernetes.secret", kind: Kind::Supporting, settings }
}

pub(super) fn external_secret(object: &Object) -> Lowered {
    let mut settings = Settings::new(object);
    settings.at("store", &object.node, "spec.secretStoreRef.name");
    settings.at_or("target", &object.node, "spec.target.name", Value::Text(object.name.as_str().into()));
    let data = object.node.at("spec.data.remoteRef.key").into_iter();
    let keys: Vec<Node> = data.chain(object.node.at("spec.dataFrom.extract.key")).cloned().collect();
    settings.put("remote_keys", list(keys, object.span));
    settings.at("refresh_interval", &object.node, "spec.refreshInterval");
    Lowered { component_type: "kubernetes.external_secret", kind: Kind::Supporting, settings }
}

pub(super) fn secret_source(object: &Object) -> Lowered {
    let mut settings = Settings::new(object);
    let provider = object.node.get("spec").and_then(|spec| spec.get("provider"));
    let name = match provider.map(|node| &node.value) {
        Some(Value::Map(map)) => map.keys().next().map(|key| Value::Text(key.as_str().into())),
        Some(Value::Text(text)) => Some(Value::Text(text.clone())),
        _ => None,
    };
    settings.value("provider", name.unwrap_or(Value::Null));
    settings.at("objects", &object.node, "spec.parameters.objects");
    settings.put("secret_objects", list(list_at(&object.node, "spec.secretObjects").to_vec(), object.span));
    Lowered { component_type: "kubernetes.secret_source", kind: Kind::Supporting, settings }
}
