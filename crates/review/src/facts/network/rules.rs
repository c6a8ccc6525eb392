//! Rules of security groups and network ACLs in the spellings that sources have, as one shape.

use std::sync::Arc;

use bartizan_model::{Address, Node, Part, Span, Text, Value};
use ipnet::IpNet;

/// Transport protocol of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Protocol {
    /// Every protocol; ports do not count.
    Any,
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP or another protocol without ports.
    Other(String),
    /// Not known.
    Unknown,
}

/// Who is at the other end of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// An address range.
    Range(IpNet),
    /// The range of a VPC or subnet whose numbers are not known, by its address.
    Network(Address),
    /// Members of a security group, by address or literal id.
    Group(Address),
    /// Members of the group that the rule belongs to.
    Itself,
    /// A prefix list, by address or literal id.
    PrefixList(Address),
    /// Not known, with the reason.
    Unknown(Arc<str>),
}

/// One rule with one peer.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// Protocol.
    pub(crate) protocol: Protocol,
    /// First port; `None`: not known.
    pub(crate) from_port: Option<u16>,
    /// Last port; `None`: not known.
    pub(crate) to_port: Option<u16>,
    /// The other end.
    pub(crate) peer: Peer,
    /// Where the peer is written, else the rule.
    pub(crate) span: Span,
}

const RANGE_KEYS: &[&str] =
    &["cidr_blocks", "cidr_block", "cidr_ipv4", "cidr", "ipv6_cidr_blocks", "ipv6_cidr_block", "cidr_ipv6", "CidrIp", "CidrIpv6"];
const GROUP_KEYS: &[&str] =
    &["security_groups", "source_security_group_id", "referenced_security_group_id", "source_security_group", "SourceSecurityGroupId"];
const LIST_KEYS: &[&str] = &["prefix_list_ids", "prefix_list_id", "SourcePrefixListId"];

/// Reads one rule as written into one [`Rule`] per peer; `Unknown` stays a rule about which nothing is known.
pub(crate) fn read_rules(node: &Node, out: &mut Vec<Rule>) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| read_rules(item, out)),
        Value::Map(_) => read_rule(node, out),
        Value::Unknown(unknown) => out.push(Rule {
            protocol: Protocol::Unknown,
            from_port: None,
            to_port: None,
            peer: Peer::Unknown(Arc::clone(&unknown.why)),
            span: node.span,
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
    }
}

fn read_rule(node: &Node, out: &mut Vec<Rule>) {
    let protocol = protocol(first(node, &["protocol", "ip_protocol", "IpProtocol"]));
    let (from_port, to_port) = match protocol {
        Protocol::Any | Protocol::Other(_) => (Some(0), Some(u16::MAX)),
        Protocol::Tcp | Protocol::Udp | Protocol::Unknown => {
            let from = port(first(node, &["from_port", "FromPort"]));
            let to = first(node, &["to_port", "ToPort"]);
            (from, if to.is_none() { from } else { port(to) })
        }
    };
    // A rule without any peer admits nobody and leaves nothing.
    let mut push = |peer, span| out.push(Rule { protocol: protocol.clone(), from_port, to_port, peer, span });
    for key in RANGE_KEYS {
        each_text(node.get(key), &mut |value, span| {
            push(value.map_or_else(Peer::Unknown, range), span);
        });
    }
    for (keys, wrap) in [(GROUP_KEYS, Peer::Group as fn(Address) -> Peer), (LIST_KEYS, Peer::PrefixList as fn(Address) -> Peer)] {
        for key in keys {
            each_text(node.get(key), &mut |value, span| {
                push(value.map_or_else(Peer::Unknown, |text| reference(text).map_or_else(Peer::Unknown, wrap)), span);
            });
        }
    }
    if let Some(own) = node.get("self") {
        match own.value.as_bool() {
            Some(true) => push(Peer::Itself, own.span),
            Some(false) => {}
            None if own.value.is_unknown() => push(Peer::Unknown(Arc::from("whether it admits its own members is not known")), own.span),
            None => {}
        }
    }
}

fn first<'a>(node: &'a Node, keys: &[&str]) -> Option<&'a Node> {
    keys.iter().filter_map(|key| node.get(key)).find(|node| !node.value.is_null())
}

