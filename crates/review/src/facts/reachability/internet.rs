//! From the internet to one endpoint: address, route, Block Public Access, network ACL, security group.

use std::collections::BTreeSet;

use bartizan_model::{Address, Reason, ReasonKind, Span};
use ipnet::IpNet;

use super::super::endpoint::Endpoint;
use super::super::network::{Block, Group, Network, Peer, Protocol, RouteTable, RouteTarget, Rule, Subnet, covers_internet, is_private};
use super::super::verdict::Verdict;
use super::{acl, describe, network_reason, whole};

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
    /// Whether security groups and network ACLs let it through; never `No`.
    pub(crate) verdict: Verdict,
    /// The rule that opens it.
    pub(crate) reason: Reason,
}

/// Whether and where the internet comes in.
#[derive(Clone, Debug)]
pub(crate) struct FromInternet {
    /// The answer for at least one port and the whole internet.
    pub(crate) verdict: Verdict,
    /// Ports, sorted; also those open to a part of the internet only.
    pub(crate) openings: Vec<Opening>,
    /// Address and route, in the order of the checks.
    pub(crate) reasons: Vec<Reason>,
    /// What keeps the internet out, or is not known.
    pub(crate) because: Option<Reason>,
    /// The last check that was come to; of several refusals the one at the latest check is told.
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Address,
    Route,
    Filter,
}

/// What the security groups admit of the internet: an opening and the range that it is for.
struct Admitted {
    range: IpNet,
    opening: Opening,
}

/// Decides whether the internet reaches an endpoint, on which ports.
pub(crate) fn from_internet(network: &Network, endpoint: &Endpoint) -> FromInternet {
    let (admitted, unknown) = admitted(network, endpoint);
    let mut answer = in_family(network, endpoint, false, &admitted, unknown.as_ref());
    if endpoint.ipv6 {
        answer = better(answer, in_family(network, endpoint, true, &admitted, unknown.as_ref()));
    }
    let mut seen = BTreeSet::new();
    answer.openings.retain(|opening| {
        seen.insert((opening.protocol.clone(), opening.from_port, opening.to_port, opening.only, opening.reason.clone()))
    });
    answer.openings.sort_by_key(|opening| (opening.from_port, opening.to_port, opening.only, opening.reason.span));
    answer
}

/// Of two ways in the better one, with the openings of both.
fn better(one: FromInternet, other: FromInternet) -> FromInternet {
    let (mut best, rest) = if (other.verdict, other.stage) > (one.verdict, one.stage) { (other, one) } else { (one, other) };
    best.openings.extend(rest.openings);
    best
}

/// The answer for IPv4 or IPv6.
fn in_family(network: &Network, endpoint: &Endpoint, v6: bool, admitted: &[Admitted], unknown: Option<&Reason>) -> FromInternet {
    let (address, address_reason) = if v6 {
        (Verdict::Yes, Some(network_reason("it has an IPv6 address, and those are public".to_owned(), None)))
    } else {
        (endpoint.public, endpoint.public_reason.clone())
    };
    let closed = |because| FromInternet {
        verdict: Verdict::No,
        openings: Vec::new(),
        reasons: Vec::new(),
        because: Some(because),
        stage: Stage::Address,
    };
    if address == Verdict::No {
        return closed(address_reason.unwrap_or_else(|| network_reason("it has no public address".to_owned(), None)));
    }
    let mut ways: Vec<(Way, Option<&Address>)> = Vec::new();
    for subnet in &endpoint.subnets {
        let way = match network.subnets.get(subnet) {
            Some(known) => subnet_route(network, subnet, known, v6),
            None => Way::unknown(v6, network_reason(format!("the routes of `{subnet}` are not in the plan"), None)),
        };
        ways.push((way, Some(subnet)));
    }
    if ways.is_empty() {
        ways.push((Way::unknown(v6, network_reason("the subnets it lies in are not known".to_owned(), None)), None));
    }
    let mut answer: Option<FromInternet> = None;
    for (mut way, subnet) in ways {
        // Who asks for a public address in a subnet whose routes the plan does not show means it to be reached.
        if way.verdict == Verdict::Unknown && endpoint.public_stated && way.elsewhere {
            way.verdict = Verdict::Yes;
        }
        let found = through(network, endpoint, v6, &way, subnet, (address, address_reason.clone()), admitted, unknown);
        answer = Some(match answer {
            Some(known) => better(known, found),
            None => found,
        });
    }
    answer.unwrap_or_else(|| closed(network_reason("the subnets it lies in are not known".to_owned(), None)))
}

