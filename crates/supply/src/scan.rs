//! A tree of files → its packages.
//!
//! Every file that names packages is read on its own; files that declare dependencies without a lock file are counted as skipped.
//! Archives are opened in memory, and Dockerfiles are read on the way.
//! The file system is [`crate::load`]'s business: here files come from a function, so archives and images can be scanned the same way.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::sync::Arc;

use bartizan_model::{Diagnostic, FileId, Severity, Sources, Span, path};

use crate::dockerfile;
use crate::ecosystem::EcosystemKind;
use crate::installed::Installed;
use crate::lockfile::{DECLARATIONS, File, Format};
use crate::package::{Found, SkipReason, Skipped};
use crate::sbom::{BillFormat, may_be_bill};
use crate::unpack::archive::{self, Kind};

/// Gives the bytes of a file of the tree, or says why not.
pub type Read<'a> = dyn Fn(&str) -> Result<Vec<u8>, SkipReason> + 'a;

/// Reads the packages of all files, in the order of their paths.
///
/// `paths` are below the root, with `/`. Each file that was read is added to `sources`, for the spans.
pub fn scan(paths: &BTreeSet<String>, read: &Read<'_>, sources: &mut Sources) -> Found {
    scan_files(paths, read, sources, Tree::Repository)
}

/// The same without what asks for packages and does not settle their versions: in an image nobody will install them any more.
pub(crate) fn scan_locks(paths: &BTreeSet<String>, read: &Read<'_>, sources: &mut Sources) -> Found {
    scan_files(paths, read, sources, Tree::Image)
}

/// What the files are of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tree {
    /// Sources of a system, with what is not yet installed, and archives.
    Repository,
    /// What is ready to run.
    Archive,
    /// An image, whose installed packages are read elsewhere.
    Image,
}

fn scan_files(paths: &BTreeSet<String>, read: &Read<'_>, sources: &mut Sources, tree: Tree) -> Found {
    let files = Files { paths, read, sources: RefCell::new(sources), known: RefCell::default() };
    let mut found = Found::default();
    let mut archives = Vec::new();
    let installed_kinds: BTreeSet<EcosystemKind> = match tree {
        Tree::Archive => {
            paths.iter().filter(|path| !is_own(path)).filter_map(|path| Installed::of(path)).map(Installed::ecosystem).collect()
        }
        Tree::Repository | Tree::Image => BTreeSet::new(),
    };
    for path in paths {
        if let Some(format) = Format::of(path) {
            // What was asked for says less than what is there.
            if installed_kinds.contains(&format.ecosystem()) {
                continue;
            }
            match files.text(path) {
                Ok((id, text)) => found.append(format.read(&File { id, path, text: &text, other: &|path| files.text(path).ok() })),
                Err(reason) => unread(path, reason, &mut found),
            }
        } else if let Some(installed) = Installed::of(path).filter(|installed| is_read(*installed, path, tree)) {
            match files.text(path) {
                Ok((id, text)) => found.append(installed.read(&File { id, path, text: &text, other: &|_| None })),
                Err(reason) => unread(path, reason, &mut found),
            }
        } else if tree != Tree::Repository {
        } else if dockerfile::is_dockerfile(path) {
            match files.text(path) {
                Ok((id, text)) => {
                    let (dockerfile, mut diagnostics) = dockerfile::read(path, id, &text);
                    found.dockerfiles.push(dockerfile);
                    found.diagnostics.append(&mut diagnostics);
                }
                Err(reason) => unread(path, reason, &mut found),
            }
        } else if let Some(kind) = Kind::of(path).filter(|_| !WRAPPERS.iter().any(|wrapper| path.ends_with(wrapper))) {
            archives.push((path, kind));
        } else if let Some(locks) = declaration(path)
            && !has_lock(path, locks, paths)
        {
            match files.text(path) {
                Ok((id, text)) if declares(path, &text) => {
                    let reason = SkipReason::NoLockFile;
                    found.skipped.push(Skipped { what: path.clone(), span: Some(Span::new(id, 0..0)), reason });
                }
                Ok(_) => {}
                Err(reason) => unread(path, reason, &mut found),
            }
        } else if paths.len() == 1 || may_be_bill(path) {
            match files.bill(path) {
                Ok(None) => {}
                Ok(Some((format, id, text))) => found.append(format.read(&File { id, path, text: &text, other: &|_| None })),
                // Most files of these endings are no bills, so only what is named like one is missed.
                Err(reason) if paths.len() == 1 || is_named_bill(path) => unread(path, reason, &mut found),
                Err(_) => {}
            }
        }
    }
    for (path, kind) in archives {
        found.append(scan_archive(path, kind, read, sources));
    }
    found
}

