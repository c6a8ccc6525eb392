//! Doors that AWS keeps into a VPC: EC2 Instance Connect endpoints and Client VPN. Who may use them is a matter of IAM or of certificates.

use bartizan_model::{Address, Confidence, Kind, ReasonKind};

use super::entities::Entities;
use super::integrations::{encrypted_by_name, protocol_of_port};
use super::set::{FlowSet, Found};
use super::{Context, reason};
use crate::facts::endpoint::is_machine;
use crate::facts::network::{Protocol, parse_range};
use crate::facts::reachability::{client_rule, reaches};
use crate::facts::verdict::Verdict;

/// Ports that a tunnel of an Instance Connect endpoint may lead to. Source: EC2 guide, "EC2 Instance Connect Endpoint" (remotePort).
const TUNNELLED: [u16; 2] = [22, 3389];

/// Adds flows through Instance Connect endpoints.
pub(super) fn add(context: &Context<'_>, entities: &mut Entities, set: &mut FlowSet) {
    for (address, door) in &context.endpoints {
        let Some(component) = context.index.component(address) else { continue };
        if component.component_type != "ec2.instance_connect_endpoint" {
            continue;
        }
        let mut leads = false;
        for (host, target) in context.endpoints.iter().filter(|(_, target)| target.vpc.is_some() && target.vpc == door.vpc) {
            let machine = context.index.component(host).is_some_and(|host| host.kind != Kind::Supporting && is_machine(host));
            if !machine {
                continue;
            }
            for port in TUNNELLED {
                let decision = reaches(&context.network, door, target, &Protocol::Tcp, Some(port));
                // A rule for the endpoint's own group counts whether or not it passes on the clients' addresses; a range is of whom it sees.
                // Source: EC2 guide, "Security groups for EC2 Instance Connect Endpoint".
                let preserves = component.flag("preserve_client_ip") != Some(false);
                let why = if decision.by_group || !preserves {
                    if decision.verdict != Verdict::Yes {
                        continue;
                    }
                    decision.reasons
                } else {
                    let Some(rule) = client_rule(&context.network, target, &Protocol::Tcp, Some(port)) else { continue };
                    vec![rule, reason(ReasonKind::Network, "it passes on the clients' own addresses", component.span)]
                };
                leads = true;
                let protocol = protocol_of_port(port);
                set.add(Found {
                    from: address.clone(),
                    to: host.clone(),
                    protocol: Some(protocol.to_owned()),
                    port: Some(port),
                    encrypted: encrypted_by_name(Some(protocol)),
                    authentication: None,
                    confidence: Confidence::Reachable,
                    why,
                });
            }
        }
        if leads {
            let text = "who may open a tunnel through it connects (ec2-instance-connect:OpenTunnel)";
            set.add(Found {
                from: entities.operator(),
                to: address.clone(),
                protocol: Some("https".to_owned()),
                port: Some(443),
                encrypted: Some(true),
                authentication: Some("iam".to_owned()),
                confidence: Confidence::Reachable,
                why: vec![reason(ReasonKind::Default, text, component.span)],
            });
        }
    }
}

/// True where clients of a Client VPN endpoint are let through to a component: one of its authorization rules covers a subnet of it.
/// Source: Client VPN guide, "Authorization rules".
pub(crate) fn vpn_leads(context: &Context<'_>, vpn: &Address, to: &Address) -> bool {
    let Some(component) = context.index.component(vpn).filter(|vpn| vpn.component_type == "vpc.client_vpn_endpoint") else { return false };
    let Some(target) = context.endpoints.get(to) else { return false };
    let rules = component.setting("authorization_rules").map(|node| node.at("target_network_cidr")).unwrap_or_default();
    let ranges: Vec<_> = rules.iter().filter_map(|node| parse_range(&node.value.as_str()?)).collect();
    let subnets = target.subnets.iter().filter_map(|subnet| context.network.subnets.get(subnet)?.range);
    subnets.into_iter().any(|subnet| ranges.iter().any(|range| range.contains(&subnet)))
}
