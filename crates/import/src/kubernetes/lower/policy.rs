//! What restricts pods: network and mesh policies, namespaces, quotas, scaling and disruption.

use bartizan_model::{Kind, Node, Value};

use super::super::object::{Object, list_at, plain_text, text_at};
use super::super::select::{Index, matches};
use super::{Lowered, Settings, list};

/// The directions that a NetworkPolicy restricts.
fn directions(policy: &Object) -> Vec<String> {
    let declared: Vec<String> = list_at(&policy.node, "spec.policyTypes").iter().filter_map(plain_text).collect();
    if !declared.is_empty() {
        return declared;
    }
    let mut out = vec!["Ingress".to_owned()];
    if policy.node.first_at("spec.egress").is_some() {
        out.push("Egress".to_owned());
    }
    out
}

/// True where a NetworkPolicy restricts one direction of a workload's traffic.
pub(in super::super) fn restricts(policy: &Object, workload: &Object, direction: &str) -> bool {
    let everything = Node::new(Value::Map(indexmap::IndexMap::new()), policy.span);
    let selector = policy.node.first_at("spec.podSelector").unwrap_or(&everything);
    directions(policy).iter().any(|own| own == direction) && matches(selector, workload)
}

/// True where a SecurityGroupPolicy gives a workload's pods security groups of their own.
pub(in super::super) fn security_groups_apply(policy: &Object, workload: &Object) -> bool {
    let pods = policy.node.first_at("spec.podSelector");
    // A policy by ServiceAccount labels is resolved only where it has no pod selector; its accounts are few.
    pods.is_some_and(|selector| matches(selector, workload))
}

fn selects_all(object: &Object) -> bool {
    object.node.first_at("spec.podSelector").is_none_or(|selector| match &selector.value {
        Value::Map(map) => map.values().all(|part| match &part.value {
            Value::Map(inner) => inner.is_empty(),
            Value::List(inner) => inner.is_empty(),
            value => value.is_null(),
        }),
        value => value.is_null(),
    })
}

fn denies_by_default(policy: &Object, direction: &str) -> bool {
    let rules = if direction == "Ingress" { "spec.ingress" } else { "spec.egress" };
    selects_all(policy) && directions(policy).iter().any(|own| own == direction) && list_at(&policy.node, rules).is_empty()
}

pub(super) fn network_policy(object: &Object) -> Lowered {
    let mut settings = Settings::new(object);
    settings.at("pod_selector", &object.node, "spec.podSelector");
    settings.value("directions", Value::List(directions(object).iter().map(|name| Node::text(name.as_str(), object.span)).collect()));
    settings.put("ingress", list(list_at(&object.node, "spec.ingress").to_vec(), object.span));
    settings.put("egress", list(list_at(&object.node, "spec.egress").to_vec(), object.span));
    settings.value("selects_all", Value::Bool(selects_all(object)));
    settings.value("default_deny_ingress", Value::Bool(denies_by_default(object, "Ingress")));
    settings.value("default_deny_egress", Value::Bool(denies_by_default(object, "Egress")));
    // A rule without peers lets everyone in.
    let open = list_at(&object.node, "spec.ingress").iter().find(|rule| list_at(rule, "from").is_empty());
    settings.put("allows_all_ingress", Node::new(Value::Bool(open.is_some()), open.map_or(object.span, |rule| rule.span)));
    Lowered { component_type: "kubernetes.network_policy", kind: Kind::Supporting, settings }
}

pub(super) fn security_group_policy(object: &Object) -> Lowered {
    let mut settings = Settings::new(object);
    settings.at("pod_selector", &object.node, "spec.podSelector");
    settings.at("service_account_selector", &object.node, "spec.serviceAccountSelector");
    settings.put("security_groups", list(list_at(&object.node, "spec.securityGroups.groupIds").to_vec(), object.span));
    Lowered { component_type: "kubernetes.security_group_policy", kind: Kind::Supporting, settings }
}

