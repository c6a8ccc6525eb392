//! The layout to turn to when the layered algorithm refuses: rows by rank within each boundary, arrows routed around the nodes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::elk::{Input, Placement};
use super::geometry::{Point, Rect, passes, tidy};

const GAP: f64 = 64.0;
const INSET: f64 = 26.0;
/// Rows wider than this break.
const MAX_ROW: f64 = 1500.0;
/// How far routes keep off nodes.
const CLEARANCE: f64 = 12.0;

/// Something that is placed within a boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Group(usize),
    Node(usize),
}

/// Places everything; never fails.
pub(crate) fn place(input: &Input) -> Placement {
    let mut placement = Placement {
        groups: vec![Rect::default(); input.groups.len()],
        nodes: vec![Rect::default(); input.nodes.len()],
        routes: Vec::new(),
        labels: vec![None; input.edges.len()],
    };
    let mut children: BTreeMap<Option<usize>, Vec<Item>> = BTreeMap::new();
    for (index, (parent, _, _)) in input.groups.iter().enumerate() {
        children.entry(*parent).or_default().push(Item::Group(index));
    }
    for (index, (group, _, _)) in input.nodes.iter().enumerate() {
        children.entry(*group).or_default().push(Item::Node(index));
    }
    // INVARIANT: groups come parents first, so backwards every group's children have their size before it.
    for index in (0..input.groups.len()).rev() {
        let items = children.get(&Some(index)).cloned().unwrap_or_default();
        let (width, height) = arrange(input, Some(index), &items, &mut placement);
        let (_, title_width, title_height) = input.groups.get(index).copied().unwrap_or_default();
        let size = Rect::new(0.0, 0.0, width.max(title_width) + 2.0 * INSET, height + 2.0 * INSET + title_height);
        if let Some(slot) = placement.groups.get_mut(index) {
            *slot = size;
        }
    }
    let items = children.get(&None).cloned().unwrap_or_default();
    arrange(input, None, &items, &mut placement);
    // So far each place is relative to the boundary; parents first they become absolute.
    for index in 0..input.groups.len() {
        if let Some((Some(parent), _, _)) = input.groups.get(index) {
            let origin = inner_origin(input, &placement, *parent);
            if let Some(rect) = placement.groups.get_mut(index) {
                *rect = rect.moved(origin.x, origin.y);
            }
        }
    }
    for (index, (group, _, _)) in input.nodes.iter().enumerate() {
        let origin = group.map_or(Point::new(0.0, 0.0), |group| inner_origin(input, &placement, group));
        if let Some(rect) = placement.nodes.get_mut(index) {
            *rect = rect.moved(origin.x, origin.y);
        }
    }
    placement.routes = route_all(input, &placement);
    placement
}

fn inner_origin(input: &Input, placement: &Placement, group: usize) -> Point {
    let title_height = input.groups.get(group).map_or(0.0, |(_, _, height)| *height);
    let rect = placement.groups.get(group).copied().unwrap_or_default();
    Point::new(rect.x + INSET, rect.y + INSET + title_height)
}

/// Puts the items of one boundary into rows by rank and gives the size they take; places are relative.
fn arrange(input: &Input, scope: Option<usize>, items: &[Item], placement: &mut Placement) -> (f64, f64) {
    let ranks = ranks(input, scope, items);
    let mut rows: BTreeMap<usize, Vec<Item>> = BTreeMap::new();
    for item in items {
        rows.entry(ranks.get(item).copied().unwrap_or_default()).or_default().push(*item);
    }
    let (mut width, mut y) = (0.0_f64, 0.0_f64);
    for row in rows.into_values() {
        let (mut x, mut height) = (0.0_f64, 0.0_f64);
        for item in row {
            let (w, h) = size(input, placement, item);
            if x > 0.0 && x + w > MAX_ROW {
                y += height + GAP;
                (x, height) = (0.0, 0.0);
            }
            let rect = match item {
                Item::Group(index) => placement.groups.get_mut(index),
                Item::Node(index) => placement.nodes.get_mut(index),
            };
            if let Some(rect) = rect {
                *rect = Rect::new(x, y, w, h);
            }
            width = width.max(x + w);
            x += w + GAP;
            height = height.max(h);
        }
        y += height + GAP;
    }
    (width, (y - GAP).max(0.0))
}

fn size(input: &Input, placement: &Placement, item: Item) -> (f64, f64) {
    match item {
        Item::Group(index) => placement.groups.get(index).map_or((0.0, 0.0), |rect| (rect.w, rect.h)),
        Item::Node(index) => input.nodes.get(index).map_or((0.0, 0.0), |(_, w, h)| (*w, *h)),
    }
}

