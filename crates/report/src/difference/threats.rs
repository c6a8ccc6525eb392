//! Threats and attack paths of two reviews.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use bartizan_review::Severity;

use super::document::{Change, PathChange, Spot, ThreatChange};
use super::names::{Names, Side};
use super::snapshot::{AttackPath, Snapshot, Threat, severity};

/// A likelihood that rises or falls by less than this part of itself is no news. Judgement.
const NOTICED: f64 = 0.1;

/// Threats that are new, gone or different.
pub(super) fn threats(base: &Snapshot, head: &Snapshot, names: &Names<'_>) -> Vec<ThreatChange> {
    let mut changes = Vec::new();
    let pairs = pairs(base, head, names);
    let (before, after) = (Concerned::read(Side::Base, base, names), Concerned::read(Side::Head, head, names));
    let mut known: BTreeSet<usize> = BTreeSet::new();
    for (place, threat) in head.threats.iter().enumerate() {
        let old = pairs.get(&place).and_then(|place| base.threats.get(*place));
        known.extend(pairs.get(&place));
        match old {
            Some(old) => changes.extend(compared(old, threat, names, (&before, &after))),
            None if before.has_all_of(threat, Side::Head, names, &after) => {}
            None => changes.push(alone(threat, Change::New)),
        }
    }
    for (place, threat) in base.threats.iter().enumerate() {
        if !known.contains(&place) && !after.has_all_of(threat, Side::Base, names, &before) {
            changes.push(alone(threat, Change::Gone));
        }
    }
    changes.sort_by(|a, b| {
        let key = |threat: &ThreatChange| (threat.change, Reverse((severity(&threat.severity), threat.risk)));
        key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
    });
    changes
}

/// What each rule concerns, by rule and address in the newer review, once for every threat: components with one cause are one threat, so that a
/// component may come into another threat of the rule without being better or worse off.
struct Concerned(BTreeMap<(String, String), Vec<Rank>>);

/// Whether a threat is open, its severity and its residual risk.
type Rank = (bool, Severity, u8);

impl Concerned {
    fn read(side: Side, snapshot: &Snapshot, names: &Names<'_>) -> Self {
        let mut out: BTreeMap<(String, String), Vec<Rank>> = BTreeMap::new();
        for threat in &snapshot.threats {
            for target in &threat.targets {
                let key = (threat.rule.clone(), names.address(side, target).to_owned());
                out.entry(key).or_default().push((threat.is_open(), threat.severity(), threat.residual.risk));
            }
        }
        out.values_mut().for_each(|ranks| ranks.sort_unstable());
        Self(out)
    }

    /// True where the rule concerns a component in both reviews equally often and equally badly.
    fn is_same(&self, others: &Self, rule: &str, address: &str) -> bool {
        let key = (rule.to_owned(), address.to_owned());
        self.0.contains_key(&key) && self.0.get(&key) == others.0.get(&key)
    }

    /// True where everything that a threat of the other review concerns is the same in both.
    fn has_all_of(&self, threat: &Threat, side: Side, names: &Names<'_>, others: &Self) -> bool {
        !threat.targets.is_empty() && threat.targets.iter().all(|target| self.is_same(others, &threat.rule, names.address(side, target)))
    }
}

/// By place in the newer review: the place of the same threat in the older one.
fn pairs(base: &Snapshot, head: &Snapshot, names: &Names<'_>) -> BTreeMap<usize, usize> {
    let mut pairs: BTreeMap<usize, usize> = BTreeMap::new();
    let mut taken: BTreeSet<usize> = BTreeSet::new();
    let targets = |side: Side, threat: &Threat| -> BTreeSet<String> {
        threat.targets.iter().map(|target| names.address(side, target).to_owned()).collect()
    };
    let old: Vec<BTreeSet<String>> = base.threats.iter().map(|threat| targets(Side::Base, threat)).collect();
    let new: Vec<BTreeSet<String>> = head.threats.iter().map(|threat| targets(Side::Head, threat)).collect();
    let mut by_rule: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, threat) in base.threats.iter().enumerate() {
        by_rule.entry(&threat.rule).or_default().push(place);
    }
    // The id first; then, for what moved, the same rule on the same cause, then on any common component.
    let tests: [&dyn Fn(usize, usize) -> bool; 4] = [
        &|old_place, new_place| base.threats.get(old_place).map(|t| &t.id) == head.threats.get(new_place).map(|t| &t.id),
        &|old_place, new_place| old.get(old_place) == new.get(new_place),
        &|old_place, new_place| {
            let cause = |side, threat: Option<&Threat>| {
                threat.and_then(|threat| threat.targets.first()).map(|first| names.address(side, first).to_owned())
            };
            let (old, new) = (cause(Side::Base, base.threats.get(old_place)), cause(Side::Head, head.threats.get(new_place)));
            old.is_some() && old == new
        },
        &|old_place, new_place| old.get(old_place).zip(new.get(new_place)).is_some_and(|(old, new)| old.intersection(new).next().is_some()),
    ];
    for test in tests {
        for (new_place, threat) in head.threats.iter().enumerate() {
            if pairs.contains_key(&new_place) {
                continue;
            }
            let candidates = by_rule.get(threat.rule.as_str()).into_iter().flatten();
            if let Some(found) = candidates.copied().find(|old_place| !taken.contains(old_place) && test(*old_place, new_place)) {
                pairs.insert(new_place, found);
                taken.insert(found);
            }
        }
    }
    pairs
}

