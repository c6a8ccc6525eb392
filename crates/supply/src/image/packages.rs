//! A root file system → its packages: those of the distribution, and those of languages that the distribution did not bring itself.
//!
//! What the distribution's package manager owns is judged as its package: it mends such files without a new version of the upstream package, and its
//! advisories know. Lock files count where nothing that they name is installed: a program that was put together elsewhere left only its list.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bartizan_model::{Diagnostic, FileId, Severity, Sources};

use super::layer::{self, Asked, Limits, Read};
use super::manifest::Plan;
use super::store::Store;
use super::tree::{Late, Tree, Version};
use super::wanted::{DPKG_ENTRIES, DPKG_LISTS, RECORDS, RELEASES};
use super::{Image, ImageError};
use crate::distribution::{Manager, Release, apk, dpkg, rpm};
use crate::ecosystem::{Ecosystem, EcosystemKind};
use crate::installed::Installed;
use crate::lockfile::{File, Format};
use crate::package::{Found, Package, SkipReason, Skipped};
use crate::scan;
use crate::unpack::{Inner, Problem};

/// What a text of the image is read as.
#[derive(Clone)]
enum Reader {
    Records(Manager, Ecosystem),
    Installed(Installed),
}

impl Reader {
    fn read(&self, file: &File<'_>) -> Found {
        match self {
            Self::Records(Manager::Dpkg, ecosystem) => dpkg::read(file, ecosystem),
            Self::Records(Manager::Apk, ecosystem) => apk::read(file, ecosystem),
            Self::Records(Manager::Rpm, ecosystem) => rpm::read(file, ecosystem),
            Self::Installed(installed) => installed.read(file),
        }
    }
}

/// Applies the layers and reads what the image holds in the end.
pub(super) fn read(shown: &str, store: &Store, plan: Plan, layers: Vec<Read>, sources: &mut Sources) -> Result<Found, ImageError> {
    let mut found = Found::default();
    let mut tree = Tree::default();
    let mut problems: Vec<(usize, Problem)> = Vec::new();
    for (index, layer) in layers.into_iter().enumerate() {
        problems.extend(layer.problems.into_iter().map(|problem| (index, problem)));
        tree.apply(index, layer.entries);
    }
    late(store, &plan, &mut tree, &mut problems)?;
    for (_, problem) in problems {
        refused(shown, problem, &mut found);
    }

    let release = RELEASES.iter().find_map(|path| text_of(tree.file(path)?.1)).map(|text| Release::read(&text)).unwrap_or_default();
    let mut context = Context { shown, plan: &plan, sources, found };
    let records = records(&tree);
    let owned = owned(&tree, &records);
    for (path, manager) in &records {
        if let Some((path, versions)) = tree.file(path) {
            context.add(&path, versions, &|inner| (inner != "!/files").then(|| Reader::Records(*manager, release.ecosystem(*manager))));
        }
    }
    let mut installed_in: BTreeMap<EcosystemKind, Vec<String>> = BTreeMap::new();
    let mut locks = BTreeMap::new();
    let is_record: BTreeSet<&str> = records.iter().map(|(path, _)| path.as_str()).collect();
    for (path, versions) in tree.files() {
        if is_record.contains(path) || path.starts_with(DPKG_LISTS) {
            continue;
        }
        if Format::of(path).is_some() || path.ends_with("go.sum") {
            locks.insert(path.to_owned(), versions);
        }
        if owned.contains(path) {
            continue;
        }
        for package in context.add(path, versions, &|inner| Installed::of(&format!("{path}{inner}")).map(Reader::Installed)) {
            installed_in.entry(package).or_default().push(path.to_owned());
        }
    }
    context.add_locks(&locks, &installed_in);

    let Context { mut found, .. } = context;
    found.images.push(Image {
        path: shown.to_owned(),
        tags: plan.tags,
        platform: plan.platform,
        distribution: release.name,
        user: plan.user,
        layers: plan.described,
    });
    Ok(found)
}

fn refused(shown: &str, problem: Problem, found: &mut Found) {
    let path = format!("{shown}!/{}", problem.path);
    let message = format!("`{path}` is not scanned: {}", problem.reason);
    found.diagnostics.push(Diagnostic::new("supply/image-file", Severity::Error, message, None));
    found.skipped.push(Skipped { what: path, span: None, reason: problem.reason });
}

