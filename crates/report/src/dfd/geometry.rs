//! Points and boxes of a placed diagram, in CSS pixels with y growing downwards.

/// A place on the canvas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

impl Point {
    pub(crate) fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }
}

/// A box by its upper left corner and size.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) w: f64,
    pub(crate) h: f64,
}

impl Rect {
    pub(crate) fn new(x: f64, y: f64, w: f64, h: f64) -> Self {
        Self { x, y, w, h }
    }

    pub(crate) fn centred(at: Point, w: f64, h: f64) -> Self {
        Self::new(at.x - w / 2.0, at.y - h / 2.0, w, h)
    }

    pub(crate) fn right(self) -> f64 {
        self.x + self.w
    }

    pub(crate) fn bottom(self) -> f64 {
        self.y + self.h
    }

    pub(crate) fn centre(self) -> Point {
        Point::new(self.x + self.w / 2.0, self.y + self.h / 2.0)
    }

    pub(crate) fn grown(self, by: f64) -> Self {
        Self::new(self.x - by, self.y - by, self.w + 2.0 * by, self.h + 2.0 * by)
    }

    pub(crate) fn moved(self, dx: f64, dy: f64) -> Self {
        Self { x: self.x + dx, y: self.y + dy, ..self }
    }

    /// True when the insides share a point; touching borders do not count.
    pub(crate) fn overlaps(self, other: Rect) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }

    /// True when `other` lies in it, give or take half a pixel.
    pub(crate) fn holds(self, other: Rect) -> bool {
        let slack = self.grown(0.5);
        slack.x <= other.x && slack.y <= other.y && slack.right() >= other.right() && slack.bottom() >= other.bottom()
    }

    /// The smallest box that holds both.
    pub(crate) fn union(self, other: Rect) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        Self::new(x, y, self.right().max(other.right()) - x, self.bottom().max(other.bottom()) - y)
    }

    pub(crate) fn is_finite(self) -> bool {
        self.x.is_finite() && self.y.is_finite() && self.w.is_finite() && self.h.is_finite()
    }
}

/// The straight pieces of a route.
pub(crate) fn segments(points: &[Point]) -> impl Iterator<Item = (Point, Point)> + '_ {
    points.iter().zip(points.iter().skip(1)).map(|(a, b)| (*a, *b))
}

/// Length of a route.
pub(crate) fn length(points: &[Point]) -> f64 {
    segments(points).map(|(a, b)| (b.x - a.x).hypot(b.y - a.y)).sum()
}

/// The point at a distance from the start of a route, with the direction (unit vector) it has there.
pub(crate) fn along(points: &[Point], distance: f64) -> Option<(Point, Point)> {
    let mut left = distance;
    let mut last = None;
    for (a, b) in segments(points) {
        let piece = (b.x - a.x).hypot(b.y - a.y);
        if piece <= f64::EPSILON {
            continue;
        }
        let direction = Point::new((b.x - a.x) / piece, (b.y - a.y) / piece);
        if left <= piece {
            return Some((Point::new(a.x + direction.x * left, a.y + direction.y * left), direction));
        }
        left -= piece;
        last = Some((b, direction));
    }
    last
}

/// Drops doubled points and points in the middle of a straight run.
pub(crate) fn tidy(points: &[Point]) -> Vec<Point> {
    let mut out: Vec<Point> = Vec::with_capacity(points.len());
    for point in points {
        if out.last().is_some_and(|last| (last.x - point.x).abs() < 0.05 && (last.y - point.y).abs() < 0.05) {
            continue;
        }
        if let [.., before, last] = out.as_slice() {
            let cross = (last.x - before.x) * (point.y - last.y) - (last.y - before.y) * (point.x - last.x);
            let forward = (last.x - before.x) * (point.x - last.x) + (last.y - before.y) * (point.y - last.y);
            if cross.abs() < 0.05 && forward > 0.0 {
                out.pop();
            }
        }
        out.push(*point);
    }
    out
}

/// True when an axis-parallel or slanted segment passes through the inside of a box.
pub(crate) fn passes(a: Point, b: Point, rect: Rect) -> bool {
    // Clips the segment's parameter range against the four sides (Liang and Barsky 1984).
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for (step, room) in [(-dx, a.x - rect.x), (dx, rect.right() - a.x), (-dy, a.y - rect.y), (dy, rect.bottom() - a.y)] {
        if step.abs() < 1e-9 {
            if room <= 0.0 {
                return false;
            }
        } else if step < 0.0 {
            low = low.max(room / step);
        } else {
            high = high.min(room / step);
        }
    }
    high - low > 1e-6
}

/// True when two segments cross in their insides.
pub(crate) fn cross(first: (Point, Point), second: (Point, Point)) -> bool {
    let side = |a: Point, b: Point, c: Point| (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
    let ((a, b), (c, d)) = (first, second);
    side(a, b, c) * side(a, b, d) < -1e-6 && side(c, d, a) * side(c, d, b) < -1e-6
}

#[cfg(test)]
mod tests {
    use super::{Point, Rect, along, cross, passes, tidy};

    #[test]
    fn a_segment_along_a_border_does_not_pass_through() {
        let rect = Rect::new(0.0, 0.0, 10.0, 10.0);
        assert!(!passes(Point::new(-5.0, 0.0), Point::new(15.0, 0.0), rect));
        assert!(passes(Point::new(-5.0, 1.0), Point::new(15.0, 1.0), rect));
        assert!(!passes(Point::new(-5.0, 5.0), Point::new(0.0, 5.0), rect));
    }

    #[test]
    fn routes_are_tidied_and_measured() {
        let route = [Point::new(0.0, 0.0), Point::new(5.0, 0.0), Point::new(9.0, 0.0), Point::new(9.0, 0.0), Point::new(9.0, 4.0)];
        let tidied = tidy(&route);
        assert_eq!(tidied.len(), 3);
        assert_eq!(along(&tidied, 11.0).map(|(at, _)| at), Some(Point::new(9.0, 2.0)));
        assert!(cross((Point::new(0.0, 0.0), Point::new(4.0, 4.0)), (Point::new(0.0, 4.0), Point::new(4.0, 0.0))));
    }
}
