//! Component types and their settings: the part of the services catalogue that rules are checked against.
//!
//! The same files tell `import` how to read each source format; those parts are not looked at here.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Problems;
use crate::expression::ValueKind;

/// A component type.
#[derive(Clone, Debug, Default)]
pub struct ComponentType {
    /// Full name: `s3.bucket`.
    pub name: String,
    /// Short AWS name of the service.
    pub service: String,
    /// Title of the service.
    pub service_title: String,
    /// What a reader calls one.
    pub title: String,
    /// `external_entity`, `process`, `data_store` or `supporting`.
    pub kind: String,
    /// What it can do; a closed list.
    pub traits: Vec<String>,
    /// Its settings, in the file's order.
    pub settings: IndexMap<String, SettingDoc>,
    /// Source types that become one, per source format: `terraform` to `aws_s3_bucket`.
    pub sources: BTreeMap<String, Vec<String>>,
}

/// What is known of a setting.
#[derive(Clone, Debug)]
pub struct SettingDoc {
    /// Its type.
    pub kind: SettingKind,
    /// Whether it has a default, and so is never null.
    pub has_default: bool,
    /// One sentence.
    pub about: String,
}

/// The type of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SettingKind {
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A text.
    Text,
    /// A list.
    List,
    /// A map.
    Map,
    /// A JSON document, as the map that it holds.
    Document,
}

impl SettingKind {
    /// The type that expressions see. A document is a map, but null where there is none.
    pub(super) fn value_kind(self) -> ValueKind {
        match self {
            SettingKind::Bool => ValueKind::Bool,
            SettingKind::Number => ValueKind::Number,
            SettingKind::Text => ValueKind::Text,
            SettingKind::List => ValueKind::List,
            SettingKind::Map => ValueKind::Map,
            SettingKind::Document => ValueKind::Any,
        }
    }
}

#[derive(Deserialize)]
struct ServiceFile {
    #[serde(default)]
    service: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    types: IndexMap<String, TypeEntry>,
    #[serde(default)]
    terraform: IndexMap<String, SourceEntry>,
    #[serde(default)]
    kubernetes: IndexMap<String, SourceEntry>,
}

#[derive(Deserialize)]
struct TypeEntry {
    #[serde(default)]
    title: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    traits: Vec<String>,
    #[serde(default)]
    settings: IndexMap<String, SettingEntry>,
}

#[derive(Deserialize)]
struct SettingEntry {
    #[serde(rename = "type")]
    kind: SettingKind,
    default: Option<IgnoredAny>,
    #[serde(default)]
    about: String,
}

/// A source type: only what it becomes is read here, whichever of the forms it has.
#[derive(Deserialize)]
#[serde(untagged)]
enum SourceEntry {
    Becomes { is: String },
    Other(IgnoredAny),
}

pub(super) fn load(path: &str, text: &str, types: &mut BTreeMap<String, ComponentType>, problems: &mut Problems) {
    let Some(file) = problems.parse::<ServiceFile>(path, text) else { return };
    for (name, entry) in file.types {
        let full = format!("{}.{name}", file.service);
        let settings = entry
            .settings
            .into_iter()
            .map(|(name, setting)| (name, SettingDoc { kind: setting.kind, has_default: setting.default.is_some(), about: setting.about }));
        let mut sources: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (format, entries) in [("terraform", &file.terraform), ("kubernetes", &file.kubernetes)] {
            let of_type = entries.iter().filter(|(_, source)| matches!(source, SourceEntry::Becomes { is } if *is == name));
            sources.entry(format.to_owned()).or_default().extend(of_type.map(|(source, _)| source.clone()));
        }
        sources.retain(|_, found| !found.is_empty());
        let known = ComponentType {
            name: full.clone(),
            service: file.service.clone(),
            service_title: file.title.clone(),
            title: entry.title,
            kind: entry.kind,
            traits: entry.traits,
            settings: settings.collect(),
            sources,
        };
        if types.insert(full.clone(), known).is_some() {
            problems.push(path, None, format!("the type `{full}` is defined twice"));
        }
    }
}
