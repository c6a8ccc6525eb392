//! A file of compressed blocks of text with a directory in front, of which single blocks can be read.
//!
//! Layout: length of the directory (32 bits, little endian); the directory, one line per block with the first key in it and its compressed
//! length, separated by a tab; the blocks (raw DEFLATE, RFC 1951) in the order of the directory. Keys rise from block to block.

use std::io::Read;

use flate2::read::DeflateDecoder;

/// An opened file.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    blocks: Vec<Block>,
}

#[derive(Debug)]
struct Block {
    first: &'static str,
    bytes: &'static [u8],
}

impl Blocks {
    /// Opens a file that is part of the program. One that is damaged has no blocks; a test sees to it that ours are whole.
    pub(super) fn open(data: &'static [u8]) -> Self {
        Self::read(data).unwrap_or_default()
    }

    fn read(data: &'static [u8]) -> Option<Self> {
        let (length, rest) = data.split_first_chunk::<4>()?;
        let (directory, mut rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let mut blocks = Vec::new();
        for line in std::str::from_utf8(directory).ok()?.lines() {
            let (first, length) = line.split_once('\t')?;
            let (bytes, after) = rest.split_at_checked(length.parse().ok()?)?;
            blocks.push(Block { first, bytes });
            rest = after;
        }
        rest.is_empty().then_some(Self { blocks })
    }

    /// Number of blocks.
    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// The block in which a key lies, if it lies in any.
    pub(super) fn holding(&self, key: &str) -> Option<usize> {
        self.blocks.partition_point(|block| block.first <= key).checked_sub(1)
    }

    /// The text of one block.
    pub(super) fn text(&self, at: usize) -> String {
        let mut out = String::new();
        let read = self.blocks.get(at).map(|block| DeflateDecoder::new(block.bytes).read_to_string(&mut out));
        if matches!(read, Some(Ok(_))) { out } else { String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::Blocks;

    #[test]
    fn a_damaged_file_has_no_blocks() {
        assert_eq!(Blocks::open(b"").len(), 0);
        assert_eq!(Blocks::open(b"\x04\0\0\0a\t9\nshort").len(), 0);
        assert_eq!(Blocks::open(b"\xff\xff\xff\xffa\t1\n.").len(), 0);
    }

    #[test]
    fn a_key_lies_in_the_last_block_that_begins_before_it() {
        // Two stored blocks of DEFLATE: final flag, length, its complement, the bytes.
        let blocks = Blocks::open(b"\x08\0\0\0a\t7\nm\t6\n\x01\x02\0\xfd\xffab\x01\x01\0\xfe\xffm");
        assert_eq!(blocks.len(), 2);
        assert_eq!(
            (blocks.holding("A"), blocks.holding("a"), blocks.holding("l"), blocks.holding("zz")),
            (None, Some(0), Some(0), Some(1))
        );
        assert_eq!((blocks.text(0).as_str(), blocks.text(1).as_str(), blocks.text(2).as_str()), ("ab", "m", ""));
    }
}
