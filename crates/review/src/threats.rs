//! Step 3: rules over components, flows and the system give threats, what is in order, and questions.
//!
//! Rules are pre-selected by component type; each condition was compiled when the catalogue was loaded.
//! One cause gives one threat, over all its instances; ids hang on rule and cause alone and so survive everything else.

mod answers;
mod cause;
mod decisions;
mod evidence;
mod questions;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Architecture, Diagnostic, Severity as DiagnosticSeverity};

pub(crate) use answers::{apply_to_facts, apply_to_settings};
pub(crate) use view::{Subject, View, exposure_word};

use crate::catalogue::{Catalogue, On, Rule};
use crate::expression::{EvaluationError, Gap, Verdict};
use crate::outcome::{Evidence, InOrder, Policy, Question, Status, Threat};
use crate::{Facts, risk};

/// What the rules say.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) threats: Vec<Threat>,
    pub(crate) in_order: Vec<InOrder>,
    pub(crate) questions: Vec<Question>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// One match of one rule.
struct Instance<'a> {
    subject: Subject<'a>,
    evidence: Vec<Evidence>,
    cause: cause::Cause,
    /// Index of the decision that applies, in the declarations.
    decision: Option<usize>,
    assessment: risk::Assessment,
}

/// Runs every rule that the policy does not leave out.
pub(crate) fn find(architecture: &Architecture, facts: &Facts, catalogue: &Catalogue, policy: &Policy) -> Outcome {
    let view = View::new(architecture, facts, catalogue);
    let causes = cause::Causes::new(architecture);
    let mut outcome = Outcome::default();
    let mut questions = questions::Questions::default();
    for rule in catalogue.rules.values() {
        if policy.disabled_rules.iter().any(|disabled| *disabled == rule.id || rule.aliases.contains(disabled)) {
            continue;
        }
        let mut instances = Vec::new();
        let mut good = Vec::new();
        for subject in view.subjects(rule) {
            match judge(rule, &view, subject) {
                Ok(None) => {}
                Ok(Some(Verdict::No)) => good.push(subject),
                Ok(Some(Verdict::Unknown(gaps))) => questions.ask(rule, &view, subject, &gaps),
                Ok(Some(Verdict::Yes)) => {
                    let evidence = evidence::of(rule, &view, subject);
                    let cause = causes.of(subject, evidence.first());
                    let decision = decisions::for_instance(&architecture.declarations, rule, subject);
                    let assessment = risk::assess(rule, &view, subject);
                    instances.push(Instance { subject, evidence, cause, decision, assessment });
                }
                Err(error) => outcome.diagnostics.push(cannot_evaluate(rule, subject, &error)),
            }
        }
        outcome.threats.extend(threats_of(rule, &view, instances, policy));
        if !good.is_empty() {
            outcome.in_order.push(in_order(rule, &view, &good));
        }
    }
    distinguish(&mut outcome.threats);
    outcome.threats.sort_by(|a, b| {
        (b.severity, b.residual_risk(), b.inherent_risk())
            .cmp(&(a.severity, a.residual_risk(), a.inherent_risk()))
            .then_with(|| a.id.cmp(&b.id))
    });
    outcome.questions = questions.finish(&view);
    outcome
}

/// The verdict on one subject; `None` where the rule does not apply.
fn judge(rule: &Rule, view: &View<'_>, subject: Subject<'_>) -> Result<Option<Verdict>, EvaluationError> {
    let scope = view.scope(subject);
    let given = match &rule.given {
        Some(given) => given.verdict(&scope)?,
        None => Verdict::Yes,
    };
    if given == Verdict::No {
        return Ok(None);
    }
    let when = rule.when.verdict(&scope)?;
    Ok(match (given, when) {
        (Verdict::Yes, when) => Some(when),
        // Whether it applies is open, but it would be in order in any case: nothing to ask and nothing to say.
        (_, Verdict::No) => None,
        (Verdict::Unknown(gaps), Verdict::Yes) => Some(Verdict::Unknown(gaps)),
        (Verdict::Unknown(gaps), Verdict::Unknown(more)) => {
            let both: BTreeSet<Gap> = gaps.into_iter().chain(more).collect();
            Some(Verdict::Unknown(both.into_iter().collect()))
        }
        (Verdict::No, _) => None,
    })
}

fn threats_of(rule: &Rule, view: &View<'_>, instances: Vec<Instance<'_>>, policy: &Policy) -> Vec<Threat> {
    let mut groups: BTreeMap<(String, Option<usize>), Vec<Instance<'_>>> = BTreeMap::new();
    for instance in instances {
        groups.entry((instance.cause.key.clone(), instance.decision)).or_default().push(instance);
    }
    // A decision on some instances of a cause splits them off; the rest keeps the id that the whole had.
    let mut undecided: BTreeSet<String> = BTreeSet::new();
    for (key, decision) in groups.keys() {
        if decision.is_none() {
            undecided.insert(key.clone());
        }
    }
    let declarations = &view.architecture.declarations;
    let mut threats = Vec::new();
    for ((key, decision), group) in groups {
        let split = decision.filter(|_| undecided.contains(&key));
        let pattern = split.and_then(|index| declarations.decisions.get(index)).map(|decision| decision.threat.as_str());
        let id = cause::id(&rule.id, &key, pattern, 6);
        let decision = decision.or_else(|| decisions::for_threat(declarations, &id)).and_then(|index| declarations.decisions.get(index));
        if let Some(mut threat) = assemble(rule, view, id, group) {
            if let Some(decision) = decision {
                decisions::apply(&mut threat, decision, policy);
            }
            threats.push(threat);
        }
    }
    threats
}

