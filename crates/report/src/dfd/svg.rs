//! The diagram as SVG: one file that stands alone and can be put into a page.
//!
//! Components carry `data-address` (folded ones `data-addresses`, a JSON list), flows `data-flow` (ids parted by spaces) and boundaries
//! `data-boundary`, so that a page can pan, zoom, filter and open what is clicked.

mod legend;
mod style;

use bartizan_model::{BoundaryKind, Exposure};
use bartizan_review::Severity;

use super::content::{self, Content};
use super::geometry::{Point, Rect, along, length};
use super::glyph;
use super::graph::{Edge, Group, Member, Node, Shape};
use super::labels::Label;
use super::scene::{LOCK_ROOM, Scene, fitted_title, group_title};
use super::text::{self, escape};

/// Above the picture, where there is a title.
const HEADING: f64 = 40.0;
/// At most so many members and flows are told in one tooltip.
const TOLD: usize = 14;

/// Writes a placed diagram; the same scene gives the same bytes.
pub(crate) fn write(scene: &Scene, heading: Option<&str>) -> String {
    let legend = legend::legend(&scene.graph, scene.width.max(520.0));
    let heading_height = if heading.is_some() { HEADING } else { 0.0 };
    let (width, height) = (scene.width.max(legend.width), heading_height + scene.height + legend.height);
    let mut out = String::new();
    out.push_str(&format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"dfd\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\">\n",
        w = number(width.ceil()),
        h = number(height.ceil())
    ));
    out.push_str(&format!("<title>{}</title>\n", escape(heading.unwrap_or("Threat model diagram"))));
    out.push_str(&format!(
        "<desc>Data flow diagram: {} components, {} flows, {} trust boundaries.</desc>\n",
        scene.graph.nodes.iter().map(|node| node.members.len()).sum::<usize>(),
        scene.graph.edges.iter().chain(scene.graph.nodes.iter().flat_map(|node| &node.loops)).map(|edge| edge.flows.len()).sum::<usize>(),
        scene.graph.groups.len() + scene.graph.nodes.iter().map(|node| node.boundaries.len()).sum::<usize>(),
    ));
    out.push_str(&format!("<style>\n{}</style>\n", style::sheet()));
    out.push_str(&format!("<rect class=\"dfd-bg\" width=\"{}\" height=\"{}\"/>\n", number(width.ceil()), number(height.ceil())));
    if let Some(heading) = heading {
        out.push_str(&format!(
            "<text class=\"dfd-heading\" x=\"22\" y=\"30\">{}</text>\n",
            escape(&text::shorten(heading, 17.0, width - 44.0))
        ));
    }
    out.push_str(&format!("<g class=\"dfd-canvas\" transform=\"translate(0 {})\">\n", number(heading_height)));
    out.push_str("<g class=\"dfd-boundaries\">\n");
    for (group, rect) in scene.graph.groups.iter().zip(&scene.groups) {
        boundary(&mut out, group, *rect);
    }
    out.push_str("</g>\n<g class=\"dfd-flows\">\n");
    for (edge, route) in scene.graph.edges.iter().zip(&scene.routes) {
        flow(&mut out, scene, edge, route);
    }
    out.push_str("</g>\n<g class=\"dfd-nodes\">\n");
    for ((node, content), rect) in scene.graph.nodes.iter().zip(&scene.contents).zip(&scene.nodes) {
        component(&mut out, node, content, *rect);
    }
    out.push_str("</g>\n<g class=\"dfd-labels\">\n");
    for (group, rect) in scene.graph.groups.iter().zip(&scene.titles) {
        out.push_str(&format!(
            "<text class=\"dfd-boundary-title dfd-{}\" x=\"{}\" y=\"{}\">{}</text>\n",
            group_class(group.kind),
            number(rect.x + 4.0),
            number(rect.y + 12.0),
            escape(&fitted_title(group, *rect))
        ));
    }
    for (edge, placed) in scene.graph.edges.iter().zip(&scene.labels) {
        label(&mut out, edge, *placed);
    }
    out.push_str("</g>\n</g>\n");
    legend.write(&mut out, heading_height + scene.height);
    out.push_str("</svg>\n");
    out
}

