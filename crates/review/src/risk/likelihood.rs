//! Likelihood: the rule's base and who can reach the target at all.

use bartizan_model::Reason;

use crate::catalogue::Rule;
use crate::outcome::{Evidence, Term};
use crate::threats::{Subject, View, exposure_word};

pub(super) fn terms(rule: &Rule, view: &View<'_>, subject: Subject<'_>) -> Vec<Term> {
    let base = Term { points: f64::from(rule.likelihood.base), text: rule.likelihood.because.clone(), evidence: Vec::new() };
    let mut terms = vec![base];
    let exposure = exposure(rule, view, subject);
    // Whoever comes along a path has the foothold that a narrow exposure would ask for.
    let path = attack_path(rule, view, subject).filter(|_| exposure.as_ref().is_none_or(|term| term.points <= 0.0));
    terms.extend(path.or(exposure));
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

/// What outsiders can get to in steps is likelier to be hit than its own exposure says.
fn attack_path(rule: &Rule, view: &View<'_>, subject: Subject<'_>) -> Option<Term> {
    if rule.presumes_exposure {
        return None;
    }
    let points = view.catalogue.risk.attack_path.as_ref()?;
    let node = view.facts.by_component.get(&subject.component()?.address)?.get("on_attack_path")?;
    let likelihood = node.get("likelihood")?.value.as_number().filter(|likelihood| *likelihood >= points.at_least)?;
    let path = node.get("path")?.value.as_str()?;
    let text = format!("{} ({path}, about {:.0} % of those who try)", points.because, likelihood * 100.0);
    Some(Term { points: points.points, text, evidence: vec![Evidence { span: node.span, text: "the path begins here".to_owned() }] })
}

fn shown(reason: &Reason) -> Option<Evidence> {
    reason.span.map(|span| Evidence { span, text: reason.text.clone() })
}
