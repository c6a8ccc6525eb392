//! Network endpoints of components: which subnets and security groups they have and whether they own a public address.
//!
//! Step 2 of the review. Built once per component from links and settings; `reachability` decides with it.

use std::collections::BTreeMap;

use bartizan_model::{Address, Architecture, Component, Node, Reason, ReasonKind, Relation, Span};

use super::network::Network;
use super::read::{first_setting, last};
use super::verdict::Verdict;

/// The network side of one component.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoint {
    /// Subnets it lies in, sorted.
    pub(crate) subnets: Vec<Address>,
    /// Its VPC.
    pub(crate) vpc: Option<Address>,
    /// Its security groups, sorted; the VPC's default group where none is given.
    pub(crate) groups: Vec<Address>,
    /// True where no group is given and the default one holds.
    pub(crate) default_group: bool,
    /// Whether it has a public IPv4 address or name.
    pub(crate) public: Verdict,
    /// Why.
    pub(crate) public_reason: Option<Reason>,
    /// True where the source itself asks for a public address or scheme.
    pub(crate) public_stated: bool,
    /// Whether it has a public IPv6 address.
    pub(crate) ipv6: bool,
    /// True for balancers without security groups: they filter nothing.
    pub(crate) unfiltered: bool,
}

/// Endpoints by component.
pub(crate) type Endpoints = BTreeMap<Address, Endpoint>;

/// Types through which a component gets its subnets and groups.
fn lends_network(kind: &str) -> bool {
    kind.contains("subnet_group") || matches!(kind, "launch_template" | "launch_configuration" | "network_interface" | "vpc_connector")
}

/// Types that carry subnets or groups without being a network endpoint that anything talks to.
fn is_structure(kind: &str) -> bool {
    matches!(kind, "vpc" | "subnet" | "security_group" | "route_table" | "nacl" | "internet_gateway" | "nat_gateway") || lends_network(kind)
}

/// The endpoint of every component that has a subnet, a VPC or a security group.
pub(crate) fn endpoints(architecture: &Architecture, network: &Network) -> Endpoints {
    let mut found = Endpoints::new();
    let mut eips: BTreeMap<&Address, Option<Span>> = BTreeMap::new();
    let mut lenders: Vec<(&Address, &Address)> = Vec::new();
    for link in &architecture.links {
        let (Some(from), Some(to)) = (architecture.component(&link.from), architecture.component(&link.to)) else { continue };
        match &link.relation {
            // An instance may name its network interface where others name a subnet.
            Relation::InSubnet if lends_network(last(&to.component_type)) => lenders.push((&link.from, &link.to)),
            Relation::InSubnet => found.entry(link.from.clone()).or_default().subnets.push(link.to.clone()),
            Relation::InVpc => found.entry(link.from.clone()).or_default().vpc = Some(link.to.clone()),
            Relation::GuardedBy => found.entry(link.from.clone()).or_default().groups.push(link.to.clone()),
            Relation::Flow(_) | Relation::Mentions | Relation::Watches | Relation::BacksUp | Relation::EncryptedWith => {}
            Relation::RunsAs | Relation::ProtectedBy => {}
            Relation::PartOf => lenders.push((&link.from, &link.to)),
            Relation::Other(_) => {
                for (owner, other, kind) in [(&link.from, &link.to, to), (&link.to, &link.from, from)] {
                    let kind = last(&kind.component_type);
                    if kind == "elastic_ip" {
                        eips.insert(owner, link.span.or(architecture.component(other).and_then(|eip| eip.span)));
                    } else if lends_network(kind) {
                        lenders.push((owner, other));
                    }
                }
            }
        }
    }
    lend(&mut found, &lenders, architecture);
    for (address, endpoint) in &mut found {
        let Some(component) = architecture.component(address) else { continue };
        settle(endpoint, component, network);
        set_public(endpoint, component, network, eips.get(address).copied());
    }
    found.retain(|address, _| {
        architecture.component(address).is_some_and(|component| {
            // A module whose code is not at hand brings security groups of its own, of which nothing is known.
            !is_structure(last(&component.component_type)) && component.source_type != "module"
        })
    });
    found
}

/// Gives components the subnets and groups of what they are built from, where they name none themselves.
/// Two rounds: an instance of a cluster takes them from the cluster, which takes them from its subnet group.
fn lend(found: &mut Endpoints, lenders: &[(&Address, &Address)], architecture: &Architecture) {
    for _ in 0..2 {
        for (owner, lender) in lenders {
            if architecture.component(owner).is_some_and(|component| is_structure(last(&component.component_type))) {
                continue;
            }
            // A workload is part of a cluster but has its own place in the network; only databases share their cluster's.
            let kind = architecture.component(lender).map_or("", |component| last(&component.component_type));
            let shares = lends_network(kind) || kind.contains("cluster") && is_database_member(architecture.component(owner));
            let Some(lent) = found.get(*lender).filter(|_| shares).cloned() else { continue };
            let own = found.entry((*owner).clone()).or_default();
            if own.subnets.is_empty() {
                own.subnets = lent.subnets;
            }
            if own.groups.is_empty() {
                own.groups = lent.groups;
            }
            own.vpc = own.vpc.take().or(lent.vpc);
        }
    }
}

fn is_database_member(component: Option<&Component>) -> bool {
    component.is_some_and(|component| component.kind == bartizan_model::Kind::DataStore)
}

