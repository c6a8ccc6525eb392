//! Where a secret is written: a variable's default, a local value or a module's argument that several components use is one place to mend.

use std::collections::BTreeMap;

use bartizan_model::{Sources, Span};

use crate::facts::read::is_terraform;

/// Finds the literal of a secret that a component only refers to; asks the sources once for each value.
pub(super) struct Written<'a> {
    sources: &'a Sources,
    known: BTreeMap<String, Option<Span>>,
}

impl<'a> Written<'a> {
    pub(super) fn new(sources: &'a Sources) -> Self {
        Self { sources, known: BTreeMap::new() }
    }

    /// The line of the literal, where `used` does not hold it itself and some file of the plan has it in quotes; the first in the order of files.
    pub(super) fn place(&mut self, value: &str, used: Span) -> Option<Span> {
        if value.is_empty() || value.contains(['\n', '"', '\\']) || self.sources.excerpt(used).contains(value) {
            return None;
        }
        if let Some(known) = self.known.get(value) {
            return *known;
        }
        let quoted = format!("\"{value}\"");
        let found = self.sources.iter().find_map(|(file, source)| {
            let at = is_terraform(&source.path).then(|| source.text.find(&quoted))??;
            Some(Span::new(file, at..at + quoted.len()))
        });
        self.known.insert(value.to_owned(), found);
        found
    }
}
