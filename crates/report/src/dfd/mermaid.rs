//! The diagram as a Mermaid flowchart: `https://mermaid.js.org/syntax/flowchart.html`.

use std::collections::BTreeMap;

use super::content::content;
use super::graph::{Graph, Node, Shape};
use super::scene::group_title;

/// Writes the graph; each component, arrow and boundary once.
pub(crate) fn write(graph: &Graph, heading: Option<&str>) -> String {
    let mut out = String::new();
    if let Some(heading) = heading {
        // A JSON string is a YAML string.
        out.push_str(&format!("---\ntitle: {}\n---\n", serde_json::to_string(heading).unwrap_or_default()));
    }
    out.push_str("flowchart TB\n");
    let mut nodes: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        nodes.entry(node.group).or_default().push(index);
    }
    inside(&mut out, graph, &nodes, None, 1);
    let mut styles = String::new();
    for (index, edge) in graph.edges.iter().enumerate() {
        let lock = match edge.encrypted {
            _ if edge.blocked => "✕ ",
            Some(true) => "🔒 ",
            Some(false) => "🔓 ",
            None => "",
        };
        let arrow = if edge.blocked { "-.->" } else { "-->" };
        out.push_str(&format!("  n{} {arrow}|\"{lock}{}\"| n{}\n", edge.from, quote(&edge.label()), edge.to));
        if edge.blocked {
            styles.push_str(&format!("  linkStyle {index} stroke:#97a3af\n"));
        } else if edge.risky {
            styles.push_str(&format!("  linkStyle {index} stroke:#c22f2f,stroke-width:2px\n"));
        }
    }
    out.push_str(&styles);
    for (severity, colour) in [("critical", "#8c1532"), ("high", "#c4461d"), ("medium", "#a97310"), ("low", "#3f6f9c"), ("info", "#697683")]
    {
        let marked: Vec<String> = graph
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.severity().is_some_and(|(worst, _)| worst.id() == severity))
            .map(|(index, _)| format!("n{index}"))
            .collect();
        if !marked.is_empty() {
            out.push_str(&format!("  classDef {severity} stroke:{colour},stroke-width:2px\n  class {} {severity}\n", marked.join(",")));
        }
    }
    for index in 0..graph.groups.len() {
        out.push_str(&format!("  style g{index} fill:none,stroke-dasharray:6 4\n"));
    }
    out
}

fn inside(out: &mut String, graph: &Graph, nodes: &BTreeMap<Option<usize>, Vec<usize>>, group: Option<usize>, depth: usize) {
    let indent = "  ".repeat(depth);
    for index in nodes.get(&group).into_iter().flatten() {
        if let Some(node) = graph.nodes.get(*index) {
            out.push_str(&format!("{indent}n{index}{}\n", shape(node)));
        }
    }
    for (index, child) in graph.groups.iter().enumerate().filter(|(_, child)| child.parent == group) {
        out.push_str(&format!("{indent}subgraph g{index} [\"{}\"]\n", quote(&group_title(child))));
        inside(out, graph, nodes, Some(index), depth + 1);
        out.push_str(&format!("{indent}end\n"));
    }
}

fn shape(node: &Node) -> String {
    let text = words(node).iter().map(|line| quote(line)).collect::<Vec<_>>().join("<br/>");
    match node.shape {
        Shape::External => format!("[\"{text}\"]"),
        Shape::Process => format!("(\"{text}\")"),
        Shape::Store => format!("[(\"{text}\")]"),
        Shape::Summary | Shape::Shelf => format!("[[\"{text}\"]]"),
    }
}

/// The lines of a node for formats whose viewer measures text itself.
pub(super) fn words(node: &Node) -> Vec<String> {
    let mut lines = vec![node.title.clone()];
    match node.shape {
        Shape::Shelf => lines.extend(content(node).chips.into_iter().map(|chip| chip.text)),
        Shape::Summary => {
            lines.push(node.tally().into_iter().map(|(count, service)| format!("{count} × {service}")).collect::<Vec<_>>().join(", "))
        }
        Shape::External | Shape::Process | Shape::Store => lines.push(node.caption.clone()),
    }
    lines.extend(node.loops.iter().map(|inside| format!("↻ {}", inside.label())));
    if let Some((severity, count)) = node.severity() {
        lines.push(format!("{count} {}, worst {}", if count == 1 { "threat" } else { "threats" }, severity.id()));
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// Text within quotation marks: entity codes for what would end it or be taken for markup.
fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '`' => out.push_str("#96;"),
            '&' => out.push_str("#amp;"),
            _ if character.is_control() => out.push(' '),
            _ => out.push(character),
        }
    }
    out
}
