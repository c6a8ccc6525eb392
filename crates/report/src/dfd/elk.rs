//! Placement by the layered algorithm of the Eclipse Layout Kernel, through its Rust port.

use std::collections::BTreeSet;

use merman_layout_elk as elk;

use super::geometry::{Point, Rect, tidy};

/// What has to be placed: sizes and joins only. Groups come parents first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    /// Parent and size of the title of each group.
    pub(crate) groups: Vec<(Option<usize>, f64, f64)>,
    /// Group, width and height of each node.
    pub(crate) nodes: Vec<(Option<usize>, f64, f64)>,
    /// Both ends, and size of the label, of each edge. Ends differ.
    pub(crate) edges: Vec<(usize, usize, f64, f64)>,
    /// Nodes that belong at the end.
    pub(crate) last: BTreeSet<usize>,
}

/// Where everything lies; same indices as in the input.
#[derive(Clone, Debug, Default)]
pub(crate) struct Placement {
    pub(crate) groups: Vec<Rect>,
    pub(crate) nodes: Vec<Rect>,
    pub(crate) routes: Vec<Vec<Point>>,
    pub(crate) labels: Vec<Option<Rect>>,
}

/// How the algorithm is set for one attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Attempt {
    /// Flows run to the right; else downwards.
    pub(crate) wide: bool,
    /// Keep to the order of the input, which gives calmer pictures of ordered input and more crossings of others.
    pub(crate) in_order: bool,
}

/// The port's distances are fixed at 40 to 50 pixels; sizes are scaled up before and everything down after to bring them closer.
const SCALE: f64 = 1.8;

/// Work units after which an attempt is given up: several hundred times what 60 nodes with 120 edges take.
const BUDGET: usize = 400_000_000;

struct Budget(usize);

impl elk::WorkControl for Budget {
    fn check(&mut self, units: usize) -> Result<(), elk::WorkError> {
        if units > self.0 { Err(elk::WorkError::Interrupted) } else { Ok(()) }
    }

    fn charge(&mut self, units: usize) -> Result<(), elk::WorkError> {
        self.0 = self.0.checked_sub(units).ok_or(elk::WorkError::Interrupted)?;
        Ok(())
    }
}

/// One attempt; `None` where the algorithm refuses or its result is not complete.
pub(crate) fn place(input: &Input, attempt: Attempt) -> Option<Placement> {
    let graph = graph(input, attempt);
    // The port has assertions of its own. A report must come out whatever they meet, and there is another layout to turn to.
    let result = std::panic::catch_unwind(|| elk::layout_with_work_control(&graph, &mut Budget(BUDGET))).ok()?.ok()?;
    read(input, &result)
}

fn graph(input: &Input, attempt: Attempt) -> elk::Graph {
    let direction = if attempt.wide { elk::Direction::Right } else { elk::Direction::Down };
    let mut nodes = Vec::new();
    for (index, (parent, width, height)) in input.groups.iter().enumerate() {
        nodes.push(elk::Node {
            kind: elk::NodeKind::Group,
            // The port takes the width of a title as least height where flows run downwards; frames are wide enough by other means then.
            label: Some(elk::Label { width: if attempt.wide { width * SCALE } else { 1.0 }, height: height * SCALE }),
            direction: Some(direction),
            ..node(format!("g{index}"), *parent)
        });
    }
    for (index, (group, width, height)) in input.nodes.iter().enumerate() {
        let layer_constraint = input.last.contains(&index).then_some(elk::LayerConstraint::Last);
        nodes.push(elk::Node { width: width * SCALE, height: height * SCALE, layer_constraint, ..node(format!("n{index}"), *group) });
    }
    let edges = input.edges.iter().enumerate().map(|(index, (from, to, width, height))| elk::Edge {
        id: format!("e{index}"),
        source: format!("n{from}"),
        target: format!("n{to}"),
        label: Some(elk::Label { width: width * SCALE, height: height * SCALE }),
        terminal_labels: Vec::new(),
        minlen: 1,
        inside_self_loops_yo: false,
    });
    let mut options = elk::LayoutOptions::default();
    options.layered.cycle_breaking = elk::CycleBreakingStrategy::DepthFirst;
    options.layered.merge_hierarchy_edges = false;
    options.layered.consider_model_order = attempt.in_order;
    options.layered.unnecessary_bendpoints = false;
    elk::Graph { id: "dfd".to_owned(), direction, nodes, edges: edges.collect(), spacing: elk::Spacing::default(), options }
}

fn node(id: String, parent: Option<usize>) -> elk::Node {
    elk::Node {
        id,
        kind: elk::NodeKind::Leaf,
        label_text: None,
        container: elk::ContainerNodeOptions::default(),
        width: 0.0,
        height: 0.0,
        parent: parent.map(|parent| format!("g{parent}")),
        direction: None,
        hierarchy_handling: None,
        layer_constraint: None,
        port_alignment: None,
        label: None,
    }
}

fn read(input: &Input, result: &elk::LayoutResult) -> Option<Placement> {
    let mut placement = Placement {
        groups: vec![Rect::default(); input.groups.len()],
        nodes: vec![Rect::default(); input.nodes.len()],
        routes: vec![Vec::new(); input.edges.len()],
        labels: vec![None; input.edges.len()],
    };
    let point = |x: f64, y: f64| Point::new(x / SCALE, y / SCALE);
    let mut n_placed = 0;
    for node in &result.nodes {
        let rect = Rect::centred(point(node.x, node.y), node.width / SCALE, node.height / SCALE);
        let slot = match node.id.split_at_checked(1)? {
            ("g", index) => placement.groups.get_mut(index.parse::<usize>().ok()?)?,
            (_, index) => placement.nodes.get_mut(index.parse::<usize>().ok()?)?,
        };
        *slot = rect;
        n_placed += 1;
    }
    for edge in &result.edges {
        let index: usize = edge.id.strip_prefix('e')?.parse().ok()?;
        let points: Vec<Point> = edge.points.iter().map(|at| point(at.x, at.y)).collect();
        *placement.routes.get_mut(index)? = tidy(&points);
        if let Some(label) = edge.labels.iter().find(|label| label.terminal.is_none()) {
            let (_, _, width, height) = input.edges.get(index)?;
            *placement.labels.get_mut(index)? = Some({
                let corner = point(label.x, label.y);
                Rect::new(corner.x, corner.y, *width, *height)
            });
        }
    }
    (n_placed == input.groups.len() + input.nodes.len()).then_some(placement)
}
