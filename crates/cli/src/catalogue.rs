//! The catalogue: embedded in the binary, or a folder that the user names.

use std::path::Path;

use anyhow::Context as _;
use bartizan_import::Services;
use bartizan_review::Catalogue;
use include_dir::{Dir, include_dir};

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../catalogue");

/// What the tool knows, checked.
pub(crate) struct Knowledge {
    pub(crate) services: Services,
    pub(crate) catalogue: Catalogue,
    /// Mistakes; what they are in is left out.
    pub(crate) mistakes: Vec<String>,
}

/// Loads the catalogue of a folder, or the embedded one.
pub(crate) fn load(folder: Option<&Path>) -> anyhow::Result<Knowledge> {
    let mut files = Vec::new();
    match folder {
        Some(folder) => {
            read(folder, folder, &mut files).with_context(|| format!("cannot read the catalogue `{}`", folder.display()))?;
            anyhow::ensure!(!files.is_empty(), "there is no catalogue in `{}`", folder.display());
        }
        None => embedded(&EMBEDDED, &mut files),
    }
    files.sort();
    // Import and review each read their side of the catalogue; small plans take less time than that.
    let ((services, service_mistakes), (catalogue, catalogue_mistakes)) = std::thread::scope(|scope| {
        let services = scope.spawn(|| Services::load(files.iter().map(|(path, text)| (path.as_str(), text.as_str()))));
        let catalogue = Catalogue::load(files.clone());
        match services.join() {
            Ok(services) => (services, catalogue),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    let mut mistakes: Vec<String> = service_mistakes.iter().map(ToString::to_string).collect();
    mistakes.extend(catalogue_mistakes.iter().map(ToString::to_string));
    Ok(Knowledge { services, catalogue, mistakes })
}

fn embedded(folder: &Dir<'_>, files: &mut Vec<(String, String)>) {
    for file in folder.files() {
        if let Some(text) = file.contents_utf8() {
            files.push((slashes(file.path()), text.to_owned()));
        }
    }
    folder.dirs().for_each(|inside| embedded(inside, files));
}

fn read(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "md") {
            let relative = path.strip_prefix(root).unwrap_or(&path);
            files.push((slashes(relative), std::fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

fn slashes(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
