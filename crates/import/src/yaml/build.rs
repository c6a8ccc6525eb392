//! From parser events to trees.

use std::collections::BTreeMap;

use bartizan_model::{Diagnostic, FileId, Node, RelatedSpan, Severity, Span, Text, Value};
use granit_parser::{Event, Parser, ScalarStyle, StructureStyle, Tag};
use indexmap::IndexMap;

use super::{Comment, Document, MAX_COPIED_NODES, MAX_DEPTH, Marks, Source, Yaml, scalar};

/// Comments that stand together are buffered by the parser; long licence heads and value files have thousands.
const MAX_BUFFERED_COMMENTS: usize = 100_000;

pub(super) fn build(file: FileId, text: &str, source: &Source<'_>) -> Yaml {
    let options = granit_parser::options! {
        emit_unresolved_aliases: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
        max_buffered_comment_events: MAX_BUFFERED_COMMENTS,
    };
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder { file, text, source, out: Yaml::default(), frames: Vec::new(), state: State::default() };
    loop {
        match parser.next_event() {
            None => break,
            Some(Ok((event, span))) => {
                let done = matches!(event, Event::StreamEnd);
                builder.event(event, &span);
                if done {
                    break;
                }
            }
            Some(Err(error)) => {
                let at = error.marker().byte_offset().unwrap_or(text.len());
                builder.give_up("yaml/syntax", format!("not valid YAML: {}", error.info()), at);
                // Each call consumes at least the failed document, so the loop ends.
                if !matches!(parser.proceed_next_document(), Ok(true)) {
                    break;
                }
            }
        }
    }
    builder.out
}

/// A collection that is not closed yet.
enum Frame {
    Sequence { start: Range, anchor: usize, tag: Option<String>, items: Vec<Node>, size: Size },
    Mapping { start: Range, anchor: usize, tag: Option<String>, members: Members, key: Option<Key>, size: Size },
}

type Range = std::ops::Range<usize>;

#[derive(Default)]
struct Members {
    map: IndexMap<String, Node>,
    /// Where each key stands, for duplicates.
    keys: BTreeMap<String, Span>,
    /// Values of `<<`, in order.
    merges: Vec<Node>,
    end: usize,
}

struct Key {
    text: String,
    /// `false` for the quoted text `"<<"`, which is an ordinary key.
    plain: bool,
    range: Range,
}

/// How many nodes a tree has and how deep it is.
#[derive(Clone, Copy)]
struct Size {
    nodes: usize,
    depth: usize,
}

impl Size {
    const ONE: Size = Size { nodes: 1, depth: 1 };

    fn add(&mut self, child: Size) {
        self.nodes += child.nodes;
        self.depth = self.depth.max(child.depth + 1);
    }
}

/// What belongs to the document that is being read.
#[derive(Default)]
struct State {
    root: Option<Node>,
    marks: Marks,
    anchors: BTreeMap<usize, (Node, Size)>,
    copied: usize,
    complained: bool,
    /// The document was given up; events are ignored until the next one.
    skipped: bool,
}

