//! What joins VPCs: peering connections and transit gateways with their route tables.
//!
//! Kept per VPC and per pair that a peering names, never as pairs of everything that one gateway joins: a hub has hundreds of VPCs.

use std::collections::BTreeMap;

use bartizan_model::{Address, Architecture, Component, Node, Relation, Span, Value};
use ipnet::IpNet;

use super::read::{known_range, set};
use super::{Subnet, reference};
use crate::facts::read::{last, texts};
use crate::facts::verdict::Verdict;

/// Peerings and transit gateways.
#[derive(Debug, Default)]
pub(crate) struct Joins {
    /// Peering connections.
    peerings: BTreeMap<Address, Peering>,
    /// Peerings by the two VPCs they join, the lesser address first.
    by_pair: BTreeMap<(Address, Address), Vec<Address>>,
    /// Transit gateway attachments by their VPC.
    attachments: BTreeMap<Address, Vec<Attachment>>,
    /// Transit gateways of the plan.
    gateways: BTreeMap<Address, Gateway>,
    /// Route tables of transit gateways.
    tables: BTreeMap<Address, TransitTable>,
    /// Pairs of transit gateways that peer, in both directions.
    gateway_peers: Vec<(Address, Address)>,
}

/// A peering connection.
#[derive(Clone, Debug)]
pub(crate) struct Peering {
    /// Its address.
    pub(crate) address: Address,
    /// VPCs at its ends that the plan holds.
    ends: Vec<Address>,
    /// Whether the two ends lie in different regions.
    pub(crate) cross_region: Verdict,
    /// Where it is declared.
    pub(crate) span: Option<Span>,
}

/// A VPC's attachment to a transit gateway.
#[derive(Clone, Debug)]
pub(crate) struct Attachment {
    /// Its address.
    pub(crate) address: Address,
    /// The gateway: an address, or a literal id.
    pub(crate) gateway: Address,
    /// Whether security groups may be named across it; AWS's default is yes.
    pub(crate) references: Verdict,
    /// Whether it uses the gateway's default route table.
    default_association: Verdict,
    /// Whether it announces its ranges there.
    default_propagation: Verdict,
    /// Where it is declared.
    pub(crate) span: Option<Span>,
}

/// What the plan says of a transit gateway.
#[derive(Clone, Debug)]
struct Gateway {
    /// Whether security groups may be named across it; AWS's default is no.
    references: Verdict,
    default_association: Verdict,
    default_propagation: Verdict,
}

/// A route table of a transit gateway.
#[derive(Clone, Debug, Default)]
pub(crate) struct TransitTable {
    /// Attachments that look their routes up here.
    associations: Vec<Address>,
    /// Attachments that announce their ranges here.
    pub(crate) propagations: Vec<Address>,
    /// Static routes.
    pub(crate) routes: Vec<TransitRoute>,
    /// True when associations, propagations or routes are not all known.
    pub(crate) incomplete: bool,
    /// Where it is declared.
    pub(crate) span: Option<Span>,
}

/// A static route of a transit gateway.
#[derive(Clone, Debug)]
pub(crate) struct TransitRoute {
    /// Where to; `None`: not known.
    pub(crate) destination: Option<IpNet>,
    /// To which attachment; `None` for a black hole.
    pub(crate) attachment: Option<Address>,
    /// Where it is written.
    pub(crate) span: Span,
}

/// The route table that an attachment looks its routes up in.
pub(crate) enum Association<'a> {
    /// One that the plan holds.
    Table(&'a Address, &'a TransitTable),
    /// The gateway's default table, which every other attachment with default propagation announces itself to.
    Default,
    /// None: what comes in through the attachment goes nowhere.
    None,
    /// Not known.
    Unknown,
}

