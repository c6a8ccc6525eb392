//! The neutral tree that a policy document is read from; every node says where it comes from.

use crate::PolicyText;

/// Where a node is written: a source of the caller's numbering and a half-open byte range in it.
///
/// This crate only carries it along. [`crate::Document::from_json`] uses source 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The file or whatever else the caller counts.
    pub source: u32,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A value with its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub tree: Tree,
    /// Where it is written.
    pub origin: Origin,
}

/// A JSON-like value whose strings may hold references.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// Absent.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(f64),
    /// Text.
    Text(PolicyText),
    /// A list.
    List(Vec<Node>),
    /// A map in source order. Keys may hold references too (`"${issuer}:sub"`).
    Map(Vec<(PolicyText, Node)>),
    /// A value that cannot be known, with the reason.
    Unknown(String),
}

impl Node {
    /// Pairs a value with its origin.
    pub fn new(tree: Tree, origin: Origin) -> Self {
        Self { tree, origin }
    }
}
