//! Controls: what can be done against threats, as `catalogue/controls/*.yaml` states it.

use indexmap::IndexMap;
use serde::Deserialize;

/// One control.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Unique id, also the file's name.
    pub id: String,
    /// What is done, in a few words.
    pub title: String,
    /// How it helps.
    pub kind: ControlKind,
    /// Points it takes from the scores when it is in place.
    pub reduces: Reduces,
    /// How much it helps, in one word.
    pub strength: Strength,
    /// What the points rest on.
    pub basis: Basis,
    /// Why it helps, in one sentence.
    pub because: String,
    /// Component types that it can be applied to, `rds.*` allowed; empty: the system as a whole.
    pub types: Vec<String>,
    /// Condition (CEL) on the component that shows that it is in place; `None`: no configuration shows it.
    pub shown_by: Option<ShownBy>,
    /// Names of the settings that it sets: where one is set already, that is the place to change.
    #[serde(default)]
    pub sets: Vec<String>,
    /// What it costs.
    pub cost: Cost,
    /// What it does to performance.
    pub performance: Performance,
    /// From which classification of the data on it is worth its cost; `None`: whatever the data.
    #[serde(default)]
    pub worth: Option<Worth>,
    /// Where standards ask for it; empty: none does.
    pub standards: Vec<Standard>,
    /// Fixes as code; `None`: it is no matter of configuration.
    #[serde(default)]
    pub fix: Option<Fixes>,
}

/// What shows that a control is in place: one condition for all its types, or one for each type pattern (types have settings of their own).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum ShownBy {
    /// For all types.
    All(String),
    /// By type pattern, in order; the first that matches counts.
    ByType(IndexMap<String, String>),
}

impl ShownBy {
    /// The condition for a component type; for the system as a whole the type is empty.
    pub fn for_type(&self, component_type: &str) -> Option<&str> {
        match self {
            ShownBy::All(condition) => Some(condition),
            ShownBy::ByType(by_type) => {
                by_type.iter().find(|(pattern, _)| type_matches(pattern, component_type)).map(|(_, condition)| condition.as_str())
            }
        }
    }
}

/// How a control helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlKind {
    /// It makes the threat harder.
    Prevent,
    /// It shortens the time until somebody notices.
    Detect,
    /// It brings back what was lost.
    Recover,
}

impl ControlKind {
    /// Lower-case word.
    pub fn id(self) -> &'static str {
        match self {
            ControlKind::Prevent => "prevent",
            ControlKind::Detect => "detect",
            ControlKind::Recover => "recover",
        }
    }
}

/// Points taken from the scores, each 0 to 4.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reduces {
    /// From the likelihood.
    pub likelihood: f64,
    /// From the impact.
    pub impact: f64,
}

/// How much a control helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// Little.
    Minimal,
    /// Some of the cases.
    Partial,
    /// Most of the cases.
    Significant,
    /// Nearly all.
    NearEliminates,
}

/// What the points of a control rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Somebody measured it.
    Measured,
    /// The vendor says so.
    Vendor,
    /// It follows from how it works.
    Mechanism,
    /// The authors judged it.
    Judgement,
}

/// What a control costs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// What drives the cost, in words; `{price:kms.key_month}` becomes the figure with its source and date.
    pub text: String,
    /// USD per month: a number, or an expression (CEL) over `workload` and `price`; `None`: not to be estimated from what the plan says.
    pub per_month_usd: Option<Amount>,
}

/// A number or an expression that gives one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Amount {
    /// A number.
    Number(f64),
    /// A CEL expression.
    Expression(String),
}

/// What a control does to performance.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "PerformanceForm")]
pub struct Performance {
    /// In words; `{price:…}` as in [`Cost::text`].
    pub text: String,
    /// Milliseconds it adds to a request at the 99th percentile; 0 where it adds none.
    pub added_ms: f64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PerformanceForm {
    Text(String),
    Full(PerformanceFull),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PerformanceFull {
    text: String,
    added_ms: f64,
}

impl From<PerformanceForm> for Performance {
    fn from(form: PerformanceForm) -> Self {
        match form {
            PerformanceForm::Text(text) => Self { text, added_ms: 0.0 },
            PerformanceForm::Full(PerformanceFull { text, added_ms }) => Self { text, added_ms },
        }
    }
}

/// The dimension of the data's classification that decides whether a control is worth it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dimension {
    /// Harm when outsiders read it.
    Confidentiality,
    /// Harm when it is changed.
    Integrity,
    /// Harm when it is not there.
    Availability,
    /// The worst of the three.
    Any,
}

impl Dimension {
    /// The word readers see.
    pub fn word(self) -> &'static str {
        match self {
            Dimension::Confidentiality => "confidentiality",
            Dimension::Integrity => "integrity",
            Dimension::Availability => "availability",
            Dimension::Any => "classification",
        }
    }
}

