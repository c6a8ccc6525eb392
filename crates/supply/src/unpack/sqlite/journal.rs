//! What SQLite's write-ahead log says of a database that it is not yet written back to: whole pages, of committed transactions only.
//!
//! Source: sqlite.org/fileformat2.html, section 4 (header, frames, checksums, which frames count).

use std::collections::BTreeMap;

use super::{SqliteError, be};

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
/// The only version that there is.
const VERSION: u32 = 3_007_000;

/// The newest form of each page in a log, by page number.
///
/// A log that ends early, or whose frames are left over from before it was last written back, holds what is before that: SQLite itself reads no more.
///
/// # Errors
/// The log is whole and not of the database, or is of another version.
pub(super) fn pages(journal: &[u8], page_size: usize) -> Result<BTreeMap<u32, &[u8]>, SqliteError> {
    let mut committed = BTreeMap::new();
    let Some((header, frames)) = journal.split_at_checked(HEADER_BYTES) else { return Ok(committed) };
    let read_word = match be(header, 0, 4) {
        Some(0x377f_0682) => u32::from_le_bytes,
        Some(0x377f_0683) => u32::from_be_bytes,
        _ => return Ok(committed),
    };
    let mut sum = Sum { read_word, values: (0, 0) };
    sum.add(header.get(..24).unwrap_or_default());
    if !sum.is_at(header, 24) {
        return Ok(committed);
    }
    if be(header, 4, 4) != Some(VERSION) || be(header, 8, 4).and_then(|size| usize::try_from(size).ok()) != Some(page_size) {
        return Err(SqliteError::Journal);
    }
    let salts = header.get(16..24);
    let mut open = Vec::new();
    for frame in frames.chunks_exact(FRAME_HEADER_BYTES + page_size) {
        let (head, page) = frame.split_at(FRAME_HEADER_BYTES);
        // A frame's sum is over its first two numbers and its page, and goes on from the one before.
        sum.add(head.get(..8).unwrap_or_default());
        sum.add(page);
        if head.get(8..16) != salts || !sum.is_at(head, 16) {
            break;
        }
        let (Some(number @ 1..), Some(n_pages)) = (be(head, 0, 4), be(head, 4, 4)) else { break };
        open.push((number, page));
        // Only the last frame of a transaction says how many pages the database has after it.
        if n_pages > 0 {
            committed.extend(open.drain(..));
        }
    }
    Ok(committed)
}

/// A checksum that goes on from frame to frame.
struct Sum {
    read_word: fn([u8; 4]) -> u32,
    values: (u32, u32),
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        let (mut first, mut second) = self.values;
        for words in bytes.chunks_exact(8) {
            let mut halves = words.chunks_exact(4).map(|word| word.try_into().map_or(0, self.read_word));
            first = first.wrapping_add(halves.next().unwrap_or(0)).wrapping_add(second);
            second = second.wrapping_add(halves.next().unwrap_or(0)).wrapping_add(first);
        }
        self.values = (first, second);
    }

    /// Whether it is the sum that a header has at a place.
    fn is_at(&self, header: &[u8], at: usize) -> bool {
        (be(header, at, 4), be(header, at + 4, 4)) == (Some(self.values.0), Some(self.values.1))
    }
}
