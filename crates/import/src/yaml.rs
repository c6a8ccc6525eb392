//! YAML as a tree of [`Node`]s, each with its span: what Kubernetes manifests, CloudFormation templates and `bartizan.yaml` are read with.
//!
//! Reading never fails: a syntax error costs its own document and is a diagnostic; size, depth and alias expansion are bounded.
//! Scalars follow the YAML 1.2 core schema. A number with a leading zero stays text, because an account id or a file mode is meant.

use std::collections::BTreeMap;
use std::ops::Range;

use bartizan_model::{Diagnostic, FileId, Node, Severity, Span, Text};

mod build;
mod scalar;
#[cfg(test)]
mod tests;

/// Largest text that is read, bytes.
pub const MAX_BYTES: usize = 32 << 20;
/// Deepest nesting that is read; the tree is walked by recursion everywhere.
pub const MAX_DEPTH: usize = 128;
/// Most nodes that aliases and merge keys of one file may copy.
pub const MAX_COPIED_NODES: usize = 200_000;

/// One document of a file.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its tree; [`bartizan_model::Value::Null`] where it is empty.
    pub root: Node,
    /// Where keys and tags stand.
    pub marks: Marks,
}

/// What a document says beside its values: where each member's key stands, and which nodes carry a tag.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    keys: BTreeMap<Span, Span>,
    tags: BTreeMap<Span, String>,
}

impl Marks {
    /// The span of the key whose value this node is.
    pub fn key_of(&self, value: &Node) -> Option<Span> {
        self.keys.get(&value.span).copied()
    }

    /// The tag of a node as it is written, without its `!`: `Ref`, `Sub`. Tags of the core schema (`!!str`) are applied, not kept.
    pub fn tag_of(&self, node: &Node) -> Option<&str> {
        self.tags.get(&node.span).map(String::as_str)
    }
}

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// What stands after the `#`.
    pub text: String,
    /// The whole comment.
    pub span: Span,
}

/// A file as YAML.
#[derive(Clone, Debug, Default)]
pub struct Yaml {
    /// Its documents, in order; those with a syntax error are left out.
    pub documents: Vec<Document>,
    /// All comments, in order.
    pub comments: Vec<Comment>,
    /// What could not be read.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a text. Every span lies inside it.
pub fn read(file: FileId, text: &str) -> Yaml {
    read_with(file, text, &Source { locate: &|range| range, decode: &|scalar| Text::literal(scalar) })
}

/// How a text that was made from others is led back to what people wrote.
pub struct Source<'a> {
    /// Leads a byte range of the text to the range of the file it came from.
    pub locate: &'a dyn Fn(Range<usize>) -> Range<usize>,
    /// Makes text of a scalar; a rendered template holds references in it.
    pub decode: &'a dyn Fn(&str) -> Text,
}

/// Reads a text that was made from a file's text.
pub fn read_with(file: FileId, text: &str, source: &Source<'_>) -> Yaml {
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} MiB, more than the {} MiB that are read", text.len() >> 20, MAX_BYTES >> 20);
        let diagnostic = Diagnostic::new("yaml/too-large", Severity::Error, message, Span::new(file, (source.locate)(0..0)));
        return Yaml { diagnostics: vec![diagnostic], ..Yaml::default() };
    }
    build::build(file, text, source)
}
