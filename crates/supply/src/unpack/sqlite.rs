//! The rows of one table of an SQLite file, for rpm's database: blobs, read page by page.
//!
//! It reads no index and no view, and takes nothing on trust: every page is read at most once, so a file gives at most as many bytes as it and its
//! journal have, and loops end.
//!
//! Source: sqlite.org/fileformat2.html, sections 1.3 (header), 1.6 (b-trees), 2.1 (records).

mod journal;

use std::borrow::Cow;
use std::collections::BTreeMap;

/// A file that is not what the format asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SqliteError {
    #[error("it is no SQLite file")]
    Header,
    #[error("page {0} is damaged")]
    Page(u32),
    #[error("page {0} is used twice")]
    Loop(u32),
    #[error("it has no table of packages")]
    NoTable,
    #[error("its write-ahead log is of another database")]
    Journal,
}

/// B-trees of 2^31 pages are less deep.
const MAX_DEPTH: usize = 20;

struct Reader<'a> {
    bytes: &'a [u8],
    /// Pages that the journal has in a newer form.
    newer: BTreeMap<u32, &'a [u8]>,
    page_size: usize,
    /// Bytes of a page that are used.
    usable: usize,
    /// Pages that were read, from page 1.
    seen: Vec<bool>,
}

/// Calls `each` with the first blob of every row of a table, by row id. `journal` is the write-ahead log that lies beside the file; empty where there
/// is none.
pub(crate) fn blobs(bytes: &[u8], journal: &[u8], table: &str, mut each: impl FnMut(&[u8])) -> Result<(), SqliteError> {
    let header = bytes.get(..100).filter(|header| header.starts_with(b"SQLite format 3\0")).ok_or(SqliteError::Header)?;
    let page_size = match be(header, 16, 2) {
        Some(1) => 65536,
        Some(size @ 512..=32768) if size.is_power_of_two() => size as usize,
        _ => return Err(SqliteError::Header),
    };
    let usable = page_size - usize::from(header.get(20).copied().unwrap_or(0));
    // The format asks for 480 at least, and local sizes below would be negative.
    if usable < 480 {
        return Err(SqliteError::Header);
    }
    let newer = journal::pages(journal, page_size)?;
    // New pages follow the old ones.
    let n_pages = bytes.len() / page_size + 1 + newer.len();
    let mut reader = Reader { bytes, newer, page_size, usable, seen: vec![false; n_pages] };
    let mut root = None;
    reader.walk(1, 0, &mut |record| {
        // Columns: type, name, table, root page, statement.
        let mut columns = columns(record);
        let is_table = columns.next().is_some_and(|(_, value)| value == b"table");
        let name = columns.next().map(|(_, value)| value);
        let page = columns.nth(1).map(|(_, value)| value.iter().fold(0u64, |page, byte| page << 8 | u64::from(*byte)));
        if is_table && name == Some(table.as_bytes()) {
            root = page.and_then(|page| u32::try_from(page).ok());
        }
    })?;
    let root = root.ok_or(SqliteError::NoTable)?;
    reader.walk(root, 0, &mut |record| {
        if let Some((_, blob)) = columns(record).find(|(kind, _)| *kind >= 12 && kind % 2 == 0) {
            each(blob);
        }
    })
}

impl<'a> Reader<'a> {
    fn page(&mut self, number: u32) -> Result<&'a [u8], SqliteError> {
        let index = (number as usize).checked_sub(1).ok_or(SqliteError::Page(number))?;
        match self.seen.get_mut(index) {
            Some(true) => return Err(SqliteError::Loop(number)),
            Some(seen) => *seen = true,
            None => return Err(SqliteError::Page(number)),
        }
        let start = index * self.page_size;
        let page = self.newer.get(&number).copied().or_else(|| self.bytes.get(start..start + self.page_size));
        page.and_then(|page| page.get(..self.usable)).ok_or(SqliteError::Page(number))
    }

    /// Calls `each` with the record of every row below a page.
    fn walk(&mut self, number: u32, depth: usize, each: &mut dyn FnMut(&[u8])) -> Result<(), SqliteError> {
        let damaged = SqliteError::Page(number);
        if depth > MAX_DEPTH {
            return Err(damaged);
        }
        let page = self.page(number)?;
        // The first page starts with the file's header.
        let at = if number == 1 { 100 } else { 0 };
        let kind = *page.get(at).ok_or(damaged)?;
        let (is_leaf, header_size) = match kind {
            0x05 => (false, 12),
            0x0d => (true, 8),
            _ => return Err(damaged),
        };
        let n_cells = be(page, at + 3, 2).ok_or(damaged)? as usize;
        for index in 0..n_cells {
            let cell = be(page, at + header_size + 2 * index, 2).and_then(|cell| page.get(cell as usize..)).ok_or(damaged)?;
            if is_leaf {
                let record = self.record(cell).ok_or(damaged)??;
                each(&record);
            } else {
                self.walk(be(cell, 0, 4).ok_or(damaged)?, depth + 1, each)?;
            }
        }
        if !is_leaf {
            self.walk(be(page, at + 8, 4).ok_or(damaged)?, depth + 1, each)?;
        }
        Ok(())
    }

    /// The record of a leaf's cell; `None` where the cell does not fit.
    fn record(&mut self, cell: &'a [u8]) -> Option<Result<Cow<'a, [u8]>, SqliteError>> {
        let (length, rest) = varint(cell)?;
        let (_, rest) = varint(rest)?;
        let length = usize::try_from(length).ok().filter(|length| *length <= self.seen.len() * self.page_size)?;
        // Source: section 1.6, "the amount of payload that spills".
        let (most, least) = (self.usable - 35, (self.usable - 12) * 32 / 255 - 23);
        if length <= most {
            return rest.get(..length).map(|record| Ok(Cow::Borrowed(record)));
        }
        let local = least + (length - least) % (self.usable - 4);
        let local = if local <= most { local } else { least };
        let mut record = rest.get(..local)?.to_vec();
        let mut next = be(rest, local, 4)?;
        while record.len() < length {
            let page = match self.page(next) {
                Ok(page) => page,
                Err(error) => return Some(Err(error)),
            };
            let content = page.get(4..)?;
            record.extend_from_slice(content.get(..content.len().min(length - record.len()))?);
            next = be(page, 0, 4)?;
        }
        Some(Ok(Cow::Owned(record)))
    }
}

