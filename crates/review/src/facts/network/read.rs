//! Reads a [`Network`] from an architecture: components of the network types, their settings and the links between them.
//!
//! Everything is found by component type and by link, in either direction, so that an association resource and an attribute say the same.

use bartizan_model::{Address, Architecture, Component, Node, Relation, Value};
use ipnet::IpNet;

use super::rules::parse_range;
use super::{Acl, AclRule, Group, Network, Route, RouteTable, RouteTarget, Subnet, read_rules};
use crate::facts::read::{last, texts};

impl Network {
    /// Reads the network of an architecture; linear in components and links.
    pub(crate) fn read(architecture: &Architecture) -> Network {
        let mut network = Network::default();
        for (address, component) in &architecture.components {
            network.add_component(architecture, address, component);
        }
        for link in &architecture.links {
            let (Some(from), Some(to)) = (architecture.component(&link.from), architecture.component(&link.to)) else { continue };
            if matches!(link.relation, Relation::Flow(_) | Relation::Mentions) {
                continue;
            }
            network.add_link(from, to);
            network.add_link(to, from);
        }
        network.finish(architecture);
        network
    }

    fn add_component(&mut self, architecture: &Architecture, address: &Address, component: &Component) {
        let address = address.clone();
        match last(&component.component_type) {
            "vpc" => {
                let vpc = self.vpcs.entry(address).or_default();
                for setting in ["cidr_block", "ipv6_cidr_block", "secondary_cidr_blocks"] {
                    let found = component.setting(setting).into_iter().flat_map(texts).filter_map(|text| parse_range(&text.known()?));
                    vpc.ranges.extend(found);
                }
            }
            "subnet" => {
                let subnet = read_subnet(component);
                self.subnets.insert(address, subnet);
            }
            "route_table" => {
                let table = self.tables.entry(address).or_default();
                if let Some(node) = component.setting("routes") {
                    read_routes(architecture, node, table);
                }
            }
            "nacl" => {
                let acl = read_acl(component);
                self.acls.insert(address, acl);
            }
            "security_group" => {
                let group = read_group(component);
                self.groups.insert(address, group);
            }
            "prefix_list" => {
                let entries = component.setting("entries").into_iter().flat_map(texts);
                let entries = entries.map(|text| text.known().and_then(|known| parse_range(&known))).collect();
                self.prefix_lists.insert(address, entries);
            }
            "block_public_access" if component.service == "vpc" => {
                if let Some(node) = component.setting("internet_gateway_block_mode")
                    && node.value.as_str().is_some_and(|mode| mode.starts_with("block"))
                {
                    self.public_access_block = Some(node.span);
                }
            }
            _ => {}
        }
    }

    /// What one direction of a link between two components says about the network.
    fn add_link(&mut self, from: &Component, to: &Component) {
        let other = &to.address;
        match (last(&from.component_type), last(&to.component_type)) {
            ("subnet", "vpc") => {
                if let Some(subnet) = self.subnets.get_mut(&from.address) {
                    subnet.vpc.get_or_insert_with(|| other.clone());
                }
            }
            ("subnet", "route_table") => {
                if let Some(subnet) = self.subnets.get_mut(&from.address) {
                    subnet.table.get_or_insert_with(|| other.clone());
                }
            }
            ("subnet", "nacl") => {
                if let Some(subnet) = self.subnets.get_mut(&from.address) {
                    subnet.acl.get_or_insert_with(|| other.clone());
                }
            }
            ("vpc", "internet_gateway") => {
                if let Some(vpc) = self.vpcs.get_mut(&from.address) {
                    vpc.gateway.get_or_insert_with(|| other.clone());
                }
            }
            ("vpc", "route_table") => {
                if let Some(vpc) = self.vpcs.get_mut(&from.address)
                    && to.flag("is_main") == Some(true)
                {
                    vpc.main_table = Some(other.clone());
                }
            }
            ("vpc", "security_group") => {
                if let Some(group) = self.groups.get_mut(other) {
                    group.vpc.get_or_insert_with(|| from.address.clone());
                }
                if to.flag("is_default") == Some(true)
                    && let Some(vpc) = self.vpcs.get_mut(&from.address)
                {
                    vpc.default_group.get_or_insert_with(|| other.clone());
                }
            }
            ("vpc", "nacl") => {
                if to.flag("is_default") == Some(true)
                    && let Some(vpc) = self.vpcs.get_mut(&from.address)
                {
                    vpc.default_acl.get_or_insert_with(|| other.clone());
                }
            }
            _ => {}
        }
        if last(&from.component_type) == "block_public_access_exclusion"
            && from.text("internet_gateway_exclusion_mode").is_none_or(|mode| mode == "allow-bidirectional")
        {
            if let Some(vpc) = self.vpcs.get_mut(other) {
                vpc.block_excluded = true;
            }
            if let Some(subnet) = self.subnets.get_mut(other) {
                subnet.block_excluded = true;
            }
        }
    }

