//! Pod to pod: Kubernetes NetworkPolicies, and whether anything enforces them.
//!
//! A pod that no policy selects for a direction is open in it, across namespaces; one that some policy selects is closed except for what a rule
//! of any of them allows. Source: Kubernetes documentation, "Network Policies".

use bartizan_model::{Component, Node, Reason, ReasonKind, Span, Value};

use super::super::read::texts;
use super::super::verdict::Verdict;
use super::network_reason;
use crate::flows::Context;

/// What network policies say of one workload calling another.
#[derive(Clone, Debug)]
pub(crate) struct PodDecision {
    /// `No` only where an engine that enforces policies is known.
    pub(crate) verdict: Verdict,
    /// The policy that keeps it out, or whose rule is not known; `None` where it is let through.
    pub(crate) reason: Option<Reason>,
}

/// Decides whether a workload, or what stands before a cluster, gets through to a workload's pods on a port.
pub(crate) fn pod_reaches(context: &Context<'_>, from: &Component, to: &Component, port: Option<u16>) -> PodDecision {
    let inward = directed(context, to, from, "Ingress", port);
    let outward = if is_workload(from) { directed(context, from, to, "Egress", port) } else { (Verdict::Yes, None) };
    let (verdict, policy) = if outward.0 < inward.0 { outward } else { inward };
    let Some((name, span)) = policy.filter(|_| verdict != Verdict::Yes) else {
        return PodDecision { verdict: Verdict::Yes, reason: None };
    };
    if verdict == Verdict::Unknown {
        let text = format!("whether the network policy `{name}` lets it through is not known");
        return PodDecision { verdict, reason: Some(network_reason(text, span)) };
    }
    match engine(context) {
        Verdict::Yes => {
            let text = format!("the network policy `{name}` does not let it through");
            PodDecision { verdict: Verdict::No, reason: Some(Reason { kind: ReasonKind::Block, text, span }) }
        }
        Verdict::No | Verdict::Unknown => {
            let text = format!(
                "the network policy `{name}` does not let it through, but whether anything in the cluster enforces policies is not known"
            );
            PodDecision { verdict: Verdict::Unknown, reason: Some(network_reason(text, span)) }
        }
    }
}

pub(crate) fn is_workload(component: &Component) -> bool {
    component.component_type == "kubernetes.workload"
}

type Said = (Verdict, Option<(String, Option<Span>)>);

/// One direction of a workload's traffic with another party.
fn directed(context: &Context<'_>, own: &Component, other: &Component, direction: &str, port: Option<u16>) -> Said {
    let (rules, peers) = if direction == "Ingress" { ("ingress", "from") } else { ("egress", "to") };
    let mut closed_by: Option<(String, Option<Span>)> = None;
    let mut best = Verdict::No;
    for policy in context.index.follow_back(&own.address, "restricts") {
        let restricts = policy.setting("directions").is_some_and(|node| texts(node).any(|text| text.known().as_deref() == Some(direction)));
        if !restricts {
            continue;
        }
        closed_by.get_or_insert_with(|| (policy.address.to_string(), policy.span));
        for rule in policy.setting(rules).and_then(|node| node.value.as_list()).unwrap_or(&[]) {
            let admitted = any_of(rule.get(peers), |peer| peer_is(context, policy, peer, other))
                .and(any_of(rule.get("ports"), |entry| port_is(entry, port)));
            best = best.or(admitted);
        }
    }
    match closed_by {
        None => (Verdict::Yes, None),
        Some(policy) => (best, Some(policy)),
    }
}

/// A list that is left out or empty matches everything.
fn any_of(list: Option<&Node>, matches: impl Fn(&Node) -> Verdict) -> Verdict {
    match list.map(|node| &node.value) {
        None | Some(Value::Null) => Verdict::Yes,
        Some(Value::List(items)) if items.is_empty() => Verdict::Yes,
        Some(Value::List(items)) => items.iter().map(matches).max().unwrap_or(Verdict::No),
        Some(_) => Verdict::Unknown,
    }
}

fn port_is(entry: &Node, port: Option<u16>) -> Verdict {
    let number = |key: &str| entry.get(key).filter(|node| !node.value.is_null()).map(|node| node.value.as_number());
    let (Some(port), Some(from)) = (port, number("port")) else { return Verdict::Yes };
    // A name is the name of one of the pod's ports.
    let Some(from) = from else { return Verdict::Unknown };
    let to = number("endPort").flatten().unwrap_or(from);
    Verdict::known(from <= f64::from(port) && f64::from(port) <= to)
}

