//! Container images → packages, each with the layer that brought it.
//!
//! Layers are applied in their order in memory: nothing is unpacked to a disk, links are followed inside the image only, and of each layer only what
//! names packages is kept. A layer that is damaged or not what its digest says ends the reading of its image: packages could hide in what is missing.
//!
//! Source: OCI Image Format Specification 1.1; moby's `image/spec` and `docker save`.

mod layer;
mod manifest;
mod packages;
mod store;
mod stream;
mod tree;
mod wanted;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bartizan_model::{Diagnostic, Severity, Sources};

pub use manifest::Platform;
pub use store::Remote;

use crate::package::{Found, SkipReason, Skipped};
use crate::unpack::rpm;
use layer::{Limits, Read};
use manifest::Plan;
use store::Store;

/// An image that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Path of the archive or folder, as the files in it are shown before `!/`.
    pub path: String,
    /// Names that the archive gives it; often none.
    pub tags: Vec<String>,
    /// What it runs on, such as `linux/amd64`; empty where it does not say.
    pub platform: String,
    /// What `os-release` calls it; empty where there is none.
    pub distribution: String,
    /// User that its processes run as, as written; empty is root.
    pub user: String,
    /// Layers, the lowest first.
    pub layers: Vec<Layer>,
}

impl Image {
    /// Whether its processes run as root unless something else is asked for.
    pub fn runs_as_root(&self) -> bool {
        matches!(self.user.split(':').next().unwrap_or_default(), "" | "root" | "0")
    }
}

/// A layer of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Digest of its content without compression (`diff_id`), which is the same however the image is kept.
    pub digest: String,
    /// The command that made it, as the history says.
    pub created_by: Option<String>,
}

/// An image that cannot be read: not whole, not what it says, or hostile.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The file system's fault, or the path's.
    #[error("cannot read `{path}`: {source}")]
    Unreadable {
        /// The path, and what lies in it.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no image.
    #[error("`{path}` is no image: {why}")]
    NoImage {
        /// The path.
        path: String,
        /// What is missing.
        why: String,
    },
    /// A part of the image is not what the format asks for, is not what its digest says, or goes beyond the limits.
    #[error("`{what}` of the image: {why}")]
    Damaged {
        /// The part, mostly a digest.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// The image has no variant for the platform.
    #[error("the image has nothing for {wanted}; it has {}", .there.join(", "))]
    NoPlatform {
        /// What was asked for.
        wanted: Platform,
        /// What there is.
        there: Vec<String>,
    },
}

/// Whether a path is meant as an image: a folder with an OCI layout, or a tar archive by its name.
pub fn is_image(path: &Path) -> bool {
    path.join("oci-layout").is_file() || (path.extension().is_some_and(|ending| ending == "tar") && path.is_file())
}

/// Reads the images of an OCI layout (folder or tar) or of what `docker save` wrote.
///
/// `platform` chooses in images for several of them; without one it is linux/amd64, or the only one that there is.
///
/// # Errors
/// The path cannot be read, is no image, has nothing for the platform, or is damaged.
pub fn scan_image(path: &Path, platform: Option<&Platform>, sources: &mut Sources) -> Result<Found, ImageError> {
    scan(&Store::open(path)?, platform, sources)
}

/// Reads the images of a tar archive in memory; `path` is what it is called in spans.
///
/// # Errors
/// It is no image, has nothing for the platform, or is damaged.
pub fn scan_image_bytes(path: &str, bytes: Arc<[u8]>, platform: Option<&Platform>, sources: &mut Sources) -> Result<Found, ImageError> {
    scan(&Store::of_bytes(path, bytes)?, platform, sources)
}

/// Reads an image in a registry. Layers are read as they come: none is kept.
///
/// # Errors
/// The registry does not hand it out, or it is no image, has nothing for the platform, or is damaged.
pub fn scan_remote(remote: Arc<dyn Remote>, platform: Option<&Platform>, sources: &mut Sources) -> Result<Found, ImageError> {
    scan(&Store::remote(remote)?, platform, sources)
}

/// The packages in a database of rpm (SQLite, with the write-ahead log that lies beside it, ndb, or a hash of Berkeley DB), a line each, with fields
/// between tabs: name, version, architecture, file name of the source package, module.
///
/// # Errors
/// It is none of these, or damaged; in words.
pub fn rpm_packages(database: &[u8], journal: &[u8]) -> Result<String, String> {
    let [packages, _] = rpm::texts(database, journal, |_| false)?;
    Ok(String::from_utf8_lossy(&packages.text).into_owned())
}

/// What a scan says of an image that cannot be read; `image` is its path or its reference.
pub fn unread(image: &str, error: &ImageError) -> Found {
    let mut found = Found::default();
    let diagnostic = Diagnostic::new("supply/image", Severity::Error, error.to_string(), None);
    found.diagnostics.push(diagnostic);
    found.skipped.push(Skipped { what: image.to_owned(), span: None, reason: SkipReason::Image(error.to_string()) });
    found
}

/// A message or path for people. Those of libraries repeat what they could not read, and that may be anything.
fn words(text: &impl ToString) -> String {
    text.to_string().chars().take(MAX_WORDS).map(|of| if of.is_control() { '?' } else { of }).collect()
}

/// Characters of a message.
const MAX_WORDS: usize = 200;

fn scan(store: &Store, platform: Option<&Platform>, sources: &mut Sources) -> Result<Found, ImageError> {
    let mut found = Found::default();
    let plans = manifest::plans(store, platform)?;
    let several = plans.len() > 1;
    for plan in plans {
        let shown = if several { format!("{}@{}", store.shown(), plan.name()) } else { store.shown().to_owned() };
        let layers = read_layers(store, &plan)?;
        found.append(packages::read(&shown, store, plan, layers, sources)?);
    }
    Ok(found)
}

/// Reads all layers, some at a time.
fn read_layers(store: &Store, plan: &Plan) -> Result<Vec<Read>, ImageError> {
    let limits = Limits::default();
    let next = AtomicUsize::new(0);
    let n_workers = std::thread::available_parallelism().map_or(1, usize::from).min(4).min(plan.layers.len().max(1));
    let work = || {
        let mut done = Vec::new();
        while let Some((index, of)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            plan.layers.get(index).map(|of| (index, of))
        } {
            let read = layer::read(store, of, &limits, &[]);
            let failed = read.is_err();
            done.push((index, read));
            if failed {
                // What the others would find is not wanted any more.
                next.store(usize::MAX / 2, Ordering::Relaxed);
            }
        }
        done
    };
    let mut read = std::thread::scope(|scope| {
        let workers: Vec<_> = (1..n_workers).map(|_| scope.spawn(work)).collect();
        let mut read = work();
        for worker in workers {
            match worker.join() {
                Ok(mut done) => read.append(&mut done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        read
    });
    read.sort_by_key(|(index, _)| *index);
    read.into_iter().map(|(_, read)| read).collect()
}