/// Reads what links showed to be wanted after its layer had been read, and databases that have a log beside them. What was said of these files is said
/// anew.
fn late(store: &Store, plan: &Plan, tree: &mut Tree, problems: &mut Vec<(usize, Problem)>) -> Result<(), ImageError> {
    let mut wanted: BTreeMap<usize, Vec<Late>> = BTreeMap::new();
    let by_path = RECORDS.iter().map(|(path, _)| path).chain(RELEASES).filter_map(|link| {
        let (path, versions) = tree.file(link)?;
        let journal = tree.file(&format!("{path}-wal")).filter(|(_, versions)| bytes_of(versions).is_some()).map(|(journal, _)| journal);
        let last = versions.last().filter(|version| version.texts.is_none() || journal.is_some())?;
        let (layer, target) = last.same.clone().unwrap_or_else(|| (last.layer, path.clone()));
        Some(Late { layer, path: target, link: (*link).to_owned(), node: path, journal })
    });
    for late in by_path.chain(tree.late.iter().cloned()).collect::<BTreeSet<_>>() {
        wanted.entry(late.layer).or_default().push(late);
    }
    for (index, wanted) in wanted {
        let Some(blob) = plan.layers.get(index) else { continue };
        let journal = |late: &Late| late.journal.as_ref().and_then(|path| tree.file(path)).map(|(_, versions)| versions);
        let asked: Vec<Asked> = wanted
            .iter()
            .map(|late| {
                let journal = journal(late).and_then(bytes_of).unwrap_or_default().to_owned();
                Asked { path: late.path.clone(), link: late.link.clone(), journal }
            })
            .collect();
        let last: Vec<usize> =
            wanted.iter().map(|late| journal(late).and_then(<[Version]>::last).map_or(0, |version| version.layer)).collect();
        let read = layer::read(store, blob, &Limits::default(), &asked)?;
        let is_asked = |path: &str| asked.iter().any(|asked| asked.path == path);
        problems.retain(|(layer, problem)| *layer != index || !is_asked(&problem.path));
        problems.extend(read.problems.into_iter().filter(|problem| is_asked(&problem.path)).map(|problem| (index, problem)));
        for entry in read.entries {
            if let layer::EntryKind::File(Some(texts)) = entry.kind {
                for (late, layer) in wanted.iter().zip(&last).filter(|(late, _)| late.path == entry.path) {
                    tree.keep(&late.node, *layer, texts.clone());
                }
            }
        }
    }
    Ok(())
}

fn bytes_of(versions: &[Version]) -> Option<&[u8]> {
    let inner = versions.last()?.texts.as_ref()?.first()?;
    Some(&inner.text)
}

fn text_of(versions: &[Version]) -> Option<String> {
    Some(String::from_utf8_lossy(bytes_of(versions)?).into_owned())
}

/// The records of package managers, each once although several paths lead to it.
fn records(tree: &Tree) -> Vec<(String, Manager)> {
    let mut records: Vec<(String, Manager)> = Vec::new();
    let single = tree.files_below(DPKG_ENTRIES).filter(|(path, _)| !path.ends_with(".md5sums"));
    let all = RECORDS.iter().filter_map(|(path, manager)| Some((tree.file(path)?.0, *manager)));
    for record in all.chain(single.map(|(path, _)| (path.to_owned(), Manager::Dpkg))) {
        if !records.contains(&record) {
            records.push(record);
        }
    }
    records
}

/// Files that packages of the distribution own.
fn owned(tree: &Tree, records: &[(String, Manager)]) -> BTreeSet<String> {
    let mut owned = BTreeSet::new();
    let mut add = |path: &str| {
        owned.insert(tree.parent_resolved(path.trim_start_matches('/')));
    };
    let lists = tree.files_below(DPKG_LISTS).chain(tree.files_below(DPKG_ENTRIES).filter(|(path, _)| path.ends_with(".md5sums")));
    for text in lists.filter_map(|(_, versions)| text_of(versions)) {
        text.lines().for_each(&mut add);
    }
    for (path, manager) in records {
        let Some((_, versions)) = tree.file(path) else { continue };
        match manager {
            Manager::Apk => text_of(versions).iter().flat_map(|text| apk::files(text)).for_each(|path| add(&path)),
            Manager::Rpm => {
                let texts = versions.last().and_then(|version| version.texts.as_ref());
                for inner in texts.iter().flat_map(|texts| texts.iter()).filter(|inner| inner.path == "!/files") {
                    String::from_utf8_lossy(&inner.text).lines().for_each(&mut add);
                }
            }
            Manager::Dpkg => {}
        }
    }
    owned
}

