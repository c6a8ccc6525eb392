//! What is written in each node, and how much room it takes.

use std::collections::BTreeMap;

use super::graph::{Member, Node, Shape};
use super::outside::SERVICE_API;
use super::text;

pub(crate) const TITLE_SIZE: f64 = 12.5;
pub(crate) const CAPTION_SIZE: f64 = 10.5;
pub(crate) const TITLE_LEADING: f64 = 15.0;
pub(crate) const CAPTION_LEADING: f64 = 14.0;
pub(crate) const CHIP_HEIGHT: f64 = 17.0;
/// Left of the text: room for the glyph.
pub(crate) const GLYPH_ROOM: f64 = 34.0;
/// How far the sheets behind a stack stand out.
pub(crate) const STACK_OFFSET: f64 = 4.0;

const MAX_TEXT: f64 = 168.0;
const MIN_WIDTH: f64 = 118.0;
const PADDING: f64 = 12.0;
const MAX_CHIP: f64 = 190.0;
/// More components of one type than this are drawn as one chip of a shelf.
const CHIP_FOLD: usize = 6;
/// With so many components on a shelf every type with more than one is drawn as one chip.
const CROWDED_SHELF: usize = 36;

/// A node's text, broken into lines, with the size of the box around it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) title: Vec<String>,
    /// Lines in small type below the title.
    pub(crate) lines: Vec<String>,
    /// What stands on a shelf, by rows, and the width of a column.
    pub(crate) chips: Vec<Chip>,
    pub(crate) columns: usize,
    pub(crate) column_width: f64,
    /// Drawn with sheets behind it.
    pub(crate) stacked: bool,
}

/// One entry of a shelf.
#[derive(Clone, Debug)]
pub(crate) struct Chip {
    pub(crate) text: String,
    pub(crate) members: Vec<Member>,
}

/// Measures a node.
pub(crate) fn content(node: &Node) -> Content {
    if node.shape == Shape::Shelf { shelf(node) } else { plain(node) }
}

fn plain(node: &Node) -> Content {
    let title = text::wrap(&node.title, TITLE_SIZE, MAX_TEXT, 2);
    let mut lines = Vec::new();
    if node.shape == Shape::Summary {
        let tally: Vec<String> = node.tally().into_iter().map(|(count, service)| format!("{count} × {service}")).collect();
        lines.extend(text::wrap(&tally.join(", "), CAPTION_SIZE, MAX_TEXT, 4));
    } else if !node.caption.is_empty() && !node.title.starts_with(&node.caption) {
        lines.push(text::shorten(&node.caption, CAPTION_SIZE, MAX_TEXT));
    }
    let named =
        node.members.len() > 1 && node.shape != Shape::Summary && !node.members.iter().any(|member| node.title.starts_with(&member.name));
    if named && !node.title.contains('*') {
        let n_lines = if node.shape == Shape::External { 4 } else { 1 };
        lines.extend(some_names(&node.members, n_lines));
    }
    for inside in &node.loops {
        lines.push(text::shorten(&format!("↻ {}", inside.label()), CAPTION_SIZE, MAX_TEXT));
    }
    let widest = title
        .iter()
        .map(|line| text::bold_width(line, TITLE_SIZE))
        .chain(lines.iter().map(|line| text::width(line, CAPTION_SIZE)))
        .fold(0.0, f64::max);
    let stacked = node.members.len() > 1;
    let room = if stacked { STACK_OFFSET * 2.0 } else { 0.0 };
    Content {
        width: (widest + GLYPH_ROOM + PADDING).max(MIN_WIDTH).ceil() + room,
        height: (title.len() as f64 * TITLE_LEADING + lines.len() as f64 * CAPTION_LEADING + 16.0).max(46.0).ceil() + room,
        title,
        lines,
        stacked,
        ..Content::default()
    }
}

/// As many names as fit on some lines: `billing, fraud, …`.
fn some_names(members: &[Member], n_lines: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for member in members {
        let longer = lines.last().map(|line| format!("{line}, {}", member.name));
        match longer.filter(|line| text::width(&format!("{line}, …"), CAPTION_SIZE) <= MAX_TEXT) {
            Some(longer) => {
                lines.pop();
                lines.push(longer);
            }
            None if lines.len() < n_lines => {
                lines.iter_mut().last().into_iter().for_each(|line| line.push(','));
                lines.push(text::shorten(&member.name, CAPTION_SIZE, MAX_TEXT - 14.0));
            }
            None => {
                lines.iter_mut().last().into_iter().for_each(|line| line.push_str(", …"));
                break;
            }
        }
    }
    lines
}

fn shelf(node: &Node) -> Content {
    let mut by_type: BTreeMap<(&str, &str), Vec<&Member>> = BTreeMap::new();
    for member in &node.members {
        by_type.entry((member.service.as_str(), member.component_type.as_str())).or_default().push(member);
    }
    let limit = if node.members.len() > CROWDED_SHELF { 1 } else { CHIP_FOLD };
    let mut chips = Vec::new();
    for ((service, component_type), members) in by_type {
        if members.len() > limit {
            let kind = component_type.rsplit('.').next().unwrap_or_default().replace(['_', '-'], " ");
            let kind = if kind == service { String::new() } else { format!(" {kind}") };
            let what = if component_type == SERVICE_API { "AWS service APIs".to_owned() } else { format!("{service}{kind}") };
            let text = format!("{what} ×{}", members.len());
            chips.push(Chip { text: text::shorten(&text, CAPTION_SIZE, MAX_CHIP), members: members.into_iter().cloned().collect() });
            continue;
        }
        for member in members {
            let text = if service == "external" { member.name.clone() } else { format!("{service} · {}", member.name) };
            chips.push(Chip { text: text::shorten(&text, CAPTION_SIZE, MAX_CHIP), members: vec![member.clone()] });
        }
    }
    let column_width = chips.iter().map(|chip| text::width(&chip.text, CAPTION_SIZE)).fold(60.0, f64::max).ceil() + 40.0;
    // About twice as wide as high.
    let columns = (1..=6)
        .min_by_key(|columns| {
            let (width, height) = (*columns as f64 * column_width, chips.len().div_ceil(*columns) as f64 * CHIP_HEIGHT + 26.0);
            ((width / height / 2.0).ln().abs() * 1000.0) as i64
        })
        .unwrap_or(1);
    let rows = chips.len().div_ceil(columns);
    Content {
        width: columns as f64 * column_width + 14.0,
        height: rows as f64 * CHIP_HEIGHT + 30.0,
        title: vec![node.title.clone()],
        chips,
        columns,
        column_width,
        ..Content::default()
    }
}
