//! The diagram as an uncompressed draw.io file: boundaries are containers, arrows keep their bends.

use super::geometry::{Point, Rect, along, length};
use super::graph::{Node, Shape};
use super::mermaid::words;
use super::scene::{Scene, group_title};
use super::text::escape;

/// Writes a placed diagram.
pub(crate) fn write(scene: &Scene, heading: Option<&str>) -> String {
    let mut out = String::from("<mxfile host=\"bartizan\">\n");
    out.push_str(&format!("<diagram id=\"threat-model\" name=\"{}\">\n", escape(heading.unwrap_or("Threat model"))));
    out.push_str(&format!(
        "<mxGraphModel grid=\"0\" page=\"0\" pageWidth=\"{:.0}\" pageHeight=\"{:.0}\">\n<root>\n<mxCell id=\"0\"/>\n<mxCell id=\"1\" parent=\"0\"/>\n",
        scene.width, scene.height
    ));
    for (index, (group, rect)) in scene.graph.groups.iter().zip(&scene.groups).enumerate() {
        let style = "rounded=1;arcSize=4;dashed=1;dashPattern=7 4;html=1;whiteSpace=wrap;container=1;collapsible=0;verticalAlign=top;align=left;spacingLeft=10;\
                     fontStyle=1;fontSize=11;fontColor=#56626f;strokeColor=#7b8794;fillColor=none;";
        cell(
            &mut out,
            &format!("g{index}"),
            &[("boundary", &group.id)],
            &group_title(group),
            style,
            group.parent,
            local(scene, *rect, group.parent),
        );
    }
    for (index, (node, rect)) in scene.graph.nodes.iter().zip(&scene.nodes).enumerate() {
        let addresses = node.members.iter().map(|member| member.address.as_str()).collect::<Vec<_>>().join("\n");
        let text = words(node).iter().map(|line| escape(line)).collect::<Vec<_>>().join("<br>");
        let id = format!("n{index}");
        cell(&mut out, &id, &[("address", &addresses)], &text, &node_style(node), node.group, local(scene, *rect, node.group));
    }
    for (index, ((edge, route), label)) in scene.graph.edges.iter().zip(&scene.routes).zip(&scene.labels).enumerate() {
        let mark = match edge.encrypted {
            _ if edge.blocked => "✕ ",
            Some(true) => "🔒 ",
            Some(false) => "🔓 ",
            None => "",
        };
        let colour = if edge.blocked {
            "strokeColor=#97a3af;fontColor=#97a3af;dashed=1;"
        } else if edge.risky {
            "strokeColor=#c22f2f;fontColor=#c22f2f;strokeWidth=2;"
        } else {
            "strokeColor=#5b6875;fontColor=#56626f;"
        };
        let anchors = format!("{}{}", anchor(scene, "exit", edge.from, route.first()), anchor(scene, "entry", edge.to, route.last()));
        let (position, offset) = label_place(route, label.rect.centre());
        out.push_str(&format!(
            "<object id=\"e{index}\" label=\"{}\" flow=\"{}\"><mxCell style=\"html=1;rounded=1;endArrow=block;endSize=5;fontSize=10;labelBackgroundColor=default;{colour}{anchors}\" \
             edge=\"1\" parent=\"1\" source=\"n{}\" target=\"n{}\"><mxGeometry x=\"{position:.2}\" relative=\"1\" as=\"geometry\"><Array as=\"points\">",
            escape(&escape(&format!("{mark}{}", edge.label()))),
            escape(&edge.flows.join(" ")),
            edge.from,
            edge.to
        ));
        for at in route.iter().skip(1).take(route.len().saturating_sub(2)) {
            out.push_str(&format!("<mxPoint x=\"{:.0}\" y=\"{:.0}\"/>", at.x, at.y));
        }
        out.push_str(&format!(
            "</Array><mxPoint x=\"{:.0}\" y=\"{:.0}\" as=\"offset\"/></mxGeometry></mxCell></object>\n",
            offset.x, offset.y
        ));
    }
    out.push_str("</root>\n</mxGraphModel>\n</diagram>\n</mxfile>\n");
    out
}

/// One box; `data` becomes custom properties of the shape, `label` is HTML.
fn cell(out: &mut String, id: &str, data: &[(&str, &str)], label: &str, style: &str, parent: Option<usize>, rect: Rect) {
    let parent = parent.map_or_else(|| "1".to_owned(), |parent| format!("g{parent}"));
    out.push_str(&format!("<object id=\"{id}\" label=\"{}\"", escape(label)));
    for (key, value) in data {
        out.push_str(&format!(" {key}=\"{}\"", escape(value)));
    }
    out.push_str(&format!(
        "><mxCell style=\"{style}\" vertex=\"1\" parent=\"{parent}\"><mxGeometry x=\"{:.0}\" y=\"{:.0}\" width=\"{:.0}\" height=\"{:.0}\" as=\"geometry\"/></mxCell></object>\n",
        rect.x, rect.y, rect.w, rect.h
    ));
}

/// Places in draw.io are relative to the container.
fn local(scene: &Scene, rect: Rect, parent: Option<usize>) -> Rect {
    let origin = parent.and_then(|parent| scene.groups.get(parent)).copied().unwrap_or_default();
    rect.moved(-origin.x, -origin.y)
}

fn node_style(node: &Node) -> String {
    let shape = match node.shape {
        Shape::External => "fillColor=#e9edf1;",
        Shape::Process => "rounded=1;arcSize=28;fillColor=#ffffff;",
        Shape::Store => "shape=partialRectangle;right=0;fillColor=#f4f6f8;",
        Shape::Summary => "rounded=1;arcSize=8;double=1;fillColor=#ffffff;",
        Shape::Shelf => "rounded=1;arcSize=4;dashed=1;align=left;spacingLeft=8;fillColor=#f7f8fa;",
    };
    let line = match node.severity().map(|(severity, _)| severity.id()) {
        Some("critical") => "strokeColor=#8c1532;strokeWidth=2;",
        Some("high") => "strokeColor=#c4461d;strokeWidth=2;",
        Some("medium") => "strokeColor=#a97310;strokeWidth=2;",
        _ => "strokeColor=#5b6875;",
    };
    format!("html=1;whiteSpace=wrap;overflow=hidden;fontSize=11;fontColor=#1f2933;{shape}{line}")
}

/// Where an arrow leaves or enters its node, as shares of the node's size.
fn anchor(scene: &Scene, word: &str, node: usize, at: Option<&Point>) -> String {
    match (scene.nodes.get(node), at) {
        (Some(rect), Some(at)) => {
            let share = |value: f64, start: f64, size: f64| ((value - start) / size.max(1.0)).clamp(0.0, 1.0);
            let (x, y) = (share(at.x, rect.x, rect.w), share(at.y, rect.y, rect.h));
            format!("{word}X={x:.3};{word}Y={y:.3};{word}Dx=0;{word}Dy=0;")
        }
        _ => String::new(),
    }
}

/// The point of the route nearest to the label's middle, as -1 (start) to 1 (end), and how far the label is from it.
fn label_place(route: &[Point], centre: Point) -> (f64, Point) {
    let total = length(route);
    let mut best = (f64::INFINITY, 0.0, Point::new(0.0, 0.0));
    for step in 0..=40_u8 {
        let share = f64::from(step) / 40.0;
        if let Some((at, _)) = along(route, share * total) {
            let far = (at.x - centre.x).hypot(at.y - centre.y);
            if far < best.0 {
                best = (far, share * 2.0 - 1.0, Point::new(centre.x - at.x, centre.y - at.y));
            }
        }
    }
    (best.1, best.2)
}
