//! What rules may see, read from the architecture in place. `docs/catalogue.md` has the same in words.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{
    Address, Architecture, Asset, BoundaryKind, Component, Confidence, Exposure, FileId, Flow, FlowStatus, Kind, Node, Span, Value,
};
use indexmap::IndexMap;

use crate::Facts;
use crate::catalogue::{Catalogue, On, Rule};
use crate::expression::{Operand, Read, Scope, Val, ValueKind};

/// A span for values that no file holds; it lies in no known file, and evidence leaves it out.
const NOWHERE: Span = Span { file: FileId(u32::MAX), start: 0, end: 0 };

/// Everything that rules see, prepared once.
pub(crate) struct View<'a> {
    pub(crate) architecture: &'a Architecture,
    pub(crate) facts: &'a Facts,
    pub(crate) catalogue: &'a Catalogue,
    by_type: BTreeMap<&'a str, Vec<&'a Component>>,
    assets: BTreeMap<&'a str, (&'a Asset, Node)>,
    parents: BTreeMap<&'a str, (BoundaryKind, Option<&'a str>)>,
    system: IndexMap<String, Node>,
}

/// What a rule is judged on.
#[derive(Clone, Copy)]
pub(crate) enum Subject<'a> {
    /// A component.
    Component(&'a Component),
    /// A flow with its ends, where they are components.
    Flow(&'a Flow, Option<&'a Component>, Option<&'a Component>),
    /// The system.
    System,
}

impl<'a> Subject<'a> {
    /// The component it is about; for a flow the target.
    pub(crate) fn component(self) -> Option<&'a Component> {
        match self {
            Subject::Component(component) => Some(component),
            Subject::Flow(_, _, to) => to,
            Subject::System => None,
        }
    }

    /// The address it is about; for a flow the target's.
    pub(crate) fn address(self) -> Option<&'a Address> {
        match self {
            Subject::Component(component) => Some(&component.address),
            Subject::Flow(flow, _, _) => Some(&flow.to),
            Subject::System => None,
        }
    }

    /// Every address it concerns.
    pub(crate) fn addresses(self) -> Vec<Address> {
        match self {
            Subject::Component(component) => vec![component.address.clone()],
            Subject::Flow(flow, _, _) => vec![flow.to.clone(), flow.from.clone()],
            Subject::System => Vec::new(),
        }
    }

    /// The flow, for a rule on flows.
    pub(crate) fn flow(self) -> Option<&'a Flow> {
        match self {
            Subject::Flow(flow, _, _) => Some(flow),
            Subject::Component(_) | Subject::System => None,
        }
    }

    /// Where it is declared.
    pub(crate) fn span(self) -> Option<Span> {
        match self {
            Subject::Component(component) => component.span,
            Subject::Flow(flow, _, to) => {
                flow.why.iter().find_map(|reason| reason.span).or_else(|| to.and_then(|component| component.span))
            }
            Subject::System => None,
        }
    }

    /// What instances are sorted by.
    pub(crate) fn cmp_key(self) -> (Option<&'a Address>, Option<&'a str>) {
        (self.address(), self.flow().map(|flow| flow.id.as_str()))
    }
}

impl<'a> View<'a> {
    pub(crate) fn new(architecture: &'a Architecture, facts: &'a Facts, catalogue: &'a Catalogue) -> Self {
        let mut by_type: BTreeMap<&str, Vec<&Component>> = BTreeMap::new();
        for component in architecture.components.values() {
            by_type.entry(&component.component_type).or_default().push(component);
        }
        let assets = architecture.assets.iter().map(|asset| (asset.name.as_str(), (asset, asset_node(asset)))).collect();
        let parents =
            architecture.boundaries.iter().map(|boundary| (boundary.id.as_str(), (boundary.kind, boundary.parent.as_deref()))).collect();
        let system = system_node(architecture, &by_type);
        Self { architecture, facts, catalogue, by_type, assets, parents, system }
    }

