//! The file → answers.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::bytes::{Reader, checksum, inflate};
use super::{DatabaseError, Description, FOOTER_BYTES, MAGIC, MAX_SECTION_BYTES, cve_number, hash};
use crate::advisory::Advisory;
use crate::import::{Epss, Kev};

/// Place of a block in the file.
#[derive(Clone, Copy)]
struct Block {
    offset: u64,
    /// Bytes in the file.
    length: usize,
    /// Bytes unpacked.
    unpacked: usize,
    /// Checksum of the unpacked bytes.
    sum: u32,
}

/// Place of a record: block and line in it.
pub(crate) type Place = (u32, u32);

/// An open database.
pub struct Database {
    path: String,
    file: File,
    blocks: Vec<Block>,
    /// Hash of a package's key and place of a record that speaks of it, ascending.
    keys: Vec<(u64, u32, u32)>,
    kev: BTreeMap<String, Kev>,
    /// By number of the CVE, ascending.
    epss: Vec<(u64, Epss)>,
    description: Description,
    /// The block that was unpacked last; questions come in the order of blocks.
    unpacked: Option<Unpacked>,
}

/// A block's bytes and where each of its lines starts.
struct Unpacked {
    index: u32,
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Unpacked {
    /// A record without its line break.
    fn line(&self, line: u32) -> Option<&[u8]> {
        let from = *self.starts.get(line as usize)?;
        let to = self.starts.get(line as usize + 1).map_or(self.bytes.len(), |next| *next);
        self.bytes.get(from..to)
    }
}

impl Database {
    /// Opens a file and reads its tail.
    ///
    /// # Errors
    /// The file cannot be read, is no database of this version, or is damaged.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        let shown = path.display().to_string();
        let io = |source| DatabaseError::Io { path: shown.clone(), action: "read", source };
        let damaged = |reason: &str| DatabaseError::Damaged { path: shown.clone(), reason: reason.to_owned() };
        let mut file = File::open(path).map_err(io)?;
        let size = file.metadata().map_err(io)?.len();
        let footer_at = size.checked_sub(FOOTER_BYTES as u64).ok_or_else(|| damaged("it is too short"))?;
        let footer = read_at(&mut file, footer_at, FOOTER_BYTES).map_err(io)?;
        let mut reader = Reader(&footer);
        let numbers = (reader.u64(), reader.u64(), reader.u32(), reader.take(MAGIC.len()));
        let (Some(at), Some(length), Some(sum), Some(magic)) = numbers else { return Err(damaged("it is too short")) };
        if magic != MAGIC {
            return Err(damaged("it has another form or another version"));
        }
        if length > MAX_SECTION_BYTES || at.checked_add(length) != Some(footer_at) {
            return Err(damaged("its tail is not where it says"));
        }
        let tail = read_at(&mut file, at, usize::try_from(length).unwrap_or(usize::MAX)).map_err(io)?;
        if checksum(&tail) != sum {
            return Err(damaged("its checksum is another"));
        }
        let mut database = Self {
            path: shown.clone(),
            file,
            blocks: Vec::new(),
            keys: Vec::new(),
            kev: BTreeMap::new(),
            epss: Vec::new(),
            description: Description::default(),
            unpacked: None,
        };
        database.read_tail(&tail).ok_or_else(|| damaged("its tail does not hold what it should"))?;
        if database.blocks.iter().any(|block| block.offset.checked_add(block.length as u64).is_none_or(|end| end > at)) {
            return Err(damaged("its blocks are not where it says"));
        }
        Ok(database)
    }

