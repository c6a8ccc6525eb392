//! One object per identity: overlays are merged into their bases, and what several stacks define stays apart.

use std::collections::BTreeMap;

use bartizan_model::{Address, Diagnostic, Node, RelatedSpan, Severity, Value};

use super::object::Object;
use super::parse::Manifests;

/// The objects, each with an address of its own.
pub(super) fn resolve(manifests: Manifests, diagnostics: &mut Vec<Diagnostic>) -> Vec<Object> {
    let mut out: Vec<Object> = Vec::new();
    let mut by_address: BTreeMap<Address, usize> = BTreeMap::new();
    for mut object in manifests.objects {
        let Some(first) = by_address.get(&object.address).and_then(|index| out.get_mut(*index)) else {
            by_address.insert(object.address.clone(), out.len());
            out.push(object);
            continue;
        };
        if is_patch(&object, first) {
            merge(&mut first.node, object.node);
        } else if first.node == object.node || first.stack == object.stack {
            let message = format!("`{}` is defined twice, the first one counts", first.address);
            let mut diagnostic = Diagnostic::new("kubernetes/defined-twice", Severity::Warning, message, object.span);
            diagnostic.related.push(RelatedSpan { span: first.span, text: "first defined here".to_owned() });
            diagnostics.push(diagnostic);
        } else {
            // The same names in another folder are another installation: both are reviewed, under addresses that tell them apart.
            object.address = Address::new(format!("{}:{}", object.stack, object.address));
            if !by_address.contains_key(&object.address) {
                by_address.insert(object.address.clone(), out.len());
                out.push(object);
            }
        }
    }
    out
}

/// True for a partial definition, as overlays write it: a workload without images, or one that changes a few fields of the other.
fn is_patch(later: &Object, first: &Object) -> bool {
    let images = |object: &Object| {
        object.pod_spec().map(|spec| {
            let containers = spec.at("containers[]");
            containers.len() - containers.iter().filter(|container| container.get("image").is_some()).count()
        })
    };
    match (images(later), later.pod_spec()) {
        (Some(without), Some(spec)) => without > 0 || spec.get("containers").is_none(),
        _ if later.is_workload() => true,
        _ => later.kind == first.kind && n_fields(&later.node) * 2 < n_fields(&first.node),
    }
}

fn n_fields(node: &Node) -> usize {
    match &node.value {
        Value::Map(map) => map.values().map(n_fields).sum(),
        Value::List(items) => items.iter().map(n_fields).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unknown(_) => 1,
    }
}

/// A strategic merge as kustomize and `kubectl apply` do it: maps by key, lists of named things by name, other lists replaced,
/// `null` deletes, `$patch: delete` too.
pub(super) fn merge(base: &mut Node, patch: Node) {
    match (&mut base.value, patch.value) {
        (Value::Map(into), Value::Map(from)) => {
            for (key, value) in from {
                if value.value.is_null() {
                    into.shift_remove(&key);
                } else if let Some(existing) = into.get_mut(&key) {
                    merge(existing, value);
                } else {
                    into.insert(key, value);
                }
            }
        }
        (Value::List(into), Value::List(from)) if merge_key(into).is_some() && merge_key(into) == merge_key(&from) => {
            let Some(key) = merge_key(into) else { return };
            for item in from {
                let same = |other: &Node| other.get(key).map(|name| &name.value) == item.get(key).map(|name| &name.value);
                let position = into.iter().position(same);
                let deleted = item.get("$patch").and_then(|mark| mark.value.as_str()).as_deref() == Some("delete");
                match position.and_then(|index| into.get_mut(index)) {
                    Some(_) if deleted => into.retain(|other| !same(other)),
                    Some(existing) => merge(existing, item),
                    None => into.push(item),
                }
            }
        }
        (_, value) => *base = Node::new(value, patch.span),
    }
}

/// The member by which the elements of a list are told apart.
fn merge_key(items: &[Node]) -> Option<&'static str> {
    ["name", "containerPort", "port", "mountPath", "topologyKey"]
        .into_iter()
        .find(|key| !items.is_empty() && items.iter().all(|item| item.get(key).is_some()))
}
