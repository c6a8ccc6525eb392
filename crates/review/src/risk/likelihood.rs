//! Likelihood: the rule's base and who can reach the target at all.

use bartizan_model::Reason;

use crate::catalogue::Rule;
use crate::outcome::{Evidence, Term};
use crate::threats::{Subject, View, exposure_word};

pub(super) fn terms(rule: &Rule, view: &View<'_>, subject: Subject<'_>) -> Vec<Term> {
    let base = Term { points: f64::from(rule.likelihood.base), text: rule.likelihood.because.clone(), evidence: Vec::new() };
    let mut terms = vec![base];
    terms.extend(exposure(rule, view, subject));
    terms
}

fn exposure(rule: &Rule, view: &View<'_>, subject: Subject<'_>) -> Option<Term> {
    if rule.presumes_exposure {
        return None;
    }
    let (exposure, reasons) = subject.component()?.exposure.as_ref()?;
    let crosses_internet = match subject {
        Subject::Flow(_, from, to) => view.crossed(from, to).contains(&"internet"),
        Subject::Component(_) | Subject::System => false,
    };
    let word = if crosses_internet { "internet" } else { exposure_word(*exposure) };
    if rule.presumes_internet && word == "internet" {
        return None;
    }
    let adjustment = view.catalogue.risk.exposure.iter().find(|adjustment| adjustment.of == word)?;
    if adjustment.points == 0.0 {
        return None;
    }
    Some(Term { points: adjustment.points, text: adjustment.because.clone(), evidence: reasons.iter().filter_map(shown).take(3).collect() })
}

fn shown(reason: &Reason) -> Option<Evidence> {
    reason.span.map(|span| Evidence { span, text: reason.text.clone() })
}
