//! What configured features give when data is lost, as `catalogue/recovery/*.yaml` states it.

use serde::Deserialize;

use super::{Catalogue, On, Problems, Selector, monitoring, vocabularies};
use crate::expression::{Expression, Template};

/// How stores of some types come back.
#[derive(Clone, Debug)]
pub struct RecoveryRule {
    /// Component types.
    pub types: Vec<String>,
    /// Condition on the component; where it is false there is nothing to recover.
    pub given: Option<Expression>,
    /// What can be configured, best first.
    pub features: Vec<Feature>,
    /// Without any of the features.
    pub without: Outcome,
}

/// A feature that brings data or service back.
#[derive(Clone, Debug)]
pub struct Feature {
    /// What it is called.
    pub name: String,
    /// Condition that shows it.
    pub when: Expression,
    /// What is configured, with values.
    pub text: Template,
    /// Which loss it is against.
    pub against: Vec<Loss>,
    /// What it gives.
    pub gives: Outcome,
    /// What is missing where it is off; `None`: not every store needs it.
    pub gap: Option<String>,
    /// `false`: no matter for what receives dead letters itself.
    pub dead_letter: Option<bool>,
}

/// A kind of loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Data is deleted or spoilt by a person, an attacker or a program.
    Data,
    /// An availability zone or a host fails.
    Zone,
    /// A region fails.
    Region,
}

/// What a recovery gives.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Most data lost, in words.
    pub rpo: String,
    /// The same in minutes; `None`: it depends, or everything.
    #[serde(default)]
    pub rpo_minutes: Option<f64>,
    /// Time to come back, in words.
    pub rto: String,
    /// The same in minutes; `None`: it depends, or never.
    #[serde(default)]
    pub rto_minutes: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecoveryFile {
    stores: Vec<StoreText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoreText {
    types: Vec<String>,
    #[serde(default)]
    given: Option<String>,
    features: Vec<FeatureText>,
    without: Outcome,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FeatureText {
    name: String,
    when: String,
    text: String,
    against: Vec<Loss>,
    rpo: String,
    #[serde(default)]
    rpo_minutes: Option<f64>,
    rto: String,
    #[serde(default)]
    rto_minutes: Option<f64>,
    #[serde(default)]
    gap: Option<String>,
    #[serde(default)]
    dead_letter: Option<bool>,
    /// Where the figures were read; for readers of the catalogue.
    #[serde(rename = "source")]
    _source: String,
}

pub(super) fn load(path: &str, text: &str, catalogue: &mut Catalogue, problems: &mut Problems) {
    let Some(file) = problems.parse::<RecoveryFile>(path, text) else { return };
    for store in file.stores {
        let name = store.types.join(", ");
        for wanted in store.types.iter().filter(|wanted| !catalogue.types.contains_key(*wanted)) {
            problems.push(path, None, format!("there is no component type `{wanted}`"));
        }
        match compile(catalogue, store) {
            Ok(rule) => catalogue.recovery.push(rule),
            Err(message) => problems.push(path, None, format!("{name}: {message}")),
        }
    }
}

fn compile(catalogue: &Catalogue, store: StoreText) -> Result<RecoveryRule, String> {
    let target = Selector { types: store.types.clone(), traits: Vec::new() };
    let vocabulary = vocabularies::of_rule(catalogue, On::Component, &target, &Selector::default());
    let given = store.given.as_deref().map(|source| monitoring::condition(catalogue, &store.types, source)).transpose()?;
    let mut features = Vec::new();
    for feature in store.features {
        features.push(Feature {
            when: monitoring::condition(catalogue, &store.types, &feature.when)?,
            text: Template::compile(&feature.text, &vocabulary).map_err(|error| error.message)?,
            name: feature.name,
            against: feature.against,
            gives: Outcome { rpo: feature.rpo, rpo_minutes: feature.rpo_minutes, rto: feature.rto, rto_minutes: feature.rto_minutes },
            gap: feature.gap,
            dead_letter: feature.dead_letter,
        });
    }
    Ok(RecoveryRule { types: store.types, given, features, without: store.without })
}
