//! Residual risk: what the controls that the plan shows take away.
//!
//! A control counts in full where it takes most and in part after that, because controls of one system tend to fail together.
//! INVARIANT: no control adds points, so one more control never raises a score.

use bartizan_model::Component;

use crate::catalogue::controls::{Control, Reduces};
use crate::catalogue::{RiskTable, Rule};
use crate::expression::{Operand, Scope, Verdict};
use crate::outcome::{Evidence, Term};
use crate::threats::{Subject, View};

/// A control that the plan shows.
pub(super) struct Shown<'a> {
    pub(super) control: &'a Control,
    pub(super) evidence: Vec<Evidence>,
}

/// The rule's controls that the plan shows on the target, on everything of a fitting type that is linked to it, or on the system.
pub(super) fn shown<'a>(rule: &Rule, view: &View<'a>, subject: Subject<'a>) -> Vec<Shown<'a>> {
    let controls = rule.controls.iter().filter_map(|id| view.catalogue.controls.get(id));
    controls.filter_map(|control| evidence(control, view, subject).map(|evidence| Shown { control, evidence })).collect()
}

/// What shows a control; `None` where nothing does.
fn evidence(control: &Control, view: &View<'_>, subject: Subject<'_>) -> Option<Vec<Evidence>> {
    if control.is_system_wide() {
        return holds(control, view, Subject::System);
    }
    let component = subject.component()?;
    if control.fits(&component.component_type) {
        return holds(control, view, Subject::Component(component));
    }
    // A role, group, key or web ACL that is linked: every one of a fitting type must show it.
    let linked: Vec<&Component> = view
        .architecture
        .links_from(&component.address)
        .filter_map(|link| view.architecture.component(&link.to))
        .filter(|other| control.fits(&other.component_type))
        .collect();
    let shown: Option<Vec<Vec<Evidence>>> = linked.iter().map(|other| holds(control, view, Subject::Component(other))).collect();
    shown.filter(|all| !all.is_empty()).map(|all| all.concat())
}

fn holds(control: &Control, view: &View<'_>, subject: Subject<'_>) -> Option<Vec<Evidence>> {
    let component_type = subject.component().map_or("", |component| component.component_type.as_str());
    let condition = view.catalogue.shown_by(&control.id, component_type)?;
    let scope = view.scope(subject);
    // What cannot be told is no evidence; a mistake in the condition is found by the catalogue's own tests.
    if !matches!(condition.verdict(&scope), Ok(Verdict::Yes)) {
        return None;
    }
    let reads = condition.reads();
    let spans = reads.iter().filter_map(|read| {
        let operand: Operand<'_> = scope.read(read);
        let span = operand.span.filter(|span| view.architecture.sources.get(span.file).is_some())?;
        Some(Evidence { span, text: format!("`{}` is `{}`", read.name, operand.display()) })
    });
    let mut evidence: Vec<Evidence> = spans.collect();
    evidence.sort();
    evidence.dedup();
    evidence.truncate(2);
    Some(evidence)
}

/// The terms that controls add to one of the two scores, the strongest first.
pub(super) fn terms(shown: &[Shown<'_>], table: &RiskTable, of: impl Fn(&Reduces) -> f64) -> Vec<Term> {
    let mut helping: Vec<(&Shown<'_>, f64)> =
        shown.iter().map(|shown| (shown, of(&shown.control.reduces))).filter(|(_, points)| *points > 0.0).collect();
    helping.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.control.id.cmp(&b.0.control.id)));
    let share = |position: usize| if position == 0 { 1.0 } else { table.further_controls };
    helping
        .into_iter()
        .enumerate()
        .map(|(position, (shown, points))| Term {
            points: -points * share(position),
            text: format!("{}: {}", shown.control.title, shown.control.because),
            evidence: shown.evidence.clone(),
        })
        .collect()
}
