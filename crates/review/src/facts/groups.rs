//! Security groups that nothing carries, rules that change nothing, and whole hosts that are opened to strangers' addresses.
//!
//! Whether a group is used can be told only where the whole plan is seen; otherwise nothing is said.

use std::collections::BTreeSet;

use bartizan_model::Address;
use ipnet::IpNet;

use super::document::references;
use super::network::{Peer, Protocol, Rule, covers_internet, is_private};
use super::read::is_looked_up;
use super::sink::Sink;
use crate::flows::Context;

/// Sets the lists.
pub(super) fn add(context: &Context<'_>, sink: &mut Sink) {
    // What the outputs name is asked only where the whole plan is seen.
    let used = used(context).map(|used| (used, outputs(context)));
    for (address, group) in &context.network.groups {
        let Some(component) = context.index.component(address).filter(|_| !is_looked_up(address)) else { continue };
        if let Some(rule) = group.ingress.iter().enumerate().find_map(|(at, rule)| is_idle(&group.ingress, at).then_some(rule)) {
            sink.push_system("idle_rule_groups", address.as_str(), Some(rule.span));
        }
        if let Some(rule) = group.ingress.iter().find(|rule| is_strangers(rule)) {
            sink.push_system("stranger_groups", address.as_str(), Some(rule.span));
        }
        let Some((used, outputs)) = used.as_ref().filter(|_| component.flag("is_default") != Some(true)) else { continue };
        let exported = declared_as(address).is_some_and(|name| outputs.contains(&name));
        if exported || used.contains(address) || sink.get(address, "group_members").is_some() {
            continue;
        }
        let open = group.ingress.iter().find(|rule| matches!(rule.peer, Peer::Range(range) if covers_internet(range)));
        match open {
            Some(rule) => sink.push_system("open_spare_groups", address.as_str(), Some(rule.span)),
            None => sink.push_system("spare_groups", address.as_str(), component.span),
        }
    }
}

/// Components that anything names; `None` where a part of the plan is not seen.
fn used(context: &Context<'_>) -> Option<BTreeSet<Address>> {
    let architecture = context.index.architecture;
    let hidden = architecture.components.values().any(|component| component.source_type == "module");
    if hidden || !architecture.unknown_types.is_empty() {
        return None;
    }
    let mut found: BTreeSet<Address> = architecture.links.iter().filter(|link| link.from != link.to).map(|link| link.to.clone()).collect();
    for component in architecture.components.values() {
        for node in component.settings.values() {
            node.for_each_text(&mut |text, _| found.extend(references(text).filter(|address| *address != component.address)));
        }
    }
    Some(found)
}

/// The text of every `output` block: what is handed on may be used elsewhere.
fn outputs(context: &Context<'_>) -> String {
    let mut found = String::new();
    for (_, file) in context.index.architecture.sources.iter() {
        let mut inside = false;
        for line in (1..=file.n_lines()).filter_map(|line| file.line(line)) {
            inside = line.starts_with("output ") || inside && !line.starts_with('}');
            if inside {
                found.push_str(line);
                found.push('\n');
            }
        }
    }
    found
}

/// What a resource is called inside of its module: `aws_security_group.web`.
fn declared_as(address: &Address) -> Option<String> {
    let own = address.without_instance_keys();
    let mut parts = own.as_str().rsplit('.');
    let label = parts.next()?;
    Some(format!("{}.{label}", parts.next()?))
}

/// A rule that admits nothing, for no packet comes from there, or that another rule covers.
fn is_idle(rules: &[Rule], at: usize) -> bool {
    let Some(rule) = rules.get(at) else { return false };
    let Peer::Range(range) = rule.peer else { return false };
    if is_loopback(range) {
        return true;
    }
    rules.iter().enumerate().any(|(other_at, other)| {
        let Peer::Range(wider) = other.peer else { return false };
        let same_ports = (rule.from_port, rule.to_port) == (other.from_port, other.to_port);
        let covered = other.protocol == Protocol::Any || other.protocol == rule.protocol && (same_ports || spans(other, rule));
        // Of two that are the same the later one is idle.
        let differs = wider != range || other.protocol != rule.protocol || !same_ports;
        other_at != at && wider.contains(&range) && covered && (differs || other_at < at)
    })
}

fn spans(wider: &Rule, rule: &Rule) -> bool {
    match (wider.from_port, wider.to_port, rule.from_port, rule.to_port) {
        (Some(low), Some(high), Some(from), Some(to)) => low <= from && to <= high,
        _ => false,
    }
}

/// Source: RFC 1122 3.2.1.3 and RFC 4291 2.5.3: addresses that no packet on a network carries.
fn is_loopback(range: IpNet) -> bool {
    ["127.0.0.0/8", "::1/128"].iter().filter_map(|text| text.parse::<IpNet>().ok()).any(|own| own.contains(&range))
}

/// Every port for a range of the internet that is not all of it.
fn is_strangers(rule: &Rule) -> bool {
    let every = rule.protocol == Protocol::Any
        || rule.from_port == Some(0) && rule.to_port == Some(u16::MAX) && !matches!(rule.protocol, Protocol::Other(_));
    every && matches!(rule.peer, Peer::Range(range) if !covers_internet(range) && !is_private(range) && !is_loopback(range))
}
