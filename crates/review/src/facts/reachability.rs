//! Who reaches whom on the network: internet to component and component to component, three-valued and with reasons.
//!
//! Step 2 of the review. The order of the checks is that of a packet: address, route, Block Public Access, network ACL, security group.
//! It decides; `flows` draws.

use bartizan_model::{Address, Reason, ReasonKind};
use ipnet::IpNet;

use super::endpoint::Endpoint;
use super::network::{Acl, AclRule, Group, Network, Peer, Protocol, RouteTarget, Rule, Subnet, covers_internet, is_private};
use super::verdict::Verdict;

mod pair;

pub(crate) use pair::reaches;

/// A range of ports that the internet, or a part of it, is admitted to.
#[derive(Clone, Debug)]
pub(crate) struct Opening {
    /// Protocol.
    pub(crate) protocol: Protocol,
    /// First port.
    pub(crate) from_port: u16,
    /// Last port.
    pub(crate) to_port: u16,
    /// The part of the internet, where it is not all of it.
    pub(crate) only: Option<IpNet>,
    /// The rule that opens it.
    pub(crate) reason: Reason,
}

/// Whether and where the internet comes in.
#[derive(Clone, Debug, Default)]
pub(crate) struct FromInternet {
    /// The answer for at least one port and the whole internet.
    pub(crate) verdict: Verdict,
    /// Ports, sorted; also those open to a part of the internet only.
    pub(crate) openings: Vec<Opening>,
    /// Address and route, in the order of the checks.
    pub(crate) reasons: Vec<Reason>,
    /// What keeps the internet out, or is not known.
    pub(crate) because: Option<Reason>,
}

/// Decides whether the internet reaches an endpoint, on which ports.
pub(crate) fn from_internet(network: &Network, endpoint: &Endpoint) -> FromInternet {
    let (verdict, reasons, because) = public_path(network, endpoint);
    if verdict == Verdict::No {
        return FromInternet { verdict, openings: Vec::new(), reasons, because };
    }
    let (openings, unknown) = openings(network, endpoint);
    let openings = through_acls(network, endpoint, openings);
    let whole = openings.iter().any(|opening| opening.only.is_none());
    let (filter, why) = if whole {
        (Verdict::Yes, None)
    } else if let Some(reason) = unknown {
        (Verdict::Unknown, Some(reason))
    } else {
        (Verdict::No, Some(closed(network, endpoint)))
    };
    let answer = verdict.and(filter);
    let because = match answer {
        Verdict::Yes => None,
        Verdict::No => why,
        Verdict::Unknown => because.or(why),
    };
    FromInternet { verdict: answer, openings, reasons, because }
}

fn network_reason(text: String, span: Option<bartizan_model::Span>) -> Reason {
    Reason { kind: ReasonKind::Network, text, span }
}

/// Steps 1 to 3: a public address, a route from the internet, no Block Public Access.
fn public_path(network: &Network, endpoint: &Endpoint) -> (Verdict, Vec<Reason>, Option<Reason>) {
    let mut reasons = Vec::new();
    if endpoint.public == Verdict::No && !endpoint.ipv6 {
        let because = endpoint.public_reason.clone().unwrap_or_else(|| network_reason("it has no public address".to_owned(), None));
        return (Verdict::No, reasons, Some(because));
    }
    reasons.extend(endpoint.public_reason.clone());
    let mut best = (Verdict::No, None);
    for address in &endpoint.subnets {
        let (verdict, reason) = match network.subnets.get(address) {
            Some(subnet) => subnet_route(network, address, subnet, endpoint),
            None => (Verdict::Unknown, network_reason(format!("the routes of `{address}` are not in the plan"), None)),
        };
        if best.1.is_none() || verdict > best.0 {
            best = (verdict, Some(reason));
        }
    }
    let (route, reason) = match best {
        (verdict, Some(reason)) => (verdict, reason),
        (_, None) => (Verdict::Unknown, network_reason("the subnets it lies in are not known".to_owned(), None)),
    };
    // Who asks for a public address in a subnet whose routes the plan does not show means it to be reached.
    let route = if route == Verdict::Unknown && endpoint.public_stated { Verdict::Yes } else { route };
    if route == Verdict::No {
        return (Verdict::No, reasons, Some(reason));
    }
    reasons.push(reason.clone());
    let public = if endpoint.ipv6 { Verdict::Yes } else { endpoint.public };
    let verdict = public.and(route);
    let because = if public == Verdict::Unknown {
        endpoint.public_reason.clone().or_else(|| Some(network_reason("whether it has a public address is not known".to_owned(), None)))
    } else if route == Verdict::Unknown {
        Some(reason)
    } else {
        None
    };
    (verdict, reasons, because)
}

