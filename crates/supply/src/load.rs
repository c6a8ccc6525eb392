//! Files of the file system, for scans. With the database's file, the only IO of this crate.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bartizan_model::Sources;
use walkdir::WalkDir;

use crate::package::{Found, SkipReason};
use crate::scan::scan;

/// Larger files name no packages that a person could look at.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// More files than this are refused: the path is probably not meant.
const MAX_FILES: usize = 2_000_000;
/// Folders that hold copies of packages or nothing of the system's own.
const SKIPPED: &[&str] =
    &[".git", "node_modules", "target", ".venv", "venv", "__pycache__", ".tox", ".terraform", ".idea", "bartizan-report"];

/// A path that cannot be scanned. The user's fault, or the file system's.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It does not exist or cannot be listed.
    #[error("cannot read `{path}`: {source}")]
    Unreadable {
        /// The path.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It holds too much.
    #[error("`{path}` holds more than {MAX_FILES} files; name the folder of the system")]
    TooMany {
        /// The path.
        path: String,
    },
}

/// Scans a folder, or one file. Symbolic links are not followed: what they lead to is scanned where it lies.
///
/// # Errors
/// The path does not exist, cannot be listed, or holds too many files. A file that cannot be read is counted as skipped.
pub fn scan_path(path: &Path, sources: &mut Sources) -> Result<Found, LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: path.display().to_string(), source };
    let metadata = fs::metadata(path).map_err(unreadable)?;
    let (root, paths) = if metadata.is_file() {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        (path.parent().unwrap_or(Path::new("")), BTreeSet::from([name]))
    } else {
        (path, list(path)?)
    };
    let read = |below: &str| {
        let path = root.join(below);
        let unreadable = |error: std::io::Error| SkipReason::Unreadable(error.to_string());
        if fs::metadata(&path).map_err(unreadable)?.len() > MAX_FILE_BYTES {
            return Err(SkipReason::TooLarge);
        }
        fs::read(&path).map_err(unreadable)
    };
    Ok(scan(&paths, &read, sources))
}

/// Paths of the files below a folder, with `/`.
fn list(root: &Path) -> Result<BTreeSet<String>, LoadError> {
    let mut paths = BTreeSet::new();
    let walk = WalkDir::new(root).into_iter().filter_entry(|entry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || !(entry.file_type().is_dir() && SKIPPED.contains(&name.as_ref()))
    });
    for entry in walk {
        let entry = entry.map_err(|error| LoadError::Unreadable { path: root.display().to_string(), source: error.into() })?;
        if !entry.file_type().is_file() {
            continue;
        }
        if paths.len() >= MAX_FILES {
            return Err(LoadError::TooMany { path: root.display().to_string() });
        }
        if let Ok(below) = entry.path().strip_prefix(root) {
            paths.insert(below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"));
        }
    }
    Ok(paths)
}
