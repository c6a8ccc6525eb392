//! Where the words of an arrow go: on its line, off the nodes, off each other.

use super::geometry::{Point, Rect, along, length, passes, segments};

/// A placed label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Label {
    pub(crate) rect: Rect,
    /// A point of the route that a thin line joins it to, where it had to go elsewhere.
    pub(crate) leader: Option<Point>,
}

/// What labels must keep off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Obstacles<'a> {
    /// Never covered: nodes and titles of boundaries.
    pub(crate) solid: &'a [Rect],
    /// Frames whose line had better stay visible.
    pub(crate) frames: &'a [Rect],
    pub(crate) routes: &'a [Vec<Point>],
}

const FRACTIONS: [f64; 13] = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.2, 0.8, 0.14, 0.86, 0.09, 0.91];

/// Places one label for each route, those with the least choice first. No label overlaps a solid obstacle or another label.
pub(crate) fn place(sizes: &[(f64, f64)], proposals: &[Option<Rect>], obstacles: Obstacles<'_>) -> Vec<Label> {
    let mut order: Vec<usize> = (0..obstacles.routes.len()).collect();
    let lengths: Vec<f64> = obstacles.routes.iter().map(|route| length(route)).collect();
    order.sort_by(|a, b| lengths.get(*a).partial_cmp(&lengths.get(*b)).unwrap_or(std::cmp::Ordering::Equal));
    let mut placed: Vec<Option<Label>> = vec![None; obstacles.routes.len()];
    let mut taken: Vec<Rect> = Vec::new();
    for index in order {
        let (Some(route), Some(&size)) = (obstacles.routes.get(index), sizes.get(index)) else { continue };
        let proposal = proposals.get(index).copied().flatten();
        let label = on_route(index, route, size, proposal, &taken, obstacles).unwrap_or_else(|| near(route, size, &taken, obstacles));
        taken.push(label.rect);
        if let Some(slot) = placed.get_mut(index) {
            *slot = Some(label);
        }
    }
    placed.into_iter().map(|label| label.unwrap_or(Label { rect: Rect::default(), leader: None })).collect()
}

fn is_free(rect: Rect, taken: &[Rect], obstacles: Obstacles<'_>) -> bool {
    let roomy = rect.grown(1.5);
    !obstacles.solid.iter().chain(taken).any(|other| other.overlaps(roomy))
}

/// The best free place on the route.
fn on_route(
    index: usize,
    route: &[Point],
    (width, height): (f64, f64),
    proposal: Option<Rect>,
    taken: &[Rect],
    obstacles: Obstacles<'_>,
) -> Option<Label> {
    let total = length(route);
    let mut candidates: Vec<(f64, Rect)> = proposal.filter(|rect| touches(*rect, route)).map(|rect| (1.0, rect)).into_iter().collect();
    for fraction in FRACTIONS {
        let Some((at, direction)) = along(route, fraction * total) else { continue };
        let cost = (fraction - 0.5).abs() * 24.0;
        candidates.push((cost, Rect::centred(at, width, height)));
        let (side_x, side_y) = if direction.y.abs() > 0.5 { (width / 2.0 + 4.0, 0.0) } else { (0.0, height / 2.0 + 3.0) };
        candidates.push((cost + 4.0, Rect::centred(Point::new(at.x + side_x, at.y - side_y), width, height)));
        candidates.push((cost + 4.0, Rect::centred(Point::new(at.x - side_x, at.y + side_y), width, height)));
    }
    // The middle of each straight piece leaves corners and arrow heads visible.
    for (a, b) in segments(route) {
        let middle = Point::new((a.x + b.x) / 2.0, (a.y + b.y) / 2.0);
        let (room, needed) = ((b.x - a.x).abs() + (b.y - a.y).abs(), if (b.y - a.y).abs() > (b.x - a.x).abs() { height } else { width });
        if room > needed + 14.0 {
            candidates.push((2.0, Rect::centred(middle, width, height)));
        }
    }
    let mut best: Option<(f64, Rect)> = None;
    for (cost, rect) in candidates {
        if best.is_some_and(|(least, _)| least <= cost) || !is_free(rect, taken, obstacles) {
            continue;
        }
        let cost = cost + disturbance(index, rect, obstacles);
        if best.is_none_or(|(least, _)| cost < least) {
            best = Some((cost, rect));
        }
    }
    best.map(|(_, rect)| Label { rect, leader: None })
}

fn touches(rect: Rect, route: &[Point]) -> bool {
    let near = rect.grown(5.0);
    segments(route).any(|(a, b)| passes(a, b, near))
}

/// How much a label at a place hides or confuses.
fn disturbance(index: usize, rect: Rect, obstacles: Obstacles<'_>) -> f64 {
    let mut cost = 0.0;
    for (other, route) in obstacles.routes.iter().enumerate() {
        if other != index {
            cost += 14.0 * segments(route).filter(|(a, b)| passes(*a, *b, rect)).count() as f64;
        }
        if let Some(end) = route.last()
            && rect.overlaps(Rect::centred(*end, 16.0, 16.0))
        {
            cost += 20.0;
        }
        if other == index {
            let corners = route.iter().skip(1).take(route.len().saturating_sub(2));
            cost += 5.0 * corners.filter(|corner| rect.overlaps(Rect::centred(**corner, 1.0, 1.0))).count() as f64;
        }
    }
    let crossed = |frame: &&Rect| frame.overlaps(rect) && !frame.grown(-2.0).holds(rect);
    cost + 6.0 * obstacles.frames.iter().filter(crossed).count() as f64
}

/// The nearest free place around the middle of a route; there always is one, since the canvas grows.
fn near(route: &[Point], (width, height): (f64, f64), taken: &[Rect], obstacles: Obstacles<'_>) -> Label {
    let middle = along(route, length(route) / 2.0).map_or(Point::new(0.0, 0.0), |(at, _)| at);
    let mut ring = 1.0_f64;
    loop {
        for step in 0..16_u8 {
            let angle = f64::from(step) * std::f64::consts::TAU / 16.0;
            let at = Point::new(middle.x + angle.cos() * ring * 12.0, middle.y + angle.sin() * ring * 8.0);
            let rect = Rect::centred(at, width, height);
            // Solid obstacles and labels are finite, so a ring beyond them all is free; the bound only guards against endless coordinates.
            if is_free(rect, taken, obstacles) || ring > 2000.0 {
                let leader = (!touches(rect, route)).then_some(middle);
                return Label { rect, leader };
            }
        }
        ring += 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::{Obstacles, place};
    use crate::dfd::geometry::{Point, Rect};

    #[test]
    fn labels_of_one_bundle_keep_off_each_other_and_off_nodes() {
        let route = vec![Point::new(0.0, 0.0), Point::new(100.0, 0.0)];
        let routes = vec![route.clone(), route.clone(), route.clone(), route];
        let solid = [Rect::new(-50.0, -20.0, 50.0, 40.0), Rect::new(100.0, -20.0, 50.0, 40.0)];
        let labels = place(&[(60.0, 14.0); 4], &[None; 4], Obstacles { solid: &solid, frames: &[], routes: &routes });
        for (index, label) in labels.iter().enumerate() {
            assert!(solid.iter().all(|rect| !rect.overlaps(label.rect)), "{labels:?}");
            assert!(labels.iter().skip(index + 1).all(|other| !other.rect.overlaps(label.rect)), "{labels:?}");
        }
    }
}