fn subnet_route(network: &Network, address: &Address, subnet: &Subnet, endpoint: &Endpoint) -> (Verdict, Reason) {
    if let Some(span) = network.public_access_block {
        let excluded =
            subnet.block_excluded || subnet.vpc.as_ref().and_then(|vpc| network.vpcs.get(vpc)).is_some_and(|vpc| vpc.block_excluded);
        if !excluded {
            return (
                Verdict::No,
                network_reason("VPC Block Public Access keeps the internet out of the region's VPCs".to_owned(), Some(span)),
            );
        }
    }
    let Some((table, routes)) = network.table_of(subnet) else {
        if subnet.vpc.as_ref().is_some_and(|vpc| network.vpcs.contains_key(vpc)) {
            let text = format!("`{address}` has no route table in the plan, and a VPC's main table has only the local route");
            return (Verdict::No, network_reason(text, subnet.span));
        }
        return (Verdict::Unknown, network_reason(format!("the route table of `{address}` is not in the plan"), subnet.span));
    };
    let mut unknown = routes.incomplete;
    for route in &routes.routes {
        let wide = match route.destination {
            Some(IpNet::V4(v4)) => endpoint.public != Verdict::No && covers_internet(IpNet::V4(v4)),
            Some(IpNet::V6(v6)) => endpoint.ipv6 && covers_internet(IpNet::V6(v6)),
            None => false,
        };
        match route.target {
            RouteTarget::InternetGateway if wide => {
                return (Verdict::Yes, network_reason(format!("`{table}` routes `{address}` to an internet gateway"), Some(route.span)));
            }
            RouteTarget::Unknown if wide || route.destination.is_none() => unknown = true,
            // An appliance endpoint on the default route inspects what comes in through the gateway's own table.
            RouteTarget::Appliance if wide => unknown = true,
            RouteTarget::InternetGateway => unknown |= route.destination.is_none(),
            RouteTarget::OutboundOnly | RouteTarget::Private | RouteTarget::Appliance | RouteTarget::Unknown => {}
        }
    }
    if unknown {
        (Verdict::Unknown, network_reason(format!("the routes of `{table}` are not all known"), subnet.span))
    } else {
        (Verdict::No, network_reason(format!("`{table}` has no route from `{address}` to an internet gateway"), subnet.span))
    }
}

/// Step 5: what the security groups admit from the internet, and the first rule of which it is not known.
fn openings(network: &Network, endpoint: &Endpoint) -> (Vec<Opening>, Option<Reason>) {
    if endpoint.unfiltered {
        let reason = network_reason("a network load balancer without security groups filters nothing".to_owned(), None);
        let opening = Opening { protocol: Protocol::Any, from_port: 0, to_port: u16::MAX, only: None, reason };
        return (vec![opening], None);
    }
    let mut found = Vec::new();
    let mut unknown = None;
    if endpoint.groups.is_empty() && !endpoint.default_group {
        unknown = Some(network_reason("its security groups are not known".to_owned(), None));
    }
    for address in &endpoint.groups {
        let Some(group) = network.groups.get(address) else {
            unknown.get_or_insert_with(|| network_reason(format!("the rules of `{address}` are not in the plan"), None));
            continue;
        };
        for rule in &group.ingress {
            add_opening(network, address, group, rule, &mut found, &mut unknown);
        }
    }
    (found, unknown)
}

fn add_opening(network: &Network, address: &Address, group: &Group, rule: &Rule, found: &mut Vec<Opening>, unknown: &mut Option<Reason>) {
    let mut admit = |range: IpNet| {
        if is_private(range) {
            return;
        }
        let own = group.vpc.as_ref().and_then(|vpc| network.vpcs.get(vpc));
        if own.is_some_and(|vpc| vpc.ranges.iter().any(|own| own.contains(&range))) {
            return;
        }
        let (Some(from_port), Some(to_port)) = (rule.from_port, rule.to_port) else {
            unknown.get_or_insert_with(|| network_reason(format!("a rule of `{address}` has ports that are not known"), Some(rule.span)));
            return;
        };
        let text = format!("`{address}` admits {range} to {}", rule.ports_in_words());
        found.push(Opening {
            protocol: rule.protocol.clone(),
            from_port,
            to_port,
            only: (!covers_internet(range)).then_some(range),
            reason: network_reason(text, Some(rule.span)),
        });
    };
    match &rule.peer {
        Peer::Range(range) => admit(*range),
        // AWS-managed lists (CloudFront, S3 …), which no plan holds, are addresses of that service, not of everyone.
        Peer::PrefixList(list) => {
            if let Some(entries) = network.prefix_lists.get(list) {
                entries.iter().flatten().for_each(|range| admit(*range));
            }
        }
        Peer::Group(_) | Peer::Itself => {}
        Peer::Unknown(why) => {
            unknown.get_or_insert_with(|| network_reason(format!("whom `{address}` admits is not known: {why}"), Some(rule.span)));
        }
    }
}

