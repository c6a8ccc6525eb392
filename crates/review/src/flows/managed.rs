//! From outside to managed endpoints that have no network interface of ours: APIs, distributions, function URLs, the EKS endpoint, user pools.
//! And from the people who operate the system to what only they can feed.

use std::collections::BTreeSet;

use bartizan_model::{Component, Confidence, Kind, Reason, ReasonKind, Value};

mod kubernetes;

use super::entities::Entities;
use super::integrations::protocol_of_port;
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
                    encrypted: if endpoint.protocol == "tcp" {
                        None
                    } else {
                        Some(!matches!(endpoint.protocol, "http" | "mysql" | "postgresql"))
                    },
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
    if undecided(component).is_some() {
        return Vec::new();
    }
    let network = |text: &str, setting: &str| {
        let span = component.setting(setting).map(|node| node.span).or(component.span);
        reason(ReasonKind::Network, text, span)
    };
    match component.component_type.as_str() {
        "apigateway.rest_api" | "apigateway.api" => api(context, component),
        "eks.cluster" => eks(component),
        "lambda.function" => match component.text("url_authorization_type").as_deref() {
            Some("NONE") => function_url(component, network("its function URL asks for no authorization", "url_authorization_type")),
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
        "transfer.server" => {
            let kind = component.text("endpoint_type").unwrap_or_else(|| "PUBLIC".to_owned());
            if kind == "PUBLIC" {
                plain("sftp", 22, Some("password or key"), network("its endpoint is public", "endpoint_type"))
            } else {
                Vec::new()
            }
        }
        "globalaccelerator.accelerator" if component.flag("enabled") != Some(false) => {
            accelerator(context, component, &network("its addresses are on the internet", "enabled"))
        }
        "amplify.app" => plain("https", 443, Some("none"), network("it is published on the internet", "name")),
        "elasticbeanstalk.environment" if component.text("load_balancer_scheme").as_deref() != Some("internal") => {
            plain("http", 80, Some("none"), network("its environment answers on the internet", "cname"))
        }
        "vpc.client_vpn_endpoint" => {
            plain("openvpn", 443, Some("certificate"), network("clients connect from the internet", "authentication_options"))
        }
        "kubernetes.ingress" | "kubernetes.gateway" => kubernetes::balanced(component),
        "kubernetes.service" => {
            let balanced = kubernetes::balanced(component);
            if balanced.is_empty() { kubernetes::on_nodes(context, component) } else { balanced }
        }
        "kubernetes.workload" => kubernetes::on_nodes(context, component),
        "lightsail.instance" => lightsail(component),
        "lightsail.database" if component.flag("publicly_accessible") == Some(true) => {
            let port = context.index.services.api(component).port.unwrap_or(3306);
            let protocol = if port == 5432 { "postgresql" } else { "mysql" };
            plain(protocol, port, Some("password"), network("it has a public address", "publicly_accessible"))
        }
        "lightsail.load_balancer" => plain("http", 80, Some("none"), network("it answers on the internet", "instance_port")),
        "lightsail.container_service" if component.flag("is_disabled") != Some(true) => {
            plain("https", 443, Some("none"), network("its containers answer on the internet", "is_disabled"))
        }
        "s3.bucket" if component.setting("website_index_document").is_some() && is_public(context, component) => {
            plain("http", 80, Some("none"), network("its website endpoint answers in the clear", "website_index_document"))
        }
        _ => Vec::new(),
    }
}

fn is_public(context: &Context<'_>, component: &Component) -> bool {
    context
        .policies
        .get(&component.address)
        .is_some_and(|admits| !admits.public.is_empty() && admits.in_force == crate::facts::verdict::Verdict::Yes)
}

/// The firewall of an instance opens these ports to everyone unless others are given. Source: Lightsail guide, "Instance firewalls".
const LIGHTSAIL_PORTS: [(&str, u16); 2] = [("ssh", 22), ("http", 80)];

fn lightsail(component: &Component) -> Vec<Endpoint> {
    let stated = component.setting("open_ports").filter(|node| node.value.as_list().is_none_or(|list| !list.is_empty()));
    let Some(node) = stated else {
        let why =
            || reason(ReasonKind::Default, "an instance has a public address, and its firewall opens this port by default", component.span);
        return LIGHTSAIL_PORTS.into_iter().flat_map(|(protocol, port)| plain(protocol, port, None, why())).collect();
    };
    let mut found = Vec::new();
    for entry in node.value.as_list().unwrap_or(&[]) {
        let port = |key: &str| format!("{}", entry.get(key)?.value.as_number()?).parse::<u16>().ok();
        let (Some(from), Some(to)) = (port("from_port"), port("to_port")) else { continue };
        let ranges: Vec<_> = entry.get("cidr_blocks").map(patterns).unwrap_or_default();
        let ranges: Vec<_> = ranges.iter().filter_map(|text| parse_range(text)).collect();
        let open = ranges.is_empty() || ranges.iter().any(|range| covers_internet(*range));
        let only = if open { Vec::new() } else { ranges.iter().map(ToString::to_string).collect() };
        // A range of ports is drawn by its two ends.
        for port in [from, to].into_iter().take(if from == to { 1 } else { 2 }) {
            let why = vec![reason(ReasonKind::Network, format!("its firewall opens port {port}"), Some(entry.span))];
            found.push(Endpoint { protocol: protocol_of_port(port), port, authentication: None, only: only.clone(), why });
        }
    }
    found
}

