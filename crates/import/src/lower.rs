//! Resources → components, settings and links, as the services catalogue says. The same for every source format that has resources.
//!
//! Pass 1 makes a component of each resource that is one; pass 2 finds the component that each companion configures; pass 3 reads settings and
//! links, now that every reference can be resolved.

mod code;
mod documents;
mod names;
mod settings;

use std::collections::HashMap;

use bartizan_model::{Address, Component, Diagnostic, FlowSpec, Kind, Link, Node, Relation, Severity, Span, Text, Value};
use indexmap::IndexMap;

use crate::catalogue::{FlowMapping, Given, LinkMapping, Paths, ResourceMapping, Services};
use crate::resource::{Mode, Resource};
pub(crate) use documents::Documents;
use names::Names;
pub(crate) use settings::holds;

/// Source type of a module whose code is not at hand.
const MODULE: &str = "module";

/// Companions of companions are followed this far.
const MAX_JOINS: usize = 6;

/// What the resources of all stacks amount to.
#[derive(Default)]
pub(crate) struct Lowered {
    pub(crate) components: IndexMap<Address, Component>,
    pub(crate) links: Vec<Link>,
    pub(crate) unknown_types: IndexMap<String, usize>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Lowers resources to components.
pub(crate) fn lower(resources: &[Resource], services: &Services, documents: &Documents<'_>) -> Lowered {
    let mut lowering = Lowering {
        services,
        documents,
        by_address: resources.iter().enumerate().map(|(index, resource)| (resource.address.as_str(), index)).collect(),
        resources,
        names: Names::default(),
        out: Lowered::default(),
        owners: HashMap::new(),
    };
    lowering.components();
    lowering.owners();
    for resource in resources {
        if resource.mode != Mode::Looked {
            lowering.read(resource);
        }
    }
    lowering.code();
    lowering.fill_defaults();
    lowering.out
}

struct Lowering<'a> {
    services: &'a Services,
    documents: &'a Documents<'a>,
    resources: &'a [Resource],
    by_address: HashMap<&'a str, usize>,
    names: Names,
    out: Lowered,
    /// The component behind the address of a component or companion; `None`: looked for and not found.
    owners: HashMap<&'a str, Option<Address>>,
}

