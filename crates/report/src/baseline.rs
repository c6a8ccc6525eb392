//! Baselines: threats that are known, so that only what is new or worse stops a pipeline.
//!
//! A baseline is a review (`bartizan/review/1`) or the slim file that [`Baseline::of`] gives. Threats are recognised by their structural id, and where
//! that changed because something was renamed, by their rule and what they concern.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_review::{Review, Severity, Status, Threat};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::json::v1::REVIEW;
use crate::words::SEVERITIES;

/// Name of the slim format.
pub const BASELINE: &str = "bartizan/baseline/1";

/// Known threats.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "bartizan/baseline/1")]
pub struct Baseline {
    /// Name and version of the format.
    #[schemars(extend("const" = "bartizan/baseline/1"))]
    pub schema: String,
    /// Threats that were open, by id.
    #[serde(default)]
    pub threats: Vec<BaselineEntry>,
}

/// A known threat.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct BaselineEntry {
    /// Its id.
    pub id: String,
    /// Its rule.
    #[serde(default)]
    pub rule: String,
    /// `critical`, `high`, `medium`, `low`, `info`: a threat that got worse than that is no longer known.
    #[serde(default)]
    pub severity: String,
    /// Addresses it concerns; one that is not among them makes the threat worse.
    #[serde(default)]
    pub targets: Vec<String>,
    /// In a review: whether it was open. Threats that were not are no part of a baseline.
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    status: Option<String>,
    /// True where the rule judges the system as a whole: then the targets do not count.
    #[serde(default)]
    pub of_system: bool,
}

/// A text is no baseline. The user's fault.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// Not JSON, or not of this form.
    #[error("it is no baseline: {0}")]
    Malformed(#[from] serde_json::Error),
    /// JSON of another format.
    #[error("it is `{0}`; a baseline is a `review.json` or what `review --write-baseline` writes")]
    Other(String),
}

/// Where a threat stands against a baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It is not in it.
    New,
    /// It is in it, and got worse or concerns more since.
    Worse,
    /// It is in it.
    Known,
}

/// A review against a baseline.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    known: BTreeMap<String, Known>,
    /// Entries that no threat of the review is, open or not.
    pub absent: Vec<BaselineEntry>,
}

impl Baseline {
    /// The open threats of a review.
    pub fn of(review: &Review) -> Self {
        let entry = |threat: &Threat| BaselineEntry {
            id: threat.id.clone(),
            rule: threat.rule.clone(),
            severity: threat.severity.id().to_owned(),
            targets: threat.targets.iter().map(ToString::to_string).collect(),
            status: None,
            of_system: threat.of_system,
        };
        let open = review.threats.iter().filter(|threat| threat.status == Status::Open);
        let mut threats: Vec<BaselineEntry> = open.map(entry).collect();
        threats.sort();
        Self { schema: BASELINE.to_owned(), threats }
    }

    /// Reads a baseline or a review.
    ///
    /// # Errors
    /// The text is neither.
    pub fn from_json(text: &[u8]) -> Result<Self, BaselineError> {
        let mut read: Baseline = serde_json::from_slice(text)?;
        if read.schema != BASELINE && read.schema != REVIEW {
            return Err(BaselineError::Other(read.schema));
        }
        read.threats.retain(|entry| entry.status.as_deref().is_none_or(|status| status == "open"));
        Ok(read)
    }

    /// Compares a review with what is known.
    pub fn compare(&self, review: &Review) -> Standing {
        let mut standing = Standing::default();
        let mut met: BTreeSet<usize> = BTreeSet::new();
        let targets = |threat: &Threat| -> BTreeSet<String> { threat.targets.iter().map(ToString::to_string).collect() };
        for threat in &review.threats {
            let now = targets(threat);
            let by_id = self.threats.iter().position(|entry| entry.id == threat.id);
            let by_targets = || {
                let same =
                    |entry: &BaselineEntry| entry.rule == threat.rule && entry.targets.iter().cloned().collect::<BTreeSet<_>>() == now;
                self.threats.iter().position(same)
            };
            let Some((place, entry)) = by_id.or_else(by_targets).and_then(|place| Some((place, self.threats.get(place)?))) else {
                continue;
            };
            met.insert(place);
            let spread = !threat.of_system && !entry.targets.is_empty() && now.iter().any(|target| !entry.targets.contains(target));
            let is_worse = threat.severity > entry.severity() || spread;
            standing.known.insert(threat.id.clone(), if is_worse { Known::Worse } else { Known::Known });
        }
        let absent = self.threats.iter().enumerate().filter(|(place, _)| !met.contains(place));
        standing.absent = absent.map(|(_, entry)| entry.clone()).collect();
        standing
    }
}

impl BaselineEntry {
    /// What is not a known word counts as the worst: then nothing is worse than it.
    fn severity(&self) -> Severity {
        SEVERITIES.into_iter().find(|known| known.id() == self.severity).unwrap_or(Severity::Critical)
    }
}

impl Standing {
    /// Where a threat stands.
    pub fn of(&self, threat: &Threat) -> Known {
        self.known.get(&threat.id).copied().unwrap_or(Known::New)
    }
}

#[cfg(test)]
mod tests {
    use bartizan_review::{Severity, Status};

    use super::{Baseline, Known};
    use crate::{fixture, folder, json};

    #[test]
    fn the_slim_file_and_the_review_know_the_same() {
        let shop = fixture::shop();
        let slim = Baseline::from_json(&folder::pretty(&Baseline::of(&shop))).expect("a baseline");
        let whole = Baseline::from_json(&folder::pretty(&json::v1::review(&shop))).expect("a review");
        assert!(!slim.threats.is_empty());
        for baseline in [slim, whole] {
            let standing = baseline.compare(&shop);
            let open = shop.threats.iter().filter(|threat| threat.status == Status::Open);
            assert!(open.clone().count() > 0 && open.clone().all(|threat| standing.of(threat) == Known::Known));
            assert_eq!(standing.absent, []);
        }
    }

    #[test]
    fn what_got_worse_or_spread_is_not_known_and_what_is_gone_is_told() {
        let mut shop = fixture::shop();
        shop.threats[0].severity = Severity::Medium;
        let baseline = Baseline::of(&shop);
        shop.threats[0].severity = Severity::Critical;
        assert_eq!(baseline.compare(&shop).of(&shop.threats[0]), Known::Worse);
        shop.threats[0].severity = Severity::Medium;
        shop.threats[0].targets.push(bartizan_model::Address::new("aws_s3_bucket.more"));
        assert_eq!(baseline.compare(&shop).of(&shop.threats[0]), Known::Worse);
        let gone = shop.threats.remove(0);
        let absent: Vec<String> = baseline.compare(&shop).absent.into_iter().map(|entry| entry.id).collect();
        assert_eq!(absent, [gone.id]);
    }

    #[test]
    fn another_file_is_no_baseline() {
        assert!(Baseline::from_json(b"{\"schema\":\"bartizan/model/1\"}").is_err());
        assert!(Baseline::from_json(b"[]").is_err());
    }
}
