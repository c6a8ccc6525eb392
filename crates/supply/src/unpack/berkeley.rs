//! The values of a hash of Berkeley DB, for rpm's database before SQLite: Amazon Linux 2, CentOS and Red Hat Enterprise Linux up to 8.
//!
//! Buckets are not looked up: every page of entries is read in the order of the file. Nothing is taken on trust: a page of a long value is read at most
//! once, so a file gives at most as many bytes as it has, and loops end.
//!
//! Source: Berkeley DB 5.3, `src/dbinc/db_page.h` (`DBMETA`, `HMETA33`, `PAGE`, `HKEYDATA`, `HOFFPAGE`).

/// A file that is not what the format asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BerkeleyError {
    #[error("it is a Berkeley DB with what rpm does not use")]
    Form,
    #[error("page {0} is damaged")]
    Page(usize),
    #[error("page {0} is used twice")]
    Loop(usize),
}

const MAGIC: usize = 0x0006_1561;
/// Bytes of a page before its entries.
const PAGE_HEADER: usize = 26;
/// Types of pages: entries (in two forms, which differ in their order), and a part of a value that is too long for them.
const ENTRIES: [u8; 2] = [2, 13];
const OVERFLOW: u8 = 7;
/// Types of items: bytes, and where bytes begin that are too many.
const BYTES: u8 = 1;
const ELSEWHERE: u8 = 3;

struct Reader<'a> {
    bytes: &'a [u8],
    page_size: usize,
    /// Numbers are in the order of the machine that wrote them.
    is_big_endian: bool,
    /// Pages of long values that were read.
    seen: Vec<bool>,
}

/// Whether a file is a hash of Berkeley DB.
pub(crate) fn is_hash(bytes: &[u8]) -> bool {
    [true, false].into_iter().any(|is_big_endian| number(bytes, 12, 4, is_big_endian) == Some(MAGIC))
}

/// Calls `each` with every value whose key is a number other than 0, which stands for the next free number.
pub(crate) fn values(bytes: &[u8], mut each: impl FnMut(&[u8])) -> Result<(), BerkeleyError> {
    let is_big_endian = number(bytes, 12, 4, true) == Some(MAGIC);
    let of_header = |at, n| number(bytes, at, n, is_big_endian).ok_or(BerkeleyError::Page(0));
    let (version, page_size, last_page) = (of_header(16, 4)?, of_header(20, 4)?, of_header(32, 4)?);
    // Encrypted or with checksums, pages have longer headers; partitions are other files.
    let is_plain = of_header(24, 1)? == 0 && of_header(26, 1)? & 1 == 0 && (version < 9 || of_header(36, 4)? == 0);
    if !(7..=9).contains(&version) || !is_plain {
        return Err(BerkeleyError::Form);
    }
    if !(512..=65536).contains(&page_size) || !page_size.is_power_of_two() {
        return Err(BerkeleyError::Page(0));
    }
    if last_page >= bytes.len() / page_size {
        return Err(BerkeleyError::Page(last_page));
    }
    let mut reader = Reader { bytes, page_size, is_big_endian, seen: vec![false; last_page + 1] };
    for page_idx in 1..=last_page {
        let page = reader.page(page_idx)?;
        if page.get(25).is_some_and(|kind| ENTRIES.contains(kind)) {
            reader.entries(page_idx, page, &mut each)?;
        }
    }
    Ok(())
}

impl<'a> Reader<'a> {
    fn page(&self, page_idx: usize) -> Result<&'a [u8], BerkeleyError> {
        let start = page_idx.checked_mul(self.page_size).ok_or(BerkeleyError::Page(page_idx))?;
        self.bytes.get(start..).and_then(|rest| rest.get(..self.page_size)).ok_or(BerkeleyError::Page(page_idx))
    }

    fn number(&self, bytes: &[u8], at: usize, n: usize) -> Option<usize> {
        number(bytes, at, n, self.is_big_endian)
    }

    /// The values of a page: keys and values take turns, from the page's end to its start.
    fn entries(&mut self, page_idx: usize, page: &'a [u8], each: &mut dyn FnMut(&[u8])) -> Result<(), BerkeleyError> {
        let damaged = BerkeleyError::Page(page_idx);
        let n_items = self.number(page, 20, 2).filter(|n| n % 2 == 0).ok_or(damaged)?;
        let first = PAGE_HEADER + 2 * n_items;
        if self.number(page, 8, 4) != Some(page_idx) || first > page.len() {
            return Err(damaged);
        }
        let (mut end, mut is_package) = (page.len(), None);
        for index in 0..n_items {
            let start = self.number(page, PAGE_HEADER + 2 * index, 2).filter(|start| *start >= first).ok_or(damaged)?;
            let (kind, item) = page.get(start..end).and_then(<[u8]>::split_first).ok_or(damaged)?;
            end = start;
            let Some(wanted) = is_package.take() else {
                let key = self.number(item, 0, 4).filter(|_| *kind == BYTES && item.len() == 4);
                is_package = Some(key.ok_or(damaged)? != 0);
                continue;
            };
            match *kind {
                _ if !wanted => {}
                BYTES => each(item),
                ELSEWHERE => {
                    let (next, length) = (self.number(item, 3, 4).ok_or(damaged)?, self.number(item, 7, 4).ok_or(damaged)?);
                    each(&self.long(next, length)?);
                }
                _ => return Err(damaged),
            }
        }
        Ok(())
    }

    /// A value over as many pages as it takes.
    fn long(&mut self, first: usize, length: usize) -> Result<Vec<u8>, BerkeleyError> {
        let (mut value, mut next) = (Vec::new(), first);
        while value.len() < length {
            let damaged = BerkeleyError::Page(next);
            match self.seen.get_mut(next) {
                Some(true) => return Err(BerkeleyError::Loop(next)),
                Some(seen) => *seen = true,
                None => return Err(damaged),
            }
            let page = self.page(next)?;
            let part = self.number(page, 22, 2).and_then(|n| page.get(PAGE_HEADER..)?.get(..n)).ok_or(damaged)?;
            if self.number(page, 8, 4) != Some(next) || page.get(25) != Some(&OVERFLOW) || part.len() > length - value.len() {
                return Err(damaged);
            }
            value.extend_from_slice(part);
            next = self.number(page, 16, 4).ok_or(damaged)?;
        }
        Ok(value)
    }
}

fn number(bytes: &[u8], at: usize, n: usize, is_big_endian: bool) -> Option<usize> {
    let bytes = bytes.get(at..)?.get(..n)?;
    let add = |value: usize, byte: &u8| value << 8 | usize::from(*byte);
    Some(if is_big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) })
}
