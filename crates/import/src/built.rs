//! A JSON document that a configuration built of a tree, and who uses it: its text alone has no lines.

use std::collections::BTreeSet;

use bartizan_model::{Node, Span};

/// A tree that became a JSON text.
pub(crate) struct Built {
    pub(crate) tree: Node,
    /// The places that stand for the text: expressions, and attributes that hold it.
    uses: BTreeSet<Span>,
}

impl Built {
    pub(crate) fn new(tree: Node, used: Span) -> Self {
        Self { tree, uses: BTreeSet::from([used]) }
    }

    pub(crate) fn add_use(&mut self, place: Span) {
        self.uses.insert(place);
    }

    /// Of equal documents the one that a place within `span` uses, else one of the same file.
    pub(crate) fn at(all: &[Self], span: Span) -> Option<&Node> {
        let used = all.iter().find(|built| built.is_used_within(span));
        let best = used.or_else(|| all.iter().find(|built| built.tree.span.file == span.file)).or(all.first());
        best.map(|built| &built.tree)
    }

    /// Of equal documents the one that a place within `span` uses.
    pub(crate) fn used_within(all: &mut [Self], span: Span) -> Option<&mut Self> {
        all.iter_mut().find(|built| built.is_used_within(span))
    }

    fn is_used_within(&self, span: Span) -> bool {
        let within = |place: &Span| place.file == span.file && span.start <= place.start && place.end <= span.end;
        // Thousands of resources may hold one document: only places that begin within the span are looked at.
        let from = Span { end: span.start, ..span };
        let until = Span { start: span.end, end: u32::MAX, ..span };
        within(&self.tree.span) || self.uses.range(from..=until).any(within)
    }
}
