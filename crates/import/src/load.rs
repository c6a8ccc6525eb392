//! Paths of the file system → [`Tree`]. The only IO of this crate.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::tree::{MAX_FILE_BYTES, Tree};

/// More files than this are refused: the path is probably not meant.
const MAX_FILES: usize = 500_000;

/// Directories that hold no plan.
const SKIPPED: [&str; 8] = [".git", "node_modules", "target", ".venv", "__pycache__", ".terragrunt-cache", ".idea", "bartizan-report"];

/// The user's paths could not be read. The user's fault, or the file system's.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A path does not exist or cannot be opened.
    #[error("cannot read `{path}`: {source}")]
    Unreadable {
        /// The path.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Too many files.
    #[error("`{path}` holds more than {MAX_FILES} files; name the directory of the plan")]
    TooMany {
        /// The path.
        path: String,
    },
}

/// Lists the files under the paths. One directory is the root of the tree; of several paths, the deepest directory that holds them all.
///
/// Symbolic links are followed where they stay inside the root.
///
/// # Errors
/// When a path cannot be read or holds too many files.
pub fn load(paths: &[PathBuf]) -> Result<Tree, LoadError> {
    let mut given = Vec::new();
    for path in paths {
        let unreadable = |source| LoadError::Unreadable { path: path.display().to_string(), source };
        given.push(fs::canonicalize(path).map_err(unreadable)?);
    }
    let root = common_root(&given);
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for start in &given {
        let walk = WalkDir::new(start).follow_links(true).sort_by_file_name().into_iter();
        let entries = walk.filter_entry(|entry| {
            let name = entry.file_name().to_string_lossy();
            let skipped = SKIPPED.contains(&name.as_ref())
                || (name == "providers" && entry.path().parent().is_some_and(|p| p.ends_with(".terraform")));
            entry.depth() == 0 || !(entry.file_type().is_dir() && skipped)
        });
        // What cannot be listed (a broken or circular link, a forbidden directory) is passed over: there is nothing in it to review.
        for entry in entries.filter_map(Result::ok) {
            if !entry.file_type().is_file() || (entry.path_is_symlink() && !stays_inside(entry.path(), &root)) {
                continue;
            }
            if let Ok(relative) = entry.path().strip_prefix(&root) {
                let name = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
                files.insert(name, entry.into_path());
            }
            if files.len() > MAX_FILES {
                return Err(LoadError::TooMany { path: start.display().to_string() });
            }
        }
    }
    let paths: Vec<String> = files.keys().cloned().collect();
    let read = move |name: &str| {
        let path = files.get(name).ok_or_else(|| "no such file".to_owned())?;
        let size = fs::metadata(path).map_err(|error| format!("cannot read `{name}`: {error}"))?.len();
        if size > MAX_FILE_BYTES as u64 {
            return Err(format!("`{name}` is larger than {} MiB", MAX_FILE_BYTES >> 20));
        }
        fs::read(path).map_err(|error| format!("cannot read `{name}`: {error}"))
    };
    Ok(Tree::new(paths, Box::new(read)))
}

fn stays_inside(path: &Path, root: &Path) -> bool {
    fs::canonicalize(path).is_ok_and(|target| target.starts_with(root))
}

/// The deepest directory that holds all paths.
fn common_root(paths: &[PathBuf]) -> PathBuf {
    let directory = |path: &PathBuf| if path.is_dir() { path.clone() } else { path.parent().map(Path::to_path_buf).unwrap_or_default() };
    let mut directories = paths.iter().map(directory);
    let mut root = directories.next().unwrap_or_default();
    for other in directories {
        while !other.starts_with(&root) {
            if !root.pop() {
                break;
            }
        }
    }
    root
}
