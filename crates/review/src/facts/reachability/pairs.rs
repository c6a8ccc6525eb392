//! Who reaches an endpoint, without asking every pair.
//!
//! Candidates come from the rules of the target's own groups: members of a group that a rule names, or what lies in VPCs from which a range
//! may come. Callers whose packets no rule can tell apart (same place, same egress, same groups among those that some rule names) are one
//! caller, decided once: a thousand hosts that each carry a group of their own are a handful.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::Address;

use super::super::endpoint::{Endpoint, Endpoints};
use super::super::network::{Group, Network, Peer, Protocol};
use super::super::verdict::Verdict;
use super::pair::{Decision, reaches};

/// All endpoints of a plan, ready to be asked who reaches one.
pub(crate) struct Pairs<'a> {
    network: &'a Network,
    endpoints: &'a Endpoints,
    callers: Vec<Caller<'a>>,
    by_group: BTreeMap<&'a Address, Vec<usize>>,
    by_vpc: BTreeMap<&'a Address, Vec<usize>>,
}

/// Endpoints that no rule can tell apart when they call.
struct Caller<'a> {
    endpoint: &'a Endpoint,
    members: Vec<&'a Address>,
}

/// Some that reach an endpoint.
#[derive(Debug)]
pub(crate) struct Callers<'p> {
    /// Their addresses, sorted; the target itself may be among them.
    pub(crate) members: &'p [&'p Address],
    /// Whether and why they all reach it; never `No`.
    pub(crate) decision: Decision,
}

impl<'a> Pairs<'a> {
    /// Sorts the endpoints; n log n.
    pub(crate) fn new(network: &'a Network, endpoints: &'a Endpoints) -> Self {
        let mut named: BTreeSet<&Address> = BTreeSet::new();
        for (owner, group) in &network.groups {
            for rule in group.ingress.iter().chain(&group.egress) {
                match &rule.peer {
                    Peer::Group(group) => {
                        named.insert(group);
                    }
                    Peer::Itself => {
                        named.insert(owner);
                    }
                    Peer::Range(_) | Peer::Network(_) | Peer::PrefixList(_) | Peer::Unknown(_) => {}
                }
            }
        }
        let mut alike: BTreeMap<String, usize> = BTreeMap::new();
        let mut pairs = Self { network, endpoints, callers: Vec::new(), by_group: BTreeMap::new(), by_vpc: BTreeMap::new() };
        for (address, endpoint) in endpoints {
            let place = *alike.entry(kind_of_caller(network, endpoint, &named)).or_insert(pairs.callers.len());
            match pairs.callers.get_mut(place) {
                Some(caller) => caller.members.push(address),
                None => pairs.callers.push(Caller { endpoint, members: vec![address] }),
            }
        }
        for (place, caller) in pairs.callers.iter().enumerate() {
            for group in &caller.endpoint.groups {
                pairs.by_group.entry(group).or_default().push(place);
            }
            if let Some(vpc) = &caller.endpoint.vpc {
                pairs.by_vpc.entry(vpc).or_default().push(place);
            }
        }
        pairs
    }

    /// Who reaches an endpoint on a port, for certain or maybe. Endpoints whose VPC is not known are left out: nothing can be said of them.
    pub(crate) fn callers(&self, to: &Address, protocol: &Protocol, port: u16) -> Vec<Callers<'_>> {
        let Some(target) = self.endpoints.get(to).filter(|target| !target.no_inbound) else { return Vec::new() };
        let mut places: BTreeSet<usize> = BTreeSet::new();
        let mut anyone = target.unfiltered || target.groups.is_empty();
        for owner in &target.groups {
            let Some(group) = self.network.groups.get(owner) else {
                anyone = true;
                continue;
            };
            for rule in group.ingress.iter().filter(|rule| rule.covers(protocol, Some(port)) != Some(false)) {
                match &rule.peer {
                    Peer::Group(named) => places.extend(self.by_group.get(named).into_iter().flatten()),
                    Peer::Itself => places.extend(self.by_group.get(owner).into_iter().flatten()),
                    Peer::Range(_) | Peer::Network(_) | Peer::PrefixList(_) | Peer::Unknown(_) => anyone = true,
                }
            }
        }
        if anyone && let Some(vpc) = &target.vpc {
            for near in self.network.joins.neighbours(vpc).iter().chain([vpc]) {
                places.extend(self.by_vpc.get(near).into_iter().flatten());
            }
        }
        let mut found = Vec::new();
        for caller in places.into_iter().filter_map(|place| self.callers.get(place)) {
            let decision = reaches(self.network, caller.endpoint, target, protocol, Some(port));
            if decision.verdict != Verdict::No {
                found.push(Callers { members: &caller.members, decision });
            }
        }
        found
    }
}

/// What of an endpoint a decision about its calls can depend on.
fn kind_of_caller(network: &Network, endpoint: &Endpoint, named: &BTreeSet<&Address>) -> String {
    let groups: Vec<&Address> =
        endpoint.groups.iter().filter(|group| named.contains(group) || !network.groups.contains_key(*group)).collect();
    let egress = |group: &Group| -> Vec<String> {
        group.egress.iter().map(|rule| format!("{:?} {:?} {:?} {:?}", rule.protocol, rule.from_port, rule.to_port, rule.peer)).collect()
    };
    let mut out: Vec<String> = endpoint.groups.iter().filter_map(|group| network.groups.get(group)).flat_map(egress).collect();
    out.sort();
    out.dedup();
    format!(
        "{:?} {:?} {:?} {} {} {} {out:?}",
        endpoint.vpc,
        endpoint.subnets,
        groups,
        endpoint.groups.is_empty(),
        endpoint.default_group,
        endpoint.unfiltered
    )
}
