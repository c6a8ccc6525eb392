//! Assets that a component handles without storing them: what its flows carry.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Asset, Value};

use super::sink::{NOWHERE, Sink, map, number, text};
use crate::flows::is_active;
use crate::flows::set::FlowSet;

/// Sets the fact.
pub(super) fn add(set: &FlowSet, assets: &[Asset], sink: &mut Sink) {
    let mut handled: BTreeMap<&Address, BTreeSet<&str>> = BTreeMap::new();
    for flow in set.values().filter(|flow| is_active(flow)) {
        for end in [&flow.from, &flow.to] {
            handled.entry(end).or_default().extend(flow.data.iter().map(String::as_str));
        }
    }
    for (address, names) in handled {
        for asset in assets.iter().filter(|asset| names.contains(asset.name.as_str())) {
            let class = &asset.classification;
            let entry: Vec<(&str, Value)> = vec![
                ("name", text(&asset.name)),
                ("confidentiality", number(class.confidentiality)),
                ("integrity", number(class.integrity)),
                ("availability", number(class.availability)),
            ];
            sink.push(address, "handles", map(entry, NOWHERE), None);
        }
    }
}
