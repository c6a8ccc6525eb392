//! Recovery: what is configured for each data store, which loss and outage that leaves, and whether the owners' targets are met.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Component};

use crate::catalogue::recovery::{Feature, Loss, Outcome, RecoveryRule};
use crate::expression::{Expression, Scope, Verdict};
use crate::threats::{Subject, View};
use crate::{Evidence, Recovery, address_pattern};

/// What is known of one feature on one store.
enum State {
    On(Option<Evidence>),
    Off,
    Unknown(String),
}

/// What is in force against each kind of loss.
#[derive(Clone, Copy)]
struct InForce<'a> {
    data: Option<&'a Feature>,
    zone: Option<&'a Feature>,
    region: Option<&'a Feature>,
}

/// Recovery of every data store, in the order of components.
pub(super) fn recovery(view: &View<'_>, dead_letter_targets: &BTreeSet<&Address>) -> Vec<Recovery> {
    let mut by_type: BTreeMap<&str, &RecoveryRule> = BTreeMap::new();
    for rule in &view.catalogue.recovery {
        for component_type in &rule.types {
            by_type.insert(component_type, rule);
        }
    }
    let components = view.architecture.components.values();
    components
        .filter_map(|component| Some((component, *by_type.get(component.component_type.as_str())?)))
        .filter(|(component, rule)| rule.given.as_ref().is_none_or(|given| applies(view, given, component)))
        .map(|(component, rule)| of_store(view, component, rule, dead_letter_targets.contains(&component.address)))
        .collect()
}

fn applies<'a>(view: &View<'a>, given: &Expression, component: &'a Component) -> bool {
    !matches!(given.verdict(&view.scope(Subject::Component(component))), Ok(Verdict::No))
}

fn of_store<'a>(view: &View<'a>, component: &'a Component, rule: &RecoveryRule, is_dead_letter_target: bool) -> Recovery {
    let mut configured = Vec::new();
    let mut gaps = Vec::new();
    let mut on: Vec<&Feature> = Vec::new();
    for feature in &rule.features {
        if feature.dead_letter.is_some_and(|wanted| wanted != is_dead_letter_target) {
            continue;
        }
        match state(view, component, feature) {
            State::On(evidence) => {
                configured.extend(evidence);
                on.push(feature);
            }
            State::Off => gaps.extend(feature.gap.clone()),
            // Whether a rare extra is there matters to nobody; whether something is missing does.
            State::Unknown(why) => gaps.extend(feature.gap.as_ref().map(|_| format!("{} may be on or off: {why}", feature.name))),
        }
    }
    let force = InForce { data: best(&on, Loss::Data), zone: best(&on, Loss::Zone), region: best(&on, Loss::Region) };
    Recovery {
        component: component.address.clone(),
        configured,
        rpo: words(&rule.without.rpo, force, |outcome| &outcome.rpo),
        rto: words(&rule.without.rto, force, |outcome| &outcome.rto),
        target: target(view, component, force),
        gaps,
    }
}

fn state<'a>(view: &View<'a>, component: &'a Component, feature: &Feature) -> State {
    let scope = view.scope(Subject::Component(component));
    match feature.when.verdict(&scope) {
        Ok(Verdict::Yes) => {
            let spans = feature.when.reads().into_iter().filter_map(|read| scope.read(read).span);
            let written = spans.filter(|span| view.architecture.sources.get(span.file).is_some()).min();
            // What needs no setting holds where the store is declared.
            let text = format!("{}: {}", feature.name, feature.text.fill(&scope));
            State::On(written.or(component.span).map(|span| Evidence { span, text }))
        }
        Ok(Verdict::No) | Err(_) => State::Off,
        Ok(Verdict::Unknown(gaps)) => {
            let why: Vec<String> = gaps.into_iter().map(|gap| format!("`{}` {}", gap.path, gap.why)).collect();
            State::Unknown(why.join("; "))
        }
    }
}

/// The feature that loses least against a kind of loss; of equals the first.
fn best<'a>(on: &[&'a Feature], loss: Loss) -> Option<&'a Feature> {
    let minutes = |feature: &Feature| feature.gives.rpo_minutes.unwrap_or(f64::MAX);
    on.iter().filter(|feature| feature.against.contains(&loss)).min_by(|a, b| minutes(a).total_cmp(&minutes(b))).copied()
}

/// `about 5 minutes (point-in-time recovery); when a zone fails: none (multi-AZ)`.
fn words(without: &str, force: InForce<'_>, of: impl Fn(&Outcome) -> &str) -> String {
    let mut out = match force.data {
        Some(feature) => format!("{} ({})", of(&feature.gives), feature.name),
        None => without.to_owned(),
    };
    for (when, feature) in [("when a zone fails", force.zone), ("when a region fails", force.region)] {
        if let Some(feature) = feature.filter(|feature| force.data.is_none_or(|data| data.name != feature.name)) {
            out.push_str(&format!("; {when}: {} ({})", of(&feature.gives), feature.name));
        }
    }
    out
}

/// What the owners want and whether it is met, for lost data and for a failed zone alike.
fn target(view: &View<'_>, component: &Component, force: InForce<'_>) -> Option<String> {
    let declared = view.architecture.declarations.workload.iter();
    let of_component: Vec<_> =
        declared.filter(|workload| address_pattern::matches(&workload.component.0, component.address.as_str())).collect();
    let rpo = of_component.iter().find_map(|workload| workload.rpo_minutes);
    let rto = of_component.iter().find_map(|workload| workload.rto_minutes);
    let mut parts = Vec::new();
    for (name, wanted, is_rpo) in [("RPO", rpo, true), ("RTO", rto, false)] {
        let Some(wanted) = wanted else { continue };
        let verdict = |feature: Option<&Feature>, when: &str| {
            let Some(feature) = feature else { return format!("missed {when}: nothing is configured") };
            let given = if is_rpo { feature.gives.rpo_minutes } else { feature.gives.rto_minutes };
            match given {
                Some(given) if given <= wanted => format!("met {when} ({})", feature.name),
                Some(given) => format!("missed {when}: {} gives about {given} minutes", feature.name),
                None => format!("not to be told {when} ({})", feature.name),
            }
        };
        let (data, zone) = (verdict(force.data, "when data is lost"), verdict(force.zone, "when a zone fails"));
        parts.push(format!("{name} of {wanted} minutes is {data}; {zone}"));
    }
    (!parts.is_empty()).then(|| parts.join(". "))
}
