//! To file systems that ask for no login: a host that reaches a mount target may mount them, whether or not anything in the plan says so.
//!
//! Functions and tasks mount only what their configuration names, which is an integration; hosts mount what they like.

use bartizan_model::{Address, Component, Confidence, Diagnostic, Kind, Reason, ReasonKind, Severity};

use super::grants::{Access, mounts};
use super::set::FlowSet;
use super::{Context, reason};
use crate::facts::document::Principal;
use crate::facts::endpoint::is_machine;
use crate::facts::network::Protocol;
use crate::facts::reachability::Pairs;
use crate::facts::verdict::Verdict;

/// Most hosts with a right to mount one file system that are drawn one by one.
const MAX_HOSTS: usize = 50;

/// Most hosts that only the network lets mount one file system, which are drawn: a handful are clients, a crowd is a network.
/// The fact `network_callers` lists more of them.
const MAX_BY_NETWORK: usize = 8;

/// Conditions that a mount through a mount target fulfils, whoever mounts. Source: EFS guide, "EFS condition keys for clients".
const OF_ANY_MOUNT: [&str; 2] = ["elasticfilesystem:accessedviamounttarget", "aws:securetransport"];

/// Adds flows from hosts to the file systems whose mount targets they reach.
pub(super) fn add(context: &Context<'_>, access: &Access<'_>, set: &mut FlowSet, diagnostics: &mut Vec<Diagnostic>) {
    let mut pairs = None;
    for (address, endpoint) in &context.endpoints {
        let Some(store) = context.index.component(address).filter(|store| store.kind != Kind::Supporting) else { continue };
        if !context.index.services.has_trait(store, "file_store") || endpoint.vpc.is_none() {
            continue;
        }
        let api = context.index.services.api(store);
        let Some(port) = api.port.filter(|_| api.authentication.as_deref() == Some("none")) else { continue };
        let pairs = pairs.get_or_insert_with(|| Pairs::new(&context.network, &context.endpoints));
        let everyone = admits_everyone(context, store);
        let mut hosts: Vec<(&Address, Vec<Reason>, Confidence)> = Vec::new();
        for callers in pairs.callers(address, &Protocol::Tcp, port).into_iter().filter(|callers| callers.decision.verdict == Verdict::Yes) {
            for host in callers.members.iter().filter(|host| mounts_at_will(context, host)) {
                let granted = mounts(context, access, host, address);
                let Some(mut why) = granted.clone().or_else(|| everyone.clone().map(|reason| vec![reason])) else { continue };
                why.extend(callers.decision.reasons.iter().cloned());
                hosts.push((host, why, if granted.is_some() { Confidence::Granted } else { Confidence::Reachable }));
            }
        }
        let mut skipped = 0;
        for (confidence, most) in [(Confidence::Granted, MAX_HOSTS), (Confidence::Reachable, MAX_BY_NETWORK)] {
            let alike = hosts.iter().filter(|(_, _, found)| *found == confidence).count();
            if alike > most {
                hosts.retain(|(_, _, found)| *found != confidence);
                skipped += alike;
            }
        }
        if skipped > 0 {
            let message = format!("{skipped} hosts reach `{address}` and may mount it; these flows are not drawn one by one");
            diagnostics.extend(store.span.map(|span| Diagnostic::new("flows/many-clients", Severity::Note, message, span)));
        }
        for (host, why, confidence) in hosts {
            set.add(context.to(host.clone(), address.clone(), confidence, why));
        }
    }
}

/// Whoever holds a machine may mount anything on it.
fn mounts_at_will(context: &Context<'_>, address: &Address) -> bool {
    context.index.component(address).is_some_and(|component| component.kind != Kind::Supporting && is_machine(component))
}

/// Why a file system takes whoever reaches it: it has no policy of its own, or one that lets everyone mount.
/// Source: EFS guide, "Using IAM to control file system data access", default file system policy.
fn admits_everyone(context: &Context<'_>, store: &Component) -> Option<Reason> {
    if store.settings.get("policy").is_none_or(|node| node.value.is_null()) {
        let text = "it has no policy of its own, and without one whoever reaches a mount target may mount it";
        return Some(reason(ReasonKind::Default, text, store.span));
    }
    let document = context.policies.get(&store.address)?.document.as_ref()?;
    let open = document.statements.iter().find(|statement| {
        statement.allow
            && statement.principals.iter().any(|principal| matches!(principal, Principal::Anyone(_)))
            && statement.covers_action("elasticfilesystem:ClientMount")
            && statement.conditions.iter().all(|condition| OF_ANY_MOUNT.contains(&condition.key.as_str()))
    })?;
    let text = "its policy lets everyone mount it who reaches a mount target";
    Some(reason(ReasonKind::Permission, text, Some(open.node.span)))
}
