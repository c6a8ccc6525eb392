//! From outside to managed endpoints that have no network interface of ours: APIs, distributions, function URLs, the EKS endpoint, user pools.
//! And from the people who operate the system to what only they can feed.

use std::collections::BTreeSet;

use bartizan_model::{Component, Confidence, Kind, Reason, ReasonKind};

use super::entities::Entities;
use super::set::{FlowSet, Found};
use super::{Context, reason};
use crate::facts::document::patterns;
use crate::facts::network::{covers_internet, parse_range};
use crate::facts::read::{first_setting, texts};

/// A managed endpoint on the internet.
struct Endpoint {
    protocol: &'static str,
    port: u16,
    authentication: Option<String>,
    /// Networks that it answers; empty: everyone.
    only: Vec<String>,
    why: Vec<Reason>,
}

/// Adds flows to managed endpoints, and the operator's.
pub(super) fn add(context: &Context<'_>, entities: &mut Entities, set: &mut FlowSet) {
    for component in context.index.architecture.components.values() {
        for endpoint in public_endpoints(context, component) {
            let callers = if endpoint.only.is_empty() {
                vec![entities.internet()]
            } else {
                endpoint.only.iter().take(8).map(|range| entities.network(range)).collect()
            };
            for from in callers {
                set.add(Found {
                    from,
                    to: component.address.clone(),
                    protocol: Some(endpoint.protocol.to_owned()),
                    port: Some(endpoint.port),
                    encrypted: if endpoint.protocol == "tcp" { None } else { Some(endpoint.protocol != "http") },
                    authentication: endpoint.authentication.clone(),
                    confidence: Confidence::Reachable,
                    why: endpoint.why.clone(),
                });
            }
        }
    }
    registries(context, entities, set);
}

fn plain(protocol: &'static str, port: u16, authentication: Option<&str>, why: Reason) -> Vec<Endpoint> {
    vec![Endpoint { protocol, port, authentication: authentication.map(str::to_owned), only: Vec::new(), why: vec![why] }]
}

fn public_endpoints(context: &Context<'_>, component: &Component) -> Vec<Endpoint> {
    let network = |text: &str, setting: &str| {
        let span = component.setting(setting).map(|node| node.span).or(component.span);
        reason(ReasonKind::Network, text, span)
    };
    match component.component_type.as_str() {
        "apigateway.rest_api" | "apigateway.api" => api(context, component),
        "eks.cluster" => eks(component),
        "lambda.function" => match component.text("url_authorization_type").as_deref() {
            Some("NONE") => {
                plain("https", 443, Some("none"), network("its function URL asks for no authorization", "url_authorization_type"))
            }
            Some("AWS_IAM") => {
                plain("https", 443, Some("iam"), network("its function URL asks for IAM signatures", "url_authorization_type"))
            }
            _ => Vec::new(),
        },
        "cloudfront.distribution" => distribution(component),
        "cognito.user_pool" => plain("https", 443, Some("none"), network("users sign in and sign up through its endpoint", "name")),
        "appsync.graphql_api" => {
            if component.text("visibility").as_deref() == Some("PRIVATE") {
                return Vec::new();
            }
            let authentication = component.text("authentication_type").map(|kind| kind.to_ascii_lowercase());
            plain("https", 443, authentication.as_deref(), network("its endpoint is on the internet", "authentication_type"))
        }
        "apprunner.service" if component.flag("is_publicly_accessible") != Some(false) => {
            plain("https", 443, Some("none"), network("it answers on the internet", "is_publicly_accessible"))
        }
        "msk.cluster" if component.text("public_access_type").as_deref() == Some("SERVICE_PROVIDED_EIPS") => {
            plain("kafka", 9198, Some("iam"), network("its brokers have public addresses", "public_access_type"))
        }
        "transfer.server" => {
            let kind = component.text("endpoint_type").unwrap_or_else(|| "PUBLIC".to_owned());
            if kind == "PUBLIC" {
                plain("sftp", 22, Some("password or key"), network("its endpoint is public", "endpoint_type"))
            } else {
                Vec::new()
            }
        }
        "globalaccelerator.accelerator" => plain("tcp", 443, Some("none"), network("its addresses are on the internet", "enabled")),
        "amplify.app" => plain("https", 443, Some("none"), network("it is published on the internet", "name")),
        "elasticbeanstalk.environment" if component.text("load_balancer_scheme").as_deref() != Some("internal") => {
            plain("http", 80, Some("none"), network("its environment answers on the internet", "cname"))
        }
        "vpc.client_vpn_endpoint" => {
            plain("openvpn", 443, Some("certificate"), network("clients connect from the internet", "authentication_options"))
        }
        "kubernetes.ingress" | "kubernetes.service" => kubernetes(component),
        "s3.bucket" if component.setting("website_index_document").is_some() && is_public(context, component) => {
            plain("http", 80, Some("none"), network("its website endpoint answers in the clear", "website_index_document"))
        }
        _ => Vec::new(),
    }
}

