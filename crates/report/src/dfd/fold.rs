//! Makes a large diagram readable: shelves, stacks and summaries in place of single components.
//!
//! Nothing is lost: a node that stands for several lists them all, an arrow that stands for several flows lists their ids.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Edge, Graph, Member, Node, Shape, merge_edges};
use super::outside;

/// Above so many nodes with flows, likeness is enough for a stack; below, only the same neighbours are.
const CROWDED: usize = 80;
/// The same for arrows.
const CROWDED_ARROWS: usize = 120;
/// At most about so many nodes remain of a crowded diagram.
const ROOM: usize = 60;
/// At most about so many arrows remain of a crowded diagram.
const ARROWS: usize = 90;
/// So many siblings with the same neighbours make a stack.
const STACK: usize = 3;

/// Gathers components without flows, folds siblings, and where it is still too much summarises by service and by boundary.
pub(crate) fn fold(mut graph: Graph) -> Graph {
    graph = stack_twins(&outside::gather_apis(&graph));
    if n_connected(&graph) > CROWDED || graph.edges.len() > CROWDED_ARROWS {
        graph.crowded = true;
        graph.edges = merge_edges(std::mem::take(&mut graph.edges), false);
        graph = shrink(graph, stack_alike);
        graph = shrink(graph, one_service_of_a_boundary);
        graph = shrink(graph, one_boundary);
        graph = shrink(graph, one_service);
    }
    graph
}

fn n_connected(graph: &Graph) -> usize {
    connected(graph).into_iter().filter(|connected| *connected).count()
}

/// For each node, whether an arrow starts or ends at it.
fn connected(graph: &Graph) -> Vec<bool> {
    let mut out = vec![false; graph.nodes.len()];
    for end in graph.edges.iter().flat_map(|edge| [edge.from, edge.to]) {
        if let Some(flag) = out.get_mut(end) {
            *flag = true;
        }
    }
    out
}

/// Applies a step again and again until there is room or it finds nothing more.
fn shrink(mut graph: Graph, step: fn(&Graph) -> Option<Graph>) -> Graph {
    while n_connected(&graph) > ROOM || (graph.edges.len() > ARROWS && n_connected(&graph) > ROOM / 3) {
        match step(&graph) {
            Some(next) => graph = next,
            None => break,
        }
    }
    graph
}

/// One gathering for each boundary of what no arrow touches; a boundary with one such component keeps it as a plain node.
pub(crate) fn shelve(graph: &Graph) -> Graph {
    let connected = connected(graph);
    let mut by_group: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        let isolated = !connected.get(index).copied().unwrap_or(false);
        if isolated && node.loops.is_empty() && node.boundaries.is_empty() {
            by_group.entry(node.group).or_default().push(index);
        }
    }
    let sets: Vec<Vec<usize>> = by_group.into_values().filter(|set| set.len() > 1).collect();
    let title = if graph.hidden.is_empty() { "without flows" } else { "without drawn flows" };
    contract(graph, &sets, &mut |members, group| Node {
        title: title.to_owned(),
        caption: String::new(),
        shape: Shape::Shelf,
        members,
        group,
        loops: Vec::new(),
        boundaries: Vec::new(),
    })
}

