//! One component to another inside our networks.

use bartizan_model::{Address, Reason, ReasonKind, Span};
use ipnet::IpNet;

use super::super::endpoint::Endpoint;
use super::super::network::{AclRule, Group, Network, Peer, Protocol, Rule};
use super::super::read::is_looked_up;
use super::super::verdict::Verdict;
use super::joined::{Passage, passage};
use super::{acl, describe, network_reason};

/// Whether one endpoint reaches another, and why.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    /// The answer.
    pub(crate) verdict: Verdict,
    /// What lets it through, or what is not known; for a no the last one says what stops it.
    pub(crate) reasons: Vec<Reason>,
    /// True where a rule names the caller's own security group: a sign that the path is meant.
    pub(crate) by_group: bool,
}

/// Decides whether `a` opens a connection to `b` on a port.
pub(crate) fn reaches(network: &Network, a: &Endpoint, b: &Endpoint, protocol: &Protocol, port: Option<u16>) -> Decision {
    if b.no_inbound {
        let text = "its network interfaces only lead out: nothing is accepted on them".to_owned();
        return Decision { verdict: Verdict::No, reasons: vec![Reason { kind: ReasonKind::Block, text, span: None }], by_group: false };
    }
    let way = passage(network, a, b);
    if way.verdict == Verdict::No {
        return Decision { verdict: Verdict::No, reasons: way.reasons, by_group: false };
    }
    let inward = admits_pair(network, a, b, protocol, port, &way);
    if inward.verdict == Verdict::No {
        return inward;
    }
    let outward = lets_out(network, a, b, protocol, port, &way);
    if outward.verdict == Verdict::No {
        return outward;
    }
    let acls = acls_between(network, a, b, protocol, port);
    if let Some((Verdict::No, reason)) = acls {
        return Decision { verdict: Verdict::No, reasons: vec![reason], by_group: false };
    }
    let mut reasons = inward.reasons;
    reasons.extend(outward.reasons);
    let mut verdict = inward.verdict.and(outward.verdict).and(way.verdict);
    if let Some((acl, reason)) = acls {
        verdict = verdict.and(acl);
        reasons.push(reason);
    }
    reasons.extend(way.reasons);
    Decision { verdict, reasons, by_group: inward.by_group }
}

fn admits_pair(network: &Network, a: &Endpoint, b: &Endpoint, protocol: &Protocol, port: Option<u16>, way: &Passage) -> Decision {
    if b.unfiltered {
        return Decision { verdict: Verdict::Yes, reasons: Vec::new(), by_group: false };
    }
    let mut verdict = Verdict::No;
    let mut reasons = Vec::new();
    let mut by_group = false;
    let mut void = None;
    if b.groups.is_empty() {
        if !b.default_group {
            verdict = Verdict::Unknown;
            reasons.push(network_reason("the security groups of the target are not known".to_owned(), None));
        } else if a.default_group && a.groups.is_empty() && a.vpc == b.vpc {
            let text = "both carry the VPC's default security group, whose members reach one another".to_owned();
            return Decision { verdict: Verdict::Yes, reasons: vec![network_reason(text, None)], by_group: false };
        }
    }
    for address in &b.groups {
        let Some(group) = network.groups.get(address) else {
            if verdict == Verdict::No {
                verdict = Verdict::Unknown;
                reasons.push(network_reason(format!("the rules of `{address}` are not in the plan"), None));
            }
            continue;
        };
        for rule in &group.ingress {
            let covers = match rule.covers(protocol, port) {
                Some(false) => continue,
                Some(true) => Verdict::Yes,
                None => Verdict::Unknown,
            };
            let peer = peer_is(network, rule, address, a);
            let by_reference = matches!(rule.peer, Peer::Group(_) | Peer::Itself) && peer != Verdict::No;
            let counts = if by_reference { way.references.0 } else { Verdict::Yes };
            let matched = covers.and(peer).and(counts);
            if matched == Verdict::No {
                if by_reference {
                    void = void.or_else(|| Some(Reason { kind: ReasonKind::Block, text: way.references.1.clone(), span: Some(rule.span) }));
                }
                continue;
            }
            let mut text = format!("`{address}` admits {}", describe(rule));
            if counts == Verdict::Unknown {
                text = format!("{text}; {}", way.references.1);
            }
            let reason = network_reason(text, Some(rule.span));
            let named = matches!(rule.peer, Peer::Group(_));
            if matched > verdict {
                verdict = matched;
                reasons = vec![reason];
                by_group = named;
            } else if matched == Verdict::Yes && named && !by_group {
                reasons.insert(0, reason);
                by_group = true;
            }
        }
    }
    if verdict == Verdict::No {
        reasons = vec![void.unwrap_or_else(|| refusal(network, b, protocol, port))];
    }
    Decision { verdict, reasons, by_group }
}

