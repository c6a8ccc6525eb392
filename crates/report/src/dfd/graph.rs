//! The logical diagram: what is drawn, before anything has a place.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Architecture, Boundary, BoundaryKind, Component, Exposure, Flow, FlowStatus, Kind};
use bartizan_review::Severity;

use super::{Options, outside};
use crate::redact;

/// Nodes, the boundaries around them and the flows between them. Groups come parents first; indices are positions in the lists.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    pub(crate) groups: Vec<Group>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<Edge>,
    /// Ids of ancillary flows that are left out.
    pub(crate) hidden: Vec<String>,
    /// It was too large to draw one to one, so that arrows join regardless of protocol.
    pub(crate) crowded: bool,
}

/// A trust boundary.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) kind: BoundaryKind,
    pub(crate) name: String,
    pub(crate) parent: Option<usize>,
}

/// The form in which a node is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    /// Outside our control: a rectangle.
    External,
    /// A rounded box.
    Process,
    /// An open-sided box between two lines.
    Store,
    /// Stands for components of several types: `VPC main: 12 × lambda, 3 × rds`.
    Summary,
    /// The components of a boundary that no drawn flow touches.
    Shelf,
}

/// One component as the diagram needs it.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) address: String,
    pub(crate) block: String,
    pub(crate) name: String,
    pub(crate) service: String,
    pub(crate) component_type: String,
    pub(crate) shape: Shape,
    pub(crate) exposure: Option<Exposure>,
    pub(crate) severity: Option<(Severity, usize)>,
    pub(crate) place: Option<String>,
}

/// One node: a component, or several that are drawn as one.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Never empty; in order of address.
    pub(crate) members: Vec<Member>,
    pub(crate) title: String,
    pub(crate) caption: String,
    pub(crate) shape: Shape,
    pub(crate) group: Option<usize>,
    /// Flows that stay inside the node.
    pub(crate) loops: Vec<Edge>,
    /// Boundaries that are drawn as this node.
    pub(crate) boundaries: Vec<String>,
}

/// One arrow: one flow, or several that are drawn as one.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// Ids of its flows, sorted.
    pub(crate) flows: Vec<String>,
    pub(crate) channels: BTreeSet<(String, Option<u16>)>,
    /// `Some(false)` as soon as one of them is in clear.
    pub(crate) encrypted: Option<bool>,
    /// One of them crosses a trust boundary.
    pub(crate) crosses: bool,
    /// One of them crosses a trust boundary in clear.
    pub(crate) risky: bool,
    pub(crate) blocked: bool,
    /// A paragraph for each flow.
    pub(crate) details: Vec<String>,
}

impl Node {
    /// Worst severity and sum of threats over the members.
    pub(crate) fn severity(&self) -> Option<(Severity, usize)> {
        self.members
            .iter()
            .filter_map(|member| member.severity)
            .reduce(|(worst, sum), (severity, count)| (worst.max(severity), sum + count))
    }

    /// Widest exposure of a member.
    pub(crate) fn exposure(&self) -> Option<Exposure> {
        self.members.iter().filter_map(|member| member.exposure).min()
    }

    /// The service, where all members share it.
    pub(crate) fn service(&self) -> Option<&str> {
        let first = self.members.first()?;
        self.members.iter().all(|member| member.service == first.service).then_some(first.service.as_str())
    }

    /// The component type, where all members share it.
    pub(crate) fn component_type(&self) -> Option<&str> {
        let first = self.members.first()?;
        self.members.iter().all(|member| member.component_type == first.component_type).then_some(first.component_type.as_str())
    }

    /// The members by type, most first: `12 × lambda`.
    pub(crate) fn tally(&self) -> Vec<(usize, String)> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for member in &self.members {
            *counts.entry(member.service.as_str()).or_default() += 1;
        }
        let mut tally: Vec<(usize, String)> = counts.into_iter().map(|(service, count)| (count, service.to_owned())).collect();
        tally.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        tally
    }
}

impl Edge {
    /// What is written on the arrow: `https :443`; the first two channels and how many more there are.
    pub(crate) fn label(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        for (protocol, port) in self.channels.iter().take(2) {
            parts.push(port.map_or_else(|| protocol.clone(), |port| format!("{protocol} :{port}")));
        }
        let more = self.channels.len().saturating_sub(2);
        let label = parts.join(", ");
        if more > 0 { format!("{label} +{more}") } else { label }
    }

    fn absorb(&mut self, other: Edge) {
        self.flows.extend(other.flows);
        self.channels.extend(other.channels);
        self.encrypted = match (self.encrypted, other.encrypted) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        };
        self.crosses |= other.crosses;
        self.risky |= other.risky;
        self.details.extend(other.details);
    }
}

