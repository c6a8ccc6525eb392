//! Step 4: likelihood and impact of a match, 1 to 5, before and after the controls that the plan shows; every term with its reason.
//!
//! All numbers come from `catalogue/risk.yaml`, the rules and the controls; here is only how they add up.

mod impact;
mod likelihood;
mod residual;

use crate::catalogue::{Catalogue, RiskTable, Rule};
use crate::outcome::{Score, Severity, Term};
use crate::threats::{Subject, View};

/// The scores of one match.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Assessment {
    pub(crate) likelihood: Score,
    pub(crate) impact: Score,
    pub(crate) residual_likelihood: Score,
    pub(crate) residual_impact: Score,
    /// Controls of the rule that the plan shows, by id, in the rule's order.
    pub(crate) present: Vec<String>,
}

impl Assessment {
    /// What the worst instance of a cause is chosen by.
    pub(crate) fn rank(&self, table: &RiskTable) -> (Severity, u8, u8) {
        let product = |likelihood: &Score, impact: &Score| likelihood.value.saturating_mul(impact.value);
        (
            table.severity(self.residual_likelihood.value, self.residual_impact.value),
            product(&self.residual_likelihood, &self.residual_impact),
            product(&self.likelihood, &self.impact),
        )
    }
}

/// Scores a match of a rule.
pub(crate) fn assess(rule: &Rule, view: &View<'_>, subject: Subject<'_>) -> Assessment {
    let likelihood = likelihood::terms(rule, view, subject);
    let impact = impact::terms(rule, view, subject);
    let shown = residual::shown(rule, view, subject);
    let less = |terms: &[Term], reduced: Vec<Term>| score(terms.iter().cloned().chain(reduced).collect());
    Assessment {
        residual_likelihood: less(&likelihood, residual::terms(&shown, &view.catalogue.risk, |points| points.likelihood)),
        residual_impact: less(&impact, residual::terms(&shown, &view.catalogue.risk, |points| points.impact)),
        likelihood: score(likelihood),
        impact: score(impact),
        present: shown.iter().map(|shown| shown.control.id.clone()).collect(),
    }
}

/// The rule's controls that the plan does not show, those that take most first.
pub(crate) fn missing_controls(rule: &Rule, catalogue: &Catalogue, present: &[String]) -> Vec<String> {
    let mut missing: Vec<(&String, f64)> = rule
        .controls
        .iter()
        .filter(|id| !present.contains(id))
        .filter_map(|id| catalogue.controls.get(id).map(|control| (id, control.reduces.likelihood + control.reduces.impact)))
        .collect();
    missing.sort_by(|a, b| b.1.total_cmp(&a.1));
    missing.into_iter().map(|(id, _)| id.clone()).collect()
}

/// The highest severity that may stay open.
pub(crate) fn tolerated(view: &View<'_>) -> Severity {
    let all = [Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
    let declared = view.architecture.declarations.appetite.tolerated.as_deref();
    declared.and_then(|word| all.into_iter().find(|severity| severity.id() == word)).unwrap_or(view.catalogue.risk.tolerated)
}

/// Sums terms, rounds half up and keeps 1..=5.
fn score(terms: Vec<Term>) -> Score {
    let sum: f64 = terms.iter().map(|term| term.points).sum();
    // INVARIANT: clamped to 1..=5 before the conversion.
    let value = (sum + 0.5).floor().clamp(1.0, 5.0) as u8;
    Score { value, terms }
}
