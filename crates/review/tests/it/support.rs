//! The catalogue on disk, and reviews of source text.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use bartizan_import::{Services, Tree};
use bartizan_model::Architecture;
use bartizan_review::{Catalogue, CatalogueError, Policy, Review};

/// The files of the catalogue with their paths below it.
pub(crate) fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    found.sort();
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, String)>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            found.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The files of one of the examples with their paths below it.
pub(crate) fn folder(example: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(example);
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    found.sort();
    found
}

/// The catalogue and what is wrong with it.
pub(crate) static CATALOGUE: LazyLock<(Catalogue, Vec<CatalogueError>)> = LazyLock::new(|| Catalogue::load(files()));

/// The services catalogue as import reads it.
pub(crate) static SERVICES: LazyLock<Services> = LazyLock::new(|| {
    let files = files();
    let services = files.iter().filter(|(path, _)| path.starts_with("services/"));
    Services::load(services.map(|(path, text)| (path.as_str(), text.as_str()))).0
});

/// Reviews files that are given as path and text.
pub(crate) fn review(catalogue: &Catalogue, files: &[(&str, &str)]) -> Review {
    review_with(catalogue, files, |_| {})
}

/// The same, with what was found beside the files.
pub(crate) fn review_with(catalogue: &Catalogue, files: &[(&str, &str)], add: impl FnOnce(&mut Architecture)) -> Review {
    let tree = Tree::from_memory(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
    let policy = Policy { today: Some("2026-11-24".to_owned()), ..Policy::default() };
    let mut architecture = bartizan_import::import(&tree, &SERVICES);
    add(&mut architecture);
    bartizan_review::review(architecture, catalogue, &policy)
}
