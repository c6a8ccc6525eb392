//! Facts: what code derives once for all rules to use (exposure, reachability, permissions, joins).
//!
//! The vocabulary [`FACTS`] is closed: the catalogue's loader refuses a rule that names a fact which is not in it.
//! A fact that code did not set is *empty* ([`FactKind`] says what that is); code that cannot tell sets [`bartizan_model::Value::Unknown`],
//! never nothing.

use std::collections::BTreeMap;

use bartizan_model::{Address, Node};
use indexmap::IndexMap;

/// What code derived, for rules to read as `facts.<name>`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Facts of components, by name.
    pub by_component: BTreeMap<Address, IndexMap<String, Node>>,
    /// Facts of the system as a whole, by name.
    pub system: IndexMap<String, Node>,
}

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactOn {
    /// One component.
    Component,
    /// The system.
    System,
}

/// The type of a fact's value, which also says what the fact is where code did not set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactKind {
    /// `true` or `false`; unset is `false`.
    Bool,
    /// A number; unset is `null`.
    Number,
    /// A text; unset is `null`.
    Text,
    /// A list; unset is `[]`.
    List,
    /// A map; unset is `{}`.
    Map,
}

/// One entry of the vocabulary.
#[derive(Clone, Copy, Debug)]
pub struct FactDoc {
    /// Snake-case name: `public_actions`.
    pub name: &'static str,
    /// What it is about.
    pub on: FactOn,
    /// Its type.
    pub kind: FactKind,
    /// One sentence for rule writers, with the members of a list's or map's values.
    pub about: &'static str,
}

/// Every fact that rules may read, sorted by name.
pub const FACTS: &[FactDoc] = &[FactDoc {
    name: "public_actions",
    on: FactOn::Component,
    kind: FactKind::List,
    about: "IAM actions that resource policies and ACLs allow everyone, account-level and bucket-level blocks considered",
}];

#[cfg(test)]
mod tests {
    use super::FACTS;

    #[test]
    fn the_vocabulary_is_sorted_and_has_no_doubles() {
        assert!(FACTS.is_sorted_by(|a, b| (a.name, a.on) < (b.name, b.on)));
    }
}
