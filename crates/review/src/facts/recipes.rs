//! What the recipes of images say of the workloads that run them.
//!
//! A Dockerfile is that of an image where a folder around it, or the other part of its name, is called like the image's repository. Where several
//! come into question, nothing is said: a finding at the wrong file is worse than none, and the scan lists what each holds.

use bartizan_model::{Component, Recipe, Text};

use super::cluster::in_system_namespace;
use super::flaws::{image_settings, is_called, name_of, scanned};
use super::sink::Sink;
use crate::flows::Context;
use crate::flows::index::Index;

/// Sets `image_secrets` and `runs_as_root`, and adds to `floating_images`.
pub(super) fn add(context: &Context<'_>, sink: &mut Sink) {
    let index = &context.index;
    for component in index.architecture.components.values() {
        let own = component.setting("run_as_root").filter(|node| node.value.as_bool() == Some(true));
        if let Some(node) = own.filter(|_| !in_system_namespace(component)) {
            sink.push_text(&component.address, "runs_as_root", "a container", Some(node.span));
        }
        for (image, span) in image_settings(component) {
            let Some(name) = name_of(index, &image) else { continue };
            let recipe = recipe_of(index, &name);
            if let Some(recipe) = recipe {
                for (secret, span) in &recipe.secrets {
                    sink.push_text(&component.address, "image_secrets", secret, Some(*span));
                }
                for (base, span) in &recipe.moving_bases {
                    sink.push_text(&component.address, "floating_images", base, Some(*span));
                }
            }
            let root = recipe.and_then(|recipe| recipe.root).or_else(|| is_root(index, &image, &name).then_some(span));
            if let Some(span) = root.filter(|_| !says_otherwise(component)) {
                sink.push_text(&component.address, "runs_as_root", &name, Some(span));
            }
        }
    }
}

/// The one Dockerfile that is called like an image: exactly, or else as its ending.
fn recipe_of<'a>(index: &Index<'a>, name: &str) -> Option<&'a Recipe> {
    let called = |is_exact: bool| -> Vec<&'a Recipe> {
        let parts = |path: &'a str| path.split('/').flat_map(|part| part.split('.')).filter(|part| !is_generic(part));
        let recipes = index.architecture.recipes.iter();
        recipes.filter(|recipe| parts(&recipe.path).any(|part| if is_exact { part == name } else { is_called(part, name) })).collect()
    };
    let only = |found: Vec<&'a Recipe>| if let [only] = found.as_slice() { Some(*only) } else { None };
    let exact = called(true);
    if exact.is_empty() { only(called(false)) } else { only(exact) }
}

/// What every Dockerfile may be called, or every folder of one.
fn is_generic(part: &str) -> bool {
    part.eq_ignore_ascii_case("dockerfile") || part.eq_ignore_ascii_case("containerfile") || part == "docker"
}

/// Whether the scanned image of a workload says that it runs as root.
fn is_root(index: &Index<'_>, image: &Text, name: &str) -> bool {
    let Some(software) = &index.architecture.software else { return false };
    let found = scanned(software, image, name);
    !found.is_empty() && found.iter().all(|path| software.images.iter().any(|image| image.path == *path && image.runs_as_root))
}

/// Whether the workload names another user than the image, or refuses root.
fn says_otherwise(component: &Component) -> bool {
    let is = |setting: &str, wanted: bool| component.setting(setting).and_then(|node| node.value.as_bool()) == Some(wanted);
    is("run_as_root", false) || is("run_as_non_root", true)
}
