//! Versions that are lists of numbers and nothing else: Hackage (Haskell PVP) and CRAN.

use std::cmp::Ordering;

use super::number;

/// Numbers in order; the longer list is the later where one begins with the other.
#[derive(Clone, Debug)]
pub(super) struct Numbers(Vec<String>);

impl Numbers {
    /// `None` where a part is no number.
    pub(super) fn parse(text: &str, separators: &[char]) -> Option<Self> {
        let parts: Vec<String> = text.split(separators).map(str::to_owned).collect();
        parts.iter().all(|part| number::is_number(part)).then_some(Self(parts))
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        self.0
            .iter()
            .zip(&other.0)
            .map(|(a, b)| number::compare(a, b))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| self.0.len().cmp(&other.0.len()))
    }
}
