//! Which flaws are used: CISA's list of known exploited vulnerabilities, and FIRST's probabilities (EPSS).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Imported, NotImported};

/// A flaw that is known to be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kev {
    /// Day it was added, `YYYY-MM-DD`.
    pub date_added: String,
    /// Day until which agencies must have mended it, `YYYY-MM-DD`.
    #[serde(default)]
    pub due_date: String,
    /// `Known` where ransomware uses it.
    #[serde(default)]
    pub known_ransomware_campaign_use: String,
}

/// The list of known exploited vulnerabilities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KevCatalogue {
    /// When it was released, RFC 3339.
    pub released: String,
    /// Entries by CVE.
    pub entries: BTreeMap<String, Kev>,
}

/// How probable it is that a flaw is used within 30 days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epss {
    /// Probability, 0..=1.
    pub probability: f32,
    /// Share of flaws with at most this probability, 0..=1.
    pub percentile: f32,
}

/// Probabilities of all flaws on one day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EpssScores {
    /// The day, RFC 3339; empty where the file does not tell.
    pub day: String,
    /// By CVE.
    pub scores: BTreeMap<String, Epss>,
}

/// `None` where the JSON has another form.
pub(super) fn kev(text: &str) -> Option<Imported> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Catalogue {
        date_released: String,
        vulnerabilities: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        #[serde(rename = "cveID")]
        cve: String,
        #[serde(flatten)]
        kev: Kev,
    }
    let read: Catalogue = serde_json::from_str(text).ok()?;
    let entries = read.vulnerabilities.into_iter().map(|entry| (entry.cve, entry.kev)).collect();
    Some(Imported { kev: Some(KevCatalogue { released: read.date_released, entries }), ..Imported::default() })
}

/// `#model_version:…,score_date:…`, a line of names, then `cve,epss,percentile`.
pub(super) fn epss(text: &str) -> Result<Imported, NotImported> {
    let mut scores = EpssScores::default();
    let mut lines = text.lines().enumerate().peekable();
    if let Some((_, first)) = lines.next_if(|(_, line)| line.starts_with('#')) {
        scores.day =
            first.split(',').find_map(|part| part.trim_start_matches('#').strip_prefix("score_date:")).unwrap_or_default().to_owned();
    }
    if lines.next().is_none_or(|(_, names)| !names.starts_with("cve,epss,percentile")) {
        return Err(NotImported::NoAdvisory);
    }
    for (index, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let mut parts = line.trim().split(',');
        let (cve, probability, percentile) = (parts.next(), parts.next().map(str::parse::<f32>), parts.next().map(str::parse::<f32>));
        let (Some(cve), Some(Ok(probability)), Some(Ok(percentile))) = (cve, probability, percentile) else {
            return Err(NotImported::Malformed(format!("line {}: `{line}` is no `cve,epss,percentile`", index + 1)));
        };
        if !((0.0..=1.0).contains(&probability) && (0.0..=1.0).contains(&percentile)) {
            return Err(NotImported::Malformed(format!("line {}: a probability lies outside of 0 to 1", index + 1)));
        }
        scores.scores.insert(cve.to_owned(), Epss { probability, percentile });
    }
    Ok(Imported { epss: Some(scores), ..Imported::default() })
}
