//! Where the parts of an image lie: a folder, a tar archive whose files are found once and read in place, or a registry.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{ImageError, words};
use crate::unpack::below_root;

/// Files of an archive; an image of a thousand layers in the old form has some three thousand.
const MAX_FILES: usize = 100_000;
/// Links to links; `docker save` writes one.
const MAX_LINKS: usize = 8;

/// An image in a registry. What it hands out is checked like what lies in a file.
pub trait Remote: Send + Sync {
    /// The image's reference, as people write it.
    fn reference(&self) -> &str;

    /// The manifest or index of a digest (`sha256:…`), or the one that the reference names.
    ///
    /// # Errors
    /// The registry has none, or does not hand it out.
    fn manifest(&self, digest: Option<&str>) -> std::io::Result<Vec<u8>>;

    /// Starts to read a layer or a configuration, and tells how many bytes it has; 0 where the registry does not say.
    ///
    /// # Errors
    /// The registry has none, or does not hand it out.
    fn blob(&self, digest: &str) -> std::io::Result<(Box<dyn Read + Send>, u64)>;
}

/// A place with the parts of images.
pub(super) struct Store {
    shown: String,
    from: From,
}

enum From {
    Folder(PathBuf),
    Archive(Archive, BTreeMap<String, Place>),
    /// With the manifest that the reference names: registries count how often they are asked for one.
    Registry(Arc<dyn Remote>, Vec<u8>),
}

enum Archive {
    File(PathBuf),
    Bytes(Arc<[u8]>),
}

enum Place {
    /// First byte and length.
    Bytes(u64, u64),
    /// `docker save` writes a layer that two images share once, and links to it.
    Link(String),
}

/// A source of bytes that can be read from anywhere.
trait Seekable: Read + Seek + Send {}
impl<T: Read + Seek + Send> Seekable for T {}

impl Store {
    /// Opens a folder or a tar archive.
    pub(super) fn open(path: &Path) -> Result<Self, ImageError> {
        let shown = path.display().to_string();
        if path.is_dir() {
            return Ok(Self { shown, from: From::Folder(path.to_owned()) });
        }
        Self::index(shown, Archive::File(path.to_owned()))
    }

    /// Opens a tar archive in memory.
    pub(super) fn of_bytes(shown: &str, bytes: Arc<[u8]>) -> Result<Self, ImageError> {
        Self::index(shown.to_owned(), Archive::Bytes(bytes))
    }

    /// Asks a registry for what an image's reference names.
    pub(super) fn remote(remote: Arc<dyn Remote>) -> Result<Self, ImageError> {
        let shown = remote.reference().to_owned();
        let root = remote.manifest(None).map_err(|source| ImageError::Unreadable { path: shown.clone(), source })?;
        Ok(Self { shown, from: From::Registry(remote, root) })
    }

    fn index(shown: String, archive: Archive) -> Result<Self, ImageError> {
        let no_image = |why: &str| ImageError::NoImage { path: shown.clone(), why: why.to_owned() };
        let unreadable = |source| ImageError::Unreadable { path: shown.clone(), source };
        let mut reader = archive.reader().map_err(unreadable)?;
        let mut head = [0; 4];
        if reader.read_exact(&mut head).is_ok() && (head.starts_with(&[0x1f, 0x8b]) || head == [0x28, 0xb5, 0x2f, 0xfd]) {
            return Err(no_image("it is compressed as a whole; unpack it with gunzip or zstd -d first, its layers may stay compressed"));
        }
        let length = reader.seek(SeekFrom::End(0)).map_err(unreadable)?;
        reader.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let mut places = BTreeMap::new();
        let mut tar = tar::Archive::new(reader);
        // Long names are not followed: nothing that belongs to an image has one.
        for entry in tar.entries_with_seek().map_err(unreadable)?.raw(true) {
            let entry = entry.map_err(|error| no_image(&format!("it is no whole tar archive: {}", words(&error))))?;
            if places.len() >= MAX_FILES {
                return Err(no_image("it holds too many files"));
            }
            let Some(path) = below_root(&entry.path_bytes()) else { continue };
            // What is passed over with a seek may lie beyond the end.
            if entry.raw_file_position().checked_add(entry.size()).is_none_or(|end| end > length) {
                return Err(no_image(&format!("it ends in the middle of `{path}`, so it was not written or copied as a whole")));
            }
            match entry.header().entry_type() {
                tar::EntryType::Regular | tar::EntryType::Continuous => {
                    places.insert(path, Place::Bytes(entry.raw_file_position(), entry.size()));
                }
                tar::EntryType::Symlink => {
                    let target = entry.link_name_bytes().map(|target| String::from_utf8_lossy(&target).into_owned()).unwrap_or_default();
                    places.insert(path, Place::Link(target));
                }
                _ => {}
            }
        }
        Ok(Self { shown, from: From::Archive(archive, places) })
    }

