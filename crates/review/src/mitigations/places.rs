//! Where a control is applied when it does not fit the threat's own target: what is joined to it.

use std::collections::BTreeMap;

use bartizan_model::{Address, Architecture, Component, FlowStatus, Relation};

use crate::catalogue::controls::Control;

/// A control is proposed on at most this many neighbours of one target; more would bury the rest of the report.
const MAX_NEIGHBOURS: usize = 5;

/// Components next to each other by structure, and by data flow.
pub(super) struct Neighbours<'a> {
    joined: BTreeMap<&'a Address, Vec<&'a Address>>,
    flowing: BTreeMap<&'a Address, Vec<&'a Address>>,
}

impl<'a> Neighbours<'a> {
    pub(super) fn of(architecture: &'a Architecture) -> Self {
        let mut joined: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
        for link in &architecture.links {
            // A mention is a guess at configuration text, and a flow is counted below.
            if !matches!(link.relation, Relation::Mentions | Relation::Flow(_)) {
                joined.entry(&link.from).or_default().push(&link.to);
                joined.entry(&link.to).or_default().push(&link.from);
            }
        }
        let mut flowing: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
        for flow in architecture.flows.iter().filter(|flow| flow.status == FlowStatus::Active) {
            flowing.entry(&flow.from).or_default().push(&flow.to);
            flowing.entry(&flow.to).or_default().push(&flow.from);
        }
        Self { joined, flowing }
    }

    /// Neighbours that a control fits; those by structure before those by flow.
    pub(super) fn that_fit(&self, architecture: &'a Architecture, target: &Address, control: &Control) -> Vec<&'a Component> {
        for side in [&self.joined, &self.flowing] {
            let mut found: Vec<&Component> = side
                .get(target)
                .into_iter()
                .flatten()
                .filter_map(|address| architecture.component(address))
                .filter(|component| control.fits(&component.component_type))
                .collect();
            found.sort_by(|a, b| a.address.cmp(&b.address));
            found.dedup_by(|a, b| a.address == b.address);
            if !found.is_empty() {
                found.truncate(MAX_NEIGHBOURS);
                return found;
            }
        }
        Vec::new()
    }
}