fn peer_is(context: &Context<'_>, policy: &Component, peer: &Node, other: &Component) -> Verdict {
    if peer.get("ipBlock").is_some_and(|node| !node.value.is_null()) {
        // Which addresses pods and balancers have is not written anywhere.
        return Verdict::Unknown;
    }
    if !is_workload(other) {
        // What stands before the cluster has addresses and no labels; a controller inside it has, elsewhere.
        return if other.component_type.starts_with("kubernetes.") { Verdict::Unknown } else { Verdict::No };
    }
    let selector = |key: &str| peer.get(key).filter(|node| !node.value.is_null());
    let namespace = match selector("namespaceSelector") {
        None => Verdict::known(policy.text("namespace") == other.text("namespace")),
        Some(selector) => namespace_is(context, selector, other),
    };
    let pods = match selector("podSelector") {
        None => Verdict::Yes,
        Some(selector) => selects(selector, &|key| {
            let label = other.setting("labels")?.get(key)?;
            Some(label.value.as_str().map(std::borrow::Cow::into_owned))
        }),
    };
    namespace.and(pods)
}

fn namespace_is(context: &Context<'_>, selector: &Node, other: &Component) -> Verdict {
    let Some(name) = other.text("namespace") else { return Verdict::Unknown };
    let mut all = context
        .index
        .architecture
        .components
        .values()
        .filter(|component| component.component_type == "kubernetes.namespace" && component.name == name);
    let namespace = all.clone().find(|component| component.stack == other.stack).or_else(|| all.next());
    let missing = std::cell::Cell::new(false);
    let verdict = selects(selector, &|key| {
        if key == "kubernetes.io/metadata.name" {
            return Some(Some(name.clone()));
        }
        match namespace {
            Some(namespace) => namespace.tags.get(key).map(|node| node.value.as_str().map(std::borrow::Cow::into_owned)),
            None => {
                missing.set(true);
                None
            }
        }
    });
    if missing.get() { Verdict::Unknown } else { verdict }
}

/// A label: `None` where there is none, `Some(None)` where its value is not known.
type Label = Option<Option<String>>;

/// A selector over labels; an empty one selects everything.
fn selects(selector: &Node, label: &dyn Fn(&str) -> Label) -> Verdict {
    let mut verdict = Verdict::Yes;
    if let Some(wanted) = selector.get("matchLabels").and_then(|node| node.value.as_map()) {
        for (key, value) in wanted {
            verdict = verdict.and(match (label(key), value.value.as_str()) {
                (None, _) => Verdict::No,
                (Some(Some(own)), Some(wanted)) => Verdict::known(own == wanted),
                (Some(_), _) => Verdict::Unknown,
            });
        }
    }
    for expression in selector.get("matchExpressions").and_then(|node| node.value.as_list()).unwrap_or(&[]) {
        let text = |key: &str| expression.get(key).and_then(|node| node.value.as_str()).map(std::borrow::Cow::into_owned);
        let (Some(key), Some(operator)) = (text("key"), text("operator")) else { return Verdict::Unknown };
        let own = label(&key);
        let among = |own: &str| expression.get("values").into_iter().flat_map(texts).any(|value| value.known().as_deref() == Some(own));
        verdict = verdict.and(match (operator.as_str(), &own) {
            ("Exists", own) => Verdict::known(own.is_some()),
            ("DoesNotExist", own) => Verdict::known(own.is_none()),
            ("In", None) => Verdict::No,
            ("NotIn", None) => Verdict::Yes,
            ("In", Some(Some(own))) => Verdict::known(among(own)),
            ("NotIn", Some(Some(own))) => Verdict::known(!among(own)),
            _ => Verdict::Unknown,
        });
    }
    verdict
}

/// Charts and workloads that enforce network policies.
const ENGINES: &[&str] = &["calico", "calico-node", "tigera-operator", "cilium", "antrea", "antrea-agent", "kube-router", "weave-net"];

/// Whether something in the plan enforces network policies: the VPC CNI told to, or an engine of its own.
/// Source: EKS guide, "Limit Pod traffic with Kubernetes network policies".
fn engine(context: &Context<'_>) -> Verdict {
    let enforces = |component: &Component| match component.component_type.as_str() {
        "eks.addon" => {
            component.text("addon_name").as_deref() == Some("vpc-cni")
                && component.setting("configuration_values").is_some_and(|node| {
                    let stated = node.get("enableNetworkPolicy").map(|node| node.value.as_bool() == Some(true));
                    // What is not parsed as a document is still text.
                    stated.unwrap_or_else(|| {
                        node.value.as_str().is_some_and(|text| text.replace([' ', '"', '\\'], "").contains("enableNetworkPolicy:true"))
                    })
                })
        }
        "kubernetes.helm_release" => component.text("chart").is_some_and(|chart| {
            let name = chart.rsplit('/').next().unwrap_or("").to_owned();
            ENGINES.contains(&name.as_str())
        }),
        "kubernetes.workload" => {
            component.text("workload_kind").as_deref() == Some("DaemonSet") && ENGINES.contains(&component.name.as_str())
        }
        _ => false,
    };
    if context.index.architecture.components.values().any(enforces) { Verdict::Yes } else { Verdict::Unknown }
}
