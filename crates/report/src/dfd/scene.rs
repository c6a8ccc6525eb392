//! The placed diagram: boxes, routes and labels, ready to be written in any format.

use std::collections::BTreeSet;

use bartizan_model::BoundaryKind;

use super::content::{Content, content};
use super::elk::{Attempt, Input, Placement};
use super::geometry::{Point, Rect, cross, length, passes, segments};
use super::graph::{Edge, Graph, Group};
use super::labels::{self, Label, Obstacles};
use super::{grid, islands, text};

pub(crate) const LABEL_SIZE: f64 = 10.5;
pub(crate) const LABEL_HEIGHT: f64 = 15.0;
/// Left of a label's text: room for the lock.
pub(crate) const LOCK_ROOM: f64 = 11.0;
pub(crate) const GROUP_TITLE_SIZE: f64 = 11.5;
const GROUP_TITLE_HEIGHT: f64 = 16.0;
/// Between the outermost boxes and the edge of the canvas.
const MARGIN: f64 = 22.0;

/// A diagram with a place for everything; indices are those of the graph.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) graph: Graph,
    pub(crate) contents: Vec<Content>,
    pub(crate) groups: Vec<Rect>,
    pub(crate) titles: Vec<Rect>,
    pub(crate) nodes: Vec<Rect>,
    pub(crate) routes: Vec<Vec<Point>>,
    pub(crate) labels: Vec<Label>,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// Places a graph.
pub(crate) fn compose(graph: Graph) -> Scene {
    place(graph, best)
}

/// Places a graph as if the layered algorithm had failed.
#[cfg(test)]
pub(crate) fn compose_without_elk(graph: Graph) -> Scene {
    place(graph, grid::place)
}

fn place(graph: Graph, layout: fn(&Input) -> Placement) -> Scene {
    let mut contents: Vec<Content> = graph.nodes.iter().map(content).collect();
    widen_lone(&graph, &mut contents);
    give_ports_room(&graph, &mut contents);
    let label_sizes: Vec<(f64, f64)> = graph.edges.iter().map(label_size).collect();
    let input = Input {
        groups: graph.groups.iter().map(|group| (group.parent, title_width(group), GROUP_TITLE_HEIGHT)).collect(),
        nodes: graph.nodes.iter().zip(&contents).map(|(node, content)| (node.group, content.width, content.height)).collect(),
        edges: graph.edges.iter().zip(&label_sizes).map(|(edge, (width, height))| (edge.from, edge.to, *width, *height)).collect(),
        last: BTreeSet::new(),
    };
    let placement = layout(&input);
    let titles = place_titles(&input, &placement);
    let solid: Vec<Rect> = placement.nodes.iter().chain(&titles).copied().collect();
    let obstacles = Obstacles { solid: &solid, frames: &placement.groups, routes: &placement.routes };
    let labels = labels::place(&label_sizes, &placement.labels, obstacles);
    let mut scene = Scene {
        graph,
        contents,
        groups: placement.groups,
        titles,
        nodes: placement.nodes,
        routes: placement.routes,
        labels,
        width: 0.0,
        height: 0.0,
    };
    scene.fit();
    scene
}

impl Scene {
    /// Moves everything so that the canvas begins at the origin and ends beyond the last thing.
    fn fit(&mut self) {
        let boxes = self.groups.iter().chain(&self.nodes).copied();
        let points = self.routes.iter().flatten().map(|at| Rect::centred(*at, 4.0, 4.0));
        let all = boxes.chain(points).chain(self.labels.iter().map(|label| label.rect)).reduce(Rect::union).unwrap_or_default();
        let (dx, dy) = (MARGIN - all.x, MARGIN - all.y);
        let shift = |rect: &mut Rect| *rect = rect.moved(dx, dy);
        self.groups.iter_mut().for_each(shift);
        self.titles.iter_mut().for_each(shift);
        self.nodes.iter_mut().for_each(shift);
        for at in self.routes.iter_mut().flatten().chain(self.labels.iter_mut().filter_map(|label| label.leader.as_mut())) {
            *at = Point::new(at.x + dx, at.y + dy);
        }
        self.labels.iter_mut().for_each(|label| label.rect = label.rect.moved(dx, dy));
        self.width = all.w + 2.0 * MARGIN;
        self.height = all.h + 2.0 * MARGIN;
    }
}

