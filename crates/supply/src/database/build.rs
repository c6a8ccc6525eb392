//! Imports → the file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use super::bytes::{checksum, deflate, put_piece};
use super::{BLOCK_BYTES, Database, DatabaseError, Description, FOOTER_BYTES, MAGIC, cve_number, hash};
use crate::advisory::Advisory;
use crate::import::{self, Epss, Imported, Kev, NotImported};

/// Messages kept of each kind of trouble; the rest is counted.
const MAX_MESSAGES: usize = 50;

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Texts that were looked at.
    pub n_texts: usize,
    /// Advisories that are new, or newer than the copy that was there.
    pub n_imported: usize,
    /// Advisories that the database had in this state already, or in a newer one.
    pub n_unchanged: usize,
    /// Withdrawn ones.
    pub n_withdrawn: usize,
    /// Advisories that name no package and version, only commits of a repository.
    pub n_without_package: usize,
    /// Texts that are no advisories.
    pub n_ignored: usize,
    /// Texts that could not be read.
    pub n_malformed: usize,
    /// The first of these with the reasons.
    pub malformed: Vec<String>,
    /// Parts of advisories that no version can be compared with.
    pub n_unread: usize,
    /// The first of these with the reasons.
    pub unread: Vec<String>,
    /// Parts that speak of ecosystems not known here.
    pub unknown_ecosystems: BTreeMap<String, usize>,
}

/// One advisory, ready to be written.
struct Entry {
    modified: String,
    /// Keys of its packages, without repetition; the first is where it is kept.
    keys: Vec<String>,
    line: String,
}

/// Collects advisories and writes the file.
#[derive(Default)]
pub struct Builder {
    /// By id and scope.
    entries: BTreeMap<(String, String), Entry>,
    kev: BTreeMap<String, Kev>,
    epss: BTreeMap<u64, Epss>,
    description: Description,
    /// What happened so far.
    pub report: Report,
}