/// What to say of groups that admit nobody from there.
fn refusal(network: &Network, b: &Endpoint, protocol: &Protocol, port: Option<u16>) -> Reason {
    let wanted = match (protocol, port) {
        (Protocol::Udp, Some(port)) => format!("udp {port}"),
        (_, Some(port)) => format!("tcp {port}"),
        (_, None) => "the connection".to_owned(),
    };
    let Some(address) = b.groups.first() else {
        let text = format!("the VPC's default security group holds, which admits only its own members, not the caller to {wanted}");
        return Reason { kind: ReasonKind::Block, text, span: None };
    };
    let rules = b.groups.iter().filter_map(|group| network.groups.get(group)).flat_map(|group| &group.ingress);
    let admitted: Vec<String> = rules.map(describe).take(4).collect();
    let admitted = if admitted.is_empty() { "nobody".to_owned() } else { format!("only {}", admitted.join(", ")) };
    let names: Vec<String> = b.groups.iter().map(|group| format!("`{group}`")).collect();
    let verb = if names.len() == 1 { "does" } else { "do" };
    let text = format!("{} {verb} not admit the caller to {wanted}: it admits {admitted}", names.join(" and "));
    Reason { kind: ReasonKind::Block, text, span: network.groups.get(address).and_then(|group| group.span) }
}

fn peer_is(network: &Network, rule: &Rule, owner: &Address, other: &Endpoint) -> Verdict {
    match &rule.peer {
        Peer::Group(group) => Verdict::known(other.groups.binary_search(group).is_ok()).or(unknown_groups(other)),
        Peer::Itself => Verdict::known(other.groups.binary_search(owner).is_ok()).or(unknown_groups(other)),
        Peer::Range(range) => within(network, *range, other),
        Peer::Network(range_of) => lies_in(network, range_of, other),
        Peer::PrefixList(list) => match network.prefix_lists.get(list) {
            Some(entries) => {
                let of = |entry: &Option<IpNet>| entry.map_or(Verdict::Unknown, |range| within(network, range, other));
                entries.iter().map(of).max().unwrap_or(Verdict::No)
            }
            // AWS's own lists are addresses of its services.
            None if network.list_of_aws(list) == Verdict::Yes => Verdict::No,
            None => Verdict::Unknown,
        },
        Peer::Unknown(_) => Verdict::Unknown,
    }
}

/// Whether an endpoint lies in a VPC or subnet whose range a rule names without its numbers being known.
fn lies_in(network: &Network, range_of: &Address, other: &Endpoint) -> Verdict {
    if other.vpc.as_ref() == Some(range_of) || other.subnets.contains(range_of) {
        return Verdict::Yes;
    }
    let known = network.vpcs.contains_key(range_of) || network.subnets.contains_key(range_of);
    if known && !is_looked_up(range_of) { Verdict::No } else { Verdict::Unknown }
}

fn unknown_groups(endpoint: &Endpoint) -> Verdict {
    if endpoint.groups.is_empty() && !endpoint.default_group && !endpoint.unfiltered { Verdict::Unknown } else { Verdict::No }
}

/// Whether an endpoint's private addresses lie in a range.
fn within(network: &Network, range: IpNet, other: &Endpoint) -> Verdict {
    if range.prefix_len() == 0 {
        return Verdict::Yes;
    }
    let mut verdict = Verdict::No;
    for address in &other.subnets {
        let subnet = network.subnets.get(address);
        let own = subnet.and_then(|subnet| if range.addr().is_ipv4() { subnet.range } else { subnet.range_v6 });
        verdict = verdict.or(match own {
            Some(own) if range.contains(&own) => Verdict::Yes,
            Some(own) if own.contains(&range) => Verdict::Unknown,
            Some(_) => Verdict::No,
            None => covers_vpc(network, range, other).or(Verdict::Unknown),
        });
    }
    if other.subnets.is_empty() { covers_vpc(network, range, other).or(Verdict::Unknown) } else { verdict }
}

fn covers_vpc(network: &Network, range: IpNet, other: &Endpoint) -> Verdict {
    let vpc = other.vpc.as_ref().and_then(|vpc| network.vpcs.get(vpc));
    Verdict::known(vpc.is_some_and(|vpc| vpc.ranges.iter().any(|own| range.contains(own))))
}

