//! What is recorded: the register's own plain types. Whoever reviews and scans fills them in.

use crate::time::Time;

/// A system and what is needed to look at it again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct System {
    /// Unique name.
    pub name: String,
    /// Absolute paths of what is reviewed and scanned; empty where only a finished review was handed in.
    pub paths: Vec<String>,
    /// Address of the repository, without credentials; empty where it is not known.
    pub repository: String,
    /// What else a review needs, as one JSON object: the catalogue, for instance.
    pub arguments: String,
}

/// One look at a system. What is `None` was not looked at, and stays as it was.
#[derive(Clone, Debug)]
pub struct Run {
    /// The system; it is made where it is new.
    pub system: System,
    /// When, as the caller says.
    pub at: Time,
    /// What looked: `record` or `watch`.
    pub cause: String,
    /// Version of the tool.
    pub tool: String,
    /// Revision of the source; empty where it is not known.
    pub revision: String,
    /// The review.
    pub review: Option<Review>,
    /// All packages.
    pub packages: Option<Vec<Package>>,
    /// What the advisories say of the packages.
    pub flaws: Option<Flaws>,
    /// Files that could not be read: what was last seen in one of them is not taken for gone.
    pub unread: Vec<String>,
    /// Names of the channels that are told of what is new.
    pub channels: Vec<String>,
    /// Whether a look that found nothing changed makes a run of its own.
    pub keep_unchanged: bool,
}

/// A finished review.
#[derive(Clone, Debug)]
pub struct Review {
    /// The review as JSON; kept as it is, once for all runs with the same bytes.
    pub json: Vec<u8>,
    /// Its threats.
    pub threats: Vec<Threat>,
}

/// What the advisories say of a system's packages.
#[derive(Clone, Debug)]
pub struct Flaws {
    /// Digest of what the database holds.
    pub database: String,
    /// Day of the latest change of any advisory, ISO 8601; of two databases the one with the later day knows more.
    pub database_day: String,
    /// All flaws.
    pub found: Vec<Flaw>,
    /// Packages that could not be judged, as ecosystem (empty: any) and name: their flaws are not taken for gone.
    pub unjudged: Vec<(String, String)>,
}

/// Where a threat stands in its review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Nothing stops it.
    Open,
    /// Controls bring it to what is tolerated.
    Mitigated,
    /// A decision in the plan's own file lets it be.
    Accepted,
    /// It depends on an answer.
    Question,
}

impl Status {
    const ALL: [Self; 4] = [Self::Open, Self::Mitigated, Self::Accepted, Self::Question];

    /// Lower-case word, as reviews write it.
    pub fn id(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Mitigated => "mitigated",
            Self::Accepted => "accepted",
            Self::Question => "question",
        }
    }

    /// Reads the word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.id() == word)
    }
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nobody says. Only flaws of packages are so; a gate counts them, for they may be anything.
    Unknown,
    /// Worth knowing.
    Info,
    /// Accept or fix when convenient.
    Low,
    /// Plan a fix.
    Medium,
    /// Fix in this release.
    High,
    /// Fix before anything else.
    Critical,
}

impl Severity {
    /// All, mildest first.
    pub const ALL: [Self; 6] = [Self::Unknown, Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Lower-case word.
    pub fn id(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Reads the word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.id() == word)
    }
}

/// A threat of a review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threat {
    /// Structural id: it survives edits elsewhere.
    pub id: String,
    /// The rule that raised it.
    pub rule: String,
    /// The rule's title.
    pub title: String,
    /// This instance in one sentence.
    pub message: String,
    /// Of the residual risk.
    pub severity: Severity,
    /// Where it stands.
    pub status: Status,
    /// The decision of the plan's own file that applies, in words; empty where there is none.
    pub decision: String,
    /// Likelihood times impact before evidenced controls, 1..=25.
    pub inherent: i64,
    /// Likelihood times impact after them, 1..=25.
    pub residual: i64,
    /// Addresses it concerns, the cause first.
    pub targets: Vec<String>,
    /// What shows it, as `file:line`.
    pub places: Vec<String>,
}

/// A package, as one file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Ecosystem as OSV names it.
    pub ecosystem: String,
    /// Name.
    pub name: String,
    /// Version; may be empty.
    pub version: String,
    /// Where it was read, as `file:line`.
    pub place: String,
    /// `registry`, `own`, or the address it comes from.
    pub origin: String,
    /// `direct`, `transitive` or `unknown`.
    pub relation: String,
    /// Whether it only serves development.
    pub is_development: bool,
    /// What ships it, by address, several with `, `; the digest of the image's layer where only that is known, else empty.
    pub workload: String,
}

/// A flaw of a package. Flaws of one package that share a name are one vulnerability of the system, in whatever versions and places.
#[derive(Clone, Debug, PartialEq)]
pub struct Flaw {
    /// The name that people know best.
    pub name: String,
    /// All names.
    pub names: Vec<String>,
    /// Ecosystem as OSV names it.
    pub ecosystem: String,
    /// Name of the package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Where it was read, as `file:line`.
    pub place: String,
    /// How bad it is.
    pub severity: Severity,
    /// CVSS base score, 0..=10.
    pub score: Option<f64>,
    /// Probability that it is used within 30 days, 0..=1.
    pub epss: Option<f64>,
    /// The lowest version that mends it; empty where none does.
    pub fixed: String,
    /// Day since which it is known to be used; empty where it is not.
    pub known_exploited: String,
    /// `unmaintained`, `unsound` or `notice` where it is no flaw that an attacker uses; else empty.
    pub informational: String,
    /// One sentence.
    pub summary: String,
    /// Ids of the advisories that speak of it, each with the time of its publication.
    pub advisories: Vec<(String, String)>,
}
