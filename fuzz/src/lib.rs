//! What the targets share: the catalogue, trees of files from one text, and what holds for every architecture.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use bartizan_import::{Services, Tree};
use bartizan_model::{Architecture, Node, Sources, Span, Value};
use bartizan_review::Catalogue;

/// A line that starts a file; its path follows. What stands before the first one is a file of its own.
const FILE: &str = "#file ";

static FILES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalogue");
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    found.sort();
    found
});

/// The services of the catalogue.
pub static SERVICES: LazyLock<Services> =
    LazyLock::new(|| Services::load(FILES.iter().map(|(path, text)| (path.as_str(), text.as_str()))).0);

/// The rules, controls and the rest.
pub static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::load(FILES.clone()).0);

/// Loads the catalogue, so that the first input is not blamed for the time that it takes.
pub fn load() {
    LazyLock::force(&SERVICES);
    LazyLock::force(&CATALOGUE);
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, String)>) {
    let entries: Vec<PathBuf> = std::fs::read_dir(folder).expect("the catalogue").map(|entry| entry.expect("an entry").path()).collect();
    for path in entries {
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "md") {
            let name = path.strip_prefix(root).expect("below the catalogue").to_str().expect("a plain name").to_owned();
            found.push((name, std::fs::read_to_string(&path).expect("a text")));
        }
    }
}

/// The files in a text: lines `#file PATH` divide it. `first` is the path of what stands before the first of them.
pub fn files(text: &str, first: &str) -> Vec<(String, String)> {
    let mut out = vec![(first.to_owned(), String::new())];
    for line in text.split_inclusive('\n') {
        match (line.strip_prefix(FILE), out.last_mut()) {
            (Some(path), _) => out.push((path.trim().to_owned(), String::new())),
            (None, Some((_, content))) => content.push_str(line),
            (None, None) => {}
        }
    }
    out
}

/// The tree of the files in a text.
pub fn tree(text: &str, first: &str) -> Tree {
    Tree::from_memory(files(text, first))
}

/// Panics where something that every architecture promises does not hold.
pub fn check(architecture: &Architecture) {
    let sources = &architecture.sources;
    for component in architecture.components.values() {
        component.span.iter().for_each(|span| inside(sources, *span));
        component.settings.values().chain(component.tags.values()).for_each(|node| node_inside(sources, node));
    }
    for link in &architecture.links {
        link.span.iter().for_each(|span| inside(sources, *span));
        for end in [&link.from, &link.to] {
            assert!(architecture.component(end).is_some(), "a link ends at `{end}`, which is no component");
        }
    }
    for diagnostic in &architecture.diagnostics {
        diagnostic.span.iter().for_each(|span| inside(sources, *span));
        diagnostic.related.iter().for_each(|related| inside(sources, related.span));
    }
}

fn inside(sources: &Sources, span: Span) {
    let file = sources.get(span.file).expect("a span lies in a file that was read");
    let range = span.start as usize..span.end as usize;
    assert!(file.text.get(range).is_some(), "{span:?} lies outside of `{}` with {} bytes", file.path, file.text.len());
}

fn node_inside(sources: &Sources, node: &Node) {
    inside(sources, node.span);
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| node_inside(sources, item)),
        Value::Map(map) => map.values().for_each(|item| node_inside(sources, item)),
        _ => {}
    }
}
