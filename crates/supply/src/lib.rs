//! What a system is built from: packages with versions, where each was read, and the advisories that speak of them.
//!
//! The crate knows nothing of the architecture; the join of a package to the workload that ships it is made elsewhere.
//! Versions are compared by the rules of each ecosystem, and what cannot be read, compared or matched is counted with its reason:
//! nothing is taken for safe because it was not understood.

pub mod advisory;
mod constraint;
pub mod database;
mod distribution;
pub mod dockerfile;
pub mod document;
pub mod ecosystem;
pub mod image;
pub mod import;
pub mod installed;
pub mod instant;
pub mod load;
pub mod lockfile;
pub mod matching;
pub mod package;
pub mod purl;
pub mod range;
pub mod results;
pub mod sbom;
pub mod scan;
mod unpack;
pub mod version;
pub mod vex;

pub use advisory::{Advisory, Affected};
pub use database::{Builder, Database, DatabaseError, Description};
pub use dockerfile::Dockerfile;
pub use document::Document;
pub use ecosystem::{Ecosystem, EcosystemKind};
pub use image::Image;
pub use matching::{Matches, Rating, Vulnerability};
pub use package::{Found, Origin, Package, Relation, SkipReason, Skipped, SourcePackage};
pub use version::{Scheme, Version, VersionError};
