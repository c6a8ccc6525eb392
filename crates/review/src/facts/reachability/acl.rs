//! Network ACLs: stateless lists of which the first rule that matches decides.

use bartizan_model::{Address, Span};
use ipnet::IpNet;

use super::super::network::{Acl, AclRule, Peer, Protocol, covers_internet};
use super::super::verdict::Verdict;
use super::Opening;

/// What a list says to one packet.
pub(super) struct Answer<'a> {
    /// Whether it passes.
    pub(super) verdict: Verdict,
    /// The rule that decides; `None`: the implied last one, which denies.
    pub(super) by: Option<&'a AclRule>,
}

/// Where replies go to: clients take a high port. Source: VPC guide, "Ephemeral ports".
/// A rule that lets any of these out lets the replies of common systems out.
const REPLY_PORTS: [u16; 3] = [49152, 32768, 1024];

/// Asks a list about a protocol, a port and a peer; port `None`: some port at all.
///
/// First match wins; a rule for a part of the peer does not decide for the rest, and a denial of one port not for all of them.
/// Source: VPC guide, "Network ACL rules".
pub(super) fn ask<'a>(rules: &'a [AclRule], protocol: &Protocol, port: Option<u16>, peer: IpNet) -> Answer<'a> {
    let answer = |verdict, by| Answer { verdict, by };
    for entry in rules {
        let whole_peer = match &entry.rule.peer {
            Peer::Range(range) => range.contains(&peer) || covers_internet(*range) && covers_internet(peer) && same_family(*range, peer),
            // The range of a network of ours never is the internet.
            Peer::Network(_) if covers_internet(peer) => false,
            Peer::Network(_) | Peer::Group(_) | Peer::Itself | Peer::PrefixList(_) | Peer::Unknown(_) => {
                if entry.rule.covers(protocol, port) == Some(false) {
                    continue;
                }
                return answer(Verdict::Unknown, Some(entry));
            }
        };
        if !whole_peer {
            continue;
        }
        let narrow = port.is_none() && !(entry.rule.from_port == Some(0) && entry.rule.to_port == Some(u16::MAX));
        match (entry.rule.covers(protocol, port), entry.allow) {
            (Some(false), _) => {}
            (Some(true), Some(true)) => return answer(Verdict::Yes, Some(entry)),
            (Some(true), Some(false)) if narrow => {}
            (Some(true), Some(false)) => return answer(Verdict::No, Some(entry)),
            (None, _) | (_, None) => return answer(Verdict::Unknown, Some(entry)),
        }
    }
    answer(Verdict::No, None)
}

/// Asks whether replies of a protocol get through to a peer.
pub(super) fn ask_replies<'a>(rules: &'a [AclRule], protocol: &Protocol, peer: IpNet) -> Answer<'a> {
    let mut best = Answer { verdict: Verdict::No, by: None };
    for (place, port) in REPLY_PORTS.into_iter().enumerate() {
        let answer = ask(rules, protocol, Some(port), peer);
        if place == 0 || answer.verdict > best.verdict {
            best = answer;
        }
    }
    best
}

