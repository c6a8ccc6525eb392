//! The services catalogue as import needs it: which source type becomes which component, and where its settings are read. See `docs/catalogue.md`.

use std::collections::BTreeMap;

use bartizan_model::{Kind, Node, Span, Value};
use indexmap::IndexMap;
use serde::Deserialize;

/// A file of the catalogue that could not be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{path}: {message}")]
pub struct CatalogueError {
    /// Path of the file.
    pub path: String,
    /// What is wrong, with line and column.
    pub message: String,
}

/// All services.
#[derive(Debug, Default)]
pub struct Services {
    pub(crate) types: BTreeMap<String, ComponentType>,
    pub(crate) terraform: BTreeMap<String, ResourceMapping>,
    /// Modules of public registries whose code may not be at hand, by their source without host, version and `git::`.
    pub(crate) modules: BTreeMap<String, ResourceMapping>,
    ignored: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct ComponentType {
    pub(crate) service: String,
    pub(crate) kind: Kind,
    pub(crate) arn: Option<String>,
    pub(crate) settings: IndexMap<String, SettingType>,
}

#[derive(Debug)]
pub(crate) struct ResourceMapping {
    pub(crate) is: Option<String>,
    pub(crate) joins: Option<Paths>,
    pub(crate) of: Option<String>,
    pub(crate) name: Vec<String>,
    pub(crate) settings: Vec<(String, Source)>,
    pub(crate) links: Vec<LinkMapping>,
    pub(crate) flows: Vec<FlowMapping>,
    pub(crate) mentions: Vec<String>,
}

/// What kind of value a setting holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SettingKind {
    Bool,
    Number,
    Text,
    List,
    Map,
    Document,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingType {
    #[serde(rename = "type")]
    pub(crate) kind: SettingKind,
    #[serde(default)]
    pub(crate) default: Option<Constant>,
    #[serde(default)]
    #[expect(dead_code, reason = "documentation; read by the generated pages")]
    about: Option<String>,
}

/// A value written in the catalogue.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Constant {
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Constant>),
    Map(IndexMap<String, Constant>),
}

impl Constant {
    pub(crate) fn node(&self, span: Span) -> Node {
        let value = match self {
            Constant::Bool(value) => Value::Bool(*value),
            Constant::Number(number) => Value::Number(*number),
            Constant::Text(text) => Value::Text(text.as_str().into()),
            Constant::List(items) => Value::List(items.iter().map(|item| item.node(span)).collect()),
            Constant::Map(members) => Value::Map(members.iter().map(|(key, member)| (key.clone(), member.node(span))).collect()),
        };
        Node::new(value, span)
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Constant::Bool(value) => value.to_string(),
            Constant::Number(number) => crate::terraform::number_text(*number),
            Constant::Text(text) => text.clone(),
            Constant::List(_) | Constant::Map(_) => String::new(),
        }
    }
}

/// One path or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Paths {
    One(String),
    Many(Vec<String>),
}

impl Paths {
    pub(crate) fn as_slice(&self) -> &[String] {
        match self {
            Paths::One(path) => std::slice::from_ref(path),
            Paths::Many(paths) => paths,
        }
    }
}

/// Where a setting is read.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Source {
    Paths(Paths),
    Spec(Box<SourceSpec>),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SourceSpec {
    pub(crate) at: Option<Paths>,
    pub(crate) map: Option<IndexMap<String, Option<Constant>>>,
    pub(crate) all: bool,
    pub(crate) value: Option<Constant>,
    /// The value where the path is not set in this resource; written as null: known not to be set.
    #[serde(deserialize_with = "also_null")]
    pub(crate) otherwise: Option<Option<Constant>>,
    pub(crate) document: bool,
    pub(crate) each: Option<IndexMap<String, Source>>,
    #[serde(rename = "if")]
    pub(crate) condition: Option<IndexMap<String, Wanted>>,
}

/// Tells a null that is written from a member that is not there.
fn also_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Constant>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// What a condition wants of a path: a value, one of several, or null for "not set".
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Wanted {
    Many(Vec<Option<Constant>>),
    One(Option<Constant>),
}

