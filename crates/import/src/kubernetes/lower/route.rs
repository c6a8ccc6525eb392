//! What lets traffic into pods: Services, Ingresses, Gateways and routes.

use bartizan_model::{Kind, Node, Value};

use super::super::object::{Object, list_at, plain_text, text_at};
use super::super::select::Index;
use super::{Lowered, Settings, flag, list};

/// Prefix of the annotations of the AWS Load Balancer Controller on Ingresses.
const ALB: &str = "alb.ingress.kubernetes.io";
/// Prefix of its annotations, and the cloud provider's, on Services.
const NLB: &str = "service.beta.kubernetes.io/aws-load-balancer";

/// How a Service is reached.
pub(in super::super) fn service_type(object: &Object) -> String {
    text_at(&object.node, "spec.type").unwrap_or_else(|| "ClusterIP".to_owned())
}

/// True for Services that stand on their own in a diagram: they are reached from outside the cluster, lead out of it, or nothing behind them is known.
pub(in super::super) fn service_is_element(object: &Object, index: &Index<'_>) -> bool {
    service_type(object) != "ClusterIP" || index.behind(object).is_empty()
}

pub(super) fn service(object: &Object, index: &Index<'_>) -> Lowered {
    let mut settings = Settings::new(object);
    let kind = service_type(object);
    settings.at_or("service_type", &object.node, "spec.type", Value::Text("ClusterIP".into()));
    settings.put("ports", list(list_at(&object.node, "spec.ports").to_vec(), object.span));
    settings.at("selector", &object.node, "spec.selector");
    settings.at("external_name", &object.node, "spec.externalName");
    settings.at("source_ranges", &object.node, "spec.loadBalancerSourceRanges");
    if let Some(ranges) = object.annotation(&format!("{NLB}-source-ranges")) {
        settings.put("source_ranges", split(ranges));
    }
    if kind == "LoadBalancer" {
        settings.put("scheme", service_scheme(object));
        settings.put("load_balancer_type", service_balancer(object));
        settings.annotation_or("certificate", object, &format!("{NLB}-ssl-cert"), Value::Null);
        settings.annotation_or("security_groups", object, &format!("{NLB}-security-groups"), Value::Null);
        settings.annotation_or("attributes", object, &format!("{NLB}-attributes"), Value::Null);
    }
    let kind = if service_is_element(object, index) { Kind::Process } else { Kind::Supporting };
    Lowered { component_type: "kubernetes.service", kind, settings }
}

/// `internet-facing` or `internal`.
fn service_scheme(object: &Object) -> Node {
    let text = |text: &str, node: &Node| Node::text(text, node.span);
    if let Some(scheme) = object.annotation(&format!("{NLB}-scheme")) {
        return scheme.clone();
    }
    if let Some(internal) = object.annotation(&format!("{NLB}-internal")) {
        let internal_says = plain_text(internal).is_some_and(|value| matches!(value.as_str(), "true" | "0.0.0.0/0"));
        return text(if internal_says { "internal" } else { "internet-facing" }, internal);
    }
    let own_controller = text_at(&object.node, "spec.loadBalancerClass").is_some()
        || object.annotation(&format!("{NLB}-type")).and_then(plain_text).is_some_and(|kind| kind == "external" || kind == "nlb-ip");
    // The AWS Load Balancer Controller makes internal balancers unless told otherwise, the cloud provider internet-facing ones.
    Node::text(if own_controller { "internal" } else { "internet-facing" }, object.span)
}

/// `network` or `classic`.
fn service_balancer(object: &Object) -> Node {
    let class = object.node.first_at("spec.loadBalancerClass");
    match (class, object.annotation(&format!("{NLB}-type"))) {
        (Some(class), _) => Node::text("network", class.span),
        (None, Some(kind)) => Node::text("network", kind.span),
        (None, None) => Node::text("classic", object.span),
    }
}

