//! Facts: what code derives once for all rules to use (exposure, reachability, permissions, joins).
//!
//! The vocabulary [`FACTS`] is closed: the catalogue's loader refuses a rule that names a fact which is not in it.
//! A fact that code did not set is *empty* ([`FactKind`] says what that is); code that cannot tell sets [`bartizan_model::Value::Unknown`],
//! never nothing.

use std::collections::BTreeMap;

use bartizan_model::{Address, Node};
use indexmap::IndexMap;

mod vocabulary;

pub use vocabulary::{FACTS, FactDoc, FactKind, FactOn};

/// What code derived, for rules to read as `facts.<name>`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Facts of components, by name.
    pub by_component: BTreeMap<Address, IndexMap<String, Node>>,
    /// Facts of the system as a whole, by name.
    pub system: IndexMap<String, Node>,
}
