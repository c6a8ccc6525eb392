//! Flows that configuration text hints at: environment variables, user data and container definitions that name another component.
//!
//! A mention alone is no flow: the caller's role must grant access, or the network must let it through.
//! Security group rules that name the caller's own group are such a hint too.

use std::collections::BTreeMap;

use bartizan_model::{Address, Component, Confidence, Diagnostic, Kind, Link, Reason, ReasonKind, Relation, Severity, Span};

use super::grants::Access;
use super::policies::account_of;
use super::set::{FlowSet, Found};
use super::tunnels::vpn_leads;
use super::{Context, lattice, reason};
use crate::facts::document::patterns;
use crate::facts::network::{Peer, Protocol};
use crate::facts::reachability::reaches;
use crate::facts::verdict::Verdict;

/// Most members of a security group for which a rule that names it counts as a hint; more, and it is a network, not a client.
const MAX_MEMBERS: usize = 50;

/// Adds flows from mentions and from security group rules.
pub(super) fn add(context: &Context<'_>, access: &Access<'_>, set: &mut FlowSet, diagnostics: &mut Vec<Diagnostic>) {
    for link in &context.index.architecture.links {
        if link.relation != Relation::Mentions {
            continue;
        }
        let (from, to) = (context.index.drawn(&link.from), context.index.drawn(&link.to));
        for from in speakers(context, &from) {
            if context.network.service_endpoints.contains_key(&to) {
                private_link(context, &from, &to, link, set);
            } else if from != to {
                mention(context, access, &from, &to, link, set);
            }
        }
    }
    by_groups(context, set, diagnostics);
}

/// Who speaks through a text: the compute that has it, or that a launch template or task definition configures.
/// A secret that holds a host name, or an alarm that names a queue, calls nobody.
fn speakers(context: &Context<'_>, address: &Address) -> Vec<Address> {
    let calls = |address: &Address| {
        context.index.component(address).is_some_and(|component| {
            component.service == "kubernetes"
                || context.index.services.has_any(component, &["compute", "build", "workflow", "query_engine", "api", "edge"])
        })
    };
    context.index.users(address).into_iter().filter(calls).collect()
}

fn mention(context: &Context<'_>, access: &Access<'_>, from: &Address, to: &Address, link: &Link, set: &mut FlowSet) {
    let Some(target) = context.index.component(to) else { return };
    if target.kind == Kind::Supporting || context.index.services.has_any(target, &["log", "alarm"]) {
        return;
    }
    // The queue or stream that triggers a function is often in its environment too: one flow is enough.
    if context.index.services.has_any(target, &["queue", "stream", "topic"]) && set.has_active(to, from) && !may_write(access, from, to) {
        return;
    }
    let named = if link.attribute.is_empty() { "its configuration".to_owned() } else { format!("`{}`", link.attribute) };
    let mut why = vec![reason(ReasonKind::Reference, format!("{named} names it"), link.span)];
    let api = context.index.services.api(target);
    let by_iam = api.authentication.as_deref() == Some("iam");
    let mut confidence = Confidence::Reachable;
    if by_iam {
        match granted(context, access, from, target) {
            Verdict::Yes => confidence = Confidence::Granted,
            Verdict::No => return,
            Verdict::Unknown => why.push(reason(ReasonKind::Permission, "whether its role grants access is not known", None)),
        }
    }
    let port = api.port;
    why.extend(on_the_network(context, from, to, port));
    if let (None, Some(b)) = (context.endpoints.get(from), context.endpoints.get(to))
        && !by_iam
        && b.vpc.is_some()
        && outside(context, from)
        && !is_public(context, to)
    {
        why.push(reason(
            ReasonKind::Block,
            "the caller runs outside any VPC, and the target has only private addresses",
            context.index.component(from).and_then(|component| component.span),
        ));
    }
    if lattice::is_service(target) {
        why.extend(lattice::apart(context, from, target));
    }
    let mut found = context.to(from.clone(), to.clone(), confidence, why);
    if lattice::is_service(target) {
        found.authentication = Some(lattice::authentication(context, target).to_owned());
    }
    if found.protocol.is_none() {
        found.protocol = Some("tcp".to_owned());
    }
    set.add(found);
}

