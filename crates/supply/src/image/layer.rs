//! One layer: a tar archive, read once from start to end, of which little is kept.

use std::io::Read as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use tar::EntryType;

use super::manifest::{Check, LayerBlob};
use super::store::Store;
use super::stream::{Hash, Hashing, content};
use super::wanted::{Wanted, is_worth_owning, wanted};
use super::{ImageError, words};
use crate::package::SkipReason;
use crate::unpack::archive::{self, Kind};
use crate::unpack::{Inner, Problem, below_root, elf, rpm};

/// Files of all layers; the largest images have some hundred thousands.
const MAX_ENTRIES: usize = 1_000_000;
/// Bytes of all their paths.
const MAX_PATH_BYTES: u64 = 128 << 20;
/// What is kept of all layers.
const MAX_KEPT_BYTES: u64 = 128 << 20;
/// A longer text names no packages that a person could look at.
const MAX_TEXT_BYTES: u64 = 32 << 20;
/// rpm writes its log back at the end of each transaction, and SQLite from 4 MB on.
const MAX_JOURNAL_BYTES: u64 = 64 << 20;
/// Binaries, databases and archives are looked through in memory.
const MAX_BINARY_BYTES: u64 = 192 << 20;
/// Only one of this size is in memory at a time.
const LARGE_BYTES: u64 = 16 << 20;
/// A name that has its own entry; Linux refuses paths of more than 4,096 bytes.
const MAX_NAME_BYTES: u64 = 64 << 10;
/// Attributes of one file in extended headers; file systems stop at 64 KiB for each, and there are few.
const MAX_EXTENDED_BYTES: u64 = 1 << 20;
/// Problems of one kind that are told one by one.
const MAX_PROBLEMS: usize = 20;
/// A program has a header at least.
const MIN_BINARY_BYTES: u64 = 64;

/// What all layers of an image share.
#[derive(Default)]
pub(super) struct Limits {
    n_entries: AtomicUsize,
    n_path_bytes: AtomicU64,
    n_kept_bytes: AtomicU64,
    large: Mutex<()>,
}

/// A file that is kept although its path does not say why, or that is read anew.
pub(super) struct Asked {
    /// Its path in the layer.
    pub(super) path: String,
    /// The path that says why: a link's, or its own.
    pub(super) link: String,
    /// The write-ahead log that belongs to it; mostly empty.
    pub(super) journal: Vec<u8>,
}

/// A layer that was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// In the order of the archive.
    pub(super) entries: Vec<Entry>,
    pub(super) problems: Vec<Problem>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) path: String,
    pub(super) kind: EntryKind,
}

#[derive(Debug)]
pub(super) enum EntryKind {
    Folder,
    /// `None` where nothing of it is kept.
    File(Option<Vec<Inner>>),
    /// What it leads to, as written.
    Symlink(String),
    /// Another name of a file.
    Hardlink(String),
    /// What lower layers have at the path is gone.
    Whiteout,
    /// What lower layers have below the path is gone.
    Opaque,
}

/// Reads a layer.
pub(super) fn read(store: &Store, blob: &LayerBlob, limits: &Limits, asked: &[Asked]) -> Result<Read, ImageError> {
    let damaged = |error: std::io::Error| ImageError::Damaged { what: blob.file.clone(), why: words(&error) };
    let (reader, length) = store.open_file(&blob.file)?;
    let hash = Hash::default();
    let (stream, expected): (Box<dyn std::io::Read + '_>, _) = match &blob.check {
        Check::Blob(expected) => {
            let hashing = Hashing { inner: reader, hash: hash.clone() };
            (content(hashing, length).map_err(damaged)?, expected)
        }
        Check::Content(expected) => {
            let inner = content(reader, length).map_err(damaged)?;
            (Box::new(Hashing { inner, hash: hash.clone() }), expected)
        }
    };
    let mut archive = tar::Archive::new(stream);
    let read = entries(&mut archive, limits, asked).map_err(damaged)?;
    // What follows the archive belongs to the digest. A blob whose decoder stops early keeps bytes back, and its digest tells.
    std::io::copy(&mut archive.into_inner(), &mut std::io::sink()).map_err(damaged)?;
    if hash.hex() != *expected {
        return Err(damaged(std::io::Error::other("its content has another digest")));
    }
    Ok(read)
}

