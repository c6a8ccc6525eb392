//! VPC Lattice: who gets to a service through the service networks that it is in, and what its targets must admit.
//!
//! Source: VPC Lattice guide, "Control traffic in VPC Lattice using security groups" and "Manage the associations for a service network".

use bartizan_model::{Address, Component, Reason, ReasonKind};

use super::{Context, reason, service_addresses};
use crate::facts::network::Protocol;
use crate::facts::reachability::reaches;
use crate::facts::verdict::Verdict;

/// True for a service of VPC Lattice.
pub(super) fn is_service(component: &Component) -> bool {
    component.component_type == "vpc.lattice_service"
}

/// How callers prove themselves: either the service or a network that leads to it may ask for signatures.
pub(super) fn authentication(context: &Context<'_>, service: &Component) -> &'static str {
    let networks = context.index.follow(&service.address, "part_of");
    let signs = |component: &&Component| component.text("auth_type").as_deref() == Some("AWS_IAM");
    let every = !networks.is_empty() && networks.iter().all(signs);
    if signs(&service) || every { "iam" } else { "none" }
}

/// What parts a caller from a service: its VPC is associated with no network that the service is in, or the group of the association
/// does not admit it.
pub(super) fn apart(context: &Context<'_>, from: &Address, service: &Component) -> Option<Reason> {
    let caller = context.endpoints.get(from)?;
    let vpc = caller.vpc.as_ref()?;
    let networks = context.index.follow(&service.address, "part_of");
    let mut refused = None;
    for network in &networks {
        let known = context.index.follow(&network.address, "in_vpc");
        if !known.iter().any(|known| known.address == *vpc) {
            continue;
        }
        // The groups of several associations are not told apart; one association's are.
        let door = context.endpoints.get(&network.address).filter(|door| known.len() == 1 && !door.default_group);
        let decision = door.map(|door| reaches(&context.network, caller, door, &Protocol::Tcp, Some(443)));
        match decision {
            Some(decision) if decision.verdict == Verdict::No => refused = refused.or(decision.reasons.last().cloned()),
            _ => return None,
        }
    }
    // Associations may be made elsewhere, through shared networks; a plan that makes some is believed to make them all.
    let any = networks.iter().any(|network| !context.index.follow(&network.address, "in_vpc").is_empty());
    refused.or_else(|| {
        let text = format!("`{vpc}` is associated with no service network that `{}` is in", service.address);
        any.then(|| reason(ReasonKind::Block, text, service.span))
    })
}

/// What keeps Lattice from a target of a service: its groups must admit Lattice's own addresses.
pub(super) fn refused(context: &Context<'_>, service: &Address, target: &Address, port: Option<u16>) -> Option<Reason> {
    context.index.component(service).filter(|service| is_service(service))?;
    service_addresses::refused(context, &service_addresses::LATTICE, target, port)
}
