//! Frameworks that rules and controls refer to: `frameworks/<id>.yaml` with edition, source and entries.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Problems, stem};

/// A framework: names and titles of what rules refer to, with its edition.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Framework {
    /// Equal to the file's name: `attack`.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Version or date.
    pub edition: String,
    /// Where it was read.
    pub source: String,
    /// Titles by id: `T1530` to `Data from Cloud Storage`.
    pub entries: BTreeMap<String, String>,
}

pub(super) fn load(path: &str, text: &str, frameworks: &mut BTreeMap<String, Framework>, problems: &mut Problems) {
    let Some(framework) = problems.parse::<Framework>(path, text) else { return };
    if framework.id != stem(path) {
        problems.push(path, None, format!("the id `{}` and the file's name differ", framework.id));
    }
    frameworks.insert(framework.id.clone(), framework);
}
