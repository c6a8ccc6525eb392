//! Facts about ways through the network: by what outsiders come in, who in the network gets to a store, how calls to AWS services leave.

use std::collections::BTreeSet;

use bartizan_model::{Address, Reason};

use super::network::Protocol;
use super::reachability::{Pairs, entries, service_path};
use super::sink::Sink;
use super::verdict::Verdict;
use crate::flows::set::FlowSet;
use crate::flows::{Context, vpn_leads};

/// Most callers that are listed of one component.
const MAX_CALLERS: usize = 50;

/// Sets `entered_by`, `network_callers` and `calls_through`.
pub(super) fn add(context: &Context<'_>, set: &FlowSet, sink: &mut Sink) {
    for (address, ways) in entries(context, set) {
        for way in ways.iter().filter(|way| way.verdict == Verdict::Yes && way.from == Address::internet()) {
            sink.push_text(&address, "entered_by", way.by.as_str(), decisive(&way.reasons));
        }
    }
    callers(context, sink);
    services(context, sink);
}

fn decisive(reasons: &[Reason]) -> Option<bartizan_model::Span> {
    reasons.iter().rev().find_map(|reason| reason.span)
}

/// Stores with a port of their own: who in their networks gets to it.
fn callers(context: &Context<'_>, sink: &mut Sink) {
    let pairs = Pairs::new(&context.network, &context.endpoints);
    for address in context.endpoints.keys() {
        let Some(component) = context.index.component(address) else { continue };
        if !context.index.services.has_any(component, &["database", "cache", "search", "stream", "queue", "file_store", "warehouse"]) {
            continue;
        }
        let Some(port) = context.index.services.api(component).port else { continue };
        let mut listed: BTreeSet<&Address> = BTreeSet::new();
        for callers in pairs.callers(address, &Protocol::Tcp, port).into_iter().filter(|callers| callers.decision.verdict == Verdict::Yes) {
            let span = decisive(&callers.decision.reasons);
            for member in callers.members {
                let calls = context.index.component(member).is_some_and(|caller| {
                    context.index.services.has_any(caller, &["compute", "build"]) || vpn_leads(context, member, address)
                });
                if calls && *member != address && listed.len() < MAX_CALLERS && listed.insert(member) {
                    sink.push_text(address, "network_callers", member.as_str(), span);
                }
            }
        }
    }
}

/// VPC endpoints through which a component's calls to AWS services go.
fn services(context: &Context<'_>, sink: &mut Sink) {
    let names: BTreeSet<&str> = context.network.service_endpoints.values().filter_map(|endpoint| endpoint.service.as_deref()).collect();
    if names.is_empty() {
        return;
    }
    for (address, endpoint) in &context.endpoints {
        let calls =
            context.index.component(address).is_some_and(|component| context.index.services.has_any(component, &["compute", "build"]));
        if !calls {
            continue;
        }
        for name in &names {
            let path = service_path(&context.network, &context.endpoints, Some(endpoint), name);
            if let Some(through) = path.through.filter(|_| path.verdict != Verdict::No) {
                let policy = context.network.service_endpoints.get(&through).and_then(|endpoint| endpoint.policy.as_ref());
                let span = policy.map(|node| node.span).or_else(|| decisive(&path.reasons));
                sink.push_text(address, "calls_through", through.as_str(), span);
            }
        }
    }
}
