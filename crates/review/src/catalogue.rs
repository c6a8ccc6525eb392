//! What the tool knows, read from `catalogue/` and checked as a whole: rules, controls, types, frameworks, risk tables.
//!
//! Loading is pure: `cli` hands in the embedded files, tests the files on disk.
//! A mistake in one file leaves that file out and is reported; the rest loads.
//! Runbooks and training texts are kept as they are in [`Catalogue::documents`] for the phases that use them.

pub mod attack;
pub mod controls;
pub mod costs;
mod framework;
mod load_controls;
pub mod monitoring;
mod page;
pub mod recovery;
mod risk_table;
mod rule;
mod service;
pub(crate) mod suggest;
mod vocabularies;

use std::collections::BTreeMap;
use std::fmt;

use crate::{Lifecycle, ServiceApis};

use crate::expression::Expression;

pub use controls::{Control, ControlKind, Dimension};
pub use costs::Costs;
pub use framework::Framework;
pub use page::{Example, Expectation, Page};
pub use risk_table::{Adjustment, EnvironmentWords, RiskTable, WorkloadRule};
pub use rule::{Detect, Likelihood, On, QuestionText, Rule, Selector};
pub use service::{ComponentType, SettingDoc, SettingKind};

/// Everything the tool knows.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Rules by id.
    pub rules: BTreeMap<String, Rule>,
    /// Controls by id.
    pub controls: BTreeMap<String, Control>,
    /// Component types by name: `s3.bucket`.
    pub types: BTreeMap<String, ComponentType>,
    /// Frameworks by id: `attack`, `cwe`.
    pub frameworks: BTreeMap<String, Framework>,
    /// Matrix and adjustments of the risk scores.
    pub risk: RiskTable,
    /// How components are reached: protocols, ports, ARN shapes.
    pub services: ServiceApis,
    /// When versions end.
    pub lifecycle: Lifecycle,
    /// Prices and figures of performance.
    pub costs: Costs,
    /// What is to be watched.
    pub monitoring: monitoring::Monitoring,
    /// What an attacker can do with permissions.
    pub attack: attack::Primitives,
    /// How stores come back.
    pub recovery: Vec<recovery::RecoveryRule>,
    /// Compiled conditions that show controls, by control: type patterns (none: the system) with their condition.
    shown: BTreeMap<String, Vec<(Vec<String>, Expression)>>,
    /// Every other file by its path: runbooks, training.
    pub documents: BTreeMap<String, String>,
}

