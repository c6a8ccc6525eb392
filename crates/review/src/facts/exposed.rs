//! Facts about the network: what the internet reaches, what security groups admit, where a component lies.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Kind, ReasonKind, Value};

use super::endpoint::Endpoint;
use super::network::{Group, Peer, Protocol, RouteTarget, Rule, Tier, covers_internet};
use super::sink::{Sink, map, number, text};
use super::verdict::Verdict;
use crate::flows::set::FlowSet;
use crate::flows::{Context, is_active, undecided};

/// Ports by which hosts and clusters are administered: SSH, RDP, WinRM, Docker, etcd, Kubernetes API and kubelet, VNC, databases' consoles.
/// Ports of logins, of control and of stores that no stranger has a reason to knock at.
/// Source: AWS Security Hub, control EC2.19 (high-risk ports), November 2026, with those of Docker, etcd, Kubernetes, Redis, Cassandra,
/// Memcached and MongoDB.
const ADMIN_PORTS: &[u16] = &[
    21, 22, 23, 135, 445, 1433, 1521, 2375, 2376, 2379, 3306, 3389, 5432, 5601, 5900, 5985, 5986, 6379, 6443, 9042, 9200, 9300, 10250,
    11211, 27017,
];

/// Sets the facts of the network.
pub(super) fn add(context: &Context<'_>, set: &FlowSet, sink: &mut Sink) {
    groups(context, sink);
    for (address, endpoint) in &context.endpoints {
        reach(context, address, sink);
        place(context, address, endpoint, sink);
        rules(context, address, endpoint, sink);
    }
    by_flow(context, set, sink);
    for component in context.index.architecture.components.values() {
        if let Some(open) = undecided(component).filter(|_| sink.get(&component.address, "internet_reachable").is_none()) {
            sink.unknown(&component.address, "internet_reachable", &open.text, open.span);
        }
        // What has no network interface of ours talks to wherever it likes.
        let outside = component.component_type == "lambda.function" && !context.endpoints.contains_key(&component.address)
            // A notebook has a second interface in AWS's own network unless that is switched off.
            || component.component_type == "sagemaker.notebook_instance"
                && component.text("direct_internet_access").is_none_or(|access| access == "Enabled");
        if outside {
            sink.yes(&component.address, "open_egress", component.span);
        }
    }
}

/// A managed endpoint that the internet reaches has no network interface of its own; its flows say so.
fn by_flow(context: &Context<'_>, set: &FlowSet, sink: &mut Sink) {
    let mut ports: BTreeMap<&Address, BTreeSet<u16>> = BTreeMap::new();
    for flow in set.values().filter(|flow| is_active(flow) && flow.from == Address::internet()) {
        if context.index.component(&flow.to).is_none_or(|component| component.kind == Kind::ExternalEntity) {
            continue;
        }
        ports.entry(&flow.to).or_default().extend(flow.port);
        let span = flow.why.iter().find(|reason| reason.kind == ReasonKind::Network).or(flow.why.first()).and_then(|reason| reason.span);
        if sink.get(&flow.to, "internet_reachable").is_none_or(|node| node.value.as_bool() != Some(true)) {
            sink.yes(&flow.to, "internet_reachable", span);
        }
        if flow.port.is_some_and(|port| !ports.get(&flow.to).is_none_or(BTreeSet::is_empty) && port > 0) {
            sink.push(&flow.to, "internet_ports", number(flow.port.unwrap_or(0)), span);
        }
    }
}

