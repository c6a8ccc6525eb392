//! Step 1 of a review: files → [`bartizan_model::Architecture`].
//!
//! [`load`] lists the files, [`import`] reads them. Bad input gives diagnostics, never an error: what can be read is read.
//! Which resource is which component is data, see [`Services`]; flows, boundaries and exposure are the review's.

mod catalogue;
mod json;
pub mod kubernetes;
mod load;
mod lower;
pub mod native;
mod pattern;
mod resource;
mod terraform;
mod terraform_plan;
mod tree;
pub mod yaml;

use bartizan_model::{Architecture, Diagnostic, RelatedSpan, Sources};
use indexmap::IndexMap;

pub use catalogue::{CatalogueError, Services};
pub use load::{LoadError, load};
pub use tree::{MAX_FILE_BYTES, Read, Tree};

/// Evaluation recurses through locals and modules; its depth is bounded, and this much stack holds that depth.
const STACK_BYTES: usize = 1 << 30;

/// Reads everything in a tree.
pub fn import(tree: &Tree, services: &Services) -> Architecture {
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, || read(tree, services));
        match worker.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(architecture)) => architecture,
            // A panic is our bug: it goes on where it can be told as one.
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // No thread to be had: shallow configurations fit any stack.
            Err(_) => read(tree, services),
        }
    })
}

fn read(tree: &Tree, services: &Services) -> Architecture {
    let mut sources = Sources::default();
    let mut diagnostics = Vec::new();
    let mut plan = terraform::read(tree, &mut sources, &mut diagnostics);
    let planned = plans(tree, &mut sources, &mut diagnostics);
    if !planned.is_empty() {
        // A plan beside its configuration says the same with more values known.
        let known: std::collections::BTreeSet<&str> = planned.iter().map(|resource| resource.address.as_str()).collect();
        plan.resources.retain(|resource| !known.contains(resource.address.as_str()));
        plan.resources.extend(planned);
    }
    let lowered = {
        let documents = lower::Documents { sources: &sources, built: &plan.documents };
        lower::lower(&plan.resources, services, &documents)
    };
    diagnostics.extend(lowered.diagnostics);
    let (pods, pod_links, pod_problems) = kubernetes::read_tree(tree, &plan.resources, &mut sources);
    diagnostics.extend(pod_problems);
    let mut components = lowered.components;
    for component in pods {
        // Equal addresses: the same object in another folder (an environment's copy); the first one stands for it.
        components.entry(component.address.clone()).or_insert(component);
    }
    let mut links = lowered.links;
    links.extend(pod_links);
    let declarations = native::read_all(tree, &mut sources, &mut diagnostics);
    let mut architecture = Architecture {
        components,
        links,
        declarations,
        unknown_types: lowered.unknown_types,
        diagnostics: condensed(diagnostics, &sources),
        sources,
        ..Architecture::default()
    };
    kubernetes::join(&mut architecture);
    architecture.normalise();
    architecture
}

/// Resources of the plan files of a tree.
fn plans(tree: &Tree, sources: &mut Sources, diagnostics: &mut Vec<Diagnostic>) -> Vec<resource::Resource> {
    let mut out = Vec::new();
    for path in tree.paths().filter(|path| path.ends_with(".json") && !path.ends_with(".tf.json") && !path.ends_with(".tfvars.json")) {
        // A JSON file that cannot be read is only then our matter when it is a plan, which nobody can tell.
        let Ok(text) = tree.text(path) else { continue };
        if terraform_plan::is_plan(&text) {
            let file = sources.add(path, text.as_str());
            out.extend(terraform_plan::read(file, &text, tree::directory(path), diagnostics));
        }
    }
    out
}

/// Places listed with a condensed diagnostic.
const MAX_RELATED: usize = 4;

/// One diagnostic for what is said many times of one directory: a variable that is nowhere declared is one problem, however often it is used.
fn condensed(mut diagnostics: Vec<Diagnostic>, sources: &Sources) -> Vec<Diagnostic> {
    diagnostics.sort_by(|a, b| (a.span, a).cmp(&(b.span, b)));
    diagnostics.dedup();
    let mut groups: IndexMap<(&str, String, String), (Diagnostic, usize)> = IndexMap::new();
    for diagnostic in diagnostics {
        let directory = diagnostic.span.map_or("", |span| tree::directory(sources.path(span))).to_owned();
        let (first, count) =
            groups.entry((diagnostic.code, directory, diagnostic.message.clone())).or_insert_with(|| (diagnostic.clone(), 0));
        *count += 1;
        if let Some(span) = diagnostic.span.filter(|_| *count > 1 && first.related.len() < MAX_RELATED) {
            first.related.push(RelatedSpan { span, text: "here too".to_owned() });
        }
    }
    let message = |(mut diagnostic, count): (Diagnostic, usize)| {
        if count > 1 {
            diagnostic.message = format!("{} (in {count} places)", diagnostic.message);
        }
        diagnostic
    };
    groups.into_values().map(message).collect()
}
