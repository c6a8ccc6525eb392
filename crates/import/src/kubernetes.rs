//! Kubernetes manifests: YAML objects, kustomizations and charts to components and links.
//!
//! Addresses are `namespace/Kind/name`, or `Kind/name` for kinds that belong to the cluster.
//! Files of other tools are passed over in silence; what cannot be read although it is Kubernetes is a diagnostic.
//! The values of Secrets are never kept.

use bartizan_model::{Address, Component, Diagnostic, FileId, Link, Relation, Sources};
use indexmap::IndexMap;

use crate::resource::Resource;
use crate::tree::Tree;
use object::Object;

mod endpoint;
mod flows;
mod helm;
mod join;
mod kustomize;
mod lower;
mod mention;
mod object;
mod parse;
mod relate;
mod resolve;
mod select;
mod terraform;
#[cfg(test)]
mod tests;

pub(crate) use helm::documents_of;
pub use join::join;

/// Reads the manifests among some files: id, path relative to the reviewed root, text.
pub fn read(files: &[(FileId, &str, &str)]) -> (Vec<Component>, Vec<Link>, Vec<Diagnostic>) {
    let read = finish(files, helm::Releases::default(), Vec::new(), Vec::new());
    (read.components, read.links, read.diagnostics)
}

/// What the manifests of a tree amount to.
pub(crate) struct Read {
    pub(crate) components: Vec<Component>,
    pub(crate) links: Vec<Link>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Kinds that become no component, as `group/Kind`, with how many there are.
    pub(crate) unknown_kinds: IndexMap<String, usize>,
    /// Terraform resources that were read as objects, by type.
    pub(crate) resources: IndexMap<String, usize>,
}

/// Reads the manifests of a tree, those that its Terraform declares and the charts that it releases.
pub(crate) fn read_tree(tree: &Tree, resources: &[Resource], sources: &mut Sources) -> Read {
    let mut diagnostics = Vec::new();
    let releases = helm::releases(resources, tree, sources, &mut diagnostics);
    let (declared, read_resources) = terraform::objects(resources, &mut diagnostics);
    let mut files: Vec<(FileId, &str, String)> = Vec::new();
    for path in tree.paths().filter(|path| tree.is_reviewed(path)).filter(|path| path.ends_with(".yaml") || path.ends_with(".yml")) {
        // A YAML file of whatever tool that cannot be read is not our matter.
        let Ok(text) = tree.text(path) else { continue };
        if parse::may_be_manifest(path, &text) {
            files.push((sources.add(path, text.as_str()), path, text));
        }
    }
    let files: Vec<(FileId, &str, &str)> = files.iter().map(|(id, path, text)| (*id, *path, text.as_str())).collect();
    Read { resources: read_resources, ..finish(&files, releases, declared, diagnostics) }
}

fn finish(files: &[(FileId, &str, &str)], releases: helm::Releases, declared: Vec<Object>, mut diagnostics: Vec<Diagnostic>) -> Read {
    let mut manifests = parse::parse(files, &releases.charts, &mut diagnostics);
    let released: Vec<(Address, Address)> =
        releases.objects.iter().map(|(object, release)| (Address::new(release), object.address.clone())).collect();
    kustomize::apply(&mut manifests);
    manifests.objects.extend(releases.objects.into_iter().map(|(object, _)| object));
    manifests.objects.extend(declared);
    let objects = resolve::resolve(manifests, &mut diagnostics);
    let lower::Pods { components, mut links, unknown_kinds } = lower::lower(&objects);
    for (release, object) in released {
        if let Some(component) = components.iter().find(|component| component.address == object) {
            let relation = Relation::Other("installs".to_owned());
            links.push(Link { from: release, to: object, relation, attribute: "chart".to_owned(), span: component.span });
        }
    }
    Read { components, links, diagnostics, unknown_kinds, resources: IndexMap::new() }
}