fn reach(context: &Context<'_>, address: &Address, sink: &mut Sink) {
    let Some(open) = context.from_internet.get(address) else { return };
    let balancer = context.index.component(address).is_some_and(super::endpoint::is_balancer);
    match open.verdict {
        Verdict::Yes if balancer => {}
        Verdict::Yes => {
            let whole = open.openings.iter().find(|opening| opening.only.is_none());
            sink.yes(address, "internet_reachable", whole.and_then(|opening| opening.reason.span));
        }
        Verdict::Unknown => {
            let why = open.because.as_ref().map_or("the plan does not tell", |reason| reason.text.as_str());
            sink.unknown(address, "internet_reachable", why, open.because.as_ref().and_then(|reason| reason.span));
        }
        Verdict::No => {
            let stated = context.endpoints.get(address).is_some_and(|endpoint| endpoint.public == Verdict::Yes);
            if let Some(because) = open.because.as_ref().filter(|_| stated) {
                sink.set(address, "not_reachable_because", text(&because.text), because.span);
            }
        }
    }
    if balancer {
        return;
    }
    for opening in open.openings.iter().filter(|opening| opening.only.is_none() && opening.verdict == Verdict::Yes) {
        if matches!(opening.protocol, Protocol::Other(_) | Protocol::Unknown) || open.verdict == Verdict::No {
            continue;
        }
        // A range of ports is its two ends; everything is -1.
        let ports: Vec<f64> = if opening.from_port == 0 && opening.to_port == u16::MAX {
            vec![-1.0]
        } else {
            vec![f64::from(opening.from_port), f64::from(opening.to_port)]
        };
        for port in ports {
            sink.push(address, "internet_ports", Value::Number(port), opening.reason.span);
        }
    }
}

fn place(context: &Context<'_>, address: &Address, endpoint: &Endpoint, sink: &mut Sink) {
    let subnets = endpoint.subnets.iter().filter_map(|subnet| context.network.subnets.get(subnet));
    let mut zones = BTreeSet::new();
    let mut tier: Option<(Tier, Option<bartizan_model::Span>)> = None;
    let mut known = true;
    for subnet in subnets {
        match &subnet.zone {
            Some(zone) => {
                zones.insert(zone.clone());
            }
            None => known = false,
        }
        if let Some(found) = context.network.tier(subnet)
            && tier.is_none_or(|(best, _)| found < best)
        {
            tier = Some((found, subnet.span));
        }
    }
    if let Some((tier, span)) = tier {
        let word = match tier {
            Tier::Public => "public",
            Tier::Private => "private",
            Tier::Isolated => "isolated",
        };
        sink.set(address, "subnet_tier", text(word), span);
    }
    if known && !zones.is_empty() {
        sink.set(address, "zones", Value::Number(f64::from(u32::try_from(zones.len()).unwrap_or(u32::MAX))), None);
    }
    egress(context, address, endpoint, sink);
}

fn egress(context: &Context<'_>, address: &Address, endpoint: &Endpoint, sink: &mut Sink) {
    let routed = endpoint.subnets.iter().filter_map(|subnet| context.network.subnets.get(subnet)).any(|subnet| {
        context.network.table_of(subnet).is_some_and(|(_, table)| {
            table.routes.iter().any(|route| {
                matches!(
                    route.target,
                    RouteTarget::InternetGateway | RouteTarget::OutboundOnly | RouteTarget::Private | RouteTarget::Beyond
                ) && route.destination.is_some_and(|range| range.prefix_len() == 0)
            })
        })
    });
    if !routed {
        return;
    }
    if endpoint.unfiltered || endpoint.groups.is_empty() && endpoint.default_group {
        sink.yes(address, "open_egress", None);
        return;
    }
    for group in endpoint.groups.iter().filter_map(|group| context.network.groups.get(group)) {
        if let Some(rule) = group.egress.iter().find(|rule| is_everyone(rule)) {
            sink.yes(address, "open_egress", Some(rule.span));
            return;
        }
    }
    let rules = endpoint.groups.iter().filter_map(|group| context.network.groups.get(group)).flat_map(|group| &group.egress);
    for rule in rules {
        if let Peer::Unknown(why) = &rule.peer {
            sink.unknown(address, "open_egress", why, Some(rule.span));
            return;
        }
    }
}

fn is_everyone(rule: &Rule) -> bool {
    matches!(rule.peer, Peer::Range(range) if range.prefix_len() == 0)
}

/// Facts of the security groups themselves.
fn groups(context: &Context<'_>, sink: &mut Sink) {
    for (address, group) in &context.network.groups {
        for rule in &group.ingress {
            group_rule(context, address, group, rule, address, sink);
        }
    }
    for (address, endpoint) in &context.endpoints {
        for group in &endpoint.groups {
            sink.push_text(group, "group_members", address.as_str(), context.index.component(address).and_then(|component| component.span));
        }
    }
}