    /// What a rule looks at, in the architecture's order.
    pub(crate) fn subjects(&self, rule: &Rule) -> Vec<Subject<'a>> {
        let selects = |selector: &crate::Selector, component: Option<&Component>| match component {
            Some(component) => selector.selects(&component.component_type, self.catalogue.traits_of(&component.component_type)),
            None => selector.is_any(),
        };
        match rule.on {
            On::Component => {
                let wanted = |component_type: &str| rule.target.selects(component_type, self.catalogue.traits_of(component_type));
                self.by_type
                    .iter()
                    .filter(|(component_type, _)| wanted(component_type))
                    .flat_map(|(_, components)| components.iter().map(|component| Subject::Component(component)))
                    .collect()
            }
            On::Flow => {
                let end = |address: &Address| self.architecture.component(address);
                let flows = self.architecture.flows.iter().map(|flow| (flow, end(&flow.from), end(&flow.to)));
                flows
                    .filter(|(_, from, to)| selects(&rule.target, *to) && selects(&rule.source, *from))
                    .map(|(flow, from, to)| Subject::Flow(flow, from, to))
                    .collect()
            }
            On::System => vec![Subject::System],
        }
    }

    /// What conditions read for a subject.
    pub(crate) fn scope<'v>(&'v self, subject: Subject<'a>) -> SubjectScope<'v, 'a> {
        SubjectScope { view: self, subject }
    }

    /// The assets that a component stores or handles.
    pub(crate) fn assets_of(&self, names: &[String]) -> Vec<&'a Asset> {
        names.iter().filter_map(|name| self.assets.get(name.as_str()).map(|(asset, _)| *asset)).collect()
    }

    /// The fact of a component.
    pub(crate) fn fact(&self, address: &Address, name: &str) -> Option<&'a Node> {
        self.facts.by_component.get(address)?.get(name)
    }

    fn criticality(&self, names: &[String]) -> f64 {
        self.assets_of(names).iter().map(|asset| f64::from(asset.classification.worst())).fold(0.0, f64::max)
    }

    fn asset_list<'v>(&'v self, names: &'v [String]) -> Operand<'v> {
        let nodes = names.iter().filter_map(|name| self.assets.get(name.as_str()).map(|(_, node)| node));
        let items = nodes.map(|node| match &node.value {
            Value::Map(map) => Operand::new(Val::Map(Some(map))),
            _ => Operand::new(Val::Null),
        });
        Operand::new(Val::List(items.collect()))
    }

    /// Kinds of the boundaries that lie between two components, outermost last, without doubles.
    pub(crate) fn crossed(&self, from: Option<&Component>, to: Option<&Component>) -> Vec<&'static str> {
        let around = |component: Option<&'a Component>| -> Vec<&'a str> {
            let mut ids = Vec::new();
            let mut next = component.and_then(|component| component.boundary.as_deref());
            while let Some(id) = next {
                // A cycle of parents would be a mistake of whoever built the boundaries; it must not hang the review.
                if ids.contains(&id) {
                    break;
                }
                ids.push(id);
                next = self.parents.get(id).and_then(|(_, parent)| *parent);
            }
            ids
        };
        let find = |component: Option<&Component>| component.and_then(|component| self.architecture.component(&component.address));
        let (left, right) = (around(find(from)), around(find(to)));
        let (left, right): (BTreeSet<&str>, BTreeSet<&str>) = (left.into_iter().collect(), right.into_iter().collect());
        let kinds: BTreeSet<&'static str> =
            left.symmetric_difference(&right).filter_map(|id| self.parents.get(id)).map(|(kind, _)| boundary_word(*kind)).collect();
        kinds.into_iter().collect()
    }
}

/// The view of one subject.
#[derive(Clone, Copy)]
pub(crate) struct SubjectScope<'v, 'a> {
    view: &'v View<'a>,
    subject: Subject<'a>,
}