/// The answer for one way in: a subnet with its routes and network ACL.
#[expect(clippy::too_many_arguments, reason = "the parts of one decision, each from another step")]
fn through(
    network: &Network,
    endpoint: &Endpoint,
    v6: bool,
    way: &Way,
    subnet: Option<&Address>,
    (address, address_reason): (Verdict, Option<Reason>),
    admitted: &[Admitted],
    unknown: Option<&Reason>,
) -> FromInternet {
    let mut reasons: Vec<Reason> = address_reason.clone().into_iter().collect();
    if way.verdict == Verdict::No {
        let because = Some(way.reason.clone());
        return FromInternet { verdict: Verdict::No, openings: Vec::new(), reasons, because, stage: Stage::Route };
    }
    reasons.push(way.reason.clone());
    let acl = subnet.and_then(|subnet| network.subnets.get(subnet)).and_then(|subnet| network.acl_of(subnet));
    let mut openings = Vec::new();
    let mut said = None;
    for one in admitted.iter().filter(|one| one.range.addr().is_ipv4() != v6) {
        for routed in &way.ranges {
            let range = if one.range.contains(routed) {
                *routed
            } else if routed.contains(&one.range) {
                one.range
            } else {
                continue;
            };
            let opening = Opening { only: (!covers_internet(range)).then_some(range), ..one.opening.clone() };
            match acl {
                None => openings.push(opening),
                Some((name, acl)) => {
                    let (left, why) = acl::narrow(name, acl, &opening, range);
                    openings.extend(left);
                    said = said.or(why);
                }
            }
        }
    }
    let best = openings.iter().filter(|opening| opening.only.is_none()).map(|opening| opening.verdict).max();
    let said = said.map(|(text, span)| network_reason(text, span));
    let (filter, why) = match best {
        Some(Verdict::Yes) => (Verdict::Yes, None),
        Some(_) => (Verdict::Unknown, said),
        None => match unknown {
            Some(reason) => (Verdict::Unknown, Some(reason.clone())),
            None if !openings.is_empty() && !way.ranges.iter().any(|range| covers_internet(*range)) => {
                let routed: Vec<String> = way.ranges.iter().map(ToString::to_string).collect();
                let text = format!("only {} is routed to an internet gateway", routed.join(", "));
                (Verdict::No, Some(network_reason(text, way.reason.span)))
            }
            None => (Verdict::No, Some(said.unwrap_or_else(|| self::closed(network, endpoint)))),
        },
    };
    let verdict = address.and(way.verdict).and(filter);
    let because = match verdict {
        Verdict::Yes => None,
        Verdict::No => why,
        Verdict::Unknown if address == Verdict::Unknown => {
            address_reason.or_else(|| Some(network_reason("whether it has a public address is not known".to_owned(), None)))
        }
        Verdict::Unknown if way.verdict == Verdict::Unknown => Some(way.reason.clone()),
        Verdict::Unknown => why,
    };
    FromInternet { verdict, openings, reasons, because, stage: Stage::Filter }
}

/// How a subnet is joined to the internet in one address family.
pub(super) struct Way {
    /// Whether it is.
    pub(super) verdict: Verdict,
    /// The part of the internet that is routed.
    ranges: Vec<IpNet>,
    /// Why.
    pub(super) reason: Reason,
    /// True where the routes themselves are not in the plan, not just one of their parts.
    elsewhere: bool,
}

impl Way {
    fn unknown(v6: bool, reason: Reason) -> Self {
        Self { verdict: Verdict::Unknown, ranges: vec![whole(v6)], reason, elsewhere: true }
    }

    fn no(reason: Reason) -> Self {
        Self { verdict: Verdict::No, ranges: Vec::new(), reason, elsewhere: false }
    }
}

/// What Block Public Access says of a subnet: the block that holds for it, where one does or may.
fn block_of<'a>(network: &'a Network, subnet: &Subnet) -> Option<(Verdict, &'a Block)> {
    let vpc = subnet.vpc.as_ref().and_then(|vpc| network.vpcs.get(vpc));
    let elsewhere = |one: Option<&String>, other: Option<&String>| one.is_some() && other.is_some() && one != other;
    let holds = network.blocks.iter().filter(|block| {
        let (account, region) = vpc.map_or((None, None), |vpc| (vpc.account.as_ref(), vpc.region.as_ref()));
        !elsewhere(block.account.as_ref(), account) && !elsewhere(block.region.as_ref(), region)
    });
    let lifted = subnet.exclusion.unwrap_or(Verdict::No).or(vpc.and_then(|vpc| vpc.exclusion).unwrap_or(Verdict::No));
    let stays = match lifted {
        Verdict::Yes => return None,
        Verdict::Unknown => Verdict::Unknown,
        Verdict::No => Verdict::Yes,
    };
    holds
        .map(|block| (block.keeps_out.and(stays), block))
        .max_by_key(|(verdict, _)| *verdict)
        .filter(|(verdict, _)| *verdict != Verdict::No)
}

