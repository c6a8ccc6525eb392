//! Trust boundaries: internet, other parties, accounts, regions, VPCs, subnet tiers, clusters and namespaces; and where each component lies.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Architecture, Boundary, BoundaryKind, Component, Kind, Relation, Span};

use super::Context;
use super::set::FlowSet;
use crate::facts::network::Tier;
use crate::facts::read::last;

/// The boundaries found, and where what the architecture already has lies.
pub(super) struct Boundaries {
    /// Parents before children.
    pub(super) list: Vec<Boundary>,
    /// Innermost boundary by component.
    place: BTreeMap<Address, String>,
}

/// Finds the boundaries of an architecture.
pub(super) fn find(context: &Context<'_>, set: &FlowSet) -> Boundaries {
    let architecture = context.index.architecture;
    let mut found = Finder { context, known: BTreeMap::new(), order: Vec::new(), regions: BTreeSet::new(), clusters: BTreeMap::new() };
    for link in &architecture.links {
        let (Some(from), Some(to)) = (architecture.component(&link.from), architecture.component(&link.to)) else { continue };
        if link.relation == Relation::PartOf && from.service == "kubernetes" && to.component_type == "eks.cluster" {
            found.clusters.entry(&from.stack).or_insert(&to.address);
        }
    }
    for component in architecture.components.values() {
        found.regions.extend(component.region.clone());
    }
    found.boundary("internet", BoundaryKind::Internet, "internet", None, None);
    let external = set.values().any(|flow| flow.from.as_str().starts_with("aws:") || flow.from.as_str().starts_with("network:"))
        || set.values().any(|flow| flow.to.as_str().starts_with("aws:"))
        || architecture.components.values().any(|component| component.kind == Kind::ExternalEntity)
        || !architecture.declarations.actors.is_empty();
    if external {
        found.boundary("external", BoundaryKind::External, "other parties", None, None);
    }
    let mut place = BTreeMap::new();
    for (address, component) in &architecture.components {
        place.insert(address.clone(), found.of(component));
    }
    Boundaries { list: found.order, place }
}

impl Boundaries {
    /// Sets each component's boundary and drops boundaries that hold nothing.
    pub(super) fn place(&mut self, architecture: &mut Architecture) {
        let mut used: BTreeSet<String> = BTreeSet::new();
        for (address, component) in &mut architecture.components {
            let boundary = self.place.get(address).cloned().unwrap_or_else(|| outside(component).to_owned());
            used.insert(boundary.clone());
            component.boundary = Some(boundary);
        }
        if used.contains("external") && !self.list.iter().any(|boundary| boundary.id == "external") {
            let external = Boundary {
                id: "external".to_owned(),
                kind: BoundaryKind::External,
                name: "other parties".to_owned(),
                parent: None,
                span: None,
            };
            self.list.insert(self.list.len().min(1), external);
        }
        for boundary in self.list.iter().rev() {
            if used.contains(&boundary.id)
                && let Some(parent) = &boundary.parent
            {
                used.insert(parent.clone());
            }
        }
        self.list.retain(|boundary| used.contains(&boundary.id));
    }
}

fn outside(component: &Component) -> &'static str {
    if component.component_type == "external.internet" || component.component_type == "external.network" { "internet" } else { "external" }
}

struct Finder<'a, 'c> {
    context: &'c Context<'a>,
    known: BTreeMap<String, usize>,
    order: Vec<Boundary>,
    regions: BTreeSet<String>,
    /// The cluster that the workloads of a stack are part of.
    clusters: BTreeMap<&'a str, &'a Address>,
}

impl Finder<'_, '_> {
    fn boundary(&mut self, id: &str, kind: BoundaryKind, name: &str, parent: Option<String>, span: Option<Span>) -> String {
        if !self.known.contains_key(id) {
            self.known.insert(id.to_owned(), self.order.len());
            self.order.push(Boundary { id: id.to_owned(), kind, name: name.to_owned(), parent, span });
        }
        id.to_owned()
    }

    /// The innermost boundary of a component.
    fn of(&mut self, component: &Component) -> String {
        if component.kind == Kind::ExternalEntity {
            return outside(component).to_owned();
        }
        if let Some(place) = self.namespace(component) {
            return place;
        }
        match last(&component.component_type) {
            "vpc" if component.service == "vpc" => return self.vpc(&component.address, component),
            "subnet" if component.service == "vpc" => {
                let address = component.address.clone();
                return self.subnets(&[address], component);
            }
            _ => {}
        }
        if let Some(endpoint) = self.context.endpoints.get(&component.address) {
            // A managed control plane only reaches into the VPC; what answers is AWS's.
            if component.component_type != "eks.cluster" {
                let subnets = endpoint.subnets.clone();
                if !subnets.is_empty() {
                    return self.subnets(&subnets, component);
                }
                if let Some(vpc) = endpoint.vpc.clone() {
                    return self.vpc(&vpc, component);
                }
            }
        }
        let vpc = self.context.index.follow(&component.address, "in_vpc").first().map(|vpc| vpc.address.clone());
        match vpc {
            Some(vpc) => self.vpc(&vpc, component),
            None => self.account(component),
        }
    }

