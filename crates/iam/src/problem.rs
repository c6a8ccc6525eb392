//! What is wrong with a policy document, for its author.

use crate::Origin;

/// A problem of a document.
///
/// Reading never fails on one: what can be understood is kept, and what cannot makes answers *maybe*.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Stable kebab-case code: `unknown-operator`.
    pub code: &'static str,
    /// In words, lower case.
    pub message: String,
    /// Where.
    pub origin: Origin,
}