/// One kind of link.
#[derive(Clone, Debug)]
pub(crate) struct LinkMapping {
    pub(crate) relation: String,
    /// `None`: this (or the joined) component.
    pub(crate) from: Option<Paths>,
    pub(crate) to: Option<Paths>,
    pub(crate) of: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FlowMapping {
    #[serde(default)]
    pub(crate) from: Option<Paths>,
    #[serde(default)]
    pub(crate) to: Option<Paths>,
    #[serde(default)]
    pub(crate) of: Option<String>,
    #[serde(default)]
    pub(crate) protocol: Option<Given>,
    #[serde(default)]
    pub(crate) port: Option<Given>,
    #[serde(default)]
    pub(crate) authentication: Option<Given>,
    #[serde(default)]
    pub(crate) encrypted: Option<Given>,
    #[serde(default)]
    pub(crate) why: String,
    #[serde(rename = "if", default)]
    pub(crate) condition: Option<IndexMap<String, Wanted>>,
}

/// A constant or `{at: path}`, with `map` where the words differ.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Given {
    At {
        at: Paths,
        #[serde(default)]
        map: IndexMap<String, Constant>,
    },
    Constant(Constant),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceFile {
    service: String,
    #[serde(rename = "title")]
    _title: String,
    #[serde(rename = "iam", default)]
    _iam: Vec<String>,
    #[serde(rename = "principal", default)]
    _principal: Option<Constant>,
    #[serde(rename = "api", default)]
    _api: Option<Constant2>,
    #[serde(default)]
    types: IndexMap<String, TypeFile>,
    #[serde(default)]
    terraform: IndexMap<String, Option<ResourceFile>>,
    #[serde(default)]
    modules: IndexMap<String, ResourceFile>,
}

/// Anything at all: what the review reads and import does not.
#[derive(Deserialize)]
#[serde(untagged)]
enum Constant2 {
    #[expect(dead_code, reason = "its content is the review's")]
    Map(IndexMap<String, Option<Constant2>>),
    #[expect(dead_code, reason = "its content is the review's")]
    Plain(Constant),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypeFile {
    #[serde(rename = "title")]
    _title: String,
    kind: KindFile,
    #[serde(rename = "traits", default)]
    _traits: Vec<String>,
    #[serde(default)]
    arn: Option<String>,
    #[serde(rename = "api", default)]
    _api: Option<Constant2>,
    #[serde(default)]
    settings: IndexMap<String, SettingType>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindFile {
    ExternalEntity,
    Process,
    DataStore,
    Supporting,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceFile {
    #[serde(default)]
    is: Option<String>,
    #[serde(default)]
    joins: Option<Paths>,
    #[serde(default)]
    of: Option<String>,
    #[serde(default)]
    name: Option<Paths>,
    #[serde(default)]
    settings: IndexMap<String, Source>,
    #[serde(default)]
    links: Option<LinksFile>,
    #[serde(default)]
    flows: Vec<FlowMapping>,
    #[serde(default)]
    mentions: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum LinksFile {
    List(Vec<LinkFile>),
    Map(IndexMap<String, LinkEnd>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkFile {
    relation: String,
    #[serde(default)]
    from: Option<Paths>,
    #[serde(default)]
    to: Option<Paths>,
    #[serde(default)]
    of: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum LinkEnd {
    Paths(Paths),
    Typed { at: Paths, of: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IgnoredFile {
    terraform: Vec<String>,
    #[serde(default)]
    kubernetes: Vec<String>,
}

impl Services {
    /// Reads the files of `catalogue/services` (pairs of path and text); others are passed over.
    pub fn load<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> (Services, Vec<CatalogueError>) {
        let mut services = Services::default();
        let mut errors = Vec::new();
        for (path, text) in files {
            if !path.contains("services/") || !path.ends_with(".yaml") {
                continue;
            }
            let error = |error: serde_saphyr::Error| CatalogueError { path: path.to_owned(), message: error.to_string() };
            if path.ends_with("services/ignored.yaml") {
                match typed::<IgnoredFile>(text) {
                    Ok(file) => services.ignored.extend(file.terraform.into_iter().chain(file.kubernetes)),
                    Err(problem) => errors.push(error(problem)),
                }
            } else {
                match typed::<ServiceFile>(text) {
                    Ok(file) => services.add(file),
                    Err(problem) => errors.push(error(problem)),
                }
            }
        }
        (services, errors)
    }

    /// True for a source type that says nothing about the architecture.
    pub(crate) fn is_ignored(&self, source_type: &str) -> bool {
        self.ignored.iter().any(|pattern| crate::pattern::matches(pattern, source_type))
    }

    /// Full name of a type as a service's file may abbreviate it: `bucket` → `s3.bucket`.
    fn full(service: &str, name: &str) -> String {
        if name.contains('.') { name.to_owned() } else { format!("{service}.{name}") }
    }

    fn add(&mut self, file: ServiceFile) {
        let service = file.service;
        for (name, entry) in file.types {
            let kind = match entry.kind {
                KindFile::ExternalEntity => Kind::ExternalEntity,
                KindFile::Process => Kind::Process,
                KindFile::DataStore => Kind::DataStore,
                KindFile::Supporting => Kind::Supporting,
            };
            let entry = ComponentType { service: service.clone(), kind, arn: entry.arn, settings: entry.settings };
            self.types.insert(Self::full(&service, &name), entry);
        }
        for (name, entry) in file.terraform {
            // An entry without a body: the type is known and says nothing.
            self.terraform.insert(name, Self::mapping(&service, entry.unwrap_or_default()));
        }
        for (source, entry) in file.modules {
            self.modules.insert(source, Self::mapping(&service, entry));
        }
    }

    fn mapping(service: &str, entry: ResourceFile) -> ResourceMapping {
        let links = match entry.links {
            None => Vec::new(),
            Some(LinksFile::List(list)) => list
                .into_iter()
                .map(|link| LinkMapping {
                    relation: link.relation,
                    from: link.from,
                    to: link.to,
                    of: link.of.map(|name| Self::full(service, &name)),
                })
                .collect(),
            Some(LinksFile::Map(map)) => map
                .into_iter()
                .map(|(relation, end)| match end {
                    LinkEnd::Paths(paths) => LinkMapping { relation, from: None, to: Some(paths), of: None },
                    LinkEnd::Typed { at, of } => LinkMapping { relation, from: None, to: Some(at), of: Some(Self::full(service, &of)) },
                })
                .collect(),
        };
        let flows = entry.flows.into_iter().map(|flow| FlowMapping { of: flow.of.map(|name| Self::full(service, &name)), ..flow });
        ResourceMapping {
            is: entry.is.map(|name| Self::full(service, &name)),
            joins: entry.joins,
            of: entry.of.map(|name| Self::full(service, &name)),
            name: entry.name.map(|paths| paths.as_slice().to_vec()).unwrap_or_default(),
            settings: entry.settings.into_iter().collect(),
            links,
            flows: flows.collect(),
            mentions: entry.mentions,
        }
    }

    /// True where only a module's own code says what a setting is that its inputs leave out; not where an input switches it off, nor where the
    /// catalogue tells that the module then sets nothing.
    pub(crate) fn decides(&self, module: &crate::resource::Resource, setting: &str) -> bool {
        let source = module.body.get("source").and_then(|source| source.value.as_str());
        let mapping = source.and_then(|source| self.module(&source));
        let source = mapping.and_then(|mapping| mapping.settings.iter().find(|(name, _)| name == setting));
        let Some((_, Source::Spec(spec))) = source else { return true };
        spec.otherwise.as_ref().is_none_or(Option::is_some) && crate::lower::holds(spec.condition.as_ref(), &module.body)
    }

    /// What a module makes whose code is not at hand, by its source.
    pub(crate) fn module(&self, source: &str) -> Option<&ResourceMapping> {
        let source = source.split('?').next().unwrap_or(source);
        let source = source.trim_start_matches("git::").trim_start_matches("https://").trim_start_matches("registry.terraform.io/");
        if let Some(mapping) = self.modules.get(source) {
            return Some(mapping);
        }
        // `github.com/terraform-aws-modules/terraform-aws-vpc.git//modules/x` is `terraform-aws-modules/vpc/aws//modules/x` of the registry.
        let (repository, folder) = source.split_once("//").map_or((source, None), |(repository, folder)| (repository, Some(folder)));
        let mut parts = repository.trim_end_matches(".git").rsplit('/');
        let name = parts.next()?.strip_prefix("terraform-aws-")?;
        let owner = parts.next()?.rsplit([':', '@']).next()?;
        let registry = format!("{owner}/{name}/aws");
        self.modules.get(&folder.map_or(registry.clone(), |folder| format!("{registry}//{folder}")))
    }
}

/// Reads YAML. What the build has turned into JSON, which is YAML as well, is tried as JSON first, for that is many times faster.
fn typed<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, serde_saphyr::Error> {
    match text.starts_with('{').then(|| serde_json::from_str(text)) {
        Some(Ok(value)) => Ok(value),
        _ => serde_saphyr::from_str(text),
    }
}

#[cfg(test)]
mod tests;
