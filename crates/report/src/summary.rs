//! What a manager asks first: how many, how bad, and which one before all others.

use std::collections::BTreeMap;

use bartizan_review::{Category, Mitigation, Review, Severity, Status, Threat};

use crate::words::SEVERITIES;

/// How many threats there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Threats that someone must act on (open, or waiting for an answer) per severity, worst first.
    pub by_severity: Vec<(Severity, usize)>,
    /// The same per category, in the order of reports, with how many are high or critical.
    pub by_category: Vec<(Category, usize, usize)>,
    /// Open threats.
    pub open: usize,
    /// Threats that an answer decides.
    pub question: usize,
    /// Threats that evidenced controls bring to what is tolerated.
    pub mitigated: usize,
    /// Threats that a person accepted.
    pub accepted: usize,
}

/// Counts the threats of a review.
pub fn counts(review: &Review) -> Counts {
    let of_status = |status: Status| review.threats.iter().filter(|threat| threat.status == status).count();
    let open = || review.threats.iter().filter(|threat| threat.status == Status::Open);
    Counts {
        by_severity: SEVERITIES.map(|severity| (severity, open().filter(|threat| threat.severity == severity).count())).to_vec(),
        by_category: Category::ALL
            .map(|category| {
                let of_category = || open().filter(move |threat| threat.category == category);
                (category, of_category().count(), of_category().filter(|threat| threat.severity >= Severity::High).count())
            })
            .to_vec(),
        open: of_status(Status::Open),
        question: of_status(Status::Question),
        mitigated: of_status(Status::Mitigated),
        accepted: of_status(Status::Accepted),
    }
}

/// The worst threat and what to do about it.
#[derive(Clone, Copy, Debug)]
pub struct Worst<'a> {
    /// The threat.
    pub threat: &'a Threat,
    /// The remedy that helps most.
    pub remedy: Option<&'a Mitigation>,
}

/// The first open threat of a review, with its best remedy.
pub fn worst(review: &Review) -> Option<Worst<'_>> {
    // INVARIANT: threats are sorted worst first.
    let threat = review.threats.iter().find(|threat| threat.status == Status::Open)?;
    Some(Worst { threat, remedy: Remedies::of(review).first(threat) })
}

/// The mitigations of each threat.
#[derive(Clone, Debug)]
pub struct Remedies<'a> {
    mitigations: &'a [Mitigation],
    /// Places in `mitigations` by id of the threat.
    by_threat: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Remedies<'a> {
    /// Sorts the mitigations of a review by the threats that they reduce.
    pub fn of(review: &'a Review) -> Self {
        let mut by_threat: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, mitigation) in review.mitigations.iter().enumerate() {
            for threat in &mitigation.threats {
                by_threat.entry(threat).or_default().push(index);
            }
        }
        Self { mitigations: &review.mitigations, by_threat }
    }

    /// The mitigations of a threat with their places in the review: in the order of its controls, those that nobody would pay for last.
    pub fn for_threat(&self, threat: &Threat) -> Vec<(usize, &'a Mitigation)> {
        let indices = self.by_threat.get(threat.id.as_str()).map_or(&[][..], Vec::as_slice);
        let mut found: Vec<(usize, &Mitigation)> =
            indices.iter().filter_map(|index| Some((*index, self.mitigations.get(*index)?))).collect();
        found.sort_by_key(|(_, mitigation)| {
            let place = threat.controls.iter().position(|control| *control == mitigation.control).unwrap_or(threat.controls.len());
            (mitigation.advice.starts_with("not worth"), place)
        });
        found
    }

    /// The mitigation to begin with: the first that prevents and can be applied as it stands, else the first.
    pub fn first(&self, threat: &Threat) -> Option<&'a Mitigation> {
        let all = self.for_threat(threat);
        let ready = |mitigation: &Mitigation| {
            let complete = mitigation.fix.as_ref().is_some_and(|fix| fix.complete);
            mitigation.kind == "prevent" && complete && !mitigation.advice.starts_with("not worth")
        };
        all.iter().find(|(_, mitigation)| ready(mitigation)).or(all.first()).map(|(_, mitigation)| *mitigation)
    }
}
