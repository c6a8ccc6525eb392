//! Kustomizations, as far as they decide what an object is called: the namespace they give to their resources and patches.
//! Patches themselves are merged by identity, see `resolve`.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::Node;
use bartizan_model::path::{self, join};

use super::object::{Object, address, list_at, plain_text, text_at};
use super::parse::Manifests;

/// Bases of bases are followed this far.
const MAX_BASES: usize = 16;

/// Moves the objects of kustomized folders into the namespace of their kustomization, or of the only overlay that uses them.
pub(super) fn apply(manifests: &mut Manifests) {
    let folders: BTreeMap<&str, &Node> = manifests.kustomizations.iter().map(|(folder, node)| (folder.as_str(), node)).collect();
    let mut namespaces: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (folder, kustomization) in &folders {
        let Some(namespace) = text_at(kustomization, "namespace") else { continue };
        for used in bases(folder, &folders) {
            // A base that names a namespace of its own is moved by the overlay all the same; the outermost one wins in kustomize.
            namespaces.entry(used).or_default().insert(namespace.clone());
        }
    }
    for object in &mut manifests.objects {
        let Some(given) = namespaces.get(&object.stack).and_then(|given| only(given)) else { continue };
        if object.namespace.is_some() && object.node.first_at("metadata.namespace").is_none() {
            rename(object, given);
        }
    }
}

fn only(given: &BTreeSet<String>) -> Option<&String> {
    if given.len() == 1 { given.first() } else { None }
}

fn rename(object: &mut Object, namespace: &str) {
    object.namespace = Some(namespace.to_owned());
    object.address = address(Some(namespace), &object.kind, &object.name);
}

/// A folder and all folders whose kustomizations it builds on.
fn bases(folder: &str, folders: &BTreeMap<&str, &Node>) -> BTreeSet<String> {
    let mut out = BTreeSet::from([folder.to_owned()]);
    let mut open = vec![folder.to_owned()];
    for _ in 0..MAX_BASES {
        let mut next = Vec::new();
        for folder in open {
            let Some(kustomization) = folders.get(folder.as_str()) else { continue };
            let listed = ["resources", "bases", "components"].into_iter().flat_map(|key| list_at(kustomization, key));
            for base in listed.filter_map(plain_text).filter_map(|path| join(&folder, &path)) {
                // A resource is a folder with a kustomization of its own, or a file of a folder.
                let base = if folders.contains_key(base.as_str()) { base } else { path::folder(&base).to_owned() };
                if out.insert(base.clone()) {
                    next.push(base);
                }
            }
        }
        open = next;
    }
    out
}
