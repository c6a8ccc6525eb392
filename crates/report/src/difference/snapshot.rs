//! What a comparison needs of a review, read from `bartizan/review/1`.
//!
//! Own types with defaults for everything, so that a document of an older or newer version can be compared too.

use std::collections::BTreeMap;

use bartizan_review::Severity;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::json::v1::{REVIEW, ReviewDto};
use crate::words::SEVERITIES;

/// A review, as far as two can be compared.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Snapshot {
    #[serde(default)]
    schema: String,
    #[serde(default)]
    pub(super) architecture: Architecture,
    #[serde(default)]
    pub(super) threats: Vec<Threat>,
    #[serde(default)]
    pub(super) attack_paths: Vec<AttackPath>,
    #[serde(default)]
    pub(super) further_paths: Vec<AttackPath>,
    /// `None` where the document is older than this list.
    #[serde(default)]
    pub(super) permissions: Option<Vec<Permission>>,
    #[serde(default)]
    pub(super) questions: Vec<Question>,
}

/// A text is no review. The user's fault.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Not JSON, or a field has another type than in `bartizan/review/1`.
    #[error("it is no review: {0}")]
    Malformed(#[from] serde_json::Error),
    /// JSON of another format.
    #[error("it is `{0}` and not `bartizan/review/1`")]
    Other(String),
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Architecture {
    #[serde(default)]
    pub(super) components: Vec<Component>,
    #[serde(default)]
    pub(super) supporting: Vec<Component>,
    #[serde(default)]
    pub(super) flows: Vec<Flow>,
    #[serde(default)]
    pub(super) boundaries: Vec<Boundary>,
    #[serde(default)]
    pub(super) moved: Vec<Moved>,
    #[serde(default)]
    pub(super) switched_off: Vec<SwitchedOff>,
}

/// `switched_off` of the architecture.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct SwitchedOff {
    pub(super) address: String,
    #[serde(default)]
    pub(super) origin: Option<Origin>,
}

/// `moved` of the architecture.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Moved {
    from: String,
    to: String,
}

impl Moved {
    /// The new address of what stood at an address, where this is about it.
    pub(super) fn of(&self, address: &str) -> Option<String> {
        let rest = address.strip_prefix(self.from.as_str())?;
        (rest.is_empty() || rest.starts_with(['.', '['])).then(|| format!("{}{rest}", self.to))
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Component {
    pub(super) address: String,
    #[serde(default, rename = "type")]
    pub(super) source_type: String,
    #[serde(default)]
    pub(super) component_type: String,
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) boundary: Option<String>,
    #[serde(default)]
    pub(super) exposure: Option<String>,
    #[serde(default)]
    pub(super) exposure_why: Vec<Reason>,
    #[serde(default)]
    pub(super) assets: Vec<String>,
    #[serde(default)]
    pub(super) stack: String,
    #[serde(default)]
    pub(super) origin: Option<Origin>,
    #[serde(default)]
    pub(super) settings: Map<String, Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Reason {
    #[serde(default)]
    pub(super) text: String,
    #[serde(default)]
    pub(super) file: Option<String>,
    #[serde(default)]
    pub(super) line: Option<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Origin {
    #[serde(default)]
    pub(super) file: String,
    #[serde(default)]
    pub(super) line: u32,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Flow {
    pub(super) from: String,
    pub(super) to: String,
    #[serde(default)]
    pub(super) protocol: String,
    #[serde(default)]
    pub(super) port: Option<u16>,
    #[serde(default)]
    pub(super) encrypted: Option<bool>,
    #[serde(default)]
    pub(super) authentication: Option<String>,
    #[serde(default)]
    pub(super) data: Vec<String>,
    #[serde(default)]
    pub(super) confidence: String,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) why: Vec<Reason>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Boundary {
    pub(super) id: String,
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Threat {
    pub(super) id: String,
    #[serde(default)]
    pub(super) rule: String,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) category: String,
    #[serde(default)]
    pub(super) targets: Vec<String>,
    #[serde(default)]
    pub(super) of_system: bool,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) severity: String,
    #[serde(default)]
    pub(super) residual: Residual,
    #[serde(default)]
    pub(super) evidence: Vec<Evidence>,
    #[serde(default)]
    pub(super) paths: Vec<String>,
    #[serde(default)]
    pub(super) decision: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Residual {
    #[serde(default)]
    pub(super) risk: u8,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Evidence {
    #[serde(default)]
    pub(super) file: String,
    #[serde(default)]
    pub(super) line: u32,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct AttackPath {
    pub(super) id: String,
    pub(super) from: String,
    pub(super) to: String,
    #[serde(default)]
    pub(super) operation: Option<String>,
    #[serde(default)]
    pub(super) likelihood: f64,
    #[serde(default)]
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Step {
    #[serde(default)]
    pub(super) to: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Permission {
    pub(super) holder: String,
    #[serde(default)]
    pub(super) via: String,
    #[serde(default)]
    pub(super) policy: String,
    #[serde(default)]
    pub(super) effect: String,
    #[serde(default)]
    pub(super) actions: Vec<String>,
    #[serde(default)]
    pub(super) resources: Vec<String>,
    #[serde(default)]
    pub(super) conditions: Vec<String>,
    #[serde(default)]
    pub(super) origin: Option<Origin>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Question {
    #[serde(default)]
    pub(super) text: String,
    #[serde(default)]
    pub(super) to: String,
    #[serde(default)]
    pub(super) about: String,
    #[serde(default)]
    pub(super) setting: Option<String>,
}

impl Snapshot {
    /// Reads `bartizan/review/1`.
    ///
    /// # Errors
    /// The text is no such document.
    pub fn from_json(text: &[u8]) -> Result<Self, SnapshotError> {
        let read: Snapshot = serde_json::from_slice(text)?;
        match read.schema.as_str() {
            REVIEW => Ok(read),
            other => Err(SnapshotError::Other(other.to_owned())),
        }
    }

    /// The snapshot of a review that was just made.
    ///
    /// # Errors
    /// Never in practice: what is written can be read.
    pub fn of(review: &ReviewDto) -> Result<Self, SnapshotError> {
        Self::from_json(&serde_json::to_vec(review)?)
    }

    /// True where there is nothing in it: a plan before its first file.
    pub fn is_empty(&self) -> bool {
        self.architecture.components.is_empty() && self.architecture.supporting.is_empty() && self.schema.is_empty()
    }

    /// All attack paths; those that are listed first.
    pub(super) fn paths(&self) -> impl Iterator<Item = &AttackPath> {
        self.attack_paths.iter().chain(&self.further_paths)
    }

    /// All components by address; what a document lists twice counts once.
    pub(super) fn components(&self) -> BTreeMap<&str, &Component> {
        let all = self.architecture.components.iter().chain(&self.architecture.supporting);
        all.map(|component| (component.address.as_str(), component)).collect()
    }
}

impl Component {
    pub(super) fn is_supporting(&self) -> bool {
        self.kind == "supporting"
    }
}

impl Threat {
    pub(super) fn is_open(&self) -> bool {
        self.status == "open"
    }

    /// What is not a known word counts as the mildest.
    pub(super) fn severity(&self) -> Severity {
        severity(&self.severity)
    }
}

/// The severity of a word; what is none counts as the mildest.
pub(super) fn severity(word: &str) -> Severity {
    SEVERITIES.into_iter().find(|known| known.id() == word).unwrap_or(Severity::Info)
}
