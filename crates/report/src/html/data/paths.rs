//! Attack paths for the page: the chain, every step with its evidence, and what would cut it.

use bartizan_review::{AttackPath, Cut, PathStep, Review};
use serde::Serialize;

use super::{EvidenceData, at, evidence_data, rich};
use crate::{paths, words};

/// Excerpts shown per step.
const QUOTED: usize = 3;

#[derive(Serialize)]
pub(in crate::html) struct PathData {
    id: String,
    from: String,
    to: String,
    /// HTML.
    gist: String,
    likelihood: String,
    chain: Vec<LinkData>,
    steps: Vec<StepData>,
    cuts: Vec<CutData>,
}

/// A place of a path with what leads there.
#[derive(Serialize)]
pub(in crate::html) struct LinkData {
    pub(in crate::html) address: String,
    pub(in crate::html) name: String,
    pub(in crate::html) kind: String,
    pub(in crate::html) by: Vec<String>,
    pub(in crate::html) assumed: bool,
}

#[derive(Serialize)]
struct StepData {
    from: String,
    to: String,
    title: String,
    technique: String,
    actions: Vec<String>,
    assumption: bool,
    /// HTML.
    conditions: Vec<String>,
    likelihood: String,
    evidence: Vec<EvidenceData>,
}

#[derive(Serialize)]
struct CutData {
    /// HTML.
    text: String,
    left: String,
    ends: bool,
    at: Option<String>,
    also_ends: Vec<String>,
}

impl PathData {
    pub(super) fn of(review: &Review, path: &AttackPath) -> Self {
        Self {
            id: path.id.clone(),
            from: path.from.clone(),
            to: path.to.clone(),
            gist: rich::prose(&words::capitalised(&paths::gist(review, path))),
            likelihood: paths::percent(path.likelihood),
            chain: LinkData::chain(review, path),
            steps: path.steps.iter().map(|step| StepData::of(review, step)).collect(),
            cuts: path.cuts.iter().map(|cut| CutData::of(review, cut)).collect(),
        }
    }
}

impl LinkData {
    pub(in crate::html) fn chain(review: &Review, path: &AttackPath) -> Vec<Self> {
        let link = |link: paths::Link<'_>| Self {
            address: link.address.to_owned(),
            name: paths::name(review, link.address),
            kind: paths::kind(review, link.address),
            by: link.by.iter().map(|step| review.attack.title(&step.technique)).collect(),
            assumed: link.by.iter().any(|step| step.assumption),
        };
        paths::chain(path).into_iter().map(link).collect()
    }
}

impl StepData {
    fn of(review: &Review, step: &PathStep) -> Self {
        Self {
            from: step.from.clone(),
            to: step.to.clone(),
            title: review.attack.title(&step.technique),
            technique: step.technique.clone(),
            actions: step.actions.clone(),
            assumption: step.assumption,
            conditions: step.conditions.iter().map(|condition| rich::prose(condition)).collect(),
            likelihood: paths::percent(step.likelihood),
            evidence: step.evidence.iter().take(QUOTED).filter_map(|item| evidence_data(item, &review.architecture.sources)).collect(),
        }
    }
}

impl CutData {
    fn of(review: &Review, cut: &Cut) -> Self {
        Self {
            text: rich::prose(&cut.text),
            left: paths::left(cut.likelihood),
            ends: cut.likelihood <= 0.0,
            at: cut.evidence.first().and_then(|item| at(&review.architecture.sources, Some(item.span))),
            also_ends: cut.also_ends.clone(),
        }
    }
}
