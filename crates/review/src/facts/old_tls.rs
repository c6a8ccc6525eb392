//! Endpoints that still speak TLS 1.0 or 1.1.

use bartizan_model::{Component, Span};

use super::sink::{Sink, text};
use crate::flows::Context;

/// What a listener without a policy of its own gets from the API.
/// Source: ELB API reference, `CreateListener`, `SslPolicy`; classic balancers: "Predefined SSL security policies", default.
const ELB_DEFAULT: &str = "ELBSecurityPolicy-2016-08";

/// Beginnings of policies of balancers that accept TLS 1.0 or 1.1.
/// Source: ELB user guides, "Security policies for your Application Load Balancer", "Predefined SSL security policies for Classic Load Balancers".
const OLD_ELB: &[&str] = &[
    "ELBSecurityPolicy-20",
    "ELBSecurityPolicy-TLS-1-0-",
    "ELBSecurityPolicy-TLS-1-1-",
    "ELBSecurityPolicy-FS-2018-",
    "ELBSecurityPolicy-FS-1-1-",
    "ELBSecurityPolicy-TLS13-1-0-",
    "ELBSecurityPolicy-TLS13-1-1-",
];

/// Least versions of CloudFront that are older than TLS 1.2; the first is what a distribution with a certificate of its own gets.
/// Source: CloudFront developer guide, "Supported protocols and ciphers between viewers and CloudFront".
const OLD_CLOUDFRONT: &[&str] = &["TLSv1", "TLSv1_2016", "TLSv1.1_2016", "SSLv3"];

/// Sets `old_tls`.
pub(super) fn add(context: &Context<'_>, sink: &mut Sink) {
    for component in context.index.architecture.components.values() {
        match component.component_type.as_str() {
            "elb.listener" if matches!(component.text("protocol").as_deref(), Some("HTTPS" | "TLS")) => {
                judge(component, "ssl_policy", Some(ELB_DEFAULT), is_old_elb, sink);
            }
            "elb.load_balancer" if component.text("load_balancer_type").as_deref() == Some("classic") && terminates(component) => {
                judge(component, "ssl_policy", Some(ELB_DEFAULT), is_old_elb, sink);
            }
            // With CloudFront's own certificate the least version cannot be chosen.
            "cloudfront.distribution" if component.setting("certificate_arn").is_some() => {
                judge(component, "minimum_protocol_version", OLD_CLOUDFRONT.first().copied(), |name| OLD_CLOUDFRONT.contains(&name), sink);
            }
            "apigateway.domain_name" | "apigateway.api_domain_name" => {
                judge(component, "security_policy", None, |name| name == "TLS_1_0", sink);
            }
            "opensearch.domain" => judge(component, "tls_security_policy", None, |name| name.starts_with("Policy-Min-TLS-1-0-"), sink),
            _ => {}
        }
    }
}

fn judge(component: &Component, setting: &str, default: Option<&str>, is_old: impl Fn(&str) -> bool, sink: &mut Sink) {
    let node = component.setting(setting);
    let name = match node {
        None => default.map(str::to_owned),
        Some(node) => match node.value.as_str() {
            Some(name) => Some(name.into_owned()),
            None => return sink.unknown(&component.address, "old_tls", "the TLS policy is not known", Some(node.span)),
        },
    };
    if let Some(name) = name.filter(|name| is_old(name)) {
        let span: Option<Span> = node.map(|node| node.span).or(component.span);
        sink.set(&component.address, "old_tls", text(name), span);
    }
}

fn is_old_elb(name: &str) -> bool {
    OLD_ELB.iter().any(|old| name.starts_with(old))
}

/// A classic balancer that ends TLS on one of its listeners.
fn terminates(balancer: &Component) -> bool {
    let protocols = balancer.setting("listeners").map(|node| node.at("protocol")).unwrap_or_default();
    protocols.iter().any(|node| node.value.as_str().is_some_and(|name| matches!(name.to_ascii_uppercase().as_str(), "HTTPS" | "SSL")))
}
