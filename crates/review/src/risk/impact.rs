//! Impact: the rule's base, the worth of the data, the environment and the declared workload.

use bartizan_model::{Asset, AssetOrigin, Classification, Component, Workload};

use crate::address_pattern;
use crate::catalogue::{Dimension, Rule, WorkloadRule};
use crate::outcome::{Evidence, Term};
use crate::threats::{Subject, View};

pub(super) fn terms(rule: &Rule, view: &View<'_>, subject: Subject<'_>) -> Vec<Term> {
    let base = f64::from(rule.impact.base);
    let mut terms = vec![Term { points: base, text: rule.impact.because.clone(), evidence: Vec::new() }];
    let names = match subject {
        Subject::Flow(flow, _, _) if !flow.data.is_empty() => flow.data.as_slice(),
        Subject::Flow(..) | Subject::Component(_) => subject.component().map_or(&[][..], |component| component.assets.as_slice()),
        Subject::System => &[],
    };
    let assets = view.assets_of(names);
    terms.extend(worth(rule, view, &assets, base));
    let declared = assets.iter().any(|asset| asset.origin != AssetOrigin::Guessed);
    if let Some(component) = subject.component() {
        // Data that somebody classified is worth that in every environment: copies of production data lie in test systems.
        if !declared {
            terms.extend(environment(view, component));
        }
        terms.extend(workload(rule, view, component));
    }
    terms
}

/// The difference that the most valuable asset makes; what is only guessed counts in part.
fn worth(rule: &Rule, view: &View<'_>, assets: &[&Asset], base: f64) -> Option<Term> {
    let value = |asset: &Asset| f64::from(of(rule.dimension, asset.classification));
    let weight = |asset: &Asset| match asset.origin {
        AssetOrigin::Declared | AssetOrigin::Tagged => 1.0,
        AssetOrigin::Guessed => view.catalogue.risk.guessed_assets,
    };
    let points = |asset: &Asset| (value(asset) - base) * weight(asset);
    // A declared asset outweighs any guess, however high the guess is.
    let known = assets.iter().any(|asset| asset.origin != AssetOrigin::Guessed);
    let candidates = assets.iter().filter(|asset| !known || asset.origin != AssetOrigin::Guessed);
    let worst = candidates.max_by(|a, b| points(a).total_cmp(&points(b)).then_with(|| b.name.cmp(&a.name)))?;
    let how = match worst.origin {
        AssetOrigin::Declared => "declared",
        AssetOrigin::Tagged => "tagged",
        AssetOrigin::Guessed => "guessed from its name",
    };
    let evidence =
        worst.why.iter().filter_map(|reason| reason.span.map(|span| Evidence { span, text: reason.text.clone() })).take(2).collect();
    let text = format!("it holds `{}` ({how}), {} {} of 5", worst.name, rule.dimension.word(), value(worst));
    Some(Term { points: points(worst), text, evidence })
}

fn of(dimension: Dimension, classification: Classification) -> u8 {
    match dimension {
        Dimension::Confidentiality => classification.confidentiality,
        Dimension::Integrity => classification.integrity,
        Dimension::Availability => classification.availability,
        Dimension::Any => classification.worst(),
    }
}

fn environment(view: &View<'_>, component: &Component) -> Option<Term> {
    let tagged = component.tags.iter().filter(|(key, _)| {
        ["environment", "env", "stage"].contains(&key.to_ascii_lowercase().rsplit([':', '/']).next().unwrap_or_default())
    });
    let mut sources: Vec<(String, Vec<Evidence>)> = tagged
        .filter_map(|(key, node)| {
            let text = node.value.as_str()?.into_owned();
            let evidence = Evidence { span: node.span, text: format!("the tag `{key}` is `{text}`") };
            Some((text, vec![evidence]))
        })
        .collect();
    // A tag says it on purpose; the name of a folder is the second best.
    sources.push((component.stack.clone(), Vec::new()));
    for (text, evidence) in sources {
        let lower = text.to_ascii_lowercase();
        let words: Vec<&str> = lower.split(|c: char| !c.is_ascii_alphanumeric()).collect();
        let named = view.catalogue.risk.environments.iter().find(|entry| entry.words.iter().any(|word| words.contains(&word.as_str())));
        if let Some(entry) = named {
            let term = Term { points: entry.points, text: format!("{} environment: {}", entry.name, entry.because), evidence };
            return (entry.points != 0.0).then_some(term);
        }
    }
    None
}

fn workload(rule: &Rule, view: &View<'_>, component: &Component) -> Option<Term> {
    let declared = &view.architecture.declarations.workload;
    let entry = declared.iter().find(|entry| address_pattern::matches(&entry.component.0, component.address.as_str()))?;
    let matched = view.catalogue.risk.workload.iter().find(|line| line.of == rule.dimension && counts(line, entry))?;
    let evidence = vec![Evidence { span: entry.component.1, text: format!("declared workload of `{}`", entry.component.0) }];
    Some(Term { points: matched.points, text: matched.because.clone(), evidence })
}

fn counts(line: &WorkloadRule, workload: &Workload) -> bool {
    let figure = match line.figure.as_str() {
        "records" => workload.records,
        "requests_per_second" => workload.requests_per_second,
        "gigabytes" => workload.gigabytes,
        "rto_minutes" => workload.rto_minutes,
        "rpo_minutes" => workload.rpo_minutes,
        _ => None,
    };
    figure.is_some_and(|figure| line.at_least.is_none_or(|least| figure >= least) && line.at_most.is_none_or(|most| figure <= most))
}