/// What an ACL leaves of an opening, and what to say of what it takes away.
pub(super) fn narrow(address: &Address, acl: &Acl, opening: &Opening, peer: IpNet) -> (Vec<Opening>, Option<(String, Option<Span>)>) {
    let only_any = |rules: &[AclRule]| rules.iter().all(|entry| entry.rule.protocol == Protocol::Any);
    if opening.protocol == Protocol::Any && !(only_any(&acl.ingress) && only_any(&acl.egress)) {
        let mut left = Vec::new();
        let mut said = None;
        for protocol in [Protocol::Tcp, Protocol::Udp] {
            let (found, why) = narrow(address, acl, &Opening { protocol, ..opening.clone() }, peer);
            left.extend(found);
            said = said.or(why);
        }
        return (left, said);
    }
    let mut left: Vec<Opening> = Vec::new();
    let mut said: Option<(String, Option<Span>)> = None;
    for piece in peers(acl, peer) {
        let whole = piece == peer;
        let replies = ask_replies(&acl.egress, &opening.protocol, piece);
        if replies.verdict == Verdict::No {
            said = said.or_else(|| {
                let span = replies.by.map(|entry| entry.rule.span).or(acl.span);
                Some((format!("the network ACL `{address}` lets no replies out to {}", in_words(peer)), span))
            });
            continue;
        }
        for (from_port, to_port) in segments(acl, opening) {
            let answer = ask(&acl.ingress, &opening.protocol, Some(from_port), piece);
            let verdict = answer.verdict.and(replies.verdict);
            if answer.verdict == Verdict::No {
                said = said.or_else(|| Some(denial(address, acl, opening, &answer, peer)));
            }
            if verdict == Verdict::No
                || !whole && left.iter().any(|known| known.only == opening.only && known.from_port <= from_port && to_port <= known.to_port)
            {
                continue;
            }
            if verdict == Verdict::Unknown {
                said = said.or_else(|| {
                    let span = answer.by.filter(|_| answer.verdict == Verdict::Unknown).map(|entry| entry.rule.span).or(acl.span);
                    Some((format!("what the network ACL `{address}` lets through is not known"), span))
                });
            }
            let only = if whole { opening.only } else { Some(piece) };
            match left.last_mut() {
                Some(last) if last.only == only && last.verdict == verdict && u32::from(last.to_port) + 1 == u32::from(from_port) => {
                    last.to_port = to_port;
                }
                _ => left.push(Opening { from_port, to_port, only, verdict, ..opening.clone() }),
            }
        }
    }
    (left, said)
}

fn denial(address: &Address, acl: &Acl, opening: &Opening, answer: &Answer<'_>, peer: IpNet) -> (String, Option<Span>) {
    let ports = match opening.protocol {
        Protocol::Tcp if opening.from_port == opening.to_port => format!("tcp {}", opening.from_port),
        Protocol::Udp if opening.from_port == opening.to_port => format!("udp {}", opening.from_port),
        Protocol::Tcp | Protocol::Udp | Protocol::Any | Protocol::Other(_) | Protocol::Unknown => "the traffic".to_owned(),
    };
    match answer.by {
        Some(entry) => {
            let text = format!("rule {} of the network ACL `{address}` denies {ports} from {}", entry.number, in_words(peer));
            (text, Some(entry.rule.span))
        }
        None => (format!("no rule of the network ACL `{address}` allows {ports} from {}", in_words(peer)), acl.span),
    }
}

fn in_words(peer: IpNet) -> String {
    if covers_internet(peer) { "the internet".to_owned() } else { peer.to_string() }
}

fn same_family(one: IpNet, other: IpNet) -> bool {
    one.addr().is_ipv4() == other.addr().is_ipv4()
}

/// Most parts of a peer that an ACL is asked about one by one.
const MAX_PEERS: usize = 32;

/// The peer as a whole, and the parts of it that rules allow by themselves.
fn peers(acl: &Acl, peer: IpNet) -> Vec<IpNet> {
    let mut found = vec![peer];
    for entry in acl.ingress.iter().filter(|entry| entry.allow == Some(true)) {
        if let Peer::Range(range) = &entry.rule.peer
            && peer.contains(range)
            && !covers_internet(*range)
            && !super::super::network::is_private(*range)
            && !found.contains(range)
            && found.len() < MAX_PEERS
        {
            found.push(*range);
        }
    }
    found
}

/// The ports of an opening, cut where some rule begins or ends.
fn segments(acl: &Acl, opening: &Opening) -> Vec<(u16, u16)> {
    let mut starts = vec![opening.from_port];
    for entry in &acl.ingress {
        if entry.rule.protocol == Protocol::Any {
            continue;
        }
        starts.extend(entry.rule.from_port);
        starts.extend(entry.rule.to_port.and_then(|port| port.checked_add(1)));
    }
    starts.retain(|port| opening.from_port <= *port && *port <= opening.to_port);
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().skip(1).map(|next| next - 1).chain([opening.to_port]);
    starts.iter().copied().zip(ends).collect()
}
