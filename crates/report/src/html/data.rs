//! What the page's script draws. Private to the page; machines read `review.json`.
//!
//! Fields named `…_html` or documented so are HTML that was made safe here; all others are plain text.

mod paths;
mod settings;

use bartizan_model::{Component, Diagnostic, Flow, Reason, Sources, Span};
use bartizan_review::{Evidence, Fix, Mitigation, Review, Score, Term, Threat};
use serde::Serialize;

use super::rich;
use crate::{Excerpt, Place, Remedies, redact::redact, words};
pub(super) use paths::LinkData;
use paths::PathData;

/// Excerpts shown per threat; further places are only named.
const QUOTED: usize = 6;
/// Further places that are named.
const NAMED: usize = 40;

#[derive(Serialize)]
pub(super) struct Data {
    pub(super) components: Vec<ComponentData>,
    pub(super) flows: Vec<FlowData>,
    pub(super) threats: Vec<ThreatData>,
    pub(super) mitigations: Vec<MitigationData>,
    pub(super) paths: Vec<PathData>,
    pub(super) questions: Vec<QuestionData>,
    pub(super) in_order: Vec<InOrderData>,
    pub(super) alarms: Vec<AlarmData>,
    pub(super) recovery: Vec<RecoveryData>,
    pub(super) runbooks: Vec<PageData>,
    pub(super) training: Vec<PageData>,
    pub(super) diagnostics: Vec<DiagnosticData>,
}

#[derive(Serialize)]
pub(super) struct ComponentData {
    address: String,
    name: String,
    source_type: String,
    component_type: String,
    service: String,
    kind: &'static str,
    supporting: bool,
    boundary: Vec<String>,
    exposure: Option<&'static str>,
    exposure_id: Option<&'static str>,
    exposure_why: Vec<WhyData>,
    assets: Vec<String>,
    at: Option<String>,
    settings: Vec<(String, String)>,
}

#[derive(Serialize)]
struct WhyData {
    /// HTML.
    text: String,
    at: Option<String>,
}

#[derive(Serialize)]
pub(super) struct FlowData {
    id: String,
    from: String,
    to: String,
    protocol: String,
    port: Option<u16>,
    encrypted: Option<bool>,
    authentication: Option<String>,
    data: Vec<String>,
    confidence: &'static str,
    status: &'static str,
    why: Vec<WhyData>,
}

#[derive(Serialize)]
pub(super) struct ThreatData {
    id: String,
    rule: String,
    title: String,
    /// HTML.
    message: String,
    category: &'static str,
    severity: &'static str,
    inherent_severity: &'static str,
    status: &'static str,
    likelihood: ScoreData,
    impact: ScoreData,
    risk: u8,
    inherent_risk: u8,
    targets: Vec<String>,
    flows: Vec<String>,
    evidence: Vec<EvidenceData>,
    more_evidence: Vec<String>,
    controls_present: Vec<String>,
    mitigations: Vec<usize>,
    paths: Vec<String>,
    /// HTML.
    decision: Option<String>,
    /// HTML.
    explanation: String,
    classes: Vec<String>,
    references: Vec<String>,
}

#[derive(Serialize)]
struct ScoreData {
    value: u8,
    residual: u8,
    terms: Vec<TermData>,
}

#[derive(Serialize)]
struct TermData {
    points: f64,
    /// HTML.
    text: String,
    at: Option<String>,
}