/// One decimal, no trailing zero: enough for the eye, and the same bytes on every machine.
fn number(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    if rounded == rounded.trunc() { format!("{rounded:.0}") } else { format!("{rounded:.1}") }
}

fn group_class(kind: BoundaryKind) -> &'static str {
    match kind {
        BoundaryKind::Internet | BoundaryKind::External => "outside",
        BoundaryKind::Account => "account",
        BoundaryKind::Region => "region",
        BoundaryKind::Vpc => "vpc",
        BoundaryKind::PublicSubnets => "public",
        BoundaryKind::PrivateSubnets => "private",
        BoundaryKind::IsolatedSubnets => "isolated",
        BoundaryKind::Cluster => "cluster",
        BoundaryKind::Namespace => "namespace",
    }
}

fn boundary(out: &mut String, group: &Group, rect: Rect) {
    out.push_str(&format!(
        "<g class=\"dfd-boundary dfd-{}\" data-boundary=\"{}\"><title>{}</title><rect {} rx=\"12\"/></g>\n",
        group_class(group.kind),
        escape(&group.id),
        escape(&format!("{}\n{}", group_title(group), group.id)),
        place(rect)
    ));
}

fn place(rect: Rect) -> String {
    format!("x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"", number(rect.x), number(rect.y), number(rect.w), number(rect.h))
}

fn edge_class(edge: &Edge) -> &'static str {
    if edge.blocked {
        " dfd-blocked"
    } else if edge.risky {
        " dfd-risky"
    } else {
        ""
    }
}

fn tooltip(edges: &[&Edge]) -> String {
    let details: Vec<&str> = edges.iter().flat_map(|edge| &edge.details).map(String::as_str).collect();
    let mut told = details.iter().take(TOLD).copied().collect::<Vec<_>>().join("\n\n");
    if details.len() > TOLD {
        told.push_str(&format!("\n\nand {} more flows", details.len() - TOLD));
    }
    told
}

fn flow(out: &mut String, scene: &Scene, edge: &Edge, route: &[Point]) {
    let end_address =
        |index: usize| scene.graph.nodes.get(index).and_then(|node| node.members.first()).map_or("", |member| &member.address);
    out.push_str(&format!(
        "<g class=\"dfd-flow{}\" data-flow=\"{}\" data-from=\"{}\" data-to=\"{}\"><title>{}</title>",
        edge_class(edge),
        escape(&edge.flows.join(" ")),
        escape(end_address(edge.from)),
        escape(end_address(edge.to)),
        escape(&tooltip(&[edge]))
    ));
    let (line, head) = arrow(route);
    out.push_str(&format!(
        "<path class=\"dfd-hit\" d=\"{line}\"/><path class=\"dfd-line\" d=\"{line}\"/><path class=\"dfd-head\" d=\"{head}\"/>"
    ));
    if edge.blocked
        && let Some((at, _)) = along(route, (length(route) - 22.0).max(length(route) / 2.0))
    {
        out.push_str(&cross_mark(at));
    }
    out.push_str("</g>\n");
}

fn cross_mark(at: Point) -> String {
    let (x, y) = (number(at.x - 4.5), number(at.y - 4.5));
    format!("<path class=\"dfd-cross\" d=\"M{x} {y}l9 9m0 -9l-9 9\"/>")
}