/// A comma-separated annotation as a list.
fn split(node: &Node) -> Node {
    let Some(text) = node.value.as_str() else { return node.clone() };
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    Node::new(Value::List(items.map(|item| Node::text(item, node.span)).collect()), node.span)
}

/// True where an Ingress is made into an ALB by the AWS Load Balancer Controller or EKS Auto Mode.
fn is_alb(object: &Object) -> bool {
    let class =
        object.node.first_at("spec.ingressClassName").or_else(|| object.annotation("kubernetes.io/ingress.class")).and_then(plain_text);
    class.is_some_and(|class| class.contains("alb"))
        || object
            .node
            .first_at("metadata.annotations")
            .and_then(|node| node.value.as_map())
            .is_some_and(|map| map.keys().any(|key| key.starts_with(ALB)))
}

pub(super) fn ingress(object: &Object) -> Lowered {
    let mut settings = Settings::new(object);
    let class = object.node.first_at("spec.ingressClassName").or_else(|| object.annotation("kubernetes.io/ingress.class"));
    settings.put("class", class.cloned().unwrap_or_else(|| Node::new(Value::Null, object.span)));
    let hosts: Vec<Node> = object.node.at("spec.rules.host").into_iter().filter(|host| !host.value.is_null()).cloned().collect();
    settings.put("hosts", list(hosts, object.span));
    settings.put("tls", ingress_tls(object));
    let mut annotation = |name: &str, key: &str, default: Value| settings.annotation_or(name, object, &format!("{ALB}/{key}"), default);
    if is_alb(object) {
        annotation("scheme", "scheme", Value::Text("internal".into()));
        annotation("target_type", "target-type", Value::Text("instance".into()));
        annotation("certificate", "certificate-arn", Value::Null);
        annotation("web_acl", "wafv2-acl-arn", Value::Null);
        annotation("shield", "shield-advanced-protection", Value::Null);
        annotation("ssl_policy", "ssl-policy", Value::Null);
        annotation("ssl_redirect", "ssl-redirect", Value::Null);
        annotation("listen_ports", "listen-ports", Value::Null);
        annotation("authentication", "auth-type", Value::Text("none".into()));
        annotation("source_ranges", "inbound-cidrs", Value::Null);
        annotation("security_groups", "security-groups", Value::Null);
        annotation("attributes", "load-balancer-attributes", Value::Null);
        annotation("group", "group.name", Value::Null);
        settings.value("load_balancer_type", Value::Text("application".into()));
    } else {
        // Which load balancer stands before an in-cluster controller is decided where the controller is installed.
        let why = "the ingress controller's own Service decides whether the internet reaches it";
        settings.value("scheme", Value::unresolved(why));
        settings.annotation_or("source_ranges", object, "nginx.ingress.kubernetes.io/whitelist-source-range", Value::Null);
        settings.annotation_or("ssl_redirect", object, "nginx.ingress.kubernetes.io/ssl-redirect", Value::Null);
        settings.annotation_or("authentication", object, "nginx.ingress.kubernetes.io/auth-type", Value::Null);
    }
    Lowered { component_type: "kubernetes.ingress", kind: Kind::Process, settings }
}

/// True where clients can only come over TLS or may: a certificate, a TLS section, or a listener for HTTPS.
fn ingress_tls(object: &Object) -> Node {
    let listens = object
        .annotation(&format!("{ALB}/listen-ports"))
        .filter(|ports| plain_text(ports).is_some_and(|text| text.to_ascii_uppercase().contains("HTTPS")));
    let section = object.node.first_at("spec.tls").filter(|tls| tls.value.as_list().is_some_and(|items| !items.is_empty()));
    let found = section.or_else(|| object.annotation(&format!("{ALB}/certificate-arn"))).or(listens);
    Node::new(Value::Bool(found.is_some()), found.map_or(object.span, |node| node.span))
}

