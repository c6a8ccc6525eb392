//! The files under review, as import sees them: a sorted list of paths and a way to read one. No IO of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Files larger than this are refused. A plan of 100,000 resources in JSON has about 100 MiB.
pub const MAX_FILE_BYTES: usize = 256 << 20;

/// Reads the bytes of a file by its path in the tree; the error says why it cannot be had.
pub type Read = Box<dyn Fn(&str) -> Result<Vec<u8>, String> + Send + Sync>;

/// A tree of files. Paths are relative to its root, with `/`, without `.` or `..`.
pub struct Tree {
    paths: BTreeSet<String>,
    read: Read,
    /// Directories that are under review; the others are only there because something in these calls them. Empty: all are.
    reviewed: Vec<String>,
    /// The directory that the paths are relative to; `None` where it is none of the file system.
    root: Option<PathBuf>,
}

impl Tree {
    /// A tree of the given paths whose contents `read` gives.
    pub fn new(paths: impl IntoIterator<Item = String>, read: Read) -> Self {
        Self { paths: paths.into_iter().collect(), read, reviewed: Vec::new(), root: None }
    }

    /// Says which directories are under review; the other files serve them as modules and charts.
    #[must_use]
    pub fn reviewing(mut self, directories: Vec<String>) -> Self {
        self.reviewed = if directories.iter().any(String::is_empty) { Vec::new() } else { directories };
        self
    }

    /// Says which directory of the file system its paths are relative to.
    #[must_use]
    pub fn at(mut self, root: PathBuf) -> Self {
        self.root = Some(root);
        self
    }

    /// The directory that its paths are relative to; `None` where it is none of the file system.
    pub fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// True for what is under review itself, and not only called by it.
    pub fn is_reviewed(&self, path: &str) -> bool {
        self.reviewed.is_empty()
            || self
                .reviewed
                .iter()
                .any(|root| path.strip_prefix(root.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }

    /// True for a directory that was given to review: the root of the tree or one of those named.
    pub(crate) fn is_root(&self, directory: &str) -> bool {
        if self.reviewed.is_empty() { directory.is_empty() } else { self.reviewed.iter().any(|root| root == directory) }
    }

    /// A tree held in memory: pairs of path and text.
    pub fn from_memory(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let files: std::collections::BTreeMap<String, String> = files.into_iter().collect();
        let paths: Vec<String> = files.keys().cloned().collect();
        Self::new(
            paths,
            Box::new(move |path| files.get(path).map(|text| text.clone().into_bytes()).ok_or_else(|| "no such file".to_owned())),
        )
    }

    /// All paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// True when there is such a file.
    pub fn contains(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// When it is not in the tree, cannot be read or is too large.
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, String> {
        if !self.contains(path) {
            return Err(format!("`{path}` is not among the files under review"));
        }
        let bytes = (self.read)(path)?;
        if bytes.len() > MAX_FILE_BYTES {
            return Err(format!("`{path}` is larger than {} MiB", MAX_FILE_BYTES >> 20));
        }
        Ok(bytes)
    }

    /// The text of a file.
    ///
    /// # Errors
    /// As [`Tree::bytes`], and when it is not UTF-8.
    pub fn text(&self, path: &str) -> Result<String, String> {
        String::from_utf8(self.bytes(path)?).map_err(|_| format!("`{path}` is not UTF-8 text"))
    }
}
