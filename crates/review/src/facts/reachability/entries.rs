//! How outsiders come to each component: by itself, or through what stands before it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bartizan_model::{Address, Component, Flow, Reason};

use super::super::endpoint::is_balancer;
use super::super::verdict::Verdict;
use crate::flows::set::FlowSet;
use crate::flows::{Context, is_active};

/// One way in from outside.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Who comes: the internet, or a network that is a part of it.
    pub(crate) from: Address,
    /// What outsiders talk to: the component itself, or the balancer, gateway or distribution before it.
    pub(crate) by: Address,
    /// Port on which the component is called in the end, by the outsider or by what stands before it; `None`: not one port, or not known.
    pub(crate) port: Option<u16>,
    /// Lower-case protocol of that call.
    #[allow(dead_code, reason = "part of the contract with the attack graph")]
    pub(crate) protocol: String,
    /// How callers prove themselves on the way; `None`: not known, or they need not.
    pub(crate) authentication: Option<String>,
    /// `Yes`, or `Unknown` where the plan does not tell.
    pub(crate) verdict: Verdict,
    /// Every reason on the way, outermost first, with spans.
    pub(crate) reasons: Vec<Reason>,
}

/// Most ways in that are kept for one component.
const MAX_ENTRIES: usize = 16;

/// Ways in from the internet and from networks that are parts of it, by component; linear in the flows.
///
/// What forwards (balancers, gateways, distributions, accelerators) carries outsiders on to where its active flows lead; compute does not:
/// that a host calls a database does not let its callers do so.
pub(crate) fn entries(context: &Context<'_>, set: &FlowSet) -> BTreeMap<Address, Vec<Entry>> {
    let mut by_source: BTreeMap<&Address, Vec<&Flow>> = BTreeMap::new();
    for flow in set.values().filter(|flow| is_active(flow)) {
        by_source.entry(&flow.from).or_default().push(flow);
    }
    let mut found: BTreeMap<Address, Vec<Entry>> = BTreeMap::new();
    let mut queue: VecDeque<(Address, Entry)> = VecDeque::new();
    for (from, flows) in by_source.iter().filter(|(from, _)| is_outside(from)) {
        for flow in flows {
            let entry = Entry {
                from: (*from).clone(),
                by: flow.to.clone(),
                port: flow.port,
                protocol: flow.protocol.clone(),
                authentication: proof(flow),
                verdict: Verdict::Yes,
                reasons: flow.why.clone(),
            };
            queue.push_back((flow.to.clone(), entry));
        }
    }
    let mut seen: BTreeSet<(Address, Address, Address, Option<u16>)> = BTreeSet::new();
    while let Some((at, entry)) = queue.pop_front() {
        let Some(component) = context.index.component(&at) else { continue };
        if !seen.insert((at.clone(), entry.from.clone(), entry.by.clone(), entry.port)) {
            continue;
        }
        let known = found.entry(at.clone()).or_default();
        if known.len() >= MAX_ENTRIES {
            continue;
        }
        known.push(entry.clone());
        if !forwards(context, component) {
            continue;
        }
        for flow in by_source.get(&at).into_iter().flatten() {
            let mut reasons = entry.reasons.clone();
            reasons.extend(flow.why.iter().cloned());
            let next = Entry {
                port: flow.port,
                protocol: flow.protocol.clone(),
                authentication: entry.authentication.clone().or_else(|| proof(flow)),
                reasons,
                ..entry.clone()
            };
            queue.push_back((flow.to.clone(), next));
        }
    }
    undecided(context, &mut found);
    found
}

/// Endpoints of which the plan does not tell whether the internet reaches them.
fn undecided(context: &Context<'_>, found: &mut BTreeMap<Address, Vec<Entry>>) {
    for (address, open) in context.from_internet.iter().filter(|(_, open)| open.verdict == Verdict::Unknown) {
        if found.contains_key(address) || context.endpoints.get(address).is_some_and(|endpoint| endpoint.no_inbound) {
            continue;
        }
        let mut reasons = open.reasons.clone();
        reasons.extend(open.because.clone());
        let entry = Entry {
            from: Address::internet(),
            by: address.clone(),
            port: None,
            protocol: "unknown".to_owned(),
            authentication: None,
            verdict: Verdict::Unknown,
            reasons,
        };
        found.insert(address.clone(), vec![entry]);
    }
}

fn is_outside(address: &Address) -> bool {
    *address == Address::internet() || address.as_str().starts_with("network:")
}

fn proof(flow: &Flow) -> Option<String> {
    flow.authentication.clone().filter(|kind| kind != "none")
}

/// What passes on what it is asked.
fn forwards(context: &Context<'_>, component: &Component) -> bool {
    // Whoever comes in by a VPN is known, and no outsider.
    if component.component_type == "vpc.client_vpn_endpoint" {
        return false;
    }
    is_balancer(component)
        || component.component_type == "cloudfront.vpc_origin"
        || context.index.services.has_any(component, &["load_balancer", "edge", "api"])
            && !context.index.services.has_any(component, &["compute", "database"])
}
