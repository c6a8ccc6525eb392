//! The database of advisories: one compact file, built from imports and asked by package.
//!
//! Layout, all numbers little-endian: a magic; blocks of records (JSON lines, deflated, records of one package together); a tail of sections
//! (blocks, keys, known exploited vulnerabilities, probabilities, description); a footer with the place, length and checksum of the tail.
//! A question reads the tail and the blocks it needs; nothing is kept open by others, and a new file replaces the old one at once.
//! Why no SQL database: `docs/decisions/0013-advisory-file.md`.

mod build;
mod bytes;
mod open;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use build::{Builder, Report};
pub use open::Database;

/// First bytes of the file; the last one is the version of the layout.
const MAGIC: &[u8; 8] = b"BZTADV\x00\x01";
/// Bytes of the footer: offset, length and checksum of the tail, and the magic again.
const FOOTER_BYTES: usize = 8 + 8 + 4 + 8;
/// Bytes of records in one block before it is deflated; a question about one package unpacks one or two.
const BLOCK_BYTES: usize = 32 << 10;
/// No record and no tail is larger; a file that says so is damaged.
const MAX_SECTION_BYTES: u64 = 512 << 20;

/// What a database holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Description {
    /// Number of advisories.
    pub n_advisories: usize,
    /// Advisories by ecosystem; one that speaks of two counts in both.
    pub by_ecosystem: BTreeMap<String, usize>,
    /// Latest change of any advisory, RFC 3339; empty where there is none.
    pub newest: String,
    /// Day of the last import, as the caller said.
    pub imported: String,
    /// Release of the list of known exploited vulnerabilities; empty where there is none.
    pub kev_released: String,
    /// Day of the probabilities; empty where there are none.
    pub epss_day: String,
    /// Number of known exploited vulnerabilities.
    pub n_kev: usize,
    /// Number of probabilities.
    pub n_epss: usize,
    /// What was imported, latest last.
    pub sources: Vec<String>,
}

/// A database that cannot be read or written. The file system's fault, or the file's.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Reading or writing failed.
    #[error("the database `{path}` cannot be {action}")]
    Io {
        /// The file.
        path: String,
        /// `read` or `written`.
        action: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// It is no database of this version, or it is damaged.
    #[error("`{path}` is no database of advisories that can be read: {reason}; build it anew with `bartizan db`")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

/// 64 bits of a package's key (FNV-1a); records are compared by name after it.
fn hash(key: &str) -> u64 {
    key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A CVE as a number that sorts: year, then number; `None` for anything else.
fn cve_number(cve: &str) -> Option<u64> {
    let (year, number) = cve.strip_prefix("CVE-")?.split_once('-')?;
    let (year, number) = (year.parse::<u64>().ok()?, number.parse::<u64>().ok()?);
    (year < 1 << 16 && number < 1 << 40).then_some(year << 40 | number)
}
