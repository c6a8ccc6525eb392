//! What the signs mean: only those that occur.

use bartizan_model::Exposure;
use bartizan_review::Severity;

use super::super::geometry::{Point, Rect};
use super::super::graph::{Graph, Shape};
use super::super::text::{self, escape};
use super::{badge, cross_mark, exposed_mark, mark, number, outline, shape_class};

const ROW: f64 = 24.0;
const SIGN: f64 = 38.0;
const GAP: f64 = 22.0;
const INSET: f64 = 22.0;
const SIZE: f64 = 10.5;

/// A laid-out legend.
pub(super) struct Legend {
    entries: Vec<(Point, Sign, String)>,
    pub(super) width: f64,
    pub(super) height: f64,
}

#[derive(Clone, Copy)]
enum Sign {
    Shape(Shape),
    Boundary,
    Flow { class: &'static str, encrypted: Option<bool>, blocked: bool },
    Badge(Severity),
    Exposed,
    Note,
}

/// Chooses the entries for a graph and breaks them into rows no wider than `width`.
pub(super) fn legend(graph: &Graph, width: f64) -> Legend {
    let shows = |shape: Shape| graph.nodes.iter().any(|node| node.shape == shape);
    let mut entries: Vec<(Sign, String)> = Vec::new();
    for (shape, words) in [
        (Shape::External, "external entity"),
        (Shape::Process, "process"),
        (Shape::Store, "data store"),
        (Shape::Summary, "several components"),
    ] {
        if shows(shape) {
            entries.push((Sign::Shape(shape), words.to_owned()));
        }
    }
    if !graph.groups.is_empty() {
        entries.push((Sign::Boundary, "trust boundary".to_owned()));
    }
    let active = |encrypted: Option<bool>, risky: bool| {
        graph.edges.iter().any(|edge| !edge.blocked && edge.encrypted == encrypted && edge.risky == risky)
    };
    for (encrypted, risky, words) in [
        (Some(true), false, "flow, encrypted"),
        (Some(false), false, "flow, not encrypted"),
        (None, false, "flow, encryption not known"),
        (Some(false), true, "crosses a boundary unencrypted"),
    ] {
        if active(encrypted, risky) {
            entries.push((Sign::Flow { class: if risky { " dfd-risky" } else { "" }, encrypted, blocked: false }, words.to_owned()));
        }
    }
    if graph.edges.iter().any(|edge| edge.blocked) {
        entries.push((Sign::Flow { class: " dfd-blocked", encrypted: None, blocked: true }, "blocked".to_owned()));
    }
    if let Some(worst) = graph.nodes.iter().filter_map(|node| node.severity()).map(|(severity, _)| severity).max() {
        entries.push((Sign::Badge(worst), "worst severity and number of threats".to_owned()));
    }
    if graph
        .nodes
        .iter()
        .any(|node| node.shape != Shape::External && node.shape != Shape::Shelf && node.exposure() == Some(Exposure::Internet))
    {
        entries.push((Sign::Exposed, "reachable from the internet".to_owned()));
    }
    if !graph.hidden.is_empty() {
        let noun = if graph.hidden.len() == 1 { "flow" } else { "flows" };
        entries.push((Sign::Note, format!("{} ancillary {noun} (AWS APIs, logs, metrics, keys) not drawn", graph.hidden.len())));
    }
    arrange(entries, width)
}

fn arrange(entries: Vec<(Sign, String)>, width: f64) -> Legend {
    let (mut x, mut y, mut widest) = (INSET, 14.0, 0.0_f64);
    let mut placed = Vec::new();
    for (sign, words) in entries {
        let room = if matches!(sign, Sign::Note) { 0.0 } else { SIGN };
        let needed = room + text::width(&words, SIZE);
        if x > INSET && x + needed + INSET > width {
            x = INSET;
            y += ROW;
        }
        widest = widest.max(x + needed + INSET);
        placed.push((Point::new(x, y), sign, words));
        x += needed + GAP;
    }
    let height = if placed.is_empty() { 0.0 } else { y + ROW + 6.0 };
    Legend { entries: placed, width: widest, height }
}

impl Legend {
    /// Writes it with its top at `top`.
    pub(super) fn write(&self, out: &mut String, top: f64) {
        if self.entries.is_empty() {
            return;
        }
        out.push_str(&format!("<g class=\"dfd-legend\" transform=\"translate(0 {})\">\n", number(top)));
        for (at, sign, words) in &self.entries {
            let middle = at.y + ROW / 2.0;
            let rect = Rect::new(at.x, middle - 8.0, 28.0, 16.0);
            let mut room = SIGN;
            match sign {
                Sign::Shape(shape) => {
                    out.push_str(&format!("<g class=\"dfd-node dfd-{}\">", shape_class(*shape)));
                    let small = if *shape == Shape::Process {
                        format!(
                            "<rect class=\"dfd-shape\" x=\"{}\" y=\"{}\" width=\"28\" height=\"16\" rx=\"7\"/>",
                            number(rect.x),
                            number(rect.y)
                        )
                    } else {
                        String::new()
                    };
                    if small.is_empty() {
                        outline(out, *shape, rect);
                    }
                    out.push_str(&small);
                    out.push_str("</g>");
                }
                Sign::Boundary => out.push_str(&format!(
                    "<g class=\"dfd-boundary\"><rect x=\"{}\" y=\"{}\" width=\"28\" height=\"16\" rx=\"5\"/></g>",
                    number(rect.x),
                    number(rect.y)
                )),
                Sign::Flow { class, encrypted, blocked } => {
                    let (x, y) = (number(at.x), number(middle));
                    out.push_str(&format!("<g class=\"dfd-flow{class}\"><path class=\"dfd-line\" d=\"M{x} {y}h20\"/>"));
                    out.push_str(&format!("<path class=\"dfd-head\" d=\"M{} {y}l-9 -3.8v7.6z\"/>", number(at.x + 28.0)));
                    if *blocked {
                        out.push_str(&cross_mark(Point::new(at.x + 10.0, middle)));
                    }
                    out.push_str("</g>");
                    if !blocked && encrypted.is_some() {
                        out.push_str(&format!("<g class=\"dfd-label{class}\">{}</g>", mark(false, *encrypted, at.x + 31.0, middle - 6.0)));
                        room += 12.0;
                    }
                }
                Sign::Badge(severity) => out.push_str(&badge(*severity, 3, Point::new(at.x + 14.0, middle))),
                Sign::Exposed => out.push_str(&exposed_mark(Point::new(at.x + 18.0, middle))),
                Sign::Note => room = 0.0,
            }
            out.push_str(&format!(
                "<text class=\"dfd-caption\" x=\"{}\" y=\"{}\">{}</text>\n",
                number(at.x + room - 3.0),
                number(middle + 3.7),
                escape(words)
            ));
        }
        out.push_str("</g>\n");
    }
}