/// What the network says of a call to a target's own interface.
pub(super) fn on_the_network(context: &Context<'_>, from: &Address, to: &Address, port: Option<u16>) -> Vec<Reason> {
    let (Some(a), Some(b)) = (context.endpoints.get(from), context.endpoints.get(to)) else { return Vec::new() };
    // What is called through AWS's API is not called on its network interface.
    if b.no_inbound || a.vpc.is_none() || b.vpc.is_none() {
        return Vec::new();
    }
    let decision = reaches(&context.network, a, b, &Protocol::Tcp, port);
    if decision.verdict == Verdict::No && is_public(context, to) {
        return vec![reason(ReasonKind::Network, "it is reached by its public address", None)];
    }
    decision.reasons
}

/// A VPC endpoint that leads to a service which the plan itself offers: the caller reaches the balancer behind it.
/// Source: PrivateLink guide, "Share your services through AWS PrivateLink".
fn private_link(context: &Context<'_>, from: &Address, endpoint: &Address, link: &Link, set: &mut FlowSet) {
    let Some(offered) = context.network.service_endpoints.get(endpoint).and_then(|known| known.offered.as_ref()) else { return };
    let Some(service) = context.index.component(offered) else { return };
    let accepted = context.index.component(endpoint).is_some_and(|component| component.flag("auto_accept") == Some(true));
    for balancer in context.index.follow(offered, "fronts") {
        let mut why = vec![
            reason(ReasonKind::Reference, format!("`{}` names the endpoint `{endpoint}`", link.attribute), link.span),
            reason(ReasonKind::Network, format!("`{endpoint}` leads to `{offered}`, which offers `{}`", balancer.address), service.span),
        ];
        why.extend(not_offered(context.index.component(endpoint), service));
        if service.flag("acceptance_required") == Some(true) && !accepted {
            why.push(reason(
                ReasonKind::Network,
                "its owner has to accept the connection",
                service.setting("acceptance_required").map(|node| node.span),
            ));
        }
        for listener in super::balancers::listeners(context, balancer) {
            let Some(port) = listener.port else { continue };
            let mut why = why.clone();
            why.extend(super::integrations::check(context, from, endpoint, Some(port)));
            set.add(Found {
                from: from.clone(),
                to: balancer.address.clone(),
                protocol: Some(listener.protocol.clone()),
                port: Some(port),
                encrypted: super::integrations::encrypted_by_name(Some(&listener.protocol)),
                authentication: Some("none".to_owned()),
                confidence: Confidence::Reachable,
                why,
            });
        }
    }
}

/// What keeps an endpoint in another account from a service: nobody there is among its allowed principals.
/// Source: PrivateLink guide, "Manage permissions" of endpoint services.
fn not_offered(endpoint: Option<&Component>, service: &Component) -> Option<Reason> {
    let (consumer, provider) = (endpoint?.account.as_deref()?, service.account.as_deref()?);
    let node = service.settings.get("allowed_principals");
    if consumer == provider || node.is_some_and(|node| node.value.is_unknown()) {
        return None;
    }
    let allowed: Vec<String> = node.map(patterns).unwrap_or_default();
    let admits = |principal: &String| principal.contains('*') || account_of(principal).is_none_or(|account| account == consumer);
    if allowed.iter().any(admits) {
        return None;
    }
    let text = format!("`{}` lets no principal of account {consumer} connect (allowed_principals)", service.address);
    Some(reason(ReasonKind::Block, text, node.map(|node| node.span).or(service.span)))
}

fn is_public(context: &Context<'_>, address: &Address) -> bool {
    context.from_internet.get(address).is_some_and(|open| open.verdict == Verdict::Yes)
}

/// A function without a VPC: it has no network interface of ours.
fn outside(context: &Context<'_>, address: &Address) -> bool {
    context.index.component(address).is_some_and(|component| {
        component.component_type == "lambda.function" && component.settings.get("vpc_subnet_ids").is_none_or(|node| node.value.is_null())
    })
}

fn may_write(access: &Access<'_>, from: &Address, to: &Address) -> bool {
    let roles = access.roles.get(from).into_iter().flatten();
    roles.filter_map(|(role, _)| access.grants.get(*role)).any(|grants| {
        grants.components.get(to).is_some_and(|granted| {
            granted.actions.keys().any(|action| {
                let lower = action.to_ascii_lowercase();
                lower.contains("send") || lower.contains("put") || lower.contains("publish") || lower.ends_with(":*")
            })
        })
    })
}

