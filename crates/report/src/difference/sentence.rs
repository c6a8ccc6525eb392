//! One line for each thing that changed, as the terminal and the comment say it; names of the user stand in backticks.

use std::collections::BTreeMap;

use super::document::{
    Change, ComponentChange, CrossingChange, Difference, ExposureChange, FlowChange, PathChange, PermissionChange, RiskTotals, ThreatChange,
};
use super::values::{settings, without_reasons};
use crate::percent;
use crate::redact::redact;
use crate::words::{self, SEVERITIES};

/// Settings, actions and targets shown in one line.
const MOST_LISTED: usize = 6;
/// Supporting components of one type that are named and not counted.
const MOST_NAMED: usize = 3;

pub(super) fn change(change: Change) -> &'static str {
    match change {
        Change::New => "new",
        Change::Worse => "worse",
        Change::Changed => "changed",
        Change::Better => "better",
        Change::Gone => "gone",
    }
}

/// `before → after`, or one word where both are equal.
fn arrow(before: Option<&str>, after: &str) -> String {
    match before {
        Some(before) if before != after => format!("{before} → {after}"),
        _ => after.to_owned(),
    }
}

pub(super) fn threat_severity(threat: &ThreatChange) -> String {
    arrow(threat.severity_before.as_deref(), &threat.severity)
}

/// What else there is to say of a threat.
pub(super) fn threat_notes(threat: &ThreatChange) -> Vec<String> {
    let mut notes = Vec::new();
    match (&threat.status_before, threat.change) {
        (Some(before), _) if *before != threat.status => notes.push(format!("was {before}, is {}", threat.status)),
        (None, _) if threat.status != "open" => notes.push(threat.status.clone()),
        _ => {}
    }
    if let Some(before) = threat.risk_before
        && before != threat.risk
    {
        notes.push(format!("risk {before} → {} of 25", threat.risk));
    }
    if matches!(threat.change, Change::Worse | Change::Changed | Change::Better) {
        if !threat.targets_new.is_empty() {
            notes.push(format!("now also concerns {}", listed(&threat.targets_new)));
        }
        if !threat.targets_gone.is_empty() {
            notes.push(format!("no longer concerns {}", listed(&threat.targets_gone)));
        }
    }
    notes.extend(threat.decision.iter().map(|decision| redact(decision)));
    notes
}

pub(super) fn path(path: &PathChange) -> String {
    let who = if path.from == "internet" {
        "an attacker on the internet".to_owned()
    } else {
        format!("an attacker with access to `{}`", path.from)
    };
    let what = match path.operation.as_deref() {
        Some("read") => format!("reads `{}`", path.to),
        Some("write") => format!("changes `{}`", path.to),
        Some("destroy") => format!("destroys `{}`", path.to),
        Some("disrupt") => format!("stops `{}`", path.to),
        _ if path.to == "admin" => "becomes administrator".to_owned(),
        _ => format!("takes over `{}`", path.to),
    };
    let over = if path.over.is_empty() { String::new() } else { format!(" over {}", listed(&path.over)) };
    let chance = match (path.change, path.likelihood_before) {
        (Change::Worse | Change::Better | Change::Changed, Some(before)) => format!("{} → {}", percent(before), percent(path.likelihood)),
        _ => percent(path.likelihood),
    };
    format!("{who} {what}{over}; about {chance} of those who try get through")
}

pub(super) fn exposure(exposure: &ExposureChange) -> String {
    let why = exposure.why.first().map_or_else(String::new, |why| format!(": {}", redact(why)));
    format!("`{}` can be reached from {} (before: {}){why}", exposure.address, reach(&exposure.exposure), reach(&exposure.exposure_before))
}

fn reach(word: &str) -> &str {
    match word {
        "internet" => "the internet",
        "other-accounts" => "other accounts",
        "account" => "its account",
        "vpc" => "its VPC",
        "cluster" => "its cluster",
        "none" => "nowhere",
        other => other,
    }
}