    /// Workloads lie in a namespace of their cluster.
    fn namespace(&mut self, component: &Component) -> Option<String> {
        if component.service != "kubernetes" {
            return None;
        }
        let own = self.context.index.follow(&component.address, "part_of").into_iter().find(|part| part.component_type == "eks.cluster");
        // Manifests of one folder go to one cluster; policies and roles among them need not say which.
        let of_stack = || self.clusters.get(component.stack.as_str()).and_then(|address| self.context.index.component(address));
        let cluster = own.or_else(of_stack);
        let (id, name, parent, span) = match cluster {
            Some(cluster) => {
                let subnets: Vec<Address> =
                    self.context.endpoints.get(&cluster.address).map(|endpoint| endpoint.subnets.clone()).unwrap_or_default();
                let vpc = subnets.iter().find_map(|subnet| self.context.network.subnets.get(subnet)?.vpc.clone());
                let parent = match vpc {
                    Some(vpc) => self.vpc(&vpc, cluster),
                    None => self.account(cluster),
                };
                (format!("cluster:{}", cluster.address), cluster.name.clone(), Some(parent), cluster.span)
            }
            None => {
                let stack = if component.stack.is_empty() { "kubernetes" } else { component.stack.as_str() };
                let parent = self.account(component);
                (format!("cluster:{stack}"), "Kubernetes cluster".to_owned(), Some(parent), None)
            }
        };
        let cluster = self.boundary(&id, BoundaryKind::Cluster, &name, parent, span);
        if matches!(last(&component.component_type), "cluster_role" | "cluster_role_binding" | "node") {
            return Some(cluster);
        }
        let own = component.text("namespace").or_else(|| {
            let mut parts = component.address.as_str().split('/');
            let first = parts.next()?;
            (parts.count() >= 2).then(|| first.to_owned())
        });
        let Some(namespace) = own.or_else(|| (last(&component.component_type) == "namespace").then(|| component.name.clone())) else {
            return Some(cluster);
        };
        let id = format!("namespace:{}/{namespace}", cluster.trim_start_matches("cluster:"));
        Some(self.boundary(&id, BoundaryKind::Namespace, &namespace, Some(cluster), None))
    }

    fn account(&mut self, component: &Component) -> String {
        let (id, name) = match &component.account {
            Some(account) => (format!("account:{account}"), format!("AWS account {account}")),
            None => ("account".to_owned(), "AWS account".to_owned()),
        };
        let account = self.boundary(&id, BoundaryKind::Account, &name, None, None);
        // Identity, DNS and edge services have no region.
        let global =
            matches!(component.service.as_str(), "iam" | "route53" | "cloudfront" | "organizations" | "shield" | "globalaccelerator");
        match &component.region {
            Some(region) if self.regions.len() > 1 && !global => {
                let id = format!("region:{}/{region}", account.trim_start_matches("account:"));
                self.boundary(&id, BoundaryKind::Region, region, Some(account), None)
            }
            _ => account,
        }
    }

    fn vpc(&mut self, address: &Address, inside: &Component) -> String {
        let id = format!("vpc:{address}");
        if self.known.contains_key(&id) {
            return id;
        }
        let component = self.context.index.component(address);
        let parent = self.account(component.unwrap_or(inside));
        let name = component.map_or_else(|| address.to_string(), |component| format!("VPC {}", component.name));
        self.boundary(&id, BoundaryKind::Vpc, &name, Some(parent), component.and_then(|component| component.span))
    }

    /// The tier of a component's subnets; of several the most open.
    fn subnets(&mut self, subnets: &[Address], inside: &Component) -> String {
        let mut vpc = None;
        let mut tier: Option<Tier> = None;
        let mut span = None;
        for address in subnets {
            let Some(subnet) = self.context.network.subnets.get(address) else { continue };
            vpc = vpc.or_else(|| subnet.vpc.clone());
            if let Some(found) = self.context.network.tier(subnet)
                && tier.is_none_or(|known| found < known)
            {
                tier = Some(found);
                span = subnet.span;
            }
        }
        let vpc = vpc.or_else(|| self.context.endpoints.get(&inside.address).and_then(|endpoint| endpoint.vpc.clone()));
        let Some(vpc) = vpc else { return self.account(inside) };
        let parent = self.vpc(&vpc, inside);
        let (suffix, kind, name) = match tier {
            Some(Tier::Public) => ("public", BoundaryKind::PublicSubnets, "public subnets"),
            Some(Tier::Private) => ("private", BoundaryKind::PrivateSubnets, "private subnets"),
            Some(Tier::Isolated) => ("isolated", BoundaryKind::IsolatedSubnets, "isolated subnets"),
            None => return parent,
        };
        self.boundary(&format!("subnets:{vpc}:{suffix}"), kind, name, Some(parent), span)
    }
}