struct Context<'a> {
    shown: &'a str,
    plan: &'a Plan,
    sources: &'a mut Sources,
    found: Found,
}

impl Context<'_> {
    /// Adds the packages of a file of the image, and gives the ecosystems that they are of.
    fn add(&mut self, path: &str, versions: &[Version], reader: &dyn Fn(&str) -> Option<Reader>) -> BTreeSet<EcosystemKind> {
        let mut kinds = BTreeSet::new();
        let texts = versions.last().and_then(|version| version.texts.clone());
        for inner in texts.iter().flat_map(|texts| texts.iter()) {
            let Some(reader) = reader(&inner.path) else { continue };
            let full = format!("{}!/{path}{}", self.shown, inner.path);
            let text: Arc<str> = String::from_utf8_lossy(&inner.text).into();
            let id = self.sources.add(full.clone(), Arc::clone(&text));
            let read = |id, text: &str| reader.read(&File { id, path: &full, text, other: &|_| None });
            let mut found = read(id, &text);
            let layers = layers(&found.packages, versions, &inner.path, &|text| read(FileId(0), text).packages);
            for (package, layer) in found.packages.iter_mut().zip(layers) {
                package.layer = self.plan.described.get(layer).map(|layer| layer.digest.clone());
                kinds.insert(package.ecosystem.kind);
            }
            self.found.append(found);
        }
        kinds
    }

    /// Adds the packages of lock files of which nothing is installed: below their folder, where packages are installed beside what asks for them,
    /// else anywhere.
    fn add_locks(&mut self, locks: &BTreeMap<String, &[Version]>, installed_in: &BTreeMap<EcosystemKind, Vec<String>>) {
        let is_needed = |path: &&String| {
            let Some(kind) = Format::of(path).map(Format::ecosystem) else { return true };
            let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
            let is_beside = matches!(kind, EcosystemKind::NPM | EcosystemKind::PACKAGIST);
            let beside = |installed: &String| {
                installed.strip_prefix(&folder).is_some_and(|below| below.starts_with("node_modules/") || below.starts_with("vendor/"))
            };
            !installed_in.get(&kind).is_some_and(|installed| !is_beside || installed.iter().any(beside))
        };
        let full = |path: &String| format!("{}!/{path}", self.shown);
        let paths: BTreeSet<String> = locks.keys().filter(is_needed).map(full).collect();
        let by_path: BTreeMap<String, &[Version]> = locks.iter().map(|(path, versions)| (full(path), *versions)).collect();
        let read = |path: &str| {
            let inner: Option<&Inner> = by_path.get(path).and_then(|versions| versions.last()?.texts.as_ref()?.first());
            inner.map(|inner| inner.text.clone()).ok_or_else(|| SkipReason::Unreadable("the layer keeps no text of it".to_owned()))
        };
        let mut found = scan::scan_locks(&paths, &read, self.sources);
        for package in &mut found.packages {
            let versions = by_path.get(self.sources.path(package.span));
            let layer = versions.and_then(|versions| versions.last()).map(|version| version.layer);
            package.layer = layer.and_then(|layer| self.plan.described.get(layer)).map(|layer| layer.digest.clone());
        }
        self.found.append(found);
    }
}

/// For each package the lowest layer from which on the file has always named it.
fn layers(packages: &[Package], versions: &[Version], inner: &str, read: &dyn Fn(&str) -> Vec<Package>) -> Vec<usize> {
    let Some((last, before)) = versions.split_last() else { return Vec::new() };
    let mut layers = vec![last.layer; packages.len()];
    let mut open: Vec<usize> = (0..packages.len()).collect();
    for version in before.iter().rev() {
        if open.is_empty() {
            break;
        }
        let texts = version.texts.iter().flat_map(|texts| texts.iter()).filter(|text| text.path == inner);
        let named: BTreeSet<(String, String)> =
            texts.flat_map(|text| read(&String::from_utf8_lossy(&text.text))).map(|package| (package.name, package.version)).collect();
        open.retain(|index| packages.get(*index).is_some_and(|package| named.contains(&(package.name.clone(), package.version.clone()))));
        for index in &open {
            if let Some(layer) = layers.get_mut(*index) {
                *layer = version.layer;
            }
        }
    }
    layers
}
