//! The catalogue: embedded in the binary, or a folder that the user names.

use std::borrow::Cow;
use std::path::Path;
use std::thread::JoinHandle;

use anyhow::Context as _;
use bartizan_import::Services;
use bartizan_review::{Catalogue, CatalogueError};

/// Paths and texts; the build has turned YAML into JSON.
static EMBEDDED: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// What the tool knows, checked.
pub(crate) struct Knowledge {
    pub(crate) services: Services,
    pub(crate) catalogue: Catalogue,
    /// Mistakes; what they are in is left out.
    pub(crate) mistakes: Vec<String>,
}

/// A catalogue whose first half is there while the second is still being read: a plan can be imported meanwhile.
pub(crate) struct Loading {
    pub(crate) services: Services,
    mistakes: Vec<String>,
    catalogue: JoinHandle<(Catalogue, Vec<CatalogueError>)>,
}

/// Begins to load the catalogue of a folder, or the embedded one.
pub(crate) fn begin(folder: Option<&Path>) -> anyhow::Result<Loading> {
    let mut files: Vec<(Cow<'static, str>, Cow<'static, str>)> = Vec::new();
    match folder {
        Some(folder) => {
            read(folder, folder, &mut files).with_context(|| format!("cannot read the catalogue `{}`", folder.display()))?;
            anyhow::ensure!(!files.is_empty(), "there is no catalogue in `{}`", folder.display());
        }
        None => files.extend(EMBEDDED.iter().map(|(path, text)| (Cow::Borrowed(*path), Cow::Borrowed(*text)))),
    }
    files.sort();
    let for_review = files.clone();
    let catalogue = std::thread::spawn(move || Catalogue::load(for_review));
    let (services, mistakes) = Services::load(files.iter().map(|(path, text)| (path.as_ref(), text.as_ref())));
    Ok(Loading { services, mistakes: mistakes.iter().map(ToString::to_string).collect(), catalogue })
}

impl Loading {
    /// Waits for the second half.
    pub(crate) fn finish(self) -> Knowledge {
        let (catalogue, of_review) = self.catalogue.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let mut mistakes = self.mistakes;
        mistakes.extend(of_review.iter().map(ToString::to_string));
        Knowledge { services: self.services, catalogue, mistakes }
    }
}

fn read(root: &Path, folder: &Path, files: &mut Vec<(Cow<'static, str>, Cow<'static, str>)>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "md") {
            let relative = path.strip_prefix(root).unwrap_or(&path);
            files.push((slashes(relative).into(), std::fs::read_to_string(&path)?.into()));
        }
    }
    Ok(())
}

fn slashes(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::begin;

    /// A value that JSON takes for a number and a rule for a text (`edition: 7.0`) needs its quotes in the YAML; here it shows.
    #[test]
    fn the_embedded_catalogue_says_what_its_folder_says() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
        let (embedded, read) = (begin(None).unwrap().finish(), begin(Some(&folder)).unwrap().finish());
        assert_eq!((embedded.mistakes, read.mistakes), (vec![], vec![]));
        let catalogues = (format!("{:#?}", embedded.catalogue), format!("{:#?}", read.catalogue));
        let services = (format!("{:#?}", embedded.services), format!("{:#?}", read.services));
        for (embedded, read) in [catalogues, services] {
            let differs = embedded.lines().zip(read.lines()).position(|(embedded, read)| embedded != read);
            let short = |line: &str| line.chars().take(160).collect::<String>();
            let around = |text: &str, at: usize| text.lines().skip(at.saturating_sub(8)).take(10).map(short).collect::<Vec<_>>();
            let shown = differs.map(|at| (around(&embedded, at), around(&read, at)));
            assert_eq!(shown, None, "embedded and folder differ");
            assert_eq!(embedded.lines().count(), read.lines().count());
        }
    }
}