fn alone(threat: &Threat, change: Change) -> ThreatChange {
    let is_new = change == Change::New;
    ThreatChange {
        change,
        judged: is_new && threat.is_open(),
        id: threat.id.clone(),
        id_before: None,
        rule: threat.rule.clone(),
        title: threat.title.clone(),
        message: threat.message.clone(),
        category: threat.category.clone(),
        severity: threat.severity.clone(),
        severity_before: (!is_new).then(|| threat.severity.clone()),
        risk: threat.residual.risk,
        risk_before: (!is_new).then_some(threat.residual.risk),
        status: threat.status.clone(),
        status_before: (!is_new).then(|| threat.status.clone()),
        targets: threat.targets.clone(),
        targets_new: if is_new { threat.targets.clone() } else { Vec::new() },
        targets_gone: if is_new { Vec::new() } else { threat.targets.clone() },
        decision: threat.decision.clone(),
        origin: threat.evidence.first().map(|place| Spot { file: place.file.clone(), line: place.line }),
    }
}

fn compared(before: &Threat, after: &Threat, names: &Names<'_>, (old, new): (&Concerned, &Concerned)) -> Option<ThreatChange> {
    let known: BTreeSet<&str> = before.targets.iter().map(|target| names.address(Side::Base, target)).collect();
    let now: BTreeSet<&str> = after.targets.iter().map(String::as_str).collect();
    // What the system as a whole lacks is not worse because there is one component more to be told with it.
    let (targets_new, targets_gone): (Vec<String>, Vec<String>) = if after.of_system || before.of_system {
        (Vec::new(), Vec::new())
    } else {
        let elsewhere = |address: &&&str| old.is_same(new, &after.rule, address);
        (
            now.difference(&known).filter(|address| !elsewhere(address)).map(|address| (*address).to_owned()).collect(),
            known.difference(&now).filter(|address| !elsewhere(address)).map(|address| (*address).to_owned()).collect(),
        )
    };
    let rank = |threat: &Threat| {
        (threat.is_open(), if threat.is_open() { (threat.severity(), threat.residual.risk) } else { (Severity::Info, 0) })
    };
    let is_worse = after.is_open() && (rank(after) > rank(before) || !targets_new.is_empty());
    let is_better = rank(after) < rank(before) || (targets_new.is_empty() && !targets_gone.is_empty());
    let is_different = before.status != after.status || before.residual.risk != after.residual.risk || before.severity != after.severity;
    let change = match (is_worse, is_better) {
        (true, _) => Change::Worse,
        (false, true) => Change::Better,
        (false, false) if is_different || !targets_new.is_empty() => Change::Changed,
        (false, false) => return None,
    };
    Some(ThreatChange {
        judged: is_worse,
        id_before: (before.id != after.id).then(|| before.id.clone()),
        severity_before: Some(before.severity.clone()),
        risk_before: Some(before.residual.risk),
        status_before: Some(before.status.clone()),
        targets_new,
        targets_gone,
        ..alone(after, Change::New)
    })
    .map(|told| ThreatChange { change, ..told })
}