fn lets_out(network: &Network, a: &Endpoint, b: &Endpoint, protocol: &Protocol, port: Option<u16>, way: &Passage) -> Decision {
    let pass = |verdict| Decision { verdict, reasons: Vec::new(), by_group: false };
    // The default group that the plan does not manage lets everything out.
    if a.unfiltered || a.groups.is_empty() && a.default_group {
        return pass(Verdict::Yes);
    }
    if a.groups.is_empty() {
        return pass(Verdict::Unknown);
    }
    let mut verdict = Verdict::No;
    for address in &a.groups {
        let Some(group) = network.groups.get(address) else {
            verdict = verdict.or(Verdict::Unknown);
            continue;
        };
        for rule in &group.egress {
            let matched = match rule.covers(protocol, port) {
                Some(false) => Verdict::No,
                Some(true) if matches!(rule.peer, Peer::Group(_) | Peer::Itself) => {
                    peer_is(network, rule, address, b).and(way.references.0)
                }
                Some(true) => peer_is(network, rule, address, b),
                None => Verdict::Unknown,
            };
            verdict = verdict.or(matched);
        }
    }
    if verdict != Verdict::No {
        return pass(verdict);
    }
    let first: Option<(&Address, &Group)> = a.groups.iter().find_map(|address| network.groups.get_key_value(address));
    let text = match first {
        Some((address, group)) if group.egress.is_empty() => {
            format!("`{address}` lets nothing out: it has no egress rule, and Terraform removes the one that AWS would give")
        }
        Some((address, _)) => format!("no egress rule of `{address}` lets the call out"),
        None => "no egress rule lets the call out".to_owned(),
    };
    let span = first.and_then(|(_, group)| group.span);
    Decision { verdict: Verdict::No, reasons: vec![Reason { kind: ReasonKind::Block, text, span }], by_group: false }
}

/// Network ACLs on the way; `None` where both lie in one subnet or only default ACLs hold.
fn acls_between(network: &Network, a: &Endpoint, b: &Endpoint, protocol: &Protocol, port: Option<u16>) -> Option<(Verdict, Reason)> {
    if a.subnets.iter().any(|subnet| b.subnets.binary_search(subnet).is_ok()) {
        return None;
    }
    let mut best: Option<(Verdict, Reason)> = None;
    let known = |endpoint: &Endpoint| -> Vec<Address> {
        endpoint.subnets.iter().filter(|subnet| network.subnets.contains_key(*subnet)).take(8).cloned().collect()
    };
    for from in &known(a) {
        for to in &known(b) {
            let (Some(one), Some(other)) = (network.subnets.get(from), network.subnets.get(to)) else { continue };
            let mut verdict = Verdict::Yes;
            let mut at: Option<(&Address, Option<&AclRule>, Option<Span>)> = None;
            // There on the port, back to a high one; each side's list is asked for both directions.
            for (subnet, outward, peer_range, replies) in [
                (one, true, other.range, false),
                (other, false, one.range, false),
                (other, true, one.range, true),
                (one, false, other.range, true),
            ] {
                let Some((address, acl)) = network.acl_of(subnet) else { continue };
                let rules = if outward { &acl.egress } else { &acl.ingress };
                let answer = match peer_range {
                    Some(range) if replies => acl::ask_replies(rules, protocol, range),
                    Some(range) => acl::ask(rules, protocol, port, range),
                    // A list that treats every peer alike needs no range.
                    None => {
                        let any = acl::ask(rules, protocol, port, super::whole(false));
                        let verdict = if any.verdict == Verdict::Yes { Verdict::Yes } else { Verdict::Unknown };
                        acl::Answer { verdict, ..any }
                    }
                };
                if answer.verdict < verdict {
                    verdict = answer.verdict;
                    at = Some((address, answer.by, acl.span));
                }
            }
            let (address, by, span) = at?;
            let span = by.map(|entry| entry.rule.span).or(span);
            let kind = if verdict == Verdict::No { ReasonKind::Block } else { ReasonKind::Network };
            let text = match (verdict, by) {
                (Verdict::No, Some(entry)) => {
                    format!("rule {} of the network ACL `{address}` denies the traffic between `{from}` and `{to}`", entry.number)
                }
                (Verdict::No, None) => format!("the network ACL `{address}` does not let the traffic between `{from}` and `{to}` through"),
                (Verdict::Unknown | Verdict::Yes, _) => format!("what the network ACL `{address}` lets through is not known"),
            };
            if best.as_ref().is_none_or(|(found, _)| verdict > *found) {
                best = Some((verdict, Reason { kind, text, span }));
            }
        }
    }
    best
}
