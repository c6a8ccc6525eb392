//! The way over a transit gateway: association, propagation and static routes of both sides' attachments.
//! Source: transit gateway guide, "How transit gateways work".

use bartizan_model::{Reason, ReasonKind};

use super::super::endpoint::Endpoint;
use super::super::network::{Association, Attachment, Network};
use super::super::verdict::Verdict;
use super::joined::{Passage, joined_by, table_leads, there_and_back};
use super::network_reason;

/// Over one gateway that both VPCs are attached to.
pub(super) fn transit(network: &Network, a: &Endpoint, b: &Endpoint, own: &Attachment, theirs: &Attachment) -> Passage {
    let references = references(network, own, theirs);
    let (subnets, subnet_reason) = there_and_back(network, a, b, &own.gateway);
    let (there, there_reason) = forwards(network, b, own, theirs);
    let (back, back_reason) = forwards(network, a, theirs, own);
    let verdict = subnets.and(there).and(back);
    let steps = [(subnets, subnet_reason), (there, there_reason), (back, back_reason)];
    let reason = steps.into_iter().find(|(step, reason)| *step == verdict && reason.is_some()).and_then(|(_, reason)| reason);
    let reason = reason.filter(|_| verdict != Verdict::Yes).unwrap_or_else(|| joined_by(&own.gateway, own.span));
    Passage { verdict, reasons: vec![reason], references }
}

/// Whether what comes in through one attachment is led to another.
fn forwards(network: &Network, target: &Endpoint, from: &Attachment, to: &Attachment) -> (Verdict, Option<Reason>) {
    match network.joins.association(from) {
        Association::Table(address, table) => table_leads(network, (address, table), target, to),
        Association::Default => match network.joins.propagates_by_default(to) {
            Verdict::Yes => (Verdict::Yes, None),
            Verdict::Unknown => {
                let text = format!("whether `{}` announces itself to the default route table of `{}` is not known", to.address, to.gateway);
                (Verdict::Unknown, Some(network_reason(text, to.span)))
            }
            Verdict::No => {
                let text = format!("`{}` is not propagated to the default route table of `{}`", to.address, to.gateway);
                (Verdict::No, Some(Reason { kind: ReasonKind::Block, text, span: to.span }))
            }
        },
        Association::None => {
            let text = format!("`{}` is associated with no route table of `{}`", from.address, from.gateway);
            (Verdict::No, Some(Reason { kind: ReasonKind::Block, text, span: from.span }))
        }
        Association::Unknown => {
            let text = format!("which route table of `{}` holds for `{}` is not known", from.gateway, from.address);
            (Verdict::Unknown, Some(network_reason(text, from.span)))
        }
    }
}

/// Security groups count across a gateway only where it and both attachments say so; the gateway's default is no.
/// Source: transit gateway guide, "Security group referencing".
fn references(network: &Network, own: &Attachment, theirs: &Attachment) -> (Verdict, String) {
    let gateway = network.joins.gateway_references(&own.gateway);
    let verdict = gateway.and(own.references).and(theirs.references);
    let why = match verdict {
        Verdict::Yes => String::new(),
        Verdict::No if gateway == Verdict::No => {
            format!("`{}` does not support security group referencing (security_group_referencing_support)", own.gateway)
        }
        Verdict::No => {
            let off = if own.references == Verdict::No { own } else { theirs };
            format!("`{}` switches security group referencing off", off.address)
        }
        Verdict::Unknown => format!("whether `{}` supports security group referencing is not known", own.gateway),
    };
    (verdict, why)
}
