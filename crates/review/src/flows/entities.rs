//! External entities that no file declares: the internet, AWS principals at large, service APIs, partner accounts, networks, people.

use std::collections::BTreeMap;

use bartizan_model::{Actor, Address, Component, Kind, Node, Span, Value};
use indexmap::IndexMap;

/// Address of everyone with AWS credentials, and of everyone without: what a policy for `*` admits.
pub(crate) const ANYONE: &str = "aws:anyone";

/// Address of the people who operate the system.
pub(crate) const OPERATOR: &str = "operator";

/// The external entities that flows need, by address.
#[derive(Default)]
pub(crate) struct Entities(BTreeMap<Address, Component>);

impl Entities {
    /// The internet.
    pub(crate) fn internet(&mut self) -> Address {
        self.entity("internet", "external.internet", "the internet", None)
    }

    /// Everyone that a policy for `*` admits.
    pub(crate) fn anyone(&mut self) -> Address {
        self.entity(ANYONE, "external.anyone", "anyone in AWS", None)
    }

    /// Another AWS account.
    pub(crate) fn account(&mut self, id: &str) -> Address {
        self.entity(&format!("aws:account/{id}"), "external.account", &format!("AWS account {id}"), None)
    }

    /// The API of an AWS service, by IAM prefix, with the service's short name and title; `*` for all of them.
    pub(crate) fn service(&mut self, prefix: &str, service: &str, title: &str) -> Address {
        if prefix == "*" {
            return self.entity("aws:*", "external.service", "AWS APIs", None);
        }
        let address = self.entity(&format!("aws:{prefix}"), "external.service", &format!("{title} API"), None);
        if let Some(component) = self.0.get_mut(&address) {
            service.clone_into(&mut component.service);
        }
        address
    }

    /// A public network that is not the whole internet.
    pub(crate) fn network(&mut self, range: &str) -> Address {
        self.entity(&format!("network:{range}"), "external.network", &format!("hosts in {range}"), None)
    }

    /// The people who operate the system.
    pub(crate) fn operator(&mut self) -> Address {
        self.entity(OPERATOR, "external.operator", "operator", None)
    }

    /// A declared actor.
    pub(crate) fn actor(&mut self, actor: &Actor) -> Address {
        let address = self.entity(&actor.name, "external.actor", &actor.name, Some(actor.span));
        if let Some(component) = self.0.get_mut(&address) {
            let node = |value| Node::new(value, actor.span);
            component.settings.insert("trusted".to_owned(), node(Value::Bool(actor.trusted)));
            component.settings.insert("description".to_owned(), node(Value::Text(actor.description.as_str().into())));
        }
        address
    }

    /// An entity that was made.
    pub(crate) fn get(&self, address: &Address) -> Option<&Component> {
        self.0.get(address)
    }

    /// The entities that are not in the architecture yet.
    pub(crate) fn into_components(self) -> impl Iterator<Item = (Address, Component)> {
        self.0.into_iter()
    }

    fn entity(&mut self, address: &str, component_type: &str, name: &str, span: Option<Span>) -> Address {
        let address = Address::new(address);
        self.0.entry(address.clone()).or_insert_with(|| Component {
            address: address.clone(),
            source_type: String::new(),
            service: "external".to_owned(),
            component_type: component_type.to_owned(),
            kind: Kind::ExternalEntity,
            name: name.to_owned(),
            name_text: None,
            stack: String::new(),
            account: None,
            region: None,
            span,
            settings: IndexMap::new(),
            tags: IndexMap::new(),
            exposure: None,
            boundary: None,
            assets: Vec::new(),
        });
        address
    }
}

/// True for external entities whose data nobody on our side has checked.
pub(crate) fn is_untrusted(component: &Component) -> bool {
    component.kind == Kind::ExternalEntity
        && component.component_type.starts_with("external.")
        && !matches!(component.component_type.as_str(), "external.service" | "external.operator")
        && component.flag("trusted") != Some(true)
}