fn entries<R: std::io::Read>(archive: &mut tar::Archive<R>, limits: &Limits, asked: &[Asked]) -> std::io::Result<Read> {
    let mut read = Read::default();
    let (mut long_path, mut long_link): (Option<Vec<u8>>, Option<Vec<u8>>) = (None, None);
    let mut is_sparse = false;
    // Raw, because otherwise names of any length would be taken into memory.
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        match kind {
            EntryType::GNULongName => {
                long_path = Some(name(&mut entry)?);
                continue;
            }
            EntryType::GNULongLink => {
                long_link = Some(name(&mut entry)?);
                continue;
            }
            EntryType::XHeader => {
                let bytes = all(&mut entry, MAX_EXTENDED_BYTES)?.ok_or_else(|| std::io::Error::other("a header is too large"))?;
                for extension in tar::PaxExtensions::new(&bytes).flatten() {
                    match extension.key_bytes() {
                        b"path" => long_path = Some(extension.value_bytes().to_vec()),
                        b"linkpath" => long_link = Some(extension.value_bytes().to_vec()),
                        key => is_sparse |= key.starts_with(b"GNU.sparse."),
                    }
                }
                continue;
            }
            EntryType::XGlobalHeader => continue,
            _ => {}
        }
        let path = long_path.take().unwrap_or_else(|| entry.path_bytes().into_owned());
        let link = long_link.take().or_else(|| entry.link_name_bytes().map(std::borrow::Cow::into_owned)).unwrap_or_default();
        let is_sparse = std::mem::take(&mut is_sparse) || kind == EntryType::GNUSparse;
        if limits.n_entries.fetch_add(1, Ordering::Relaxed) >= MAX_ENTRIES
            || limits.n_path_bytes.fetch_add((path.len() + link.len()) as u64, Ordering::Relaxed) >= MAX_PATH_BYTES
        {
            return Err(std::io::Error::other("the image holds too many files"));
        }
        let Some(path) = below_root(&path) else {
            let shown = words(&String::from_utf8_lossy(&path));
            read.refuse(shown, SkipReason::Unreadable("its path is absolute or leads out of the image".to_owned()));
            continue;
        };
        if path.is_empty() {
            continue;
        }
        if let Some(entry) = whiteout(&path) {
            read.entries.extend(entry);
            continue;
        }
        let kind = match kind {
            EntryType::Directory => EntryKind::Folder,
            EntryType::Symlink => EntryKind::Symlink(String::from_utf8_lossy(&link).into_owned()),
            EntryType::Link => match below_root(link.strip_prefix(b"/").unwrap_or(&link)) {
                Some(target) => EntryKind::Hardlink(target),
                None => {
                    read.refuse(path, SkipReason::Unreadable("it is a link that leads out of the image".to_owned()));
                    continue;
                }
            },
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let asked = asked.iter().find(|asked| asked.path == path);
                let of = wanted(asked.map_or(&path, |asked| &asked.link));
                if is_sparse && of.is_some() {
                    read.refuse(path, SkipReason::Unreadable("it is kept as a sparse file".to_owned()));
                    continue;
                }
                let journal = asked.map_or(&[][..], |asked| &asked.journal);
                EntryKind::File(file(&path, of, journal, &mut entry, limits, &mut read)?)
            }
            // Nobody's records of packages are a device, a pipe or a socket; what the path had before is gone.
            _ if wanted(&path).is_some() => {
                read.refuse(path, SkipReason::Unreadable("it is a device or a pipe".to_owned()));
                continue;
            }
            _ => EntryKind::File(None),
        };
        read.entries.push(Entry { path, kind });
    }
    Ok(read)
}

impl Read {
    fn refuse(&mut self, path: String, reason: SkipReason) {
        match self.problems.len() {
            MAX_PROBLEMS => self.problems.push(Problem::new("and more files", "as those above")),
            n if n < MAX_PROBLEMS => self.problems.push(Problem { path, reason }),
            _ => {}
        }
    }
}

/// Source: OCI Image Format Specification, "Whiteouts". `None` where the path is none; marks of AUFS itself mean nothing.
fn whiteout(path: &str) -> Option<Option<Entry>> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let name = name.strip_prefix(".wh.")?;
    let entry = match name {
        ".wh..opq" => Some(Entry { path: folder.to_owned(), kind: EntryKind::Opaque }),
        _ if name.starts_with(".wh.") => None,
        _ => {
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            Some(Entry { path, kind: EntryKind::Whiteout })
        }
    };
    Some(entry)
}

