//! A layer's bytes: unpacked by what they start with, counted against what they may grow to, and hashed on the way.

use std::cell::RefCell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use sha2::{Digest, Sha256};

/// How much larger than its blob a layer may be. Text shrinks to a tenth, zeros to a thousandth; layers of zeros are no real ones.
const MAX_EXPANSION: u64 = 200;
/// What any layer may grow to, however small its blob is: databases are made with holes in them.
const MIN_EXPANSION_BYTES: u64 = 1 << 30;

/// The largest window that is kept of a Zstandard frame. Builders of images use 32 MiB at most, although 128 MiB are possible; each layer that is being
/// read may take twice as much.
const MAX_WINDOW_BYTES: u64 = 64 << 20;

/// The digest of what has been read so far.
#[derive(Clone, Default)]
pub(super) struct Hash(Rc<RefCell<Sha256>>);

impl Hash {
    /// Hexadecimal, in lower case.
    pub(super) fn hex(&self) -> String {
        format!("{:x}", self.0.borrow().clone().finalize())
    }
}

/// Hashes what is read through it.
pub(super) struct Hashing<R> {
    pub(super) inner: R,
    pub(super) hash: Hash,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.hash.0.borrow_mut().update(buffer.get(..n).unwrap_or_default());
        Ok(n)
    }
}

/// Fails where more is read than may be.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(n as u64).ok_or_else(|| io::Error::other("it grows out of proportion"))?;
        Ok(n)
    }
}

/// The content of a blob of `length` bytes, which is compressed with gzip or zstd or not at all.
pub(super) fn content<'a>(blob: impl Read + 'a, length: u64) -> io::Result<Box<dyn Read + 'a>> {
    let mut blob = BufReader::with_capacity(64 << 10, blob);
    let head = blob.fill_buf()?;
    let inner: Box<dyn Read + 'a> = if head.starts_with(&[0x1f, 0x8b]) {
        // Several members one after the other are one stream.
        Box::new(flate2::bufread::MultiGzDecoder::new(blob))
    } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || head.get(1..4) == Some(&[0x2a, 0x4d, 0x18]) {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW_BYTES);
        Box::new(Zstd { source: blob, decoder, is_open: false })
    } else if head.starts_with(b"BZh") || head.starts_with(b"\xfd7zXZ\0") {
        return Err(io::Error::other("it is compressed with bzip2 or xz, which images do not use; gzip and zstd are read"));
    } else {
        Box::new(blob)
    };
    Ok(Box::new(Bounded { inner, left: length.saturating_mul(MAX_EXPANSION).max(MIN_EXPANSION_BYTES) }))
}

/// Zstandard, frame by frame; frames to be skipped hold tables of contents.
struct Zstd<R> {
    source: R,
    decoder: FrameDecoder,
    is_open: bool,
}

impl<R: BufRead> Zstd<R> {
    /// Goes to the next frame with content; `false` at the end.
    fn open(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.init(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut (&mut self.source).take(u64::from(length)), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.is_open {
                self.is_open = self.open()?;
                if !self.is_open {
                    return Ok(0);
                }
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.decoder.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1)).map_err(io::Error::other)?;
            }
            let n = self.decoder.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            self.is_open = false;
        }
    }
}
