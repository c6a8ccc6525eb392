//! What changed between two reviews, in the words of architecture: components, flows, crossings of trust boundaries, exposure, permissions, attack
//! paths, threats and risk.
//!
//! Both sides are [`Snapshot`]s of `bartizan/review/1`, whether they were just made or read from a file, so there is one way to compare.
//! Lines, messages and files are not architecture: a change of these alone gives nothing, and neither does a new address ([`Renamed`]).

mod architecture;
mod comment;
mod document;
mod lines;
mod names;
mod permissions;
mod sentence;
mod snapshot;
mod text;
mod threats;
mod values;

use std::collections::{BTreeMap, BTreeSet};

pub use comment::comment;
pub use document::{
    Change, ComponentChange, CrossingChange, DIFF, Difference, ExposureChange, FlowChange, PathChange, PermissionChange, QuestionChange,
    Renamed, RiskChange, RiskTotals, SettingChange, Spot, SwitchedOff, ThreatChange,
};
pub use snapshot::{Snapshot, SnapshotError};
pub use text::text;

use names::{Names, Side};

/// Compares two reviews; `base` and `head` are what readers call them.
pub fn difference((base_name, base): (&str, &Snapshot), (head_name, head): (&str, &Snapshot)) -> Difference {
    let names = Names::find(base, head);
    let renamed = names
        .kept()
        .into_iter()
        .filter(|(before, after)| before.address != after.address)
        .map(|(before, after)| Renamed { before: before.address.clone(), after: after.address.clone() });
    Difference {
        schema: DIFF.to_owned(),
        base: base_name.to_owned(),
        head: head_name.to_owned(),
        risk: RiskChange { before: totals(base), after: totals(head) },
        threats: threats::threats(base, head, &names),
        attack_paths: threats::paths(base, head, &names),
        exposures: architecture::exposures(&names),
        permissions: permissions::permissions(base, head, &names),
        crossings: architecture::crossings(base, head, &names),
        flows: architecture::flows(base, head, &names),
        components: architecture::components(base, head, &names),
        questions: questions(base, head, &names),
        switched_off: switched_off(base, head),
        renamed: renamed.collect(),
    }
}

/// Blocks that make nothing and did not so before; not those that stood elsewhere before, made components then, or are only used once more.
fn switched_off(base: &Snapshot, head: &Snapshot) -> Vec<SwitchedOff> {
    // A block is told by its file and label, whatever modules it is used in.
    let blocks = |snapshot: &Snapshot| -> BTreeSet<(String, String)> {
        let file = |origin: &Option<snapshot::Origin>| origin.as_ref().map(|origin| origin.file.clone()).unwrap_or_default();
        let off = snapshot.architecture.switched_off.iter().map(|off| (file(&off.origin), names::block(&off.address)));
        let made = snapshot.components().into_values().map(|component| (file(&component.origin), names::block(&component.address)));
        off.chain(made).collect()
    };
    let (before, after) = (blocks(base), blocks(head));
    let components = base.components();
    let moved: BTreeSet<&String> = before.difference(&after).map(|(_, block)| block).collect();
    let mut new: BTreeMap<(String, String), SwitchedOff> = BTreeMap::new();
    for off in &head.architecture.switched_off {
        let origin = off.origin.as_ref().map(|origin| Spot { file: origin.file.clone(), line: origin.line });
        let key = (origin.as_ref().map(|origin| origin.file.clone()).unwrap_or_default(), names::block(&off.address));
        // What was made before and is no more is told as gone.
        let made = || components.keys().any(|address| is_below(address, &off.address));
        if before.contains(&key) || moved.contains(&key.1) || made() {
            continue;
        }
        new.entry(key).or_insert_with(|| SwitchedOff { address: off.address.clone(), uses: 0, origin }).uses += 1;
    }
    new.into_values().collect()
}

fn is_below(address: &str, module: &str) -> bool {
    address.strip_prefix(module).is_some_and(|rest| rest.starts_with(['.', '[']))
}

fn totals(snapshot: &Snapshot) -> RiskTotals {
    let mut totals = RiskTotals { attack_paths: snapshot.paths().count(), ..RiskTotals::default() };
    for threat in snapshot.threats.iter().filter(|threat| threat.is_open()) {
        totals.open += 1;
        totals.total += usize::from(threat.residual.risk);
        *totals.by_severity.entry(threat.severity().id().to_owned()).or_default() += 1;
    }
    totals
}

fn questions(base: &Snapshot, head: &Snapshot, names: &Names<'_>) -> Vec<QuestionChange> {
    // A question about a setting is the same however it is worded, and every other whatever the component's name is.
    let key = |side: Side, question: &snapshot::Question| -> (String, String) {
        let worded = || match names.component(side, &question.about) {
            Some(component) => names.text(side, &question.text).replace(&format!("`{}`", component.name), "`…`"),
            None => names.text(side, &question.text),
        };
        (names.address(side, &question.about).to_owned(), question.setting.clone().unwrap_or_else(worded))
    };
    let keys = |side: Side, snapshot: &Snapshot| -> BTreeSet<(String, String)> {
        snapshot.questions.iter().map(|question| key(side, question)).collect()
    };
    let (before, after) = (keys(Side::Base, base), keys(Side::Head, head));
    let only = |side: Side, snapshot: &Snapshot, others: &BTreeSet<(String, String)>, change: Change| -> Vec<QuestionChange> {
        let mut out = Vec::new();
        for question in &snapshot.questions {
            let key = key(side, question);
            if !others.contains(&key) {
                out.push(QuestionChange { change, text: question.text.clone(), to: question.to.clone(), about: key.0 });
            }
        }
        out
    };
    let mut changes = only(Side::Head, head, &before, Change::New);
    changes.extend(only(Side::Base, base, &after, Change::Gone));
    changes.sort();
    changes.dedup();
    changes
}
