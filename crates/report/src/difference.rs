//! What changed between two reviews, in the words of architecture: components, flows, crossings of trust boundaries, exposure, permissions, attack
//! paths, threats and risk.
//!
//! Both sides are [`Snapshot`]s of `bartizan/review/1`, whether they were just made or read from a file, so there is one way to compare.
//! Lines, messages and files are not architecture: a change of these alone gives nothing, and neither does a new address ([`Renamed`]).

mod architecture;
mod comment;
mod document;
mod names;
mod permissions;
mod sentence;
mod snapshot;
mod text;
mod threats;

use std::collections::BTreeSet;

pub use comment::comment;
pub use document::{
    Change, ComponentChange, CrossingChange, DIFF, Difference, ExposureChange, FlowChange, PathChange, PermissionChange, QuestionChange,
    Renamed, RiskChange, RiskTotals, SettingChange, Spot, ThreatChange,
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
        renamed: renamed.collect(),
    }
}

fn totals(snapshot: &Snapshot) -> RiskTotals {
    let mut totals = RiskTotals { attack_paths: snapshot.attack_paths.len(), ..RiskTotals::default() };
    for threat in snapshot.threats.iter().filter(|threat| threat.is_open()) {
        totals.open += 1;
        totals.total += usize::from(threat.residual.risk);
        *totals.by_severity.entry(threat.severity().id().to_owned()).or_default() += 1;
    }
    totals
}

fn questions(base: &Snapshot, head: &Snapshot, names: &Names<'_>) -> Vec<QuestionChange> {
    let keys = |side: Side, snapshot: &Snapshot| -> BTreeSet<(String, String)> {
        // A question about a setting is the same however it is worded.
        let key = |question: &snapshot::Question| {
            let about = names.address(side, &question.about).to_owned();
            (about, question.setting.clone().unwrap_or_else(|| names.text(side, &question.text)))
        };
        snapshot.questions.iter().map(key).collect()
    };
    let (before, after) = (keys(Side::Base, base), keys(Side::Head, head));
    let only = |side: Side, snapshot: &Snapshot, others: &BTreeSet<(String, String)>, change: Change| -> Vec<QuestionChange> {
        let mut out = Vec::new();
        for question in &snapshot.questions {
            let about = names.address(side, &question.about).to_owned();
            let key = (about.clone(), question.setting.clone().unwrap_or_else(|| names.text(side, &question.text)));
            if !others.contains(&key) {
                out.push(QuestionChange { change, text: question.text.clone(), to: question.to.clone(), about });
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
