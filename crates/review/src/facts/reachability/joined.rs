//! The way between two endpoints: the local route of their VPC, a peering or a transit gateway, with the routes of both sides.

use bartizan_model::{Address, Reason, ReasonKind, Span};
use ipnet::IpNet;

use super::super::endpoint::Endpoint;
use super::super::network::{Attachment, Network, Peering, RouteTarget, TransitTable};
use super::super::verdict::Verdict;
use super::joined_transit::transit;
use super::network_reason;

/// A way that packets take, or the best of those they do not.
#[derive(Clone, Debug)]
pub(super) struct Passage {
    /// Whether it leads there and back.
    pub(super) verdict: Verdict,
    /// What leads there, is not known, or blocks.
    pub(super) reasons: Vec<Reason>,
    /// Whether a rule that names a security group counts for what comes this way, and why not.
    pub(super) references: (Verdict, String),
}

/// Most subnets of each side that are followed one by one.
const MAX_SUBNETS: usize = 8;

pub(super) fn blocked(text: String, span: Option<Span>) -> Passage {
    Passage {
        verdict: Verdict::No,
        reasons: vec![Reason { kind: ReasonKind::Block, text, span }],
        references: (Verdict::No, String::new()),
    }
}

/// Finds the best way between two endpoints.
pub(super) fn passage(network: &Network, a: &Endpoint, b: &Endpoint) -> Passage {
    let (Some(one), Some(other)) = (&a.vpc, &b.vpc) else {
        return Passage {
            verdict: Verdict::Unknown,
            reasons: vec![network_reason("the VPC of one of the two is not known".to_owned(), None)],
            references: (Verdict::Unknown, String::new()),
        };
    };
    if one == other {
        return local(network, a, b);
    }
    let mut best: Option<Passage> = None;
    let mut consider = |found: Passage| {
        if best.as_ref().is_none_or(|best| found.verdict > best.verdict) {
            best = Some(found);
        }
    };
    for peering in network.joins.peerings(one, other) {
        consider(peered(network, a, b, peering));
    }
    for own in network.joins.attachments(one) {
        for theirs in network.joins.attachments(other) {
            if own.gateway == theirs.gateway {
                consider(transit(network, a, b, own, theirs));
            } else if network.joins.gateways_peer(&own.gateway, &theirs.gateway) {
                let text = format!("`{}` and `{}` peer; their routes to each other are not followed", own.gateway, theirs.gateway);
                consider(Passage {
                    verdict: Verdict::Unknown,
                    reasons: vec![network_reason(text, own.span)],
                    references: (Verdict::No, "security groups do not count between peered transit gateways".to_owned()),
                });
            }
        }
    }
    if best.as_ref().is_none_or(|best| best.verdict == Verdict::No)
        && let Some(reason) = beyond(network, a, b).zip(beyond(network, b, a)).map(|(there, _)| there)
    {
        return Passage {
            verdict: Verdict::Unknown,
            reasons: vec![reason],
            references: (Verdict::No, "security groups of other VPCs do not count for what comes from behind a VPN".to_owned()),
        };
    }
    best.unwrap_or_else(|| blocked(apart(network, one, other), None))
}

/// A route of one endpoint to the other through a VPN gateway, Direct Connect or a core network; whether that joins the two is elsewhere.
fn beyond(network: &Network, from: &Endpoint, to: &Endpoint) -> Option<Reason> {
    let targets: Vec<IpNet> = to.subnets.iter().filter_map(|subnet| network.subnets.get(subnet)?.range).take(MAX_SUBNETS).collect();
    for subnet in from.subnets.iter().filter_map(|subnet| network.subnets.get(subnet)).take(MAX_SUBNETS) {
        let Some((table, routes)) = network.table_of(subnet) else { continue };
        let mut found = targets.iter().filter_map(|target| routes.best(*target));
        let route = found.find(|route| route.target == RouteTarget::Beyond);
        let via = route.map(|route| route.via.clone()).or_else(|| routes.learns_from.clone().map(Some));
        if let Some(via) = via {
            let name = via.map_or_else(|| "a gateway".to_owned(), |via| format!("`{via}`"));
            let text = format!("`{table}` leads to {name}; what is behind it is not in the plan");
            return Some(network_reason(text, route.map(|route| route.span)));
        }
    }
    None
}