pub(super) fn mesh_policy(object: &Object) -> Lowered {
    let mut settings = Settings::new(object);
    settings.value("policy_kind", Value::Text(object.kind.as_str().into()));
    settings.at("mtls", &object.node, "spec.mtls.mode");
    settings.at("selector", &object.node, "spec.selector");
    settings.at("action", &object.node, "spec.action");
    settings.put("rules", list(list_at(&object.node, "spec.rules").to_vec(), object.span));
    Lowered { component_type: "kubernetes.mesh_policy", kind: Kind::Supporting, settings }
}

pub(super) fn namespace(object: &Object, index: &Index<'_>) -> Lowered {
    let mut settings = Settings::new(object);
    let label = |key: &str| object.node.get("metadata").and_then(|metadata| metadata.get("labels")).and_then(|labels| labels.get(key));
    for (name, key) in [
        ("pod_security_enforce", "pod-security.kubernetes.io/enforce"),
        ("pod_security_audit", "pod-security.kubernetes.io/audit"),
        ("pod_security_warn", "pod-security.kubernetes.io/warn"),
        ("mesh_injection", "istio-injection"),
    ] {
        settings.put(name, label(key).cloned().unwrap_or_else(|| Node::new(Value::Null, object.span)));
    }
    let mut has = |name: &str, kind: &str, holds: &dyn Fn(&Object) -> bool| {
        let found = index.all(kind, &object.name).iter().copied().find(|object| holds(object));
        settings.put(name, Node::new(Value::Bool(found.is_some()), found.map_or(object.span, |object| object.span)));
    };
    has("default_deny_ingress", "NetworkPolicy", &|policy| denies_by_default(policy, "Ingress"));
    has("default_deny_egress", "NetworkPolicy", &|policy| denies_by_default(policy, "Egress"));
    has("resource_quota", "ResourceQuota", &|_| true);
    has("limit_range", "LimitRange", &|_| true);
    Lowered { component_type: "kubernetes.namespace", kind: Kind::Supporting, settings }
}

pub(super) fn quota(object: &Object) -> Lowered {
    let mut settings = Settings::new(object);
    settings.value("quota_kind", Value::Text(object.kind.as_str().into()));
    settings.at("hard", &object.node, "spec.hard");
    settings.put("limits", list(list_at(&object.node, "spec.limits").to_vec(), object.span));
    Lowered { component_type: "kubernetes.quota", kind: Kind::Supporting, settings }
}

pub(super) fn autoscaler(object: &Object) -> Lowered {
    let mut settings = Settings::new(object);
    settings.at("target", &object.node, "spec.scaleTargetRef.name");
    let either = |first: &str, second: &str| object.node.first_at(first).or_else(|| object.node.first_at(second)).cloned();
    let null = || Node::new(Value::Null, object.span);
    settings.put("min_replicas", either("spec.minReplicas", "spec.minReplicaCount").unwrap_or_else(null));
    settings.put("max_replicas", either("spec.maxReplicas", "spec.maxReplicaCount").unwrap_or_else(null));
    Lowered { component_type: "kubernetes.autoscaler", kind: Kind::Supporting, settings }
}

pub(super) fn disruption_budget(object: &Object) -> Lowered {
    let mut settings = Settings::new(object);
    settings.at("min_available", &object.node, "spec.minAvailable");
    settings.at("max_unavailable", &object.node, "spec.maxUnavailable");
    Lowered { component_type: "kubernetes.disruption_budget", kind: Kind::Supporting, settings }
}

/// Whether the mesh encrypts what goes to a workload: the PeerAuthentication of the workload, of its namespace or of the mesh says STRICT.
pub(in super::super) fn strict_mtls(workload: &Object, index: &Index<'_>) -> Option<bartizan_model::Span> {
    let mode = |policy: &&Object| text_at(&policy.node, "spec.mtls.mode").map(|mode| (mode, policy.span));
    let of = |namespace: &str, own: bool| {
        index
            .all("PeerAuthentication", namespace)
            .iter()
            .copied()
            .filter(|policy| match policy.node.first_at("spec.selector") {
                Some(selector) => own && matches(selector, workload),
                None => true,
            })
            .max_by_key(|policy| policy.node.first_at("spec.selector").is_some())
            .and_then(|policy| mode(&policy))
    };
    let (mode, span) = of(workload.namespace(), true).or_else(|| of("istio-system", false))?;
    (mode == "STRICT").then_some(span)
}
