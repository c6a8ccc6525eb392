//! Known flaws in the packages that a system ships; scanned for before the review, joined to components by it.

use std::collections::BTreeMap;

use crate::Span;

/// What a scan of the system's packages found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Software {
    /// Folders (below the root, with `/`; empty for the root) of the files that name packages, with whether every package there was judged.
    pub folders: BTreeMap<String, bool>,
    /// Container images that were read.
    pub images: Vec<ScannedImage>,
    /// Whether the scan could tell which flaws attackers use.
    pub knows_use: bool,
    /// Known flaws, worst first.
    pub flaws: Vec<Flaw>,
}

/// A container image whose packages were looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct ScannedImage {
    /// Its file or its reference: the paths of what lies in it begin so, before `!/`.
    pub path: String,
    /// What it is called: references and tags.
    pub names: Vec<String>,
    /// Whether every package in it was judged.
    pub is_judged: bool,
    /// Whether its processes run as root unless something else is asked for.
    pub runs_as_root: bool,
}

impl ScannedImage {
    /// Whether a file lies in it, by the file's path.
    pub fn holds(&self, path: &str) -> bool {
        path.strip_prefix(&self.path).is_some_and(|rest| rest.starts_with("!/"))
    }
}

/// How bad a flaw is by its publishers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FlawRating {
    /// Nobody says.
    Unknown,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

/// One known flaw of one package in one version.
#[derive(Clone, Debug, PartialEq)]
pub struct Flaw {
    /// The name that people know best: `CVE-2021-44228`.
    pub name: String,
    /// Package, as its ecosystem writes it.
    pub package: String,
    /// Its version.
    pub version: String,
    /// The lowest later version of the package without any of its known flaws, where publishers name one.
    pub fixed: Option<String>,
    /// How bad it is.
    pub rating: FlawRating,
    /// Whether it is known to be used by attackers.
    pub exploited: bool,
    /// Probability of use within 30 days, ratio 0..=1, where somebody estimates it.
    pub probability: Option<f64>,
    /// Where the package is named, in [`crate::Architecture::sources`].
    pub span: Span,
}