/// Folds instances of one block, and siblings of one type, that have the same neighbours, exposure and worst severity.
fn stack_twins(graph: &Graph) -> Graph {
    type Signature<'a> = (Option<usize>, Shape, &'a str, String, BTreeSet<(bool, usize, String)>);
    let mut neighbours: Vec<BTreeSet<(bool, usize, String)>> = vec![BTreeSet::new(); graph.nodes.len()];
    for edge in &graph.edges {
        let how = format!("{} {} {:?} {}", edge.label(), edge.blocked, edge.encrypted, edge.risky);
        if let Some(set) = neighbours.get_mut(edge.from) {
            set.insert((true, edge.to, how.clone()));
        }
        if let Some(set) = neighbours.get_mut(edge.to) {
            set.insert((false, edge.from, how));
        }
    }
    let mut classes: BTreeMap<Signature<'_>, Vec<usize>> = BTreeMap::new();
    for (index, (node, near)) in graph.nodes.iter().zip(neighbours).enumerate() {
        let ([only], false) = (node.members.as_slice(), near.is_empty()) else { continue };
        let standing = format!("{:?} {:?}", node.exposure(), node.severity().map(|(severity, _)| severity));
        classes.entry((node.group, node.shape, only.component_type.as_str(), standing, near)).or_default().push(index);
    }
    let one_block = |set: &[usize]| {
        let blocks: BTreeSet<&str> = set
            .iter()
            .filter_map(|index| graph.nodes.get(*index))
            .flat_map(|node| &node.members)
            .map(|member| member.block.as_str())
            .collect();
        blocks.len() == 1
    };
    let sets: Vec<Vec<usize>> = classes
        .into_values()
        .filter(|set| {
            let external = set.first().and_then(|index| graph.nodes.get(*index)).is_some_and(|node| node.shape == Shape::External);
            set.len() >= STACK && !external || set.len() > 1 && one_block(set)
        })
        .collect();
    contract(graph, &sets, &mut stack)
}

/// Folds nodes that are alike: same boundary and type, and neighbours that are alike (the coarsest such division). All classes at once,
/// lest one domain of a system stays open beside another that is folded.
fn stack_alike(graph: &Graph) -> Option<Graph> {
    let connected = connected(graph);
    let mut class: Vec<usize> =
        number(graph.nodes.iter().map(|node| (node.group, node.shape, node.component_type().unwrap_or_default(), node.exposure())));
    // Each round looks one flow further; where that is not enough the classes are coarser, never wrong.
    for _ in 0..32 {
        let mut near: Vec<BTreeSet<(bool, usize, bool, bool)>> = vec![BTreeSet::new(); graph.nodes.len()];
        for edge in &graph.edges {
            let of = |index: usize| class.get(index).copied().unwrap_or_default();
            if let Some(set) = near.get_mut(edge.from) {
                set.insert((true, of(edge.to), edge.blocked, edge.risky));
            }
            if let Some(set) = near.get_mut(edge.to) {
                set.insert((false, of(edge.from), edge.blocked, edge.risky));
            }
        }
        let finer = number(class.iter().copied().zip(near));
        let n_classes = |classes: &[usize]| classes.iter().max().copied().unwrap_or_default();
        let stable = n_classes(&finer) == n_classes(&class);
        class = finer;
        if stable {
            break;
        }
    }
    let mut sets: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, class) in class.into_iter().enumerate() {
        let foldable = graph.nodes.get(index).is_some_and(|node| node.component_type().is_some() && node.boundaries.is_empty());
        if foldable && connected.get(index).copied().unwrap_or(false) {
            sets.entry(class).or_default().push(index);
        }
    }
    let sets: Vec<Vec<usize>> = sets.into_values().filter(|set| set.len() >= STACK).collect();
    (!sets.is_empty()).then(|| contract(graph, &sets, &mut stack))
}

/// Folds the largest sets of nodes of one service within one boundary.
fn one_service_of_a_boundary(graph: &Graph) -> Option<Graph> {
    let connected = connected(graph);
    let mut sets: BTreeMap<(Option<usize>, &str, bool), Vec<usize>> = BTreeMap::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        if let Some(service) = node.service()
            && connected.get(index).copied().unwrap_or(false)
            && node.boundaries.is_empty()
        {
            sets.entry((node.group, service, node.shape == Shape::External)).or_default().push(index);
        }
    }
    let sets = largest(graph, sets.into_values());
    (!sets.is_empty()).then(|| contract(graph, &sets, &mut stack))
}

/// Folds what is left of one service where no boundary holds it or its boundary is already a single node.
fn one_service(graph: &Graph) -> Option<Graph> {
    let mut sets: BTreeMap<(Option<usize>, BTreeSet<String>), Vec<usize>> = BTreeMap::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        if node.shape != Shape::External {
            let services = node.tally().into_iter().map(|(_, service)| service).collect();
            sets.entry((node.group, services)).or_default().push(index);
        }
    }
    let sets = largest(graph, sets.into_values());
    (!sets.is_empty()).then(|| contract(graph, &sets, &mut summary))
}