fn subnet_route(network: &Network, address: &Address, subnet: &Subnet, v6: bool) -> Way {
    let block = block_of(network, subnet);
    if let Some((Verdict::Yes, block)) = block {
        let text = format!("VPC Block Public Access (`{}`) keeps the internet out of the region's VPCs", block.address);
        return Way::no(network_reason(text, Some(block.span)));
    }
    let mut way = routed(network, address, subnet, v6);
    if let Some((_, block)) = block
        && way.verdict != Verdict::No
    {
        let text = format!("whether VPC Block Public Access (`{}`) keeps the internet out is not known", block.address);
        way = Way { verdict: Verdict::Unknown, reason: network_reason(text, Some(block.span)), elsewhere: false, ..way };
    }
    way
}

/// The part of the internet that a subnet's routes join it to.
pub(super) fn routed(network: &Network, address: &Address, subnet: &Subnet, v6: bool) -> Way {
    let Some((table, routes)) = network.table_of(subnet) else {
        if subnet.by_default && !v6 {
            let text = format!("`{address}` is a default subnet, which has a route to an internet gateway");
            let reason = Reason { kind: ReasonKind::Default, text, span: subnet.span };
            return Way { verdict: Verdict::Yes, ranges: vec![whole(v6)], reason, elsewhere: false };
        }
        if network.has_main_table(subnet) {
            let text = format!("`{address}` has no route table in the plan, and a VPC's main table has only the local route");
            return Way::no(network_reason(text, subnet.span));
        }
        return Way::unknown(v6, network_reason(format!("the route table of `{address}` is not in the plan"), subnet.span));
    };
    let mut ranges = Vec::new();
    let mut through: Option<Span> = None;
    let mut refused = None;
    let mut unknown = routes.incomplete.then(|| network_reason(format!("the routes of `{table}` are not all known"), subnet.span));
    for route in &routes.routes {
        let of_family = route.destination.is_none_or(|range| range.addr().is_ipv4() != v6);
        let wide = route.destination.is_none_or(covers_internet);
        if !of_family {
            continue;
        }
        match (route.target, route.destination) {
            (RouteTarget::InternetGateway, Some(range)) => {
                if let Some(text) = route.via.as_ref().and_then(|gateway| misplaced(network, gateway, subnet)) {
                    refused = refused.or(Some(network_reason(text, Some(route.span))));
                } else if !is_private(range) && !shadowed(routes, range) {
                    ranges.push(range);
                    through = through.or(Some(route.span));
                }
            }
            (RouteTarget::InternetGateway, None) => {
                let text = format!("which ranges `{table}` routes to an internet gateway is not known");
                unknown.get_or_insert_with(|| network_reason(text, Some(route.span)));
            }
            (RouteTarget::Unknown, _) if wide => {
                let text = format!("where `{table}` leads the default route to is not known");
                unknown.get_or_insert_with(|| network_reason(text, Some(route.span)));
            }
            // An appliance endpoint on the default route inspects what comes in through the gateway's own table.
            (RouteTarget::Appliance, Some(_)) if wide => {
                let name = route.via.as_ref().map_or_else(|| "an appliance".to_owned(), |via| format!("`{via}`"));
                let text = format!("`{table}` leads traffic of `{address}` through {name}, whose own rules decide");
                unknown.get_or_insert_with(|| network_reason(text, Some(route.span)));
            }
            (RouteTarget::OutboundOnly | RouteTarget::Private | RouteTarget::Beyond | RouteTarget::Appliance | RouteTarget::Unknown, _) => {
            }
        }
    }
    let all = ranges.iter().any(|range| covers_internet(*range));
    if all {
        ranges = vec![whole(v6)];
    }
    match (ranges.is_empty(), unknown) {
        (false, reason) if all || reason.is_none() => {
            let text = format!("`{table}` routes `{address}` to an internet gateway");
            Way { verdict: Verdict::Yes, ranges, reason: network_reason(text, through), elsewhere: false }
        }
        (_, Some(reason)) => Way { verdict: Verdict::Unknown, ranges: vec![whole(v6)], reason, elsewhere: routes.incomplete },
        (_, None) => Way::no(
            refused
                .unwrap_or_else(|| network_reason(format!("`{table}` has no route from `{address}` to an internet gateway"), subnet.span)),
        ),
    }
}

