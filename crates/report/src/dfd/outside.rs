//! What surrounds a system and would drown it: AWS APIs that everything calls, logs, metrics and keys, and the people and parties outside.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::BoundaryKind;

use super::fold::contract;
use super::graph::{Edge, Graph, Group, Node, Shape};

/// Services that nearly everything talks to and that say little about a system: logs, metrics, traces, keys, credentials, images.
const ANCILLARY: [&str; 12] = [
    "cloudtrail",
    "cloudwatch",
    "cloudwatchlogs",
    "config",
    "ecr",
    "kms",
    "logs",
    "monitoring",
    "sts",
    "synthetics",
    "xray",
    "cloudwatch-logs",
];

/// Ancillary flows are left out where at least this many meet at one component; fewer do not drown anything.
const ANCILLARY_FAN: usize = 4;

/// The component type of an AWS service's API, where no component of the system stands for it.
pub(super) const SERVICE_API: &str = "external.service";
/// More APIs than this are drawn as one.
const FEW_APIS: usize = 3;

/// Takes flows to logs, metrics, keys and the like out where they are many; those that are a risk by themselves stay.
pub(super) fn without_ancillary(graph: &mut Graph, edges: Vec<Edge>) -> Vec<Edge> {
    let subjects: Vec<Option<String>> = graph.nodes.iter().map(ancillary_subject).collect();
    let subject = |index: usize| subjects.get(index).and_then(Option::as_ref);
    let candidate = |edge: &Edge| subject(edge.to).filter(|_| subject(edge.from).is_none() && !edge.risky);
    let mut fan: BTreeMap<&String, usize> = BTreeMap::new();
    for subject in edges.iter().filter_map(candidate) {
        *fan.entry(subject).or_default() += 1;
    }
    let (hidden, kept): (Vec<Edge>, Vec<Edge>) = edges
        .into_iter()
        .partition(|edge| candidate(edge).is_some_and(|subject| fan.get(subject).is_some_and(|count| *count >= ANCILLARY_FAN)));
    graph.hidden = hidden.into_iter().flat_map(|edge| edge.flows).collect();
    kept
}

/// What an ancillary component serves: its service, or the AWS service whose API it stands for.
fn ancillary_subject(node: &Node) -> Option<String> {
    let member = node.members.first()?;
    let service = if member.component_type == SERVICE_API { member.address.trim_start_matches("aws:") } else { member.service.as_str() };
    let stands_for_an_api = member.component_type == SERVICE_API;
    (stands_for_an_api || node.shape != Shape::External && ANCILLARY.contains(&service)).then(|| service.to_owned())
}

/// Draws the APIs of AWS services as one stack where they are more than a few: which of them is called is told by the tooltip.
pub(super) fn gather_apis(graph: &Graph) -> Graph {
    let called: BTreeSet<usize> = graph.edges.iter().map(|edge| edge.to).collect();
    let is_api = |index: &usize| graph.nodes.get(*index).is_some_and(|node| node.component_type() == Some(SERVICE_API));
    let apis: Vec<usize> = called.into_iter().filter(is_api).collect();
    if apis.len() <= FEW_APIS {
        return graph.clone();
    }
    contract(graph, &[apis], &mut |members, group| Node {
        title: format!("AWS service APIs ×{}", members.len()),
        caption: String::new(),
        shape: Shape::External,
        members,
        group,
        loops: Vec::new(),
        boundaries: Vec::new(),
    })
}

/// Draws a boundary of outsiders in two parts, those who call the system and those whom it calls, so that flows need not turn back.
pub(super) fn part_outsiders(graph: &mut Graph) {
    let callers: BTreeSet<usize> = graph.edges.iter().map(|edge| edge.from).collect();
    let called: BTreeSet<usize> = graph.edges.iter().map(|edge| edge.to).filter(|node| !callers.contains(node)).collect();
    for index in 0..graph.groups.len() {
        let Some(group) =
            graph.groups.get(index).filter(|group| matches!(group.kind, BoundaryKind::External | BoundaryKind::Internet)).cloned()
        else {
            continue;
        };
        let within: Vec<usize> =
            (0..graph.nodes.len()).filter(|node| graph.nodes.get(*node).is_some_and(|node| node.group == Some(index))).collect();
        let (targets, others): (Vec<usize>, Vec<usize>) = within.into_iter().partition(|node| called.contains(node));
        if targets.is_empty() || !others.iter().any(|node| callers.contains(node)) {
            continue;
        }
        let only_apis = targets.iter().all(|node| graph.nodes.get(*node).is_some_and(|node| node.component_type() == Some(SERVICE_API)));
        let name = if only_apis { "AWS services".to_owned() } else { group.name.clone() };
        graph.groups.push(Group { name, ..group });
        let part = graph.groups.len() - 1;
        for node in targets {
            if let Some(node) = graph.nodes.get_mut(node) {
                node.group = Some(part);
            }
        }
    }
}