fn protocol(node: Option<&Node>) -> Protocol {
    let Some(node) = node else { return Protocol::Any };
    let text = match &node.value {
        Value::Text(text) => match text.known() {
            Some(known) => known.to_ascii_lowercase(),
            None => return Protocol::Unknown,
        },
        Value::Number(number) => format!("{number}"),
        _ => return Protocol::Unknown,
    };
    match text.as_str() {
        "-1" | "all" => Protocol::Any,
        "tcp" | "6" => Protocol::Tcp,
        "udp" | "17" => Protocol::Udp,
        _ => Protocol::Other(text),
    }
}

fn port(node: Option<&Node>) -> Option<u16> {
    let number = node?.value.as_number()?;
    // -1 stands for every port in some spellings; the caller's range starts there.
    if number < 0.0 { Some(0) } else { format!("{number}").parse().ok() }
}

fn each_text<'a>(node: Option<&'a Node>, visit: &mut dyn FnMut(Result<&'a Text, Arc<str>>, Span)) {
    let Some(node) = node else { return };
    match &node.value {
        Value::Text(text) if !text.is_empty() => visit(Ok(text), node.span),
        Value::List(items) => items.iter().for_each(|item| each_text(Some(item), visit)),
        Value::Unknown(unknown) => visit(Err(Arc::clone(&unknown.why)), node.span),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => {}
    }
}

fn range(text: &Text) -> Peer {
    match text.known() {
        Some(known) => parse_range(&known).map_or_else(|| Peer::Unknown(Arc::from(format!("`{known}` is no address range"))), Peer::Range),
        None => match text.as_reference() {
            Some((address, attribute)) if attribute.contains("cidr") => Peer::Network(Address::new(address)),
            _ => Peer::Unknown(why(text)),
        },
    }
}

/// Why a text is not known: the reason that evaluation left in it, else the text itself.
fn why(text: &Text) -> Arc<str> {
    let reason = text.parts().find_map(|part| match part {
        Part::Unknown(why) => Some(why),
        Part::Literal(_) | Part::Reference { .. } => None,
    });
    reason.map_or_else(|| Arc::from(format!("`{text}` is not known")), Arc::from)
}

/// An address range; a single address is a range of one.
pub(crate) fn parse_range(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from))
}

/// The component a text refers to, or its literal id as an address of its own.
pub(crate) fn reference(text: &Text) -> Result<Address, Arc<str>> {
    if let Some((address, _)) = text.references().next() {
        return Ok(Address::new(address));
    }
    match text.known() {
        Some(known) => Ok(Address::new(known)),
        None => Err(why(text)),
    }
}

/// True for a range that is, for the purpose of exposure, the internet: all of it or a large part.
/// IPv4 /8 and wider, IPv6 /16 and wider outside private space: half of the internet is as bad as all of it.
pub(crate) fn covers_internet(range: IpNet) -> bool {
    let wide = match range {
        IpNet::V4(v4) => v4.prefix_len() <= 7 || v4.prefix_len() == 8 && !is_private(range),
        IpNet::V6(v6) => v6.prefix_len() <= 16 && !is_private(range),
    };
    wide && range.prefix_len() < range.max_prefix_len()
}

/// True for ranges that no packet from the internet comes from.
/// Source: RFC 1918, RFC 6598 (shared address space), RFC 3927 (link local), RFC 4193 (unique local IPv6).
pub(crate) fn is_private(range: IpNet) -> bool {
    const PRIVATE: &[&str] =
        &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10"];
    PRIVATE.iter().filter_map(|text| text.parse::<IpNet>().ok()).any(|private| private.contains(&range))
}

impl Rule {
    /// Whether the rule speaks of a protocol and port: `Some(true)`, `Some(false)`, `None` where a part is not known.
    /// Port `None` asks for any port at all.
    pub(crate) fn covers(&self, protocol: &Protocol, port: Option<u16>) -> Option<bool> {
        match &self.protocol {
            Protocol::Any => return Some(true),
            Protocol::Unknown => return None,
            own if own != protocol && *protocol != Protocol::Any => return Some(false),
            Protocol::Tcp | Protocol::Udp | Protocol::Other(_) => {}
        }
        let Some(port) = port else { return Some(true) };
        match (self.from_port, self.to_port) {
            (Some(from), Some(to)) => Some(from <= port && port <= to),
            (Some(from), None) if port < from => Some(false),
            (None, Some(to)) if port > to => Some(false),
            (None | Some(_), None | Some(_)) => None,
        }
    }