/// Archives of build tools that start other versions of themselves, and are no part of what is built.
const WRAPPERS: &[&str] = &["gradle/wrapper/gradle-wrapper.jar", ".mvn/wrapper/maven-wrapper.jar"];

/// Whether a description is the system's own rather than of a package that it installed.
fn is_own(path: &str) -> bool {
    path.ends_with("/package.json") && !path.contains("/node_modules/")
}

/// Of what is installed in a repository, folders of Python packages are what is shipped as it lies there; the rest is told by lock files.
fn is_read(installed: Installed, path: &str, tree: Tree) -> bool {
    match tree {
        Tree::Repository => installed == Installed::PythonMetadata && path.ends_with(".dist-info/METADATA"),
        Tree::Archive => true,
        Tree::Image => false,
    }
}

/// Reads what an archive of the repository ships; paths in it go on after `!/`.
fn scan_archive(path: &str, kind: Kind, read: &Read<'_>, sources: &mut Sources) -> Found {
    let mut found = Found::default();
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(reason) => {
            unread(path, reason, &mut found);
            return found;
        }
    };
    let contents = archive::read(Cursor::new(bytes), kind);
    for problem in contents.problems {
        unread(&format!("{path}{}", problem.path), problem.reason, &mut found);
    }
    let mut texts: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for inner in contents.texts {
        texts.entry(format!("{path}{}", inner.path)).or_insert(inner.text);
    }
    let paths: BTreeSet<String> = texts.keys().cloned().collect();
    let read = |path: &str| texts.get(path).cloned().ok_or_else(|| SkipReason::Unreadable("no such file".to_owned()));
    found.append(scan_files(&paths, &read, sources, Tree::Archive));
    found
}

/// Names that the standards recommend for bills.
fn is_named_bill(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name, "bom.json" | "bom.xml") || [".cdx.json", ".cdx.xml", ".spdx", ".spdx.json"].iter().any(|ending| name.ends_with(ending))
}

fn unread(path: &str, reason: SkipReason, found: &mut Found) {
    let message = format!("`{path}` is not scanned: {reason}");
    found.diagnostics.push(Diagnostic::new("supply/unread", Severity::Error, message, None));
    found.skipped.push(Skipped { what: path.to_owned(), span: None, reason });
}

/// Files by path, each read and added to the sources once.
struct Files<'a> {
    paths: &'a BTreeSet<String>,
    read: &'a Read<'a>,
    sources: RefCell<&'a mut Sources>,
    known: RefCell<BTreeMap<String, (FileId, Arc<str>)>>,
}

impl Files<'_> {
    fn text(&self, path: &str) -> Result<(FileId, Arc<str>), SkipReason> {
        if let Some(known) = self.known.borrow().get(path) {
            return Ok(known.clone());
        }
        if !self.paths.contains(path) {
            return Err(SkipReason::Unreadable("no such file".to_owned()));
        }
        let text: Arc<str> = decode((self.read)(path)?)?.into();
        Ok(self.keep(path, text))
    }

    /// A file that is a bill of materials; others are not kept.
    fn bill(&self, path: &str) -> Result<Option<(BillFormat, FileId, Arc<str>)>, SkipReason> {
        let text = decode((self.read)(path)?)?;
        let Some(format) = BillFormat::of(&text) else { return Ok(None) };
        let (id, text) = self.keep(path, text.into());
        Ok(Some((format, id, text)))
    }

    fn keep(&self, path: &str, text: Arc<str>) -> (FileId, Arc<str>) {
        let id = self.sources.borrow_mut().add(path, Arc::clone(&text));
        self.known.borrow_mut().insert(path.to_owned(), (id, Arc::clone(&text)));
        (id, text)
    }
}

