//! Placement of what hangs together, piece by piece.
//!
//! The layered algorithm puts everything into the same few layers, so that ten unrelated pairs become one long column. Here each piece of a
//! boundary that no flow joins to the rest is placed by itself, the pieces are packed into rows, and the whole pack takes part in the
//! layout around it as one block.

use std::collections::{BTreeMap, BTreeSet};

use super::elk::{self, Attempt, Input, Placement};
use super::geometry::{Point, Rect};

/// Between two pieces of a block.
const GAP: f64 = 30.0;
/// Pieces are packed about so much wider than high.
const ASPECT: f64 = 1.7;

/// A box in the layout that remains: a node, or a block of pieces that are placed already.
#[derive(Clone, Debug)]
enum Content {
    Node(usize),
    Block(Vec<Piece>),
}

/// Some boxes with what lies between them, placed by themselves.
#[derive(Clone, Debug)]
struct Piece {
    /// Where its own origin lies in the block.
    origin: Point,
    placement: Placement,
    groups: Vec<usize>,
    boxes: Vec<usize>,
    edges: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Boxed {
    group: Option<usize>,
    width: f64,
    height: f64,
    content: Content,
    /// Already part of a piece.
    taken: bool,
}

struct Packing<'a> {
    input: &'a Input,
    attempt: Attempt,
    boxes: Vec<Boxed>,
    /// Ends of the edges as boxes; `None` once an edge is part of a piece.
    edges: Vec<Option<(usize, usize)>>,
    groups_taken: Vec<bool>,
}

/// Something directly within a boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Group(usize),
    Box(usize),
}

/// Places everything; `None` where the algorithm refuses.
pub(crate) fn place(input: &Input, attempt: Attempt) -> Option<Placement> {
    let boxes = input.nodes.iter().enumerate().map(|(index, (group, width, height))| Boxed {
        group: *group,
        width: *width,
        height: *height,
        content: Content::Node(index),
        taken: false,
    });
    let mut packing = Packing {
        input,
        attempt,
        boxes: boxes.collect(),
        edges: input.edges.iter().map(|(from, to, _, _)| Some((*from, *to))).collect(),
        groups_taken: vec![false; input.groups.len()],
    };
    // INVARIANT: groups come parents first, so backwards every boundary is packed before the one around it.
    for group in (0..input.groups.len()).rev() {
        packing.pack(Some(group))?;
    }
    packing.pack(None)?;
    let whole = packing.piece(|_| true)?;
    let mut out = Placement {
        groups: vec![Rect::default(); input.groups.len()],
        nodes: vec![Rect::default(); input.nodes.len()],
        routes: vec![Vec::new(); input.edges.len()],
        labels: vec![None; input.edges.len()],
    };
    packing.unpack(&whole, Point::new(0.0, 0.0), &mut out);
    Some(out)
}

