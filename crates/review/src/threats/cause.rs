//! The cause of a match: what one edit would mend. Instances with the same cause are one threat, and the threat's id hangs on it.
//!
//! A cause is named structurally, never by line: the component's address without instance keys, below the folder of its module, so that a module
//! that is called twice has one cause; or the variable, local value or module input that the evidence lies in, where many components share it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bartizan_model::path::folder;
use bartizan_model::{Address, Architecture, Component, FileId, Span};
use sha2::{Digest, Sha256};

use super::view::Subject;
use crate::facts::read::is_terraform;
use crate::outcome::Evidence;

/// A cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cause {
    /// Equal for instances that one edit mends.
    pub(super) key: String,
    /// The component that holds it, where it is another than the one that suffers.
    pub(super) address: Option<Address>,
}

/// Finds causes; knows which component each line of the sources declares.
pub(super) struct Causes<'a> {
    architecture: &'a Architecture,
    declared: BTreeMap<(FileId, u32), &'a Component>,
    /// Files with components.
    declaring: BTreeSet<FileId>,
}

impl<'a> Causes<'a> {
    pub(super) fn new(architecture: &'a Architecture) -> Self {
        let mut declared = BTreeMap::new();
        for component in architecture.components.values() {
            if let Some(span) = component.span {
                // The first instance of a block stands for all.
                declared.entry((span.file, architecture.sources.start(span).line)).or_insert(component);
            }
        }
        let declaring = declared.keys().map(|(file, _)| *file).collect();
        Self { architecture, declared, declaring }
    }

    /// The cause of a match whose place to fix is `first`.
    pub(super) fn of(&self, subject: Subject<'_>, first: Option<&Evidence>) -> Cause {
        let own = |address: Option<Address>| {
            let key = match (subject.component(), subject.address()) {
                (Some(component), _) => self.local(component),
                (None, Some(address)) => address.without_instance_keys().to_string(),
                (None, None) => "system".to_owned(),
            };
            Cause { key, address }
        };
        // What concerns the system as a whole is one cause, whichever component is the first to be named.
        if matches!(subject, Subject::System) {
            return own(None);
        }
        let Some(span) = first.map(|evidence| evidence.span) else { return own(None) };
        let is_beside = |own: Span| own.file != span.file;
        // A file beside the one that declares the component (of packages, a template, a script) is mended once for all that use it.
        if subject.component().is_some_and(|component| component.span.is_some_and(is_beside)) && !self.is_configuration(span) {
            return Cause { key: self.architecture.sources.path(span).to_owned(), address: None };
        }
        let Some((line, header)) = self.block(span) else { return own(None) };
        if let Some(component) = self.declared.get(&(span.file, line)) {
            // All instances of a block are declared on one line, of which the map knows the first.
            let is_here = |own: Span| own.file == span.file && self.architecture.sources.start(own).line == line;
            let is_own = subject.component().is_some_and(|own| own.span.is_some_and(is_here));
            return if is_own { own(None) } else { Cause { key: self.local(component), address: Some(component.address.clone()) } };
        }
        let keyword = header.split_whitespace().next().unwrap_or_default();
        // A companion resource belongs to the one component that it configures.
        if keyword == "resource" {
            return own(None);
        }
        let folder = folder(self.architecture.sources.path(span));
        Cause { key: format!("{folder}/{header}/{}", self.attribute(span)), address: None }
    }

    /// A component's address below the folder of the module that declares it.
    fn local(&self, component: &Component) -> String {
        let address = component.address.without_instance_keys();
        let Some(span) = component.span else { return address.to_string() };
        let folder = folder(self.architecture.sources.path(span));
        // A module that was fetched from elsewhere is not ours to edit: each of its calls is a cause.
        if folder.split('/').any(|part| part == ".terraform") {
            return address.to_string();
        }
        // A module that several stacks call is one cause as well.
        let stack = format!("{}:", component.stack);
        let inside = address.as_str().strip_prefix(&stack).filter(|inside| inside.starts_with("module."));
        let mut rest = inside.unwrap_or(address.as_str());
        while let Some(inside) = rest.strip_prefix("module.").and_then(|inside| inside.split_once('.')) {
            rest = inside.1;
        }
        if rest == address.as_str() { rest.to_owned() } else { format!("{folder}/{rest}") }
    }

    /// Line and text of the top-level Terraform block that a span lies in.
    fn block(&self, span: Span) -> Option<(u32, String)> {
        let file = self.architecture.sources.get(span.file)?;
        if !is_terraform(&file.path) {
            return None;
        }
        let mut line = self.architecture.sources.start(span).line;
        while line > 0 {
            let text = file.line(line)?;
            // The formatter puts the head of a block at the first column and nothing else but its end and comments.
            if text.starts_with(|first: char| first.is_ascii_alphabetic()) {
                let head = text.split(['{', '=']).next().unwrap_or(text);
                return Some((line, head.split_whitespace().collect::<Vec<_>>().join(" ")));
            }
            line -= 1;
        }
        None
    }

    /// Whether a span lies in a file that declares components.
    fn is_configuration(&self, span: Span) -> bool {
        is_terraform(self.architecture.sources.path(span)) || self.declaring.contains(&span.file)
    }

    /// The attribute on the line of a span, which tells values of one `locals` or `module` block apart.
    fn attribute(&self, span: Span) -> String {
        let line = self.architecture.sources.start(span).line;
        let text = self.architecture.sources.get(span.file).and_then(|file| file.line(line)).unwrap_or_default();
        text.split_once('=').map_or("", |(name, _)| name.trim()).to_owned()
    }
}

/// The id of a threat: the rule and the start of a hash of rule and cause.
pub(super) fn id(rule: &str, key: &str, split_by: Option<&str>, digits: usize) -> String {
    format!("{rule}-{}", short_hash(&[rule, key, split_by.unwrap_or_default()], digits))
}

/// The first hexadecimal digits of the SHA-256 of some texts.
pub(super) fn short_hash(texts: &[&str], digits: usize) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update(text.as_bytes());
        // No text holds a zero byte, so that ("a", "bc") and ("ab", "c") differ.
        hasher.update([0]);
    }
    let mut hex = String::new();
    for byte in hasher.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex.chars().take(digits).collect()
}
