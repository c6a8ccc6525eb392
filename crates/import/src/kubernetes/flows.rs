//! Data flows between workloads: a workload that is told the DNS name of a Service calls what stands behind it.

use std::collections::BTreeSet;

use bartizan_model::{FlowSpec, Link, Node, Relation, Span, Value};

use super::endpoint::{Endpoint, Expect, endpoints, engine_of_image, expect, of_port, of_port_name, of_scheme};
use super::lower::{Variable, strict_mtls, variables};
use super::object::{Object, list_at, plain_text, port, text_at};
use super::select::{Index, WORKLOAD};

/// Flows that the configuration of the workloads names.
pub(super) fn links(index: &Index<'_>) -> Vec<Link> {
    let mut out = Vec::new();
    for workload in index.objects.iter().filter(|object| object.is_workload()) {
        // One flow per target, protocol and port, however many variables name it.
        let mut seen = BTreeSet::new();
        for variable in variables(workload, index).literals {
            for endpoint in endpoints_of(&variable) {
                if let Some(service) = resolve(&endpoint.host, workload, index) {
                    out.extend(flows(workload, service, &endpoint, &variable, index).into_iter().filter(|link| seen.insert(key(link))));
                }
            }
        }
    }
    out
}

fn key(link: &Link) -> (String, String) {
    let spec = match &link.relation {
        Relation::Flow(spec) => format!("{:?} {:?}", spec.protocol, spec.port),
        _ => String::new(),
    };
    (link.to.as_str().to_owned(), spec)
}

fn endpoints_of(variable: &Variable) -> Vec<Endpoint> {
    // A reference inside the text is no host of this cluster, but its neighbours may be: it stays in as a word with a `$`.
    let Value::Text(text) = &variable.node.value else { return Vec::new() };
    let text = text.to_string();
    let expected = if variable.is_file() || text.trim().contains('\n') { Expect::File } else { expect(&variable.name) };
    endpoints(&text, expected)
}

/// The Service that a host name means to the pods of a workload.
fn resolve<'a>(host: &str, workload: &Object, index: &Index<'a>) -> Option<&'a Object> {
    let labels: Vec<&str> = host.split('.').collect();
    let find = |name: &str, namespace: &str| index.find("Service", namespace, name, &workload.stack);
    match labels.as_slice() {
        [name] => find(name, workload.namespace()),
        [name, namespace] => find(name, namespace).or_else(|| pod_of(name, namespace, workload.namespace(), index)),
        [name, namespace, "svc", ..] => find(name, namespace),
        [pod, name, namespace, "svc", ..] | [pod, name, namespace] => pod_of(pod, name, namespace, index),
        _ => None,
    }
}

/// A pod of a StatefulSet by its own name: `mysql-0.mysql`.
fn pod_of<'a>(pod: &str, service: &str, namespace: &str, index: &Index<'a>) -> Option<&'a Object> {
    let (set, ordinal) = pod.rsplit_once('-')?;
    ordinal.parse::<u32>().ok()?;
    let governs = |object: &&Object| {
        object.kind == "StatefulSet" && object.name == set && text_at(&object.node, "spec.serviceName").as_deref() == Some(service)
    };
    let set = index.all(WORKLOAD, namespace).iter().copied().find(governs)?;
    index.find("Service", namespace, service, &set.stack)
}

fn flows(workload: &Object, service: &Object, endpoint: &Endpoint, variable: &Variable, index: &Index<'_>) -> Vec<Link> {
    let behind = index.behind(service);
    let targets: Vec<&Object> = if behind.is_empty() { vec![service] } else { behind };
    targets
        .into_iter()
        .filter(|target| target.address != workload.address)
        .map(|target| {
            let service_port = service_port(service, endpoint.port);
            let spec = spec(workload, service, target, service_port, endpoint, variable, index);
            Link {
                from: workload.address.clone(),
                to: target.address.clone(),
                relation: Relation::Flow(spec),
                attribute: variable.attribute.clone(),
                span: Some(variable.node.span),
            }
        })
        .collect()
}