fn assemble(rule: &Rule, view: &View<'_>, id: String, mut group: Vec<Instance<'_>>) -> Option<Threat> {
    group.sort_by(|a, b| a.subject.cmp_key().cmp(&b.subject.cmp_key()));
    let worst = group.iter().rev().max_by_key(|instance| instance.assessment.rank(&view.catalogue.risk))?;
    let assessment = worst.assessment.clone();
    let mut targets = targets(&group);
    if rule.on == On::System {
        targets.extend(evidence::components(rule, view));
    }
    let scope = view.scope(worst.subject);
    let mut message = rule.message.fill(&scope);
    let others: BTreeSet<&Address> = group.iter().filter_map(|instance| instance.subject.address()).collect();
    if others.len() > 1 {
        message.push_str(&format!(" ({} components)", others.len()));
    }
    let mut shown = worst.evidence.clone();
    for evidence in group.iter().flat_map(|instance| &instance.evidence) {
        if !shown.iter().any(|known| known.span == evidence.span) {
            shown.push(evidence.clone());
        }
    }
    shown.truncate(evidence::MAX_PER_THREAT);
    let flows: BTreeSet<String> = group.iter().filter_map(|instance| instance.subject.flow()).map(|flow| flow.id.clone()).collect();
    let table = &view.catalogue.risk;
    let inherent_severity = table.severity(assessment.likelihood.value, assessment.impact.value);
    let severity = table.severity(assessment.residual_likelihood.value, assessment.residual_impact.value);
    let tolerated = risk::tolerated(view);
    let mitigated = !assessment.present.is_empty() && severity <= tolerated && inherent_severity > tolerated;
    Some(Threat {
        id,
        rule: rule.id.clone(),
        title: rule.title.clone(),
        message,
        category: rule.group,
        stride: rule.stride.clone(),
        attack: rule.attack.clone(),
        cwe: rule.cwe.clone(),
        targets,
        of_system: rule.on == On::System,
        flows: flows.into_iter().collect(),
        status: if mitigated { Status::Mitigated } else { Status::Open },
        severity,
        inherent_severity,
        likelihood: assessment.likelihood,
        impact: assessment.impact,
        residual_likelihood: assessment.residual_likelihood,
        residual_impact: assessment.residual_impact,
        evidence: shown,
        controls: risk::missing_controls(rule, view.catalogue, &assessment.present),
        controls_present: assessment.present,
        paths: Vec::new(),
        decision: None,
        explanation: rule.page.first_paragraph(),
        references: rule.references.clone(),
    })
}

/// The cause first, then every other address, sorted.
fn targets(group: &[Instance<'_>]) -> Vec<Address> {
    let mut all: BTreeSet<Address> = group.iter().flat_map(|instance| instance.subject.addresses()).collect();
    let first = group.iter().find_map(|instance| instance.cause.address.clone()).or_else(|| group.first()?.subject.address().cloned());
    let mut targets = Vec::new();
    if let Some(first) = first {
        all.remove(&first);
        targets.push(first);
    }
    targets.extend(all);
    targets
}

fn in_order(rule: &Rule, view: &View<'_>, good: &[Subject<'_>]) -> InOrder {
    let checked: BTreeSet<Address> = good.iter().flat_map(|subject| subject.address().cloned()).collect();
    let evidence = good.iter().take(3).flat_map(|subject| evidence::of(rule, view, *subject).into_iter().take(1)).collect();
    InOrder {
        rule: rule.id.clone(),
        title: rule.title.clone(),
        because: rule.in_order.clone(),
        checked: checked.into_iter().collect(),
        evidence,
    }
}

/// Two causes whose short hashes are equal get longer ones.
fn distinguish(threats: &mut [Threat]) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for threat in threats.iter_mut() {
        while !seen.insert(threat.id.clone()) {
            let cause: Vec<&str> = threat.targets.iter().map(Address::as_str).collect();
            threat.id = cause::id(&threat.rule, &format!("{} {}", threat.id, cause.join(" ")), None, 12);
        }
    }
}

fn cannot_evaluate(rule: &Rule, subject: Subject<'_>, error: &EvaluationError) -> Diagnostic {
    let on = subject.address().map_or_else(|| "the system".to_owned(), |address| format!("`{address}`"));
    let span = match rule.on {
        On::Component | On::Flow => subject.span(),
        On::System => None,
    };
    Diagnostic::new(
        "catalogue/evaluation",
        DiagnosticSeverity::Warning,
        format!("the rule `{}` could not be evaluated on {on}: {error}", rule.id),
        span,
    )
    .with_help("the rule's condition expects another type; report it to who maintains the rule")
}