impl Scope for SubjectScope<'_, '_> {
    fn read<'s>(&'s self, read: &'s Read) -> Operand<'s> {
        let (end, root) = match read.root.split_once('.') {
            Some((end, root)) => (Some(end), root),
            None => (None, read.root.as_str()),
        };
        let (component, address) = match (self.subject, end) {
            (Subject::Component(component), _) => (Some(component), Some(&component.address)),
            (Subject::Flow(flow, from, _), Some("from")) => (from, Some(&flow.from)),
            (Subject::Flow(flow, _, to), _) => (to, Some(&flow.to)),
            (Subject::System, _) => (None, None),
        };
        match root {
            "component" => self.component(component, address, read),
            "settings" => self.setting(component, read),
            "facts" => match address {
                Some(address) => fact(self.view.fact(address, &read.name), read),
                None => fact(self.view.facts.system.get(&read.name), read),
            },
            "flow" => match self.subject {
                Subject::Flow(flow, from, to) => self.flow(flow, from, to, read),
                Subject::Component(_) | Subject::System => Operand::absent(read),
            },
            "system" => match read.name.as_str() {
                "n_components" => Operand::new(Val::Number(self.view.architecture.components.len() as f64)),
                name => Operand { span: None, ..node_or_absent(self.view.system.get(name), read) },
            },
            _ => Operand::absent(read),
        }
    }
}

impl SubjectScope<'_, '_> {
    fn component<'s>(&'s self, component: Option<&'s Component>, address: Option<&'s Address>, read: &'s Read) -> Operand<'s> {
        let address_text = address.map(Address::as_str);
        let Some(component) = component else {
            // An end of a flow that is no component: the internet or an actor, known by its address alone.
            return match read.name.as_str() {
                "address" | "name" => Operand::text(address_text),
                "internet" => Operand::new(Val::Bool(address_text == Some("internet"))),
                "criticality" => Operand::new(Val::Number(0.0)),
                "exposure" => Operand::text(Some("none")),
                "kind" => Operand::text(Some("external_entity")),
                "service" | "type" | "source_type" | "stack" => Operand::text(Some("")),
                _ => Operand::absent(read),
            };
        };
        let exposure = component.exposure.as_ref().map_or(Exposure::None, |(exposure, _)| *exposure);
        let operand = match read.name.as_str() {
            "account" => Operand::text(component.account.as_deref()),
            "address" => Operand::text(address_text),
            "assets" => self.view.asset_list(&component.assets),
            "criticality" => Operand::new(Val::Number(self.view.criticality(&component.assets))),
            "exposure" => Operand::text(Some(exposure_word(exposure))),
            "internet" => Operand::new(Val::Bool(exposure == Exposure::Internet)),
            "kind" => Operand::text(Some(kind_word(component.kind))),
            "name" => Operand::text(Some(&component.name)),
            "region" => Operand::text(component.region.as_deref()),
            "service" => Operand::text(Some(&component.service)),
            "source_type" => Operand::text(Some(&component.source_type)),
            "stack" => Operand::text(Some(&component.stack)),
            "tags" => Operand::new(Val::Map(Some(&component.tags))),
            "traits" => texts(self.view.catalogue.traits_of(&component.component_type).iter().map(String::as_str)),
            "type" => Operand::text(Some(&component.component_type)),
            _ => Operand::absent(read),
        };
        let span = match read.name.as_str() {
            "exposure" | "internet" => {
                component.exposure.as_ref().and_then(|(_, why)| why.iter().find_map(|reason| reason.span)).or(component.span)
            }
            _ => component.span,
        };
        Operand { span, read: Some(read), ..operand }
    }

    fn setting<'s>(&self, component: Option<&'s Component>, read: &'s Read) -> Operand<'s> {
        match component {
            None => Operand::absent(read),
            Some(component) => match component.settings.get(&read.name) {
                Some(node) => Operand::of_node(node, read),
                None => Operand::unknown(read, "the source format does not say it", component.span),
            },
        }
    }

    fn flow<'s>(&'s self, flow: &'s Flow, from: Option<&Component>, to: Option<&Component>, read: &'s Read) -> Operand<'s> {
        let first = flow.why.iter().find_map(|reason| reason.span);
        let operand = match read.name.as_str() {
            "authentication" => match &flow.authentication {
                Some(authentication) => Operand::text(Some(authentication)),
                None => return Operand::unknown(read, "no file says how the caller proves itself", first),
            },
            "confidence" => Operand::text(Some(confidence_word(flow.confidence))),
            "criticality" => Operand::new(Val::Number(self.view.criticality(&flow.data))),
            "crosses" => texts(self.view.crossed(from, to).into_iter()),
            "data" => texts(flow.data.iter().map(String::as_str)),
            "encrypted" => match flow.encrypted {
                Some(encrypted) => Operand::new(Val::Bool(encrypted)),
                None => return Operand::unknown(read, "no file says whether the transport is encrypted", first),
            },
            "id" => Operand::text(Some(&flow.id)),
            "port" => Operand::new(flow.port.map_or(Val::Null, |port| Val::Number(f64::from(port)))),
            "protocol" => Operand::text(Some(&flow.protocol)),
            "status" => Operand::text(Some(status_word(flow.status))),
            _ => Operand::absent(read),
        };
        Operand { span: first, read: Some(read), ..operand }
    }
}