pub(super) fn permission(permission: &PermissionChange) -> String {
    let (holder, policy) = (without_reasons(&permission.holder), without_reasons(&permission.policy));
    let condition = match permission.conditions.as_slice() {
        [] => String::new(),
        conditions => format!(" if {}", redact(&without_reasons(&conditions.join(" and ")))),
    };
    let actions = listed(&permission.actions);
    let on = if permission.resources.is_empty() { String::new() } else { format!(" on {}", listed(&permission.resources)) };
    match (permission.via.as_str(), permission.effect.as_str()) {
        ("cluster-role", _) => in_cluster(permission, &condition),
        ("managed-policy", _) => format!("`{holder}` has the policy of AWS `{policy}`"),
        ("boundary", _) if permission.actions.is_empty() => format!("`{holder}` is bounded by the policy of AWS `{policy}`"),
        ("boundary", _) => format!("the permissions boundary of `{holder}` lets {actions}{on} through{condition}"),
        ("trust", "allow") => format!("`{holder}` may act as `{policy}` ({actions}){condition}"),
        ("trust", _) => format!("`{holder}` may not act as `{policy}` ({actions}){condition}"),
        ("resource-policy", "allow") => format!("the policy of `{policy}` gives `{holder}` {actions}{condition}"),
        ("resource-policy", _) => format!("the policy of `{policy}` forbids `{holder}` {actions}{condition}"),
        (_, "allow") => format!("`{holder}` may do {actions}{on}{condition}"),
        _ => format!("`{holder}` may not do {actions}{on}{condition}"),
    }
}

/// What a role of a Kubernetes cluster gives; its resources are `${cluster.arn}/namespace/object`, the cluster where the holder does not say it.
fn in_cluster(permission: &PermissionChange, condition: &str) -> String {
    let PermissionChange { actions, resources, .. } = permission;
    let (holder, policy) = (without_reasons(&permission.holder), without_reasons(&permission.policy));
    let first = resources.first().map(String::as_str).unwrap_or_default();
    let (cluster, inside) = match first.strip_prefix("${").and_then(|rest| rest.split_once(".arn}/")) {
        Some((cluster, inside)) => (format!(" of `{cluster}`"), inside),
        None => (String::new(), first),
    };
    let namespace = inside.split('/').next().unwrap_or_default();
    let place = match namespace {
        "*" => format!(" in every namespace{cluster}"),
        namespace => format!(" in the namespace `{namespace}`{cluster}"),
    };
    if actions.is_empty() {
        return match policy.strip_prefix("Group/") {
            Some(group) => format!("`{holder}` is in the group `{group}`{cluster}"),
            None => format!("`{holder}` has the role `{policy}`{place}"),
        };
    }
    let object = |text: &String| {
        let inside = text.split_once(".arn}/").map_or(text.as_str(), |(_, inside)| inside);
        inside.split_once('/').map_or(inside, |(_, object)| object).to_owned()
    };
    let objects: Vec<String> = resources.iter().map(object).collect();
    let is_all = |list: &[String]| list.iter().any(|item| item == "*");
    let what = match (is_all(actions), is_all(&objects)) {
        (true, true) => "everything".to_owned(),
        (true, false) => format!("everything with {}", listed(&objects)),
        (false, true) => format!("{} on everything", listed(actions)),
        (false, false) => format!("{} on {}", listed(actions), listed(&objects)),
    };
    format!("`{holder}` may do {what}{place}{condition}, by `{policy}`")
}

pub(super) fn crossing(crossing: &CrossingChange) -> String {
    format!("from {} into {}: `{}` → `{}`", plain(&crossing.out_of), plain(&crossing.into), crossing.from, crossing.to)
}

fn plain(name: &str) -> String {
    name.replace('`', "'")
}

pub(super) fn flow(flow: &FlowChange) -> String {
    let port = flow.port.map_or_else(String::new, |port| format!(":{port}"));
    let crosses = if flow.crosses { ", crosses a trust boundary" } else { "" };
    let changes = if flow.changes.is_empty() { String::new() } else { format!("; {}", settings(&flow.changes)) };
    format!("`{}` → `{}` {}{port}{crosses}{changes}", flow.from, flow.to, flow.protocol)
}

pub(super) fn component(component: &ComponentChange) -> String {
    let kind = component.component_type.replace(['.', '_'], " ");
    let exposed = match (component.change, component.exposure.as_deref()) {
        (Change::New, Some(word @ ("internet" | "other-accounts"))) => format!(", can be reached from {}", reach(word)),
        _ => String::new(),
    };
    let went = component.went_into.as_ref().map_or_else(String::new, |module| {
        format!("; it went into `{module}`, whose code is not among the files, so what became of it is not known")
    });
    format!("`{}` {kind}{exposed}{went}{}", component.address, changed_settings(component))
}