impl<'a> Lowering<'a> {
    fn mapping(&self, resource: &Resource) -> Option<&'a ResourceMapping> {
        match resource.mode {
            Mode::Managed | Mode::Looked => self.services.terraform.get(&resource.source_type),
            Mode::Module => {
                let source = resource.body.get("source").and_then(|source| source.value.as_str())?;
                self.services.module(&source)
            }
        }
    }

    fn components(&mut self) {
        for resource in self.resources {
            match (resource.mode, self.mapping(resource)) {
                (Mode::Module, None) => self.add_module(resource),
                (Mode::Managed | Mode::Module, Some(mapping)) => {
                    if let Some(component_type) = &mapping.is {
                        self.add(resource, mapping, component_type);
                    }
                }
                (Mode::Managed, None) => {
                    if !self.services.is_ignored(&resource.source_type) {
                        *self.out.unknown_types.entry(resource.source_type.clone()).or_default() += 1;
                    }
                }
                (Mode::Looked, _) => {}
            }
        }
    }

    fn add(&mut self, resource: &'a Resource, mapping: &'a ResourceMapping, component_type: &str) {
        let Some(entry) = self.services.types.get(component_type) else { return };
        let name = mapping.name.iter().find_map(|path| resource.body.first_at(path)).and_then(|node| node.value.as_text());
        let known = name.and_then(Text::known);
        let address = Address::new(&resource.address);
        let display = known.as_deref().map_or_else(|| resource.label.clone(), str::to_owned);
        let mut tags = IndexMap::new();
        if let Some(Value::Map(members)) = resource.body.get("tags").map(|node| &node.value) {
            tags = members.clone();
        }
        if let Some(known) = &known {
            self.names.add(&address, component_type, entry, known, resource);
        }
        self.owners.insert(&resource.address, Some(address.clone()));
        let component = Component {
            address: address.clone(),
            source_type: resource.source_type.clone(),
            service: entry.service.clone(),
            component_type: component_type.to_owned(),
            kind: entry.kind,
            name: display,
            name_text: name.cloned(),
            stack: resource.stack.clone(),
            account: resource.account.clone(),
            region: resource.region.clone(),
            span: Some(resource.span),
            settings: IndexMap::new(),
            tags,
            exposure: None,
            boundary: None,
            assets: Vec::new(),
        };
        self.out.components.insert(address, component);
    }

    fn add_module(&mut self, resource: &'a Resource) {
        let address = Address::new(&resource.address);
        self.owners.insert(&resource.address, Some(address.clone()));
        let settings = match &resource.body.value {
            Value::Map(members) => members.clone(),
            _ => IndexMap::new(),
        };
        let component = Component {
            address: address.clone(),
            source_type: MODULE.to_owned(),
            service: "terraform".to_owned(),
            component_type: "terraform.module".to_owned(),
            kind: Kind::Process,
            name: resource.label.clone(),
            name_text: None,
            stack: resource.stack.clone(),
            account: None,
            region: None,
            span: Some(resource.span),
            settings,
            tags: IndexMap::new(),
            exposure: None,
            boundary: None,
            assets: Vec::new(),
        };
        self.out.components.insert(address, component);
    }

    fn owners(&mut self) {
        for resource in self.resources {
            if self.mapping(resource).is_some_and(|mapping| mapping.joins.is_some()) {
                self.owner(&resource.address, MAX_JOINS);
            }
        }
    }

    /// The component that an address stands for: itself, the one that a companion configures, or the one that a data source looks up.
    fn owner(&mut self, address: &str, joins: usize) -> Option<Address> {
        if let Some(known) = self.owners.get(address) {
            return known.clone();
        }
        let index = *self.by_address.get(address)?;
        let resource = self.resources.get(index)?;
        let mapping = self.mapping(resource)?;
        let found = match (&mapping.joins, resource.mode) {
            _ if joins == 0 => None,
            (Some(paths), _) => {
                let ends = nodes_at(&resource.body, paths);
                let first =
                    ends.into_iter().find_map(|node| self.resolve(node, mapping.of.as_deref(), resource, joins - 1).into_iter().next());
                first.filter(|address| self.fits(address, mapping.of.as_deref()))
            }
            (None, Mode::Looked) => mapping.is.as_deref().and_then(|component_type| self.looked_up(resource, mapping, component_type)),
            (None, Mode::Managed | Mode::Module) => None,
        };
        self.owners.insert(&resource.address, found.clone());
        found
    }

    /// A companion found its component only where that has the type it belongs to, or is the missing module that makes it.
    fn fits(&self, address: &Address, of: Option<&str>) -> bool {
        self.is_candidate(address, of)
    }

    /// What a data source looks up: a component of another stack with that name, else a component of its own.
    fn looked_up(&mut self, resource: &'a Resource, mapping: &'a ResourceMapping, component_type: &str) -> Option<Address> {
        let name = mapping
            .name
            .iter()
            .find_map(|path| resource.body.first_at(path))
            .and_then(|node| node.value.as_str().map(std::borrow::Cow::into_owned));
        if let Some(found) = name.as_deref().and_then(|name| self.names.by_name(component_type, name, &resource.stack)) {
            return Some(found);
        }
        self.add(resource, mapping, component_type);
        Some(Address::new(&resource.address))
    }

    /// The components that a value names, by reference, ARN or (where the type is said) plain name.
    fn resolve(&mut self, node: &Node, of: Option<&str>, from: &Resource, joins: usize) -> Vec<Address> {
        let mut out = Vec::new();
        match &node.value {
            Value::List(items) => {
                for item in items {
                    out.extend(self.resolve(item, of, from, joins));
                }
            }
            Value::Text(text) => {
                let mut addresses: Vec<&str> = text.references().map(|(address, _)| address).collect();
                // In `…:lambda:path/2015-03-31/functions/${f.arn}/invocations` the last reference to a component is the one meant.
                addresses.reverse();
                let owners: Vec<Address> = addresses.into_iter().filter_map(|address| self.owner(address, joins)).collect();
                // `of` is what a plain name means; a reference of that type goes first, but one of another type is meant as it stands.
                out.extend(owners.iter().find(|owner| self.is_candidate(owner, of)).or(owners.first()).cloned());
                if out.is_empty() {
                    out.extend(self.names.by_text(text, of, &from.stack));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Map(_) | Value::Unknown(_) => {}
        }
        out
    }

    /// Where a type is asked for by name, a reference to another type is no candidate, unless a missing module stands for it.
    fn is_candidate(&self, address: &Address, of: Option<&str>) -> bool {
        of.is_none_or(|of| {
            self.out.components.get(address).is_some_and(|c| c.component_type == of || c.component_type == "terraform.module")
        })
    }

    fn read(&mut self, resource: &'a Resource) {
        let Some(mapping) = self.mapping(resource) else { return };
        let owner = self.owners.get(resource.address.as_str()).cloned().flatten();
        if mapping.joins.is_some() && owner.is_none() {
            self.unjoined(resource, mapping);
        }
        if let Some(owner) = &owner {
            settings::read(self, resource, mapping, owner);
        }
        for link in &mapping.links {
            self.links(resource, link, owner.as_ref());
        }
        for flow in &mapping.flows {
            self.flows(resource, flow, owner.as_ref());
        }
        if let Some(owner) = owner {
            for path in &mapping.mentions {
                for node in resource.body.at(path) {
                    self.mentions(resource, &owner, node, path);
                }
            }
        }
    }

    fn unjoined(&mut self, resource: &Resource, mapping: &ResourceMapping) {
        // A companion without its own attribute (`bucket = null`) configures nothing that we could name.
        let paths = mapping.joins.as_ref().map(|paths| paths.as_slice().join("`, `")).unwrap_or_default();
        let message = format!("`{}` configures something outside of the files under review", resource.address);
        self.out.diagnostics.push(
            Diagnostic::new("terraform/unjoined", Severity::Note, message, resource.span)
                .with_help(format!("`{paths}` names nothing that is declared here")),
        );
    }

    /// Ends of a link: the components at the paths, or this one where there are none. `contents`: what a secret holds counts as the secret.
    fn ends(
        &mut self,
        resource: &'a Resource,
        paths: Option<&Paths>,
        of: Option<&str>,
        owner: Option<&Address>,
        contents: bool,
    ) -> Vec<(Address, Span)> {
        let Some(paths) = paths else { return owner.map(|owner| (owner.clone(), resource.span)).into_iter().collect() };
        let mut out = Vec::new();
        for path in paths.as_slice() {
            for node in resource.body.at(path) {
                let items: Vec<&Node> = match &node.value {
                    Value::List(items) => items.iter().collect(),
                    _ => vec![node],
                };
                for item in items {
                    if !contents && is_content(item) {
                        continue;
                    }
                    // Evidence is the attribute where the element itself was written elsewhere.
                    let span = if item.span.file == node.span.file { node.span } else { item.span };
                    out.extend(self.resolve(item, of, resource, MAX_JOINS).into_iter().map(|address| (address, span)));
                }
            }
        }
        out
    }

    fn links(&mut self, resource: &'a Resource, mapping: &'a LinkMapping, owner: Option<&Address>) {
        let attribute = mapping.to.as_ref().or(mapping.from.as_ref()).map(|paths| paths.as_slice().join(", ")).unwrap_or_default();
        let from = self.ends(resource, mapping.from.as_ref(), None, owner, true);
        let to = self.ends(resource, mapping.to.as_ref(), mapping.of.as_deref(), owner, true);
        for (start, start_span) in &from {
            for (end, end_span) in &to {
                if start != end {
                    let span = if mapping.to.is_some() { *end_span } else { *start_span };
                    self.push(start.clone(), end.clone(), relation(&mapping.relation), &attribute, span);
                }
            }
        }
    }

    fn flows(&mut self, resource: &'a Resource, mapping: &'a FlowMapping, owner: Option<&Address>) {
        if !settings::holds(mapping.condition.as_ref(), &resource.body) {
            return;
        }
        let from = self.ends(resource, mapping.from.as_ref(), mapping.of.as_deref(), owner, false);
        let to = self.ends(resource, mapping.to.as_ref(), mapping.of.as_deref(), owner, false);
        let spec = FlowSpec {
            protocol: given(mapping.protocol.as_ref(), &resource.body).map(|text| text.to_lowercase()),
            port: given(mapping.port.as_ref(), &resource.body).and_then(|text| text.parse().ok()),
            encrypted: given(mapping.encrypted.as_ref(), &resource.body).and_then(|text| text.parse().ok()),
            authentication: given(mapping.authentication.as_ref(), &resource.body),
            why: mapping.why.clone(),
        };
        let attribute = mapping.to.as_ref().or(mapping.from.as_ref()).map(|paths| paths.as_slice().join(", ")).unwrap_or_default();
        for (start, start_span) in &from {
            for (end, end_span) in &to {
                if start != end {
                    let span = if mapping.to.is_some() { *end_span } else { *start_span };
                    self.push(start.clone(), end.clone(), Relation::Flow(spec.clone()), &attribute, span);
                }
            }
        }
    }

    fn mentions(&mut self, resource: &'a Resource, owner: &Address, node: &Node, path: &str) {
        match &node.value {
            Value::Map(members) => {
                for (key, member) in members {
                    self.mentions(resource, owner, member, &format!("{path}.{key}"));
                }
            }
            Value::List(items) => {
                for item in items {
                    // `{name: QUEUE_URL, value: …}` of a container definition.
                    let name = item.get("name").and_then(|name| name.value.as_str().map(std::borrow::Cow::into_owned));
                    let path = name.map_or_else(|| path.to_owned(), |name| format!("{path}.{name}"));
                    self.mentions(resource, owner, item, &path);
                }
            }
            Value::Text(text) => {
                if let Some(tree) = self.documents.tree(text, node.span) {
                    return self.mentions(resource, owner, &tree, path);
                }
                let mut found = Vec::new();
                for (address, _) in text.references() {
                    found.extend(self.owner(address, MAX_JOINS));
                }
                found.extend(self.names.mentioned(text, &resource.stack));
                for address in found {
                    if address != *owner {
                        self.push(owner.clone(), address, Relation::Mentions, path, node.span);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Unknown(_) => {}
        }
    }

    fn push(&mut self, from: Address, to: Address, relation: Relation, attribute: &str, span: Span) {
        self.out.links.push(Link { from, to, relation, attribute: attribute.to_owned(), span: Some(span) });
    }

    /// Every setting that a type has is there in the end: its default, or null for "not set".
    fn fill_defaults(&mut self) {
        for (address, component) in &mut self.out.components {
            let (Some(entry), Some(span)) = (self.services.types.get(&component.component_type), component.span) else { continue };
            let module = (component.source_type == MODULE).then(|| self.by_address.get(address.as_str())).flatten();
            let module = module.and_then(|index| self.resources.get(*index));
            for (name, setting) in &entry.settings {
                if component.settings.get(name).is_some_and(|node| !node.value.is_null()) {
                    continue;
                }
                let node = if module.is_some_and(|module| self.services.decides(module, name)) {
                    // What the module's code would say: neither the type's default nor "not set".
                    Node::new(Value::unresolved("the module decides it, and its code is not available"), span)
                } else {
                    setting.default.as_ref().map_or_else(|| Node::new(Value::Null, span), |default| default.node(span))
                };
                component.settings.insert(name.clone(), node);
            }
            component.settings.sort_keys();
        }
    }
}

/// The nodes at the first path that has any.
fn nodes_at<'n>(body: &'n Node, paths: &Paths) -> Vec<&'n Node> {
    paths.as_slice().iter().map(|path| body.at(path)).find(|found| found.iter().any(|node| !node.value.is_null())).unwrap_or_default()
}

fn given(given: Option<&Given>, body: &Node) -> Option<String> {
    match given? {
        Given::Constant(constant) => Some(constant.text()),
        Given::At { at, map } => {
            let node = nodes_at(body, at).into_iter().next()?;
            let text = match &node.value {
                Value::Number(number) => Some(crate::terraform::number_text(*number)),
                Value::Bool(value) => Some(value.to_string()),
                value => value.as_str().map(std::borrow::Cow::into_owned),
            }?;
            if map.is_empty() { Some(text) } else { map.get(&text).map(crate::catalogue::Constant::text) }
        }
    }
}

fn relation(name: &str) -> Relation {
    match name {
        "runs_as" => Relation::RunsAs,
        "in_subnet" => Relation::InSubnet,
        "in_vpc" => Relation::InVpc,
        "guarded_by" => Relation::GuardedBy,
        "encrypted_with" => Relation::EncryptedWith,
        "part_of" => Relation::PartOf,
        "protected_by" => Relation::ProtectedBy,
        "mentions" => Relation::Mentions,
        "watches" => Relation::Watches,
        "backs_up" => Relation::BacksUp,
        other => Relation::Other(other.to_owned()),
    }
}

/// True for what a secret or parameter holds: an address kept in a secret is not the secret's own.
fn is_content(node: &Node) -> bool {
    let Value::Text(text) = &node.value else { return false };
    text.references().any(|(_, attribute)| matches!(attribute, "secret_string" | "secret_binary"))
}