fn node_or_absent<'s>(node: Option<&'s Node>, read: &'s Read) -> Operand<'s> {
    node.map_or_else(|| Operand::absent(read), |node| Operand::of_node(node, read))
}

/// A fact that code did not set is false, where it is a truth value, and else empty.
fn fact<'s>(node: Option<&'s Node>, read: &'s Read) -> Operand<'s> {
    match (node, read.kind) {
        (None, ValueKind::Bool) => Operand { read: Some(read), ..Operand::new(Val::Bool(false)) },
        (node, _) => node_or_absent(node, read),
    }
}

fn texts<'s>(texts: impl Iterator<Item = &'s str>) -> Operand<'s> {
    Operand::new(Val::List(texts.map(|text| Operand::new(Val::Text(Cow::Borrowed(text)))).collect()))
}

fn asset_node(asset: &Asset) -> Node {
    let number = |score: u8| Node::new(Value::Number(f64::from(score)), NOWHERE);
    let classification = asset.classification;
    let members = [
        ("name", Node::text(asset.name.as_str(), NOWHERE)),
        ("confidentiality", number(classification.confidentiality)),
        ("integrity", number(classification.integrity)),
        ("availability", number(classification.availability)),
    ];
    Node::new(Value::Map(members.into_iter().map(|(key, node)| (key.to_owned(), node)).collect()), NOWHERE)
}

fn system_node(architecture: &Architecture, by_type: &BTreeMap<&str, Vec<&Component>>) -> IndexMap<String, Node> {
    let list = |texts: BTreeSet<&str>| Node::new(Value::List(texts.into_iter().map(|text| Node::text(text, NOWHERE)).collect()), NOWHERE);
    let counts =
        by_type.iter().map(|(name, components)| ((*name).to_owned(), Node::new(Value::Number(components.len() as f64), NOWHERE))).collect();
    let all = || architecture.components.values();
    [
        ("types", Node::new(Value::Map(counts), NOWHERE)),
        ("services", list(all().map(|component| component.service.as_str()).collect())),
        ("accounts", list(all().filter_map(|component| component.account.as_deref()).collect())),
        ("regions", list(all().filter_map(|component| component.region.as_deref()).collect())),
    ]
    .into_iter()
    .map(|(key, node)| (key.to_owned(), node))
    .collect()
}

pub(crate) fn exposure_word(exposure: Exposure) -> &'static str {
    match exposure {
        Exposure::Internet => "internet",
        Exposure::OtherAccounts => "other-accounts",
        Exposure::Account => "account",
        Exposure::Vpc => "vpc",
        Exposure::Cluster => "cluster",
        Exposure::None => "none",
    }
}

fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::ExternalEntity => "external_entity",
        Kind::Process => "process",
        Kind::DataStore => "data_store",
        Kind::Supporting => "supporting",
    }
}

fn confidence_word(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Declared => "declared",
        Confidence::Integration => "integration",
        Confidence::Granted => "granted",
        Confidence::Reachable => "reachable",
    }
}

fn status_word(status: FlowStatus) -> &'static str {
    match status {
        FlowStatus::Active => "active",
        FlowStatus::Blocked => "blocked",
    }
}

fn boundary_word(kind: BoundaryKind) -> &'static str {
    match kind {
        BoundaryKind::Internet => "internet",
        BoundaryKind::External => "external",
        BoundaryKind::Account => "account",
        BoundaryKind::Region => "region",
        BoundaryKind::Vpc => "vpc",
        BoundaryKind::PublicSubnets | BoundaryKind::PrivateSubnets | BoundaryKind::IsolatedSubnets => "subnets",
        BoundaryKind::Cluster => "cluster",
        BoundaryKind::Namespace => "namespace",
    }
}
