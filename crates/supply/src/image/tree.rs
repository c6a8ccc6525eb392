//! The root file system of an image: layers on top of each other.
//!
//! A file keeps what it was in lower layers as long as it was there all the time: a package that was there before came with an earlier layer.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::layer::{Entry, EntryKind};
use super::wanted::wanted;
use crate::unpack::Inner;

/// Linux follows as many.
const MAX_LINKS: usize = 40;

/// Files and links by path.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: BTreeMap<String, Node>,
    has_links: bool,
    /// Files of which nothing was kept and that a link shows to be wanted.
    pub(super) late: Vec<Late>,
}

/// A file that has to be read although its own path does not say why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Late {
    /// Index of the layer that has it.
    pub(super) layer: usize,
    /// Its path in that layer.
    pub(super) path: String,
    /// The path that says why.
    pub(super) link: String,
    /// Where in the tree what is read of it belongs.
    pub(super) node: String,
    /// Where in the tree the write-ahead log lies that belongs to it.
    pub(super) journal: Option<String>,
}

#[derive(Debug)]
enum Node {
    /// What a path leads to, as written.
    Link(String),
    /// What was there, the lowest layer first; never empty.
    File(Vec<Version>),
}

/// A file as one layer has it.
#[derive(Clone, Debug)]
pub(super) struct Version {
    /// Index of the layer.
    pub(super) layer: usize,
    /// What is kept of it; `None` where its path told nothing.
    pub(super) texts: Option<Arc<Vec<Inner>>>,
    /// Layer and path of the file that this is another name of.
    pub(super) same: Option<(usize, String)>,
}

impl Tree {
    /// Puts a layer on top.
    pub(super) fn apply(&mut self, layer: usize, entries: Vec<Entry>) {
        // Whiteouts speak of lower layers, wherever they stand in the archive.
        for entry in &entries {
            match entry.kind {
                EntryKind::Whiteout => {
                    let path = self.parent_resolved(&entry.path);
                    self.nodes.remove(&path);
                    self.remove_below(&path);
                }
                EntryKind::Opaque => {
                    let path = self.resolve(&entry.path).unwrap_or_else(|| entry.path.clone());
                    self.remove_below(&path);
                }
                _ => {}
            }
        }
        for entry in entries {
            let path = self.parent_resolved(&entry.path);
            match entry.kind {
                EntryKind::Whiteout | EntryKind::Opaque => {}
                // A folder goes over a file or a link, and into a folder. Links to folders are where tools disagree; one that is there stays.
                EntryKind::Folder => {
                    if matches!(self.nodes.get(&path), Some(Node::File(_))) {
                        self.nodes.remove(&path);
                    }
                }
                EntryKind::Symlink(target) => {
                    self.remove_below(&path);
                    self.has_links = true;
                    self.nodes.insert(path, Node::Link(target));
                }
                EntryKind::File(texts) => self.put(path, Version { layer, texts: texts.map(Arc::new), same: None }),
                EntryKind::Hardlink(target) => {
                    let target = self.parent_resolved(&target);
                    let there = match self.nodes.get(&target) {
                        Some(Node::File(versions)) => versions.last(),
                        _ => None,
                    };
                    let texts = there.and_then(|version| version.texts.clone());
                    let same = there.map(|version| version.same.clone().unwrap_or((version.layer, target)));
                    if let Some((layer, target)) = same.clone().filter(|_| texts.is_none() && wanted(&path).is_some()) {
                        self.late.push(Late { layer, path: target, link: path.clone(), node: path.clone(), journal: None });
                    }
                    self.put(path, Version { layer, texts, same });
                }
            }
        }
    }

    fn put(&mut self, path: String, version: Version) {
        self.remove_below(&path);
        match self.nodes.get_mut(&path) {
            Some(Node::File(versions)) if version.texts.is_some() => versions.push(version),
            _ => {
                self.nodes.insert(path, Node::File(vec![version]));
            }
        }
    }

    fn remove_below(&mut self, folder: &str) {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let below: Vec<String> =
            self.nodes.range(prefix.clone()..).map(|(path, _)| path).take_while(|path| path.starts_with(&prefix)).cloned().collect();
        for path in below {
            self.nodes.remove(&path);
        }
    }