impl Joins {
    /// Takes in a component, if it is of one of the joining types.
    pub(super) fn add_component(&mut self, address: &Address, component: &Component) {
        match last(&component.component_type) {
            "peering_connection" => {
                let cross_region = match component.setting("peer_region") {
                    None => Verdict::No,
                    Some(node) => match (node.value.as_str(), &component.region) {
                        (Some(peer), Some(own)) => Verdict::known(peer.as_ref() != own.as_str()),
                        // A peer region is only named where it is another one.
                        (Some(_), None) => Verdict::Yes,
                        (None, _) => Verdict::Unknown,
                    },
                };
                let peering = Peering { address: address.clone(), ends: Vec::new(), cross_region, span: component.span };
                self.peerings.insert(address.clone(), peering);
            }
            "transit_gateway" => {
                let gateway = Gateway {
                    references: switch(component, "security_group_referencing_support", false),
                    default_association: switch(component, "default_route_table_association", true),
                    default_propagation: switch(component, "default_route_table_propagation", true),
                };
                self.gateways.insert(address.clone(), gateway);
            }
            "transit_gateway_route_table" => {
                let table = read_table(component);
                self.tables.insert(address.clone(), table);
            }
            _ => {}
        }
    }

    /// Follows the links between joints and VPCs; the joints are all there by now.
    pub(super) fn finish(&mut self, architecture: &Architecture, subnets: &BTreeMap<Address, Subnet>) {
        for link in &architecture.links {
            if matches!(link.relation, Relation::Flow(_) | Relation::Mentions) {
                continue;
            }
            for (joint, end) in [(&link.from, &link.to), (&link.to, &link.from)] {
                let (Some(component), Some(other)) = (architecture.component(joint), architecture.component(end)) else { continue };
                let vpc = match last(&other.component_type) {
                    "vpc" => Some(end.clone()),
                    "subnet" => subnets.get(end).and_then(|subnet| subnet.vpc.clone()),
                    _ => None,
                };
                match (last(&component.component_type), vpc) {
                    ("peering_connection", Some(vpc)) => {
                        if let Some(peering) = self.peerings.get_mut(joint)
                            && !peering.ends.contains(&vpc)
                        {
                            peering.ends.push(vpc);
                        }
                    }
                    ("transit_gateway_attachment", Some(vpc)) => self.attach(component, vpc),
                    ("transit_gateway_peering", None) if last(&other.component_type) == "transit_gateway" => {
                        let peer = component.setting("peer_transit_gateway_id").and_then(|node| reference(node.value.as_text()?).ok());
                        if let Some(peer) = peer.filter(|peer| peer != end) {
                            self.gateway_peers.push((end.clone(), peer.clone()));
                            self.gateway_peers.push((peer, end.clone()));
                        }
                    }
                    _ => {}
                }
            }
        }
        for (address, peering) in &mut self.peerings {
            peering.ends.sort();
            if let [one, other] = peering.ends.as_slice() {
                self.by_pair.entry((one.clone(), other.clone())).or_default().push(address.clone());
                // Each VPC's provider may name its region where the peering does not.
                let region = |vpc: &Address| architecture.component(vpc).and_then(|vpc| vpc.region.clone());
                if let (Some(one), Some(other)) = (region(one), region(other))
                    && one != other
                {
                    peering.cross_region = Verdict::Yes;
                }
            }
        }
        self.gateway_peers.sort();
        self.gateway_peers.dedup();
    }

    fn attach(&mut self, component: &Component, vpc: Address) {
        let Some(gateway) = component.setting("transit_gateway_id").and_then(|node| reference(node.value.as_text()?).ok()) else { return };
        let list = self.attachments.entry(vpc).or_default();
        if list.iter().any(|known| known.address == component.address) {
            return;
        }
        list.push(Attachment {
            address: component.address.clone(),
            gateway,
            references: switch(component, "security_group_referencing_support", true),
            default_association: switch(component, "transit_gateway_default_route_table_association", true),
            default_propagation: switch(component, "transit_gateway_default_route_table_propagation", true),
            span: component.span,
        });
    }

    /// Peerings between two VPCs.
    pub(crate) fn peerings(&self, one: &Address, other: &Address) -> impl Iterator<Item = &Peering> {
        let pair = if one <= other { (one.clone(), other.clone()) } else { (other.clone(), one.clone()) };
        self.by_pair.get(&pair).into_iter().flatten().filter_map(|address| self.peerings.get(address))
    }

    /// Attachments of a VPC to transit gateways.
    pub(crate) fn attachments(&self, vpc: &Address) -> &[Attachment] {
        self.attachments.get(vpc).map_or(&[], Vec::as_slice)
    }

