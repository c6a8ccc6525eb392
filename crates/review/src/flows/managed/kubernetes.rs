//! From outside into a cluster: load balancers of Services, Ingresses and Gateways, and ports of the nodes themselves.

use bartizan_model::{Component, Node, Reason, ReasonKind, Relation, Value};

use super::{Context, Endpoint, reason};
use crate::facts::document::patterns;
use crate::facts::network::{Protocol, covers_internet, parse_range};
use crate::facts::verdict::Verdict;

/// Ingresses, Services and Gateways that AWS makes a load balancer on the internet of.
pub(super) fn balanced(component: &Component) -> Vec<Endpoint> {
    let Some(scheme) = component.setting("scheme").filter(|node| node.value.as_str().as_deref() == Some("internet-facing")) else {
        return Vec::new();
    };
    let ranges = component.setting("source_ranges").map(patterns).unwrap_or_default();
    let ranges: Vec<_> = ranges.iter().flat_map(|text| text.split(',')).filter_map(|text| parse_range(text.trim())).collect();
    let only: Vec<String> =
        if ranges.iter().any(|range| covers_internet(*range)) { Vec::new() } else { ranges.iter().map(ToString::to_string).collect() };
    let why = vec![reason(ReasonKind::Network, "its load balancer faces the internet", Some(scheme.span))];
    let authentication = component.text("authentication").or_else(|| Some("none".to_owned()));
    let endpoint =
        |protocol, port| Endpoint { protocol, port, authentication: authentication.clone(), only: only.clone(), why: why.clone() };
    let encrypted = component.setting("certificate").is_some() || component.flag("tls") == Some(true);
    if component.component_type == "kubernetes.service" {
        return ports_at(component, "port").map(|port| named(port, encrypted, &endpoint)).collect();
    }
    if component.component_type == "kubernetes.gateway" {
        let listeners = component.setting("listeners").map(|node| node.at("port")).unwrap_or_default();
        return listeners.into_iter().filter_map(number).map(|port| named(port, encrypted, &endpoint)).collect();
    }
    let redirected = component.setting("ssl_redirect").is_some();
    if let Some(listeners) = component.text("listen_ports") {
        let found: Vec<Endpoint> = listen_ports(&listeners).into_iter().map(|(protocol, port)| endpoint(protocol, port)).collect();
        return found.into_iter().filter(|found| !(redirected && found.protocol == "http")).collect();
    }
    vec![if encrypted { endpoint("https", 443) } else { endpoint("http", 80) }]
}

fn named(port: u16, encrypted: bool, endpoint: &dyn Fn(&'static str, u16) -> Endpoint) -> Endpoint {
    match port {
        443 => endpoint("https", port),
        80 => endpoint("http", port),
        _ => endpoint(if encrypted { "tls" } else { "tcp" }, port),
    }
}

fn number(node: &Node) -> Option<u16> {
    format!("{}", node.value.as_number()?).parse().ok()
}

fn ports_at(component: &Component, key: &str) -> impl Iterator<Item = u16> {
    let ports = component.setting("ports").map(|node| node.at(key)).unwrap_or_default();
    ports.into_iter().filter_map(number).collect::<Vec<_>>().into_iter()
}

/// `[{"HTTP": 80}, {"HTTPS": 443}]`, as the controller's annotation has it.
fn listen_ports(text: &str) -> Vec<(&'static str, u16)> {
    let mut found = Vec::new();
    for entry in text.split(['{', '}', ',']) {
        let Some((name, port)) = entry.split_once(':') else { continue };
        let Ok(port) = port.trim().parse() else { continue };
        match name.trim().trim_matches('"') {
            "HTTPS" => found.push(("https", port)),
            "HTTP" => found.push(("http", port)),
            _ => {}
        }
    }
    found
}

/// Ports that a component opens on every node: node ports of Services, ports of the host that pods take.
fn node_ports(component: &Component) -> Vec<u16> {
    match component.component_type.as_str() {
        "kubernetes.service" if matches!(component.text("service_type").as_deref(), Some("NodePort" | "LoadBalancer")) => {
            ports_at(component, "nodePort").collect()
        }
        "kubernetes.workload" if component.flag("host_network") == Some(true) => {
            let ports = component.setting("containers").map(|node| node.at("ports")).unwrap_or_default();
            let listed = ports.iter().filter_map(|node| node.value.as_list()).flatten();
            listed.filter_map(|node| number(node).or_else(|| number(node.get("containerPort")?))).collect()
        }
        "kubernetes.workload" => match component.setting("host_ports").map(|node| &node.value) {
            Some(Value::List(items)) => items.iter().filter_map(number).collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Ports of the nodes that the internet reaches: the nodes have public addresses and their groups admit the port.
/// Source: Kubernetes documentation, "Service", type NodePort: every node proxies the port.
pub(super) fn on_nodes(context: &Context<'_>, component: &Component) -> Vec<Endpoint> {
    let ports = node_ports(component);
    if ports.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<Endpoint> = Vec::new();
    for nodes in nodes_of(context, component) {
        let Some(open) = context.from_internet.get(&nodes.address).filter(|open| open.verdict != Verdict::Unknown) else { continue };
        for port in &ports {
            let opening = open.openings.iter().filter(|opening| opening.verdict == Verdict::Yes).find(|opening| {
                matches!(opening.protocol, Protocol::Tcp | Protocol::Any) && opening.from_port <= *port && *port <= opening.to_port
            });
            let Some(opening) = opening.filter(|_| found.iter().all(|known| known.port != *port)) else { continue };
            let mut why: Vec<Reason> = vec![
                reason(ReasonKind::Network, format!("it answers on port {port} of the nodes of `{}`", nodes.address), component.span),
                opening.reason.clone(),
            ];
            why.extend(open.reasons.iter().cloned());
            found.push(Endpoint {
                protocol: "tcp",
                port: *port,
                authentication: Some("none".to_owned()),
                only: opening.only.map(|range| range.to_string()).into_iter().collect(),
                why,
            });
        }
    }
    found
}

/// The node groups of the cluster that a component runs in; where the plan does not tell which, those of the only cluster.
fn nodes_of<'a>(context: &Context<'a>, component: &Component) -> Vec<&'a Component> {
    let links = context.index.from(&component.address).iter().filter(|link| link.relation == Relation::PartOf);
    let cluster = links.filter_map(|link| context.index.component(&link.to)).find(|target| target.component_type == "eks.cluster");
    match cluster {
        Some(cluster) => {
            let parts = context.index.follow_back(&cluster.address, "part_of");
            parts.into_iter().filter(|part| part.component_type == "eks.node_group").collect()
        }
        None => Vec::new(),
    }
}