/// A name that has its own entry, without the zero at its end.
fn name(entry: &mut impl std::io::Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = all(entry, MAX_NAME_BYTES)?.ok_or_else(|| std::io::Error::other("a name is too long"))?;
    if bytes.last() == Some(&0) {
        bytes.pop();
    }
    Ok(bytes)
}

/// All bytes, or `None` where there are more than `limit`.
fn all(entry: &mut impl std::io::Read, limit: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    entry.take(limit + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes).filter(|bytes| bytes.len() as u64 <= limit))
}

/// What is kept of a regular file.
fn file<R: std::io::Read>(
    path: &str,
    of: Option<Wanted>,
    journal: &[u8],
    entry: &mut tar::Entry<'_, R>,
    limits: &Limits,
    read: &mut Read,
) -> std::io::Result<Option<Vec<Inner>>> {
    let size = entry.size();
    let mut bytes = Vec::new();
    if of.is_none() {
        if size < MIN_BINARY_BYTES {
            return Ok(None);
        }
        entry.take(elf::MAGIC.len() as u64).read_to_end(&mut bytes)?;
        if bytes != elf::MAGIC {
            return Ok(None);
        }
    }
    let limit = match of {
        Some(Wanted::Text | Wanted::DpkgList | Wanted::DpkgDigests) => MAX_TEXT_BYTES,
        Some(Wanted::RpmJournal) => MAX_JOURNAL_BYTES,
        Some(Wanted::RpmDatabase | Wanted::Jar) | None => MAX_BINARY_BYTES,
    };
    if size > limit {
        read.refuse(path.to_owned(), SkipReason::TooLarge);
        return Ok(None);
    }
    // What is held at once stays bounded, however many layers are read side by side.
    let alone = (size > LARGE_BYTES).then(|| limits.large.lock().unwrap_or_else(PoisonError::into_inner));
    bytes.reserve(usize::try_from(size).unwrap_or(0));
    entry.read_to_end(&mut bytes)?;
    let texts = match of {
        Some(Wanted::Text) => vec![Inner { path: String::new(), text: bytes }],
        Some(Wanted::DpkgList) => owned(bytes.split(|byte| *byte == b'\n')),
        Some(Wanted::DpkgDigests) => owned(
            bytes.split(|byte| *byte == b'\n').filter_map(|line| line.iter().position(|byte| *byte == b' ').and_then(|at| line.get(at..))),
        ),
        Some(Wanted::RpmDatabase) => match rpm::texts(&bytes, journal, is_worth_owning) {
            Ok(texts) => texts.into(),
            Err(error) => {
                read.refuse(path.to_owned(), SkipReason::Unreadable(error));
                return Ok(None);
            }
        },
        Some(Wanted::Jar) => {
            let contents = archive::read(std::io::Cursor::new(bytes), Kind::Jar);
            for problem in contents.problems {
                read.refuse(format!("{path}{}", problem.path), problem.reason);
            }
            contents.texts
        }
        Some(Wanted::RpmJournal) if bytes.is_empty() => Vec::new(),
        Some(Wanted::RpmJournal) => vec![Inner { path: "!/journal".to_owned(), text: bytes }],
        None => match elf::texts(&bytes) {
            Ok(texts) => texts,
            Err(error) => {
                read.refuse(path.to_owned(), SkipReason::Unreadable(error));
                return Ok(None);
            }
        },
    };
    drop(alone);
    if texts.is_empty() {
        return Ok(None);
    }
    let n_bytes: usize = texts.iter().map(|text| text.text.len() + text.path.len()).sum();
    if limits.n_kept_bytes.fetch_add(n_bytes as u64, Ordering::Relaxed) > MAX_KEPT_BYTES {
        return Err(std::io::Error::other("the image holds more text about packages than is read"));
    }
    Ok(Some(texts))
}

/// The list of files that a package owns, as far as it matters.
fn owned<'a>(paths: impl Iterator<Item = &'a [u8]>) -> Vec<Inner> {
    let mut text = Vec::new();
    for path in paths.map(<[u8]>::trim_ascii) {
        if std::str::from_utf8(path).is_ok_and(|path| !path.is_empty() && is_worth_owning(path)) {
            text.extend_from_slice(path);
            text.push(b'\n');
        }
    }
    vec![Inner { path: String::new(), text }]
}
