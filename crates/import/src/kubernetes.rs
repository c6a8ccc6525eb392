//! Kubernetes manifests: YAML objects, kustomizations and charts to components and links.
//!
//! Addresses are `namespace/Kind/name`, or `Kind/name` for kinds that belong to the cluster.
//! Files of other tools are passed over in silence; what cannot be read although it is Kubernetes is a diagnostic.
//! The values of Secrets are never kept.

use bartizan_model::{Component, Diagnostic, FileId, Link};

mod endpoint;
mod flows;
mod join;
mod lower;
mod mention;
mod object;
mod parse;
mod relate;
mod resolve;
mod select;
#[cfg(test)]
mod tests;

pub use join::join;

/// Reads the manifests among some files: id, path relative to the reviewed root, text.
pub fn read(files: &[(FileId, &str, &str)]) -> (Vec<Component>, Vec<Link>, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let manifests = parse::parse(files, &mut diagnostics);
    let objects = resolve::resolve(manifests, &mut diagnostics);
    let (components, links) = lower::lower(&objects);
    (components, links, diagnostics)
}
