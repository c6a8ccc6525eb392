//! Numbers and deflated pieces in and out of bytes, without panics on damaged ones.

use std::io::Read;

use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};

/// Reads numbers from the front of bytes.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(front)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn f32(&mut self) -> Option<f32> {
        Some(f32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    /// Bytes with their length in front.
    pub(super) fn piece(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u64()?).ok()?;
        self.take(length)
    }
}

/// Writes bytes with their length in front.
pub(super) fn put_piece(out: &mut Vec<u8>, piece: &[u8]) {
    out.extend(u64::try_from(piece.len()).unwrap_or(u64::MAX).to_le_bytes());
    out.extend(piece);
}

pub(super) fn deflate(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    DeflateEncoder::new(bytes, Compression::new(6)).read_to_end(&mut out)?;
    Ok(out)
}

/// Unpacks bytes that must give exactly `length`.
pub(super) fn inflate(bytes: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(length.min(1 << 26));
    DeflateDecoder::new(bytes).take(u64::try_from(length).ok()?.checked_add(1)?).read_to_end(&mut out).ok()?;
    (out.len() == length).then_some(out)
}

pub(super) fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
