//! What a system is built from: packages with versions, where each was read, and the advisories that speak of them.
//!
//! The crate knows nothing of the architecture; the join of a package to the workload that ships it is made elsewhere.
//! Versions are compared by the rules of each ecosystem, and what cannot be read, compared or matched is counted with its reason:
//! nothing is taken for safe because it was not understood.

pub mod ecosystem;
pub mod load;
pub mod lockfile;
pub mod package;
pub mod purl;
pub mod scan;
pub mod version;

pub use ecosystem::{Ecosystem, EcosystemKind};
pub use package::{Found, Origin, Package, Relation, SkipReason, Skipped};
pub use version::{Scheme, Version, VersionError};