    /// Ports in words: `tcp 22`, `tcp 8000–8100`, `every protocol`.
    pub(crate) fn ports_in_words(&self) -> String {
        let protocol = match &self.protocol {
            Protocol::Any => return "every protocol and port".to_owned(),
            Protocol::Other(name) => return name.clone(),
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Unknown => "an unknown protocol",
        };
        match (self.from_port, self.to_port) {
            (Some(0), Some(u16::MAX)) => format!("every {protocol} port"),
            (Some(from), Some(to)) if from == to => format!("{protocol} {from}"),
            (Some(from), Some(to)) => format!("{protocol} {from}–{to}"),
            (None | Some(_), None | Some(_)) => format!("{protocol} on ports that are not known"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Peer, Protocol, covers_internet, is_private, read_rules};
    use bartizan_model::{FileId, Node, Span, Text, Value};

    fn node(value: Value) -> Node {
        Node::new(value, Span::new(FileId(0), 0..1))
    }

    fn map(entries: &[(&str, Value)]) -> Node {
        node(Value::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), node(value.clone()))).collect()))
    }

    fn text(value: &str) -> Value {
        Value::Text(Text::literal(value))
    }

    #[test]
    fn the_three_spellings_of_a_rule_come_out_the_same() {
        let inline = map(&[
            ("from_port", Value::Number(22.0)),
            ("to_port", Value::Number(22.0)),
            ("protocol", text("tcp")),
            ("cidr_blocks", Value::List(vec![node(text("0.0.0.0/0"))])),
        ]);
        let single =
            map(&[("from_port", text("22")), ("to_port", text("22")), ("ip_protocol", text("tcp")), ("cidr_ipv4", text("0.0.0.0/0"))]);
        for spelling in [inline, single] {
            let mut rules = Vec::new();
            read_rules(&spelling, &mut rules);
            let [rule] = rules.as_slice() else { unreachable!("one rule expected") };
            assert_eq!(rule.covers(&Protocol::Tcp, Some(22)), Some(true));
            assert_eq!(rule.covers(&Protocol::Tcp, Some(80)), Some(false));
            assert_eq!(rule.covers(&Protocol::Udp, Some(22)), Some(false));
            assert!(matches!(rule.peer, Peer::Range(range) if covers_internet(range)));
        }
    }

    #[test]
    fn protocol_minus_one_covers_every_port_whatever_the_ports_say() {
        let rule = map(&[
            ("from_port", Value::Number(0.0)),
            ("to_port", Value::Number(0.0)),
            ("protocol", text("-1")),
            ("cidr_blocks", text("::/0")),
        ]);
        let mut rules = Vec::new();
        read_rules(&rule, &mut rules);
        assert_eq!(rules.first().and_then(|rule| rule.covers(&Protocol::Tcp, Some(5432))), Some(true));
    }

    #[test]
    fn an_unknown_range_stays_unknown_and_a_known_one_beside_it_counts() {
        let rule = map(&[
            ("from_port", Value::Number(443.0)),
            ("to_port", Value::Number(443.0)),
            ("protocol", text("tcp")),
            ("cidr_blocks", Value::List(vec![node(Value::unresolved("variable `office` has no value")), node(text("10.0.0.0/8"))])),
        ]);
        let mut rules = Vec::new();
        read_rules(&rule, &mut rules);
        let peers: Vec<_> = rules.iter().map(|rule| &rule.peer).collect();
        assert!(matches!(peers.as_slice(), [Peer::Unknown(why), Peer::Range(_)] if why.contains("office")));
    }

    #[test]
    fn private_space_is_never_the_internet() {
        for text in ["10.0.0.0/8", "172.16.0.0/12", "fc00::/7"] {
            let range = text.parse();
            assert!(range.is_ok_and(|range| is_private(range) && !covers_internet(range)), "{text}");
        }
        for text in ["0.0.0.0/0", "128.0.0.0/1", "::/0", "52.0.0.0/8"] {
            assert!(text.parse().is_ok_and(covers_internet), "{text}");
        }
        assert!(!"203.0.113.0/24".parse().is_ok_and(covers_internet));
    }
}
