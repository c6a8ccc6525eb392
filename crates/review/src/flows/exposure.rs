//! Who can reach each component, from the widest to the narrowest, with the reasons.

use std::collections::BTreeMap;

use bartizan_model::{Address, Component, Exposure, Kind, Reason, ReasonKind};

use super::set::FlowSet;
use super::{Context, is_active, reason};
use crate::facts::verdict::Verdict;

/// Exposure of every component that is drawn.
pub(super) fn exposure(context: &Context<'_>, set: &FlowSet) -> BTreeMap<Address, (Exposure, Vec<Reason>)> {
    let mut found: BTreeMap<Address, (Exposure, Vec<Reason>)> = BTreeMap::new();
    let mut widen = |address: &Address, exposure: Exposure, why: &[Reason]| {
        let entry = found.entry(address.clone()).or_insert_with(|| (exposure, Vec::new()));
        if exposure < entry.0 {
            *entry = (exposure, Vec::new());
        }
        if exposure == entry.0 {
            for reason in why {
                if !entry.1.contains(reason) {
                    entry.1.push(reason.clone());
                }
            }
        }
    };
    for flow in set.values().filter(|flow| is_active(flow)) {
        let from = flow.from.as_str();
        if from == "internet" || from == super::entities::ANYONE {
            widen(&flow.to, Exposure::Internet, &flow.why);
        } else if from.starts_with("aws:account/") {
            widen(&flow.to, Exposure::OtherAccounts, &flow.why);
        }
    }
    for component in context.index.architecture.components.values() {
        if component.kind == Kind::Supporting {
            // Keys, roles and registries without a shape of their own can still be open to everyone.
            if let Some(admits) = context.policies.get(&component.address)
                && !admits.public.is_empty()
                && admits.in_force == Verdict::Yes
            {
                let span = admits.public.values().next().copied();
                widen(&component.address, Exposure::Internet, &[reason(ReasonKind::Permission, "its policy admits everyone", span)]);
            }
            continue;
        }
        let (exposure, why) = inside(context, component);
        widen(&component.address, exposure, &why);
    }
    found
}

fn inside(context: &Context<'_>, component: &Component) -> (Exposure, Vec<Reason>) {
    if component.kind == Kind::ExternalEntity {
        return (Exposure::Internet, Vec::new());
    }
    if component.service == "kubernetes" {
        return (
            Exposure::Cluster,
            vec![reason(ReasonKind::Default, "pods of its cluster reach it unless a policy keeps them out", component.span)],
        );
    }
    if context.endpoints.contains_key(&component.address) {
        let why = context.from_internet.get(&component.address).and_then(|open| open.because.clone());
        return (Exposure::Vpc, why.into_iter().collect());
    }
    let api = context.index.services.api(component);
    if api.protocol.is_some() {
        return (
            Exposure::Account,
            vec![reason(ReasonKind::Default, "its API answers principals of the account whom IAM lets", component.span)],
        );
    }
    (Exposure::None, Vec::new())
}