/// Ingresses and Services that AWS makes a load balancer on the internet of.
fn kubernetes(component: &Component) -> Vec<Endpoint> {
    let Some(scheme) = component.setting("scheme").filter(|node| node.value.as_str().as_deref() == Some("internet-facing")) else {
        return Vec::new();
    };
    let ranges = component.setting("source_ranges").map(patterns).unwrap_or_default();
    let ranges: Vec<_> = ranges.iter().flat_map(|text| text.split(',')).filter_map(parse_range).collect();
    let only: Vec<String> =
        if ranges.iter().any(|range| covers_internet(*range)) { Vec::new() } else { ranges.iter().map(ToString::to_string).collect() };
    let why = vec![reason(ReasonKind::Network, "its load balancer faces the internet", Some(scheme.span))];
    let authentication = component.text("authentication").or_else(|| Some("none".to_owned()));
    let endpoint =
        |protocol, port| Endpoint { protocol, port, authentication: authentication.clone(), only: only.clone(), why: why.clone() };
    let encrypted = component.setting("certificate").is_some() || component.flag("tls") == Some(true);
    if component.component_type == "kubernetes.service" {
        let ports = component.setting("ports").map(|node| node.at("port")).unwrap_or_default();
        let ports = ports.into_iter().filter_map(|node| format!("{}", node.value.as_number()?).parse::<u16>().ok());
        return ports
            .map(|port| match port {
                443 => endpoint("https", port),
                80 => endpoint("http", port),
                _ => endpoint(if encrypted { "tls" } else { "tcp" }, port),
            })
            .collect();
    }
    let redirected = component.setting("ssl_redirect").is_some();
    if let Some(listeners) = component.text("listen_ports") {
        let found: Vec<Endpoint> = listen_ports(&listeners).into_iter().map(|(protocol, port)| endpoint(protocol, port)).collect();
        return found.into_iter().filter(|found| !(redirected && found.protocol == "http")).collect();
    }
    vec![if encrypted { endpoint("https", 443) } else { endpoint("http", 80) }]
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

fn is_public(context: &Context<'_>, component: &Component) -> bool {
    context
        .policies
        .get(&component.address)
        .is_some_and(|admits| !admits.public.is_empty() && admits.in_force == crate::facts::verdict::Verdict::Yes)
}

fn eks(component: &Component) -> Vec<Endpoint> {
    let access = component.setting("endpoint_public_access");
    if access.is_some_and(|node| node.value.as_bool() == Some(false) || node.value.is_unknown()) {
        return Vec::new();
    }
    let mut why =
        vec![reason(ReasonKind::Network, "its API server has a public endpoint", access.map(|node| node.span).or(component.span))];
    let mut only = Vec::new();
    if let Some(node) = component.setting("public_access_cidrs") {
        let ranges: Vec<_> = patterns(node).iter().filter_map(|text| parse_range(text)).collect();
        let limited = texts(node).next().is_none() && node.value.is_unknown() || !ranges.iter().any(|range| covers_internet(*range));
        if limited && (!ranges.is_empty() || node.value.is_unknown()) {
            only = ranges.iter().map(ToString::to_string).collect();
            if only.is_empty() {
                return Vec::new();
            }
        }
        why.push(reason(ReasonKind::Network, "public_access_cidrs says who is answered", Some(node.span)));
    }
    vec![Endpoint { protocol: "https", port: 443, authentication: Some("iam".to_owned()), only, why }]
}

fn distribution(component: &Component) -> Vec<Endpoint> {
    if component.flag("enabled") == Some(false) {
        return Vec::new();
    }
    let span = component.span;
    let mut found = plain("https", 443, Some("none"), reason(ReasonKind::Network, "the distribution answers on the internet", span));
    let mut clear = None;
    for setting in ["viewer_protocol_policy", "ordered_viewer_protocol_policies"] {
        if let Some(node) = component.setting(setting) {
            node.for_each_text(&mut |text, at| {
                if text.known().as_deref() == Some("allow-all") {
                    clear = Some(at.span);
                }
            });
        }
    }
    if clear.is_some() {
        found.extend(plain("http", 80, Some("none"), reason(ReasonKind::Network, "viewers may use plain HTTP (allow-all)", clear)));
    }
    found
}

fn api(context: &Context<'_>, component: &Component) -> Vec<Endpoint> {
    let private = component.setting("endpoint_types").is_some_and(|node| patterns(node).iter().any(|kind| kind == "PRIVATE"));
    if private {
        return Vec::new();
    }
    let disabled = component.flag("disable_execute_api_endpoint") == Some(true);
    let domains = context.index.follow_back(&component.address, "serves");
    if disabled && domains.is_empty() {
        return Vec::new();
    }
    let admits = context.policies.get(&component.address);
    // A resource policy that admits nobody at large keeps the internet out.
    if let Some(admits) = admits
        && let Some(document) = &admits.document
        && document.complete
        && !document.statements.is_empty()
        && admits.public.is_empty()
    {
        return Vec::new();
    }
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut span = None;
    for part in context.index.follow_back(&component.address, "part_of") {
        let setting = match part.component_type.as_str() {
            "apigateway.method" if part.text("http_method").as_deref() != Some("OPTIONS") => "authorization",
            "apigateway.route" => "authorization_type",
            _ => continue,
        };
        let kind = part.text(setting).unwrap_or_else(|| "NONE".to_owned());
        let name = match kind.as_str() {
            "NONE" => "none",
            "AWS_IAM" => "iam",
            "CUSTOM" => "authorizer",
            "JWT" => "jwt",
            "COGNITO_USER_POOLS" => "cognito",
            _ => continue,
        };
        if name == "none" && span.is_none() {
            span = first_setting(part, &[setting]).map(|node| node.span).or(part.span);
        }
        found.insert(name.to_owned());
    }
    // One open method is a way in, whatever guards the others.
    let authentication =
        if found.contains("none") { Some("none".to_owned()) } else { found.into_iter().reduce(|all, one| format!("{all}, {one}")) };
    let text = match authentication.as_deref() {
        Some("none") => "it answers on the internet, and some of its methods ask for no authorization".to_owned(),
        Some(kinds) => format!("it answers on the internet; callers prove themselves by {kinds}"),
        None => "it answers on the internet".to_owned(),
    };
    let protocol = if component.text("protocol_type").as_deref() == Some("WEBSOCKET") { "wss" } else { "https" };
    let why = reason(ReasonKind::Network, text, span.or(component.span));
    plain(protocol, 443, authentication.as_deref(), why)
}

/// Images come into a registry only by a push; where nothing in the plan pushes, people or their pipeline do.
fn registries(context: &Context<'_>, entities: &mut Entities, set: &mut FlowSet) {
    let builds = |address| context.index.component(address).is_some_and(|from| context.index.services.has_any(from, &["build"]));
    let pushed: BTreeSet<_> = set.values().filter(|flow| builds(&flow.from)).map(|flow| flow.to.clone()).collect();
    for component in context.index.architecture.components.values() {
        if component.kind == Kind::Supporting || component.component_type != "ecr.repository" || pushed.contains(&component.address) {
            continue;
        }
        let why =
            vec![reason(ReasonKind::Default, "images come in by a push, and nothing in the plan pushes: operators do", component.span)];
        let from = entities.operator();
        set.add(Found {
            from,
            to: component.address.clone(),
            protocol: Some("https".to_owned()),
            port: Some(443),
            encrypted: Some(true),
            authentication: Some("iam".to_owned()),
            confidence: Confidence::Reachable,
            why,
        });
    }
}