/// Joins arrows with the same ends and standing; `by_protocol` keeps one arrow for each protocol. A blocked flow never joins an active one,
/// nor one that crosses in clear a harmless one: a reader must see them.
pub(crate) fn merge_edges(edges: Vec<Edge>, by_protocol: bool) -> Vec<Edge> {
    type Key = (usize, usize, bool, bool, BTreeSet<String>);
    let mut merged: BTreeMap<Key, Edge> = BTreeMap::new();
    for edge in edges {
        let protocols = if by_protocol { edge.channels.iter().map(|(protocol, _)| protocol.clone()).collect() } else { BTreeSet::new() };
        match merged.entry((edge.from, edge.to, edge.blocked, edge.risky, protocols)) {
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(edge);
            }
            std::collections::btree_map::Entry::Occupied(mut entry) => entry.get_mut().absorb(edge),
        }
    }
    let mut merged: Vec<Edge> = merged.into_values().collect();
    for edge in &mut merged {
        // Once at the end: of a large system thousands of flows come together in one arrow.
        edge.flows.sort();
        edge.flows.dedup();
    }
    merged
}

/// Draws everything one to one: components, the boundaries that hold any, all flows that are not ancillary.
pub(crate) fn build(architecture: &Architecture, options: &Options) -> Graph {
    let mut graph = Graph { groups: groups(&architecture.boundaries), ..Graph::default() };
    let group_of: BTreeMap<String, usize> = graph.groups.iter().enumerate().map(|(index, group)| (group.id.clone(), index)).collect();

    let ends: BTreeSet<&str> = architecture.flows.iter().flat_map(|flow| [flow.from.as_str(), flow.to.as_str()]).collect();
    let mut node_of: BTreeMap<String, usize> = BTreeMap::new();
    for component in architecture.components.values() {
        // A supporting component that data flows to (a key, a log group) is part of the picture.
        if component.is_element() || ends.contains(component.address.as_str()) {
            node_of.insert(component.address.as_str().to_owned(), graph.nodes.len());
            let group = component.boundary.as_ref().and_then(|id| group_of.get(id)).copied();
            graph.nodes.push(single(member(architecture, component, options), group));
        }
    }
    for end in ends {
        if !node_of.contains_key(end) {
            node_of.insert(end.to_owned(), graph.nodes.len());
            graph.nodes.push(single(unknown_member(end), None));
        }
    }

    let mut edges = Vec::new();
    for flow in &architecture.flows {
        let (Some(&from), Some(&to)) = (node_of.get(flow.from.as_str()), node_of.get(flow.to.as_str())) else { continue };
        let boundary = |index: usize| graph.nodes.get(index).and_then(|node| node.group);
        edges.push(edge(architecture, flow, from, to, boundary(from) != boundary(to)));
    }
    if !options.show_ancillary {
        edges = outside::without_ancillary(&mut graph, edges);
    }
    let (loops, edges) = edges.into_iter().partition(|edge: &Edge| edge.from == edge.to);
    graph.edges = merge_edges(edges, true);
    for inside in merge_edges(loops, true) {
        if let Some(node) = graph.nodes.get_mut(inside.from) {
            node.loops.push(inside);
        }
    }
    graph
}

/// A node of one component.
fn single(member: Member, group: Option<usize>) -> Node {
    Node {
        title: member.name.clone(),
        caption: caption(&member),
        shape: member.shape,
        members: vec![member],
        group,
        loops: Vec::new(),
        boundaries: Vec::new(),
    }
}

/// The type in words: `lambda function`, `kubernetes workload`, `external entity`.
fn caption(member: &Member) -> String {
    if member.shape == Shape::External && (member.component_type.starts_with("external.") || member.service.is_empty()) {
        return match member.component_type.as_str() {
            "external.service" => "AWS service".to_owned(),
            "external.account" => "AWS account".to_owned(),
            "external.network" => "network".to_owned(),
            _ => "external entity".to_owned(),
        };
    }
    let kind = member.component_type.rsplit('.').next().unwrap_or_default().replace(['_', '-'], " ");
    if kind.is_empty() || kind == member.service { member.service.clone() } else { format!("{} {kind}", member.service) }
}

fn member(architecture: &Architecture, component: &Component, options: &Options) -> Member {
    let place = component.span.map(|span| format!("{}:{}", architecture.sources.path(span), architecture.sources.start(span).line));
    let name = if component.name.trim().is_empty() { component.address.as_str() } else { component.name.trim() };
    Member {
        address: component.address.as_str().to_owned(),
        block: component.address.without_instance_keys().as_str().to_owned(),
        name: name.to_owned(),
        service: component.service.clone(),
        component_type: component.component_type.clone(),
        shape: match component.kind {
            Kind::ExternalEntity => Shape::External,
            Kind::Process | Kind::Supporting => Shape::Process,
            Kind::DataStore => Shape::Store,
        },
        exposure: component.exposure.as_ref().map(|(exposure, _)| *exposure),
        severity: options.severity.get(&component.address).copied().filter(|(_, count)| *count > 0),
        place,
    }
}

/// The end of a flow that is no component: drawn as someone outside.
fn unknown_member(address: &str) -> Member {
    Member {
        address: address.to_owned(),
        block: address.to_owned(),
        name: if address == "internet" { "Internet".to_owned() } else { address.to_owned() },
        service: "external".to_owned(),
        component_type: "external".to_owned(),
        shape: Shape::External,
        exposure: None,
        severity: None,
        place: None,
    }
}