/// Whether the caller's roles grant access to a target; not known where a role or policy is not in the plan.
fn granted(context: &Context<'_>, access: &Access<'_>, from: &Address, target: &Component) -> Verdict {
    let Some(roles) = access.roles.get(from).filter(|roles| !roles.is_empty()) else { return Verdict::Unknown };
    let mut verdict = Verdict::No;
    for (role, _) in roles {
        // What a module that is not at hand attaches to its role is not known.
        if context.index.component(role).is_some_and(|component| component.source_type == "module") {
            return Verdict::Unknown;
        }
        let Some(grants) = access.grants.get(*role) else { return Verdict::Unknown };
        let prefixes = context.index.services.prefixes(target);
        let service = grants.services.keys().any(|prefix| prefix == "*" || prefixes.contains(prefix));
        let named = grants.components.keys().any(|address| context.index.drawn(address) == target.address);
        let own = Verdict::known(service || named);
        let complete = context.permissions.get(*role).is_some_and(|holder| holder.complete);
        verdict = verdict.or(if own == Verdict::No && !complete { Verdict::Unknown } else { own });
    }
    verdict
}

/// A store whose security group names the group of its clients, on the store's own port.
fn by_groups(context: &Context<'_>, set: &mut FlowSet, diagnostics: &mut Vec<Diagnostic>) {
    let mut members: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    for (address, endpoint) in &context.endpoints {
        let Some(component) = context.index.component(address) else { continue };
        let calls =
            context.index.services.has_any(component, &["compute", "build"]) || component.component_type == "vpc.client_vpn_endpoint";
        if component.kind == Kind::Supporting || !calls {
            continue;
        }
        for group in &endpoint.groups {
            members.entry(group).or_default().push(address);
        }
    }
    // Clients and stores of each rule that admits too many to draw.
    let mut crowds: BTreeMap<(Span, &Address, &Address), (usize, usize)> = BTreeMap::new();
    for (address, endpoint) in &context.endpoints {
        let Some(component) = context.index.component(address) else { continue };
        if !context.index.services.has_any(component, &["database", "cache", "search", "stream", "queue", "file_store", "warehouse"]) {
            continue;
        }
        let api = context.index.services.api(component);
        let Some(port) = api.port else { continue };
        for owner in &endpoint.groups {
            let Some(group) = context.network.groups.get(owner) else { continue };
            for rule in &group.ingress {
                let named = match &rule.peer {
                    Peer::Group(named) => named,
                    // A group of its own that client and store share; a VPC's default group is everyone's.
                    Peer::Itself if !endpoint.default_group && !is_default_group(context, owner) => owner,
                    Peer::Itself | Peer::Range(_) | Peer::Network(_) | Peer::PrefixList(_) | Peer::Unknown(_) => continue,
                };
                if rule.covers(&Protocol::Tcp, Some(port)) != Some(true) {
                    continue;
                }
                let Some(clients) = members.get(named) else { continue };
                if clients.len() > MAX_MEMBERS {
                    crowds.entry((rule.span, owner, named)).or_insert((clients.len(), 0)).1 += 1;
                    continue;
                }
                for client in clients {
                    client_flow(context, client, address, port, set);
                }
            }
        }
    }
    for ((span, owner, named), (clients, stores)) in crowds {
        let message = format!("`{owner}` admits {clients} members of `{named}` to {stores} stores; these flows are not drawn one by one");
        diagnostics.push(Diagnostic::new("flows/many-clients", Severity::Note, message, span));
    }
}

fn is_default_group(context: &Context<'_>, group: &Address) -> bool {
    context.index.component(group).is_some_and(|component| component.flag("is_default") == Some(true))
}

fn client_flow(context: &Context<'_>, from: &Address, to: &Address, port: u16, set: &mut FlowSet) {
    let (Some(a), Some(b)) = (context.endpoints.get(from), context.endpoints.get(to)) else { return };
    let decision = reaches(&context.network, a, b, &Protocol::Tcp, Some(port));
    let vpn = context.index.component(from).is_some_and(|component| component.component_type == "vpc.client_vpn_endpoint");
    if decision.verdict == Verdict::No || vpn && !vpn_leads(context, from, to) {
        return;
    }
    let Found { protocol, encrypted, authentication, .. } = context.to(from.clone(), to.clone(), Confidence::Reachable, Vec::new());
    set.add(Found {
        from: from.clone(),
        to: to.clone(),
        protocol: protocol.or_else(|| Some("tcp".to_owned())),
        port: Some(port),
        encrypted,
        authentication,
        confidence: Confidence::Reachable,
        why: decision.reasons,
    });
}
