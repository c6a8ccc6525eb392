//! Flows of integrations that exist to move data: event source mappings, subscriptions, notifications, origins, log deliveries.

use bartizan_model::{Address, Confidence, FlowSpec, Kind, Link, Reason, ReasonKind, Relation};

use super::balancers::{invocation_refused, listeners};
use super::service_addresses::origin_refused;
use super::set::FlowSet;
use super::{Context, reason};
use crate::facts::endpoint::is_balancer;
use crate::facts::network::Protocol;
use crate::facts::reachability::{is_workload, pod_reaches, reaches};
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
    if spec.protocol.is_none()
        && let Some((protocol, port)) = listener_of(context, link, &found.to)
    {
        found.protocol = Some(protocol);
        found.port = Some(port);
    }
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
    let verdict = check_over(context, &transport(found.protocol.as_deref()), &found.from, &found.to, found.port);
    found.why.extend(verdict);
    found.why.extend(origin_refused(context, &found.from, &found.to, found.port));
    found.why.extend(through_api(context, &found.from, &found.to, found.port));
    set.add(found);
}

/// Protocol and port of the listener that a link names, or of the only one that its balancer has.
fn listener_of(context: &Context<'_>, link: &Link, to: &Address) -> Option<(String, u16)> {
    let balancer = context.index.component(to).filter(|component| is_balancer(component))?;
    let all = listeners(context, balancer);
    let named = all.iter().find(|listener| listener.component.is_some_and(|component| component.address == link.to));
    let listener = match (named, all.as_slice()) {
        (Some(named), _) => named,
        (None, [only]) => only,
        (None, _) => return None,
    };
    Some((listener.protocol.clone(), listener.port?))
}

/// What stops an API from calling what is behind it: the function's resource policy, or the groups that its VPC links carry.
fn through_api(context: &Context<'_>, from: &Address, to: &Address, port: Option<u16>) -> Vec<Reason> {
    let is_api = context.index.component(from).is_some_and(|component| component.service == "apigateway");
    if !is_api {
        return Vec::new();
    }
    let by_role = context.index.from(from).iter().any(|link| link.relation == Relation::RunsAs);
    if let Some(function) = context.index.component(to).filter(|target| target.service == "lambda" && !by_role) {
        return invocation_refused(function, "apigateway.amazonaws.com").into_iter().collect();
    }
    let links = context.index.follow(from, "through");
    let answers: Vec<Vec<Reason>> = links.iter().map(|link| check(context, &link.address, to, port)).collect();
    let blocks = |reasons: &[Reason]| reasons.iter().any(|reason| reason.kind == ReasonKind::Block);
    match answers.iter().find(|reasons| !blocks(reasons)) {
        Some(open) => open.clone(),
        None => answers.into_iter().next().unwrap_or_default(),
    }
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

/// What a protocol runs over.
pub(super) fn transport(protocol: Option<&str>) -> Protocol {
    if protocol == Some("udp") { Protocol::Udp } else { Protocol::Tcp }
}

/// What a security group or network ACL says against a flow whose port is known; nothing where it is open or not known.
pub(super) fn check(context: &Context<'_>, from: &Address, to: &Address, port: Option<u16>) -> Vec<Reason> {
    check_over(context, &Protocol::Tcp, from, to, port)
}

/// The same for another transport than TCP.
pub(super) fn check_over(context: &Context<'_>, protocol: &Protocol, from: &Address, to: &Address, port: Option<u16>) -> Vec<Reason> {
    if let (Some(caller), Some(pods)) = (context.index.component(from), context.index.component(to).filter(|to| is_workload(to))) {
        let policies = pod_reaches(context, caller, pods, port);
        if policies.verdict != Verdict::Yes {
            return policies.reason.into_iter().collect();
        }
    }
    let (Some(port), Some(a), Some(b)) = (port, context.endpoints.get(from), context.endpoints.get(to)) else { return Vec::new() };
    // What the platform delivers or calls (Lambda, managed pollers) does not come through the target's network interface.
    if a.vpc.is_none() || b.vpc.is_none() || b.no_inbound {
        return Vec::new();
    }
    let decision = reaches(&context.network, a, b, protocol, Some(port));
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
