//! VPC endpoints: the ways out of a VPC to AWS services and to services that others offer through PrivateLink.

use bartizan_model::{Address, Component, Node, Span};

use super::reference;
use crate::facts::document::pattern;
use crate::facts::verdict::Verdict;

/// A VPC endpoint.
#[derive(Clone, Debug)]
pub(crate) struct ServiceEndpoint {
    /// Its kind.
    pub(crate) kind: EndpointKind,
    /// What follows the region in the service's name: `s3`, `secretsmanager`, `ecr.api`; `None` where it is not an AWS service or not known.
    pub(crate) service: Option<String>,
    /// The endpoint service of the plan that it leads to.
    pub(crate) offered: Option<Address>,
    /// Its VPC.
    pub(crate) vpc: Option<Address>,
    /// Route tables that lead to it; for gateway endpoints.
    pub(crate) tables: Vec<Address>,
    /// Whether the service's public names resolve to it inside the VPC.
    pub(crate) private_dns: Verdict,
    /// Its policy document, from the endpoint itself or from a policy attached to it; `None`: everything is allowed.
    /// It bounds every call for which `service_path` says that the endpoint is gone through.
    pub(crate) policy: Option<Node>,
    /// Where it is declared.
    pub(crate) span: Option<Span>,
}

/// What kind of endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndpointKind {
    /// A route to S3 or DynamoDB.
    Gateway,
    /// Network interfaces with security groups.
    Interface,
    /// An appliance or resource behind it.
    Other,
    /// Not known.
    Unknown,
}

impl ServiceEndpoint {
    pub(super) fn read(component: &Component) -> Self {
        let name = component.setting("service_name");
        let kind = match component.setting("vpc_endpoint_type").map(|node| node.value.as_str()) {
            None => EndpointKind::Gateway,
            Some(None) => EndpointKind::Unknown,
            Some(Some(kind)) => match kind.as_ref() {
                "Gateway" => EndpointKind::Gateway,
                "Interface" => EndpointKind::Interface,
                _ => EndpointKind::Other,
            },
        };
        let private_dns = match component.setting("private_dns_enabled") {
            None => Verdict::No,
            Some(node) => node.value.as_bool().map_or(Verdict::Unknown, Verdict::known),
        };
        Self {
            kind,
            service: name.and_then(service),
            offered: name
                .and_then(|node| reference(node.value.as_text()?).ok())
                .filter(|address| !address.as_str().contains(".amazonaws.")),
            vpc: None,
            tables: Vec::new(),
            private_dns,
            policy: component.setting("policy").cloned(),
            span: component.span,
        }
    }

    pub(super) fn add_link(&mut self, other: &Address, kind: &str) {
        match kind {
            "vpc" => self.vpc = self.vpc.take().or_else(|| Some(other.clone())),
            "route_table" if !self.tables.contains(other) => self.tables.push(other.clone()),
            _ => {}
        }
    }
}

/// `com.amazonaws.eu-west-1.ecr.api` is `ecr.api`, whichever region.
fn service(node: &Node) -> Option<String> {
    let name = pattern(node.value.as_text()?);
    let rest = name.strip_prefix("com.amazonaws.").or_else(|| name.strip_prefix("cn.com.amazonaws."))?;
    let (_, service) = rest.split_once('.')?;
    (!service.is_empty() && !service.contains('*') && !service.contains("vpce-svc")).then(|| service.to_owned())
}
