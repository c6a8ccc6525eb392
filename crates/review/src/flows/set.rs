//! The flows found so far: one per pair, protocol and port, with the reasons of every step that found it.

use std::collections::BTreeMap;

use bartizan_model::{Address, Confidence, Flow, FlowStatus, Reason, ReasonKind};
use sha2::{Digest, Sha256};

/// Flows by what makes them one.
#[derive(Default)]
pub(crate) struct FlowSet {
    flows: BTreeMap<(Address, Address, String, Option<u16>), Flow>,
}

/// A flow as one step found it.
pub(crate) struct Found {
    pub(crate) from: Address,
    pub(crate) to: Address,
    pub(crate) protocol: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) encrypted: Option<bool>,
    pub(crate) authentication: Option<String>,
    pub(crate) confidence: Confidence,
    pub(crate) why: Vec<Reason>,
}

impl FlowSet {
    /// Adds a flow or the reasons of one that is there; a reason of kind `Block` blocks it.
    pub(crate) fn add(&mut self, found: Found) {
        let protocol = found.protocol.unwrap_or_else(|| "unknown".to_owned());
        let key = (found.from.clone(), found.to.clone(), protocol.clone(), found.port);
        let flow = self.flows.entry(key).or_insert_with(|| Flow {
            id: id(&found.from, &found.to, &protocol, found.port),
            from: found.from,
            to: found.to,
            protocol,
            port: found.port,
            encrypted: found.encrypted,
            authentication: found.authentication.clone(),
            data: Vec::new(),
            confidence: found.confidence,
            status: FlowStatus::Active,
            why: Vec::new(),
        });
        flow.confidence = flow.confidence.min(found.confidence);
        flow.encrypted = flow.encrypted.or(found.encrypted);
        flow.authentication = flow.authentication.take().or(found.authentication);
        for reason in found.why {
            if reason.kind == ReasonKind::Block {
                flow.status = FlowStatus::Blocked;
            }
            if !flow.why.contains(&reason) {
                flow.why.push(reason);
            }
        }
    }

    /// True when there is an active flow between two components, whatever its protocol.
    pub(crate) fn has_active(&self, from: &Address, to: &Address) -> bool {
        self.between(from, to).any(|flow| flow.status == FlowStatus::Active)
    }

    /// Flows from one component to another.
    pub(crate) fn between(&self, from: &Address, to: &Address) -> impl Iterator<Item = &Flow> {
        let start = (from.clone(), to.clone(), String::new(), None);
        let (from, to) = (from.clone(), to.clone());
        self.flows.range(start..).take_while(move |((a, b, _, _), _)| *a == from && *b == to).map(|(_, flow)| flow)
    }

    /// All flows, to be changed in place.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Flow> {
        self.flows.values_mut()
    }

    /// All flows.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Flow> {
        self.flows.values()
    }

    /// The flows, sorted by from, to, protocol and port; reasons strongest first, what blocks last.
    pub(crate) fn finish(self) -> Vec<Flow> {
        self.flows
            .into_values()
            .map(|mut flow| {
                flow.why.sort_by_key(|reason| rank(reason.kind));
                flow
            })
            .collect()
    }
}

fn rank(kind: ReasonKind) -> u8 {
    match kind {
        ReasonKind::Declaration => 0,
        ReasonKind::Integration => 1,
        ReasonKind::Permission => 2,
        ReasonKind::Reference => 3,
        ReasonKind::Network => 4,
        ReasonKind::Default => 5,
        ReasonKind::Block => 6,
    }
}

/// Structural id: it depends on nothing but the flow itself.
fn id(from: &Address, to: &Address, protocol: &str, port: Option<u16>) -> String {
    let port = port.map(|port| port.to_string()).unwrap_or_default();
    format!("flow-{}", short_hash(&[from.as_str(), to.as_str(), protocol, &port]))
}

/// The first ten hexadecimal digits of the SHA-256 of texts, each followed by a line feed.
pub(crate) fn short_hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(b"\n");
    }
    hasher.finalize().iter().take(5).map(|byte| format!("{byte:02x}")).collect()
}
