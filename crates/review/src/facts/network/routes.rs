//! Route tables: where traffic for a range goes, in the spellings that tables and single routes have.

use bartizan_model::{Address, Architecture, Node, Span, Text, Value};
use ipnet::IpNet;

use super::read::{known_range, set};
use super::rules::parse_range;
use crate::facts::read::{last, texts};

/// A route table.
#[derive(Debug, Default)]
pub(crate) struct RouteTable {
    /// Its routes; the local one is implied.
    pub(crate) routes: Vec<Route>,
    /// True when some of its routes are not known.
    pub(crate) incomplete: bool,
    /// The VPN gateway that adds routes of its own to it.
    pub(crate) learns_from: Option<Address>,
}

/// One route.
#[derive(Debug)]
pub(crate) struct Route {
    /// Where to; `None`: not known.
    pub(crate) destination: Option<IpNet>,
    /// The VPC or subnet whose range is the destination, where the source refers to it.
    pub(crate) network: Option<Address>,
    /// Through what kind of thing.
    pub(crate) target: RouteTarget,
    /// Through which component or literal id.
    pub(crate) via: Option<Address>,
    /// Where it is written.
    pub(crate) span: Span,
}

/// What a route leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RouteTarget {
    /// An internet gateway: both directions.
    InternetGateway,
    /// NAT or an egress-only gateway: out only.
    OutboundOnly,
    /// Another network of ours: peering, transit gateway, private NAT.
    Private,
    /// What is behind a VPN, Direct Connect, a core network or an Outpost, which the plan does not hold.
    Beyond,
    /// A gateway endpoint or appliance endpoint, network interface or the like.
    Appliance,
    /// Not known.
    Unknown,
}

impl RouteTable {
    /// The most specific route for the whole of a range. Source: VPC guide, "Route priority".
    pub(crate) fn best(&self, range: IpNet) -> Option<&Route> {
        let covering = self.routes.iter().filter(|route| route.destination.is_some_and(|destination| destination.contains(&range)));
        covering.max_by_key(|route| route.destination.map_or(0, |destination| destination.prefix_len()))
    }
}

/// Reads the routes of a table as collected from its own blocks and from single routes.
pub(super) fn read_routes(architecture: &Architecture, node: &Node, table: &mut RouteTable) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| read_routes(architecture, item, table)),
        Value::Map(_) => read_route(architecture, node, table),
        Value::Unknown(_) => table.incomplete = true,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
    }
}

fn read_route(architecture: &Architecture, node: &Node, table: &mut RouteTable) {
    let (Some(destination), Some(target)) = (set(node, "destination"), set(node, "target")) else { return };
    let via = target.value.as_text().and_then(|text| super::reference(text).ok());
    let target = route_target(architecture, target);
    let route = |destination, network| Route { destination, network, target, via: via.clone(), span: node.span };
    if let Some(range) = known_range(destination) {
        table.routes.push(route(Some(range), None));
        return;
    }
    let lists: Vec<&Text> = texts(destination).filter(|text| is_list(text)).collect();
    if lists.is_empty() {
        let network = destination.value.as_text().and_then(|text| text.as_reference()).map(|(address, _)| Address::new(address));
        table.routes.push(route(None, network));
        return;
    }
    // A prefix list is a set of ranges; those of AWS services are not in the plan and never the whole internet.
    for list in lists {
        let component = list.references().next().and_then(|(address, _)| architecture.component(&Address::new(address)));
        for entry in component.and_then(|list| list.setting("entries")).into_iter().flat_map(texts) {
            table.routes.push(route(entry.known().and_then(|known| parse_range(&known)), None));
        }
    }
}

fn is_list(text: &Text) -> bool {
    text.known().is_some_and(|known| known.starts_with("pl-")) || text.references().any(|(address, _)| address.contains("prefix_list"))
}

/// One attribute names internet, virtual private and other gateways alike: the component it refers to or the id's prefix tells which.
fn route_target(architecture: &Architecture, node: &Node) -> RouteTarget {
    let Some(text) = node.value.as_text() else { return RouteTarget::Unknown };
    if let Some((address, _)) = text.references().next() {
        let target = architecture.component(&Address::new(address));
        // A private NAT gateway leads to other networks of ours. Source: VPC guide, "NAT gateways".
        if target
            .is_some_and(|nat| last(&nat.component_type) == "nat_gateway" && nat.text("connectivity_type").as_deref() == Some("private"))
        {
            return RouteTarget::Private;
        }
        let kind = target.map_or(address, |component| last(&component.component_type));
        // Order matters: the address of an unread resource may hold several of the words.
        return [
            ("egress_only", RouteTarget::OutboundOnly),
            ("nat_gateway", RouteTarget::OutboundOnly),
            ("internet_gateway", RouteTarget::InternetGateway),
            ("carrier_gateway", RouteTarget::InternetGateway),
            ("vpn_gateway", RouteTarget::Beyond),
            ("transit_gateway", RouteTarget::Private),
            ("peering", RouteTarget::Private),
            ("local_gateway", RouteTarget::Beyond),
            ("core_network", RouteTarget::Beyond),
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
        ("vgw-", RouteTarget::Beyond),
        ("tgw-", RouteTarget::Private),
        ("pcx-", RouteTarget::Private),
        ("lgw-", RouteTarget::Beyond),
        ("arn:aws:networkmanager", RouteTarget::Beyond),
        ("local", RouteTarget::Private),
        ("vpce-", RouteTarget::Appliance),
        ("eni-", RouteTarget::Appliance),
        ("cagw-", RouteTarget::InternetGateway),
    ]
    .into_iter()
    .find(|(prefix, _)| known.starts_with(prefix))
    .map_or(RouteTarget::Unknown, |(_, target)| target)
}
