//! Step 1 of a review: files → [`bartizan_model::Architecture`].
//!
//! [`load`] lists the files, [`import`] reads them. Bad input gives diagnostics, never an error: what can be read is read.
//! Which resource is which component is data, see [`Services`]; flows, boundaries and exposure are the review's.

mod built;
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

use bartizan_model::{Architecture, Diagnostic, RelatedSpan, Severity, Sources, Span, path};
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
    let pods = kubernetes::read_tree(tree, &plan.resources, &mut sources);
    diagnostics.extend(pods.diagnostics);
    let mut unknown_types = lowered.unknown_types;
    // What the services do not know may still be an object of a cluster.
    unknown_types.retain(|source_type, count| {
        *count = count.saturating_sub(pods.resources.get(source_type).copied().unwrap_or(0));
        *count > 0
    });
    unknown_types.extend(pods.unknown_kinds.into_iter().filter(|(kind, _)| !services.is_ignored(kind)));
    let mut components = lowered.components;
    for component in pods.components {
        // Equal addresses: the same object in another folder (an environment's copy); the first one stands for it.
        components.entry(component.address.clone()).or_insert(component);
    }
    let mut links = lowered.links;
    links.extend(pods.links);
    let declarations = native::read_all(tree, &mut sources, &mut diagnostics);
    diagnostics.sort_by(|a, b| (a.span, a).cmp(&(b.span, b)));
    diagnostics.dedup();
    let unresolved_references = diagnostics.iter().filter(|diagnostic| diagnostic.code == terraform::UNRESOLVED).count();
    let mut architecture = Architecture {
        components,
        links,
        declarations,
        moved: plan.moved,
        switched_off: plan.switched_off,
        unknown_types,
        unresolved_references,
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
            out.extend(terraform_plan::read(file, &text, path::folder(path), diagnostics));
        }
    }
    out
}

/// Places listed with a condensed diagnostic.
const MAX_RELATED: usize = 4;

/// One diagnostic for what is said many times of one directory: a variable that is nowhere declared is one problem, however often it is used.
/// What could not be read is told at each place: callers count these, and ask which files they are in.
///
/// `diagnostics` are sorted by place.
fn condensed(diagnostics: Vec<Diagnostic>, sources: &Sources) -> Vec<Diagnostic> {
    /// Code, folder and message; of what could not be read also the place.
    type Key = (&'static str, String, String, Option<Span>);
    let mut groups: IndexMap<Key, (Diagnostic, usize)> = IndexMap::new();
    for diagnostic in undeclared_together(diagnostics, sources) {
        let directory = diagnostic.span.map_or("", |span| path::folder(sources.path(span))).to_owned();
        let place = diagnostic.span.filter(|_| diagnostic.severity == Severity::Error);
        let key = (diagnostic.code, directory, diagnostic.message.clone(), place);
        let (first, count) = groups.entry(key).or_insert_with(|| (diagnostic.clone(), 0));
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

/// Names listed with a condensed diagnostic.
const MAX_NAMES: usize = 6;

/// One diagnostic for all variables that a directory uses and nobody declares: the file that declares them is missing, which is one problem.
fn undeclared_together(diagnostics: Vec<Diagnostic>, sources: &Sources) -> Vec<Diagnostic> {
    let mut names: IndexMap<String, (usize, Vec<String>)> = IndexMap::new();
    let mut out: Vec<Diagnostic> = Vec::with_capacity(diagnostics.len());
    for diagnostic in diagnostics {
        let name = diagnostic.message.strip_prefix(terraform::UNDECLARED).and_then(|rest| rest.split('`').next());
        let (Some(name), Some(span)) = (name, diagnostic.span) else {
            out.push(diagnostic);
            continue;
        };
        let (_, known) = names.entry(path::folder(sources.path(span)).to_owned()).or_insert_with(|| (out.len(), Vec::new()));
        if known.is_empty() {
            out.push(diagnostic.clone());
        }
        if !known.iter().any(|other| other == name) {
            known.push(name.to_owned());
        }
    }
    for (directory, (index, names)) in names {
        let Some(diagnostic) = out.get_mut(index) else { continue };
        if names.len() > 1 {
            let listed: Vec<String> = names.iter().take(MAX_NAMES).map(|name| format!("`{name}`")).collect();
            let more = names.len().saturating_sub(MAX_NAMES);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let place = if directory.is_empty() { String::new() } else { format!(" in `{directory}`") };
            diagnostic.message = format!("{} variables are declared nowhere{place}: {}{more}", names.len(), listed.join(", "));
        }
        diagnostic.help =
            Some("their values count as unknown; where another tool writes the declarations, review the directory after it ran".to_owned());
    }
    out
}