/// A node that is alone in its boundary is made wide enough for the boundary's title to stand beside the arrow that comes from above.
fn widen_lone(graph: &Graph, contents: &mut [Content]) {
    let mut n_children = vec![0_usize; graph.groups.len()];
    let parents = graph.groups.iter().map(|group| group.parent).chain(graph.nodes.iter().map(|node| node.group));
    for parent in parents.flatten() {
        if let Some(count) = n_children.get_mut(parent) {
            *count += 1;
        }
    }
    for (node, content) in graph.nodes.iter().zip(contents) {
        if let Some((index, group)) = node.group.and_then(|index| graph.groups.get(index).map(|group| (index, group)))
            && n_children.get(index) == Some(&1)
        {
            let title = title_width(group);
            content.width = content.width.max((title * 1.9).min(190.0)).max(title - 10.0).ceil();
        }
    }
}

/// A hub is made high enough for its arrows to be told apart where they leave or enter side by side.
fn give_ports_room(graph: &Graph, contents: &mut [Content]) {
    for (index, content) in contents.iter_mut().enumerate() {
        let n_out = graph.edges.iter().filter(|edge| edge.from == index).count();
        let n_in = graph.edges.iter().filter(|edge| edge.to == index).count();
        content.height = content.height.max((9.0 * n_out.max(n_in) as f64 + 14.0).min(170.0));
    }
}

fn label_size(edge: &Edge) -> (f64, f64) {
    let lock = if edge.encrypted.is_some() || edge.blocked { LOCK_ROOM } else { 0.0 };
    ((text::width(&edge.label(), LABEL_SIZE) + lock + 6.0).ceil(), LABEL_HEIGHT)
}

/// The title as far as there is room for it.
pub(crate) fn fitted_title(group: &Group, room: Rect) -> String {
    text::shorten(&group_title(group), GROUP_TITLE_SIZE, room.w - 6.0)
}

/// What stands in the corner of a boundary: its kind in words, unless its name says it, and its name.
pub(crate) fn group_title(group: &Group) -> String {
    let word = match group.kind {
        BoundaryKind::Internet => "Internet",
        BoundaryKind::External => "External",
        BoundaryKind::Account => "AWS account",
        BoundaryKind::Region => "Region",
        BoundaryKind::Vpc => "VPC",
        BoundaryKind::PublicSubnets => "Public subnets",
        BoundaryKind::PrivateSubnets => "Private subnets",
        BoundaryKind::IsolatedSubnets => "Isolated subnets",
        BoundaryKind::Cluster => "Cluster",
        BoundaryKind::Namespace => "Namespace",
    };
    let name = text::shorten(&group.name, GROUP_TITLE_SIZE, 220.0);
    if matches!(group.kind, BoundaryKind::Internet | BoundaryKind::External) {
        let mut letters = name.chars();
        return letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    }
    let told = word.rsplit(' ').next().unwrap_or(word).trim_end_matches('s').to_lowercase();
    if group.name.to_lowercase().contains(&told) { name } else { format!("{word} {name}") }
}

fn title_width(group: &Group) -> f64 {
    (text::bold_width(&group_title(group), GROUP_TITLE_SIZE) + 8.0).ceil()
}

/// The best of several layouts, or our own where all fail.
fn best(input: &Input) -> Placement {
    if input.nodes.is_empty() {
        return Placement::default();
    }
    let mut best: Option<(f64, Placement)> = None;
    for (wide, in_order) in [(false, false), (true, false), (false, true), (true, true)] {
        let Some(placement) = islands::place(input, Attempt { wide, in_order }).filter(|placement| is_sound(input, placement)) else {
            continue;
        };
        let value = value(&placement);
        if best.as_ref().is_none_or(|(most, _)| value > *most) {
            best = Some((value, placement));
        }
    }
    best.map_or_else(|| grid::place(input), |(_, placement)| placement)
}