fn settle(endpoint: &mut Endpoint, component: &Component, network: &Network) {
    endpoint.subnets.sort();
    endpoint.subnets.dedup();
    endpoint.groups.sort();
    endpoint.groups.dedup();
    if endpoint.vpc.is_none() {
        let of_subnet = |address: &Address| network.subnets.get(address).and_then(|subnet| subnet.vpc.clone());
        let of_group = |address: &Address| network.groups.get(address).and_then(|group| group.vpc.clone());
        endpoint.vpc = endpoint.subnets.iter().find_map(of_subnet).or_else(|| endpoint.groups.iter().find_map(of_group));
    }
    if endpoint.groups.is_empty() {
        let kind = last(&component.component_type);
        let network_balancer = matches!(kind, "network_load_balancer" | "nlb" | "gateway_load_balancer")
            || component
                .text("load_balancer_type")
                .or_else(|| component.text("type"))
                .is_some_and(|kind| kind == "network" || kind == "gateway");
        let groups_unknown = first_setting(component, &["security_groups", "security_group_ids", "vpc_security_group_ids"])
            .is_some_and(|node| node.value.is_unknown());
        if network_balancer {
            endpoint.unfiltered = true;
        } else if !groups_unknown {
            endpoint.default_group = true;
            let default = endpoint.vpc.as_ref().and_then(|vpc| network.vpcs.get(vpc)).and_then(|vpc| vpc.default_group.clone());
            endpoint.groups.extend(default);
        }
    }
}

fn set_public(endpoint: &mut Endpoint, component: &Component, network: &Network, eip: Option<Option<Span>>) {
    endpoint.ipv6 = component.setting("ipv6_addresses").is_some_and(|node| node.value.as_list().is_some_and(|list| !list.is_empty()))
        || component.setting("ipv6_address_count").and_then(|node| node.value.as_number()).is_some_and(|count| count > 0.0)
        || endpoint.subnets.iter().filter_map(|subnet| network.subnets.get(subnet)).any(|subnet| subnet.assigns_ipv6);
    if let Some(span) = eip {
        endpoint.public = Verdict::Yes;
        endpoint.public_stated = true;
        endpoint.public_reason = Some(reason("an elastic address is associated with it".to_owned(), span));
        return;
    }
    let stated = first_setting(component, &["publicly_accessible", "associate_public_ip_address", "assign_public_ip", "public_ip"]);
    let stated = stated.or_else(|| component.setting("associate_public_ip"));
    if let Some((verdict, text, node)) = stated.map(said).or_else(|| scheme(component)) {
        endpoint.public = verdict;
        endpoint.public_stated = verdict == Verdict::Yes;
        endpoint.public_reason = Some(reason(text, Some(node.span)));
        return;
    }
    if is_balancer(component) {
        endpoint.public = Verdict::Yes;
        endpoint.public_stated = true;
        endpoint.public_reason = Some(Reason {
            kind: ReasonKind::Default,
            text: "a load balancer faces the internet unless it is internal".to_owned(),
            span: component.span,
        });
        return;
    }
    if !takes_subnet_address(component) {
        endpoint.public = Verdict::No;
        return;
    }
    let mut verdict = Verdict::No;
    for subnet in &endpoint.subnets {
        let Some(known) = network.subnets.get(subnet) else {
            verdict = verdict.or(Verdict::Unknown);
            continue;
        };
        match known.assigns_public {
            Some(true) => {
                verdict = Verdict::Yes;
                let text = format!("`{subnet}` gives instances a public address (map_public_ip_on_launch)");
                endpoint.public_reason = Some(reason(text, known.assigns_public_span));
            }
            Some(false) => {}
            None => verdict = verdict.or(Verdict::Unknown),
        }
    }
    if endpoint.subnets.is_empty() {
        verdict = Verdict::Unknown;
    }
    endpoint.public = verdict;
}

fn reason(text: String, span: Option<Span>) -> Reason {
    Reason { kind: ReasonKind::Network, text, span }
}

fn said(node: &Node) -> (Verdict, String, &Node) {
    match node.value.as_bool() {
        Some(true) => (Verdict::Yes, "it asks for a public address".to_owned(), node),
        Some(false) => (Verdict::No, "it declines a public address".to_owned(), node),
        None => match node.value.as_str().as_deref() {
            Some("ENABLED") => (Verdict::Yes, "it asks for a public address".to_owned(), node),
            Some("DISABLED") => (Verdict::No, "it declines a public address".to_owned(), node),
            _ => (Verdict::Unknown, "whether it has a public address is not known".to_owned(), node),
        },
    }
}

fn scheme(component: &Component) -> Option<(Verdict, String, &Node)> {
    if let Some(node) = component.setting("internal") {
        return Some(match node.value.as_bool() {
            Some(true) => (Verdict::No, "it is internal".to_owned(), node),
            Some(false) => (Verdict::Yes, "it faces the internet".to_owned(), node),
            None => (Verdict::Unknown, "whether it is internal is not known".to_owned(), node),
        });
    }
    let node = component.setting("scheme")?;
    Some(match node.value.as_str().as_deref() {
        Some("internal") => (Verdict::No, "it is internal".to_owned(), node),
        Some("internet-facing") => (Verdict::Yes, "it faces the internet".to_owned(), node),
        _ => (Verdict::Unknown, "its scheme is not known".to_owned(), node),
    })
}

pub(crate) fn is_balancer(component: &Component) -> bool {
    let kind = last(&component.component_type);
    component.service == "elb" && !kind.contains("target") && !kind.contains("listener")
        || matches!(kind, "load_balancer" | "classic_load_balancer" | "application_load_balancer" | "network_load_balancer")
}

/// Network interfaces of instances take a public address from their subnet; those of managed services do not.
fn takes_subnet_address(component: &Component) -> bool {
    matches!(
        last(&component.component_type),
        "instance" | "auto_scaling_group" | "autoscaling_group" | "spot_instance" | "spot_fleet" | "node_group"
    ) && matches!(component.service.as_str(), "ec2" | "autoscaling" | "eks")
}
