//! Who reaches whom on the network: internet to component and component to component, three-valued and with reasons.
//!
//! Step 2 of the review. The order of the checks is that of a packet: address, route, Block Public Access, network ACL, security group.
//! It decides; `flows` draws, and the attack graph walks.
//!
//! # Contract
//!
//! - [`from_internet`] answers for one network endpoint by itself. `Yes`: some port is open to the whole internet. `Unknown`: something the
//!   plan does not tell decides, and `because` names it (a variable, a group elsewhere). `No`: `because` is the element that blocks, the
//!   one that a packet meets last of those that could have let it through. `openings` lists ports, also those open to a part of the
//!   internet only (`only`), which leave the verdict `No`; each has a verdict of its own.
//! - [`reaches`] answers for a pair of endpoints, one protocol and port. `No`: the last reason is of kind `Block` and names the element.
//!   It asks nothing of either side's software: what listens is the caller's question.
//! - [`entries()`] answers for every component how outsiders come to it: by itself, or through a balancer, gateway or distribution before it.
//! - [`Pairs`] lists who reaches an endpoint without asking every pair: candidates come from the rules of its security groups, and
//!   endpoints that lie and are guarded alike are decided once.
//! - [`service_path`] answers how an endpoint calls an AWS service: through which VPC endpoint (whose policy and `aws:SourceVpce` then hold),
//!   over the internet, or not at all.
//!
//! Reasons carry the span of the rule, route or setting that decides; a reason without one states a default.

use bartizan_model::{Reason, ReasonKind, Span};
use ipnet::IpNet;

use super::network::{Peer, Rule};

mod acl;
mod entries;
mod internet;
mod joined;
mod joined_transit;
mod pair;
mod pairs;
mod pods;
mod service;
#[cfg(test)]
mod tests;

pub(crate) use entries::entries;
pub(crate) use internet::{FromInternet, Opening, admits_clients, client_rule, from_internet};
pub(crate) use pair::reaches;
pub(crate) use pairs::Pairs;
pub(crate) use pods::{is_workload, pod_reaches};
pub(crate) use service::service_path;

fn network_reason(text: String, span: Option<Span>) -> Reason {
    Reason { kind: ReasonKind::Network, text, span }
}

fn whole(v6: bool) -> IpNet {
    if v6 { IpNet::V6(ipnet::Ipv6Net::default()) } else { IpNet::V4(ipnet::Ipv4Net::default()) }
}

/// A rule in words: `tcp 22 from 0.0.0.0/0`.
pub(crate) fn describe(rule: &Rule) -> String {
    let peer = match &rule.peer {
        Peer::Range(range) => range.to_string(),
        Peer::Network(network) => format!("the range of `{network}`"),
        Peer::Group(group) => format!("members of `{group}`"),
        Peer::Itself => "its own members".to_owned(),
        Peer::PrefixList(list) => format!("the prefix list `{list}`"),
        Peer::Unknown(_) => "addresses that are not known".to_owned(),
    };
    format!("{} from {peer}", rule.ports_in_words())
}