#[derive(Clone, Serialize)]
pub(super) struct EvidenceData {
    /// HTML.
    pub(super) text: String,
    pub(super) at: String,
    pub(super) first_line: u32,
    pub(super) marked_from: u32,
    pub(super) marked_to: u32,
    pub(super) lines: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct MitigationData {
    id: String,
    title: String,
    kind: String,
    target: String,
    threats: Vec<String>,
    /// HTML.
    effect: String,
    /// HTML.
    cost: String,
    /// HTML.
    performance: String,
    /// HTML.
    advice: String,
    reduction: f64,
    standards: Vec<String>,
    fix: Option<FixData>,
}

#[derive(Serialize)]
pub(super) struct FixData {
    pub(super) code: String,
    pub(super) at: Option<String>,
    pub(super) complete: bool,
}

#[derive(Serialize)]
pub(super) struct QuestionData {
    id: String,
    /// HTML.
    text: String,
    to: String,
    about: String,
    /// HTML.
    why: String,
    at: Option<String>,
    decides: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct InOrderData {
    rule: String,
    title: String,
    /// HTML.
    because: String,
    checked: Vec<String>,
    at: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct AlarmData {
    component: String,
    signal: String,
    /// HTML.
    condition: String,
    /// HTML.
    why: String,
    covered_by: Option<String>,
    fix: Option<FixData>,
}

#[derive(Serialize)]
pub(super) struct RecoveryData {
    component: String,
    configured: Vec<WhyData>,
    /// HTML.
    rpo: String,
    /// HTML.
    rto: String,
    /// HTML.
    target: Option<String>,
    /// HTML.
    gaps: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct PageData {
    group: String,
    title: String,
    /// HTML.
    body: String,
    threats: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct DiagnosticData {
    severity: &'static str,
    code: &'static str,
    /// HTML.
    message: String,
    at: Option<String>,
    /// HTML.
    help: Option<String>,
}

impl Data {
    pub(super) fn of(review: &Review) -> Self {
        let architecture = &review.architecture;
        let sources = &architecture.sources;
        let remedies = Remedies::of(review);
        let place = |span: Option<Span>| at(sources, span);
        Self {
            components: architecture.components.values().map(|component| component_data(review, component)).collect(),
            flows: architecture.flows.iter().map(|flow| flow_data(flow, sources)).collect(),
            threats: review.threats.iter().map(|threat| threat_data(threat, sources, &remedies)).collect(),
            mitigations: review.mitigations.iter().map(|mitigation| mitigation_data(mitigation, sources)).collect(),
            paths: review.attack_paths.iter().map(|path| PathData::of(review, path)).collect(),
            questions: review
                .questions
                .iter()
                .map(|question| QuestionData {
                    id: question.id.clone(),
                    text: rich::prose(&question.text),
                    to: question.to.clone(),
                    about: question.about.to_string(),
                    why: rich::prose(&question.why),
                    at: place(question.span),
                    decides: question.decides.clone(),
                })
                .collect(),
            in_order: review
                .in_order
                .iter()
                .map(|checked| InOrderData {
                    rule: checked.rule.clone(),
                    title: checked.title.clone(),
                    because: rich::prose(&checked.because),
                    checked: checked.checked.iter().map(ToString::to_string).collect(),
                    at: checked.evidence.iter().take(QUOTED).filter_map(|item| place(Some(item.span))).collect(),
                })
                .collect(),
            alarms: review
                .response
                .alarms
                .iter()
                .map(|alarm| AlarmData {
                    component: alarm.component.to_string(),
                    signal: alarm.signal.clone(),
                    condition: rich::prose(&alarm.condition),
                    why: rich::prose(&alarm.why),
                    covered_by: alarm.covered_by.as_ref().map(ToString::to_string),
                    fix: alarm.fix.as_ref().map(|fix| fix_data(fix, sources)),
                })
                .collect(),
            recovery: review
                .response
                .recovery
                .iter()
                .map(|store| RecoveryData {
                    component: store.component.to_string(),
                    configured: store
                        .configured
                        .iter()
                        .map(|item| WhyData { text: rich::prose(&item.text), at: place(Some(item.span)) })
                        .collect(),
                    rpo: rich::prose(&store.rpo),
                    rto: rich::prose(&store.rto),
                    target: store.target.as_deref().map(rich::prose),
                    gaps: store.gaps.iter().map(|gap| rich::prose(gap)).collect(),
                })
                .collect(),
            runbooks: review
                .response
                .runbooks
                .iter()
                .map(|runbook| PageData {
                    group: words::category_by_id(&runbook.category).to_owned(),
                    title: runbook.title.clone(),
                    body: rich::page(&runbook.body),
                    threats: Vec::new(),
                })
                .collect(),
            training: review
                .training
                .iter()
                .map(|topic| PageData {
                    group: topic.audience.clone(),
                    title: topic.title.clone(),
                    body: rich::page(&topic.body),
                    threats: topic.threats.clone(),
                })
                .collect(),
            diagnostics: architecture
                .diagnostics
                .iter()
                .chain(&review.diagnostics)
                .map(|diagnostic| diagnostic_data(diagnostic, sources))
                .collect(),
        }
    }
}

fn at(sources: &Sources, span: Option<Span>) -> Option<String> {
    Place::of(sources, span?).map(|place| place.short())
}

fn why(reason: &Reason, sources: &Sources) -> WhyData {
    WhyData { text: rich::prose(&reason.text), at: at(sources, reason.span) }
}

fn component_data(review: &Review, component: &Component) -> ComponentData {
    let sources = &review.architecture.sources;
    ComponentData {
        address: component.address.to_string(),
        name: component.name.clone(),
        source_type: component.source_type.clone(),
        component_type: component.component_type.clone(),
        service: component.service.clone(),
        kind: words::kind(component.kind),
        supporting: !component.is_element(),
        boundary: boundary_names(review, component.boundary.as_deref()),
        exposure: component.exposure.as_ref().map(|(exposure, _)| words::exposure(*exposure)),
        exposure_id: component.exposure.as_ref().map(|(exposure, _)| words::exposure_id(*exposure)),
        exposure_why: component.exposure.iter().flat_map(|(_, reasons)| reasons).map(|reason| why(reason, sources)).collect(),
        assets: component.assets.clone(),
        at: at(sources, component.span),
        settings: settings::settings(&component.settings),
    }
}

/// Names of the boundaries around something, the outermost first.
fn boundary_names(review: &Review, innermost: Option<&str>) -> Vec<String> {
    // Boundaries nest a handful deep; the bound only guards against a cycle.
    const DEEPEST: usize = 16;
    let mut names = Vec::new();
    let mut current = innermost;
    while let Some(boundary) = current.and_then(|id| review.architecture.boundaries.iter().find(|boundary| boundary.id == id)) {
        names.push(words::named_boundary(boundary));
        current = boundary.parent.as_deref().filter(|_| names.len() < DEEPEST);
    }
    names.reverse();
    names
}

fn flow_data(flow: &Flow, sources: &Sources) -> FlowData {
    FlowData {
        id: flow.id.clone(),
        from: flow.from.to_string(),
        to: flow.to.to_string(),
        protocol: flow.protocol.clone(),
        port: flow.port,
        encrypted: flow.encrypted,
        authentication: flow.authentication.clone(),
        data: flow.data.clone(),
        confidence: words::confidence_id(flow.confidence),
        status: words::flow_status_id(flow.status),
        why: flow.why.iter().map(|reason| why(reason, sources)).collect(),
    }
}

fn threat_data(threat: &Threat, sources: &Sources, remedies: &Remedies<'_>) -> ThreatData {
    ThreatData {
        id: threat.id.clone(),
        rule: threat.rule.clone(),
        title: threat.title.clone(),
        message: rich::prose(&threat.message),
        category: threat.category.id(),
        severity: threat.severity.id(),
        inherent_severity: threat.inherent_severity.id(),
        status: words::status_id(threat.status),
        likelihood: score_data(&threat.likelihood, &threat.residual_likelihood, sources),
        impact: score_data(&threat.impact, &threat.residual_impact, sources),
        risk: threat.residual_risk(),
        inherent_risk: threat.inherent_risk(),
        targets: threat.targets.iter().map(ToString::to_string).collect(),
        flows: threat.flows.clone(),
        evidence: threat.evidence.iter().take(QUOTED).filter_map(|item| evidence_data(item, sources)).collect(),
        more_evidence: threat.evidence.iter().skip(QUOTED).take(NAMED).filter_map(|item| at(sources, Some(item.span))).collect(),
        controls_present: threat.controls_present.clone(),
        mitigations: remedies.for_threat(threat).into_iter().map(|(index, _)| index).collect(),
        paths: threat.paths.clone(),
        decision: threat.decision.as_deref().map(rich::prose),
        explanation: rich::page(&threat.explanation),
        classes: threat.stride.iter().chain(&threat.attack).chain(&threat.cwe).cloned().collect(),
        references: threat.references.iter().filter(|url| url.starts_with("https://")).cloned().collect(),
    }
}

fn score_data(inherent: &Score, residual: &Score, sources: &Sources) -> ScoreData {
    let term = |term: &Term| TermData {
        points: if term.points.is_finite() { term.points } else { 0.0 },
        text: rich::prose(&term.text),
        at: term.evidence.first().and_then(|item| at(sources, Some(item.span))),
    };
    // What the controls take away follows the terms of the inherent score, which the residual one may repeat.
    let taken_away = residual.terms.iter().filter(|term| !inherent.terms.contains(term));
    ScoreData { value: inherent.value, residual: residual.value, terms: inherent.terms.iter().chain(taken_away).map(term).collect() }
}

pub(super) fn evidence_data(evidence: &Evidence, sources: &Sources) -> Option<EvidenceData> {
    let excerpt = Excerpt::of(sources, evidence.span, 2)?;
    Some(EvidenceData {
        text: rich::prose(&evidence.text),
        at: excerpt.place.short(),
        first_line: excerpt.first_line,
        marked_from: excerpt.place.line,
        marked_to: excerpt.marked_to,
        lines: excerpt.lines,
    })
}

fn mitigation_data(mitigation: &Mitigation, sources: &Sources) -> MitigationData {
    let estimate = mitigation.cost_usd_per_month.filter(|cost| words::is_cost(*cost));
    MitigationData {
        id: mitigation.id.clone(),
        title: mitigation.title.clone(),
        kind: mitigation.kind.clone(),
        target: mitigation.target.to_string(),
        threats: mitigation.threats.clone(),
        effect: rich::prose(&mitigation.effect),
        cost: match estimate {
            Some(cost) => format!("{} (about {cost:.2} USD per month)", rich::prose(&mitigation.cost)),
            None => rich::prose(&mitigation.cost),
        },
        performance: rich::prose(&mitigation.performance),
        advice: rich::prose(&mitigation.advice),
        reduction: if mitigation.risk_reduction.is_finite() { mitigation.risk_reduction } else { 0.0 },
        standards: mitigation.standards.clone(),
        fix: mitigation.fix.as_ref().map(|fix| fix_data(fix, sources)),
    }
}

pub(super) fn fix_data(fix: &Fix, sources: &Sources) -> FixData {
    FixData { code: redact(fix.code.trim_end()), at: at(sources, fix.place), complete: fix.complete }
}

fn diagnostic_data(diagnostic: &Diagnostic, sources: &Sources) -> DiagnosticData {
    DiagnosticData {
        severity: words::diagnostic_severity_id(diagnostic.severity),
        code: diagnostic.code,
        message: rich::prose(&diagnostic.message),
        at: at(sources, diagnostic.span),
        help: diagnostic.help.as_deref().map(rich::prose),
    }
}