fn changed_settings(component: &ComponentChange) -> String {
    if component.settings.is_empty() { String::new() } else { format!("; {}", settings(&component.settings)) }
}

/// What decides how components behave, by type: `3 × vpc security group`; a few are named.
pub(super) fn supporting(components: &[&ComponentChange]) -> String {
    let mut by_type: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for component in components {
        by_type.entry(component.component_type.replace(['.', '_'], " ")).or_default().push(component.address.clone());
    }
    let told = |(name, addresses): (String, Vec<String>)| match addresses.len() {
        n if n > MOST_NAMED => format!("{n} × {name}"),
        _ => format!("{name} {}", listed(&addresses)),
    };
    let parts: Vec<String> = by_type.into_iter().map(told).collect();
    parts.join(", ")
}

/// Names in backticks, the first few.
pub(super) fn listed(names: &[String]) -> String {
    let mut shown: Vec<String> =
        names.iter().take(MOST_LISTED).map(|name| format!("`{}`", without_reasons(name).replace('`', "'"))).collect();
    if names.len() > MOST_LISTED {
        shown.push(format!("{} more", names.len() - MOST_LISTED));
    }
    words::list(&shown)
}

/// `12 → 15 open threats (critical 0 → 1), sum of risks 80 → 95, attack paths 0 → 2`.
pub(super) fn risk(difference: &Difference) -> String {
    let (before, after) = (&difference.risk.before, &difference.risk.after);
    let of = |totals: &RiskTotals, severity: &str| totals.by_severity.get(severity).copied().unwrap_or_default();
    let changed = |before: usize, after: usize| if before == after { after.to_string() } else { format!("{before} → {after}") };
    let by_severity: Vec<String> = SEVERITIES
        .into_iter()
        .map(|severity| (severity.id(), of(before, severity.id()), of(after, severity.id())))
        .filter(|(_, before, after)| before + after > 0)
        .map(|(word, before, after)| format!("{word} {}", changed(before, after)))
        .collect();
    let by_severity = if by_severity.is_empty() { String::new() } else { format!(" ({})", by_severity.join(", ")) };
    format!(
        "{} open threats{by_severity}, sum of their risks {}, attack paths {}",
        changed(before.open, after.open),
        changed(before.total, after.total),
        changed(before.attack_paths, after.attack_paths)
    )
}

/// What a reader has to know first.
pub(super) fn headline(difference: &Difference) -> String {
    let threats = |change: Change| difference.threats.iter().filter(move |threat| threat.change == change);
    let new: Vec<_> = threats(Change::New).filter(|threat| threat.judged).collect();
    let worse = threats(Change::Worse).count();
    let paths = difference.attack_paths.iter().filter(|path| path.change <= Change::Worse).count();
    let exposed = difference.exposures.iter().filter(|exposure| exposure.change == Change::Worse).count();
    let wider = difference.permissions.iter().filter(|permission| permission.widens).count();
    let better = difference
        .threats
        .iter()
        .filter(|threat| threat.change >= Change::Better && threat.status_before.as_deref() == Some("open"))
        .count();
    let mut parts = Vec::new();
    if let Some(worst) = new.first() {
        parts.push(format!("{} (worst: {})", words::count(new.len(), "new threat", "new threats"), worst.severity));
    }
    for (n, one, many) in [
        (worse, "threat got worse", "threats got worse"),
        (paths, "attack path is new or likelier", "attack paths are new or likelier"),
        (exposed, "component is more exposed", "components are more exposed"),
        (wider, "permission is wider", "permissions are wider"),
    ] {
        if n > 0 {
            parts.push(words::count(n, one, many));
        }
    }
    let asked = difference.questions.iter().filter(|question| question.change == Change::New).count();
    if asked > 0 {
        parts.push(words::count(asked, "new question", "new questions"));
    }
    if better > 0 {
        parts.push(words::count(better, "threat is gone or milder", "threats are gone or milder"));
    }
    if !parts.is_empty() {
        return words::list(&parts);
    }
    if !difference.is_empty() {
        return "the architecture changed, and no risk rose".to_owned();
    }
    let renamed = if difference.renamed.is_empty() { "" } else { "; some of it has new addresses" };
    let off = match difference.switched_off.len() {
        0 => String::new(),
        n => format!("; {} switched off", words::count(n, "block more is", "blocks more are")),
    };
    format!("the architecture is unchanged{renamed}{off}")
}