    /// What needs everything else to be there: default ACLs that name no VPC, peerings and transit gateways.
    fn finish(&mut self, architecture: &Architecture) {
        let mut joins: std::collections::BTreeMap<&Address, Vec<Address>> = std::collections::BTreeMap::new();
        for link in &architecture.links {
            for (joint, end) in [(&link.from, &link.to), (&link.to, &link.from)] {
                let Some(component) = architecture.component(joint) else { continue };
                if !last(&component.component_type).contains("peering") && !last(&component.component_type).contains("transit_gateway") {
                    continue;
                }
                let vpc = match architecture.component(end).map(|end| last(&end.component_type)) {
                    Some("vpc") => Some(end.clone()),
                    Some("subnet") => self.subnets.get(end).and_then(|subnet| subnet.vpc.clone()),
                    // An attachment stands between the VPC and the gateway: what it joins is what its gateway joins.
                    _ => None,
                };
                if let Some(vpc) = vpc {
                    joins.entry(joint).or_default().push(vpc);
                }
            }
        }
        // Attachments of one transit gateway join each other's VPCs.
        let mut by_gateway: std::collections::BTreeMap<&Address, Vec<Address>> = std::collections::BTreeMap::new();
        for link in &architecture.links {
            for (attachment, gateway) in [(&link.from, &link.to), (&link.to, &link.from)] {
                if architecture.component(gateway).is_some_and(|component| last(&component.component_type) == "transit_gateway")
                    && let Some(vpcs) = joins.get(attachment)
                {
                    by_gateway.entry(gateway).or_default().extend(vpcs.iter().cloned());
                }
            }
        }
        for vpcs in joins.values().chain(by_gateway.values()) {
            // A hub with hundreds of VPCs would be quadratic; its members reach one another by policy that the plan rarely shows.
            if vpcs.len() > 64 {
                continue;
            }
            for one in vpcs {
                let others = vpcs.iter().filter(|other| *other != one).cloned();
                self.joined.entry(one.clone()).or_default().extend(others);
            }
        }
        for list in self.joined.values_mut() {
            list.sort();
            list.dedup();
        }
    }
}

fn read_subnet(component: &Component) -> Subnet {
    let public = component.setting("map_public_ip_on_launch");
    Subnet {
        vpc: None,
        range: component.setting("cidr_block").and_then(known_range),
        range_v6: component.setting("ipv6_cidr_block").and_then(known_range),
        assigns_ipv6: component.flag("assign_ipv6_address_on_creation").unwrap_or(false),
        // Default subnets give a public address unless told otherwise; others do not (AWS VPC guide, default VPCs).
        assigns_public: match public {
            Some(node) if component.flag("is_default") != Some(true) || node.value.as_bool() == Some(true) => node.value.as_bool(),
            None | Some(_) => Some(component.flag("is_default").unwrap_or(false)),
        },
        assigns_public_span: public.map(|node| node.span).or(component.span),
        table: None,
        acl: None,
        zone: component.text("availability_zone"),
        block_excluded: false,
        span: component.span,
    }
}

fn known_range(node: &Node) -> Option<IpNet> {
    parse_range(&node.value.as_str()?)
}

fn read_routes(architecture: &Architecture, node: &Node, table: &mut RouteTable) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| read_routes(architecture, item, table)),
        Value::Map(_) => read_route(architecture, node, table),
        Value::Unknown(_) => table.incomplete = true,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
    }
}

fn read_route(architecture: &Architecture, node: &Node, table: &mut RouteTable) {
    let (Some(destination), Some(target)) = (set(node, "destination"), set(node, "target")) else { return };
    let range = known_range(destination);
    if range.is_none() {
        // A prefix list is a set of ranges of an AWS service or of ours, never the whole internet; anything else is not known.
        let is_list = |text: &bartizan_model::Text| {
            text.known().is_some_and(|known| known.starts_with("pl-"))
                || text.references().any(|(address, _)| address.contains("prefix_list"))
        };
        table.incomplete |= !texts(destination).any(is_list);
        return;
    }
    table.routes.push(Route { destination: range, target: route_target(architecture, target), span: node.span });
}