/// The entry of a Service's `ports` that a caller means: that of the number, else the only one.
fn service_port(service: &Object, wanted: Option<u16>) -> Option<&Node> {
    let ports = list_at(&service.node, "spec.ports");
    match (wanted, ports) {
        (Some(number), _) => ports.iter().find(|entry| entry.get("port").and_then(port) == Some(number)),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}

fn spec(
    workload: &Object,
    service: &Object,
    target: &Object,
    service_port: Option<&Node>,
    endpoint: &Endpoint,
    variable: &Variable,
    index: &Index<'_>,
) -> FlowSpec {
    let number = endpoint.port.or_else(|| service_port.and_then(|entry| entry.get("port")).and_then(port));
    let (protocol, mut encrypted) = protocol(endpoint.scheme.as_deref(), service_port, target, number);
    if endpoint.tls.is_some() {
        encrypted = endpoint.tls;
    }
    let mut authentication = endpoint.credentials.then(|| "password".to_owned());
    if encrypted != Some(true) && target.is_workload() && strict_mtls(target, index).is_some() {
        encrypted = Some(true);
        authentication = authentication.or_else(|| Some("mtls".to_owned()));
    }
    let kind = if variable.is_environment() {
        "environment variable"
    } else if variable.is_file() {
        "mounted file"
    } else {
        "argument"
    };
    let why = match variable.name.as_str() {
        "" => format!("an {kind} of `{}` names the Service `{}`", workload.name, service.name),
        name => format!("{kind} `{name}` names the Service `{}`", service.name),
    };
    // The port of the pods: that is where security groups and network policies look.
    let port = service_port.and_then(|entry| target_port(entry, target)).or(number);
    FlowSpec { protocol: Some(protocol), port, encrypted, authentication, why }
}

/// What is spoken on a port of a workload: by the caller's scheme, the port's name, the image, the number; `tcp` where nothing tells.
pub(super) fn protocol(scheme: Option<&str>, service_port: Option<&Node>, target: &Object, number: Option<u16>) -> (String, Option<bool>) {
    let by_scheme = scheme.and_then(of_scheme);
    let named = |key: &str| service_port.and_then(|entry| entry.get(key)).and_then(plain_text).and_then(|name| of_port_name(&name));
    let target_number = service_port.and_then(|entry| target_port(entry, target));
    let by_container = target_number.and_then(|number| container_port_name(target, number)).and_then(|name| of_port_name(&name));
    let by_image = || {
        let images = target.pod_spec().map(|pod| pod.at("containers.image")).unwrap_or_default();
        let engine = images.into_iter().find_map(|image| {
            let text = plain_text(image)?;
            engine_of_image(text.split(['@', ':']).next().unwrap_or("")).map(str::to_owned)
        })?;
        // What an engine speaks is known, whether it is set up for TLS is not.
        of_scheme(&engine).map(|(protocol, _)| (protocol, None))
    };
    let found = by_scheme
        .or_else(|| named("appProtocol"))
        .or_else(|| named("name"))
        .or_else(|| named("targetPort"))
        .or(by_container)
        .or_else(by_image)
        .or_else(|| number.and_then(of_port))
        .or_else(|| target_number.and_then(of_port));
    match found {
        Some((protocol, encrypted)) => (protocol.to_owned(), encrypted),
        None => {
            let udp = service_port.and_then(|entry| text_at(entry, "protocol")).is_some_and(|protocol| protocol == "UDP");
            (if udp { "udp" } else { "tcp" }.to_owned(), None)
        }
    }
}

/// The port of the pods that a Service's port leads to.
pub(super) fn target_port(entry: &Node, workload: &Object) -> Option<u16> {
    let target = entry.get("targetPort").or_else(|| entry.get("port"))?;
    if let Some(number) = port(target) {
        return Some(number);
    }
    let name = plain_text(target)?;
    let ports = workload.pod_spec().map(|pod| pod.at("containers.ports[]")).unwrap_or_default();
    ports.into_iter().find(|own| text_at(own, "name").as_deref() == Some(&name)).and_then(|own| own.get("containerPort")).and_then(port)
}

fn container_port_name(workload: &Object, number: u16) -> Option<String> {
    let ports = workload.pod_spec()?.at("containers.ports[]");
    ports.into_iter().find(|own| own.get("containerPort").and_then(port) == Some(number)).and_then(|own| text_at(own, "name"))
}

/// The span of a Service's port, for a reason.
pub(super) fn port_span(service: &Object, entry: Option<&Node>) -> Span {
    entry.and_then(|entry| entry.get("port")).map_or(service.span, |node| node.span)
}
