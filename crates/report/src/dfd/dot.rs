//! The diagram in the language of Graphviz: `https://graphviz.org/doc/info/lang.html`.

use std::collections::BTreeMap;

use super::graph::{Graph, Node, Shape};
use super::mermaid::words;
use super::scene::group_title;

/// Writes the graph; each component, arrow and boundary once.
pub(crate) fn write(graph: &Graph, heading: Option<&str>) -> String {
    let mut out = String::from("digraph threat_model {\n");
    out.push_str("  graph [rankdir=TB, fontname=\"Helvetica\", fontsize=11, compound=true, nodesep=0.4, ranksep=0.7];\n");
    out.push_str("  node [fontname=\"Helvetica\", fontsize=11, style=filled, fillcolor=white, color=\"#5b6875\"];\n");
    out.push_str("  edge [fontname=\"Helvetica\", fontsize=9, color=\"#5b6875\", arrowsize=0.7];\n");
    if let Some(heading) = heading {
        out.push_str(&format!("  label={}; labelloc=t;\n", quote(heading)));
    }
    let mut nodes: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        nodes.entry(node.group).or_default().push(index);
    }
    inside(&mut out, graph, &nodes, None, 1);
    for edge in &graph.edges {
        let mark = match edge.encrypted {
            _ if edge.blocked => " (blocked)",
            Some(true) => " (encrypted)",
            Some(false) => " (in clear)",
            None => "",
        };
        let style = if edge.blocked {
            ", style=dashed, color=\"#97a3af\""
        } else if edge.risky {
            ", color=\"#c22f2f\", fontcolor=\"#c22f2f\", penwidth=1.6"
        } else {
            ""
        };
        let label = quote(&format!("{}{mark}", edge.label()));
        out.push_str(&format!("  n{} -> n{} [label={label}, id={}{style}];\n", edge.from, edge.to, quote(&edge.flows.join(" "))));
    }
    out.push_str("}\n");
    out
}

fn inside(out: &mut String, graph: &Graph, nodes: &BTreeMap<Option<usize>, Vec<usize>>, group: Option<usize>, depth: usize) {
    let indent = "  ".repeat(depth);
    for index in nodes.get(&group).into_iter().flatten() {
        if let Some(node) = graph.nodes.get(*index) {
            out.push_str(&format!("{indent}n{index} [{}];\n", attributes(node)));
        }
    }
    for (index, child) in graph.groups.iter().enumerate().filter(|(_, child)| child.parent == group) {
        out.push_str(&format!("{indent}subgraph cluster_{index} {{\n"));
        let style = "style=\"dashed,rounded\"; color=\"#7b8794\";";
        out.push_str(&format!("{indent}  label={}; labeljust=l; id={}; {style}\n", quote(&group_title(child)), quote(&child.id)));
        inside(out, graph, nodes, Some(index), depth + 1);
        out.push_str(&format!("{indent}}}\n"));
    }
}

fn attributes(node: &Node) -> String {
    let shape = match node.shape {
        Shape::External => "shape=box, fillcolor=\"#e9edf1\"",
        Shape::Process => "shape=box, style=\"rounded,filled\"",
        Shape::Store => "shape=cylinder, fillcolor=\"#f4f6f8\"",
        Shape::Summary => "shape=box3d",
        Shape::Shelf => "shape=note, fillcolor=\"#f7f8fa\"",
    };
    let tooltip = node.members.iter().map(|member| member.address.as_str()).collect::<Vec<_>>().join("\n");
    format!("label={}, {shape}, tooltip={}", quote(&words(node).join("\n")), quote(&tooltip))
}

/// A quoted identifier; line breaks become the escape that centres lines.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            _ if character.is_control() => out.push(' '),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}
