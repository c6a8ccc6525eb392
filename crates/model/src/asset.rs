//! Assets: the data that is worth something.

use crate::{Address, Reason};

/// Classification of data: how bad each kind of loss is, 1 (none to speak of) to 5 (existential).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Classification {
    /// Harm when outsiders read it, 1..=5.
    pub confidentiality: u8,
    /// Harm when it is changed, 1..=5.
    pub integrity: u8,
    /// Harm when it is not there, 1..=5.
    pub availability: u8,
}

impl Classification {
    /// The worst of the three.
    pub fn worst(self) -> u8 {
        self.confidentiality.max(self.integrity).max(self.availability)
    }
}

/// How we know of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AssetOrigin {
    /// Declared in bartizan.yaml.
    Declared,
    /// From a tag or label.
    Tagged,
    /// Guessed from names; raised as a question.
    Guessed,
}

/// A class of data and where it lies.
#[derive(Clone, Debug)]
pub struct Asset {
    /// Unique name: `customer-records`.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// How much it is worth.
    pub classification: Classification,
    /// How we know.
    pub origin: AssetOrigin,
    /// The components that store it.
    pub stored_in: Vec<Address>,
    /// Why we say so.
    pub why: Vec<Reason>,
}
