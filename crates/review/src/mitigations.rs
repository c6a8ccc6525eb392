//! Step 5: for each open threat the controls that fit, what each changes, what it costs, and whether it is worth it.
//!
//! One control on one block of the source is one [`Mitigation`], however many threats ask for it.

mod advice;
pub(crate) mod code;
mod places;

use std::collections::BTreeMap;

use bartizan_model::{Address, Architecture, Component};
use sha2::{Digest, Sha256};

use crate::catalogue::controls::{Control, Standard};
use crate::catalogue::costs::{Costs, Load};
use crate::expression::Verdict as Truth;
use crate::threats::{Subject, View};
use crate::{Catalogue, Facts, Mitigation, Severity, Status, Threat, address_pattern, risk};

use advice::{Case, Classified, Verdict};
use places::Neighbours;

/// The framework that numbers its requirements by service.
const FSBP: &str = "AWS FSBP";

/// Target of what is applied to the system as a whole.
pub(crate) const SYSTEM: &str = "system";

/// One control on one block of the source, with the threats that ask for it.
struct Proposal<'a> {
    control: &'a Control,
    /// The instances of the block, sorted; none for a control of the whole system.
    components: Vec<&'a Component>,
    threats: Vec<&'a Threat>,
}

/// The mitigations of all open threats: those of the worst threat first, what only detects after what prevents, then most risk reduced first.
pub(crate) fn mitigations(architecture: &Architecture, facts: &Facts, threats: &[Threat], catalogue: &Catalogue) -> Vec<Mitigation> {
    let view = View::new(architecture, facts, catalogue);
    let costs = &catalogue.costs;
    let neighbours = Neighbours::of(architecture);
    let runs_as = code::runs_as(architecture);
    let mut estimates = Estimates { architecture, costs, without_load: BTreeMap::new() };
    let mut proposals: BTreeMap<(String, Address), Proposal<'_>> = BTreeMap::new();
    let mut places_of: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for threat in threats.iter().filter(|threat| threat.status == Status::Open) {
        for id in threat.controls.iter().filter(|id| !threat.controls_present.contains(id)) {
            // What changes nothing any more, because the score is at its lowest, helps nobody.
            let Some(control) = catalogue.controls.get(id).filter(|control| reduction(control, threat) > 0.0) else { continue };
            let mut blocks = 0;
            for (block, component) in places(&view, &neighbours, control, threat) {
                let proposal = proposals.entry((control.id.clone(), block)).or_insert_with(|| Proposal {
                    control,
                    components: Vec::new(),
                    threats: Vec::new(),
                });
                if let Some(component) = component
                    && !proposal.components.iter().any(|known| known.address == component.address)
                {
                    proposal.components.push(component);
                }
                // A threat comes with all its blocks before the next one does.
                if proposal.threats.last().is_none_or(|known| known.id != threat.id) {
                    proposal.threats.push(threat);
                    blocks += 1;
                }
            }
            places_of.insert((&threat.id, &control.id), blocks);
        }
    }
    let places_of =
        |threat: &Threat, control: &Control| places_of.get(&(threat.id.as_str(), control.id.as_str())).copied().unwrap_or(1).max(1);

    let classified = Classified::of(architecture);
    let mut cases: Vec<Case<'_>> = Vec::new();
    let mut out: Vec<Mitigation> = Vec::new();
    for ((_, block), proposal) in &proposals {
        let control = proposal.control;
        let risk_reduction = proposal.threats.iter().map(|threat| reduction(control, threat) / count(places_of(threat, control))).sum();
        let usd = estimates.monthly(control, &proposal.components);
        cases.push(Case {
            control,
            components: proposal.components.clone(),
            threats: proposal.threats.clone(),
            classification: classified.worst(&proposal.components, &proposal.threats),
            usd,
            reduction: risk_reduction,
        });
        out.push(Mitigation {
            id: mitigation_id(control, block),
            control: control.id.clone(),
            title: control.title.clone(),
            kind: control.kind.id().to_owned(),
            target: proposal.components.first().map_or_else(|| Address::new(SYSTEM), |first| first.address.clone()),
            threats: proposal.threats.iter().map(|threat| threat.id.clone()).collect(),
            points: proposal.threats.iter().map(|threat| reduction(control, threat)).collect(),
            effect: effect(control, proposal, &places_of),
            risk_reduction,
            cost: cost_text(costs, control, usd, proposal.components.len()),
            cost_usd_per_month: usd,
            performance: costs.filled(&control.performance.text),
            advice: String::new(),
            standards: standards(control, proposal.components.first().map(|component| component.service.as_str())),
            fix: fix(architecture, control, &proposal.components, &runs_as),
        });
    }
    for (mitigation, verdict) in
        out.iter_mut().zip(advice::verdicts(&cases, &architecture.declarations.appetite, &catalogue.risk, risk::tolerated(&view)))
    {
        mitigation.advice = verdict.to_string();
    }
    let rank: BTreeMap<&str, (Severity, u8)> =
        threats.iter().map(|threat| (threat.id.as_str(), (threat.severity, threat.residual_risk()))).collect();
    let worst = |mitigation: &Mitigation| mitigation.threats.iter().filter_map(|threat| rank.get(threat.as_str()).copied()).max();
    let mut ranked: Vec<_> = out.into_iter().map(|mitigation| (worst(&mitigation), mitigation)).collect();
    ranked.sort_by(|(worst_a, a), (worst_b, b)| {
        worst_b
            .cmp(worst_a)
            .then_with(|| a.only_detects().cmp(&b.only_detects()))
            .then_with(|| b.risk_reduction.total_cmp(&a.risk_reduction))
            .then_with(|| a.id.cmp(&b.id))
    });
    ranked.into_iter().map(|(_, mitigation)| mitigation).collect()
}

