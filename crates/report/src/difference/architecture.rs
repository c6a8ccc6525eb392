//! Components, exposure, flows and crossings of two reviews.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::document::{Change, ComponentChange, CrossingChange, ExposureChange, FlowChange, SettingChange, Spot};
use super::names::{Names, Side};
use super::snapshot::{Component, Flow, Reason, Snapshot};

/// From the most exposed; a word that is none of these is not compared.
const EXPOSURES: [&str; 6] = ["internet", "other-accounts", "account", "vpc", "cluster", "none"];

/// Components that are new, gone or set differently.
pub(super) fn components(base: &Snapshot, head: &Snapshot, names: &Names<'_>) -> Vec<ComponentChange> {
    // Statements are told as permissions where both reviews list them, of what is attached to somebody.
    let both = base.permissions.is_some() && head.permissions.is_some();
    let listed = base.permissions.iter().chain(&head.permissions).flatten();
    let listed: BTreeSet<&str> = listed.flat_map(|permission| [permission.holder.as_str(), permission.policy.as_str()]).collect();
    let mut changes: Vec<ComponentChange> = Vec::new();
    changes.extend(names.added().map(|component| change(head, component, Change::New, Vec::new())));
    changes.extend(names.gone().map(|component| ComponentChange {
        went_into: names.unread_module(&component.address, &head.architecture.moved).map(str::to_owned),
        ..change(base, component, Change::Gone, Vec::new())
    }));
    for (before, after) in names.kept() {
        let is_listed = |component: &&Component| listed.contains(component.address.as_str());
        // A binding gives what it gives by the role's name.
        let told = both && ([before, after].iter().any(is_listed) || after.component_type == "kubernetes.role_binding");
        let settings = settings((base, before), (head, after), names, told);
        if !settings.is_empty() {
            changes.push(change(head, after, Change::Changed, settings));
        }
    }
    changes.sort_by(|a, b| (a.change, a.kind == "supporting", &a.address).cmp(&(b.change, b.kind == "supporting", &b.address)));
    changes
}

fn change(snapshot: &Snapshot, component: &Component, change: Change, settings: Vec<SettingChange>) -> ComponentChange {
    ComponentChange {
        change,
        address: component.address.clone(),
        component_type: component.component_type.clone(),
        kind: component.kind.clone(),
        name: component.name.clone(),
        exposure: component.exposure.clone(),
        boundary: component.boundary.as_deref().map(|id| boundary_name(snapshot, id)),
        went_into: None,
        settings,
        origin: component.origin.as_ref().map(|origin| Spot { file: origin.file.clone(), line: origin.line }),
    }
}

fn settings(
    (base, before): (&Snapshot, &Component),
    (head, after): (&Snapshot, &Component),
    names: &Names<'_>,
    policies_told: bool,
) -> Vec<SettingChange> {
    let null = Value::Null;
    let all: BTreeSet<&String> = before.settings.keys().chain(after.settings.keys()).collect();
    let mut changes = Vec::new();
    for name in all {
        let (old, new) = (before.settings.get(name).unwrap_or(&null), after.settings.get(name).unwrap_or(&null));
        // Where code lies follows from the folder of the stack; what is deployed from it is another setting.
        if name == "code" {
            continue;
        }
        let of_function = after.component_type == "lambda.function" && name == "permissions";
        if policies_told && (is_policies(name, old) || is_policies(name, new) || of_function || of_cluster_role(after, name)) {
            continue;
        }
        // What somebody wrote for readers decides nothing, and that a function runs other code is no architecture.
        if matches!(name.as_str(), "description" | "source_code_hash") {
            continue;
        }
        let (old, new) = (names.value(Side::Base, old), names.value(Side::Head, new));
        if without_empty(&old) != without_empty(&new) {
            changes.push(SettingChange { name: name.clone(), before: old, after: new });
        }
    }
    let assets = |component: &Component| -> Vec<String> {
        let sorted: BTreeSet<&String> = component.assets.iter().collect();
        sorted.into_iter().cloned().collect()
    };
    if !after.is_supporting() && assets(before) != assets(after) {
        changes.push(SettingChange { name: "data".to_owned(), before: json!(assets(before)), after: json!(assets(after)) });
    }
    let boundary = |side: Side, component: &Component| component.boundary.as_deref().map(|id| names.boundary(side, id));
    let (old, new) = (boundary(Side::Base, before), boundary(Side::Head, after));
    // Regions are only told apart where a plan has several.
    let is_same = match (&old, &new) {
        (Some(old), Some(new)) => old == new || around_region(old) == Some(new.as_str()) || around_region(new) == Some(old.as_str()),
        (old, new) => old == new,
    };
    if !is_same {
        let (old, new) =
            (before.boundary.as_deref().map(|id| boundary_name(base, id)), after.boundary.as_deref().map(|id| boundary_name(head, id)));
        changes.push(SettingChange { name: "trust boundary".to_owned(), before: json!(old), after: json!(new) });
    }
    changes
}

