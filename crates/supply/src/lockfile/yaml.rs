//! YAML as a tree of mappings and texts whose keys know their place; lock files are large and need no more.

use std::borrow::Cow;

use granit_parser::{Event, Parser};

use super::File;
use crate::package::Found;

/// Collections inside collections; lock files have less than ten.
const MAX_DEPTH: usize = 64;

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Yaml<'a> {
    Text(Cow<'a, str>),
    /// A list; no lock file names a package in one.
    List,
    Map(Vec<Member<'a>>),
}

/// A member of a mapping.
#[derive(Clone, Debug)]
pub(super) struct Member<'a> {
    pub(super) key: Cow<'a, str>,
    /// Where the key stands.
    pub(super) at: std::ops::Range<usize>,
    pub(super) value: Yaml<'a>,
}

impl<'a> Yaml<'a> {
    /// Value of a key of a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Yaml<'a>> {
        self.members().iter().find(|member| member.key == key).map(|member| &member.value)
    }

    /// Members of a mapping; none of anything else.
    pub(super) fn members(&self) -> &[Member<'a>] {
        match self {
            Yaml::Map(members) => members,
            Yaml::Text(_) | Yaml::List => &[],
        }
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Yaml::Text(text) => Some(text),
            Yaml::List | Yaml::Map(_) => None,
        }
    }
}

enum Frame<'a> {
    List,
    Map(Vec<Member<'a>>, Option<(Cow<'a, str>, std::ops::Range<usize>)>),
}

/// Reads the documents of a file up to the first error, and says what is wrong and where.
pub(super) fn documents<'a>(file: &File<'a>, found: &mut Found) -> Vec<Yaml<'a>> {
    let options = granit_parser::options! { flow_nesting_limit: MAX_DEPTH, block_nesting_limit: MAX_DEPTH };
    let mut parser = Parser::new_from_str_with_options(file.text, options);
    let mut frames: Vec<Frame<'a>> = Vec::new();
    let mut documents = Vec::new();
    while let Some(next) = parser.next_event() {
        let (event, span) = match next {
            Ok(next) => next,
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(0);
                found.malformed(file.path, file.span(at..at), format!("not valid YAML: {}", error.info()));
                return documents;
            }
        };
        let range = span.byte_range().unwrap_or(0..0);
        let value = match event {
            Event::StreamEnd => break,
            Event::SequenceStart(..) => {
                frames.push(Frame::List);
                continue;
            }
            Event::MappingStart(..) => {
                frames.push(Frame::Map(Vec::new(), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match frames.pop() {
                Some(Frame::List) => Yaml::List,
                Some(Frame::Map(members, _)) => Yaml::Map(members),
                None => continue,
            },
            Event::Scalar(text, ..) => Yaml::Text(text),
            // An anchor's copy: lock files have none, and copies may grow without bound.
            Event::Alias(_) => Yaml::Text(Cow::Borrowed("")),
            _ => continue,
        };
        match frames.last_mut() {
            None => documents.push(value),
            Some(Frame::List) => {}
            Some(Frame::Map(members, key)) => match (key.take(), value) {
                (Some((key, at)), value) => members.push(Member { key, at, value }),
                (None, Yaml::Text(text)) => *key = Some((text, range)),
                // A collection as a key names no package.
                (None, _) => *key = Some((Cow::Borrowed(""), range)),
            },
        }
    }
    if documents.is_empty() {
        found.malformed(file.path, file.span(0..0), "the file is empty");
    }
    documents
}