/// Where a control against a threat is applied and not shown to be there yet: blocks with their instances.
fn places<'a>(view: &View<'a>, neighbours: &Neighbours<'a>, control: &Control, threat: &Threat) -> Vec<(Address, Option<&'a Component>)> {
    let architecture = view.architecture;
    let shown = |subject: Subject<'a>| is_shown(view, control, subject);
    if control.is_system_wide() {
        return if shown(Subject::System) { Vec::new() } else { vec![(Address::new(SYSTEM), None)] };
    }
    let mut found: Vec<&Component> = Vec::new();
    for target in &threat.targets {
        match architecture.component(target) {
            Some(component) if control.fits(&component.component_type) => found.push(component),
            // The cause lies at the target, but what can be done about it is done at something joined to it: its role, group or key.
            _ => found.extend(neighbours.that_fit(architecture, target, control)),
        }
    }
    found.sort_by(|a, b| a.address.cmp(&b.address));
    found.dedup_by(|a, b| a.address == b.address);
    found
        .into_iter()
        .filter(|component| !shown(Subject::Component(component)))
        .map(|component| (component.address.without_instance_keys(), Some(component)))
        .collect()
}

/// Whether the plan shows a control in place; what cannot be told is not shown.
fn is_shown<'a>(view: &View<'a>, control: &Control, subject: Subject<'a>) -> bool {
    let component_type = subject.component().map_or("", |component| component.component_type.as_str());
    let condition = view.catalogue.shown_by(&control.id, component_type);
    condition.is_some_and(|condition| matches!(condition.verdict(&view.scope(subject)), Ok(Truth::Yes)))
}

/// Points of risk that a control takes from a threat.
fn reduction(control: &Control, threat: &Threat) -> f64 {
    let (likelihood, impact) = (f64::from(threat.residual_likelihood.value), f64::from(threat.residual_impact.value));
    let (after_likelihood, after_impact) = control.after(likelihood, impact);
    likelihood * impact - after_likelihood * after_impact
}

/// What it changes, in words, for the threat where it changes most.
fn effect(control: &Control, proposal: &Proposal<'_>, places_of: &impl Fn(&Threat, &Control) -> usize) -> String {
    let Some(worst) =
        proposal.threats.iter().max_by(|a, b| reduction(control, a).total_cmp(&reduction(control, b)).then_with(|| b.id.cmp(&a.id)))
    else {
        return String::new();
    };
    let (likelihood, impact) = (f64::from(worst.residual_likelihood.value), f64::from(worst.residual_impact.value));
    let (after_likelihood, after_impact) = control.after(likelihood, impact);
    let mut parts = Vec::new();
    if after_likelihood < likelihood {
        parts.push(format!("likelihood {likelihood} → {after_likelihood}"));
    }
    if after_impact < impact {
        parts.push(format!("impact {impact} → {after_impact}"));
    }
    let mut text = parts.join(", ");
    if proposal.threats.len() > 1 {
        text.push_str(&format!(" for `{}`, the most of {} threats", worst.id, proposal.threats.len()));
    }
    let places = places_of(worst, control);
    if places > 1 {
        text.push_str(&format!("; in full once it is done on all {places} components of the threat"));
    }
    text.push_str(": ");
    text.push_str(&control.because);
    text
}