/// Folds the innermost boundaries with the most nodes into one node each.
fn one_boundary(graph: &Graph) -> Option<Graph> {
    let parents = around_others(graph);
    let mut sets: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        if let Some(group) = node.group.filter(|group| !parents.contains(group)) {
            sets.entry(group).or_default().push(index);
        }
    }
    let mut chosen = largest(graph, sets.values().cloned());
    if chosen.is_empty() {
        // Boundaries of one node each: they go as well, so that those around them become innermost.
        chosen = sets.into_values().collect();
    }
    let gone: BTreeSet<usize> =
        chosen.iter().filter_map(|set| set.first()).filter_map(|index| graph.nodes.get(*index)).filter_map(|node| node.group).collect();
    if gone.is_empty() {
        return None;
    }
    let mut out = contract(graph, &chosen, &mut |members, group| match group.and_then(|group| graph.groups.get(group)) {
        Some(boundary) => {
            let mut node = summary(members, boundary.parent);
            node.title.clone_from(&boundary.name);
            node.boundaries.push(boundary.id.clone());
            node
        }
        None => summary(members, None),
    });
    // A folded boundary holds nothing any more; what it was is now a node in its parent.
    let kept: Vec<usize> = (0..graph.groups.len()).filter(|index| !gone.contains(index)).collect();
    let new_index: BTreeMap<usize, usize> = kept.iter().enumerate().map(|(new, old)| (*old, new)).collect();
    let shift = |index: usize| new_index.get(&index).copied();
    out.groups = kept.iter().filter_map(|index| graph.groups.get(*index).cloned()).collect();
    out.groups.iter_mut().for_each(|group| group.parent = group.parent.and_then(shift));
    out.nodes.iter_mut().for_each(|node| node.group = node.group.and_then(shift));
    Some(out)
}

/// Boundaries around another that holds a node; one that holds none is not drawn and keeps nothing open.
fn around_others(graph: &Graph) -> BTreeSet<usize> {
    let mut out = BTreeSet::new();
    for group in graph.nodes.iter().filter_map(|node| node.group).collect::<BTreeSet<usize>>() {
        let mut at = graph.groups.get(group).and_then(|group| group.parent);
        while let Some(index) = at.filter(|index| out.insert(*index)) {
            at = graph.groups.get(index).and_then(|group| group.parent);
        }
    }
    out
}

/// The largest sets, as many as bring the diagram down to size; where that is a matter of arrows, a few at a time.
fn largest(graph: &Graph, sets: impl Iterator<Item = Vec<usize>>) -> Vec<Vec<usize>> {
    let mut sets: Vec<Vec<usize>> = sets.filter(|set| set.len() > 1).collect();
    sets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    let n_nodes = n_connected(graph);
    let needed = n_nodes.saturating_sub(ROOM).max(n_nodes / 10).max(1);
    let mut freed = 0;
    let mut chosen = Vec::new();
    for set in sets {
        if freed >= needed {
            break;
        }
        freed += set.len() - 1;
        chosen.push(set);
    }
    chosen
}

/// Numbers values in order of their first appearance.
fn number<T: Ord>(values: impl Iterator<Item = T>) -> Vec<usize> {
    let mut numbers: BTreeMap<T, usize> = BTreeMap::new();
    let mut out = Vec::new();
    for value in values {
        let next = numbers.len();
        out.push(*numbers.entry(value).or_insert(next));
    }
    out
}

/// A node for several components of one service: `name ×30`.
fn stack(members: Vec<Member>, group: Option<usize>) -> Node {
    let same = |of: fn(&Member) -> &str| {
        let first = members.first().map(of).unwrap_or_default();
        members.iter().all(|member| of(member) == first).then(|| first.to_owned())
    };
    let kind = same(|member| &member.component_type).map(|kind| kind.rsplit('.').next().unwrap_or_default().replace(['_', '-'], " "));
    let service = same(|member| &member.service).unwrap_or_default();
    let caption = match kind {
        Some(kind) if !kind.is_empty() && kind != service => format!("{service} {kind}"),
        _ => service.clone(),
    };
    let name = same(|member| &member.name).or_else(|| common_name(&members)).unwrap_or_else(|| caption.clone());
    Node {
        title: format!("{name} ×{}", members.len()),
        caption,
        shape: common_shape(&members),
        members,
        group,
        loops: Vec::new(),
        boundaries: Vec::new(),
    }
}