/// UTF-8, or UTF-16 with its mark, which Windows shells write, or XML that says it is Latin-1, as older project files of Maven do.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<String, SkipReason> {
    let not_text = || SkipReason::Unreadable("it is neither UTF-8 nor UTF-16".to_owned());
    let units = |read: fn([u8; 2]) -> u16| -> Vec<u16> {
        bytes
            .get(2..)
            .unwrap_or_default()
            .chunks(2)
            .map(|pair| read([pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)]))
            .collect()
    };
    match bytes.as_slice() {
        [0xFF, 0xFE, ..] => String::from_utf16(&units(u16::from_le_bytes)).map_err(|_| not_text()),
        [0xFE, 0xFF, ..] => String::from_utf16(&units(u16::from_be_bytes)).map_err(|_| not_text()),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8(rest.to_vec()).map_err(|_| not_text()),
        _ => String::from_utf8(bytes).or_else(|error| {
            let bytes = error.into_bytes();
            // Each of its bytes is the character of that number.
            if is_latin_1(&bytes) { Ok(bytes.into_iter().map(char::from).collect()) } else { Err(not_text()) }
        }),
    }
}

/// Whether an XML declaration names ISO 8859-1. Source: W3C, "Extensible Markup Language 1.0", section 4.3.3.
fn is_latin_1(bytes: &[u8]) -> bool {
    let declaration = bytes.strip_prefix(b"<?xml").and_then(|rest| rest.get(..rest.iter().position(|byte| *byte == b'>')?));
    let declaration = declaration.map(|of| String::from_utf8_lossy(of).to_ascii_lowercase()).unwrap_or_default();
    ["iso-8859-1", "latin1"]
        .iter()
        .any(|name| [format!("\"{name}\""), format!("'{name}'")].iter().any(|quoted| declaration.contains(quoted)))
}

fn declaration(path: &str) -> Option<&'static [&'static str]> {
    let name = path.rsplit('/').next().unwrap_or(path);
    DECLARATIONS.iter().find(|(declaration, _)| *declaration == name).map(|(_, locks)| *locks)
}

/// Whether one of the lock files lies beside a declaration or above it, where a workspace keeps it.
fn has_lock(path: &str, locks: &[&str], paths: &BTreeSet<String>) -> bool {
    let mut folder = path::folder(path);
    loop {
        let beside = |lock: &&str| paths.contains(&if folder.is_empty() { (*lock).to_owned() } else { format!("{folder}/{lock}") });
        if locks.iter().any(beside) {
            return true;
        }
        if folder.is_empty() {
            return false;
        }
        folder = path::folder(folder);
    }
}

/// Whether a file declares a dependency at all; where that is hard to tell, it does.
fn declares(path: &str, text: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name {
        "package.json" | "composer.json" => {
            let Ok(value) = serde_json::from_str::<serde_json::Value>(text) else { return true };
            ["dependencies", "devDependencies", "optionalDependencies", "require", "require-dev"].iter().any(|key| {
                let names = value.get(key).and_then(serde_json::Value::as_object);
                // `php` and `ext-…` are the platform, which Composer does not install.
                names.is_some_and(|names| names.keys().any(|name| name.contains('/') || !key.starts_with("require")))
            })
        }
        "Gemfile" | "gems.rb" => text.lines().any(|line| line.trim_start().starts_with("gem ") || line.trim_start().starts_with("gem(")),
        "build.gradle" | "build.gradle.kts" | "Cargo.toml" | "pyproject.toml" => text.contains("dependencies"),
        _ => text.contains("packages]"),
    }
}