/// What to say of two VPCs that nothing joins; a third one between them does not, for peering is not transitive.
/// Source: VPC peering guide, "Unsupported VPC peering configurations".
fn apart(network: &Network, one: &Address, other: &Address) -> String {
    let theirs = network.joins.neighbours(other);
    let between = network.joins.neighbours(one).into_iter().find(|middle| theirs.binary_search(middle).is_ok());
    match between {
        Some(middle) => format!("`{one}` and `{other}` are different VPCs; both are joined to `{middle}`, but peering is not transitive"),
        None => format!("`{one}` and `{other}` are different VPCs that nothing in the plan joins"),
    }
}

/// Inside a VPC the local route always holds; a more specific one may lead through an appliance.
fn local(network: &Network, a: &Endpoint, b: &Endpoint) -> Passage {
    let free = Passage { verdict: Verdict::Yes, reasons: Vec::new(), references: (Verdict::Yes, String::new()) };
    let targets: Vec<IpNet> = b.subnets.iter().filter_map(|subnet| network.subnets.get(subnet)?.range).take(MAX_SUBNETS).collect();
    let vpc = a.vpc.as_ref().and_then(|vpc| network.vpcs.get(vpc));
    for subnet in a.subnets.iter().filter_map(|subnet| network.subnets.get(subnet)).take(MAX_SUBNETS) {
        let Some((table, routes)) = network.table_of(subnet) else { continue };
        for target in &targets {
            let Some(route) = routes.best(*target) else { continue };
            let inside =
                route.destination.is_some_and(|destination| vpc.is_some_and(|vpc| vpc.ranges.iter().any(|own| own.contains(&destination))));
            if inside && matches!(route.target, RouteTarget::Appliance | RouteTarget::Unknown) {
                let name = route.via.as_ref().map_or_else(|| "an appliance".to_owned(), |via| format!("`{via}`"));
                let text = format!("`{table}` leads traffic for {target} through {name}, whose own rules decide");
                return Passage {
                    verdict: Verdict::Unknown,
                    reasons: vec![network_reason(text, Some(route.span))],
                    references: (Verdict::No, format!("security groups do not count for what comes through {name}")),
                };
            }
        }
    }
    free
}

/// Over a peering: both sides route to each other. Source: VPC peering guide, "Update your route tables".
fn peered(network: &Network, a: &Endpoint, b: &Endpoint, peering: &Peering) -> Passage {
    let references = match peering.cross_region {
        Verdict::No => (Verdict::Yes, String::new()),
        Verdict::Unknown => (Verdict::Unknown, format!("whether `{}` stays in one region is not known", peering.address)),
        // Source: VPC peering guide, "Update your security groups to reference peer security groups".
        Verdict::Yes => {
            (Verdict::No, format!("`{}` crosses regions, where security groups of the other side do not count", peering.address))
        }
    };
    let (verdict, reason) = there_and_back(network, a, b, &peering.address);
    Passage { verdict, reasons: vec![reason.unwrap_or_else(|| joined_by(&peering.address, peering.span))], references }
}

pub(super) fn joined_by(address: &Address, span: Option<Span>) -> Reason {
    network_reason(format!("`{address}` joins the two VPCs, and both route to each other"), span)
}

/// Whether some subnet of each side routes to the other through a joint; else what is missing.
pub(super) fn there_and_back(network: &Network, a: &Endpoint, b: &Endpoint, via: &Address) -> (Verdict, Option<Reason>) {
    if a.subnets.is_empty() || b.subnets.is_empty() {
        let text = format!("`{via}` joins the two VPCs; the subnets of one of the two are not known");
        return (Verdict::Unknown, Some(network_reason(text, None)));
    }
    let mut best: Option<(Verdict, Option<Reason>)> = None;
    for from in a.subnets.iter().take(MAX_SUBNETS) {
        for to in b.subnets.iter().take(MAX_SUBNETS) {
            let there = leads(network, from, to, via);
            let back = leads(network, to, from, via);
            let verdict = there.0.and(back.0);
            let reason = if there.0 == verdict { there.1 } else { back.1 };
            if best.as_ref().is_none_or(|(known, _)| verdict > *known) {
                best = Some((verdict, reason.filter(|_| verdict != Verdict::Yes)));
            }
        }
    }
    best.unwrap_or((Verdict::Unknown, None))
}