/// True for what the rules and subjects of a cluster's roles and bindings say, and for what follows from it.
fn of_cluster_role(component: &Component, setting: &str) -> bool {
    matches!(component.component_type.as_str(), "kubernetes.role" | "kubernetes.role_binding")
        && matches!(setting, "rules" | "subjects" | "grants_everything" | "wildcards" | "reads_secrets" | "escalations")
}

/// A value in which a list or map of nothing, and what is not set, is one and the same.
fn without_empty(value: &Value) -> Value {
    match value {
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::Array(items) => Value::Array(items.iter().map(without_empty).collect()),
        Value::Object(map) => {
            let kept: serde_json::Map<String, Value> = map
                .iter()
                .map(|(key, item)| (key.clone(), without_empty(item)))
                .filter(|(key, item)| !item.is_null() || key == "unknown")
                .collect();
            if kept.is_empty() { Value::Null } else { Value::Object(kept) }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// The boundary around a region: `account` of `region:account/eu-west-1`.
fn around_region(id: &str) -> Option<&str> {
    id.strip_prefix("region:")?.rsplit_once('/').map(|(around, _)| around)
}

/// True for settings that are policies, or lists of them.
fn is_policies(name: &str, value: &Value) -> bool {
    match value {
        Value::Object(map) => ["Statement", "policy", "statement"].iter().any(|key| map.contains_key(*key)),
        Value::Array(items) => name == "managed_policy_arns" || items.iter().any(|item| is_policies(name, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Components of both reviews whom others can reach than before.
pub(super) fn exposures(names: &Names<'_>) -> Vec<ExposureChange> {
    let rank = |component: &Component| EXPOSURES.iter().position(|word| Some(*word) == component.exposure.as_deref());
    let mut changes = Vec::new();
    for (before, after) in names.kept() {
        let (Some(old), Some(new)) = (rank(before), rank(after)) else { continue };
        if old == new {
            continue;
        }
        changes.push(ExposureChange {
            change: if new < old { Change::Worse } else { Change::Better },
            address: after.address.clone(),
            exposure: after.exposure.clone().unwrap_or_default(),
            exposure_before: before.exposure.clone().unwrap_or_default(),
            why: after.exposure_why.iter().map(|reason| reason.text.clone()).collect(),
            origin: after.exposure_why.iter().find_map(spot),
        });
    }
    changes.sort_by(|a, b| (a.change, &a.address).cmp(&(b.change, &b.address)));
    changes
}

fn spot(reason: &Reason) -> Option<Spot> {
    Some(Spot { file: reason.file.clone()?, line: reason.line.unwrap_or(1) })
}

/// Both ends in the names of the newer review, and how they speak.
type FlowKey = (String, String, String, Option<u16>);

/// Flows that are new, gone or different.
pub(super) fn flows(base: &Snapshot, head: &Snapshot, names: &Names<'_>) -> Vec<FlowChange> {
    let keyed = |side: Side, snapshot: &'_ Snapshot| -> BTreeMap<FlowKey, Flow> {
        let key = |flow: &Flow| {
            let name = |address: &str| names.address(side, address).to_owned();
            (name(&flow.from), name(&flow.to), flow.protocol.clone(), flow.port)
        };
        snapshot.architecture.flows.iter().map(|flow| (key(flow), flow.clone())).collect()
    };
    let (mut before, mut after) = (keyed(Side::Base, base), keyed(Side::Head, head));
    let mut changes = Vec::new();
    let both: Vec<FlowKey> = after.keys().filter(|key| before.contains_key(*key)).cloned().collect();
    for key in both {
        if let (Some(old), Some(new)) = (before.remove(&key), after.remove(&key)) {
            changes.extend(compared(&key, &old, &new, names));
        }
    }
    // The only flow between two components that is left on each side speaks otherwise than before.
    let ends = |key: &FlowKey| (key.0.clone(), key.1.clone());
    let singles = |flows: &BTreeMap<FlowKey, Flow>| {
        let mut by_ends: BTreeMap<(String, String), Vec<FlowKey>> = BTreeMap::new();
        for key in flows.keys() {
            by_ends.entry(ends(key)).or_default().push(key.clone());
        }
        by_ends.retain(|_, keys| keys.len() == 1);
        by_ends
    };
    let (old_singles, new_singles) = (singles(&before), singles(&after));
    for (ends, keys) in new_singles {
        let (Some([old_key]), [new_key]) = (old_singles.get(&ends).map(Vec::as_slice), keys.as_slice()) else { continue };
        if let (Some(old), Some(new)) = (before.remove(old_key), after.remove(new_key)) {
            changes.extend(compared(new_key, &old, &new, names));
        }
    }
    changes.extend(after.iter().map(|(key, flow)| flow_change(key, flow, Change::New, Side::Head, names, Vec::new())));
    changes.extend(before.iter().map(|(key, flow)| flow_change(key, flow, Change::Gone, Side::Base, names, Vec::new())));
    changes.sort_by(|a, b| {
        let order = |flow: &FlowChange| (flow.change, !flow.crosses, flow.from.clone(), flow.to.clone(), flow.protocol.clone(), flow.port);
        order(a).cmp(&order(b))
    });
    changes
}

fn compared(key: &FlowKey, before: &Flow, after: &Flow, names: &Names<'_>) -> Option<FlowChange> {
    let data = |flow: &Flow| json!(flow.data.iter().collect::<BTreeSet<_>>());
    let settings = [
        ("protocol", json!(before.protocol), json!(after.protocol)),
        ("port", json!(before.port), json!(after.port)),
        ("encrypted", json!(before.encrypted), json!(after.encrypted)),
        ("authentication", json!(before.authentication), json!(after.authentication)),
        ("status", json!(before.status), json!(after.status)),
        ("data", data(before), data(after)),
    ];
    let changes: Vec<SettingChange> = settings
        .into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(name, before, after)| SettingChange { name: name.to_owned(), before, after })
        .collect();
    if changes.is_empty() {
        return None;
    }
    let opened = |flow: &Flow| (flow.status == "active", flow.encrypted == Some(false), flow.authentication.as_deref() == Some("none"));
    let change = match opened(after).cmp(&opened(before)) {
        std::cmp::Ordering::Greater => Change::Worse,
        std::cmp::Ordering::Equal => Change::Changed,
        std::cmp::Ordering::Less => Change::Better,
    };
    Some(flow_change(key, after, change, Side::Head, names, changes))
}

fn flow_change(key: &FlowKey, flow: &Flow, change: Change, side: Side, names: &Names<'_>, changes: Vec<SettingChange>) -> FlowChange {
    FlowChange {
        change,
        from: key.0.clone(),
        to: key.1.clone(),
        protocol: flow.protocol.clone(),
        port: flow.port,
        crosses: crossed(flow, side, names).is_some(),
        confidence: flow.confidence.clone(),
        changes,
        why: flow.why.first().map(|reason| reason.text.clone()),
        origin: flow.why.iter().find_map(spot),
    }
}

/// The boundaries that a flow leaves and enters, where these are two.
fn crossed(flow: &Flow, side: Side, names: &Names<'_>) -> Option<(String, String)> {
    let around = |address: &str| names.component(side, address).and_then(|component| component.boundary.clone());
    let (out_of, into) = (around(&flow.from)?, around(&flow.to)?);
    (out_of != into).then_some((out_of, into))
}

/// Pairs of components with an active flow across a boundary in one review only.
pub(super) fn crossings(base: &Snapshot, head: &Snapshot, names: &Names<'_>) -> Vec<CrossingChange> {
    // By the ends: boundaries by id in the names of the newer review, and in words.
    type Crossings = BTreeMap<(String, String, String, String), (String, String)>;
    let all = |side: Side, snapshot: &Snapshot| -> Crossings {
        let mut out = Crossings::new();
        for flow in snapshot.architecture.flows.iter().filter(|flow| flow.status != "blocked") {
            let Some((out_of, into)) = crossed(flow, side, names) else { continue };
            let name = |address: &str| names.address(side, address).to_owned();
            let boundary = |id: &str| names.boundary(side, around_region(id).unwrap_or(id));
            let key = (name(&flow.from), name(&flow.to), boundary(&out_of), boundary(&into));
            out.insert(key, (boundary_name(snapshot, &out_of), boundary_name(snapshot, &into)));
        }
        out
    };
    let (before, after) = (all(Side::Base, base), all(Side::Head, head));
    let only = |these: &Crossings, others: &Crossings, change: Change| -> Vec<CrossingChange> {
        let new = these.iter().filter(|(key, _)| !others.contains_key(*key));
        new.map(|((from, to, _, _), (out_of, into))| CrossingChange {
            change,
            out_of: out_of.clone(),
            into: into.clone(),
            from: from.clone(),
            to: to.clone(),
        })
        .collect()
    };
    let mut changes = only(&after, &before, Change::New);
    changes.extend(only(&before, &after, Change::Gone));
    changes.sort();
    changes
}

fn boundary_name(snapshot: &Snapshot, id: &str) -> String {
    match snapshot.architecture.boundaries.iter().find(|boundary| boundary.id == id) {
        Some(boundary) if !boundary.name.is_empty() => boundary.name.clone(),
        Some(boundary) => boundary.kind.clone(),
        None => id.to_owned(),
    }
}