/// A mistake in the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CatalogueError {
    /// Path in the catalogue.
    pub path: String,
    /// Line, from 1; 0 for the file as a whole.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for CatalogueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl Catalogue {
    /// Reads and checks the files of a catalogue; paths are relative to it, with `/`.
    pub fn load<P: Into<String>, T: Into<String>>(files: impl IntoIterator<Item = (P, T)>) -> (Self, Vec<CatalogueError>) {
        let mut sorted: BTreeMap<String, String> = files.into_iter().map(|(path, text)| (path.into(), text.into())).collect();
        let mut catalogue = Self::default();
        let mut problems = Problems::default();
        // Types first: conditions of controls and rules are checked against them.
        let pages = take(&mut sorted, |path| path.starts_with("threats/") && path.ends_with(".md"));
        let threats = take(&mut sorted, |path| path.starts_with("threats/") && path.ends_with(".yaml"));
        let controls = take(&mut sorted, |path| path.starts_with("controls/") && path.ends_with(".yaml"));
        for (path, text) in take(&mut sorted, |path| path.starts_with("services/") && path != "services/ignored.yaml") {
            service::load(&path, &text, &mut catalogue, &mut problems);
        }
        for (path, text) in take(&mut sorted, |path| path.starts_with("frameworks/")) {
            framework::load(&path, &text, &mut catalogue.frameworks, &mut problems);
        }
        // What import passes over says nothing to a review.
        sorted.remove("services/ignored.yaml");
        if let Some(text) = sorted.remove("risk.yaml") {
            risk_table::load("risk.yaml", &text, &mut catalogue.risk, &mut problems);
        }
        if let Some(text) = sorted.remove("lifecycle.yaml") {
            match Lifecycle::load(&text) {
                Ok(lifecycle) => catalogue.lifecycle = lifecycle,
                Err(message) => problems.push("lifecycle.yaml", None, message),
            }
        }
        if let Some(text) = sorted.remove("costs.yaml") {
            match costs::parse(&text) {
                Ok(costs) => catalogue.costs = costs,
                Err(message) => problems.push("costs.yaml", None, message),
            }
        }
        for (path, text) in &controls {
            load_controls::load(path, text, &mut catalogue, &mut problems);
        }
        for (path, text) in take(&mut sorted, |path| path.starts_with("monitoring/")) {
            monitoring::load(&path, &text, &mut catalogue, &mut problems);
        }
        for (path, text) in take(&mut sorted, |path| path.starts_with("attack/")) {
            attack::load(&path, &text, &mut catalogue, &mut problems);
        }
        for (path, text) in take(&mut sorted, |path| path.starts_with("recovery/")) {
            recovery::load(&path, &text, &mut catalogue, &mut problems);
        }
        for (path, text) in &threats {
            let page = pages.get(&format!("{}.md", path.trim_end_matches(".yaml"))).map(String::as_str);
            if let Some(rule) = rule::load(path, text, page, &catalogue, &mut problems) {
                catalogue.add_rule(path, rule, &mut problems);
            }
        }
        for path in pages.keys() {
            if !threats.contains_key(&format!("{}.yaml", path.trim_end_matches(".md"))) {
                problems.push(path, None, "this page has no rule of the same name beside it");
            }
        }
        catalogue.documents = sorted;
        let mut errors = problems.0;
        errors.sort();
        (catalogue, errors)
    }

    fn add_rule(&mut self, path: &str, rule: Rule, problems: &mut Problems) {
        let clash = std::iter::once(&rule.id)
            .chain(&rule.aliases)
            .find_map(|name| self.rule(name).map(|other| format!("`{name}` is already the name of the rule in `{}`", other.path)));
        match clash {
            Some(message) => problems.push(path, None, message),
            None => {
                self.rules.insert(rule.id.clone(), rule);
            }
        }
    }

    /// The rule of an id or former id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.get(id).or_else(|| self.rules.values().find(|rule| rule.aliases.iter().any(|alias| alias == id)))
    }

    /// The condition that shows a control on components of a type; an empty type stands for the system as a whole.
    pub fn shown_by(&self, control: &str, component_type: &str) -> Option<&Expression> {
        let conditions = self.shown.get(control)?;
        let fits = |patterns: &[String]| match patterns {
            [] => component_type.is_empty(),
            patterns => patterns.iter().any(|pattern| controls::type_matches(pattern, component_type)),
        };
        conditions.iter().find(|(patterns, _)| fits(patterns)).map(|(_, condition)| condition)
    }

    /// Traits of a component type; none for a type that the catalogue does not have.
    pub fn traits_of(&self, component_type: &str) -> &[String] {
        self.types.get(component_type).map_or(&[], |known| &known.traits)
    }
}

fn take(files: &mut BTreeMap<String, String>, wanted: impl Fn(&str) -> bool) -> BTreeMap<String, String> {
    let mut taken = BTreeMap::new();
    files.retain(|path, text| {
        let keep = !wanted(path);
        if !keep {
            taken.insert(path.clone(), std::mem::take(text));
        }
        keep
    });
    taken
}

/// Collects mistakes.
#[derive(Default)]
struct Problems(Vec<CatalogueError>);

impl Problems {
    fn push(&mut self, path: &str, at: Option<serde_saphyr::Location>, message: impl Into<String>) {
        let (line, column) = at.map_or((0, 0), |at| (at.line(), at.column()));
        self.0.push(CatalogueError { path: path.to_owned(), line, column, message: message.into() });
    }

    /// Parses a file into its typed form.
    fn parse<'de, T: serde::Deserialize<'de>>(&mut self, path: &str, text: &'de str) -> Option<T> {
        match typed(text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.push(path, error.location(), error.without_snippet().to_string());
                None
            }
        }
    }

    fn count(&self) -> usize {
        self.0.len()
    }
}

/// Reads YAML. What the build has turned into JSON, which is YAML as well, is tried as JSON first, for that is many times faster.
///
/// JSON has no places: a mistake in it is told without line and column.
pub(crate) fn typed<'de, T: serde::Deserialize<'de>>(text: &'de str) -> Result<T, serde_saphyr::Error> {
    match text.starts_with('{').then(|| serde_json::from_str(text)) {
        Some(Ok(value)) => Ok(value),
        _ => serde_saphyr::from_str(text),
    }
}

/// The name of a file without folders and ending.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split_once('.').map_or(name, |(stem, _)| stem)
}