    /// Files with what is kept of them, by path, the lowest layer first.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &[Version])> {
        self.nodes.iter().filter_map(|(path, node)| match node {
            Node::File(versions) if versions.iter().any(|version| version.texts.is_some()) => Some((path.as_str(), versions.as_slice())),
            _ => None,
        })
    }

    /// Files below a folder, given with `/` at its end.
    pub(super) fn files_below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a [Version])> {
        self.nodes.range(folder.to_owned()..).take_while(move |(path, _)| path.starts_with(folder)).filter_map(|(path, node)| match node {
            Node::File(versions) => Some((path.as_str(), versions.as_slice())),
            Node::Link(_) => None,
        })
    }

    /// The file that a path leads to, and where it lies.
    pub(super) fn file(&self, path: &str) -> Option<(String, &[Version])> {
        let path = self.resolve(path)?;
        match self.nodes.get(&path) {
            Some(Node::File(versions)) => Some((path, versions)),
            _ => None,
        }
    }

    /// Keeps what was read of a file later; `layer` is the last one that had a part in it.
    pub(super) fn keep(&mut self, path: &str, layer: usize, texts: Vec<Inner>) {
        if let Some(Node::File(versions)) = self.nodes.get_mut(path)
            && let Some(version) = versions.last_mut()
        {
            let texts = Some(Arc::new(texts));
            if layer > version.layer {
                versions.push(Version { layer, texts, same: None });
            } else {
                version.texts = texts;
            }
        }
    }

    /// Where a path leads with all links followed; `None` where they go in circles.
    pub(super) fn resolve(&self, path: &str) -> Option<String> {
        let mut left = MAX_LINKS;
        self.follow(path, true, &mut left)
    }

    /// The same, without following the last part.
    pub(super) fn parent_resolved(&self, path: &str) -> String {
        if !self.has_links {
            return path.to_owned();
        }
        let mut left = MAX_LINKS;
        self.follow(path, false, &mut left).unwrap_or_else(|| path.to_owned())
    }

    /// INVARIANT: what comes out is below the root: `..` at the root is the root, as it is for the processes of a container.
    fn follow(&self, path: &str, with_last: bool, left: &mut usize) -> Option<String> {
        let mut out = String::new();
        // Parts still to come, the next one last.
        let mut rest: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        while let Some(part) = rest.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    out.truncate(out.rfind('/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let length = out.len();
            if !out.is_empty() {
                out.push('/');
            }
            out.push_str(&part);
            if rest.is_empty() && !with_last {
                break;
            }
            if let Some(Node::Link(target)) = self.nodes.get(&out) {
                *left = left.checked_sub(1)?;
                // Targets that grow with each link would make forty of them endless.
                if rest.len() + target.split('/').count() > 4096 {
                    return None;
                }
                out.truncate(if target.starts_with('/') { 0 } else { length });
                rest.extend(target.split('/').rev().map(str::to_owned));
            }
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, EntryKind, Tree};
    use crate::unpack::Inner;

    fn file(path: &str, text: &str) -> Entry {
        let inner = Inner { path: String::new(), text: text.into() };
        Entry { path: path.to_owned(), kind: EntryKind::File(Some(vec![inner])) }
    }

    fn of(path: &str, kind: EntryKind) -> Entry {
        Entry { path: path.to_owned(), kind }
    }

    fn link(path: &str, target: &str) -> Entry {
        of(path, EntryKind::Symlink(target.to_owned()))
    }

    fn shown(tree: &Tree) -> Vec<String> {
        let layers = |versions: &[super::Version]| versions.iter().map(|version| version.layer.to_string()).collect::<Vec<_>>().join(",");
        tree.files().map(|(path, versions)| format!("{path} {}", layers(versions))).collect()
    }

    #[test]
    fn whiteouts_take_away_what_lower_layers_have_and_nothing_else() {
        let mut tree = Tree::default();
        tree.apply(0, vec![file("a/x", "1"), file("a/y", "1"), file("b/x", "1"), file("b.x", "1"), file("c", "1")]);
        tree.apply(1, vec![file("b/new", "2"), of("a/x", EntryKind::Whiteout), of("b", EntryKind::Opaque), file("a/y", "2")]);
        assert_eq!(shown(&tree), ["a/y 0,1", "b.x 0", "b/new 1", "c 0"]);
        tree.apply(2, vec![of("a", EntryKind::Whiteout), file("a/y", "3"), of("c", EntryKind::Hardlink("b.x".to_owned()))]);
        assert_eq!(shown(&tree), ["a/y 2", "b.x 0", "b/new 1", "c 0,2"]);
    }

    #[test]
    fn a_file_goes_over_a_folder_and_a_folder_over_a_file() {
        let mut tree = Tree::default();
        tree.apply(0, vec![file("a/x", "1"), file("b", "1")]);
        tree.apply(1, vec![of("a", EntryKind::File(None)), of("b", EntryKind::Folder), file("b/x", "2")]);
        assert_eq!(shown(&tree), ["b/x 1"]);
    }

    #[test]
    fn links_stay_below_the_root_and_end() {
        let mut tree = Tree::default();
        tree.apply(0, vec![link("lib", "usr/lib"), file("usr/lib/os", "1"), link("etc/os", "../../../lib/./os"), link("all", "/")]);
        assert_eq!(tree.resolve("etc/os").as_deref(), Some("usr/lib/os"));
        assert_eq!(tree.resolve("all/all/all/lib/os").as_deref(), Some("usr/lib/os"));
        tree.apply(1, vec![file("lib/new", "1"), link("l", "l"), link("m", "n/m"), link("n", "m")]);
        assert!(tree.file("usr/lib/new").is_some());
        assert_eq!(tree.resolve("l"), None);
        assert_eq!(tree.resolve("m"), None);
    }
}