/// Serial type and bytes of each column, until the record does not fit.
fn columns(record: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let (size, types) = varint(record).unwrap_or_default();
    let size = usize::try_from(size).unwrap_or(usize::MAX).min(record.len());
    let header_size = size.saturating_sub(record.len() - types.len());
    let mut types = types.get(..header_size).unwrap_or_default();
    let mut body = record.get(size..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (kind, rest) = varint(types)?;
        types = rest;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => (kind - 12) / 2,
        };
        let (value, rest) = body.split_at_checked(usize::try_from(length).ok()?)?;
        body = rest;
        Some((kind, value))
    })
}

/// Seven bits a byte, the highest first; the ninth byte has eight.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    for (index, byte) in bytes.iter().enumerate().take(9) {
        if index == 8 {
            return Some((value << 8 | u64::from(*byte), bytes.get(9..)?));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

fn be(bytes: &[u8], at: usize, n: usize) -> Option<u32> {
    Some(bytes.get(at..at + n)?.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::{SqliteError, blobs};

    const PAGE: usize = 512;

    fn varint(mut value: usize) -> Vec<u8> {
        let mut out = vec![(value & 0x7f) as u8];
        while value > 0x7f {
            value >>= 7;
            out.insert(0, (value & 0x7f) as u8 | 0x80);
        }
        out
    }

    /// A record of texts and blobs; `true` for a text.
    fn record(columns: &[(bool, &[u8])]) -> Vec<u8> {
        let types: Vec<u8> = columns.iter().flat_map(|(is_text, value)| varint(2 * value.len() + if *is_text { 13 } else { 12 })).collect();
        let mut out = varint(types.len() + 1);
        out.extend(types);
        columns.iter().for_each(|(_, value)| out.extend_from_slice(value));
        out
    }

    /// A leaf with one cell.
    fn leaf(header: &[u8], cell: &[u8]) -> Vec<u8> {
        let mut page = header.to_vec();
        let at = PAGE - cell.len();
        page.extend([0x0d, 0, 0, 0, 1]);
        page.extend((at as u16).to_be_bytes());
        page.push(0);
        page.extend((at as u16).to_be_bytes());
        page.resize(at, 0);
        page.extend_from_slice(cell);
        page
    }

    /// A file with one row of a blob in `Packages`, over as many pages as it takes.
    pub(in crate::unpack) fn file(blob: &[u8]) -> Vec<u8> {
        let mut header = b"SQLite format 3\0".to_vec();
        header.extend((PAGE as u16).to_be_bytes());
        header.resize(100, 0);
        let schema = record(&[(true, b"table"), (true, b"Packages"), (true, b"Packages"), (false, &[2]), (true, b"CREATE TABLE")]);
        let mut out = leaf(&header, &[varint(schema.len()), vec![1], schema].concat());
        let row = record(&[(false, blob)]);
        let (most, least) = (PAGE - 35, (PAGE - 12) * 32 / 255 - 23);
        let mut local = row.len();
        if local > most {
            local = least + (row.len() - least) % (PAGE - 4);
            local = if local > most { least } else { local };
        }
        let (inside, mut rest) = row.split_at(local);
        let mut cell = [varint(row.len()), vec![1], inside.to_vec()].concat();
        if !rest.is_empty() {
            cell.extend(3u32.to_be_bytes());
        }
        out.extend(leaf(&[], &cell));
        let mut next = 4u32;
        while !rest.is_empty() {
            let (part, after) = rest.split_at(rest.len().min(PAGE - 4));
            let start = out.len();
            out.extend(if after.is_empty() { 0 } else { next }.to_be_bytes());
            out.extend_from_slice(part);
            out.resize(start + PAGE, 0);
            (rest, next) = (after, next + 1);
        }
        out
    }

    fn read(bytes: &[u8]) -> Result<Vec<Vec<u8>>, SqliteError> {
        let mut out = Vec::new();
        blobs(bytes, &[], "Packages", |blob| out.push(blob.to_vec())).map(|()| out)
    }

    #[test]
    fn blobs_of_all_sizes_are_read_back() {
        for size in [0, 1, 400, 470, 471, 472, 508, 509, 1000, 1017, 5000, 100_000] {
            let blob: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            assert_eq!(read(&file(&blob)), Ok(vec![blob]), "{size} bytes");
        }
    }

    #[test]
    fn circles_and_holes_end() {
        let mut circle = file(&[7; 5000]);
        // The fifth page names the third as the next one.
        circle[4 * PAGE..4 * PAGE + 4].copy_from_slice(&3u32.to_be_bytes());
        assert_eq!(read(&circle), Err(SqliteError::Loop(3)));
        let whole = file(&[7; 5000]);
        assert!(read(&whole[..6 * PAGE]).is_err());
        assert_eq!(read(b"SQLite format 3\0"), Err(SqliteError::Header));
        assert_eq!(blobs(&whole, &[], "Name", |_| {}), Err(SqliteError::NoTable));
    }
}