/// A node for components of several services.
fn summary(members: Vec<Member>, group: Option<usize>) -> Node {
    let title = format!("{} components", members.len());
    Node { title, caption: String::new(), shape: Shape::Summary, members, group, loops: Vec::new(), boundaries: Vec::new() }
}

fn common_shape(members: &[Member]) -> Shape {
    let shapes: BTreeSet<Shape> = members.iter().map(|member| member.shape).collect();
    match shapes.first() {
        Some(only) if shapes.len() == 1 => *only,
        _ => Shape::Summary,
    }
}

/// `orders-*` for names that begin alike up to a separator.
fn common_name(members: &[Member]) -> Option<String> {
    let first = &members.first()?.name;
    let mut end = first.len();
    for member in members {
        let same = first.char_indices().zip(member.name.chars()).take_while(|((_, a), b)| a == b).last();
        end = end.min(same.map_or(0, |((offset, character), _)| offset + character.len_utf8()));
    }
    let prefix = first.get(..end)?;
    let cut = prefix.rfind(['-', '_', '.', '/', ' ', '[', '(']).map(|offset| offset + 1)?;
    prefix.get(..cut).filter(|prefix| prefix.len() >= 4).map(|prefix| format!("{}*", prefix.trim_end_matches(['[', '('])))
}

/// Replaces each set of nodes by one that `make` builds from their members, in the place of the set's first; arrows follow.
/// Sets must be disjoint; all nodes of a set lie in one boundary (else `make` decides which).
pub(super) fn contract(graph: &Graph, sets: &[Vec<usize>], make: &mut dyn FnMut(Vec<Member>, Option<usize>) -> Node) -> Graph {
    let mut set_of: BTreeMap<usize, usize> = BTreeMap::new();
    for (number, set) in sets.iter().enumerate() {
        set_of.extend(set.iter().map(|index| (*index, number)));
    }
    let mut made: BTreeMap<usize, usize> = BTreeMap::new();
    let mut new_index = Vec::with_capacity(graph.nodes.len());
    let mut nodes: Vec<Node> = Vec::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        let Some(number) = set_of.get(&index) else {
            new_index.push(nodes.len());
            nodes.push(node.clone());
            continue;
        };
        if let Some(position) = made.get(number) {
            new_index.push(*position);
            continue;
        }
        made.insert(*number, nodes.len());
        new_index.push(nodes.len());
        let parts: Vec<&Node> = sets.get(*number).into_iter().flatten().filter_map(|part| graph.nodes.get(*part)).collect();
        let mut members: Vec<Member> = parts.iter().flat_map(|part| part.members.iter().cloned()).collect();
        members.sort_by(|a, b| a.address.cmp(&b.address));
        let mut folded = make(members, node.group);
        folded.boundaries.extend(parts.iter().flat_map(|part| part.boundaries.iter().cloned()));
        folded.loops = parts.iter().flat_map(|part| part.loops.iter().cloned()).collect();
        nodes.push(folded);
    }
    let moved = graph.edges.iter().filter_map(|edge| {
        let (from, to) = (*new_index.get(edge.from)?, *new_index.get(edge.to)?);
        Some(Edge { from, to, ..edge.clone() })
    });
    let (inside, between): (Vec<Edge>, Vec<Edge>) = moved.partition(|edge| edge.from == edge.to);
    for edge in inside {
        if let Some(node) = nodes.get_mut(edge.from) {
            node.loops.push(edge);
        }
    }
    for (position, node) in nodes.iter_mut().enumerate() {
        let loops = std::mem::take(&mut node.loops).into_iter().map(|inside| Edge { from: position, to: position, ..inside });
        node.loops = merge_edges(loops.collect(), false);
    }
    Graph {
        groups: graph.groups.clone(),
        nodes,
        edges: merge_edges(between, !graph.crowded),
        hidden: graph.hidden.clone(),
        crowded: graph.crowded,
    }
}