/// Longest-path ranks of the items along the flows between them; a circle is entered at its first item.
fn ranks(input: &Input, scope: Option<usize>, items: &[Item]) -> BTreeMap<Item, usize> {
    let mut before: BTreeMap<Item, BTreeSet<Item>> = items.iter().map(|item| (*item, BTreeSet::new())).collect();
    for (from, to, _, _) in &input.edges {
        if let (Some(from), Some(to)) = (item_in(input, scope, *from), item_in(input, scope, *to))
            && from != to
            && let Some(set) = before.get_mut(&to)
        {
            set.insert(from);
        }
    }
    let mut ranks: BTreeMap<Item, usize> = BTreeMap::new();
    while ranks.len() < before.len() {
        let open = |item: &Item| !ranks.contains_key(item);
        let ready = before.iter().find(|(item, set)| open(item) && set.iter().all(|other| ranks.contains_key(other)));
        let Some((item, set)) = ready.or_else(|| before.iter().find(|(item, _)| open(item))) else { break };
        let rank = set.iter().filter_map(|other| ranks.get(other)).max().map_or(0, |rank| rank + 1);
        ranks.insert(*item, rank);
    }
    ranks
}

/// The item directly in `scope` that is or holds a node.
fn item_in(input: &Input, scope: Option<usize>, node: usize) -> Option<Item> {
    let mut item = Item::Node(node);
    let mut at = input.nodes.get(node)?.0;
    while at != scope {
        let group = at?;
        item = Item::Group(group);
        at = input.groups.get(group)?.0.filter(|parent| *parent < group);
    }
    Some(item)
}

/// A grid of lines beside and through the nodes.
struct Grid {
    xs: Vec<f64>,
    ys: Vec<f64>,
    /// For each cell the nodes that stand in the way of the step to the right, and of the step down.
    barred: [Vec<Vec<usize>>; 2],
    /// How many routes came into each state.
    used: Vec<u64>,
}

/// Column, row, and whether it was entered horizontally.
type State = (usize, usize, bool);

fn route_all(input: &Input, placement: &Placement) -> Vec<Vec<Point>> {
    let mut grid = Grid::new(&placement.nodes);
    input
        .edges
        .iter()
        .map(|(from, to, _, _)| {
            let (Some(start), Some(end)) = (placement.nodes.get(*from), placement.nodes.get(*to)) else { return Vec::new() };
            let inner = grid.route((*from, *start), (*to, *end));
            attach(&inner, *start, *end)
        })
        .collect()
}

impl Grid {
    fn new(nodes: &[Rect]) -> Self {
        let lines = |of: &dyn Fn(&Rect) -> [f64; 3]| {
            let mut lines: Vec<f64> = nodes.iter().flat_map(of).collect();
            lines.sort_by(f64::total_cmp);
            lines.dedup_by(|a, b| (*a - *b).abs() < 1.0);
            lines
        };
        let xs = lines(&|rect| [rect.x - CLEARANCE, rect.centre().x, rect.right() + CLEARANCE]);
        let ys = lines(&|rect| [rect.y - CLEARANCE, rect.centre().y, rect.bottom() + CLEARANCE]);
        let mut barred = [Vec::new(), Vec::new()];
        for (column, x) in xs.iter().enumerate() {
            for (row, y) in ys.iter().enumerate() {
                let here = Point::new(*x, *y);
                let right = xs.get(column + 1).map(|x| Point::new(*x, here.y));
                let down = ys.get(row + 1).map(|y| Point::new(here.x, *y));
                for (list, next) in barred.iter_mut().zip([right, down]) {
                    let in_the_way = |next: Point| {
                        let hit = nodes.iter().enumerate().filter(move |(_, rect)| passes(here, next, rect.grown(CLEARANCE / 2.0)));
                        hit.map(|(index, _)| index).collect::<Vec<_>>()
                    };
                    list.push(next.map(in_the_way).unwrap_or_default());
                }
            }
        }
        let used = vec![0; xs.len() * ys.len() * 2];
        Self { xs, ys, barred, used }
    }

    fn slot(&self, (column, row, horizontal): State) -> usize {
        (column * self.ys.len() + row) * 2 + usize::from(horizontal)
    }