impl Packing<'_> {
    /// Replaces the pieces of a boundary that nothing joins to the rest by one block, where there are several.
    fn pack(&mut self, scope: Option<usize>) -> Option<()> {
        let (islands, main) = self.islands(scope);
        let lone = islands.len() == 1 && islands.iter().all(|island| island.len() == 1);
        if islands.is_empty() || lone || islands.len() + usize::from(!main.is_empty()) < 2 {
            return Some(());
        }
        let mut pieces = Vec::new();
        for island in &islands {
            pieces.push(self.piece(|item| island.contains(&item))?);
        }
        for piece in &pieces {
            piece.groups.iter().for_each(|group| set(&mut self.groups_taken, *group, true));
            piece.edges.iter().for_each(|edge| set(&mut self.edges, *edge, None));
            for index in &piece.boxes {
                if let Some(boxed) = self.boxes.get_mut(*index) {
                    boxed.taken = true;
                }
            }
        }
        let main_area: f64 = main.iter().map(|item| self.area(*item)).sum();
        let (width, height) = arrange(&mut pieces, main_area);
        self.boxes.push(Boxed { group: scope, width, height, content: Content::Block(pieces), taken: false });
        Some(())
    }

    /// The items directly in a boundary, parted into sets that flows join; and those joined to something outside.
    fn islands(&self, scope: Option<usize>) -> (Vec<BTreeSet<Item>>, BTreeSet<Item>) {
        let mut items: Vec<Item> = Vec::new();
        let groups = self.input.groups.iter().enumerate().filter(|(index, _)| !self.groups_taken.get(*index).copied().unwrap_or(true));
        items.extend(groups.filter(|(_, (parent, _, _))| *parent == scope).map(|(index, _)| Item::Group(index)));
        let boxes = self.boxes.iter().enumerate().filter(|(_, boxed)| !boxed.taken && boxed.group == scope);
        items.extend(boxes.map(|(index, _)| Item::Box(index)));
        let mut near: BTreeMap<Item, BTreeSet<Item>> = BTreeMap::new();
        let mut anchored: BTreeSet<Item> = BTreeSet::new();
        for (from, to) in self.edges.iter().flatten() {
            match (self.item_in(scope, *from), self.item_in(scope, *to)) {
                (Some(from), Some(to)) => {
                    near.entry(from).or_default().insert(to);
                    near.entry(to).or_default().insert(from);
                }
                (Some(inside), None) | (None, Some(inside)) => {
                    anchored.insert(inside);
                }
                (None, None) => {}
            }
        }
        let mut islands = Vec::new();
        let mut main = BTreeSet::new();
        let mut seen: BTreeSet<Item> = BTreeSet::new();
        for item in items {
            let mut island = BTreeSet::new();
            let mut open = vec![item];
            while let Some(next) = open.pop() {
                if seen.insert(next) {
                    island.insert(next);
                    open.extend(near.get(&next).into_iter().flatten());
                }
            }
            if island.is_disjoint(&anchored) {
                islands.extend((!island.is_empty()).then_some(island));
            } else {
                main.extend(island);
            }
        }
        (islands, main)
    }

    /// The item directly in `scope` that is or holds a box.
    fn item_in(&self, scope: Option<usize>, index: usize) -> Option<Item> {
        let mut item = Item::Box(index);
        let mut at = self.boxes.get(index)?.group;
        while at != scope {
            let group = at?;
            item = Item::Group(group);
            at = self.input.groups.get(group)?.0.filter(|parent| *parent < group);
        }
        Some(item)
    }

    /// True when an item, or anything around it, is chosen.
    fn is_within(&self, chosen: &dyn Fn(Item) -> bool, item: Item) -> bool {
        let mut at = Some(item);
        while let Some(item) = at {
            if chosen(item) {
                return true;
            }
            let parent = match item {
                Item::Box(index) => self.boxes.get(index).and_then(|boxed| boxed.group),
                Item::Group(index) => self.input.groups.get(index).and_then(|(parent, _, _)| parent.filter(|parent| *parent < index)),
            };
            at = parent.map(Item::Group);
        }
        false
    }

    /// Places what is chosen, with all it holds, by itself.
    fn piece(&self, chosen: impl Fn(Item) -> bool) -> Option<Piece> {
        let groups: Vec<usize> = (0..self.input.groups.len())
            .filter(|index| !self.groups_taken.get(*index).copied().unwrap_or(true) && self.is_within(&chosen, Item::Group(*index)))
            .collect();
        let boxes: Vec<usize> = (0..self.boxes.len())
            .filter(|index| self.boxes.get(*index).is_some_and(|boxed| !boxed.taken) && self.is_within(&chosen, Item::Box(*index)))
            .collect();
        let group_at: BTreeMap<usize, usize> = groups.iter().enumerate().map(|(new, old)| (*old, new)).collect();
        let box_at: BTreeMap<usize, usize> = boxes.iter().enumerate().map(|(new, old)| (*old, new)).collect();
        let mut sub = Input::default();
        for (parent, width, height) in groups.iter().filter_map(|index| self.input.groups.get(*index)) {
            sub.groups.push((parent.and_then(|parent| group_at.get(&parent).copied()), *width, *height));
        }
        let mut joined = BTreeSet::new();
        let mut edges = Vec::new();
        for (index, ends) in self.edges.iter().enumerate() {
            let Some((from, to)) = ends.and_then(|(from, to)| Some((*box_at.get(&from)?, *box_at.get(&to)?))) else { continue };
            let (_, _, width, height) = self.input.edges.get(index)?;
            sub.edges.push((from, to, *width, *height));
            joined.extend([from, to]);
            edges.push(index);
        }
        for (new, boxed) in boxes.iter().filter_map(|index| self.boxes.get(*index)).enumerate() {
            sub.nodes.push((boxed.group.and_then(|group| group_at.get(&group).copied()), boxed.width, boxed.height));
            // What nothing joins goes below the rest; in the first layer its height would push all others down.
            if !joined.contains(&new) && !sub.edges.is_empty() {
                sub.last.insert(new);
            }
        }
        let placement = elk::place(&sub, self.attempt)?;
        Some(Piece { origin: Point::new(0.0, 0.0), placement, groups, boxes, edges })
    }

    /// A guess at the room an item takes when placed.
    fn area(&self, item: Item) -> f64 {
        let boxes = self
            .boxes
            .iter()
            .enumerate()
            .filter(|(index, boxed)| !boxed.taken && self.is_within(&|other| other == item, Item::Box(*index)));
        boxes.map(|(_, boxed)| (boxed.width + 50.0) * (boxed.height + 60.0)).sum()
    }

    /// Writes the places of a piece, and of the blocks in it, into the whole.
    fn unpack(&self, piece: &Piece, origin: Point, out: &mut Placement) {
        let (dx, dy) = (origin.x, origin.y);
        for (index, rect) in piece.groups.iter().zip(&piece.placement.groups) {
            set(&mut out.groups, *index, rect.moved(dx, dy));
        }
        for ((index, route), label) in piece.edges.iter().zip(&piece.placement.routes).zip(&piece.placement.labels) {
            set(&mut out.routes, *index, route.iter().map(|at| Point::new(at.x + dx, at.y + dy)).collect());
            set(&mut out.labels, *index, label.map(|rect| rect.moved(dx, dy)));
        }
        for (index, rect) in piece.boxes.iter().zip(&piece.placement.nodes) {
            let rect = rect.moved(dx, dy);
            match self.boxes.get(*index).map(|boxed| &boxed.content) {
                Some(Content::Node(node)) => set(&mut out.nodes, *node, rect),
                Some(Content::Block(pieces)) => {
                    for inner in pieces {
                        self.unpack(inner, Point::new(rect.x + inner.origin.x, rect.y + inner.origin.y), out);
                    }
                }
                None => {}
            }
        }
    }
}