/// Estimates of cost; most components have no declared load, and for them a control's is made once.
struct Estimates<'a> {
    architecture: &'a Architecture,
    costs: &'a Costs,
    /// By control.
    without_load: BTreeMap<&'a str, Option<f64>>,
}

impl<'a> Estimates<'a> {
    /// USD per month over all instances, where the declared load allows an estimate.
    fn monthly(&mut self, control: &'a Control, components: &[&Component]) -> Option<f64> {
        let amount = control.cost.per_month_usd.as_ref()?;
        let costs = self.costs;
        let without = *self.without_load.entry(&control.id).or_insert_with(|| costs.per_month(amount, Load::default()));
        if components.is_empty() {
            return without;
        }
        let of = |component: &&Component| match load(self.architecture, component) {
            load if load == Load::default() => without,
            load => costs.per_month(amount, load),
        };
        components.iter().map(of).sum()
    }
}

/// The load that `bartizan.yaml` declares for a component; later entries complete earlier ones.
fn load(architecture: &Architecture, component: &Component) -> Load {
    let mut out = Load::default();
    for workload in &architecture.declarations.workload {
        if address_pattern::matches(&workload.component.0, component.address.as_str()) {
            out.requests_per_second = out.requests_per_second.or(workload.requests_per_second);
            out.records = out.records.or(workload.records);
            out.gigabytes = out.gigabytes.or(workload.gigabytes);
            out.growth = out.growth.or(workload.growth);
        }
    }
    out
}

fn cost_text(costs: &Costs, control: &Control, usd: Option<f64>, instances: usize) -> String {
    let mut text = costs.filled(&control.cost.text);
    if let Some(usd) = usd.filter(|usd| *usd > 0.0) {
        let of = if instances > 1 { format!(" for {instances} instances") } else { String::new() };
        text.push_str(&format!("; about {usd:.2} USD a month{of} with the load that is declared"));
    }
    text
}

/// The requirements that ask for it. AWS FSBP numbers them by service: those of the component's own service, where there are any.
fn standards(control: &Control, service: Option<&str>) -> Vec<String> {
    let of_service = |id: &str| {
        let prefix = id.split_once('.').map_or(id, |(prefix, _)| prefix).to_ascii_lowercase();
        service.is_some_and(|service| prefix == service || (service == "vpc" && prefix == "ec2"))
    };
    let own = control.standards.iter().any(|standard| standard.framework == FSBP && of_service(&standard.id));
    let counts = |standard: &&Standard| standard.framework != FSBP || !own || of_service(&standard.id);
    control.standards.iter().filter(counts).map(Standard::label).collect()
}

/// Structural id: the control and a hash of the block it is applied to.
fn mitigation_id(control: &Control, block: &Address) -> String {
    let digest = Sha256::digest(format!("{}\n{block}", control.id));
    let short: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{short}", control.id)
}

fn fix(architecture: &Architecture, control: &Control, components: &[&Component], runs_as: &code::RunsAs<'_>) -> Option<crate::Fix> {
    let fixes = control.fix.as_ref()?;
    let Some(component) = components.first() else {
        let (language, parts) = fixes.template("")?;
        let code = parts.beside?;
        let complete = !code::has_gap(&code);
        return Some(crate::Fix { language: language.to_owned(), code, place: None, complete });
    };
    let (language, parts) = fixes.template(&component.source_type)?;
    let extra = code::Extra { runs_as: Some(runs_as), ..code::Extra::default() };
    code::fix(architecture, component, language, &parts, &control.sets, &extra)
}

#[expect(clippy::cast_precision_loss, reason = "a count of components is far below 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = match self.advice {
            advice::Advice::WorthIt => "worth it",
            advice::Advice::Consider => "consider",
            advice::Advice::NotWorthIt => "not worth it",
        };
        write!(f, "{word}: {}", self.because)
    }
}

#[cfg(test)]
pub(crate) mod tests;
