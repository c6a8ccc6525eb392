//! rpm's database: SQLite (`rpmdb.sqlite`), ndb (`Packages.db`) and Berkeley DB (`Packages`), and the package headers in them.
//!
//! Source: rpm's `lib/header.c`, `lib/backend/sqlite.c`, `lib/backend/ndb/rpmpkg.c`, `lib/backend/db3.c`, and its manual's list of tags.

use super::{Inner, berkeley, sqlite};
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

/// The list of a database's packages and the list of files that they own, as far as `is_wanted` wants them. `journal` is the write-ahead log beside a
/// database of SQLite; empty where there is none.
///
/// # Errors
/// The file is damaged, in words.
pub(crate) fn texts(bytes: &[u8], journal: &[u8], is_wanted: impl Fn(&str) -> bool) -> Result<[Inner; 2], String> {
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
        sqlite::blobs(bytes, journal, "Packages", add).map_err(|error| error.to_string())?;
    } else if bytes.starts_with(b"RpmP") {
        ndb(bytes, &mut add).ok_or("it is damaged")?;
    } else if berkeley::is_hash(bytes) {
        berkeley::values(bytes, add).map_err(|error| error.to_string())?;
    } else {
        return Err("its form is not known; SQLite, ndb and hashes of Berkeley DB are read".to_owned());
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::sqlite::tests::file;
    use super::{header, texts};

    /// A header of texts, numbers and lists of texts.
    fn blob() -> Vec<u8> {
        let entries: &[(u32, u32, u32, &[u8])] = &[
            (1000, 6, 1, b"openssl-libs\0"),
            (1001, 6, 1, b"3.0.7\0"),
            (1002, 6, 1, b"27.el9\0"),
            (1003, 4, 1, &[0, 0, 0, 1]),
            (1022, 6, 1, b"x86_64\0"),
            (1044, 6, 1, b"openssl-3.0.7-27.el9.src.rpm\0"),
            (1116, 4, 2, &[0, 0, 0, 0, 0, 0, 0, 1]),
            (1117, 8, 2, b"a\0METADATA\0"),
            (1118, 8, 2, b"/usr/lib64/\0/x.dist-info/\0"),
        ];
        let (mut index, mut data) = (Vec::new(), Vec::new());
        for (tag, kind, count, value) in entries {
            for number in [*tag, *kind, data.len() as u32, *count] {
                index.extend(number.to_be_bytes());
            }
            data.extend_from_slice(value);
        }
        [(entries.len() as u32).to_be_bytes().to_vec(), (data.len() as u32).to_be_bytes().to_vec(), index, data].concat()
    }

    #[test]
    fn a_package_is_a_line_of_the_list() {
        let [packages, files] = texts(&file(&blob()), &[], |path| path.contains("dist-info")).unwrap();
        assert_eq!(String::from_utf8(packages.text).unwrap(), "openssl-libs\t1:3.0.7-27.el9\tx86_64\topenssl-3.0.7-27.el9.src.rpm\t\n");
        assert_eq!(files.text, b"/x.dist-info/METADATA\n");
    }

    #[test]
    fn ndb_is_read_like_sqlite() {
        let blob = blob();
        let mut bytes = b"RpmP".to_vec();
        bytes.resize(12, 0);
        bytes.extend(1u32.to_le_bytes());
        bytes.resize(32, 0);
        for (index, block) in [(1u32, 256u32), (0, 0)] {
            bytes.extend(b"Slot");
            bytes.extend([index.to_le_bytes(), block.to_le_bytes(), 0u32.to_le_bytes()].concat());
        }
        while bytes.len() < 4096 {
            bytes.extend(b"Slot\0\0\0\0\0\0\0\0\0\0\0\0");
        }
        bytes.extend(b"BlbS\x01\0\0\0\0\0\0\0");
        bytes.extend((blob.len() as u32).to_le_bytes());
        bytes.extend(&blob);
        let [packages, _] = texts(&bytes, &[], |_| false).unwrap();
        assert!(packages.text.starts_with(b"openssl-libs\t1:3.0.7"));
    }

    #[test]
    fn other_forms_are_no_empty_lists() {
        assert!(texts(b"a tree of something", &[], |_| false).unwrap_err().contains("its form is not known"));
        assert!(texts(&file(b"no header"), &[], |_| false).unwrap_err().contains("1 of its packages"));
    }

    proptest! {
        #[test]
        fn damaged_headers_and_files_never_panic(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8)) {
            let mut damaged = blob();
            let mut database = file(&blob());
            for (at, byte) in edits {
                let place = at.index(damaged.len());
                damaged[place] = byte;
                let place = at.index(database.len());
                database[place] = byte;
            }
            let _ = header(&damaged);
            let _ = texts(&database, &[], |_| true);
        }
    }
}