/// Whether a subnet's routes lead to another subnet through a joint.
fn leads(network: &Network, from: &Address, to: &Address, via: &Address) -> (Verdict, Option<Reason>) {
    let (Some(source), Some(target)) = (network.subnets.get(from), network.subnets.get(to)) else {
        return (Verdict::Unknown, Some(network_reason(format!("the routes between `{from}` and `{to}` are not in the plan"), None)));
    };
    let stop = |text: String, span| (Verdict::No, Some(Reason { kind: ReasonKind::Block, text, span }));
    let Some((table, routes)) = network.table_of(source) else {
        if network.has_main_table(source) {
            return stop(format!("`{from}` has no route table in the plan, so no route to `{to}` through `{via}`"), source.span);
        }
        return (Verdict::Unknown, Some(network_reason(format!("the route table of `{from}` is not in the plan"), source.span)));
    };
    let own = |address: &Address| address == to || target.vpc.as_ref() == Some(address);
    let through = |route: &&super::super::network::Route| route.via.as_ref() == Some(via);
    // The source may refer to the other side's range although its numbers are not known.
    if routes.routes.iter().filter(through).any(|route| route.network.as_ref().is_some_and(own)) {
        return (Verdict::Yes, None);
    }
    let unknown = |span| {
        let text = format!("whether `{table}` routes to `{to}` through `{via}` is not known");
        (Verdict::Unknown, Some(network_reason(text, span)))
    };
    if let Some(route) = target.range.and_then(|range| routes.best(range)) {
        if through(&route) {
            return (Verdict::Yes, None);
        }
        if route.target == RouteTarget::Unknown && route.via.is_none() {
            return unknown(Some(route.span));
        }
    }
    let open = routes.routes.iter().filter(through).find(|route| target.range.is_none() || route.destination.is_none());
    match open {
        Some(route) => unknown(Some(route.span)),
        None if routes.incomplete => unknown(source.span),
        None => {
            let span = network.tables.get(table).and_then(|table| table.routes.first()).map(|route| route.span).or(source.span);
            stop(format!("`{table}` has no route from `{from}` to `{to}` through `{via}`"), span)
        }
    }
}

/// Whether a transit gateway's table leads to an attachment that serves a range; shared by both directions.
pub(super) fn table_leads(
    network: &Network,
    (address, table): (&Address, &TransitTable),
    target: &Endpoint,
    attachment: &Attachment,
) -> (Verdict, Option<Reason>) {
    let ranges: Vec<IpNet> = target.subnets.iter().filter_map(|subnet| network.subnets.get(subnet)?.range).collect();
    let mut verdict = Verdict::No;
    let mut span = table.span;
    for range in &ranges {
        let covering = table.routes.iter().filter(|route| route.destination.is_some_and(|destination| destination.contains(range)));
        let Some(route) = covering.max_by_key(|route| route.destination.map_or(0, |destination| destination.prefix_len())) else {
            continue;
        };
        // A static route goes before a propagated one of the same length; a longer one before both.
        match &route.attachment {
            Some(to) if *to == attachment.address => return (Verdict::Yes, None),
            Some(to) => {
                if route.destination.is_some_and(|destination| destination.prefix_len() > 0)
                    || !table.propagations.contains(&attachment.address)
                {
                    let text = format!("`{address}` leads traffic for {range} to `{to}`, not to `{}`", attachment.address);
                    return (Verdict::No, Some(Reason { kind: ReasonKind::Block, text, span: Some(route.span) }));
                }
            }
            None => {
                let text = format!("`{address}` drops traffic for {range} (black hole)");
                return (Verdict::No, Some(Reason { kind: ReasonKind::Block, text, span: Some(route.span) }));
            }
        }
    }
    if table.propagations.contains(&attachment.address) {
        return (Verdict::Yes, None);
    }
    let unknown_route = table
        .routes
        .iter()
        .find(|route| route.attachment.as_ref() == Some(&attachment.address) && (route.destination.is_none() || ranges.is_empty()));
    if let Some(route) = unknown_route {
        verdict = Verdict::Unknown;
        span = Some(route.span);
    } else if table.incomplete {
        verdict = Verdict::Unknown;
    }
    let reason = if verdict == Verdict::Unknown {
        network_reason(format!("whether `{address}` has a route to `{}` is not known", attachment.address), span)
    } else {
        let text = format!("`{address}` has no route to `{}`: it is neither propagated nor static", attachment.address);
        Reason { kind: ReasonKind::Block, text, span }
    };
    (verdict, Some(reason))
}