struct Builder<'a> {
    file: FileId,
    text: &'a str,
    source: &'a Source<'a>,
    out: Yaml,
    frames: Vec<Frame>,
    state: State,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: &granit_parser::Span) {
        let range = span.byte_range().unwrap_or(0..0);
        match event {
            Event::StreamStart | Event::StreamEnd | Event::Anchor(..) => {}
            Event::DocumentStart(..) => {
                self.frames.clear();
                let copied = self.state.copied;
                self.state = State { copied, ..State::default() };
            }
            Event::DocumentEnd => {
                let state = std::mem::take(&mut self.state);
                self.state.copied = state.copied;
                if let (Some(root), false) = (state.root, state.skipped) {
                    self.out.documents.push(Document { root, marks: state.marks });
                }
            }
            Event::Comment(comment, _) => {
                let span = self.span(range);
                self.out.comments.push(Comment { text: comment.into_owned(), span });
            }
            _ if self.state.skipped => {}
            Event::Scalar(value, style, anchor, tag) => self.scalar(&value, style, anchor, tag.as_deref(), range),
            Event::Alias(id) => self.alias(id, range),
            Event::UnresolvedAlias(name) => {
                let message = format!("the alias `*{name}` names no anchor before it");
                self.complain("yaml/unknown-alias", message, range.clone());
                let node = Node::new(Value::unresolved(format!("the alias `*{name}` names no anchor")), self.span(range.clone()));
                self.push(node, Size::ONE, range.end);
            }
            Event::SequenceStart(style, anchor, tag) => {
                let tag = custom_tag(tag.as_deref());
                let start = if style == StructureStyle::Block { self.dash_before(range.start) } else { range.start };
                let range = start..range.end.max(start);
                self.open(Frame::Sequence { start: range.clone(), anchor, tag, items: Vec::new(), size: Size::ONE }, range.start);
            }
            Event::MappingStart(_, anchor, tag) => {
                let tag = custom_tag(tag.as_deref());
                let members = Members { end: range.end, ..Members::default() };
                self.open(Frame::Mapping { start: range.clone(), anchor, tag, members, key: None, size: Size::ONE }, range.start);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(range),
            // The parser may learn of more events; those we ask for are all above.
            _ => {}
        }
    }

    /// A block sequence that is not indented is reported from its first item on; its own text starts at the dash before.
    fn dash_before(&self, start: usize) -> usize {
        let before = self.text.get(..start).unwrap_or("").trim_end();
        if before.ends_with('-') { before.len() - 1 } else { start }
    }

    fn open(&mut self, frame: Frame, at: usize) {
        if self.frames.len() >= MAX_DEPTH {
            self.give_up("yaml/too-deep", format!("nested more than {MAX_DEPTH} levels deep"), at);
            return;
        }
        self.frames.push(frame);
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize, tag: Option<&Tag>, range: Range) {
        if let Some(Frame::Mapping { key: key @ None, .. }) = self.frames.last_mut() {
            *key = Some(Key { text: text.to_owned(), plain: style == ScalarStyle::Plain, range });
            if anchor != 0 {
                let node = Node::text((self.source.decode)(text), self.span_of_key());
                self.state.anchors.insert(anchor, (node, Size::ONE));
            }
            return;
        }
        let value = match tag.map(core_tag) {
            Some(Some(core)) => scalar::tagged(core, text, self.source.decode).unwrap_or_else(|| Value::Text((self.source.decode)(text))),
            // A bare `!` says: do not resolve.
            Some(None) if tag.is_some_and(|tag| tag_name(tag).is_empty()) => Value::Text((self.source.decode)(text)),
            Some(None) | None if style == ScalarStyle::Plain => scalar::plain(text, self.source.decode),
            Some(None) | None => Value::Text((self.source.decode)(text)),
        };
        let node = Node::new(value, self.span(range.clone()));
        if let Some(tag) = custom_tag(tag) {
            self.state.marks.tags.insert(node.span, tag);
        }
        self.anchor(anchor, &node, Size::ONE, range.start);
        self.push(node, Size::ONE, range.end);
    }

    fn span_of_key(&self) -> Span {
        match self.frames.last() {
            Some(Frame::Mapping { key: Some(key), .. }) => self.span(key.range.clone()),
            _ => self.span(0..0),
        }
    }

    fn alias(&mut self, id: usize, range: Range) {
        let Some((_, size)) = self.state.anchors.get(&id) else {
            // An anchor inside its own value is the one case that is left: a cycle.
            self.complain("yaml/alias-cycle", "an alias stands inside the value it names".to_owned(), range.clone());
            let node = Node::new(Value::unresolved("an alias stands inside the value it names"), self.span(range.clone()));
            self.push(node, Size::ONE, range.end);
            return;
        };
        let size = *size;
        self.state.copied = self.state.copied.saturating_add(size.nodes);
        if self.state.copied > MAX_COPIED_NODES {
            self.give_up("yaml/alias-bomb", format!("aliases copy more than {MAX_COPIED_NODES} values"), range.start);
            return;
        }
        if self.frames.len() + size.depth > MAX_DEPTH {
            self.give_up("yaml/too-deep", format!("nested more than {MAX_DEPTH} levels deep through aliases"), range.start);
            return;
        }
        if let Some((node, size)) = self.state.anchors.get(&id).cloned() {
            self.push(node, size, range.end);
        }
    }

    fn anchor(&mut self, anchor: usize, node: &Node, size: Size, at: usize) {
        if anchor == 0 {
            return;
        }
        // Anchors inside anchors copy the same nodes again and again; the same budget bounds them.
        self.state.copied = self.state.copied.saturating_add(size.nodes);
        if self.state.copied > MAX_COPIED_NODES {
            self.give_up("yaml/alias-bomb", format!("anchors and aliases copy more than {MAX_COPIED_NODES} values"), at);
            return;
        }
        self.state.anchors.insert(anchor, (node.clone(), size));
    }

    fn close(&mut self, range: Range) {
        match self.frames.pop() {
            Some(Frame::Sequence { start, anchor, tag, items, size }) => {
                let end =
                    if range.is_empty() { items.last().map_or(start.end, |_| self.end_of_last(start.end, range.start)) } else { range.end };
                self.finish(Value::List(items), start.start..end, anchor, tag, size);
            }
            Some(Frame::Mapping { start, anchor, tag, members, mut size, .. }) => {
                let end = if range.is_empty() { members.end.max(start.end) } else { range.end };
                let map = self.merge(members, &mut size, start.start);
                self.finish(Value::Map(map), start.start..end, anchor, tag, size);
            }
            None => {}
        }
    }

    /// A block sequence ends where its last item's text ends, not where the next token starts.
    fn end_of_last(&self, start: usize, limit: usize) -> usize {
        let upto = self.text.get(start..limit).unwrap_or("").trim_end();
        start + upto.len()
    }

    fn finish(&mut self, value: Value, range: Range, anchor: usize, tag: Option<String>, size: Size) {
        let node = Node::new(value, self.span(range.clone()));
        if let Some(tag) = tag {
            self.state.marks.tags.insert(node.span, tag);
        }
        self.anchor(anchor, &node, size, range.start);
        if !self.state.skipped {
            self.push(node, size, range.end);
        }
    }

    /// Members of `<<` fill in what the mapping does not say itself; earlier ones win.
    fn merge(&mut self, members: Members, size: &mut Size, at: usize) -> IndexMap<String, Node> {
        let Members { mut map, merges, .. } = members;
        for merge in merges {
            let sources = match merge.value {
                Value::List(items) => items,
                other => vec![Node::new(other, merge.span)],
            };
            for source in sources {
                let Value::Map(inherited) = source.value else {
                    let span = source.span;
                    self.out.diagnostics.push(Diagnostic::new("yaml/merge", Severity::Warning, "`<<` merges only mappings", span));
                    continue;
                };
                for (key, node) in inherited {
                    map.entry(key).or_insert(node);
                }
            }
        }
        if size.nodes > MAX_COPIED_NODES && self.state.copied > MAX_COPIED_NODES {
            self.give_up("yaml/alias-bomb", format!("merge keys copy more than {MAX_COPIED_NODES} values"), at);
        }
        map
    }

    fn push(&mut self, node: Node, node_size: Size, end: usize) {
        let file = self.file;
        let locate = self.source.locate;
        match self.frames.last_mut() {
            None => self.state.root = Some(node),
            Some(Frame::Sequence { items, size, .. }) => {
                size.add(node_size);
                items.push(node);
            }
            Some(Frame::Mapping { members, key, size, .. }) => {
                members.end = members.end.max(end);
                let Some(name) = key.take() else {
                    // A mapping, sequence or alias in the place of a key.
                    *key = Some(Key { text: key_text(&node), plain: false, range: end..end });
                    if !matches!(node.value, Value::Text(_) | Value::Number(_) | Value::Bool(_)) {
                        let diagnostic = Diagnostic::new("yaml/key", Severity::Warning, "a key that is not text is ignored", node.span);
                        self.out.diagnostics.push(diagnostic);
                    }
                    return;
                };
                size.add(node_size);
                if name.plain && name.text == "<<" {
                    members.merges.push(node);
                    return;
                }
                let key_span = Span::new(file, locate(name.range));
                self.state.marks.keys.entry(node.span).or_insert(key_span);
                if let Some(first) = members.keys.insert(name.text.clone(), key_span) {
                    let message = format!("the key `{}` is given twice, the last one counts", name.text);
                    let mut diagnostic = Diagnostic::new("yaml/duplicate-key", Severity::Warning, message, key_span);
                    diagnostic.related.push(RelatedSpan { span: first, text: "first given here".to_owned() });
                    self.out.diagnostics.push(diagnostic);
                }
                members.map.insert(name.text, node);
            }
        }
    }

    /// A problem that leaves the document readable; once per document, so that a hostile file cannot flood the report.
    fn complain(&mut self, code: &'static str, message: String, range: Range) {
        if !std::mem::replace(&mut self.state.complained, true) {
            let span = self.span(range);
            self.out.diagnostics.push(Diagnostic::new(code, Severity::Warning, message, span));
        }
    }

    /// A problem that costs the document.
    fn give_up(&mut self, code: &'static str, message: String, at: usize) {
        if !std::mem::replace(&mut self.state.skipped, true) {
            let at = at.min(self.text.len());
            let line_end = self.text.get(at..).and_then(|rest| rest.find('\n')).map_or(self.text.len(), |length| at + length);
            let span = self.span(at..line_end);
            let help = "this document is left out; the others of the file are read";
            self.out.diagnostics.push(Diagnostic::new(code, Severity::Error, message, span).with_help(help));
        }
        self.frames.clear();
        self.state.root = None;
        self.state.anchors.clear();
    }

    /// A span of the file: inside the text, on character boundaries, never reversed.
    fn span(&self, range: Range) -> Span {
        let floor = |offset: usize| {
            let mut offset = offset.min(self.text.len());
            while !self.text.is_char_boundary(offset) {
                offset -= 1;
            }
            offset
        };
        let start = floor(range.start);
        let end = floor(range.end).max(start);
        // A block scalar's range takes in the line break after it.
        let trimmed = self.text.get(start..end).map_or(end, |covered| start + covered.trim_end().len());
        Span::new(self.file, (self.source.locate)(start..trimmed.max(start)))
    }
}

/// Text of a key that is an alias or another scalar.
fn key_text(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => Text::to_string(text),
        Value::Number(number) => number.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Unknown(_) => "?".to_owned(),
    }
}

fn core_tag(tag: &Tag) -> Option<&str> {
    let (handle, suffix) = tag.parts();
    (handle == "tag:yaml.org,2002:").then_some(suffix)
}

fn tag_name(tag: &Tag) -> &str {
    let (handle, suffix) = tag.parts();
    if suffix.is_empty() { handle.trim_start_matches('!') } else { suffix }
}

/// The name of a tag that the core schema does not have.
fn custom_tag(tag: Option<&Tag>) -> Option<String> {
    let tag = tag.filter(|tag| core_tag(tag).is_none())?;
    Some(tag_name(tag).to_owned()).filter(|name| !name.is_empty())
}