/// A URL without authorization answers only whom a statement for everyone admits.
/// Source: Lambda guide, "Control access to Lambda function URLs": URLs made since October 2025 need both actions.
fn function_url(component: &Component, why: Reason) -> Vec<Endpoint> {
    let statements = component.setting("permissions").and_then(|node| node.value.as_list()).unwrap_or(&[]);
    let open = |action: &str| {
        statements.iter().find(|statement| {
            let text = |key: &str| statement.get(key).and_then(|node| node.value.as_str()).map(std::borrow::Cow::into_owned);
            text("principal").as_deref() == Some("*") && text("action").is_some_and(|own| own.eq_ignore_ascii_case(action))
        })
    };
    let mut reasons = vec![why];
    match (open("lambda:InvokeFunctionUrl"), open("lambda:InvokeFunction")) {
        (Some(first), Some(second)) => {
            reasons.push(reason(ReasonKind::Permission, "its resource policy lets everyone invoke the URL", Some(first.span)));
            reasons.push(reason(ReasonKind::Permission, "its resource policy lets everyone invoke the function", Some(second.span)));
        }
        (first, second) => {
            let text =
                "the URL's statement for everyone comes with it; a URL made since October 2025 needs one for lambda:InvokeFunction too";
            reasons.push(reason(ReasonKind::Default, text, first.or(second).map(|node| node.span)));
        }
    }
    vec![Endpoint { protocol: "https", port: 443, authentication: Some("none".to_owned()), only: Vec::new(), why: reasons }]
}

/// The ports of an accelerator's listeners; where none is in the plan, the usual one.
fn accelerator(context: &Context<'_>, component: &Component, why: &Reason) -> Vec<Endpoint> {
    let mut found = Vec::new();
    for listener in context.index.follow_back(&component.address, "part_of") {
        let Some(ranges) = listener.setting("port_ranges") else { continue };
        for node in ranges.at("from_port") {
            if let Some(port) = node.value.as_number().and_then(|number| format!("{number}").parse::<u16>().ok()) {
                let span = Some(node.span);
                let listens = reason(ReasonKind::Integration, format!("it listens on port {port}"), span);
                found.push(Endpoint {
                    protocol: "tcp",
                    port,
                    authentication: Some("none".to_owned()),
                    only: Vec::new(),
                    why: vec![listens, why.clone()],
                });
            }
        }
    }
    if found.is_empty() { plain("tcp", 443, Some("none"), why.clone()) } else { found }
}

/// What the plan leaves open of a managed endpoint: whether the internet reaches it at all, with the setting that decides.
pub(crate) fn undecided(component: &Component) -> Option<Reason> {
    let (setting, what) = match component.component_type.as_str() {
        "eks.cluster" if component.setting("endpoint_public_access").is_some_and(|node| node.value.is_unknown()) => {
            ("endpoint_public_access", "whether its API server has a public endpoint")
        }
        "eks.cluster" if component.flag("endpoint_public_access") != Some(false) => ("public_access_cidrs", "whom its API server answers"),
        "lambda.function" => ("url_authorization_type", "how its function URL authorizes callers"),
        "apigateway.rest_api" => ("endpoint_types", "whether its endpoint is private"),
        "appsync.graphql_api" => ("visibility", "whether its endpoint is private"),
        "apprunner.service" => ("is_publicly_accessible", "whether it answers on the internet"),
        "transfer.server" => ("endpoint_type", "whether its endpoint is public"),
        "lightsail.database" => ("publicly_accessible", "whether it has a public address"),
        "kubernetes.ingress" | "kubernetes.gateway" | "kubernetes.service" => ("scheme", "whether its load balancer faces the internet"),
        _ => return None,
    };
    let node = component.setting(setting)?;
    let open = match &node.value {
        Value::Unknown(unknown) => Some(unknown.why.to_string()),
        Value::Text(text) if text.known().is_none() => Some(format!("`{text}` is not known")),
        Value::List(items)
            if !items.is_empty()
                && items.iter().all(|item| item.value.is_unknown() || item.value.as_text().is_some_and(|text| text.known().is_none())) =>
        {
            items.first().map(|_| "its values are not known".to_owned())
        }
        _ => None,
    }?;
    Some(reason(ReasonKind::Network, format!("{what} is not known: {open}"), Some(node.span)))
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
