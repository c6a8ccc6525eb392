//! Attributes → settings in the catalogue's vocabulary.

use bartizan_model::{Address, Node, Span, Value};
use indexmap::IndexMap;

use super::Lowering;
use crate::catalogue::{ResourceMapping, SettingKind, Source, SourceSpec, Wanted};
use crate::resource::Resource;

/// Reads the settings that a resource gives its component.
pub(super) fn read(lowering: &mut Lowering<'_>, resource: &Resource, mapping: &ResourceMapping, owner: &Address) {
    let component_type = lowering.out.components.get(owner).map(|component| component.component_type.clone()).unwrap_or_default();
    let Some(entry) = lowering.services.types.get(&component_type) else { return };
    for (name, source) in &mapping.settings {
        let Some(setting) = entry.settings.get(name) else { continue };
        let appends = matches!(source, Source::Spec(spec) if spec.all);
        let Some(node) = value(lowering, source, &resource.body, resource.span) else { continue };
        let node = shape(lowering, node, setting.kind);
        let Some(component) = lowering.out.components.get_mut(owner) else { continue };
        match component.settings.get_mut(name) {
            Some(Node { value: Value::List(existing), .. }) if appends => match node.value {
                Value::List(items) => existing.extend(items),
                other => existing.push(Node::new(other, node.span)),
            },
            // A companion overrides what the resource itself leaves out, and never with nothing.
            Some(_) if node.value.is_null() => {}
            _ => {
                component.settings.insert(name.clone(), node);
            }
        }
    }
}

/// The value of a setting's source; `None` where the source does not apply or is not set.
fn value(lowering: &Lowering<'_>, source: &Source, body: &Node, span: Span) -> Option<Node> {
    let spec = match source {
        Source::Paths(paths) => return paths.as_slice().iter().find_map(|path| first(body, path)).cloned(),
        Source::Spec(spec) => spec,
    };
    if !holds(spec.condition.as_ref(), body) {
        return None;
    }
    if let Some(constant) = &spec.value {
        let present = spec.at.as_ref().is_none_or(|at| at.as_slice().iter().any(|path| first(body, path).is_some()));
        return present.then(|| constant.node(span));
    }
    let paths = spec.at.as_ref()?.as_slice();
    if let Some(each) = &spec.each {
        let nodes = elements(body, paths);
        if nodes.is_empty() && !spec.all {
            return None;
        }
        let items = nodes.into_iter().map(|node| projected(lowering, each, node));
        return Some(Node::new(Value::List(items.collect()), first_span(body, paths).unwrap_or(span)));
    }
    if spec.all {
        let items = elements(body, paths).into_iter().map(|node| transformed(lowering, spec, node.clone()));
        let items: Vec<Node> = items.filter(|node| !node.value.is_null()).collect();
        return Some(Node::new(Value::List(items), first_span(body, paths).unwrap_or(span)));
    }
    match paths.iter().find_map(|path| first(body, path)) {
        Some(node) => Some(transformed(lowering, spec, node.clone())),
        None => {
            let given = spec.otherwise.as_ref()?;
            Some(given.as_ref().map_or_else(|| Node::new(Value::Null, span), |constant| constant.node(span)))
        }
    }
}

fn first<'n>(body: &'n Node, path: &str) -> Option<&'n Node> {
    if path == "." { Some(body) } else { body.first_at(path) }
}

fn first_span(body: &Node, paths: &[String]) -> Option<Span> {
    paths.iter().find_map(|path| first(body, path)).map(|node| node.span)
}

/// Every node at any of the paths, lists entered.
fn elements<'n>(body: &'n Node, paths: &[String]) -> Vec<&'n Node> {
    let mut out = Vec::new();
    for path in paths {
        if path == "." {
            out.push(body);
            continue;
        }
        for node in body.at(path) {
            match &node.value {
                Value::List(items) => out.extend(items),
                Value::Null => {}
                _ => out.push(node),
            }
        }
    }
    out
}

