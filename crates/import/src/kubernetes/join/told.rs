//! What a pod is told of something outside the cluster, as a flow: stores and brokers that are reached by host name rather than by an AWS API.

use bartizan_model::{Component, FlowSpec, Node, Part, Text};

use super::super::endpoint::{Endpoint, Expect, endpoints, expect, of_port, of_port_name, of_scheme};
use super::super::mention;

/// Services that clients reach at a host and port of their own.
const BY_HOST: &[&str] = &["documentdb", "elasticache", "elb", "memorydb", "mq", "msk", "neptune", "opensearch", "rds", "redshift"];

/// Stands for a host that only the apply decides.
const REFERRED_HOST: &str = "reference.invalid";

/// Last words of variables that say which kind of store the others of the same prefix speak of: `PERSISTENCE_PROVIDER=mysql`.
const KIND_WORDS: &[&str] = &["ADAPTER", "DIALECT", "DRIVER", "ENGINE", "KIND", "PROVIDER", "TYPE", "VENDOR"];

/// True for what is reached by host name, and for modules that are not at hand, which may be anything.
fn by_host(target: &Component) -> bool {
    BY_HOST.contains(&target.service.as_str()) || target.component_type == "terraform.module"
}

/// The flow to a target that one text of a workload describes; `None` where nothing tells its protocol, or the target's own type does.
pub(super) fn flow(target: &Component, attribute: &str, text: &Text, others: &[(String, &Node)]) -> Option<FlowSpec> {
    if !by_host(target) {
        return None;
    }
    let why = format!("`{attribute}` names it");
    let sibling = if target.component_type == "terraform.module" { of_sibling(attribute, others) } else { None };
    if let Some(Spoken::AwsApi) = sibling {
        let iam = Some("iam".to_owned());
        return Some(FlowSpec { protocol: Some("https".to_owned()), port: Some(443), encrypted: Some(true), authentication: iam, why });
    }
    let shown = with_hosts(text);
    let is_outside = |endpoint: &Endpoint| endpoint.host == REFERRED_HOST || endpoint.host.ends_with(".amazonaws.com");
    let endpoint = endpoints(&shown, Expect::Host).into_iter().find(is_outside)?;
    let by_scheme = endpoint.scheme.as_deref().and_then(of_scheme);
    let by_sibling = match sibling {
        // What a kind of store speaks is known, whether it is set up for TLS is not.
        Some(Spoken::Protocol(protocol)) if expected(attribute) == Expect::Host => Some((protocol, None)),
        Some(_) | None => None,
    };
    let (protocol, encrypted) = by_scheme.or_else(|| endpoint.port.and_then(of_port)).or(by_sibling)?;
    Some(FlowSpec {
        protocol: Some(protocol.to_owned()),
        port: endpoint.port,
        encrypted: endpoint.tls.or(encrypted),
        authentication: endpoint.credentials.then(|| "password".to_owned()),
        why,
    })
}

/// What to expect of a text: only the last part of its path names it, the rest says where it stands (`values.server.name`).
fn expected(attribute: &str) -> Expect {
    expect(attribute.rsplit('.').next().unwrap_or(attribute))
}

/// What a kind of store speaks.
#[derive(Clone, Copy)]
enum Spoken {
    /// An AWS API, signed.
    AwsApi,
    Protocol(&'static str),
}

/// The text with a stand-in for each host that is a reference; a port that is one is left out.
fn with_hosts(text: &Text) -> String {
    let mut out = String::new();
    for part in text.parts() {
        match part {
            Part::Literal(literal) => out.push_str(literal),
            Part::Reference { value: Some(value), .. } => out.push_str(value),
            Part::Reference { value: None, .. } | Part::Unknown(_) if out.ends_with(':') && !out.ends_with("//:") => {
                out.pop();
            }
            Part::Reference { value: None, .. } | Part::Unknown(_) => out.push_str(REFERRED_HOST),
        }
    }
    out
}

/// What a variable beside this one says of the kind of store: the one that shares the longest prefix.
fn of_sibling(attribute: &str, others: &[(String, &Node)]) -> Option<Spoken> {
    let mut best: Option<(usize, Spoken)> = None;
    for (other, node) in others {
        let Some((prefix, word)) = other.rsplit_once(['_', '.', '-']) else { continue };
        let shares = attribute.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(['_', '.', '-']));
        if !shares || !KIND_WORDS.contains(&word.to_ascii_uppercase().as_str()) {
            continue;
        }
        let spoken = node.value.as_str().and_then(|value| match value.to_ascii_lowercase().as_str() {
            "dynamodb" | "sqs" | "sns" | "s3" | "kinesis" => Some(Spoken::AwsApi),
            value => of_port_name(value).map(|(protocol, _)| Spoken::Protocol(protocol)),
        });
        if let Some(spoken) = spoken.filter(|_| best.is_none_or(|(length, _)| length < prefix.len())) {
            best = Some((prefix.len(), spoken));
        }
    }
    best.map(|(_, spoken)| spoken)
}

/// True where a variable's name says that it holds an address or the name of a resource.
pub(super) fn names_resource(attribute: &str) -> bool {
    expected(attribute) == Expect::Host || mention::names_service(attribute)
}

/// A Service as a text names it.
pub(super) struct InCluster {
    pub(super) service: String,
    /// `None`: that of the caller.
    pub(super) namespace: Option<String>,
}

/// Services that a text names by their DNS name in the cluster, with what is spoken.
pub(super) fn in_cluster(attribute: &str, text: &str) -> Vec<(InCluster, FlowSpec)> {
    let mut out = Vec::new();
    for endpoint in endpoints(text, expected(attribute)) {
        let labels: Vec<&str> = endpoint.host.split('.').collect();
        let (service, namespace) = match labels.as_slice() {
            [service] => (*service, None),
            [service, namespace] | [service, namespace, "svc", ..] => (*service, Some((*namespace).to_owned())),
            _ => continue,
        };
        // Two words with a dot between are an address only where one is expected.
        if endpoint.scheme.is_none() && endpoint.port.is_none() && expected(attribute) != Expect::Host {
            continue;
        }
        let found = endpoint.scheme.as_deref().and_then(of_scheme).or_else(|| endpoint.port.and_then(of_port));
        let (protocol, encrypted) = found.unwrap_or(("tcp", None));
        let spec = FlowSpec {
            protocol: Some(protocol.to_owned()),
            port: endpoint.port,
            encrypted: endpoint.tls.or(encrypted),
            authentication: endpoint.credentials.then(|| "password".to_owned()),
            why: format!("`{attribute}` names the Service `{service}`"),
        };
        out.push((InCluster { service: service.to_owned(), namespace }, spec));
    }
    out
}