impl Builder {
    /// A builder that starts with what a database holds, for an update.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn from_database(database: &mut Database) -> Result<Self, DatabaseError> {
        let mut builder = Self { description: database.description().clone(), ..Self::default() };
        builder.kev = database.kev().clone();
        builder.epss = database.epss().iter().copied().collect();
        database.each_advisory(|advisory| {
            builder.put(&advisory);
        })?;
        builder.report = Report::default();
        Ok(builder)
    }

    /// Notes where the following texts come from and the day of the import.
    pub fn source(&mut self, name: &str, day: &str) {
        self.description.sources.retain(|known| known != name);
        self.description.sources.push(name.to_owned());
        day.clone_into(&mut self.description.imported);
    }

    /// Imports one text; its form is told by the name's ending and its content.
    pub fn text(&mut self, path: &str, text: &str) {
        self.report.n_texts += 1;
        match import::import(path, text) {
            Ok(imported) => self.add(imported),
            Err(NotImported::NoAdvisory) => self.report.n_ignored += 1,
            Err(NotImported::Malformed(reason)) => self.malformed(path, &reason),
        }
    }

    /// Counts a file that could not be read.
    pub fn malformed(&mut self, path: &str, reason: &str) {
        self.report.n_malformed += 1;
        if self.report.malformed.len() < MAX_MESSAGES {
            self.report.malformed.push(format!("{path}: {reason}"));
        }
    }

    fn add(&mut self, imported: Imported) {
        for advisory in &imported.advisories {
            self.put(advisory);
        }
        for id in imported.withdrawn {
            self.report.n_withdrawn += 1;
            self.entries.remove(&(id, String::new()));
        }
        if let Some(kev) = imported.kev {
            self.description.kev_released = kev.released;
            self.kev = kev.entries;
        }
        if let Some(epss) = imported.epss {
            self.description.epss_day = epss.day;
            self.epss = epss.scores.iter().filter_map(|(cve, score)| Some((cve_number(cve)?, *score))).collect();
        }
        self.report.n_without_package += imported.without_package;
        self.report.n_unread += imported.unread.len();
        let room = MAX_MESSAGES.saturating_sub(self.report.unread.len());
        self.report.unread.extend(imported.unread.into_iter().take(room));
        for (name, n) in imported.unknown_ecosystems {
            *self.report.unknown_ecosystems.entry(name).or_default() += n;
        }
    }

    /// Keeps the newer of two copies; of equal dates the later import.
    fn put(&mut self, advisory: &Advisory) {
        let name = (advisory.id.clone(), advisory.scope.clone());
        let known = self.entries.get(&name);
        if known.is_some_and(|known| known.modified > advisory.modified) {
            self.report.n_unchanged += 1;
            return;
        }
        let Ok(line) = serde_json::to_string(advisory) else { return };
        if known.is_some_and(|known| known.line == line) {
            self.report.n_unchanged += 1;
            return;
        }
        let mut keys: Vec<String> = advisory.affected.iter().map(|affected| affected.key()).collect();
        keys.sort();
        keys.dedup();
        self.entries.insert(name, Entry { modified: advisory.modified.clone(), keys, line });
        self.report.n_imported += 1;
    }

    /// Writes the file beside its place and moves it there, so that a reader sees the old one or the new one.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&mut self, path: &Path) -> Result<Description, DatabaseError> {
        let io = |source| DatabaseError::Io { path: path.display().to_string(), action: "written", source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(io)?;
        }
        // Two imports at once must not write into one file.
        let partial = path.with_extension(format!("partial-{}", std::process::id()));
        let written = self.write_to(&partial).and_then(|()| fs::rename(&partial, path));
        if written.is_err() {
            // The first error is told; a leftover is only clutter.
            let _ = fs::remove_file(&partial);
        }
        written.map_err(io)?;
        Ok(self.description.clone())
    }

    fn write_to(&mut self, path: &Path) -> std::io::Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        out.write_all(MAGIC)?;
        let mut offset = MAGIC.len();
        let mut blocks: Vec<u8> = Vec::new();
        let mut index: Vec<(u64, u32, u32)> = Vec::new();
        let mut by_ecosystem: BTreeMap<String, usize> = BTreeMap::new();
        let mut newest = "";

        let mut sorted: Vec<(&(String, String), &Entry)> = self.entries.iter().collect();
        sorted.sort_by(|a, b| (a.1.keys.first(), a.0).cmp(&(b.1.keys.first(), b.0)));
        let mut block = Vec::new();
        let (mut n_blocks, mut n_lines) = (0u32, 0u32);
        let mut last = sorted.len();
        for (_, entry) in &sorted {
            last -= 1;
            index.extend(entry.keys.iter().map(|key| (hash(key), n_blocks, n_lines)));
            let ecosystems: BTreeSet<&str> = entry.keys.iter().filter_map(|key| key.split('\0').next()).collect();
            for ecosystem in ecosystems {
                *by_ecosystem.entry(ecosystem.to_owned()).or_default() += 1;
            }
            newest = newest.max(entry.modified.as_str());
            block.extend_from_slice(entry.line.as_bytes());
            block.push(b'\n');
            n_lines += 1;
            if block.len() >= BLOCK_BYTES || last == 0 {
                let deflated = deflate(&block)?;
                out.write_all(&deflated)?;
                for number in [offset, deflated.len(), block.len()] {
                    blocks.extend(u64::try_from(number).unwrap_or(u64::MAX).to_le_bytes());
                }
                blocks.extend(checksum(&block).to_le_bytes());
                offset += deflated.len();
                block.clear();
                n_blocks += 1;
                n_lines = 0;
            }
        }
        index.sort_unstable();
        let keys: Vec<u8> = index
            .iter()
            .flat_map(|(hash, block, line)| [&hash.to_le_bytes()[..], &block.to_le_bytes(), &line.to_le_bytes()].concat())
            .collect();
        let epss = self.epss.iter();
        let epss: Vec<u8> = epss
            .flat_map(|(cve, score)| [&cve.to_le_bytes()[..], &score.probability.to_le_bytes(), &score.percentile.to_le_bytes()].concat())
            .collect();

        self.description.n_advisories = self.entries.len();
        self.description.by_ecosystem = by_ecosystem;
        self.description.newest = newest.to_owned();
        self.description.n_kev = self.kev.len();
        self.description.n_epss = self.epss.len();
        let mut tail = Vec::new();
        for piece in [&blocks, &keys, &serde_json::to_vec(&self.kev)?, &epss, &serde_json::to_vec(&self.description)?] {
            put_piece(&mut tail, piece);
        }
        out.write_all(&tail)?;
        let mut footer = Vec::with_capacity(FOOTER_BYTES);
        for number in [offset, tail.len()] {
            footer.extend(u64::try_from(number).unwrap_or(u64::MAX).to_le_bytes());
        }
        footer.extend(checksum(&tail).to_le_bytes());
        footer.extend(MAGIC);
        out.write_all(&footer)?;
        out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()
    }

    /// Number of advisories so far.
    pub fn n_advisories(&self) -> usize {
        self.entries.len()
    }
}