/// The same facts on what carries the groups.
fn rules(context: &Context<'_>, address: &Address, endpoint: &Endpoint, sink: &mut Sink) {
    for name in &endpoint.groups {
        let Some(group) = context.network.groups.get(name) else { continue };
        for rule in &group.ingress {
            group_rule(context, name, group, rule, address, sink);
            if opens(rule) {
                sink.push_text(address, "groups_open", name.as_str(), Some(rule.span));
            }
        }
    }
}

fn opens(rule: &Rule) -> bool {
    matches!(rule.peer, Peer::Range(range) if covers_internet(range))
}

fn group_rule(context: &Context<'_>, name: &Address, group: &Group, rule: &Rule, on: &Address, sink: &mut Sink) {
    let port = |port: Option<u16>| port.map_or_else(|| Value::unresolved("the port is not known"), number);
    let protocol = match &rule.protocol {
        Protocol::Any => "any".to_owned(),
        Protocol::Tcp => "tcp".to_owned(),
        Protocol::Udp => "udp".to_owned(),
        Protocol::Other(name) => name.clone(),
        Protocol::Unknown => "unknown".to_owned(),
    };
    let entry = |kind: &str, cidr: Value| {
        map(
            vec![
                ("kind", text(kind)),
                ("protocol", text(&protocol)),
                ("from_port", port(rule.from_port)),
                ("to_port", port(rule.to_port)),
                ("cidr", cidr),
                ("group", text(name.as_str())),
            ],
            rule.span,
        )
    };
    let whole_range = rule.protocol == Protocol::Any || rule.from_port == Some(0) && rule.to_port == Some(u16::MAX);
    match &rule.peer {
        Peer::Range(range) if covers_internet(*range) => {
            sink.push(on, "open_ingress", entry("internet", text(range.to_string())), Some(rule.span));
            // A balancer answers on its listeners only.
            let balancer = context.index.component(on).is_some_and(super::endpoint::is_balancer);
            if matches!(rule.protocol, Protocol::Tcp | Protocol::Any) && !balancer {
                for admin in ADMIN_PORTS {
                    if rule.covers(&Protocol::Tcp, Some(*admin)) == Some(true) {
                        sink.push(on, "admin_ports_open", number(*admin), Some(rule.span));
                    }
                }
            }
        }
        Peer::Range(range) => {
            let vpc = group.vpc.as_ref().and_then(|vpc| context.network.vpcs.get(vpc));
            if vpc.is_some_and(|vpc| vpc.ranges.iter().any(|own| range.contains(own))) {
                sink.push(on, "broad_ingress", entry("vpc", text(range.to_string())), Some(rule.span));
            } else if range.prefix_len() <= 16 && range.addr().is_ipv4() {
                sink.push(on, "broad_ingress", entry("private", text(range.to_string())), Some(rule.span));
            }
        }
        Peer::Itself if whole_range => sink.push(on, "broad_ingress", entry("self", Value::Null), Some(rule.span)),
        Peer::Group(_) if whole_range => sink.push(on, "broad_ingress", entry("group", Value::Null), Some(rule.span)),
        Peer::Unknown(why) => {
            if sink.get(on, "broad_ingress").is_none() {
                sink.unknown(on, "broad_ingress", why, Some(rule.span));
            }
            if sink.get(on, "open_ingress").is_none() {
                sink.unknown(on, "open_ingress", why, Some(rule.span));
            }
            if sink.get(on, "admin_ports_open").is_none()
                && matches!(rule.protocol, Protocol::Tcp | Protocol::Any | Protocol::Unknown)
                && ADMIN_PORTS.iter().any(|admin| rule.covers(&Protocol::Tcp, Some(*admin)) != Some(false))
            {
                sink.unknown(on, "admin_ports_open", why, Some(rule.span));
            }
        }
        Peer::Network(network) if context.network.vpcs.contains_key(network) => {
            let why = format!("the range of `{network}` is not known");
            sink.push(on, "broad_ingress", entry("vpc", Value::unresolved(why)), Some(rule.span));
        }
        Peer::Itself | Peer::Group(_) | Peer::PrefixList(_) | Peer::Network(_) => {}
    }
}
