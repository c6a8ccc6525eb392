//! Whether a control is worth it: what it takes from the risk against its cost, its latency and what the data is worth.

use std::collections::HashMap;

use bartizan_model::{Architecture, Asset, AssetOrigin, Classification, Component, RiskAppetite};

use crate::catalogue::RiskTable;
use crate::catalogue::controls::{Control, Dimension};
use crate::outcome::USD_PER_POINT;
use crate::{Severity, Threat};

/// Everything that the advice on one mitigation looks at.
pub(super) struct Case<'a> {
    pub(super) control: &'a Control,
    pub(super) components: Vec<&'a Component>,
    pub(super) threats: Vec<&'a Threat>,
    pub(super) classification: Option<Known>,
    pub(super) usd: Option<f64>,
    pub(super) reduction: f64,
}

/// Classification of the data at stake and how it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) classification: Classification,
    /// False where it is guessed from names.
    pub(super) stated: bool,
}

impl Case<'_> {
    fn is_free(&self) -> bool {
        self.usd == Some(0.0) && self.control.performance.added_ms == 0.0
    }

    /// Whether it is applied to what the threat itself is about, not to something joined to it.
    fn is_direct(&self, threat: &Threat) -> bool {
        self.components.iter().any(|component| threat.targets.contains(&component.address))
    }
}

/// The advice in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Advice {
    WorthIt,
    Consider,
    NotWorthIt,
}

/// The advice and its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) advice: Advice,
    pub(super) because: String,
}

impl Verdict {
    fn new(advice: Advice, because: impl Into<String>) -> Self {
        Self { advice, because: because.into() }
    }
}

/// The assets of an architecture, by name.
pub(super) struct Classified<'a> {
    architecture: &'a Architecture,
    by_name: HashMap<&'a str, Known>,
}

impl<'a> Classified<'a> {
    pub(super) fn of(architecture: &'a Architecture) -> Self {
        let known = |asset: &Asset| Known { classification: asset.classification, stated: asset.origin != AssetOrigin::Guessed };
        let mut by_name: HashMap<&str, Known> = HashMap::new();
        for asset in &architecture.assets {
            by_name.entry(&asset.name).and_modify(|other| *other = worse(*other, known(asset))).or_insert_with(|| known(asset));
        }
        Self { architecture, by_name }
    }

    /// The worst classification of the data at the components, else at the targets of the threats.
    pub(super) fn worst(&self, components: &[&Component], threats: &[&Threat]) -> Option<Known> {
        let of = |component: &Component| component.assets.iter().filter_map(|name| self.by_name.get(name.as_str()).copied()).reduce(worse);
        let own = components.iter().filter_map(|component| of(component)).reduce(worse);
        own.or_else(|| {
            let targets = threats.iter().flat_map(|threat| &threat.targets);
            targets.filter_map(|address| self.architecture.component(address)).filter_map(of).reduce(worse)
        })
    }
}

fn worse(a: Known, b: Known) -> Known {
    let (x, y) = (a.classification, b.classification);
    Known {
        classification: Classification {
            confidentiality: x.confidentiality.max(y.confidentiality),
            integrity: x.integrity.max(y.integrity),
            availability: x.availability.max(y.availability),
        },
        stated: a.stated && b.stated,
    }
}