fn set<T>(list: &mut [T], index: usize, value: T) {
    if let Some(slot) = list.get_mut(index) {
        *slot = value;
    }
}

/// Packs pieces into rows, highest first, about as wide as what they will stand below; gives the size of the block.
fn arrange(pieces: &mut [Piece], main_area: f64) -> (f64, f64) {
    let bounds: Vec<Rect> = pieces.iter().map(|piece| bounds(&piece.placement)).collect();
    let area: f64 = bounds.iter().map(|rect| (rect.w + GAP) * (rect.h + GAP)).sum();
    let widest = bounds.iter().map(|rect| rect.w).fold(0.0, f64::max);
    let room = ((area * ASPECT).sqrt()).max((main_area * ASPECT).sqrt()).max(widest);
    let mut order: Vec<usize> = (0..pieces.len()).collect();
    let height_of = |index: &usize| bounds.get(*index).map_or(0.0, |rect| rect.h);
    order.sort_by(|a, b| height_of(b).total_cmp(&height_of(a)).then(a.cmp(b)));
    let (mut x, mut y, mut row, mut width) = (0.0_f64, 0.0_f64, 0.0_f64, 0.0_f64);
    for index in order {
        let (Some(rect), Some(piece)) = (bounds.get(index), pieces.get_mut(index)) else { continue };
        if x > 0.0 && x + rect.w > room {
            y += row + GAP;
            (x, row) = (0.0, 0.0);
        }
        piece.origin = Point::new(x - rect.x, y - rect.y);
        width = width.max(x + rect.w);
        x += rect.w + GAP;
        row = row.max(rect.h);
    }
    (width, y + row)
}

fn bounds(placement: &Placement) -> Rect {
    let points = placement.routes.iter().flatten().map(|at| Rect::centred(*at, 2.0, 2.0));
    let boxes = placement.groups.iter().chain(&placement.nodes).chain(placement.labels.iter().flatten()).copied();
    boxes.chain(points).reduce(Rect::union).unwrap_or_default()
}
