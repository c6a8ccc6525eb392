//! What the services catalogue says about reaching components: protocol, port and authentication per type, IAM prefixes, ARN shapes.
//!
//! Settings, traits and titles are in the catalogue proper; this is the part that only flows need.

use std::collections::BTreeMap;

use bartizan_model::{Component, Value};
use indexmap::IndexMap;
use serde::Deserialize;

/// ServiceApis by what flows ask of them.
#[derive(Clone, Debug, Default)]
pub struct ServiceApis {
    types: BTreeMap<String, TypeInfo>,
    /// The service behind an IAM prefix.
    owners: BTreeMap<String, PrefixOwner>,
}

/// Whose an IAM prefix is. Several services share one (DocumentDB is managed with `rds:` actions): the one that leads with it goes first.
#[derive(Clone, Debug)]
struct PrefixOwner {
    /// Place of the prefix in the service's own list.
    place: usize,
    service: String,
    title: String,
}

#[derive(Clone, Debug, Default)]
struct TypeInfo {
    traits: Vec<String>,
    arn: Option<String>,
    api: Option<ApiEntry>,
    prefixes: Vec<String>,
}

/// How callers reach a component.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Api {
    /// Lower-case protocol; `None` where callers do not talk to it directly.
    pub protocol: Option<String>,
    /// Port.
    pub port: Option<u16>,
    /// Whether the transport is encrypted; `None`: it depends.
    pub encrypted: Option<bool>,
    /// How callers prove themselves.
    pub authentication: Option<String>,
}

/// What one service's file says of reaching its components; the catalogue's loader reads it with the rest of the file.
pub(crate) struct ServiceEntry {
    /// Short name.
    pub(crate) service: String,
    /// Title.
    pub(crate) title: String,
    /// IAM prefixes.
    pub(crate) iam: Vec<String>,
    /// For types that say nothing of their own.
    pub(crate) api: Option<ApiEntry>,
}

/// `{protocol: …}` or `{by: engine, mysql: {…}}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum ApiEntry {
    Choice {
        by: String,
        #[serde(flatten)]
        cases: IndexMap<String, PlainApi>,
    },
    Plain(PlainApi),
}

/// How callers reach a component, as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct PlainApi {
    protocol: Option<String>,
    port: Option<u16>,
    encrypted: Option<bool>,
    authentication: Option<AuthenticationEntry>,
}

/// `iam`, or a list of cases of which the first that holds decides.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum AuthenticationEntry {
    Always(String),
    Cases(Vec<AuthenticationCase>),
}

/// `{set: auth_token, is: password}`; without `set` it always holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthenticationCase {
    set: Option<String>,
    is: String,
}

impl AuthenticationEntry {
    /// How callers of a component prove themselves; `None` where a setting that decides is unknown.
    fn of(&self, component: &Component) -> Option<String> {
        let cases = match self {
            Self::Always(word) => return Some(word.clone()),
            Self::Cases(cases) => cases,
        };
        for case in cases {
            match case.set.as_deref().map(|name| is_set(component, name)) {
                None | Some(Some(true)) => return Some(case.is.clone()),
                Some(Some(false)) => {}
                Some(None) => return None,
            }
        }
        None
    }
}

/// Whether a setting has a value other than false and empty; `None` where it is unknown.
fn is_set(component: &Component, name: &str) -> Option<bool> {
    let Some(node) = component.setting(name) else { return Some(false) };
    match &node.value {
        Value::Unknown(_) => None,
        Value::Bool(flag) => Some(*flag),
        Value::List(items) => Some(!items.is_empty()),
        Value::Text(text) => Some(text.known().is_none_or(|known| !known.is_empty())),
        Value::Null | Value::Number(_) | Value::Map(_) => Some(true),
    }
}

impl ServiceApis {
    /// Adds the IAM prefixes of a service.
    pub(crate) fn add_service(&mut self, service: &ServiceEntry) {
        for (place, prefix) in service.iam.iter().enumerate() {
            if self.owners.get(prefix).is_none_or(|owner| place < owner.place) {
                let owner = PrefixOwner { place, service: service.service.clone(), title: service.title.clone() };
                self.owners.insert(prefix.clone(), owner);
            }
        }
    }

    /// Adds a type of a service by its short name.
    pub(crate) fn add_type(&mut self, service: &ServiceEntry, name: &str, traits: Vec<String>, arn: Option<String>, api: Option<ApiEntry>) {
        let info = TypeInfo { traits, arn, api: api.or_else(|| service.api.clone()), prefixes: service.iam.clone() };
        self.types.insert(format!("{}.{name}", service.service), info);
    }

    /// True when the type has a trait.
    pub(crate) fn has_trait(&self, component: &Component, name: &str) -> bool {
        self.types.get(&component.component_type).is_some_and(|info| info.traits.iter().any(|known| known == name))
    }