    /// The cheapest way from node to node: length, a charge for each bend and a higher one for running over another route (Dijkstra).
    fn route(&mut self, from: (usize, Rect), to: (usize, Rect)) -> Vec<Point> {
        let nearest = |lines: &[f64], value: f64| {
            (0..lines.len())
                .min_by_key(|index| lines.get(*index).map_or(u64::MAX, |line| ((line - value).abs() * 10.0) as u64))
                .unwrap_or(0)
        };
        let start = (nearest(&self.xs, from.1.centre().x), nearest(&self.ys, from.1.centre().y));
        let goal = (nearest(&self.xs, to.1.centre().x), nearest(&self.ys, to.1.centre().y));
        let mut best: Vec<(u64, Option<State>)> = vec![(u64::MAX, None); self.used.len()];
        let mut heap = BinaryHeap::new();
        for horizontal in [false, true] {
            let state = (start.0, start.1, horizontal);
            if let Some(slot) = best.get_mut(self.slot(state)) {
                *slot = (0, None);
                heap.push(Reverse((0_u64, state)));
            }
        }
        let mut reached = None;
        while let Some(Reverse((cost, state))) = heap.pop() {
            if (state.0, state.1) == goal {
                reached = Some(state);
                break;
            }
            if best.get(self.slot(state)).is_some_and(|(least, _)| *least < cost) {
                continue;
            }
            for (next, step) in self.steps(state, (from.0, to.0)).into_iter().flatten() {
                let total = cost + step;
                if let Some(slot) = best.get_mut(self.slot(next))
                    && total < slot.0
                {
                    *slot = (total, Some(state));
                    heap.push(Reverse((total, next)));
                }
            }
        }
        let mut points = Vec::new();
        let mut at = reached;
        while let Some(state) = at {
            if let (Some(x), Some(y)) = (self.xs.get(state.0), self.ys.get(state.1)) {
                points.push(Point::new(*x, *y));
            }
            let slot = self.slot(state);
            if let Some(used) = self.used.get_mut(slot) {
                *used += 1;
            }
            at = best.get(slot).and_then(|(_, before)| *before);
        }
        points.reverse();
        if points.len() < 2 { vec![from.1.centre(), to.1.centre()] } else { points }
    }

    /// The four steps from a state with their cost; `None` where there is no line or a node other than the two ends is in the way.
    fn steps(&self, (column, row, horizontal): State, ends: (usize, usize)) -> [Option<(State, u64)>; 4] {
        let [right, down] = &self.barred;
        let step = |next: Option<(usize, usize)>, sideways: bool| {
            let next = next?;
            let (low, list) = if sideways { ((column.min(next.0), row), right) } else { ((column, row.min(next.1)), down) };
            let (x, next_x) = (self.xs.get(column)?, self.xs.get(next.0)?);
            let (y, next_y) = (self.ys.get(row)?, self.ys.get(next.1)?);
            let in_the_way = list.get(low.0 * self.ys.len() + low.1)?;
            if in_the_way.iter().any(|node| *node != ends.0 && *node != ends.1) {
                return None;
            }
            let state = (next.0, next.1, sideways);
            let bend = if sideways == horizontal { 0 } else { 50 };
            let shared = 90 * self.used.get(self.slot(state)).copied().unwrap_or_default().min(4);
            Some((state, ((x - next_x).abs() + (y - next_y).abs()) as u64 + bend + shared))
        };
        [
            step(column.checked_sub(1).map(|column| (column, row)), true),
            step(Some((column + 1, row)), true),
            step(row.checked_sub(1).map(|row| (column, row)), false),
            step(Some((column, row + 1)), false),
        ]
    }
}

/// Cuts a route from centre to centre at the borders of its two nodes.
fn attach(points: &[Point], start: Rect, end: Rect) -> Vec<Point> {
    let mut points = tidy(points);
    trim(&mut points, end);
    points.reverse();
    trim(&mut points, start);
    points.reverse();
    points
}

/// Removes what lies in the box from the end of the route and ends it on the border.
fn trim(points: &mut Vec<Point>, rect: Rect) {
    while let [.., before, last] = points.as_slice() {
        let (before, last) = (*before, *last);
        let inside = before.x > rect.x && before.x < rect.right() && before.y > rect.y && before.y < rect.bottom();
        if inside && points.len() > 2 {
            points.pop();
            continue;
        }
        // The share of the last piece that lies outside the box.
        let (dx, dy) = (last.x - before.x, last.y - before.y);
        let mut share = 0.0_f64;
        for (step, room) in [
            (dx, if dx > 0.0 { rect.x - before.x } else { rect.right() - before.x }),
            (dy, if dy > 0.0 { rect.y - before.y } else { rect.bottom() - before.y }),
        ] {
            if step.abs() > 1e-9 {
                share = share.max(room / step);
            }
        }
        let share = share.clamp(0.0, 1.0);
        points.pop();
        points.push(Point::new(before.x + dx * share, before.y + dy * share));
        return;
    }
}
