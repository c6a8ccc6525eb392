//! JSON documents inside attributes: policies, container definitions, state machines.

use std::collections::HashMap;

use bartizan_model::{Node, Sources, Span, Text, Value};

use crate::built::Built;
use crate::json::{self, Origin};

/// Finds the tree of a JSON text.
pub(crate) struct Documents<'a> {
    pub(crate) sources: &'a Sources,
    /// Trees of documents that the configuration itself built, by their text.
    pub(crate) built: &'a HashMap<Text, Vec<Built>>,
}

impl Documents<'_> {
    /// The tree of a text that is JSON; `None` where it is not (or only the apply knows it). `span` is where the text is written.
    pub(crate) fn tree(&self, text: &Text, span: Span) -> Option<Node> {
        if let Some(trees) = self.built.get(text) {
            return Built::at(trees, span).cloned();
        }
        let encoded = text.encoded();
        let trimmed = encoded.trim_start();
        if !(trimmed.starts_with('{') || trimmed.starts_with('[')) {
            // A reference whose value is known may stand for a document.
            let known = text.as_reference().and_then(|_| text.known())?;
            return if known.trim_start().starts_with(['{', '[']) { json::parse(&known, Origin::Computed(span)).ok() } else { None };
        }
        let mut tree = json::parse(encoded, self.origin(encoded, span)).ok()?;
        if let Some(lines) = HeredocLines::find(self.sources, span, encoded) {
            lines.respan(&mut tree);
        }
        Some(tree)
    }

    /// Byte-exact where the file holds the very text (a heredoc without interpolation and indentation).
    fn origin(&self, encoded: &str, span: Span) -> Origin {
        match self.sources.excerpt(span).find(encoded) {
            Some(offset) if !encoded.is_empty() => Origin::File { file: span.file, base: span.start as usize + offset },
            _ => {
                // Offsets into the text, to be turned into lines of the heredoc.
                Origin::File { file: bartizan_model::FileId(u32::MAX), base: 0 }
            }
        }
    }
}

/// Lines of a heredoc, for documents whose text differs from the file's by interpolation or indentation: line `n` of the text is line `n` of the heredoc.
struct HeredocLines {
    attribute: Span,
    /// Span of each line of the heredoc's body.
    lines: Vec<Span>,
    /// Byte offset of each line of the text.
    starts: Vec<u32>,
}

impl HeredocLines {
    fn find(sources: &Sources, attribute: Span, encoded: &str) -> Option<Self> {
        let excerpt = sources.excerpt(attribute);
        let mut lines = Vec::new();
        if let Some(open) = excerpt.find("<<")
            && let Some(first) = excerpt.get(open..).and_then(|rest| rest.find('\n'))
        {
            let mut offset = open + first + 1;
            for line in excerpt.get(offset..).unwrap_or("").split_inclusive('\n') {
                let start = attribute.start as usize + offset;
                let text = line.trim();
                let lead = line.len() - line.trim_start().len();
                lines.push(Span::new(attribute.file, start + lead..start + lead + text.len()));
                offset += line.len();
            }
        }
        let mut starts = vec![0u32];
        starts.extend(encoded.match_indices('\n').map(|(index, _)| u32::try_from(index + 1).unwrap_or(u32::MAX)));
        // Fewer lines in the file than in the text: an interpolation brought lines of its own.
        if lines.len() < encoded.lines().count() {
            lines.clear();
        }
        Some(Self { attribute, lines, starts })
    }

    fn respan(&self, node: &mut Node) {
        if node.span.file.0 == u32::MAX {
            node.span = match (self.line(node.span.start), self.line(node.span.end.saturating_sub(1))) {
                (Some(first), Some(last)) => Span { file: first.file, start: first.start, end: last.end.max(first.end) },
                _ => self.attribute,
            };
        }
        match &mut node.value {
            Value::List(items) => items.iter_mut().for_each(|item| self.respan(item)),
            Value::Map(members) => members.values_mut().for_each(|member| self.respan(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unknown(_) => {}
        }
    }

    fn line(&self, offset: u32) -> Option<Span> {
        let index = self.starts.partition_point(|start| *start <= offset).checked_sub(1)?;
        self.lines.get(index).copied()
    }
}