    fn read_tail(&mut self, tail: &[u8]) -> Option<()> {
        let mut reader = Reader(tail);
        let mut blocks = Reader(reader.piece()?);
        while !blocks.0.is_empty() {
            let (offset, length, unpacked) = (blocks.u64()?, usize::try_from(blocks.u64()?).ok()?, usize::try_from(blocks.u64()?).ok()?);
            self.blocks.push(Block { offset, length, unpacked, sum: blocks.u32()? });
        }
        let mut keys = Reader(reader.piece()?);
        self.keys.reserve_exact(keys.0.len() / 16);
        while !keys.0.is_empty() {
            self.keys.push((keys.u64()?, keys.u32()?, keys.u32()?));
        }
        self.kev = serde_json::from_slice(reader.piece()?).ok()?;
        let mut epss = Reader(reader.piece()?);
        self.epss.reserve_exact(epss.0.len() / 16);
        while !epss.0.is_empty() {
            self.epss.push((epss.u64()?, Epss { probability: epss.f32()?, percentile: epss.f32()? }));
        }
        self.description = serde_json::from_slice(reader.piece()?).ok()?;
        Some(())
    }

    /// What the database holds.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Known exploited vulnerabilities by CVE.
    pub fn kev(&self) -> &BTreeMap<String, Kev> {
        &self.kev
    }

    pub(super) fn epss(&self) -> &[(u64, Epss)] {
        &self.epss
    }

    /// Probability that a CVE is used; `None` where none is known.
    pub fn epss_of(&self, cve: &str) -> Option<Epss> {
        let number = cve_number(cve)?;
        let at = self.epss.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.epss.get(at).map(|(_, score)| *score)
    }

    /// Places of the records that may speak of a package's key.
    pub(crate) fn places(&self, key: &str) -> impl Iterator<Item = Place> {
        let hash = hash(key);
        let first = self.keys.partition_point(|(known, ..)| *known < hash);
        self.keys
            .get(first..)
            .unwrap_or_default()
            .iter()
            .take_while(move |(known, ..)| *known == hash)
            .map(|(_, block, line)| (*block, *line))
    }

    /// Reads a record; places in ascending order unpack each block once.
    pub(crate) fn advisory(&mut self, (block, line): Place) -> Result<Advisory, DatabaseError> {
        let read = self.block(block)?.line(line).and_then(|line| serde_json::from_slice(line).ok());
        read.ok_or_else(|| self.damaged("a record cannot be read"))
    }

    /// Gives every advisory, in the order of the file.
    pub(super) fn each_advisory(&mut self, mut give: impl FnMut(Advisory)) -> Result<(), DatabaseError> {
        for block in 0..u32::try_from(self.blocks.len()).unwrap_or(u32::MAX) {
            let unpacked = self.block(block)?;
            let lines = (0..).map_while(|line| unpacked.line(line)).filter(|line| !line.is_empty());
            let read: Result<Vec<Advisory>, _> = lines.map(serde_json::from_slice).collect();
            read.map_err(|_| self.damaged("a record cannot be read"))?.into_iter().for_each(&mut give);
        }
        Ok(())
    }

    fn block(&mut self, index: u32) -> Result<&Unpacked, DatabaseError> {
        if self.unpacked.as_ref().is_none_or(|known| known.index != index) {
            let block = self.blocks.get(index as usize).copied().ok_or_else(|| self.damaged("a block is missing"))?;
            if block.unpacked as u64 > MAX_SECTION_BYTES {
                return Err(self.damaged("a block is too large"));
            }
            let deflated = read_at(&mut self.file, block.offset, block.length);
            let deflated = deflated.map_err(|source| DatabaseError::Io { path: self.path.clone(), action: "read", source })?;
            let bytes = inflate(&deflated, block.unpacked).filter(|bytes| checksum(bytes) == block.sum);
            let bytes = bytes.ok_or_else(|| self.damaged("a block cannot be unpacked"))?;
            let starts =
                std::iter::once(0).chain(bytes.iter().zip(1..).filter(|(byte, _)| **byte == b'\n').map(|(_, after)| after)).collect();
            self.unpacked = Some(Unpacked { index, bytes, starts });
        }
        self.unpacked.as_ref().ok_or_else(|| self.damaged("a block is missing"))
    }

    fn damaged(&self, reason: &str) -> DatabaseError {
        DatabaseError::Damaged { path: self.path.clone(), reason: reason.to_owned() }
    }
}

fn read_at(file: &mut File, offset: u64, length: usize) -> std::io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() == length { Ok(bytes) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) }
}