    /// Path of the whole, for people.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Whether there is such a file.
    pub(super) fn has(&self, name: &str) -> bool {
        match &self.from {
            From::Folder(folder) => below_root(name.as_bytes()).is_some_and(|name| folder.join(name).is_file()),
            From::Archive(_, places) => places.contains_key(name),
            From::Registry(..) => false,
        }
    }

    /// What the reference names, in a registry.
    pub(super) fn root(&self) -> Option<&[u8]> {
        match &self.from {
            From::Registry(_, root) => Some(root),
            From::Folder(_) | From::Archive(..) => None,
        }
    }

    /// The bytes of a manifest or an index, of at most `limit`.
    pub(super) fn manifest(&self, hex: &str, limit: u64) -> Result<Vec<u8>, ImageError> {
        let From::Registry(remote, root) = &self.from else { return self.bytes(&blob_path(hex), limit) };
        if format!("{:x}", Sha256::digest(root)) == hex {
            return Ok(root.clone());
        }
        let path = || format!("{}@sha256:{hex}", self.shown);
        remote.manifest(Some(&format!("sha256:{hex}"))).map_err(|source| ImageError::Unreadable { path: path(), source })
    }

    /// Opens a file, and tells how long it is.
    pub(super) fn open_file(&self, name: &str) -> Result<(Box<dyn Read + Send>, u64), ImageError> {
        let unreadable = |source| ImageError::Unreadable { path: format!("{}!/{name}", self.shown), source };
        let missing = || unreadable(std::io::Error::new(std::io::ErrorKind::NotFound, "the image lacks this file"));
        match &self.from {
            From::Folder(folder) => {
                let path = folder.join(below_root(name.as_bytes()).ok_or_else(missing)?);
                // A link could lead to any file of the machine.
                let metadata = fs::symlink_metadata(&path).map_err(unreadable)?;
                if !metadata.is_file() {
                    return Err(unreadable(std::io::Error::other("it is no regular file")));
                }
                Ok((Box::new(BufReader::with_capacity(BUFFER, File::open(&path).map_err(unreadable)?)), metadata.len()))
            }
            From::Archive(archive, places) => {
                let mut name = name.to_owned();
                for _ in 0..MAX_LINKS {
                    match places.get(&name).ok_or_else(missing)? {
                        Place::Link(target) => name = target_of(&name, target).ok_or_else(missing)?,
                        Place::Bytes(start, length) => {
                            let mut reader = archive.reader().map_err(unreadable)?;
                            reader.seek(SeekFrom::Start(*start)).map_err(unreadable)?;
                            return Ok((Box::new(BufReader::with_capacity(BUFFER, reader.take(*length))), *length));
                        }
                    }
                }
                Err(missing())
            }
            From::Registry(remote, _) => {
                remote.blob(&format!("sha256:{}", name.strip_prefix(BLOBS).ok_or_else(missing)?)).map_err(unreadable)
            }
        }
    }

    /// The bytes of a file, of at most `limit`.
    pub(super) fn bytes(&self, name: &str, limit: u64) -> Result<Vec<u8>, ImageError> {
        let damaged = |why: String| ImageError::Damaged { what: name.to_owned(), why };
        let (reader, length) = self.open_file(name)?;
        if length > limit {
            return Err(damaged(format!("it is larger than {limit} bytes")));
        }
        let mut bytes = Vec::new();
        reader.take(limit).read_to_end(&mut bytes).map_err(|error| damaged(error.to_string()))?;
        Ok(bytes)
    }
}

/// Folder of an image's parts, each called by its digest.
const BLOBS: &str = "blobs/sha256/";

/// Where the part with a digest lies.
pub(super) fn blob_path(hex: &str) -> String {
    format!("{BLOBS}{hex}")
}

/// Bytes that are read at once.
const BUFFER: usize = 256 << 10;

impl Archive {
    fn reader(&self) -> std::io::Result<Box<dyn Seekable>> {
        Ok(match self {
            Self::File(path) => Box::new(File::open(path)?),
            Self::Bytes(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
        })
    }
}

/// A link's target, from the folder of the link.
fn target_of(link: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = link.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
