//! What changed as lines for people; what one block of the sources says several times, because several stacks or instances use it, is one line.

use std::collections::BTreeMap;
use std::fmt::Debug;

use super::document::{Change, ComponentChange, Difference, ExposureChange, FlowChange, PathChange, PermissionChange, Spot, SwitchedOff};
use super::names::block;
use super::sentence;

/// One line.
pub(super) struct Line {
    /// Which way: `new`, `worse`, ….
    pub(super) word: &'static str,
    pub(super) text: String,
    pub(super) origin: Option<Spot>,
}

pub(super) fn exposures(difference: &Difference) -> Vec<Line> {
    let key = |exposure: &&ExposureChange| {
        of_block(&exposure.address, &(exposure.change, &exposure.exposure, &exposure.exposure_before), exposure.origin.as_ref())
    };
    let line = |(exposure, n): (&ExposureChange, usize)| Line {
        word: sentence::change(exposure.change),
        text: sentence::exposure(exposure) + &more(n),
        origin: exposure.origin.clone(),
    };
    grouped(&difference.exposures, key).into_iter().map(line).collect()
}

pub(super) fn permissions(difference: &Difference) -> Vec<Line> {
    let key = |permission: &&PermissionChange| {
        let same = (permission.change, &permission.via, &permission.effect, &permission.actions, block(&permission.policy));
        of_block(&permission.holder, &same, permission.origin.as_ref())
    };
    let line = |(permission, n): (&PermissionChange, usize)| Line {
        word: sentence::change(permission.change),
        text: sentence::permission(permission) + &more(n),
        origin: permission.origin.clone(),
    };
    grouped(&difference.permissions, key).into_iter().map(line).collect()
}

pub(super) fn flows(difference: &Difference) -> Vec<Line> {
    let key = |flow: &&FlowChange| {
        let same = (flow.change, &flow.protocol, flow.port, flow.crosses, block(&flow.to), &flow.changes);
        of_block(&flow.from, &same, flow.origin.as_ref())
    };
    let line = |(flow, n): (&FlowChange, usize)| Line {
        word: sentence::change(flow.change),
        text: sentence::flow(flow) + &more(n),
        origin: flow.origin.clone(),
    };
    grouped(&difference.flows, key).into_iter().map(line).collect()
}

/// A crossing of a new or gone flow is told with the flow.
pub(super) fn crossings(difference: &Difference) -> Vec<Line> {
    let told = |change: Change, from: &str, to: &str| {
        difference.flows.iter().any(|flow| flow.change == change && flow.from == from && flow.to == to)
    };
    let left = difference.crossings.iter().filter(|crossing| !told(crossing.change, &crossing.from, &crossing.to));
    left.map(|crossing| Line { word: sentence::change(crossing.change), text: sentence::crossing(crossing), origin: None }).collect()
}

/// What only decides how others behave is counted by type where it came or went.
pub(super) fn components(difference: &Difference) -> Vec<Line> {
    let (supporting, shown): (Vec<&ComponentChange>, Vec<&ComponentChange>) =
        difference.components.iter().partition(|component| component.kind == "supporting" && component.change != Change::Changed);
    let key = |component: &&ComponentChange| {
        // The first one stands for all that changed in the same settings.
        let names: Vec<&String> = component.settings.iter().map(|setting| &setting.name).collect();
        let same = (component.change, &component.component_type, &component.exposure, &component.went_into, names);
        of_block(&component.address, &same, component.origin.as_ref())
    };
    let line = |(component, n): (&ComponentChange, usize)| Line {
        word: sentence::change(component.change),
        text: sentence::component(component) + &more(n),
        origin: component.origin.clone(),
    };
    let mut lines: Vec<Line> = grouped(shown, key).into_iter().map(line).collect();
    for change in [Change::New, Change::Gone] {
        let of: Vec<&ComponentChange> = supporting.iter().copied().filter(|component| component.change == change).collect();
        if !of.is_empty() {
            lines.push(Line { word: sentence::change(change), text: format!("supporting: {}", sentence::supporting(&of)), origin: None });
        }
    }
    lines
}

/// Attack paths, each with what it stands for.
pub(super) fn paths<'a>(paths: impl Iterator<Item = &'a PathChange>) -> Vec<(&'a PathChange, String)> {
    let key = |path: &&PathChange| {
        let over: Vec<String> = path.over.iter().map(|place| block(place)).collect();
        format!("{:?}", (path.change, &path.severity, block(&path.from), block(&path.to), &path.operation, over))
    };
    grouped(paths, key).into_iter().map(|(path, n)| (path, sentence::path(path) + &more(n))).collect()
}

pub(super) fn switched_off(difference: &Difference) -> Vec<Line> {
    let line = |off: &SwitchedOff| Line {
        word: "off",
        text: format!("`{}`, of which `count` or `for_each` makes none", off.address) + &more(off.uses),
        origin: off.origin.clone(),
    };
    difference.switched_off.iter().map(line).collect()
}

/// What a line is told apart by: all instances of a block that changed alike have one.
fn of_block(address: &str, same: &impl Debug, origin: Option<&Spot>) -> String {
    match origin {
        Some(origin) => format!("{:?}", (block(address), same, &origin.file, origin.line)),
        // Without a place it cannot be told whether it is the same block.
        None => format!("{:?}", (address, same)),
    }
}

/// The first of each key, with how many there are, in the order of the first ones.
fn grouped<T>(items: impl IntoIterator<Item = T>, key: impl Fn(&T) -> String) -> Vec<(T, usize)> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut out: Vec<(T, usize)> = Vec::new();
    for item in items {
        let key = key(&item);
        match places.get(&key).and_then(|place| out.get_mut(*place)) {
            Some((_, n)) => *n += 1,
            None => {
                places.insert(key, out.len());
                out.push((item, 1));
            }
        }
    }
    out
}

fn more(n: usize) -> String {
    if n > 1 { format!(" (and {} more of the same block)", n - 1) } else { String::new() }
}
