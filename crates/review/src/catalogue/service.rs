//! Component types and their settings: the part of the services catalogue that rules are checked against.
//!
//! The same files tell `import` how to read each source format; those parts are not looked at here.

use std::collections::BTreeMap;
use std::fmt;

use indexmap::IndexMap;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Catalogue, Problems};
use crate::expression::ValueKind;
use crate::flows::{ApiEntry, ServiceEntry};

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
    iam: Vec<String>,
    api: Option<ApiEntry>,
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
    arn: Option<String>,
    api: Option<ApiEntry>,
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
#[derive(Default)]
struct SourceEntry {
    is: Option<String>,
}

/// Written by hand because an untagged enum would first copy each entry, and the services are most of the catalogue.
impl<'de> Deserialize<'de> for SourceEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SourceVisitor)
    }
}

struct SourceVisitor;

impl<'de> Visitor<'de> for SourceVisitor {
    type Value = SourceEntry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a source type")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SourceEntry, A::Error> {
        let mut entry = SourceEntry::default();
        while let Some(key) = map.next_key::<String>()? {
            if key == "is" {
                entry.is = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(entry)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<SourceEntry, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(SourceEntry::default())
    }

    fn visit_unit<E>(self) -> Result<SourceEntry, E> {
        Ok(SourceEntry::default())
    }

    fn visit_none<E>(self) -> Result<SourceEntry, E> {
        Ok(SourceEntry::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<SourceEntry, E> {
        Ok(SourceEntry::default())
    }
}

pub(super) fn load(path: &str, text: &str, catalogue: &mut Catalogue, problems: &mut Problems) {
    let Some(file) = problems.parse::<ServiceFile>(path, text) else { return };
    let head = ServiceEntry { service: file.service, title: file.title, iam: file.iam, api: file.api };
    catalogue.services.add_service(&head);
    for (name, entry) in file.types {
        let full = format!("{}.{name}", head.service);
        let settings = entry
            .settings
            .into_iter()
            .map(|(name, setting)| (name, SettingDoc { kind: setting.kind, has_default: setting.default.is_some(), about: setting.about }));
        let mut sources: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (format, entries) in [("terraform", &file.terraform), ("kubernetes", &file.kubernetes)] {
            let of_type = entries.iter().filter(|(_, source)| source.is.as_deref() == Some(name.as_str()));
            sources.entry(format.to_owned()).or_default().extend(of_type.map(|(source, _)| source.clone()));
        }
        sources.retain(|_, found| !found.is_empty());
        catalogue.services.add_type(&head, &name, entry.traits.clone(), entry.arn, entry.api);
        let known = ComponentType {
            name: full.clone(),
            service: head.service.clone(),
            service_title: head.title.clone(),
            title: entry.title,
            kind: entry.kind,
            traits: entry.traits,
            settings: settings.collect(),
            sources,
        };
        if catalogue.types.insert(full.clone(), known).is_some() {
            problems.push(path, None, format!("the type `{full}` is defined twice"));
        }
    }
}