pub(super) fn gateway(object: &Object, index: &Index<'_>) -> Lowered {
    let mut settings = Settings::new(object);
    let class = object.at("spec.gatewayClassName");
    let class_name = plain_text(&class).unwrap_or_default();
    settings.put("class", class);
    let listeners = if object.group == "networking.istio.io" { "spec.servers" } else { "spec.listeners" };
    settings.put("listeners", list(list_at(&object.node, listeners).to_vec(), object.span));
    settings.put("tls", gateway_tls(object));
    let class_object = index.of_kind("GatewayClass").find(|class| class.name == class_name);
    let controller = class_object.and_then(|class| text_at(&class.node, "spec.controllerName")).unwrap_or_default();
    let of_aws = controller.starts_with("gateway.k8s.aws/");
    let configuration = of_aws.then(|| balancer_configuration(object, class_object, index)).flatten();
    let annotated = object.node.first_at("spec.infrastructure.annotations").and_then(|map| map.get(&format!("{NLB}-scheme")));
    // A Lattice service network is reached through VPC associations only.
    let scheme = if controller.contains("gateway-api-controller") || class_name.contains("lattice") {
        Node::new(Value::Text("internal".into()), object.span)
    } else if of_aws {
        // The AWS controller makes internal balancers unless its configuration says otherwise.
        let stated = configuration.and_then(|configuration| configuration.node.first_at("spec.scheme"));
        stated.cloned().unwrap_or_else(|| Node::text("internal", object.span))
    } else if let Some(annotated) = annotated {
        annotated.clone()
    } else {
        Node::new(Value::unresolved("the gateway's class and its infrastructure decide whether the internet reaches it"), object.span)
    };
    settings.put("scheme", scheme);
    let ranges = configuration.and_then(|configuration| configuration.node.first_at("spec.sourceRanges"));
    settings.put("source_ranges", ranges.cloned().unwrap_or_else(|| Node::new(Value::Null, object.span)));
    settings.at("addresses", &object.node, "spec.addresses");
    Lowered { component_type: "kubernetes.gateway", kind: Kind::Process, settings }
}

/// What configures the load balancer of a Gateway: named by the Gateway itself, else by its class.
fn balancer_configuration<'a>(gateway: &Object, class: Option<&Object>, index: &Index<'a>) -> Option<&'a Object> {
    let own = gateway.node.first_at("spec.infrastructure.parametersRef");
    let of_class = class.and_then(|class| class.node.first_at("spec.parametersRef"));
    own.into_iter().chain(of_class).find_map(|reference| {
        let name = text_at(reference, "name")?;
        let namespace = text_at(reference, "namespace").unwrap_or_else(|| gateway.namespace().to_owned());
        index.find("LoadBalancerConfiguration", &namespace, &name, &gateway.stack)
    })
}

/// True where every listener ends TLS.
fn gateway_tls(object: &Object) -> Node {
    let listeners = object.node.at("spec.listeners[]").into_iter().chain(object.node.at("spec.servers[]"));
    let mut tls = None;
    for listener in listeners {
        let protocol = listener.get("protocol").or_else(|| listener.first_at("port.protocol"));
        let encrypted = protocol.and_then(plain_text).is_some_and(|name| matches!(name.to_ascii_uppercase().as_str(), "HTTPS" | "TLS"));
        tls = Some(tls.unwrap_or(true) && encrypted);
    }
    Node::new(Value::Bool(tls.unwrap_or(false)), object.node.first_at("spec.listeners").map_or(object.span, |node| node.span))
}

pub(super) fn route(object: &Object) -> Lowered {
    let mut settings = Settings::new(object);
    settings.value("route_kind", Value::Text(object.kind.as_str().into()));
    let hosts = if object.kind == "VirtualService" { "spec.hosts" } else { "spec.hostnames" };
    settings.at("hosts", &object.node, hosts);
    settings.put("parents", list(list_at(&object.node, "spec.parentRefs").to_vec(), object.span));
    if let Some(external) = object.annotation("external-dns.alpha.kubernetes.io/hostname") {
        settings.put("hosts", flag(external));
    }
    Lowered { component_type: "kubernetes.route", kind: Kind::Supporting, settings }
}
