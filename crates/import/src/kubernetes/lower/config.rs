//! Configuration and secrets. Values of Secrets are never kept.

use bartizan_model::{Kind, Node, Part, Text, Value};

use super::super::documents_of;
use super::super::object::{Object, list_at};
use super::{Lowered, Settings, list, map};
use crate::json::{self, Origin};

pub(super) fn config_map(object: &Object) -> Lowered {
    let mut settings = Settings::new(object);
    settings.at("data", &object.node, "data");
    // EKS user guide, "Grant IAM users access to Kubernetes with a ConfigMap".
    if object.name == "aws-auth" && object.namespace() == "kube-system" {
        settings.put("mapped_principals", mapped_principals(object));
    }
    Lowered { component_type: "kubernetes.config_map", kind: Kind::Supporting, settings }
}

/// Principals of AWS with their user and groups, of YAML text whose ARNs may be references.
fn mapped_principals(object: &Object) -> Node {
    let mut out = Vec::new();
    for (key, arn) in [("mapRoles", "rolearn"), ("mapUsers", "userarn")] {
        let Some(node) = object.node.get("data").and_then(|data| data.get(key)) else { continue };
        let Some(text) = node.value.as_text() else { continue };
        // `yamlencode` leaves what JSON is, with references where YAML has no place for them.
        let documents = match json::parse(text.encoded(), Origin::Computed(node.span)) {
            Ok(document) => vec![document],
            Err(_) => documents_of(text, node.span).0,
        };
        for entry in documents.iter().filter_map(|document| document.value.as_list()).flatten() {
            let part = |name: &str| entry.get(name).cloned().unwrap_or_else(|| Node::new(Value::Null, node.span));
            out.push(map([("arn", part(arn)), ("user", part("username")), ("groups", part("groups"))], entry.span));
        }
    }
    list(out, object.span)
}

/// The references in a value, without what else it says.
fn references(text: &Text) -> impl Iterator<Item = Text> {
    text.parts().filter_map(|part| match part {
        Part::Reference { address, attribute, .. } => Some(Text::reference(address, attribute, None)),
        Part::Literal(_) | Part::Unknown(_) => None,
    })
}

pub(super) fn secret(object: &Object) -> Lowered {
    let mut settings = Settings::new(object);
    settings.at_or("secret_type", &object.node, "type", Value::Text("Opaque".into()));
    // A token of this account is written into a Secret of the type `kubernetes.io/service-account-token`.
    settings.annotation_or("service_account", object, "kubernetes.io/service-account.name", Value::Null);
    let mut keys = Vec::new();
    let mut sources = Vec::new();
    let mut literal = None;
    for field in ["data", "stringData"] {
        let Some(data) = object.node.get(field).and_then(|data| data.value.as_map()) else { continue };
        for (key, value) in data {
            keys.push(Node::text(key.as_str(), value.span));
            sources.extend(value.value.as_text().into_iter().flat_map(references).map(|text| Node::new(Value::Text(text), value.span)));
            let written = value.value.as_text().is_some_and(|text| !text.is_empty() && text.is_literal());
            if written && literal.is_none() {
                literal = Some(value.span);
            }
        }
    }
    settings.put("keys", list(keys, object.span));
    settings.put("sources", list(sources, object.span));
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