/// How good a layout is: how large it can be shown on a page of 1500 by 1000 pixels, less what crossings and detours cost.
fn value(placement: &Placement) -> f64 {
    let all = placement.groups.iter().chain(&placement.nodes).copied().reduce(Rect::union).unwrap_or_default();
    let scale = (1500.0 / all.w.max(1.0)).min(1000.0 / all.h.max(1.0)).min(1.6);
    let pieces: Vec<Vec<(Point, Point)>> = placement.routes.iter().map(|route| segments(route).collect()).collect();
    let mut n_crossings = 0_usize;
    for (index, first) in pieces.iter().enumerate() {
        for second in pieces.iter().skip(index + 1) {
            n_crossings += first.iter().map(|a| second.iter().filter(|b| cross(*a, **b)).count()).sum::<usize>();
        }
    }
    let n_routes = placement.routes.len().max(1) as f64;
    let n_bends: usize = placement.routes.iter().map(|route| route.len().saturating_sub(2)).sum();
    let run: f64 = placement.routes.iter().map(|route| length(route)).sum();
    scale.ln() - 0.12 * n_crossings as f64 / n_routes - 0.03 * n_bends as f64 / n_routes - 0.1 * run / n_routes / (all.w + all.h).max(1.0)
}

/// True when the layout keeps its promises: boxes apart and within their boundary, every route from node to node and through no other.
fn is_sound(input: &Input, placement: &Placement) -> bool {
    let group = |index: usize| placement.groups.get(index).copied().unwrap_or_default();
    let within = |rect: Rect, parent: Option<usize>| parent.is_none_or(|parent| group(parent).holds(rect));
    let finite = placement.groups.iter().chain(&placement.nodes).all(|rect| rect.is_finite());
    let nested = input.groups.iter().zip(&placement.groups).all(|((parent, _, _), rect)| within(*rect, *parent))
        && input.nodes.iter().zip(&placement.nodes).all(|((parent, _, _), rect)| within(*rect, *parent));
    let apart =
        placement.nodes.iter().enumerate().all(|(index, rect)| placement.nodes.iter().skip(index + 1).all(|other| !other.overlaps(*rect)));
    let excluded = input.nodes.iter().zip(&placement.nodes).all(|((parent, _, _), rect)| {
        placement.groups.iter().enumerate().all(|(index, frame)| !frame.overlaps(*rect) || is_ancestor(input, index, *parent))
    });
    let disjoint = input.groups.iter().zip(&placement.groups).enumerate().all(|(index, ((parent, _, _), rect))| {
        placement.groups.iter().enumerate().skip(index + 1).all(|(other, frame)| {
            let other_parent = input.groups.get(other).and_then(|(parent, _, _)| *parent);
            !frame.overlaps(*rect) || is_ancestor(input, index, other_parent) || is_ancestor(input, other, *parent)
        })
    });
    finite && nested && apart && excluded && disjoint && are_routed(input, placement)
}

fn is_ancestor(input: &Input, group: usize, of: Option<usize>) -> bool {
    let mut at = of;
    while let Some(index) = at {
        if index == group {
            return true;
        }
        at = input.groups.get(index).and_then(|(parent, _, _)| *parent).filter(|parent| *parent < index);
    }
    false
}

fn are_routed(input: &Input, placement: &Placement) -> bool {
    input.edges.iter().zip(&placement.routes).all(|((from, to, _, _), route)| {
        let on_border = |node: &usize, at: Option<&Point>| match (placement.nodes.get(*node), at) {
            (Some(rect), Some(at)) => {
                Rect::centred(*at, 0.0, 0.0).grown(2.0).overlaps(*rect) || rect.grown(2.0).holds(Rect::centred(*at, 0.0, 0.0))
            }
            _ => false,
        };
        let through = |(a, b): (Point, Point)| placement.nodes.iter().any(|rect| passes(a, b, rect.grown(-2.0)));
        route.len() >= 2 && on_border(from, route.first()) && on_border(to, route.last()) && !segments(route).any(through)
    })
}

/// Puts each boundary's title where the fewest arrows run through it, along its upper rim.
fn place_titles(input: &Input, placement: &Placement) -> Vec<Rect> {
    input
        .groups
        .iter()
        .zip(&placement.groups)
        .map(|((_, width, height), frame)| {
            let width = &width.min(frame.w - 12.0);
            // From left to right, so that the corner wins where it is free.
            let n_steps = ((frame.w - 12.0 - width) / 12.0).max(0.0) as u32;
            let rects = (0..=n_steps).map(|step| Rect::new(frame.x + 6.0 + 12.0 * f64::from(step), frame.y + 5.0, *width, *height));
            let n_hit = |rect: &Rect| {
                placement.routes.iter().flat_map(|route| segments(route)).filter(|(a, b)| passes(*a, *b, rect.grown(3.0))).count()
            };
            rects.min_by_key(n_hit).unwrap_or_default()
        })
        .collect()
}
