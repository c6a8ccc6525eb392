//! From the internet to what has a network endpoint: hosts, databases with a public address, load balancers by their listeners.

use bartizan_model::{Address, Component, Confidence, Kind, Reason, ReasonKind};

use super::balancers::listeners;
use super::entities::Entities;
use super::integrations::{encrypted_by_name, protocol_of_port};
use super::set::{FlowSet, Found};
use super::{Api, Context, reason};
use crate::facts::endpoint::is_balancer;
use crate::facts::network::Protocol;
use crate::facts::reachability::{FromInternet, Opening};
use crate::facts::verdict::Verdict;

/// Most public networks that are drawn one by one as callers of a component.
const MAX_NETWORKS: usize = 8;

/// Adds flows from the internet and from public networks.
pub(super) fn add(context: &Context<'_>, entities: &mut Entities, set: &mut FlowSet) {
    for (address, open) in &context.from_internet {
        let Some(mut component) = context.index.component(address) else { continue };
        if component.kind == Kind::Supporting {
            // A member of a database cluster is drawn as its cluster.
            let member = component.component_type.ends_with("cluster_instance");
            match context.index.component(&context.index.drawn(address)).filter(|shown| member && shown.kind != Kind::Supporting) {
                Some(shown) => component = shown,
                None => continue,
            }
        }
        if is_balancer(component) {
            to_balancer(context, component, open, entities, set);
        } else if takes_calls(context, component) {
            to_host(context, address, component, open, entities, set);
        }
    }
}

/// Functions, jobs and clusters have network interfaces but accept no connection on them.
fn takes_calls(context: &Context<'_>, component: &Component) -> bool {
    if context.endpoints.get(&component.address).is_some_and(|endpoint| endpoint.no_inbound) {
        return false;
    }
    match component.service.as_str() {
        "batch" | "sagemaker" => false,
        "eks" => component.component_type == "eks.node_group",
        _ => !context.index.services.has_any(component, &["log", "audit", "detection", "backup"]),
    }
}

fn to_balancer(context: &Context<'_>, component: &Component, open: &FromInternet, entities: &mut Entities, set: &mut FlowSet) {
    let stated = context.endpoints.get(&component.address).is_some_and(|endpoint| endpoint.public_stated);
    // Groups of a balancer that faces the internet may come from elsewhere; what is known not to admit is believed.
    if open.verdict == Verdict::No && open.openings.is_empty() || open.verdict == Verdict::Unknown && !stated {
        return;
    }
    for listener in listeners(context, component) {
        let Some(port) = listener.port else { continue };
        if listener.redirects {
            continue;
        }
        let protocol = if listener.protocol == "udp" { Protocol::Udp } else { Protocol::Tcp };
        let admitting = open.openings.iter().filter(|opening| opening.verdict == Verdict::Yes && covers(opening, &protocol, port));
        let mut callers: Vec<(Address, Vec<Reason>)> = Vec::new();
        for opening in admitting {
            callers.push((caller(opening, entities), vec![opening.reason.clone()]));
        }
        if callers.is_empty() && open.verdict == Verdict::Unknown {
            let text = "it faces the internet; whether its security groups narrow that is not known";
            callers.push((
                entities.internet(),
                open.because.clone().map_or_else(|| vec![reason(ReasonKind::Default, text, None)], |why| vec![why]),
            ));
        }
        if callers.iter().any(|(from, _)| *from == Address::internet()) {
            callers.retain(|(from, _)| *from == Address::internet());
        }
        for (from, mut why) in callers.into_iter().take(MAX_NETWORKS) {
            why.insert(0, reason(ReasonKind::Integration, format!("it listens on port {port}"), listener.span));
            why.extend(open.reasons.iter().cloned());
            set.add(Found {
                from,
                to: component.address.clone(),
                protocol: Some(listener.protocol.clone()),
                port: Some(port),
                encrypted: encrypted_by_name(Some(&listener.protocol)),
                authentication: listener.authentication.clone().or_else(|| Some("none".to_owned())),
                confidence: Confidence::Reachable,
                why,
            });
        }
    }
}

/// `address` is whose network interface it is, `component` what is drawn.
fn to_host(
    context: &Context<'_>,
    address: &Address,
    component: &Component,
    open: &FromInternet,
    entities: &mut Entities,
    set: &mut FlowSet,
) {
    let certain = |opening: &&Opening| opening.verdict == Verdict::Yes;
    if open.verdict == Verdict::Unknown && open.openings.iter().filter(certain).any(|opening| opening.only.is_none())
        || open.verdict == Verdict::No && open.openings.is_empty()
    {
        return;
    }
    if open.verdict == Verdict::Unknown && context.endpoints.get(address).is_none_or(|endpoint| endpoint.public != Verdict::Yes) {
        return;
    }
    let api = context.index.services.api(component);
    let own = public_port(component, &api);
    let mut networks = 0usize;
    for opening in open.openings.iter().filter(certain) {
        let from = caller(opening, entities);
        if from != Address::internet() {
            networks += 1;
            if networks > MAX_NETWORKS {
                continue;
            }
        }
        let (protocol, port, encrypted, authentication) = match own {
            // What speaks one protocol is reached on its port only.
            Some(port) if covers(opening, &Protocol::Tcp, port) => {
                (api.protocol.clone(), Some(port), api.encrypted, api.authentication.clone())
            }
            Some(_) => continue,
            None => match opening.protocol {
                Protocol::Other(_) | Protocol::Unknown => continue,
                Protocol::Any => (Some("any".to_owned()), None, None, None),
                Protocol::Tcp | Protocol::Udp if opening.from_port == opening.to_port => {
                    let udp = opening.protocol == Protocol::Udp && opening.from_port != 53;
                    let name = if udp { "udp" } else { protocol_of_port(opening.from_port) };
                    (Some(name.to_owned()), Some(opening.from_port), encrypted_by_name(Some(name)), None)
                }
                Protocol::Tcp => (Some("tcp".to_owned()), None, None, None),
                Protocol::Udp => (Some("udp".to_owned()), None, None, None),
            },
        };
        let mut why = vec![opening.reason.clone()];
        why.extend(open.reasons.iter().cloned());
        set.add(Found {
            from,
            to: component.address.clone(),
            protocol,
            port,
            encrypted,
            authentication,
            confidence: Confidence::Reachable,
            why,
        });
    }
}

/// The port that a component answers outsiders on, where it has one of its own.
fn public_port(component: &Component, api: &Api) -> Option<u16> {
    if component.component_type == "msk.cluster" {
        // Brokers answer outsiders on ports of their own, by the way that clients prove themselves. Source: MSK guide, "Port information".
        return Some(match (component.flag("sasl_iam"), component.flag("sasl_scram")) {
            (Some(true), _) => 9198,
            (_, Some(true)) => 9196,
            _ => 9194,
        });
    }
    api.port.filter(|_| api.protocol.is_some())
}

fn caller(opening: &Opening, entities: &mut Entities) -> Address {
    match opening.only {
        None => entities.internet(),
        Some(range) => entities.network(&range.to_string()),
    }
}

fn covers(opening: &Opening, protocol: &Protocol, port: u16) -> bool {
    (opening.protocol == Protocol::Any || opening.protocol == *protocol) && opening.from_port <= port && port <= opening.to_port
}