fn projected(lowering: &Lowering<'_>, each: &IndexMap<String, Source>, node: &Node) -> Node {
    if node.value.is_unknown() {
        return node.clone();
    }
    let members = each.iter().map(|(key, source)| {
        let member = value(lowering, source, node, node.span).unwrap_or_else(|| Node::new(Value::Null, node.span));
        (key.clone(), member)
    });
    Node::new(Value::Map(members.collect()), node.span)
}

fn transformed(lowering: &Lowering<'_>, spec: &SourceSpec, node: Node) -> Node {
    if spec.document {
        return document(lowering, node);
    }
    let Some(map) = &spec.map else { return node };
    let key = match &node.value {
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => crate::terraform::number_text(*number),
        value => match value.as_str() {
            Some(text) => text.into_owned(),
            None => return node,
        },
    };
    match map.get(&key).or_else(|| map.get("*")) {
        Some(Some(constant)) => constant.node(node.span),
        Some(None) => Node::new(Value::Null, node.span),
        None => node,
    }
}

fn document(lowering: &Lowering<'_>, node: Node) -> Node {
    match &node.value {
        Value::Text(text) => match lowering.documents.tree(text, node.span) {
            // The tree's own parts keep their spans; the whole stands where the attribute is.
            Some(tree) => Node::new(tree.value, node.span),
            None => {
                let why = if text.known().is_some() { "the text is not JSON" } else { "the document is known only after the apply" };
                Node::new(Value::after_apply(why), node.span)
            }
        },
        _ => node,
    }
}

/// Brings a value into the type that the vocabulary declares.
fn shape(lowering: &Lowering<'_>, node: Node, kind: SettingKind) -> Node {
    let span = node.span;
    let value = match (kind, node.value) {
        (_, Value::Null) => Value::Null,
        (_, Value::Unknown(unknown)) => Value::Unknown(unknown),
        (SettingKind::Bool, value) => match (value.as_bool(), value) {
            (Some(flag), _) => Value::Bool(flag),
            // A block or text that is there where only presence matters.
            (None, Value::List(items)) => Value::Bool(!items.is_empty()),
            (None, value) => value,
        },
        (SettingKind::Number, value) => match (value.as_number(), value) {
            (Some(number), _) => Value::Number(number),
            (None, value) => value,
        },
        (SettingKind::Text, Value::Number(number)) => Value::Text(crate::terraform::number_text(number).as_str().into()),
        (SettingKind::Text, Value::Bool(flag)) => Value::Text(if flag { "true" } else { "false" }.into()),
        (SettingKind::List, Value::List(items)) => Value::List(items),
        (SettingKind::List, value) => Value::List(vec![Node::new(value, span)]),
        (SettingKind::Map, Value::List(mut items)) if items.len() == 1 => items.pop().map_or(Value::Null, |only| only.value),
        (SettingKind::Document, Value::Text(text)) => return document(lowering, Node::new(Value::Text(text), span)),
        (SettingKind::Text | SettingKind::Map | SettingKind::Document, value) => value,
    };
    Node::new(value, span)
}

/// Whether a condition holds: each path has (one of) the wanted values; `null` wants it not set.
pub(crate) fn holds(condition: Option<&IndexMap<String, Wanted>>, body: &Node) -> bool {
    let Some(condition) = condition else { return true };
    condition.iter().all(|(path, wanted)| {
        let found = first(body, path);
        let text = found.and_then(|node| match &node.value {
            Value::Bool(value) => Some(value.to_string()),
            Value::Number(number) => Some(crate::terraform::number_text(*number)),
            value => value.as_str().map(std::borrow::Cow::into_owned),
        });
        let is = |constant: &Option<crate::catalogue::Constant>| match (constant, &text) {
            (None, _) => found.is_none(),
            (Some(constant), Some(text)) => constant.text() == *text,
            (Some(_), None) => false,
        };
        match wanted {
            Wanted::One(one) => is(one),
            Wanted::Many(many) => many.iter().any(is),
        }
    })
}
