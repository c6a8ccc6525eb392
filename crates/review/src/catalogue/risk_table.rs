//! Matrix and adjustments of the risk scores: `risk.yaml`. Every number there carries its reason, and every reason reaches the report.

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{Dimension, Problems};
use crate::Severity;

/// The tables.
#[derive(Clone, Debug)]
pub struct RiskTable {
    /// Severity by likelihood (rows, 1..=5) and impact (columns, 1..=5).
    matrix: [[Severity; 5]; 5],
    /// Points on the likelihood by exposure: `internet`, `other-accounts`, `account`, `vpc`, `cluster`, `none`.
    pub exposure: Vec<Adjustment>,
    /// Points on the likelihood of what lies on an attack path.
    pub attack_path: Option<PathPoints>,
    /// Environments, first match wins.
    pub environments: Vec<EnvironmentWords>,
    /// Effect of declared workload figures.
    pub workload: Vec<WorkloadRule>,
    /// Part of the difference that a guessed asset makes, ratio 0..=1.
    pub guessed_assets: f64,
    /// Part of its points that each control after the strongest takes, ratio 0..=1.
    pub further_controls: f64,
    /// Highest severity that may stay open where the owners declare nothing.
    pub tolerated: Severity,
}

impl Default for RiskTable {
    /// Likelihood times impact in five equal steps and no adjustments: what is left where a catalogue has no `risk.yaml`.
    fn default() -> Self {
        let steps = [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
        let mut matrix = [[Severity::Info; 5]; 5];
        for (row, likelihood) in matrix.iter_mut().zip(1usize..) {
            for (cell, impact) in row.iter_mut().zip(1usize..) {
                *cell = steps.get((likelihood * impact - 1) / 5).copied().unwrap_or(Severity::Critical);
            }
        }
        Self {
            matrix,
            exposure: Vec::new(),
            attack_path: None,
            environments: Vec::new(),
            workload: Vec::new(),
            guessed_assets: 0.5,
            further_controls: 0.5,
            tolerated: Severity::Low,
        }
    }
}

impl RiskTable {
    /// Severity of a likelihood and an impact, both 1..=5; what lies outside counts as the nearest.
    pub fn severity(&self, likelihood: u8, impact: u8) -> Severity {
        let index = |score: u8| usize::from(score.clamp(1, 5)) - 1;
        self.matrix.get(index(likelihood)).and_then(|row| row.get(index(impact))).copied().unwrap_or(Severity::Critical)
    }
}

/// Points with their reason.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adjustment {
    /// What it is for.
    pub of: String,
    /// Points.
    pub points: f64,
    /// Why.
    pub because: String,
}

/// Points of an attack path.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathPoints {
    /// Least likelihood of the path that counts, ratio 0..=1.
    pub at_least: f64,
    /// Points.
    pub points: f64,
    /// Why.
    pub because: String,
}

/// An environment and the words that name it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentWords {
    /// What a reader calls it.
    pub name: String,
    /// Words in tags and stack names.
    pub words: Vec<String>,
    /// Points on the impact.
    pub points: f64,
    /// Why.
    pub because: String,
}

/// Effect of a declared workload figure.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadRule {
    /// `records`, `requests_per_second`, `gigabytes`, `rto_minutes`, `rpo_minutes`.
    pub figure: String,
    /// It counts where the figure is at least this.
    pub at_least: Option<f64>,
    /// It counts where the figure is at most this.
    pub at_most: Option<f64>,
    /// The dimension of the impact that it changes.
    pub of: Dimension,
    /// Points on the impact.
    pub points: f64,
    /// Why.
    pub because: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RiskFile {
    matrix: Spanned<Vec<Vec<SeverityWord>>>,
    #[expect(dead_code, reason = "read by people and by the generated documentation only")]
    because: String,
    exposure: Vec<Adjustment>,
    #[serde(default)]
    attack_path: Option<PathPoints>,
    environments: Vec<EnvironmentWords>,
    workload: Vec<WorkloadRule>,
    guessed_assets: Ratio,
    further_controls: Ratio,
    tolerated: SeverityWord,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ratio {
    ratio: Spanned<f64>,
    #[expect(dead_code, reason = "read by people and by the generated documentation only")]
    because: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SeverityWord {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl From<SeverityWord> for Severity {
    fn from(word: SeverityWord) -> Self {
        match word {
            SeverityWord::Info => Severity::Info,
            SeverityWord::Low => Severity::Low,
            SeverityWord::Medium => Severity::Medium,
            SeverityWord::High => Severity::High,
            SeverityWord::Critical => Severity::Critical,
        }
    }
}

pub(super) fn load(path: &str, text: &str, table: &mut RiskTable, problems: &mut Problems) {
    let before = problems.count();
    let Some(file) = problems.parse::<RiskFile>(path, text) else { return };
    let mut matrix = [[Severity::Info; 5]; 5];
    if file.matrix.value.len() != 5 || file.matrix.value.iter().any(|row| row.len() != 5) {
        problems.push(path, Some(file.matrix.referenced), "the matrix has five rows of five severities");
    }
    for (row, words) in matrix.iter_mut().zip(&file.matrix.value) {
        for (cell, word) in row.iter_mut().zip(words) {
            *cell = (*word).into();
        }
    }
    let rises = matrix.iter().all(|row| row.is_sorted())
        && matrix.iter().zip(matrix.iter().skip(1)).all(|(low, high)| low.iter().zip(high).all(|(a, b)| a <= b));
    if !rises {
        problems.push(path, Some(file.matrix.referenced), "severity must not fall as likelihood or impact rises");
    }
    for ratio in [&file.guessed_assets, &file.further_controls] {
        if !(0.0..=1.0).contains(&ratio.ratio.value) {
            problems.push(path, Some(ratio.ratio.referenced), "a ratio is 0 to 1");
        }
    }
    if problems.count() > before {
        return;
    }
    *table = RiskTable {
        matrix,
        exposure: file.exposure,
        attack_path: file.attack_path,
        environments: file.environments,
        workload: file.workload,
        guessed_assets: file.guessed_assets.ratio.value,
        further_controls: file.further_controls.ratio.value,
        tolerated: file.tolerated.into(),
    };
}