/// The line with rounded corners, cut where the arrow head begins, and the head.
fn arrow(route: &[Point]) -> (String, String) {
    const HEAD: f64 = 9.0;
    const ROUND: f64 = 7.0;
    let Some((end, direction)) = along(route, f64::INFINITY) else { return (String::new(), String::new()) };
    let base = Point::new(end.x - direction.x * HEAD, end.y - direction.y * HEAD);
    let (wing_x, wing_y) = (-direction.y * 3.8, direction.x * 3.8);
    let head = format!(
        "M{} {}L{} {}L{} {}Z",
        number(end.x),
        number(end.y),
        number(base.x + wing_x),
        number(base.y + wing_y),
        number(base.x - wing_x),
        number(base.y - wing_y)
    );
    let mut line = String::new();
    let mut points: Vec<Point> = route.to_vec();
    points.pop();
    points.push(Point::new(base.x + direction.x, base.y + direction.y));
    let step = |a: Point, b: Point, by: f64| {
        let far = (b.x - a.x).hypot(b.y - a.y).max(1e-9);
        let share = (by / far).min(0.5);
        Point::new(a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share)
    };
    for (index, at) in points.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| points.get(before));
        match (before, points.get(index + 1)) {
            (None, _) => line.push_str(&format!("M{} {}", number(at.x), number(at.y))),
            (Some(before), Some(after)) => {
                let (enter, leave) = (step(*at, *before, ROUND), step(*at, *after, ROUND));
                line.push_str(&format!("L{} {}", number(enter.x), number(enter.y)));
                line.push_str(&format!("Q{} {} {} {}", number(at.x), number(at.y), number(leave.x), number(leave.y)));
            }
            (Some(_), None) => line.push_str(&format!("L{} {}", number(at.x), number(at.y))),
        }
    }
    (line, head)
}

fn label(out: &mut String, edge: &Edge, placed: Label) {
    let rect = placed.rect;
    out.push_str(&format!("<g class=\"dfd-label{}\" data-label-of=\"{}\">", edge_class(edge), escape(&edge.flows.join(" "))));
    out.push_str(&format!("<title>{}</title>", escape(&tooltip(&[edge]))));
    if let Some(from) = placed.leader {
        let to = rect.centre();
        out.push_str(&format!(
            "<path class=\"dfd-leader\" d=\"M{} {}L{} {}\"/>",
            number(from.x),
            number(from.y),
            number(to.x),
            number(to.y)
        ));
    }
    out.push_str(&format!("<rect {} rx=\"3\"/>", place(rect)));
    let mut x = rect.x + 3.0;
    if edge.blocked || edge.encrypted.is_some() {
        out.push_str(&mark(edge.blocked, edge.encrypted, x, rect.y + 2.0));
        x += LOCK_ROOM;
    }
    out.push_str(&format!("<text x=\"{}\" y=\"{}\">{}</text></g>\n", number(x), number(rect.y + 11.2), escape(&edge.label())));
}

/// A closed or open lock, or a cross for what is blocked.
fn mark(blocked: bool, encrypted: Option<bool>, x: f64, y: f64) -> String {
    let (x, y) = (number(x), number(y));
    if blocked {
        return format!("<path class=\"dfd-cross\" transform=\"translate({x} {y})\" d=\"M1 2.5l6 6m0 -6l-6 6\"/>");
    }
    let shackle = if encrypted == Some(true) { "M2 5.2V3.4a2 2 0 0 1 4 0V5.2" } else { "M2 5.2V2.6a2 2 0 0 1 4 0" };
    format!(
        "<g transform=\"translate({x} {y})\"><path class=\"dfd-lock\" d=\"{shackle}\"/><rect class=\"dfd-lock-body\" x=\".8\" y=\"5\" width=\"6.4\" height=\"5\" rx=\"1\"/></g>"
    )
}

fn addresses(members: &[Member]) -> String {
    match members {
        [only] => format!("data-address=\"{}\"", escape(&only.address)),
        _ => {
            let list: Vec<&str> = members.iter().map(|member| member.address.as_str()).collect();
            // Strings always serialise; were it otherwise an empty list would be the truth.
            format!("data-addresses=\"{}\"", escape(&serde_json::to_string(&list).unwrap_or_else(|_| "[]".to_owned())))
        }
    }
}

fn member_tooltip(members: &[Member]) -> String {
    let mut lines = Vec::new();
    for member in members.iter().take(TOLD) {
        let mut line = member.address.clone();
        if members.len() == 1 {
            line.push_str(&format!("\n{}", member.component_type));
            if let Some(exposure) = member.exposure {
                line.push_str(&format!("\nreachable from: {}", exposure_text(exposure)));
            }
        }
        if let Some(place) = &member.place {
            line.push_str(&if members.len() == 1 { format!("\n{place}") } else { format!(" ({place})") });
        }
        if let Some((severity, count)) = member.severity {
            line.push_str(&format!("\n{}", severity_text(severity, count)));
        }
        lines.push(line);
    }
    if members.len() > TOLD {
        lines.push(format!("and {} more", members.len() - TOLD));
    }
    lines.join("\n")
}

