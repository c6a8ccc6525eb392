//! Flows of integrations that exist to move data: event source mappings, subscriptions, notifications, origins, log deliveries.

use bartizan_model::{Address, Confidence, FlowSpec, Kind, Link, ReasonKind, Relation};

use super::set::FlowSet;
use super::{Context, reason};
use crate::facts::network::Protocol;
use crate::facts::reachability::reaches;
use crate::facts::verdict::Verdict;

/// Adds one flow for each link that the source declares as one.
pub(super) fn add(context: &Context<'_>, set: &mut FlowSet) {
    for link in &context.index.architecture.links {
        match &link.relation {
            Relation::Flow(spec) if !is_disabled(context, link) => {
                let to = context.index.drawn(&link.to);
                let from = context.index.drawn(&link.from);
                let users = context.index.users(&from);
                let callers = if users.is_empty() { vec![from] } else { users };
                for from in callers.into_iter().filter(|from| *from != to) {
                    one(context, link, spec, from, to.clone(), set);
                }
            }
            // What failed too often is moved there by the service itself.
            Relation::Other(name) if name == "dead_letters_to" => {
                let (from, to) = (context.index.drawn(&link.from), context.index.drawn(&link.to));
                let drawn =
                    |address: &Address| context.index.component(address).is_some_and(|component| component.kind != Kind::Supporting);
                if from != to && drawn(&from) && drawn(&to) {
                    let why = vec![reason(ReasonKind::Integration, "what cannot be processed is moved there", link.span)];
                    set.add(context.to(from, to, Confidence::Integration, why));
                }
            }
            _ => {}
        }
    }
}

fn one(context: &Context<'_>, link: &Link, spec: &FlowSpec, from: Address, to: Address, set: &mut FlowSet) {
    let text = if spec.why.is_empty() { "integration".to_owned() } else { spec.why.clone() };
    let mut found = context.to(from, to, Confidence::Integration, vec![reason(ReasonKind::Integration, text, link.span)]);
    // A consumer is called by the platform: what matters on the way from a queue or stream is how it is read.
    if found.protocol.is_none() || is_store(context, &found.from) && spec.protocol.is_none() {
        let source = context.index.component(&found.from).map(|component| context.index.services.api(component)).unwrap_or_default();
        if source.protocol.is_some() {
            found.protocol = source.protocol;
            found.port = source.port;
            found.encrypted = source.encrypted;
            found.authentication = source.authentication;
        }
    }
    if spec.protocol.is_some() {
        found.protocol.clone_from(&spec.protocol);
        found.port = spec.port.or_else(|| default_port(spec.protocol.as_deref()));
    }
    found.port = spec.port.or(found.port);
    found.encrypted = spec.encrypted.or_else(|| encrypted_by_name(found.protocol.as_deref())).or(found.encrypted);
    found.authentication = spec.authentication.clone().or(found.authentication);
    let verdict = check(context, &found.from, &found.to, found.port);
    found.why.extend(verdict);
    set.add(found);
}

/// An integration that is switched off moves nothing.
fn is_disabled(context: &Context<'_>, link: &Link) -> bool {
    // The link's span lies in the resource that declares it; an event source mapping is a component of its own, part of its function.
    context.index.follow_back(&link.to, "part_of").iter().any(|component| {
        component.component_type == "lambda.event_source_mapping"
            && component.flag("enabled") == Some(false)
            && component
                .span
                .zip(link.span)
                .is_some_and(|(own, span)| own.file == span.file && own.start <= span.start && span.end <= own.end)
    })
}

fn is_store(context: &Context<'_>, address: &Address) -> bool {
    context.index.component(address).is_some_and(|component| {
        component.kind == Kind::DataStore && context.index.services.has_any(component, &["queue", "stream", "database"])
    })
}

/// What a security group or network ACL says against a flow whose port is known; nothing where it is open or not known.
pub(super) fn check(context: &Context<'_>, from: &Address, to: &Address, port: Option<u16>) -> Vec<bartizan_model::Reason> {
    let (Some(port), Some(a), Some(b)) = (port, context.endpoints.get(from), context.endpoints.get(to)) else { return Vec::new() };
    if a.vpc.is_none() || b.vpc.is_none() {
        return Vec::new();
    }
    // What the platform delivers or calls (Lambda, managed pollers) does not come through the target's network interface.
    let called_by_platform = context.index.component(to).is_some_and(|component| component.service == "lambda");
    if called_by_platform {
        return Vec::new();
    }
    let decision = reaches(&context.network, a, b, &Protocol::Tcp, Some(port));
    match decision.verdict {
        Verdict::No | Verdict::Yes => decision.reasons,
        Verdict::Unknown => Vec::new(),
    }
}

/// Ports that a protocol's name implies. Source: IANA service names.
pub(super) fn default_port(protocol: Option<&str>) -> Option<u16> {
    Some(match protocol? {
        "https" | "wss" => 443,
        "http" | "ws" => 80,
        "nfs" => 2049,
        "mysql" => 3306,
        "postgresql" => 5432,
        "redis" => 6379,
        "memcached" => 11211,
        "mongodb" => 27017,
        "ssh" => 22,
        "rdp" => 3389,
        "dns" => 53,
        "smtp" => 25,
        "amqps" => 5671,
        _ => return None,
    })
}

/// The protocol that a well-known port implies; `tcp` otherwise.
pub(super) fn protocol_of_port(port: u16) -> &'static str {
    match port {
        22 => "ssh",
        25 | 587 => "smtp",
        53 => "dns",
        80 | 8080 | 8000 => "http",
        443 | 8443 => "https",
        1433 => "sqlserver",
        1521 => "oracle",
        2049 => "nfs",
        3306 => "mysql",
        3389 => "rdp",
        5432 => "postgresql",
        5439 => "redshift",
        6379 => "redis",
        9092 | 9094 | 9096 | 9098 => "kafka",
        11211 => "memcached",
        27017 => "mongodb",
        _ => "tcp",
    }
}

/// Whether a protocol's name says that it is encrypted.
pub(super) fn encrypted_by_name(protocol: Option<&str>) -> Option<bool> {
    match protocol? {
        "https" | "wss" | "ssh" | "tls" | "rdp" | "amqps" | "smtps" | "grpcs" => Some(true),
        "http" | "ws" | "telnet" | "ftp" => Some(false),
        _ => None,
    }
}
