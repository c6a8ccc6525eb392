//! Binaries: what Go and cargo-auditable write into them.
//!
//! Source: Go's `debug/buildinfo`; cargo-auditable's `PARSING.md`.

use std::io::Read;

use object::{Object, ObjectSection, ObjectSegment};

use super::Inner;

/// What a file of this kind starts with.
pub(crate) const MAGIC: &[u8; 4] = b"\x7fELF";
/// No list of packages is longer; cargo-auditable's own limit is 8 MiB.
const MAX_TEXT: u64 = 16 << 20;
const GO_MAGIC: &[u8; 14] = b"\xff Go buildinf:";
/// Go puts a mark of that many bytes before and after the list of modules.
const GO_MARK: usize = 16;

/// The lists of packages in a binary; none where it has none or is not whole enough to tell.
///
/// # Errors
/// There is a list and it cannot be read.
pub(crate) fn texts(bytes: &[u8]) -> Result<Vec<Inner>, String> {
    let Ok(file) = object::File::parse(bytes) else { return Ok(Vec::new()) };
    let mut texts = Vec::new();
    if let Some(section) = file.section_by_name(".go.buildinfo") {
        let data = section.data().map_err(|error| error.to_string())?;
        if let Some(text) = go(data, &file) {
            texts.push(Inner { path: "!/.go.buildinfo".to_owned(), text });
        }
    }
    if let Some(section) = file.section_by_name(".dep-v0") {
        let data = section.data().map_err(|error| error.to_string())?;
        let mut text = Vec::new();
        let n = flate2::read::ZlibDecoder::new(data).take(MAX_TEXT + 1).read_to_end(&mut text).map_err(|error| error.to_string())?;
        if n as u64 > MAX_TEXT {
            return Err("its list of crates is too large".to_owned());
        }
        texts.push(Inner { path: "!/.dep-v0".to_owned(), text });
    }
    Ok(texts)
}

/// The version of Go and the modules, in the form of `go version -m`.
fn go(section: &[u8], file: &object::File<'_>) -> Option<Vec<u8>> {
    let at = section.windows(GO_MAGIC.len()).position(|window| window == GO_MAGIC)?;
    let data = section.get(at..)?;
    let (pointer_size, flags) = (usize::from(*data.get(14)?), *data.get(15)?);
    let (version, modules) = if flags & 2 != 0 {
        // Since Go 1.18 both texts follow, each with its length before it.
        let (version, rest) = counted(data.get(32..)?)?;
        (version, counted(rest).map_or(&[][..], |(modules, _)| modules))
    } else {
        let is_big = flags & 1 != 0;
        let text = |at: usize| {
            let address = pointer(data.get(at..)?, pointer_size, is_big)?;
            let header = memory(file, address, 2 * pointer_size as u64)?;
            let length = pointer(header.get(pointer_size..)?, pointer_size, is_big)?;
            memory(file, pointer(header, pointer_size, is_big)?, length.min(MAX_TEXT))
        };
        (text(16)?, text(16 + pointer_size).unwrap_or_default())
    };
    // The marks are there only where there is a list.
    let modules = modules.len().checked_sub(GO_MARK).and_then(|end| modules.get(GO_MARK..end)).unwrap_or_default();
    Some([b"go\t", version, b"\n", modules].concat())
}

/// Bytes with a length of seven bits a byte before them, and what follows.
fn counted(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0usize;
    for (index, byte) in data.iter().enumerate().take(5) {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return data.get(index + 1..)?.split_at_checked(length);
        }
    }
    None
}

fn pointer(data: &[u8], size: usize, is_big: bool) -> Option<u64> {
    let bytes = data.get(..size)?;
    let shift = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    matches!(size, 4 | 8).then(|| if is_big { bytes.iter().fold(0, shift) } else { bytes.iter().rev().fold(0, shift) })
}

/// Bytes at an address of the running program.
fn memory<'a>(file: &object::File<'a>, address: u64, size: u64) -> Option<&'a [u8]> {
    file.segments().find_map(|segment| segment.data_range(address, size).ok().flatten())
}
