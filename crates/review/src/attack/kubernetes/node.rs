//! Pods and the machines below them: the metadata service of a node, ways out of a container, and what a node knows of its pods.

use std::net::{IpAddr, Ipv4Addr};

use bartizan_model::{Address, Component, Node, Value};

use super::cluster::{Cluster, Nodes, account_of, namespace};
use super::detect::{Gained, becomes};
use crate::attack::graph::Fact;
use crate::attack::query::declared;
use crate::facts::cluster::ways_out;
use crate::facts::network::parse_range;
use crate::facts::read::texts;
use crate::flows::index::Index;
use crate::outcome::Evidence;

/// The metadata service.
/// Source: EC2 user guide, "Access instance metadata for an EC2 instance".
const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
const METADATA_PORT: f64 = 80.0;

/// From code in a pod to something.
pub(super) struct FromCode<'a> {
    pub(super) code: &'a Address,
    pub(super) gained: Gained,
}

/// Pods that fetch the credentials of their node, and so act as it in AWS and in the cluster.
pub(super) fn metadata<'c>(cluster: &'c Cluster<'_>, index: &Index<'_>) -> Vec<FromCode<'c>> {
    let mut out = Vec::new();
    for workload in &cluster.workloads {
        let network = workload.setting("host_network").filter(|node| node.value.as_bool() == Some(true));
        if network.is_some() && cluster.keeps_in(&namespace(workload)) == Some(true) {
            // Such pods are not started.
            continue;
        }
        let mut conditions = Vec::new();
        if network.is_none() {
            match reaches_metadata(workload, index) {
                Some(true) => {}
                Some(false) => continue,
                None => conditions.push("a network policy lets the pods reach the instance metadata service".to_owned()),
            }
        }
        for nodes in cluster.nodes_of(workload) {
            let mut conditions = conditions.clone();
            let mut evidence = Vec::new();
            match (network, nodes.metadata) {
                (Some(node), _) => evidence.push(Evidence { span: node.span, text: "its pods use the network of the node".to_owned() }),
                (None, Some(false)) => continue,
                (None, Some(true)) => evidence.extend(nodes.shown.iter().cloned()),
                (None, None) => {
                    evidence.extend(declared(
                        nodes.component,
                        "its image and launch template do not tell whether pods reach instance metadata",
                    ));
                    conditions.push("the nodes let pods reach the instance metadata service".to_owned());
                }
            }
            let facts = nodes.roles.iter().map(|role| Fact::Identity(role.clone()));
            for fact in facts.chain([Fact::ServiceAccount(nodes.component.address.clone())]) {
                let gained = Gained { fact, evidence: evidence.clone(), conditions: conditions.clone() };
                out.push(FromCode { code: &workload.address, gained });
            }
        }
    }
    out
}

/// Pods whose containers do not keep them in.
pub(super) fn escapes<'c>(cluster: &'c Cluster<'_>) -> Vec<FromCode<'c>> {
    let mut out = Vec::new();
    for workload in &cluster.workloads {
        let ways = ways_out(workload);
        if ways.is_empty() || cluster.keeps_in(&namespace(workload)) == Some(true) {
            continue;
        }
        let evidence: Vec<Evidence> =
            ways.into_iter().map(|(words, span)| Evidence { span, text: format!("`{}` has {words}", workload.address) }).collect();
        for nodes in cluster.nodes_of(workload) {
            let gained = Gained::new(Fact::Code(nodes.component.address.clone()), evidence.clone());
            out.push(FromCode { code: &workload.address, gained });
        }
    }
    out
}

/// What a node gives to who acts as it: the accounts of the pods that may run on it.
pub(super) fn service_accounts(cluster: &Cluster<'_>, nodes: &Nodes<'_>) -> Vec<Gained> {
    let mut keys: Vec<_> = Vec::new();
    for workload in &cluster.workloads {
        let on_these = cluster.nodes_of(workload).any(|own| own.component.address == nodes.component.address);
        let key = account_of(workload);
        if on_these && keys.iter().all(|(known, _)| *known != key) {
            keys.push((key, workload));
        }
    }
    let mut out = Vec::new();
    for (key, workload) in keys {
        let Some(account) = cluster.accounts.get(&key) else { continue };
        let evidence = declared(workload, &format!("`{}` runs on `{}`", workload.address, nodes.component.address));
        out.extend(becomes(account, &evidence, true));
    }
    out
}

/// Whether network policies let the pods of a workload reach the metadata service.
fn reaches_metadata(workload: &Component, index: &Index<'_>) -> Option<bool> {
    let policies = index.follow_back(&workload.address, "restricts");
    let egress = policies.into_iter().filter(|policy| {
        policy.setting("directions").is_some_and(|node| texts(node).any(|text| text.known().as_deref() == Some("Egress")))
    });
    let egress: Vec<&Component> = egress.collect();
    if egress.is_empty() {
        return Some(true);
    }
    let mut open = Some(false);
    for policy in egress {
        let Some(rules) = policy.setting("egress") else { continue };
        match &rules.value {
            Value::List(rules) => {
                for rule in rules {
                    match lets_through(rule) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => open = None,
                    }
                }
            }
            Value::Unknown(_) => open = None,
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => {}
        }
    }
    open
}

/// Whether a rule of a network policy lets requests to the metadata service through.
fn lets_through(rule: &Node) -> Option<bool> {
    let ports = rule.get("ports").and_then(|node| node.value.as_list()).unwrap_or_default();
    let port = ports.is_empty()
        || ports.iter().any(|entry| match entry.get("port") {
            None => true,
            Some(node) => {
                let first = node.value.as_number();
                let last = entry.get("endPort").and_then(|node| node.value.as_number()).or(first);
                first.is_some_and(|first| first <= METADATA_PORT) && last.is_some_and(|last| last >= METADATA_PORT)
            }
        });
    if !port {
        return Some(false);
    }
    let peers = rule.get("to").and_then(|node| node.value.as_list()).unwrap_or_default();
    if peers.is_empty() {
        return Some(true);
    }
    let mut open = Some(false);
    // Peers that are picked by labels are pods, and none of them is the metadata service.
    for block in peers.iter().filter_map(|peer| peer.get("ipBlock")) {
        let covers = |node: &Node| Some(parse_range(&node.value.as_str()?)?.contains(&IpAddr::V4(METADATA)));
        let except = block.get("except").and_then(|node| node.value.as_list()).unwrap_or_default();
        if except.iter().any(|node| covers(node) == Some(true)) {
            continue;
        }
        match block.get("cidr").map(covers) {
            Some(Some(true)) => return Some(true),
            Some(Some(false)) => {}
            Some(None) | None => open = None,
        }
    }
    open
}