/// From which classification of the data on a control is worth its cost.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worth {
    /// What is looked at.
    pub of: Dimension,
    /// Lowest value, 1..=5, from which on it pays.
    pub from: u8,
    /// What is enough below it, in words: `the bucket's own encryption is enough`.
    pub below: String,
}

/// A requirement of a standard.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standard {
    /// Its number: `S3.8`.
    pub id: String,
    /// The standard: `AWS FSBP`, `CIS AWS`, `AWS Well-Architected`.
    pub framework: String,
    /// Its edition: `2026-08`, `7.0`.
    pub edition: String,
}

impl Standard {
    /// As reports write it: `AWS FSBP S3.8 (2026-08)`.
    pub fn label(&self) -> String {
        format!("{} {} ({})", self.framework, self.id, self.edition)
    }
}

/// Fixes per source format.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixes {
    /// Terraform.
    #[serde(default)]
    pub terraform: Option<FixForm>,
    /// Kubernetes manifests.
    #[serde(default)]
    pub kubernetes: Option<FixForm>,
}

/// One template for all source types, or one for each; `*` is for the rest.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum FixForm {
    /// Blocks to add, for whatever source type.
    Text(String),
    /// By source type: `aws_s3_bucket`, `Deployment`.
    ByType(IndexMap<String, FixTemplate>),
}

/// A template of code; see `docs/catalogue.md` for what may stand between braces.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum FixTemplate {
    /// Blocks to add beside the component.
    Beside(String),
    /// Lines to set inside the component's own block, and perhaps blocks to add beside it.
    Parts(FixParts),
}

/// The parts of a fix.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixParts {
    /// Lines for the body of the component's own block.
    #[serde(default)]
    pub within: Option<String>,
    /// Blocks to add beside it.
    #[serde(default)]
    pub beside: Option<String>,
}

impl Fixes {
    /// The template for a source type, with the language it is written in.
    pub fn template(&self, source_type: &str) -> Option<(&'static str, FixParts)> {
        let of = |form: &FixForm| match form {
            FixForm::Text(text) => Some(FixParts { within: None, beside: Some(text.clone()) }),
            FixForm::ByType(by_type) => by_type.get(source_type).or_else(|| by_type.get("*")).map(FixTemplate::parts),
        };
        if source_type.contains('_') || source_type.is_empty() {
            self.terraform.as_ref().and_then(of).map(|parts| ("hcl", parts))
        } else {
            self.kubernetes.as_ref().and_then(of).map(|parts| ("yaml", parts))
        }
    }

    /// Every template with its language and the source type it is for; `*` where it is for any.
    pub fn pieces(&self) -> Vec<(&'static str, String, FixParts)> {
        let mut out = Vec::new();
        for (language, form) in [("hcl", &self.terraform), ("yaml", &self.kubernetes)] {
            match form {
                None => {}
                Some(FixForm::Text(text)) => out.push((language, "*".to_owned(), FixParts { within: None, beside: Some(text.clone()) })),
                Some(FixForm::ByType(by_type)) => {
                    out.extend(by_type.iter().map(|(source_type, template)| (language, source_type.clone(), template.parts())));
                }
            }
        }
        out
    }
}

impl FixTemplate {
    fn parts(&self) -> FixParts {
        match self {
            FixTemplate::Beside(text) => FixParts { within: None, beside: Some(text.clone()) },
            FixTemplate::Parts(parts) => parts.clone(),
        }
    }
}

impl Control {
    /// True when it can be applied to components of this type.
    pub fn fits(&self, component_type: &str) -> bool {
        self.types.iter().any(|pattern| type_matches(pattern, component_type))
    }

    /// Every condition with the type patterns that it is for; none of them: the system as a whole.
    pub fn conditions(&self) -> Vec<(Vec<String>, &str)> {
        match &self.shown_by {
            None => Vec::new(),
            Some(ShownBy::All(condition)) => vec![(self.types.clone(), condition.as_str())],
            Some(ShownBy::ByType(by_type)) => {
                by_type.iter().map(|(pattern, condition)| (vec![pattern.clone()], condition.as_str())).collect()
            }
        }
    }

    /// The condition that shows it on components of a type; for the system as a whole the type is empty.
    pub fn condition_for(&self, component_type: &str) -> Option<&str> {
        self.shown_by.as_ref().and_then(|shown_by| shown_by.for_type(component_type))
    }

