//! The services of the catalogue, trees of text, and what holds for every architecture.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use bartizan_import::{Services, Tree};
use bartizan_model::{Architecture, Node, Span, Value};

/// The services of the catalogue on disk.
pub(crate) static SERVICES: LazyLock<Services> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue/services");
    let mut files = vec![("services/ignored.yaml".to_owned(), std::fs::read_to_string(root.join("ignored.yaml")).unwrap())];
    let mut paths: Vec<PathBuf> = std::fs::read_dir(root.join("aws")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        files.push((format!("services/aws/{name}"), std::fs::read_to_string(&path).unwrap()));
    }
    Services::load(files.iter().map(|(path, text)| (path.as_str(), text.as_str()))).0
});

/// Imports files that are given as path and text.
pub(crate) fn import(files: &[(&str, &str)]) -> Architecture {
    let tree = Tree::from_memory(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    bartizan_import::import(&tree, &SERVICES)
}

/// Imports files that are given as path and bytes.
pub(crate) fn import_bytes(files: &[(&str, &[u8])]) -> Architecture {
    let files: Vec<(String, Vec<u8>)> = files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
    let paths: Vec<String> = files.iter().map(|(path, _)| path.clone()).collect();
    let read = move |path: &str| {
        files.iter().find(|(own, _)| own == path).map(|(_, bytes)| bytes.clone()).ok_or_else(|| "no such file".to_owned())
    };
    bartizan_import::import(&Tree::new(paths, Box::new(read)), &SERVICES)
}

/// The codes of an architecture's diagnostics.
pub(crate) fn codes(architecture: &Architecture) -> Vec<&str> {
    architecture.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

/// Fails where a span lies outside of its text or a link ends at no component.
pub(crate) fn check(architecture: &Architecture) {
    let inside = |span: Span| {
        let text = &architecture.sources.get(span.file).unwrap().text;
        assert!(text.get(span.start as usize..span.end as usize).is_some(), "{span:?} lies outside of {} bytes", text.len());
    };
    for component in architecture.components.values() {
        component.span.into_iter().for_each(inside);
        component.settings.values().chain(component.tags.values()).for_each(|node| walk(node, &inside));
    }
    for link in &architecture.links {
        link.span.into_iter().for_each(inside);
        assert!(architecture.component(&link.from).is_some() && architecture.component(&link.to).is_some(), "{link:?}");
    }
    for diagnostic in &architecture.diagnostics {
        diagnostic.span.into_iter().chain(diagnostic.related.iter().map(|related| related.span)).for_each(inside);
    }
}

fn walk(node: &Node, inside: &dyn Fn(Span)) {
    inside(node.span);
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| walk(item, inside)),
        Value::Map(members) => members.values().for_each(|member| walk(member, inside)),
        _ => {}
    }
}
