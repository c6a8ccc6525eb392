//! How an endpoint calls an AWS service: through a VPC endpoint, over the internet, or not at all.

use bartizan_model::{Address, Reason, ReasonKind, Span};

use super::super::endpoint::{Endpoint, Endpoints};
use super::super::network::{EndpointKind, Network, Peer, Protocol, RouteTarget, ServiceEndpoint};
use super::super::verdict::Verdict;
use super::internet::routed;
use super::{network_reason, reaches};

/// The way to an AWS service.
#[derive(Clone, Debug)]
pub(crate) struct ServicePath {
    /// Whether there is one.
    pub(crate) verdict: Verdict,
    /// The VPC endpoint that the call goes through: its policy holds, and `aws:SourceVpce` is its id. `None`: over the internet or not known.
    pub(crate) through: Option<Address>,
    /// What leads there; for a no the last one, of kind `Block`, says what is missing.
    pub(crate) reasons: Vec<Reason>,
}

/// Decides how what has an endpoint, or none at all, calls a service; `service` as in endpoint names: `s3`, `secretsmanager`, `ecr.api`.
///
/// Source: PrivateLink guide, "Access AWS services through AWS PrivateLink" and "Gateway endpoints".
pub(crate) fn service_path(network: &Network, endpoints: &Endpoints, from: Option<&Endpoint>, service: &str) -> ServicePath {
    let Some(from) = from.filter(|from| from.vpc.is_some() || !from.subnets.is_empty()) else {
        let reasons = vec![network_reason("it runs outside any VPC and calls the service's public endpoint".to_owned(), None)];
        return ServicePath { verdict: Verdict::Yes, through: None, reasons };
    };
    let own =
        network.service_endpoints.iter().filter(|(_, endpoint)| endpoint.vpc == from.vpc && endpoint.service.as_deref() == Some(service));
    for (address, endpoint) in own {
        match endpoint.kind {
            EndpointKind::Gateway if served(network, from, endpoint) => return gateway(network, from, address, endpoint),
            // The service's name resolves to the endpoint: where that refuses, nothing else is tried.
            EndpointKind::Interface if endpoint.private_dns == Verdict::Yes => {
                return interface(network, endpoints, from, address, endpoint);
            }
            EndpointKind::Gateway | EndpointKind::Interface | EndpointKind::Other | EndpointKind::Unknown => {}
        }
    }
    over_the_internet(network, from, service)
}

fn served(network: &Network, from: &Endpoint, endpoint: &ServiceEndpoint) -> bool {
    from.subnets
        .iter()
        .filter_map(|subnet| network.subnets.get(subnet))
        .any(|subnet| network.table_of(subnet).is_some_and(|(table, _)| endpoint.tables.contains(table)))
}

fn gateway(network: &Network, from: &Endpoint, address: &Address, endpoint: &ServiceEndpoint) -> ServicePath {
    let (out, blocked) = out_on_tls(network, from);
    let mut reasons = vec![network_reason(format!("its route table leads to the gateway endpoint `{address}`"), endpoint.span)];
    reasons.extend(blocked.filter(|_| out == Verdict::No));
    ServicePath { verdict: out, through: Some(address.clone()), reasons }
}

fn interface(network: &Network, endpoints: &Endpoints, from: &Endpoint, address: &Address, endpoint: &ServiceEndpoint) -> ServicePath {
    let mut reasons = vec![network_reason(format!("the service's name resolves to the endpoint `{address}`"), endpoint.span)];
    let Some(target) = endpoints.get(address) else {
        return ServicePath { verdict: Verdict::Unknown, through: Some(address.clone()), reasons };
    };
    let decision = reaches(network, from, target, &Protocol::Tcp, Some(443));
    reasons.extend(decision.reasons);
    ServicePath { verdict: decision.verdict, through: Some(address.clone()), reasons }
}

