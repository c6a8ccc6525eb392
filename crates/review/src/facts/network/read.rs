//! Reads a [`Network`] from an architecture: components of the network types, their settings and the links between them.
//!
//! Everything is found by component type and by link, in either direction, so that an association resource and an attribute say the same.

use bartizan_model::{Address, Architecture, Component, Node, Relation, Value};
use ipnet::IpNet;

use super::routes::read_routes;
use super::rules::parse_range;
use super::{Acl, AclRule, Block, Group, Network, ServiceEndpoint, Subnet, read_rules};
use crate::facts::document::pattern;
use crate::facts::read::{is_looked_up, last, texts};
use crate::facts::verdict::Verdict;

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
        for (address, component) in &architecture.components {
            network.joins.add_component(address, component);
        }
        network.joins.finish(architecture, &network.subnets);
        network.detach(architecture);
        network
    }

    fn add_component(&mut self, architecture: &Architecture, address: &Address, component: &Component) {
        // Rules and routes of what is only looked up are not in the plan; its place may be.
        if is_looked_up(address) && !matches!(last(&component.component_type), "vpc" | "subnet") {
            if last(&component.component_type) == "prefix_list"
                && let Some(name) = &component.name_text
            {
                self.lists_elsewhere.insert(address.clone(), pattern(name));
            }
            return;
        }
        let address = address.clone();
        match last(&component.component_type) {
            "vpc" => {
                let vpc = self.vpcs.entry(address).or_default();
                vpc.account.clone_from(&component.account);
                vpc.region.clone_from(&component.region);
                vpc.span = component.span;
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
                table.learns_from = component.setting("propagating_vgws").and_then(|node| super::reference(texts(node).next()?).ok());
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
                let mut entries = Vec::new();
                if let Some(node) = component.setting("entries") {
                    read_entries(node, &mut entries);
                }
                self.prefix_lists.insert(address, entries);
            }
            "block_public_access" if component.service == "vpc" => {
                let Some(node) = component.setting("internet_gateway_block_mode") else { return };
                let keeps_out = match node.value.as_str() {
                    Some(mode) => Verdict::known(mode.starts_with("block")),
                    None => Verdict::Unknown,
                };
                let (account, region) = (component.account.clone(), component.region.clone());
                self.blocks.push(Block { address, account, region, keeps_out, span: node.span });
            }
            "internet_gateway" => {
                self.gateways.insert(address, None);
            }
            "nat_gateway" => {
                self.nats.insert(address, None);
            }
            "endpoint" if component.service == "vpc" => {
                self.service_endpoints.insert(address, ServiceEndpoint::read(component));
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
            ("nat_gateway", "subnet") => {
                if let Some(subnet) = self.nats.get_mut(&from.address) {
                    subnet.get_or_insert_with(|| other.clone());
                }
            }
            ("vpc", "internet_gateway") => {
                if let Some(vpc) = self.gateways.get_mut(other) {
                    vpc.get_or_insert_with(|| from.address.clone());
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
        if last(&from.component_type) == "block_public_access_exclusion" {
            // An exclusion for egress only keeps the internet out all the same.
            let lifts = from.setting("internet_gateway_exclusion_mode").map_or(Verdict::Unknown, |node| {
                node.value.as_str().map_or(Verdict::Unknown, |mode| Verdict::known(mode == "allow-bidirectional"))
            });
            let raise = |known: &mut Option<Verdict>| *known = Some(known.map_or(lifts, |known| known.or(lifts)));
            if let Some(vpc) = self.vpcs.get_mut(other) {
                raise(&mut vpc.exclusion);
            }
            if let Some(subnet) = self.subnets.get_mut(other) {
                raise(&mut subnet.exclusion);
            }
        }
        if let Some(endpoint) = self.service_endpoints.get_mut(&from.address) {
            endpoint.add_link(other, last(&to.component_type));
        }
    }

    /// A gateway whose `vpc_id` is not set and that no attachment names serves no VPC.
    fn detach(&mut self, architecture: &Architecture) {
        for (address, vpc) in &self.gateways {
            let unset = architecture.component(address).is_some_and(|component| component.setting("vpc_id").is_none());
            if vpc.is_none() && unset {
                self.detached.push(address.clone());
            }
        }
    }
}

/// The entries of a prefix list; `None` for one that is not known.
fn read_entries(node: &Node, out: &mut Vec<Option<IpNet>>) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| read_entries(item, out)),
        Value::Text(text) => out.push(text.known().and_then(|known| parse_range(&known))),
        Value::Unknown(_) => out.push(None),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Map(_) => {}
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
            // A default of ours says nothing of what is made elsewhere.
            _ if is_looked_up(&component.address) => None,
            Some(node) if component.flag("is_default") != Some(true) || node.value.as_bool() == Some(true) => node.value.as_bool(),
            None | Some(_) => Some(component.flag("is_default").unwrap_or(false)),
        },
        assigns_public_span: public.map(|node| node.span).or(component.span),
        table: None,
        acl: None,
        zone: component.text("availability_zone"),
        looked_up: is_looked_up(&component.address),
        by_default: component.flag("is_default") == Some(true),
        exclusion: None,
        span: component.span,
    }
}

pub(super) fn known_range(node: &Node) -> Option<IpNet> {
    parse_range(&node.value.as_str()?)
}

pub(super) fn set<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    node.get(key).filter(|value| match &value.value {
        Value::Null => false,
        Value::Text(text) => !text.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) | Value::Unknown(_) => true,
    })
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
