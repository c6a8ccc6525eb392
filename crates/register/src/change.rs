//! What changed: the history of risks and vulnerabilities.

use crate::course::ChangeKind;
use crate::run::Severity;
use crate::time::Time;

/// What a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// A risk.
    Risk,
    /// A vulnerability.
    Vulnerability,
}

impl About {
    /// Lower-case word.
    pub fn id(self) -> &'static str {
        match self {
            Self::Risk => "risk",
            Self::Vulnerability => "vulnerability",
        }
    }

    /// Reads the word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Risk, Self::Vulnerability].into_iter().find(|about| about.id() == word)
    }
}

/// One change of one risk or vulnerability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Number within the system, from 1, ascending in time.
    pub number: i64,
    /// Number of the run that brought it; of the last one before it, where a person did.
    pub run: i64,
    /// When.
    pub at: Time,
    /// What it is about.
    pub about: About,
    /// Id of the risk or vulnerability.
    pub subject: String,
    /// What happened.
    pub kind: ChangeKind,
    /// Who did it, where a person did.
    pub who: String,
    /// More words on it; may be empty.
    pub text: String,
    /// How bad the risk or vulnerability is.
    pub severity: Severity,
    /// It in one sentence.
    pub title: String,
}
