//! Paths of the file system → [`Tree`]. The only IO of this crate.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::tree::{MAX_FILE_BYTES, Tree};

/// More files and directories than this are refused: the path is probably not meant.
const MAX_FILES: usize = 500_000;

/// Directories outside of the given ones that are followed.
const MAX_CALLED: usize = 500;

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
    #[error("`{path}` holds more than {MAX_FILES} files and directories; name the directory of the plan")]
    TooMany {
        /// The path.
        path: String,
    },
}

/// Lists the files under the paths. One directory is the root of the tree; of several paths, the deepest directory that holds them all.
///
/// Local modules and charts outside of the given paths are read as well where Terraform files call them; then the root is the deepest directory
/// that holds these too. Symbolic links are followed where they stay inside the root.
///
/// # Errors
/// When a path cannot be read or holds too many files.
pub fn load(paths: &[PathBuf]) -> Result<Tree, LoadError> {
    let mut given = Vec::new();
    for path in paths {
        let unreadable = |source| LoadError::Unreadable { path: path.display().to_string(), source };
        given.push(fs::canonicalize(path).map_err(unreadable)?);
    }
    let mut found = Vec::new();
    for start in &given {
        list(start, &given, &mut found)?;
    }
    let called = called_outside(&given, &mut found)?;
    let root = common_root(given.iter().chain(&called));
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in found {
        if let Some(name) = relative(&path, &root) {
            files.insert(name, path);
        }
    }
    let reviewed = if called.is_empty() { Vec::new() } else { given.iter().filter_map(|path| relative(path, &root)).collect() };
    let paths: Vec<String> = files.keys().cloned().collect();
    let read = move |name: &str| {
        let path = files.get(name).ok_or_else(|| "no such file".to_owned())?;
        let size = fs::metadata(path).map_err(|error| format!("cannot read `{name}`: {error}"))?.len();
        if size > MAX_FILE_BYTES as u64 {
            return Err(format!("`{name}` is larger than {} MiB", MAX_FILE_BYTES >> 20));
        }
        fs::read(path).map_err(|error| format!("cannot read `{name}`: {error}"))
    };
    Ok(Tree::new(paths, Box::new(read)).reviewing(reviewed).at(root))
}

/// Path below the root, with `/`.
fn relative(path: &Path, root: &Path) -> Option<String> {
    let below = path.strip_prefix(root).ok()?;
    Some(below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"))
}

/// Adds the files under a path. Symbolic links are followed where they end at or below it, or one of the `given` paths.
fn list(start: &Path, given: &[PathBuf], out: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    let walk = WalkDir::new(start).follow_links(true).sort_by_file_name().into_iter();
    let mut n_entries = 0;
    let entries = walk.filter_entry(|entry| {
        // INVARIANT: what lies behind a link to elsewhere is never listed, so nothing can read it.
        if entry.depth() > 0 && entry.path_is_symlink() && !leads_inside(entry.path(), start, given) {
            return false;
        }
        let name = entry.file_name().to_string_lossy();
        let skipped =
            SKIPPED.contains(&name.as_ref()) || (name == "providers" && entry.path().parent().is_some_and(|p| p.ends_with(".terraform")));
        entry.depth() == 0 || !(entry.file_type().is_dir() && skipped)
    });
    // What cannot be listed (a broken or circular link, a forbidden directory) is passed over: there is nothing in it to review.
    for entry in entries.filter_map(Result::ok) {
        n_entries += 1;
        if n_entries > MAX_FILES {
            return Err(LoadError::TooMany { path: start.display().to_string() });
        }
        if entry.file_type().is_file() {
            out.push(entry.into_path());
        }
    }
    Ok(())
}

fn leads_inside(link: &Path, start: &Path, given: &[PathBuf]) -> bool {
    fs::canonicalize(link).is_ok_and(|target| target.starts_with(start) || given.iter().any(|path| target.starts_with(path)))
}

/// Directories outside of what was given that its Terraform files call as modules (`source = "../x"`) or release as charts.
///
/// Terraform reads them too, so a review of one stack of a repository has to. Only directories that hold Terraform files or a chart are taken.
fn called_outside(given: &[PathBuf], files: &mut Vec<PathBuf>) -> Result<Vec<PathBuf>, LoadError> {
    let mut called: Vec<PathBuf> = Vec::new();
    let mut next = 0;
    while let Some(path) = files.get(next).cloned() {
        next += 1;
        if path.extension().is_none_or(|extension| extension != "tf") {
            continue;
        }
        let (Some(directory), Ok(text)) = (path.parent(), fs::read_to_string(&path)) else { continue };
        for target in relative_sources(&text) {
            let Ok(target) = fs::canonicalize(directory.join(target)) else { continue };
            let known = given.iter().chain(&called).any(|start| target.starts_with(start));
            if !known && called.len() < MAX_CALLED && is_module_or_chart(&target) {
                list(&target, given, files)?;
                called.push(target);
            }
        }
    }
    Ok(called)
}

/// Relative paths that a file gives to `source` and `chart`.
fn relative_sources(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let rest = line.trim_start();
        let rest = rest.strip_prefix("source").or_else(|| rest.strip_prefix("chart"))?;
        let value = rest.trim_start().strip_prefix('=')?.trim().strip_prefix('"')?.split('"').next()?;
        let value = value.strip_prefix("${path.module}/").unwrap_or(value);
        value.starts_with("..").then_some(value)
    })
}

fn is_module_or_chart(directory: &Path) -> bool {
    let Ok(entries) = fs::read_dir(directory) else { return false };
    entries.filter_map(Result::ok).any(|entry| {
        let name = entry.file_name();
        name == "Chart.yaml" || Path::new(&name).extension().is_some_and(|extension| extension == "tf")
    })
}

/// The deepest directory that holds all paths.
fn common_root<'p>(paths: impl Iterator<Item = &'p PathBuf>) -> PathBuf {
    let directory = |path: &PathBuf| if path.is_dir() { path.clone() } else { path.parent().map(Path::to_path_buf).unwrap_or_default() };
    let mut directories = paths.map(directory);
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
