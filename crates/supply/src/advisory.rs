//! Advisories, cut down to what matching and reporting need.

use serde::{Deserialize, Serialize};

use crate::ecosystem::{Ecosystem, EcosystemKind};
use crate::range::Range;

/// One published flaw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Advisory {
    /// Its id at its publisher, such as `GHSA-…`, `PYSEC-…`, `CVE-…`.
    pub id: String,
    /// The package, where the publisher gives one id to a record of each package; empty where the id alone tells the record.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// Other names of the same flaw.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Flaws of other packages that this one passes on, as distributions tell; their CVEs join it to KEV and EPSS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub upstream: Vec<String>,
    /// One sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// When it was published, RFC 3339 or a day; empty where not told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub published: String,
    /// When it was last changed, RFC 3339 or a day; empty where not told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub modified: String,
    /// CVSS vectors, of any version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cvss: Vec<String>,
    /// The publisher's own word for how bad it is, in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Weaknesses, such as `CWE-79`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cwe: Vec<String>,
    /// Pages about it, the advisory itself first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// Which packages it speaks of.
    pub affected: Vec<Affected>,
}

/// What an advisory says of one package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Affected {
    /// Ecosystem, with its release where the advisory speaks of one.
    #[serde(with = "ecosystem_text")]
    pub ecosystem: Ecosystem,
    /// Name as the ecosystem compares it (see [`EcosystemKind::canonical_name`]).
    pub name: String,
    /// Versions from one to another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Range>,
    /// Versions that no range covers, as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// What it is where it is no flaw that an attacker uses: `unmaintained`, `unsound`, `notice`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub informational: Option<String>,
}

impl Affected {
    /// What the database finds it by; releases share a key.
    pub(crate) fn key(&self) -> String {
        package_key(self.ecosystem.kind, &self.name)
    }
}

/// Key of a package by its canonical name.
pub(crate) fn package_key(kind: EcosystemKind, canonical_name: &str) -> String {
    format!("{}\0{canonical_name}", kind.name())
}

impl Advisory {
    /// Its id and all other names of the same flaw.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.id.as_str()).chain(self.aliases.iter().map(String::as_str))
    }

    /// The highest base score of its CVSS vectors, 0..=10; `None` where it has none that can be read.
    pub fn score(&self) -> Option<f64> {
        let scores = self.cvss.iter().filter_map(|vector| vector.parse::<cvss::Cvss>().ok()).map(|vector| vector.score());
        scores.fold(None, |highest, score| Some(highest.map_or(score, |highest: f64| highest.max(score))))
    }
}

mod ecosystem_text {
    //! Ecosystems are written as OSV writes them.

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::ecosystem::Ecosystem;

    pub(super) fn serialize<S: Serializer>(ecosystem: &Ecosystem, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(ecosystem)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ecosystem, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}