fn over_the_internet(network: &Network, from: &Endpoint, service: &str) -> ServicePath {
    let stop = |text: String, span| ServicePath {
        verdict: Verdict::No,
        through: None,
        reasons: vec![Reason { kind: ReasonKind::Block, text, span }],
    };
    let mut best = Verdict::No;
    let mut reason = None;
    let mut span = None;
    let mut stranded = None;
    for (address, subnet) in from.subnets.iter().filter_map(|subnet| network.subnets.get_key_value(subnet)) {
        span = span.or(subnet.span);
        let Some((table, routes)) = network.table_of(subnet) else {
            best = best.or(if network.has_main_table(subnet) { Verdict::No } else { Verdict::Unknown });
            continue;
        };
        for route in routes.routes.iter().filter(|route| route.destination.is_none_or(|range| range.prefix_len() == 0)) {
            let v6 = route.destination.is_some_and(|range| range.addr().is_ipv6());
            let verdict = match route.target {
                // Names of services have IPv4 addresses unless the caller asks for a dual-stack endpoint.
                // Source: AWS general reference, "Dual stack endpoints".
                RouteTarget::OutboundOnly | RouteTarget::InternetGateway if v6 => {
                    if from.ipv6 {
                        Verdict::Unknown
                    } else {
                        continue;
                    }
                }
                RouteTarget::OutboundOnly => match route.via.as_ref().and_then(|nat| beyond_nat(network, nat)) {
                    Some((Verdict::No, why)) => {
                        stranded = stranded.or(Some(why));
                        Verdict::No
                    }
                    Some((verdict, _)) => verdict,
                    None => Verdict::Yes,
                },
                // Without a public address there is no way back through an internet gateway.
                RouteTarget::InternetGateway => from.public,
                RouteTarget::Private | RouteTarget::Beyond | RouteTarget::Appliance | RouteTarget::Unknown => Verdict::Unknown,
            };
            if verdict > best || reason.is_none() && verdict == best && verdict != Verdict::No {
                best = verdict;
                reason = Some(network_reason(format!("`{table}` leads `{address}` to the internet"), Some(route.span)));
            }
        }
        if routes.incomplete {
            best = best.or(Verdict::Unknown);
        }
    }
    if from.subnets.is_empty() || from.subnets.iter().any(|subnet| !network.subnets.contains_key(subnet)) {
        best = best.or(Verdict::Unknown);
    }
    if let Some((text, at)) = stranded.filter(|_| best == Verdict::No) {
        return stop(text, at);
    }
    if best == Verdict::No {
        return stop(format!("its subnets have no route to the internet, and its VPC has no endpoint for {service}"), span);
    }
    let (out, blocked) = out_on_tls(network, from);
    if out == Verdict::No {
        return ServicePath { verdict: Verdict::No, through: None, reasons: blocked.into_iter().collect() };
    }
    ServicePath { verdict: best.and(out), through: None, reasons: reason.into_iter().collect() }
}

/// What a NAT gateway of the plan gets to: it needs a way to an internet gateway of its own; `None`: it has none that could fail.
/// Source: VPC guide, "NAT gateway basics".
fn beyond_nat(network: &Network, nat: &Address) -> Option<(Verdict, (String, Option<Span>))> {
    let (address, subnet) = network.subnets.get_key_value(network.nats.get(nat)?.as_ref()?)?;
    let way = routed(network, address, subnet, false);
    Some((way.verdict, (format!("the NAT gateway `{nat}` gets nowhere: {}", way.reason.text), way.reason.span)))
}

/// Whether the caller's security groups let HTTPS out to public addresses or to a service's prefix list.
fn out_on_tls(network: &Network, from: &Endpoint) -> (Verdict, Option<Reason>) {
    if from.unfiltered || from.groups.is_empty() {
        return (if from.unfiltered || from.default_group { Verdict::Yes } else { Verdict::Unknown }, None);
    }
    let mut verdict = Verdict::No;
    for address in &from.groups {
        let Some(group) = network.groups.get(address) else {
            verdict = verdict.or(Verdict::Unknown);
            continue;
        };
        for rule in &group.egress {
            let peer = match &rule.peer {
                Peer::Range(range) => Verdict::known(range.prefix_len() == 0),
                Peer::PrefixList(list) if !network.prefix_lists.contains_key(list) => Verdict::Yes,
                Peer::PrefixList(_) | Peer::Unknown(_) => Verdict::Unknown,
                Peer::Network(_) | Peer::Group(_) | Peer::Itself => Verdict::No,
            };
            let covers = match rule.covers(&Protocol::Tcp, Some(443)) {
                Some(covers) => Verdict::known(covers),
                None => Verdict::Unknown,
            };
            verdict = verdict.or(peer.and(covers));
        }
    }
    let names: Vec<String> = from.groups.iter().map(|group| format!("`{group}`")).collect();
    let span = from.groups.first().and_then(|group| network.groups.get(group)).and_then(|group| group.span);
    let text = format!("no egress rule of {} lets HTTPS out to the service", names.join(" and "));
    (verdict, Some(Reason { kind: ReasonKind::Block, text, span }))
}
