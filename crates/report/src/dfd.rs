//! The threat model diagram: a data flow diagram with nested trust boundaries, as SVG, Mermaid, DOT and draw.io.
//!
//! `graph` says what is drawn, `fold` makes it small enough to read, `content` measures it, `islands` and `elk` (or `grid`, when they fail) place it,
//! `labels` puts words on the arrows, and one file each writes a format. Nothing here reads the clock, a font or a file: the same
//! architecture gives the same bytes.

mod content;
mod dot;
mod drawio;
mod elk;
#[cfg(test)]
mod fixture;
mod fold;
mod geometry;
mod glyph;
mod graph;
mod grid;
mod islands;
mod labels;
mod mermaid;
mod outside;
mod scene;
mod svg;
#[cfg(test)]
mod tests;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Architecture, Relation};
use bartizan_review::{Review, Severity, Status};

use graph::Graph;

/// What to draw and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Fold siblings, and summarise large systems until they can be read; else everything is drawn one to one.
    pub collapse: bool,
    /// Draw flows to logs, metrics, keys and the like also where they are many.
    pub show_ancillary: bool,
    /// Worst severity and number of threats of a component; others get no badge.
    pub severity: BTreeMap<Address, (Severity, usize)>,
    /// Written above the picture; `None`: the system's declared name, else nothing.
    pub title: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { collapse: true, show_ancillary: false, severity: BTreeMap::new(), title: None }
    }
}

impl Options {
    /// The usual picture of a review: badges for threats that are open or wait for an answer.
    pub fn of_review(review: &Review) -> Self {
        let users = users_of_roles(&review.architecture);
        let mut severity: BTreeMap<Address, (Severity, usize)> = BTreeMap::new();
        for threat in &review.threats {
            if !matches!(threat.status, Status::Open | Status::Question) {
                continue;
            }
            let shown = |target| users.get(target).map_or_else(|| vec![target], Clone::clone);
            let targets: BTreeSet<&Address> = threat.targets.iter().flat_map(shown).collect();
            for target in targets {
                let entry = severity.entry(target.clone()).or_insert((threat.severity, 0));
                entry.0 = entry.0.max(threat.severity);
                entry.1 += 1;
            }
        }
        Self { severity, ..Self::default() }
    }
}

/// What runs as each role: a threat to a role, which is not drawn, is shown there.
fn users_of_roles(architecture: &Architecture) -> BTreeMap<&Address, Vec<&Address>> {
    let mut users: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    for link in architecture.links.iter().filter(|link| link.relation == Relation::RunsAs) {
        users.entry(&link.to).or_default().push(&link.from);
    }
    users
}

/// The diagram as an SVG file that stands alone and fits into a page.
pub fn svg(architecture: &Architecture, options: &Options) -> String {
    svg::write(&scene::compose(logical(architecture, options)), heading(architecture, options))
}

/// The diagram as a Mermaid flowchart; the viewer places it.
pub fn mermaid(architecture: &Architecture, options: &Options) -> String {
    mermaid::write(&logical(architecture, options), heading(architecture, options))
}

/// The diagram in the language of Graphviz; the viewer places it.
pub fn dot(architecture: &Architecture, options: &Options) -> String {
    dot::write(&logical(architecture, options), heading(architecture, options))
}

/// The diagram as a draw.io file with nested containers, placed as in the SVG and free to be moved.
pub fn drawio(architecture: &Architecture, options: &Options) -> String {
    drawio::write(&scene::compose(logical(architecture, options)), heading(architecture, options))
}

fn heading<'a>(architecture: &'a Architecture, options: &'a Options) -> Option<&'a str> {
    options.title.as_deref().or(architecture.declarations.system.as_deref()).filter(|title| !title.trim().is_empty())
}

/// What is drawn, whatever the format.
fn logical(architecture: &Architecture, options: &Options) -> Graph {
    let mut graph = graph::build(architecture, options);
    if options.collapse {
        graph = fold::fold(graph);
    }
    outside::part_outsiders(&mut graph);
    graph::prune(&mut graph);
    fold::shelve(&graph)
}