    /// True where two transit gateways are the same or peer.
    pub(crate) fn gateways_peer(&self, one: &Address, other: &Address) -> bool {
        self.gateway_peers.binary_search(&(one.clone(), other.clone())).is_ok()
    }

    /// VPCs that a peering or a transit gateway may join to one, sorted.
    pub(crate) fn neighbours(&self, vpc: &Address) -> Vec<Address> {
        let mut found: Vec<Address> = Vec::new();
        for (one, other) in self.by_pair.keys() {
            if one == vpc {
                found.push(other.clone());
            } else if other == vpc {
                found.push(one.clone());
            }
        }
        for own in self.attachments(vpc) {
            for (other, attachments) in &self.attachments {
                let same = |other: &Attachment| other.gateway == own.gateway || self.gateways_peer(&own.gateway, &other.gateway);
                if other != vpc && attachments.iter().any(same) {
                    found.push(other.clone());
                }
            }
        }
        found.sort();
        found.dedup();
        found
    }

    /// Whether a gateway lets security groups be named across it; not known where it is not in the plan.
    pub(crate) fn gateway_references(&self, gateway: &Address) -> Verdict {
        self.gateways.get(gateway).map_or(Verdict::Unknown, |gateway| gateway.references)
    }

    /// The route table of an attachment: the associated one, else the gateway's default.
    pub(crate) fn association(&self, attachment: &Attachment) -> Association<'_> {
        let own = self.tables.iter().find(|(_, table)| table.associations.contains(&attachment.address));
        if let Some((address, table)) = own {
            return Association::Table(address, table);
        }
        let by_default = self
            .gateways
            .get(&attachment.gateway)
            .map_or(Verdict::Unknown, |gateway| gateway.default_association)
            .and(attachment.default_association);
        // An association that is not known may be this one's.
        let open = self.tables.values().any(|table| table.incomplete);
        match by_default {
            Verdict::Yes => Association::Default,
            Verdict::No if !open => Association::None,
            Verdict::No | Verdict::Unknown => Association::Unknown,
        }
    }

    /// Whether an attachment announces its ranges to the gateway's default table.
    pub(crate) fn propagates_by_default(&self, attachment: &Attachment) -> Verdict {
        let gateway = self.gateways.get(&attachment.gateway).map_or(Verdict::Unknown, |gateway| gateway.default_propagation);
        gateway.and(attachment.default_propagation)
    }
}

/// `enable` and `disable`, or a truth value.
fn switch(component: &Component, setting: &str, default: bool) -> Verdict {
    match component.setting(setting) {
        None => Verdict::known(default),
        Some(node) => match node.value.as_str().as_deref() {
            Some("enable") => Verdict::Yes,
            Some("disable") => Verdict::No,
            _ => node.value.as_bool().map_or(Verdict::Unknown, Verdict::known),
        },
    }
}

fn read_table(component: &Component) -> TransitTable {
    let mut table = TransitTable { span: component.span, ..TransitTable::default() };
    let attachments = |setting: &str, incomplete: &mut bool| -> Vec<Address> {
        let Some(node) = component.setting(setting) else { return Vec::new() };
        *incomplete |= node.value.is_unknown();
        texts(node).filter_map(|text| reference(text).map_err(|_| *incomplete = true).ok()).collect()
    };
    let mut incomplete = false;
    table.associations = attachments("associations", &mut incomplete);
    table.propagations = attachments("propagations", &mut incomplete);
    table.incomplete = incomplete;
    if let Some(node) = component.setting("routes") {
        read_transit_routes(node, &mut table);
    }
    table
}

fn read_transit_routes(node: &Node, table: &mut TransitTable) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| read_transit_routes(item, table)),
        Value::Map(_) => {
            let black_hole = node.get("blackhole").is_some_and(|node| node.value.as_bool() == Some(true));
            let attachment = set(node, "target").and_then(|node| reference(node.value.as_text()?).ok());
            table.routes.push(TransitRoute {
                destination: set(node, "destination").and_then(known_range),
                attachment: attachment.filter(|_| !black_hole),
                span: node.span,
            });
        }
        Value::Unknown(_) => table.incomplete = true,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
    }
}
