//! Texts of advisories → [`Advisory`]: OSV records and the repositories that have their own form.
//!
//! What a text is, is told by its content, so that a checkout of a repository can be imported as it is.
//! What is none of these is counted, and what should be one and cannot be read is told with its file.

mod osv;
mod osv_ranges;
mod repositories;
mod scores;

use std::collections::BTreeMap;

pub use scores::{Epss, Kev};

use crate::advisory::Advisory;

/// What a text held.
#[derive(Debug, Default)]
pub struct Imported {
    /// Advisories that hold.
    pub advisories: Vec<Advisory>,
    /// Ids of advisories that were withdrawn: they count never, and take earlier copies of themselves away.
    pub withdrawn: Vec<String>,
    /// Flaws known to be used, by CVE.
    pub kev: Option<scores::KevCatalogue>,
    /// Probabilities of use, by CVE.
    pub epss: Option<scores::EpssScores>,
    /// Parts of advisories that no version can be compared with, each with why.
    pub unread: Vec<String>,
    /// Advisories that name no package and version of any ecosystem, only commits of a repository.
    pub without_package: usize,
    /// Parts that speak of an ecosystem not known here, counted by its name.
    pub unknown_ecosystems: BTreeMap<String, usize>,
}

/// Why a text gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotImported {
    /// It is no advisory: a readme, a schema, a workflow.
    NoAdvisory,
    /// It should be one and cannot be read; the message has line and column where the parser tells.
    Malformed(String),
}

/// Reads a text; its form is told by the name's ending and its content.
///
/// # Errors
/// The text is no advisory, or is one and malformed.
pub fn import(path: &str, text: &str) -> Result<Imported, NotImported> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    match ending.to_ascii_lowercase().as_str() {
        "json" => json(text),
        "yaml" | "yml" => yaml(stem, text),
        "md" => repositories::rustsec(text),
        "csv" => scores::epss(text),
        _ => Err(NotImported::NoAdvisory),
    }
}

fn json(text: &str) -> Result<Imported, NotImported> {
    match osv::from_json(text) {
        Ok(record) => return osv::import(record),
        Err(error) if error.is_syntax() || error.is_eof() => return Err(NotImported::Malformed(error.to_string())),
        // Another form: its own fields are looked for.
        Err(error) => {
            if let Some(imported) = scores::kev(text).or_else(|| repositories::node_security(text)) {
                return Ok(imported);
            }
            if osv::is_meant(text) {
                return Err(NotImported::Malformed(error.to_string()));
            }
        }
    }
    Err(NotImported::NoAdvisory)
}

/// Only what starts a line at the left tells one form of YAML from another; a parser is asked after that.
fn yaml(stem: &str, text: &str) -> Result<Imported, NotImported> {
    let has = |key: &str| text.starts_with(key) || text.contains(&format!("\n{key}"));
    if has("id:") && has("affected:") {
        return osv::import(osv::from_yaml(text).map_err(NotImported::Malformed)?);
    }
    if has("gem:") && has("title:") {
        return repositories::rubysec(text);
    }
    if has("reference:") && has("branches:") && text.contains("composer://") {
        return repositories::friends_of_php(stem, text);
    }
    Err(NotImported::NoAdvisory)
}