/// Why a route to an internet gateway leads nowhere: the gateway is attached to no VPC, or to another one.
fn misplaced(network: &Network, gateway: &Address, subnet: &Subnet) -> Option<String> {
    if network.detached.contains(gateway) {
        return Some(format!("the internet gateway `{gateway}` is attached to no VPC"));
    }
    let attached = network.gateways.get(gateway)?.as_ref()?;
    let own = subnet.vpc.as_ref()?;
    (attached != own).then(|| format!("the internet gateway `{gateway}` is attached to `{attached}`, not to `{own}`"))
}

/// True where more specific routes lead the whole of a range elsewhere. Source: VPC guide, "Route priority".
fn shadowed(routes: &RouteTable, range: IpNet) -> bool {
    let inner: Vec<IpNet> = routes
        .routes
        .iter()
        .filter(|route| route.target != RouteTarget::InternetGateway)
        .filter_map(|route| route.destination)
        .filter(|destination| range.contains(destination) && destination.prefix_len() > range.prefix_len())
        .collect();
    inner.len() > 1 && IpNet::aggregate(&inner).contains(&range)
}

/// Step 5: what the security groups admit from the internet, and the first rule of which it is not known.
fn admitted(network: &Network, endpoint: &Endpoint) -> (Vec<Admitted>, Option<Reason>) {
    if endpoint.unfiltered {
        let reason = network_reason("it has no security group, so nothing filters".to_owned(), None);
        let all = |v6| Admitted {
            range: whole(v6),
            opening: Opening {
                protocol: Protocol::Any,
                from_port: 0,
                to_port: u16::MAX,
                only: None,
                verdict: Verdict::Yes,
                reason: reason.clone(),
            },
        };
        return (vec![all(false), all(true)], None);
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
            add_admitted(network, address, group, rule, &mut found, &mut unknown);
        }
    }
    (found, unknown)
}

fn add_admitted(network: &Network, address: &Address, group: &Group, rule: &Rule, found: &mut Vec<Admitted>, unknown: &mut Option<Reason>) {
    let mut admit = |range: IpNet, unknown: &mut Option<Reason>| {
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
        found.push(Admitted {
            range,
            opening: Opening {
                protocol: rule.protocol.clone(),
                from_port,
                to_port,
                only: None,
                verdict: Verdict::Yes,
                reason: network_reason(text, Some(rule.span)),
            },
        });
    };
    match &rule.peer {
        Peer::Range(range) => admit(*range, unknown),
        // AWS-managed lists (CloudFront, S3 …), which no plan holds, are addresses of that service, not of everyone.
        Peer::PrefixList(list) => {
            if !network.prefix_lists.contains_key(list) && network.list_of_aws(list) == Verdict::Unknown {
                let text = format!("what the prefix list `{list}`, which `{address}` admits, holds is not in the plan");
                unknown.get_or_insert_with(|| network_reason(text, Some(rule.span)));
            }
            for entry in network.prefix_lists.get(list).into_iter().flatten() {
                match entry {
                    Some(range) => admit(*range, unknown),
                    None => {
                        let text = format!("an entry of the prefix list `{list}` that `{address}` admits is not known");
                        unknown.get_or_insert_with(|| network_reason(text, Some(rule.span)));
                    }
                }
            }
        }
        Peer::Group(_) | Peer::Itself | Peer::Network(_) => {}
        Peer::Unknown(why) => {
            unknown.get_or_insert_with(|| network_reason(format!("whom `{address}` admits is not known: {why}"), Some(rule.span)));
        }
    }
}

/// What keeps clients on the internet from an endpoint that they reach through something which passes on their addresses:
/// no security group of it admits public addresses on the port. `None`: one does, or it is not known.
pub(crate) fn admits_clients(network: &Network, endpoint: &Endpoint, protocol: &Protocol, port: Option<u16>) -> Option<Reason> {
    let (_, unknown) = admitted(network, endpoint);
    if unknown.is_some() || client_rule(network, endpoint, protocol, port).is_some() {
        return None;
    }
    let why = closed(network, endpoint);
    let text = format!("the balancer passes on the clients' own addresses, and {}", why.text);
    Some(Reason { kind: ReasonKind::Block, text, span: why.span })
}

/// The first rule that admits public addresses, of everyone or of some network, on a port.
pub(crate) fn client_rule(network: &Network, endpoint: &Endpoint, protocol: &Protocol, port: Option<u16>) -> Option<Reason> {
    let (admitted, _) = admitted(network, endpoint);
    let on_port = |one: &Admitted| {
        (one.opening.protocol == Protocol::Any || one.opening.protocol == *protocol)
            && port.is_none_or(|port| one.opening.from_port <= port && port <= one.opening.to_port)
    };
    admitted.into_iter().find(on_port).map(|one| one.opening.reason)
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