fn set<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    node.get(key).filter(|value| match &value.value {
        Value::Null => false,
        Value::Text(text) => !text.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) | Value::Unknown(_) => true,
    })
}

/// One attribute names internet, virtual private and other gateways alike: the component it refers to or the id's prefix tells which.
fn route_target(architecture: &Architecture, node: &Node) -> RouteTarget {
    let Some(text) = node.value.as_text() else { return RouteTarget::Unknown };
    if let Some((address, _)) = text.references().next() {
        let target = architecture.component(&Address::new(address));
        let kind = target.map_or(address, |component| last(&component.component_type));
        // Order matters: the address of an unread resource may hold several of the words.
        return [
            ("egress_only", RouteTarget::OutboundOnly),
            ("nat_gateway", RouteTarget::OutboundOnly),
            ("internet_gateway", RouteTarget::InternetGateway),
            ("carrier_gateway", RouteTarget::InternetGateway),
            ("vpn_gateway", RouteTarget::Private),
            ("transit_gateway", RouteTarget::Private),
            ("peering", RouteTarget::Private),
            ("local_gateway", RouteTarget::Private),
            ("core_network", RouteTarget::Private),
            ("endpoint", RouteTarget::Appliance),
            ("network_interface", RouteTarget::Appliance),
            ("instance", RouteTarget::Appliance),
            ("firewall", RouteTarget::Appliance),
        ]
        .into_iter()
        .find(|(word, _)| kind.contains(word))
        .map_or(RouteTarget::Unknown, |(_, target)| target);
    }
    let Some(known) = text.known() else { return RouteTarget::Unknown };
    // Prefixes of resource ids. Source: EC2 API reference, resource id formats.
    [
        ("igw-", RouteTarget::InternetGateway),
        ("nat-", RouteTarget::OutboundOnly),
        ("eigw-", RouteTarget::OutboundOnly),
        ("vgw-", RouteTarget::Private),
        ("tgw-", RouteTarget::Private),
        ("pcx-", RouteTarget::Private),
        ("lgw-", RouteTarget::Private),
        ("local", RouteTarget::Private),
        ("vpce-", RouteTarget::Appliance),
        ("eni-", RouteTarget::Appliance),
        ("cagw-", RouteTarget::InternetGateway),
    ]
    .into_iter()
    .find(|(prefix, _)| known.starts_with(prefix))
    .map_or(RouteTarget::Unknown, |(_, target)| target)
}

fn read_acl(component: &Component) -> Acl {
    let mut acl = Acl { span: component.span, ..Acl::default() };
    for (setting, egress) in [("ingress", false), ("egress", true)] {
        if let Some(node) = component.setting(setting) {
            read_acl_rules(node, egress, &mut acl);
        }
    }
    acl.ingress.sort_by_key(|rule| rule.number);
    acl.egress.sort_by_key(|rule| rule.number);
    acl
}

fn read_acl_rules(node: &Node, egress: bool, acl: &mut Acl) {
    if let Value::List(items) = &node.value {
        items.iter().for_each(|item| read_acl_rules(item, egress, acl));
        return;
    }
    let number = set(node, "rule_number").and_then(|node| node.value.as_number()).unwrap_or(0.0);
    let action = set(node, "action");
    let allow = action.and_then(|node| match node.value.as_str()?.to_ascii_lowercase().as_str() {
        "allow" => Some(true),
        "deny" => Some(false),
        _ => None,
    });
    let mut rules = Vec::new();
    read_rules(node, &mut rules);
    let list = if egress { &mut acl.egress } else { &mut acl.ingress };
    // Rule numbers are whole and at most 32,766.
    #[expect(clippy::cast_possible_truncation, reason = "rule numbers are small whole numbers")]
    let number = number as i64;
    list.extend(rules.into_iter().map(|rule| AclRule { number, allow, rule }));
}

fn read_group(component: &Component) -> Group {
    let mut group = Group { span: component.span, ..Group::default() };
    for (setting, egress) in [("ingress", false), ("egress", true)] {
        if let Some(node) = component.setting(setting) {
            read_directed(node, egress, &mut group);
        }
    }
    group
}

/// A rule that says its own direction (`type = "egress"`) is believed, whichever setting it was collected into.
fn read_directed(node: &Node, egress: bool, group: &mut Group) {
    if let Value::List(items) = &node.value {
        items.iter().for_each(|item| read_directed(item, egress, group));
        return;
    }
    let stated = node.get("type").or_else(|| node.get("direction")).and_then(|node| node.value.as_str().map(|text| text == "egress"));
    read_rules(node, if stated.unwrap_or(egress) { &mut group.egress } else { &mut group.ingress });
}