/// Attack paths that are new, gone, likelier or less likely.
pub(super) fn paths(base: &Snapshot, head: &Snapshot, names: &Names<'_>) -> Vec<PathChange> {
    type Key = (String, String, Option<String>);
    let key = |side: Side, path: &AttackPath| -> Key {
        (names.address(side, &path.from).to_owned(), names.address(side, &path.to).to_owned(), path.operation.clone())
    };
    let before: BTreeMap<Key, &AttackPath> = base.paths().map(|path| (key(Side::Base, path), path)).collect();
    let after: BTreeMap<Key, &AttackPath> = head.paths().map(|path| (key(Side::Head, path), path)).collect();
    let mut changes = Vec::new();
    for (key, path) in &after {
        match before.get(key) {
            None => changes.push(path_change(head, path, Change::New, None)),
            Some(old) => {
                let change = match path.likelihood - old.likelihood {
                    more if more > NOTICED * old.likelihood => Change::Worse,
                    less if -less > NOTICED * old.likelihood => Change::Better,
                    _ => continue,
                };
                changes.push(path_change(head, path, change, Some(old.likelihood)));
            }
        }
    }
    for (key, path) in &before {
        if !after.contains_key(key) {
            changes.push(path_change(base, path, Change::Gone, Some(path.likelihood)));
        }
    }
    let order = |path: &PathChange| (path.change, Reverse(severity(&path.severity)));
    changes.sort_by(|a, b| order(a).cmp(&order(b)).then(b.likelihood.total_cmp(&a.likelihood)).then_with(|| a.id.cmp(&b.id)));
    changes
}

fn path_change(snapshot: &Snapshot, path: &AttackPath, change: Change, before: Option<f64>) -> PathChange {
    let on_it = snapshot.threats.iter().filter(|threat| threat.is_open() && threat.paths.contains(&path.id));
    let least = if path.to == "admin" { Some(Severity::High) } else { None };
    let severity = on_it.map(Threat::severity).chain(least).max().unwrap_or(Severity::Medium);
    let mut over: Vec<String> = path.steps.iter().map(|step| step.to.clone()).filter(|to| *to != path.to).collect();
    over.dedup();
    PathChange {
        change,
        id: path.id.clone(),
        from: path.from.clone(),
        to: path.to.clone(),
        operation: path.operation.clone(),
        over,
        severity: severity.id().to_owned(),
        likelihood: path.likelihood,
        likelihood_before: before,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::difference::{Change, Snapshot, difference};

    fn snapshot(document: &serde_json::Value) -> Snapshot {
        Snapshot::from_json(document.to_string().as_bytes()).expect("a review")
    }

    #[test]
    fn a_path_that_is_listed_no_more_is_not_gone() {
        let path = |to: &str, likelihood: f64| json!({"id": format!("path-{to}"), "from": "internet", "to": to, "operation": "read", "likelihood": likelihood});
        let base = snapshot(
            &json!({"schema": "bartizan/review/1", "attack_paths": [path("a", 0.5), path("b", 0.4)], "further_paths": [path("c", 0.1), path("d", 0.1)]}),
        );
        let head = snapshot(
            &json!({"schema": "bartizan/review/1", "attack_paths": [path("a", 0.5), path("c", 0.3)], "further_paths": [path("b", 0.2), path("e", 0.1)]}),
        );
        let told = difference(("base", &base), ("head", &head));
        let changes: Vec<(Change, &str)> = told.attack_paths.iter().map(|path| (path.change, path.to.as_str())).collect();
        assert_eq!(changes, [(Change::New, "e"), (Change::Worse, "c"), (Change::Better, "b"), (Change::Gone, "d")]);
        assert_eq!((told.risk.before.attack_paths, told.risk.after.attack_paths), (4, 4));
    }

    #[test]
    fn a_component_may_come_into_another_threat_of_the_rule() {
        let threat = |id: &str, targets: &[&str], risk: u8| json!({"id": id, "rule": "r", "status": "open", "severity": "low", "targets": targets, "residual": {"risk": risk}});
        let component = |address: &str| json!({"address": address, "type": "t", "name": address});
        let review = |threats: serde_json::Value| {
            let components: Vec<_> = ["a", "b", "c"].into_iter().map(component).collect();
            snapshot(&json!({"schema": "bartizan/review/1", "architecture": {"components": components}, "threats": threats}))
        };
        let apart = review(json!([threat("r-1", &["a", "b"], 4), threat("r-2", &["c"], 4)]));
        let together = review(json!([threat("r-1", &["a", "b", "c"], 4)]));
        let changes = |base: &Snapshot, head: &Snapshot| difference(("base", base), ("head", head)).threats.len();
        assert_eq!((changes(&apart, &together), changes(&together, &apart)), (0, 0));
        // A second cause on one component, or a graver risk, is no such thing.
        let twice = review(json!([threat("r-1", &["a", "b", "c"], 4), threat("r-2", &["c"], 4)]));
        assert_eq!(changes(&together, &twice), 1);
        let graver = review(json!([threat("r-1", &["a", "b", "c"], 6)]));
        assert_eq!(changes(&apart, &graver), 2);
    }
}