fn severity_text(severity: Severity, count: usize) -> String {
    let noun = if count == 1 { "threat" } else { "threats, worst" };
    format!("{count} {noun} {}", severity.id())
}

fn exposure_text(exposure: Exposure) -> &'static str {
    match exposure {
        Exposure::Internet => "the internet",
        Exposure::OtherAccounts => "other accounts",
        Exposure::Account => "its account",
        Exposure::Vpc => "its VPC",
        Exposure::Cluster => "its cluster",
        Exposure::None => "nothing known",
    }
}

fn shape_class(shape: Shape) -> &'static str {
    match shape {
        Shape::External => "external",
        Shape::Process => "process",
        Shape::Store => "store",
        Shape::Summary => "summary",
        Shape::Shelf => "shelf",
    }
}

/// Attributes that a page filters by.
fn standing(members: &[Member], severity: Option<(Severity, usize)>) -> String {
    let mut out = String::new();
    if let Some(service) = members.first().filter(|first| members.iter().all(|member| member.service == first.service)) {
        out.push_str(&format!(" data-service=\"{}\"", escape(&service.service)));
    }
    if let Some((severity, count)) = severity {
        out.push_str(&format!(" data-severity=\"{}\" data-threats=\"{count}\"", severity.id()));
    }
    out
}

fn component(out: &mut String, node: &Node, content: &Content, rect: Rect) {
    if node.shape == Shape::Shelf {
        shelf(out, node, content, rect);
        return;
    }
    out.push_str(&format!(
        "<g class=\"dfd-node dfd-{}\" {}{}",
        shape_class(node.shape),
        addresses(&node.members),
        standing(&node.members, node.severity())
    ));
    if !node.boundaries.is_empty() {
        out.push_str(&format!(" data-boundary=\"{}\"", escape(&node.boundaries.join(" "))));
    }
    if !node.loops.is_empty() {
        let flows: Vec<&str> = node.loops.iter().flat_map(|inside| &inside.flows).map(String::as_str).collect();
        out.push_str(&format!(" data-flow=\"{}\"", escape(&flows.join(" "))));
    }
    let loops: Vec<&Edge> = node.loops.iter().collect();
    let told =
        [member_tooltip(&node.members), tooltip(&loops)].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
    out.push_str(&format!("><title>{}</title>", escape(&told)));
    // The sheets of a stack lie behind its lower right; the front one is what text is placed on.
    let room = if content.stacked { content::STACK_OFFSET * 2.0 } else { 0.0 };
    let front = Rect::new(rect.x, rect.y, rect.w - room, rect.h - room);
    if content.stacked {
        for sheet in [2.0, 1.0] {
            outline(out, node.shape, front.moved(content::STACK_OFFSET * sheet, content::STACK_OFFSET * sheet));
        }
    }
    outline(out, node.shape, front);
    if node.shape == Shape::Store {
        let x = number(front.x + content::GLYPH_ROOM - 5.0);
        out.push_str(&format!("<path class=\"dfd-divider\" d=\"M{x} {}V{}\"/>", number(front.y), number(front.bottom())));
    }
    let middle = front.y + front.h / 2.0;
    out.push_str(&format!(
        "<path class=\"dfd-glyph\" transform=\"translate({} {})\" d=\"{}\"/>",
        number(front.x + 7.5),
        number(middle - 8.0),
        glyph::glyph(node)
    ));
    let text_height = content.title.len() as f64 * content::TITLE_LEADING + content.lines.len() as f64 * content::CAPTION_LEADING;
    let mut y = middle - text_height / 2.0;
    for (lines, class, leading) in
        [(&content.title, "dfd-title", content::TITLE_LEADING), (&content.lines, "dfd-caption", content::CAPTION_LEADING)]
    {
        for line in lines {
            let baseline = y + leading * 0.77;
            out.push_str(&format!(
                "<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>",
                number(front.x + content::GLYPH_ROOM),
                number(baseline),
                escape(line)
            ));
            y += leading;
        }
    }
    if node.shape != Shape::External && node.exposure() == Some(Exposure::Internet) {
        out.push_str(&exposed_mark(Point::new(front.x + 3.0, front.y + 1.0)));
    }
    if let Some((severity, count)) = node.severity() {
        out.push_str(&badge(severity, count, Point::new(front.right() - 6.0, front.y)));
    }
    out.push_str("</g>\n");
}