fn edge(architecture: &Architecture, flow: &Flow, from: usize, to: usize, crosses: bool) -> Edge {
    let blocked = flow.status == FlowStatus::Blocked;
    let port = flow.port.map(|port| format!(" :{port}")).unwrap_or_default();
    let mut details = format!("{} → {}\n{}{port}", flow.from, flow.to, flow.protocol);
    details.push_str(match flow.encrypted {
        Some(true) => ", encrypted",
        Some(false) => ", not encrypted",
        None => ", encryption not known",
    });
    if let Some(authentication) = &flow.authentication {
        details.push_str(&format!(", authentication: {authentication}"));
    }
    if !flow.data.is_empty() {
        details.push_str(&format!("\ncarries {}", flow.data.join(", ")));
    }
    if blocked {
        details.push_str("\nblocked");
    }
    for reason in flow.why.iter().take(3) {
        details.push_str(&format!("\n{}", reason.text));
        if let Some(span) = reason.span {
            details.push_str(&format!(" ({}:{})", architecture.sources.path(span), architecture.sources.start(span).line));
        }
    }
    Edge {
        from,
        to,
        flows: vec![flow.id.clone()],
        channels: [(flow.protocol.clone(), flow.port)].into_iter().collect(),
        encrypted: flow.encrypted,
        crosses,
        risky: crosses && flow.encrypted == Some(false) && !blocked,
        blocked,
        // Reasons quote the source, and the source may hold secrets.
        details: vec![redact(&details)],
    }
}

/// Boundaries, parents first, whatever order they come in; one whose parent is missing or lies inside itself becomes a root.
fn groups(boundaries: &[Boundary]) -> Vec<Group> {
    let mut out: Vec<Group> = Vec::new();
    let mut placed: BTreeMap<&str, usize> = BTreeMap::new();
    let known: BTreeSet<&str> = boundaries.iter().map(|boundary| boundary.id.as_str()).collect();
    let mut waiting: Vec<&Boundary> = Vec::new();
    let mut seen = BTreeSet::new();
    for boundary in boundaries {
        if seen.insert(boundary.id.as_str()) {
            waiting.push(boundary);
        }
    }
    while !waiting.is_empty() {
        let before = waiting.len();
        let mut later = Vec::new();
        for boundary in waiting {
            let parent = boundary.parent.as_deref().filter(|parent| known.contains(parent));
            match parent.map(|parent| placed.get(parent).copied()) {
                Some(None) => later.push(boundary),
                parent => {
                    placed.insert(&boundary.id, out.len());
                    out.push(group(boundary, parent.flatten()));
                }
            }
        }
        if later.len() == before {
            // A circle: its first member becomes a root, which frees the others.
            if let Some(boundary) = later.first().copied() {
                placed.insert(&boundary.id, out.len());
                out.push(group(boundary, None));
                later.remove(0);
            }
        }
        waiting = later;
    }
    out
}

fn group(boundary: &Boundary, parent: Option<usize>) -> Group {
    let name = if boundary.name.trim().is_empty() { boundary.id.clone() } else { boundary.name.trim().to_owned() };
    Group { id: boundary.id.clone(), kind: boundary.kind, name, parent }
}

/// Drops boundaries that hold nothing, and those of the outside that hold one external entity, whose shape already says it all.
pub(crate) fn prune(graph: &mut Graph) {
    let mut used = vec![0usize; graph.groups.len()];
    for node in &graph.nodes {
        let mut at = node.group;
        while let Some(index) = at {
            if let Some(count) = used.get_mut(index) {
                *count += 1;
            }
            // INVARIANT: parents come before children, so this ends.
            at = graph.groups.get(index).and_then(|group| group.parent).filter(|parent| *parent < index);
        }
    }
    let mut lone: Vec<usize> = Vec::new();
    for node in &graph.nodes {
        if let Some(index) = node.group
            && used.get(index) == Some(&1)
            && node.shape == Shape::External
            && graph.groups.get(index).is_some_and(|group| matches!(group.kind, BoundaryKind::Internet | BoundaryKind::External))
        {
            lone.push(index);
        }
    }
    for node in &mut graph.nodes {
        if let Some(index) = node.group.filter(|index| lone.contains(index)) {
            node.boundaries.extend(graph.groups.get(index).map(|group| group.id.clone()));
            node.group = graph.groups.get(index).and_then(|group| group.parent);
        }
    }
    let mut kept = Vec::new();
    let mut new_index: Vec<Option<usize>> = Vec::new();
    for (index, group) in graph.groups.iter().enumerate() {
        let keep = used.get(index).is_some_and(|count| *count > 0) && !lone.contains(&index);
        new_index.push(keep.then_some(kept.len()));
        if keep {
            let mut group = group.clone();
            group.parent = group.parent.and_then(|parent| new_index.get(parent).copied().flatten());
            kept.push(group);
        }
    }
    for node in &mut graph.nodes {
        node.group = node.group.and_then(|index| new_index.get(index).copied().flatten());
    }
    graph.groups = kept;
}
