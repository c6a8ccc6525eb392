//! Label selectors, and looking up objects as the cluster would.

use std::collections::BTreeMap;

use bartizan_model::{Node, Value};

use super::object::{Object, list_at, plain_text};

/// All objects with the indexes that references between them need.
pub(super) struct Index<'a> {
    /// All objects.
    pub(super) objects: &'a [Object],
    by_kind: BTreeMap<&'a str, BTreeMap<&'a str, Vec<&'a Object>>>,
}

impl<'a> Index<'a> {
    /// Indexes the objects by kind and namespace.
    pub(super) fn new(objects: &'a [Object]) -> Self {
        let mut by_kind: BTreeMap<&str, BTreeMap<&str, Vec<&Object>>> = BTreeMap::new();
        for object in objects {
            let kind = if object.is_workload() { WORKLOAD } else { object.kind.as_str() };
            by_kind.entry(kind).or_default().entry(object.namespace()).or_default().push(object);
        }
        Self { objects, by_kind }
    }

    /// The objects of a kind in a namespace.
    pub(super) fn all(&self, kind: &str, namespace: &str) -> &[&'a Object] {
        self.by_kind.get(kind).and_then(|by_namespace| by_namespace.get(namespace)).map_or(&[], Vec::as_slice)
    }

    /// Every object of a kind.
    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &'a Object> {
        self.objects.iter().filter(move |object| object.kind == kind)
    }

    /// The object of a kind and name; where several stacks have one, that of the same stack.
    pub(super) fn find(&self, kind: &str, namespace: &str, name: &str, stack: &str) -> Option<&'a Object> {
        let mut same = self.all(kind, namespace).iter().copied().filter(|object| object.name == name);
        let first = same.next()?;
        if first.stack == stack {
            return Some(first);
        }
        Some(same.find(|object| object.stack == stack).unwrap_or(first))
    }

    /// The workload of a kind and name.
    pub(super) fn workload(&self, kind: &str, namespace: &str, name: &str, stack: &str) -> Option<&'a Object> {
        let mut same = self.all(WORKLOAD, namespace).iter().copied().filter(|object| object.name == name && object.kind == kind);
        let first = same.next()?;
        if first.stack == stack {
            return Some(first);
        }
        Some(same.find(|object| object.stack == stack).unwrap_or(first))
    }

    /// Workloads of a namespace that a selector picks; where the selecting object's own stack has some, only those.
    pub(super) fn selected(&self, namespace: &str, stack: &str, selects: impl Fn(&Object) -> bool) -> Vec<&'a Object> {
        let picked: Vec<&Object> = self.all(WORKLOAD, namespace).iter().copied().filter(|object| selects(object)).collect();
        if picked.iter().any(|object| object.stack == stack) {
            return picked.into_iter().filter(|object| object.stack == stack).collect();
        }
        picked
    }

    /// The workloads behind a Service.
    pub(super) fn behind(&self, service: &Object) -> Vec<&'a Object> {
        let Some(selector) = service.node.first_at("spec.selector") else { return Vec::new() };
        self.selected(service.namespace(), &service.stack, |workload| equal_labels(selector, workload))
    }
}

/// Key under which [`Index`] keeps all kinds that run pods.
pub(super) const WORKLOAD: &str = "(workload)";

/// The labels of a workload's pods.
fn pod_label<'a>(workload: &'a Object, key: &str) -> Option<&'a Node> {
    workload.pod_metadata()?.get("labels")?.get(key)
}

/// A Service's selector: every label must be equal; an empty one selects nothing.
fn equal_labels(selector: &Node, workload: &Object) -> bool {
    selector.value.as_map().is_some_and(|labels| !labels.is_empty() && labels.iter().all(|(key, value)| has_label(workload, key, value)))
}

fn has_label(workload: &Object, key: &str, value: &Node) -> bool {
    let wanted = plain_text(value);
    wanted.is_some() && pod_label(workload, key).and_then(plain_text) == wanted
}

/// A selector with `matchLabels` and `matchExpressions`; an empty one selects everything.
pub(super) fn matches(selector: &Node, workload: &Object) -> bool {
    let labels = match selector.get("matchLabels").map(|labels| &labels.value) {
        Some(Value::Map(labels)) => labels.iter().all(|(key, value)| has_label(workload, key, value)),
        _ => true,
    };
    labels && list_at(selector, "matchExpressions").iter().all(|expression| expression_holds(expression, workload))
}

fn expression_holds(expression: &Node, workload: &Object) -> bool {
    let Some(key) = expression.get("key").and_then(plain_text) else { return false };
    let actual = pod_label(workload, &key).and_then(plain_text);
    let among = || list_at(expression, "values").iter().filter_map(plain_text).any(|value| Some(value) == actual);
    match expression.get("operator").and_then(plain_text).as_deref() {
        Some("In") => among(),
        Some("NotIn") => !among(),
        Some("Exists") => actual.is_some(),
        Some("DoesNotExist") => actual.is_none(),
        _ => false,
    }
}
