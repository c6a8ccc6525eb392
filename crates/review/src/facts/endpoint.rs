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
    /// True where its network interfaces only lead out: functions, builds, jobs. Who calls it comes through AWS's API.
    pub(crate) no_inbound: bool,
}

/// Endpoints by component.
pub(crate) type Endpoints = BTreeMap<Address, Endpoint>;

/// Types through which a component gets its subnets and groups.
fn lends_network(kind: &str) -> bool {
    kind.contains("subnet_group") || matches!(kind, "launch_template" | "launch_configuration" | "network_interface" | "vpc_connector")
}

/// Templates that say whether what is made from them gets a public address.
fn is_template(kind: &str) -> bool {
    matches!(kind, "launch_template" | "launch_configuration" | "network_interface")
}

/// What has network interfaces in a VPC to reach others, and accepts nothing on them.
/// Source: Lambda guide, "Giving functions access to resources in a VPC"; the like for builds, jobs and connectors.
fn leads_out_only(component: &Component) -> bool {
    match component.service.as_str() {
        "lambda" | "codebuild" | "glue" | "stepfunctions" => true,
        "apigateway" => last(&component.component_type).contains("vpc_link"),
        // What comes in through it comes from its service, whatever its groups say.
        "ec2" => component.component_type == "ec2.instance_connect_endpoint",
        "vpc" => component.component_type == "vpc.client_vpn_endpoint",
        _ => false,
    }
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
    // An elastic address of a network interface is that of the instance which carries the interface.
    for (owner, lender) in &lenders {
        if let Some(span) = eips.get(*lender).copied() {
            eips.entry(owner).or_insert(span);
        }
    }
    let mut templates: BTreeMap<&Address, &Component> = BTreeMap::new();
    for (owner, lender) in &lenders {
        if let Some(template) = architecture.component(lender).filter(|lender| is_template(last(&lender.component_type))) {
            templates.entry(owner).or_insert(template);
        }
    }
    for (address, endpoint) in &mut found {
        let Some(component) = architecture.component(address) else { continue };
        endpoint.no_inbound = leads_out_only(component);
        settle(endpoint, component, network);
        set_public(endpoint, component, templates.get(address).copied(), network, eips.get(address).copied());
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
    component.is_some_and(|component| {
        component.kind == bartizan_model::Kind::DataStore || last(&component.component_type).ends_with("cluster_instance")
    })
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
    let open_broker = component.component_type == "mq.broker"
        && component.text("engine_type").is_some_and(|engine| engine.eq_ignore_ascii_case("rabbitmq"))
        && component.flag("publicly_accessible") == Some(true);
    if open_broker && endpoint.groups.is_empty() {
        // Public RabbitMQ brokers have no security groups. Source: Amazon MQ guide, "Configuring private Amazon MQ brokers".
        endpoint.unfiltered = true;
        return;
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

fn set_public(endpoint: &mut Endpoint, component: &Component, template: Option<&Component>, network: &Network, eip: Option<Option<Span>>) {
    endpoint.ipv6 = has_ipv6(endpoint, component, template, network);
    if let Some(span) = eip {
        endpoint.public = Verdict::Yes;
        endpoint.public_stated = true;
        endpoint.public_reason = Some(reason("an elastic address is associated with it".to_owned(), span));
        return;
    }
    if endpoint.no_inbound {
        endpoint.public = Verdict::No;
        endpoint.public_reason = Some(reason("its network interfaces only lead out and have no public address".to_owned(), component.span));
        return;
    }
    let names = &["publicly_accessible", "associate_public_ip_address", "assign_public_ip", "public_ip", "associate_public_ip"];
    let stated = first_setting(component, names).or_else(|| first_setting(template?, names));
    let stated = stated.map(said).or_else(|| scheme(component)).or_else(|| managed(component));
    if let Some((verdict, text, node)) = stated {
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
    if !is_machine(component) {
        endpoint.public = Verdict::No;
        return;
    }
    from_subnets(endpoint, component, network);
}

/// The subnet's default for new instances (`map_public_ip_on_launch`).
fn from_subnets(endpoint: &mut Endpoint, component: &Component, network: &Network) {
    let mut verdict = Verdict::No;
    let mut denied = None;
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
            Some(false) => {
                let text = format!("it has no public address: it asks for none, and `{subnet}` gives none (map_public_ip_on_launch)");
                denied = denied.or(Some(reason(text, known.assigns_public_span)));
            }
            None if verdict != Verdict::Yes => {
                verdict = Verdict::Unknown;
                let text = format!("whether `{subnet}` gives instances a public address (map_public_ip_on_launch) is not known");
                endpoint.public_reason = Some(reason(text, known.assigns_public_span));
            }
            None => {}
        }
    }
    if verdict == Verdict::No {
        endpoint.public_reason = denied;
    }
    if endpoint.subnets.is_empty() {
        verdict = Verdict::Unknown;
        // A source that can name a subnet and does not means the default VPC, whose subnets give public addresses.
        // Source: VPC guide, "Default VPCs".
        if component.settings.get("subnet_id").is_some_and(|node| node.value.is_null()) && endpoint.vpc.is_none() {
            verdict = Verdict::Yes;
            endpoint.public_stated = true;
            endpoint.public_reason = Some(Reason {
                kind: ReasonKind::Default,
                text: "it names no subnet, so it lies in a default subnet, where instances get a public address".to_owned(),
                span: component.span,
            });
        }
    }
    endpoint.public = verdict;
}

/// IPv6 addresses are public by nature; instances take one by their own count, their template's or their subnet's default.
fn has_ipv6(endpoint: &Endpoint, component: &Component, template: Option<&Component>, network: &Network) -> bool {
    if is_balancer(component) {
        // An internal balancer refuses what comes through an internet gateway. Source: ELB guide, "IP address type".
        return component.text("ip_address_type").is_some_and(|kind| kind.starts_with("dualstack"))
            && scheme(component).is_none_or(|(verdict, _, _)| verdict != Verdict::No);
    }
    let of = |component: &Component| {
        component.setting("ipv6_addresses").is_some_and(|node| node.value.as_list().is_some_and(|list| !list.is_empty()))
            || component.setting("ipv6_address_count").and_then(|node| node.value.as_number()).is_some_and(|count| count > 0.0)
    };
    of(component)
        || template.is_some_and(of)
        || is_machine(component)
            && endpoint.subnets.iter().filter_map(|subnet| network.subnets.get(subnet)).any(|subnet| subnet.assigns_ipv6)
}

/// Managed services that say it in a word of their own.
fn managed(component: &Component) -> Option<(Verdict, String, &Node)> {
    match component.component_type.as_str() {
        // Source: MSK developer guide, "Public access".
        "msk.cluster" => {
            let node = component.setting("public_access_type")?;
            Some(match node.value.as_str() {
                Some(value) if value == "SERVICE_PROVIDED_EIPS" => (Verdict::Yes, "its brokers have public addresses".to_owned(), node),
                Some(_) => (Verdict::No, "its brokers have no public addresses".to_owned(), node),
                None => (Verdict::Unknown, "whether its brokers have public addresses is not known".to_owned(), node),
            })
        }
        // A server inside a VPC is on the internet by elastic addresses only. Source: Transfer Family guide, "Create a server in a VPC".
        "transfer.server" => {
            let node = component.setting("address_allocation_ids")?;
            Some(match node.value.as_list() {
                Some([]) => (Verdict::No, "it has no elastic addresses".to_owned(), node),
                Some(_) => (Verdict::Yes, "it has elastic addresses".to_owned(), node),
                None => (Verdict::Unknown, "whether it has elastic addresses is not known".to_owned(), node),
            })
        }
        _ => None,
    }
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
    component.component_type == "elb.load_balancer"
        || last(&component.component_type).ends_with("load_balancer") && component.service != "lightsail"
}

/// Machines of ours: their network interfaces take a public address from their subnet, those of managed services do not.
pub(crate) fn is_machine(component: &Component) -> bool {
    matches!(
        component.component_type.as_str(),
        "ec2.instance"
            | "ec2.spot_fleet"
            | "ec2.fleet"
            | "autoscaling.group"
            | "eks.node_group"
            | "emr.cluster"
            | "batch.compute_environment"
    )
}