/// One verdict for each case, in the same order.
pub(super) fn verdicts(cases: &[Case<'_>], appetite: &RiskAppetite, table: &RiskTable, tolerated: Severity) -> Vec<Verdict> {
    let mut out: Vec<Verdict> = cases.iter().map(|case| alone(case, appetite, tolerated)).collect();
    drop_superfluous(cases, &mut out, table, tolerated);
    spend(cases, &mut out, appetite);
    out
}

/// The verdict on a mitigation by itself.
fn alone(case: &Case<'_>, appetite: &RiskAppetite, tolerated: Severity) -> Verdict {
    let control = case.control;
    let worst = case.threats.iter().map(|threat| threat.severity).max().unwrap_or(Severity::Info);
    let free = case.is_free();
    if case.reduction <= 0.0 {
        return Verdict::new(Advice::NotWorthIt, "the risk is as low as it gets already");
    }
    if let Some(worth) = &control.worth {
        let word = worth.of.word();
        match case.classification {
            Some(known) if value(known.classification, worth.of) >= worth.from => {}
            Some(known) if known.stated => {
                let value = value(known.classification, worth.of);
                let because = format!("the data's {word} is {value} of 5, and this pays from {} on; {}", worth.from, worth.below);
                return Verdict::new(Advice::NotWorthIt, because);
            }
            Some(known) => {
                let value = value(known.classification, worth.of);
                let because = format!(
                    "its name suggests data of {word} {value} of 5, and this pays from {} on; say what it holds; {}",
                    worth.from, worth.below
                );
                return Verdict::new(Advice::Consider, because);
            }
            None => {
                let because = format!(
                    "it pays where the data's {word} is {} of 5 or more, which nobody has said; below that {}",
                    worth.from, worth.below
                );
                return Verdict::new(Advice::Consider, because);
            }
        }
    }
    if worst <= tolerated {
        return if free {
            Verdict::new(Advice::Consider, format!("what it is against is {}, which is tolerated, but it costs nothing", worst.id()))
        } else {
            Verdict::new(Advice::NotWorthIt, format!("what it is against is {}, which is tolerated", worst.id()))
        };
    }
    if let Some(budget) = appetite.latency_budget_ms.filter(|budget| control.performance.added_ms > *budget) {
        let added = control.performance.added_ms;
        return Verdict::new(Advice::Consider, format!("it adds about {added} ms to a request, and {budget} ms are acceptable"));
    }
    match case.usd {
        Some(usd) if usd > USD_PER_POINT * case.reduction && worst < Severity::High => {
            Verdict::new(Advice::Consider, format!("{usd:.2} USD a month is much for {:.1} points of {} risk", case.reduction, worst.id()))
        }
        Some(usd) if usd > 0.0 => {
            Verdict::new(Advice::WorthIt, format!("it takes {:.1} points of risk for about {usd:.2} USD a month", case.reduction))
        }
        Some(_) if free => Verdict::new(Advice::WorthIt, format!("it takes {:.1} points of risk and costs nothing", case.reduction)),
        Some(_) | None => Verdict::new(Advice::WorthIt, format!("it takes {:.1} points of risk that is {}", case.reduction, worst.id())),
    }
}

/// Once the controls before it bring every threat to what is tolerated, one more is no longer needed.
fn drop_superfluous(cases: &[Case<'_>], verdicts: &mut [Verdict], table: &RiskTable, tolerated: Severity) {
    let mut by_threat: std::collections::BTreeMap<&str, (&Threat, Vec<usize>)> = std::collections::BTreeMap::new();
    for (index, case) in cases.iter().enumerate() {
        for threat in &case.threats {
            by_threat.entry(threat.id.as_str()).or_insert_with(|| (*threat, Vec::new())).1.push(index);
        }
    }
    let mut needed = vec![false; cases.len()];
    let mut enough: Vec<Option<String>> = vec![None; cases.len()];
    for (threat, indices) in by_threat.values() {
        let (mut likelihood, mut impact) = (f64::from(threat.residual_likelihood.value), f64::from(threat.residual_impact.value));
        let mut applied: Vec<&str> = Vec::new();
        // What mends the cause itself comes before what limits the harm elsewhere.
        let direct =
            |id: &String| indices.iter().filter_map(|index| cases.get(*index)).any(|case| case.control.id == *id && case.is_direct(threat));
        let mut in_order: Vec<&String> = threat.controls.iter().collect();
        in_order.sort_by_key(|id| !direct(id));
        for id in in_order {
            let of_control: Vec<usize> =
                indices.iter().copied().filter(|index| cases.get(*index).is_some_and(|case| case.control.id == *id)).collect();
            let worth = |index: &usize| verdicts.get(*index).is_some_and(|verdict| verdict.advice == Advice::WorthIt);
            if !of_control.iter().any(worth) {
                continue;
            }
            let control = of_control.first().and_then(|index| cases.get(*index)).map(|case| case.control);
            let is_enough = table.severity(rounded(likelihood), rounded(impact)) <= tolerated;
            for index in of_control {
                // Where nothing was applied, the threat is tolerated as it stands, and what a control is needed for is another one.
                if is_enough {
                    if applied.is_empty() {
                        continue;
                    }
                    if let Some(slot) = enough.get_mut(index).filter(|slot| slot.is_none()) {
                        *slot = Some(applied.join("`, `"));
                    }
                } else if let Some(slot) = needed.get_mut(index) {
                    *slot = true;
                }
            }
            if let Some(control) = control
                && !is_enough
            {
                (likelihood, impact) = control.after(likelihood, impact);
                applied.push(id);
            }
        }
    }
    for (((verdict, needed), enough), case) in verdicts.iter_mut().zip(needed).zip(enough).zip(cases) {
        let mends_for_free = case.is_free() && case.threats.iter().any(|threat| case.is_direct(threat));
        if let (Advice::WorthIt, false, Some(others)) = (verdict.advice, needed || mends_for_free, enough) {
            *verdict = Verdict::new(
                Advice::Consider,
                format!(
                    "`{others}` {} the risk to what is tolerated; this is a second line",
                    if others.contains(',') { "bring" } else { "brings" }
                ),
            );
        }
    }
}

/// Goes through what is worth it, cheapest point of risk first, until the declared budget is spent.
fn spend(cases: &[Case<'_>], verdicts: &mut [Verdict], appetite: &RiskAppetite) {
    let Some(budget) = appetite.budget_usd_per_month else { return };
    let mut order: Vec<(f64, usize, f64)> = Vec::new();
    for (index, (case, verdict)) in cases.iter().zip(verdicts.iter()).enumerate() {
        if let (Advice::WorthIt, Some(usd)) = (verdict.advice, case.usd.filter(|usd| *usd > 0.0)) {
            order.push((usd / case.reduction.max(0.1), index, usd));
        }
    }
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut left = budget;
    for (_, index, usd) in order {
        if usd <= left {
            left -= usd;
        } else if let Some(verdict) = verdicts.get_mut(index) {
            let because =
                format!("{usd:.2} USD a month is more than the {left:.2} USD left of the budget after what gives more for its money");
            *verdict = Verdict::new(Advice::Consider, because);
        }
    }
}

fn value(classification: Classification, of: Dimension) -> u8 {
    match of {
        Dimension::Confidentiality => classification.confidentiality,
        Dimension::Integrity => classification.integrity,
        Dimension::Availability => classification.availability,
        Dimension::Any => classification.worst(),
    }
}

/// A score between whole ones, half up as the risk phase rounds.
fn rounded(score: f64) -> u8 {
    // INVARIANT: clamped to 1..=5 before the conversion.
    (score + 0.5).floor().clamp(1.0, 5.0) as u8
}
