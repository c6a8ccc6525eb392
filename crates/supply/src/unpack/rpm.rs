//! rpm's database: SQLite (`rpmdb.sqlite`) and ndb (`Packages.db`), and the package headers in both.
//!
//! Source: rpm's `lib/header.c`, `lib/backend/sqlite.c`, `lib/backend/ndb/rpmpkg.c`, and its manual's list of tags.

use super::{Inner, sqlite};
use crate::distribution;

/// What a header says of its package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) release: String,
    pub(crate) epoch: Option<u32>,
    pub(crate) arch: String,
    /// File name of the source package.
    pub(crate) source: String,
    /// `name:stream:version:context`, where it is of a module.
    pub(crate) module: String,
    /// Files that it owns.
    files: Vec<String>,
}

/// Paths of one package; the largest real ones (documentation, firmware) have a tenth.
const MAX_FILES_BYTES: usize = 64 << 20;

/// The list of a database's packages and the list of files that they own, as far as `is_wanted` wants them.
///
/// # Errors
/// The file is damaged, in words.
pub(crate) fn texts(bytes: &[u8], is_wanted: impl Fn(&str) -> bool) -> Result<[Inner; 2], String> {
    let (mut packages, mut files, mut n_damaged) = (String::new(), String::new(), 0usize);
    let mut add = |blob: &[u8]| match header(blob) {
        // Keys that are trusted are kept like packages, and are none.
        Some(header) if header.name == "gpg-pubkey" => {}
        Some(header) => {
            packages.push_str(&distribution::rpm::line(&header));
            for file in header.files.iter().filter(|file| is_wanted(file) && !file.contains('\n')) {
                files.push_str(file);
                files.push('\n');
            }
        }
        None => n_damaged += 1,
    };
    if bytes.starts_with(b"SQLite format 3\0") {
        sqlite::blobs(bytes, "Packages", add).map_err(|error| error.to_string())?;
    } else if bytes.starts_with(b"RpmP") {
        ndb(bytes, &mut add).ok_or("it is damaged")?;
    } else {
        return Err("its form is not known; only SQLite and ndb are read".to_owned());
    }
    if n_damaged > 0 {
        return Err(format!("{n_damaged} of its packages are damaged"));
    }
    Ok([Inner { path: "!/packages".to_owned(), text: packages.into() }, Inner { path: "!/files".to_owned(), text: files.into() }])
}

/// Slots of 16 bytes from the third on tell where each package's blob lies, in blocks of 16 bytes.
fn ndb(bytes: &[u8], each: &mut dyn FnMut(&[u8])) -> Option<()> {
    const PAGE: usize = 4096;
    const BLOCK: usize = 16;
    let n_pages = usize::try_from(le(bytes, 12)?).ok()?;
    let slots = bytes.get(2 * BLOCK..n_pages.checked_mul(PAGE)?)?;
    let mut left = bytes.len();
    for slot in slots.chunks_exact(BLOCK) {
        let (index, offset) = (le(slot, 4)?, usize::try_from(le(slot, 8)?).ok()?);
        if !slot.starts_with(b"Slot") {
            return None;
        }
        if index == 0 {
            continue;
        }
        let blob = bytes.get(offset.checked_mul(BLOCK)?..).filter(|blob| blob.starts_with(b"BlbS"))?;
        let length = usize::try_from(le(blob, 12)?).ok()?;
        // Slots that share a blob would make a small file a large one.
        left = left.checked_sub(length)?;
        each(blob.get(BLOCK..BLOCK.checked_add(length)?)?);
    }
    Some(())
}

fn le(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_le_bytes)
}

fn be(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes)
}

/// Two counts, an index of tags (16 bytes each: tag, type, offset, count), and the data that it points into. `None` where it does not fit.
fn header(blob: &[u8]) -> Option<Header> {
    const ENTRY: usize = 16;
    let n_entries = be(blob, 0)? as usize;
    let index = blob.get(8..n_entries.checked_mul(ENTRY)?.checked_add(8)?)?;
    let data = blob.get(8 + index.len()..)?;
    let mut header = Header::default();
    let (mut folders, mut names, mut folder_of): (Vec<&[u8]>, Vec<&[u8]>, Vec<usize>) = Default::default();
    for entry in index.chunks_exact(ENTRY) {
        let (tag, kind, offset, count) = (be(entry, 0)?, be(entry, 4)?, be(entry, 8)? as usize, be(entry, 12)? as usize);
        let value = || data.get(offset..);
        // 6: text, 8: texts, 9: text that may be translated, of which the first is the original; 4: numbers of 32 bits.
        let text = || value().and_then(texts_of(1)).and_then(|texts| texts.first().map(|text| String::from_utf8_lossy(text).into_owned()));
        let numbers = || -> Option<Vec<usize>> {
            let bytes = value()?.get(..count.checked_mul(4)?)?;
            Some(bytes.chunks_exact(4).map(|bytes| bytes.iter().fold(0, |value, byte| value << 8 | usize::from(*byte))).collect())
        };
        match (tag, kind) {
            (1000, 6) => header.name = text()?,
            (1001, 6) => header.version = text()?,
            (1002, 6) => header.release = text()?,
            (1003, 4) => header.epoch = numbers()?.first().and_then(|epoch| u32::try_from(*epoch).ok()),
            (1022, 6) => header.arch = text()?,
            (1044, 6) => header.source = text()?,
            (5096, 6) => header.module = text()?,
            (1116, 4) => folder_of = numbers()?,
            (1117, 8) => names = value().and_then(texts_of(count))?,
            (1118, 8) => folders = value().and_then(texts_of(count))?,
            _ => {}
        }
    }
    let mut left = MAX_FILES_BYTES;
    for (name, folder) in names.iter().zip(&folder_of) {
        let folder = folders.get(*folder)?;
        // Many names in one long folder would make a small header a large list.
        left = left.checked_sub(folder.len() + name.len())?;
        header.files.push(format!("{}{}", String::from_utf8_lossy(folder), String::from_utf8_lossy(name)));
    }
    (!header.name.is_empty() && !header.version.is_empty()).then_some(header)
}

/// So many texts that each end with a zero; `None` where there are fewer.
fn texts_of(count: usize) -> impl Fn(&[u8]) -> Option<Vec<&[u8]>> {
    move |data| {
        // A count is not believed before there are as many bytes.
        if count > data.len() {
            return None;
        }
        let mut texts = Vec::with_capacity(count.min(1 << 16));
        let mut rest = data;
        for _ in 0..count {
            let end = rest.iter().position(|byte| *byte == 0)?;
            texts.push(rest.get(..end)?);
            rest = rest.get(end + 1..)?;
        }
        Some(texts)
    }
}