    /// True when the type has one of several traits.
    pub(crate) fn has_any(&self, component: &Component, names: &[&str]) -> bool {
        self.types.get(&component.component_type).is_some_and(|info| info.traits.iter().any(|known| names.contains(&known.as_str())))
    }

    /// The ARN shape of a component's type.
    pub(crate) fn arn(&self, component: &Component) -> Option<&str> {
        self.types.get(&component.component_type)?.arn.as_deref()
    }

    /// The IAM prefixes of a component's service.
    pub(crate) fn prefixes(&self, component: &Component) -> &[String] {
        self.types.get(&component.component_type).map_or(&[], |info| &info.prefixes)
    }

    /// The title of the service behind an IAM prefix, `s3 API` where the catalogue has none.
    pub(crate) fn service_title(&self, prefix: &str) -> String {
        self.owners.get(prefix).map_or_else(|| format!("AWS {prefix}"), |owner| owner.title.clone())
    }

    /// The short name of the service behind an IAM prefix, the prefix itself where the catalogue has none.
    pub(crate) fn service_name(&self, prefix: &str) -> String {
        self.owners.get(prefix).map_or_else(|| prefix.to_owned(), |owner| owner.service.clone())
    }

    /// How callers reach a component, as its settings decide.
    pub(crate) fn api(&self, component: &Component) -> Api {
        let Some(entry) = self.types.get(&component.component_type).and_then(|info| info.api.as_ref()) else { return Api::default() };
        let plain = match entry {
            ApiEntry::Plain(plain) => plain,
            ApiEntry::Choice { by, cases } => {
                let value = component.text(by).unwrap_or_default();
                let longest = cases.iter().filter(|(case, _)| value.starts_with(case.as_str())).max_by_key(|(case, _)| case.len());
                match longest {
                    Some((_, plain)) => plain,
                    None => return Api::default(),
                }
            }
        };
        Api {
            protocol: plain.protocol.clone().filter(|protocol| protocol != "-"),
            port: own_port(component).or(plain.port),
            encrypted: plain.encrypted,
            authentication: plain.authentication.as_ref().and_then(|entry| entry.of(component)),
        }
    }
}

/// A port that the component itself sets wins over its engine's.
fn own_port(component: &Component) -> Option<u16> {
    let number = component.setting("port")?.value.as_number()?;
    format!("{number}").parse().ok()
}

#[cfg(test)]
mod tests {
    use bartizan_model::Value;

    use crate::Catalogue;
    use crate::testing::component;

    const RDS: &str = "
service: rds
title: Amazon RDS
iam: [rds]
types:
  instance:
    title: database
    kind: data_store
    traits: [database]
    api: {by: engine, mysql: {protocol: mysql, port: 3306, authentication: password}, postgres: {protocol: postgresql, port: 5432}, aurora-postgresql: {protocol: postgresql, port: 5432}}
";

    const CACHE: &str = "
service: elasticache
title: Amazon ElastiCache
iam: [elasticache]
types:
  group:
    title: group
    kind: data_store
    traits: [cache]
    api: {protocol: redis, port: 6379, authentication: [{set: auth_token, is: password}, {set: groups, is: password}, {is: none}]}
";

    #[test]
    fn the_first_case_that_is_set_tells_how_callers_prove_themselves() {
        let (catalogue, errors) = Catalogue::load([("services/aws/elasticache.yaml", CACHE)]);
        assert!(errors.is_empty(), "{errors:?}");
        let of = |component: crate::testing::Draft| catalogue.services.api(&component.build()).authentication;
        assert_eq!(of(component("c", "elasticache.group")).as_deref(), Some("none"));
        assert_eq!(of(component("c", "elasticache.group").with_text("auth_token", "long and secret")).as_deref(), Some("password"));
        let unknown = component("c", "elasticache.group").with("auth_token", Value::after_apply("random")).with_text("groups", "g");
        assert_eq!(of(unknown), None, "a token may be there, so nothing is said");
    }

    #[test]
    fn the_engine_decides_protocol_and_port_and_a_port_of_its_own_wins() {
        let (catalogue, errors) = Catalogue::load([("services/aws/rds.yaml", RDS)]);
        assert!(errors.is_empty(), "{errors:?}");
        let services = catalogue.services;
        let mysql = component("db", "rds.instance").with_text("engine", "mysql");
        assert_eq!(services.api(&mysql.build()).port, Some(3306));
        let aurora = component("db", "rds.instance").with_text("engine", "aurora-postgresql").with_number("port", 6000.0);
        let api = services.api(&aurora.build());
        assert_eq!((api.protocol.as_deref(), api.port), (Some("postgresql"), Some(6000)));
    }
}