fn outline(out: &mut String, shape: Shape, rect: Rect) {
    match shape {
        Shape::External => out.push_str(&format!("<rect class=\"dfd-shape\" {}/>", place(rect))),
        Shape::Process => out.push_str(&format!("<rect class=\"dfd-shape\" {} rx=\"14\"/>", place(rect))),
        Shape::Store => {
            out.push_str(&format!("<rect class=\"dfd-shape\" {}/>", place(rect)));
            let (left, right) = (number(rect.x), number(rect.right()));
            out.push_str(&format!("<path class=\"dfd-rail\" d=\"M{right} {}H{left}V{}H{right}\"/>", number(rect.y), number(rect.bottom())));
        }
        Shape::Summary | Shape::Shelf => out.push_str(&format!("<rect class=\"dfd-shape\" {} rx=\"6\"/>", place(rect))),
    }
}

/// A pill with the first letter of the worst severity and the number of threats.
fn badge(severity: Severity, count: usize, centre: Point) -> String {
    let letter = severity.id().chars().next().map(|letter| letter.to_ascii_uppercase()).unwrap_or_default();
    let words = format!("{letter} {count}");
    let rect = Rect::centred(centre, text::bold_width(&words, 10.0) + 9.0, 15.0);
    format!(
        "<g class=\"dfd-badge dfd-{}\"><rect {} rx=\"7.5\"/><text x=\"{}\" y=\"{}\">{words}</text></g>",
        severity.id(),
        place(rect),
        number(centre.x),
        number(centre.y + 3.6)
    )
}

fn exposed_mark(centre: Point) -> String {
    format!(
        "<g class=\"dfd-exposed\"><circle cx=\"{}\" cy=\"{}\" r=\"8\"/><path transform=\"translate({} {}) scale(.7)\" d=\"{}\"/></g>",
        number(centre.x),
        number(centre.y),
        number(centre.x - 5.6),
        number(centre.y - 5.6),
        glyph::GLOBE
    )
}

fn shelf(out: &mut String, node: &Node, content: &Content, rect: Rect) {
    out.push_str("<g class=\"dfd-node dfd-shelf\">");
    outline(out, Shape::Shelf, rect);
    out.push_str(&format!(
        "<text class=\"dfd-caption\" font-style=\"italic\" x=\"{}\" y=\"{}\">{}</text>",
        number(rect.x + 10.0),
        number(rect.y + 16.0),
        escape(&node.title)
    ));
    for (index, chip) in content.chips.iter().enumerate() {
        let (row, column) = (index / content.columns.max(1), index % content.columns.max(1));
        let x = rect.x + 10.0 + column as f64 * content.column_width;
        let y = rect.y + 24.0 + row as f64 * content::CHIP_HEIGHT;
        let severity = chip.members.iter().filter_map(|member| member.severity).reduce(|(a, n), (b, m)| (a.max(b), n + m));
        out.push_str(&format!("<g class=\"dfd-chip\" {}{}>", addresses(&chip.members), standing(&chip.members, severity)));
        out.push_str(&format!("<title>{}</title>", escape(&member_tooltip(&chip.members))));
        out.push_str(&format!("<text class=\"dfd-caption\" x=\"{}\" y=\"{}\">{}</text>", number(x), number(y + 11.5), escape(&chip.text)));
        if let Some((severity, count)) = severity {
            let end = x + text::width(&chip.text, content::CAPTION_SIZE) + 18.0;
            out.push_str(&badge(severity, count, Point::new(end, y + 8.0)));
        }
        out.push_str("</g>");
    }
    out.push_str("</g>\n");
}