/// Step 4: keeps the openings that at least one subnet's network ACL lets through, in and back out.
fn through_acls(network: &Network, endpoint: &Endpoint, openings: Vec<Opening>) -> Vec<Opening> {
    let acls: Vec<Option<&Acl>> = endpoint
        .subnets
        .iter()
        .filter_map(|subnet| network.subnets.get(subnet))
        .map(|subnet| network.acl_of(subnet).map(|(_, acl)| acl))
        .collect();
    if acls.is_empty() || acls.iter().any(Option::is_none) {
        return openings;
    }
    let passes = |opening: &Opening| {
        acls.iter().flatten().any(|acl| {
            let peer = |range: IpNet| opening.only.map_or_else(|| covers_internet(range), |only| range.contains(&only));
            let port = (opening.from_port == opening.to_port).then_some(opening.from_port);
            acl_allows(&acl.ingress, &opening.protocol, port, &peer) != Verdict::No
                && acl_allows_replies(&acl.egress, &opening.protocol, &peer) != Verdict::No
        })
    };
    openings.into_iter().filter(|opening| passes(opening)).collect()
}

/// First match wins; a rule for a part of the peer does not decide for the rest, and a denial of one port not for a range.
/// Source: AWS VPC guide, "Network ACL rules".
fn acl_allows(rules: &[AclRule], protocol: &Protocol, port: Option<u16>, peer: &dyn Fn(IpNet) -> bool) -> Verdict {
    for entry in rules {
        let whole_peer = match &entry.rule.peer {
            Peer::Range(range) if peer(*range) => true,
            Peer::Range(_) => false,
            Peer::Group(_) | Peer::Itself | Peer::PrefixList(_) | Peer::Unknown(_) => return Verdict::Unknown,
        };
        if !whole_peer {
            continue;
        }
        let narrow = port.is_none() && !(entry.rule.from_port == Some(0) && entry.rule.to_port == Some(u16::MAX));
        match (entry.rule.covers(protocol, port), entry.allow) {
            (Some(false), _) => {}
            (Some(true), Some(true)) => return Verdict::Yes,
            (Some(true), Some(false)) if narrow => {}
            (Some(true), Some(false)) => return Verdict::No,
            (None, _) | (_, None) => return Verdict::Unknown,
        }
    }
    // The implied last rule denies.
    Verdict::No
}

/// Replies leave from a high port (1024–65535); some of them must be let out.
fn acl_allows_replies(rules: &[AclRule], protocol: &Protocol, peer: &dyn Fn(IpNet) -> bool) -> Verdict {
    // Clients use the upper half of the range on every common system; a rule that allows any of it lets replies out.
    [49152, 32768, 1024].into_iter().map(|port| acl_allows(rules, protocol, Some(port), peer)).max().unwrap_or(Verdict::No)
}

/// What to say where no rule admits the internet.
fn closed(network: &Network, endpoint: &Endpoint) -> Reason {
    let Some(address) = endpoint.groups.first() else {
        return network_reason("the VPC's default security group holds, which admits only its own members".to_owned(), None);
    };
    let names: Vec<String> = endpoint.groups.iter().map(|group| format!("`{group}`")).collect();
    let admits: Vec<String> = endpoint
        .groups
        .iter()
        .filter_map(|group| network.groups.get(group))
        .flat_map(|group| &group.ingress)
        .map(describe)
        .take(4)
        .collect();
    let what = if admits.is_empty() { "nobody".to_owned() } else { format!("only {}", admits.join(", ")) };
    let verb = if names.len() == 1 { "admits" } else { "admit" };
    network_reason(format!("{} {verb} {what}", names.join(" and ")), network.groups.get(address).and_then(|group| group.span))
}

/// A rule in words: `tcp 22 from 0.0.0.0/0`.
pub(crate) fn describe(rule: &Rule) -> String {
    let peer = match &rule.peer {
        Peer::Range(range) => range.to_string(),
        Peer::Group(group) => format!("members of `{group}`"),
        Peer::Itself => "its own members".to_owned(),
        Peer::PrefixList(list) => format!("the prefix list `{list}`"),
        Peer::Unknown(_) => "addresses that are not known".to_owned(),
    };
    format!("{} from {peer}", rule.ports_in_words())
}
