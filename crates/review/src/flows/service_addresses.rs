//! Calls that AWS services make from addresses of their own (CloudFront to an origin, VPC Lattice to a target): whether the called lets
//! those addresses in.

use bartizan_model::{Address, Reason, ReasonKind};
use ipnet::IpNet;

use super::{Context, reason};
use crate::facts::network::{Peer, Protocol, covers_internet, is_private};
use crate::facts::verdict::Verdict;

/// A service that calls from addresses of its own.
pub(super) struct Service {
    /// Its name.
    name: &'static str,
    /// A word in the names of AWS's prefix lists of its addresses.
    list: &'static str,
    /// Addresses that never change; empty: public ones, which only the list tells.
    ranges: &'static [&'static str],
}

/// Source: VPC Lattice guide, "Control traffic in VPC Lattice using security groups".
pub(super) const LATTICE: Service = Service { name: "VPC Lattice", list: "vpc-lattice", ranges: &["169.254.171.0/24", "fd00:ec2:80::/64"] };

/// Source: CloudFront guide, "Locations and IP address ranges of CloudFront edge servers".
pub(super) const CLOUDFRONT: Service = Service { name: "CloudFront", list: "cloudfront", ranges: &[] };

/// What keeps a service from a target: none of its security groups admits the service's addresses. `None`: one does, or it is not known.
pub(super) fn refused(context: &Context<'_>, service: &Service, target: &Address, port: Option<u16>) -> Option<Reason> {
    let endpoint = context.endpoints.get(target).filter(|endpoint| !endpoint.groups.is_empty() && !endpoint.default_group)?;
    for address in &endpoint.groups {
        let group = context.network.groups.get(address)?;
        let mut rules = group.ingress.iter().filter(|rule| rule.covers(&Protocol::Tcp, port) != Some(false));
        if rules.any(|rule| is_of(context, service, &rule.peer) != Verdict::No) {
            return None;
        }
    }
    let names: Vec<String> = endpoint.groups.iter().map(|group| format!("`{group}`")).collect();
    let verb = if names.len() == 1 { "does" } else { "do" };
    let wanted = port.map_or_else(|| "any port".to_owned(), |port| format!("tcp {port}"));
    let text = format!("{} {verb} not admit the addresses of {} to {wanted}", names.join(" and "), service.name);
    let span = endpoint.groups.first().and_then(|group| context.network.groups.get(group)).and_then(|group| group.span);
    Some(reason(ReasonKind::Block, text, span))
}

/// Whether a rule for a peer admits calls of a service.
fn is_of(context: &Context<'_>, service: &Service, peer: &Peer) -> Verdict {
    match peer {
        Peer::Range(range) if service.ranges.is_empty() => match (covers_internet(*range), is_private(*range)) {
            (true, _) => Verdict::Yes,
            (false, true) => Verdict::No,
            // A public range may be one of the service's.
            (false, false) => Verdict::Unknown,
        },
        Peer::Range(range) => {
            let own = service.ranges.iter().filter_map(|text| text.parse::<IpNet>().ok());
            Verdict::known(own.into_iter().any(|own| range.contains(&own)))
        }
        Peer::PrefixList(list) => match context.network.lists_elsewhere.get(list) {
            Some(name) if name.starts_with("com.amazonaws.") => Verdict::known(name.contains(service.list)),
            Some(_) | None => Verdict::Unknown,
        },
        Peer::Unknown(_) => Verdict::Unknown,
        Peer::Network(_) | Peer::Group(_) | Peer::Itself => Verdict::No,
    }
}

/// What keeps CloudFront from an origin that is no bucket: it calls public addresses only, from addresses that the origin has to admit.
/// An origin that a VPC origin leads to is called inside its VPC. Source: CloudFront guide, "Restrict access with VPC origins".
pub(super) fn origin_refused(context: &Context<'_>, distribution: &Address, origin: &Address, port: Option<u16>) -> Option<Reason> {
    context.index.component(distribution).filter(|from| from.component_type == "cloudfront.distribution")?;
    let endpoint = context.endpoints.get(origin).filter(|endpoint| endpoint.vpc.is_some() && !endpoint.no_inbound)?;
    let inside =
        context.index.from(distribution).iter().filter_map(|link| context.index.component(&link.to)).any(|via| {
            via.component_type == "cloudfront.vpc_origin" && context.index.from(&via.address).iter().any(|link| link.to == *origin)
        });
    if inside {
        return None;
    }
    if endpoint.public == Verdict::No {
        let text = format!("CloudFront calls public addresses only, and `{origin}` has none");
        let span = endpoint.public_reason.as_ref().and_then(|reason| reason.span);
        return Some(reason(ReasonKind::Block, text, span));
    }
    refused(context, &CLOUDFRONT, origin, port)
}