    /// True when it is applied to the system as a whole.
    pub fn is_system_wide(&self) -> bool {
        self.types.is_empty()
    }

    /// The scores after it is in place. Never above what they were, never below 1.
    pub fn after(&self, likelihood: f64, impact: f64) -> (f64, f64) {
        let less = |score: f64, points: f64| (score - points.max(0.0)).max(1.0).min(score);
        (less(likelihood, self.reduces.likelihood), less(impact, self.reduces.impact))
    }

    /// What is wrong with it, in words; empty when it is sound.
    pub fn problems(&self) -> Vec<String> {
        let mut out = Vec::new();
        let mut demand = |holds: bool, text: &str| {
            if !holds {
                out.push(format!("control `{}`: {text}", self.id));
            }
        };
        for points in [self.reduces.likelihood, self.reduces.impact] {
            demand((0.0..=4.0).contains(&points), "`reduces` lies outside 0 to 4");
        }
        demand(self.reduces.likelihood + self.reduces.impact > 0.0, "it reduces nothing");
        demand(!self.title.trim().is_empty(), "`title` is empty");
        demand(!self.because.trim().is_empty(), "`because` is empty");
        demand(!self.cost.text.trim().is_empty(), "`cost.text` is empty: write `none` where it costs nothing");
        demand(!self.performance.text.trim().is_empty(), "`performance` is empty: write `none` where it has no effect");
        demand(self.performance.added_ms >= 0.0, "`performance.added_ms` is negative");
        demand(self.worth.as_ref().is_none_or(|worth| (1..=5).contains(&worth.from)), "`worth.from` lies outside 1 to 5");
        out
    }
}

/// True when a type lies under a pattern: `rds.instance` under `rds.instance` and `rds.*`.
pub fn type_matches(pattern: &str, component_type: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => component_type.starts_with(prefix),
        None => pattern == component_type,
    }
}

/// Reads one file.
///
/// # Errors
/// When it is not YAML of this shape, or the control is unsound.
pub fn parse(text: &str) -> Result<Control, String> {
    let control: Control = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    match control.problems().into_iter().next() {
        Some(problem) => Err(problem),
        None => Ok(control),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ControlKind, Dimension, parse};

    const VERSIONING: &str = r#"
id: s3-versioning
title: S3 versioning
kind: recover
reduces: {likelihood: 0, impact: 2}
strength: significant
basis: mechanism
because: an overwritten object keeps its older version
types: [s3.bucket]
shown_by: "settings.versioning == 'Enabled'"
sets: [versioning]
cost: {text: "each kept version is billed as storage", per_month_usd: "workload.gigabytes * 0.023"}
performance: none
worth: {of: integrity, from: 3, below: "what can be made again needs no versions"}
standards: [{id: S3.14, framework: AWS FSBP, edition: 2026-08}]
fix:
  terraform:
    aws_s3_bucket: |
      resource "aws_s3_bucket_versioning" "{label}" {
        bucket = {address}.id
      }
"#;

    #[test]
    fn a_control_is_read_with_all_its_parts() {
        let control = parse(VERSIONING).unwrap();
        assert_eq!(control.kind, ControlKind::Recover);
        assert!(control.fits("s3.bucket") && !control.fits("s3.access_point"));
        assert_eq!(control.worth.as_ref().unwrap().of, Dimension::Integrity);
        assert_eq!(control.standards[0].label(), "AWS FSBP S3.14 (2026-08)");
        let (language, parts) = control.fix.as_ref().unwrap().template("aws_s3_bucket").unwrap();
        assert_eq!(language, "hcl");
        assert!(parts.beside.unwrap().contains("aws_s3_bucket_versioning"));
    }

    #[test]
    fn a_misspelt_field_is_refused() {
        assert!(parse(&VERSIONING.replace("because:", "becuase:")).is_err());
    }

    #[test]
    fn a_control_that_reduces_nothing_is_refused() {
        let error = parse(&VERSIONING.replace("impact: 2", "impact: 0")).unwrap_err();
        assert!(error.contains("reduces nothing"), "{error}");
    }

    proptest! {
        #[test]
        fn a_control_never_raises_a_score(likelihood in 1.0..5.0f64, impact in 1.0..5.0f64, a in -1.0..4.0f64, b in -1.0..4.0f64) {
            let mut control = parse(VERSIONING).unwrap();
            control.reduces.likelihood = a;
            control.reduces.impact = b;
            let (after_likelihood, after_impact) = control.after(likelihood, impact);
            prop_assert!(after_likelihood <= likelihood && after_likelihood >= 1.0);
            prop_assert!(after_impact <= impact && after_impact >= 1.0);
        }
    }
}
