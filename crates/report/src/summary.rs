//! What a manager asks first: how many, how bad, and which one before all others.

use std::cmp::Reverse;
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

    /// The mitigations of a threat with their places in the review, the one to begin with first: what is worth its cost, then what does more
    /// than detect, then what costs little for what it does, then what lowers the risk most; the order of the rule's controls decides a tie.
    pub fn for_threat(&self, threat: &Threat) -> Vec<(usize, &'a Mitigation)> {
        let indices = self.by_threat.get(threat.id.as_str()).map_or(&[][..], Vec::as_slice);
        let mut found: Vec<(usize, &Mitigation)> =
            indices.iter().filter_map(|index| Some((*index, self.mitigations.get(*index)?))).collect();
        found.sort_by_key(|(_, mitigation)| {
            let place = threat.controls.iter().position(|control| *control == mitigation.control).unwrap_or(threat.controls.len());
            let points = mitigation.points_from(&threat.id);
            let is_last = (mitigation.advice.starts_with("not worth"), mitigation.only_detects(), mitigation.is_dear_for(&threat.id));
            (is_last, Reverse(millipoints(points)), place)
        });
        found
    }

    /// The mitigation to begin with.
    pub fn first(&self, threat: &Threat) -> Option<&'a Mitigation> {
        self.for_threat(threat).first().map(|(_, mitigation)| *mitigation)
    }
}

/// Points as a number that has an order.
fn millipoints(points: f64) -> u32 {
    // INVARIANT: points of risk are 0..=24, so this is far below 2^32.
    (points.max(0.0) * 1000.0).round() as u32
}

#[cfg(test)]
mod tests {
    use bartizan_review::{Mitigation, Review};

    use super::Remedies;
    use crate::fixture::shop;

    /// The shop with mitigations of its first threat: control, kind, points that it takes, USD per month, whether its fix is complete.
    fn offered(offers: &[(&str, &str, f64, Option<f64>, bool)]) -> Review {
        let mut review = shop();
        let template = review.mitigations.remove(0);
        review.threats[0].controls = offers.iter().map(|offer| offer.0.to_owned()).collect();
        for (control, kind, points, usd, complete) in offers {
            let mut fix = template.fix.clone();
            fix.iter_mut().for_each(|fix| fix.complete = *complete);
            review.mitigations.push(Mitigation {
                control: (*control).to_owned(),
                kind: (*kind).to_owned(),
                points: vec![*points],
                cost_usd_per_month: *usd,
                fix,
                ..template.clone()
            });
        }
        review
    }

    fn order(review: &Review) -> Vec<&str> {
        let remedies = Remedies::of(review).for_threat(&review.threats[0]);
        remedies.into_iter().map(|(_, mitigation)| mitigation.control.as_str()).collect()
    }

    #[test]
    fn what_lowers_the_risk_most_comes_first_whatever_its_fix() {
        let review = offered(&[("rds-iam-auth", "prevent", 3.0, Some(0.0), true), ("sg-least-ingress", "prevent", 6.0, Some(0.0), false)]);
        assert_eq!(order(&review), ["sg-least-ingress", "rds-iam-auth"]);
        assert_eq!(Remedies::of(&review).first(&review.threats[0]).unwrap().control, "sg-least-ingress");
    }

    #[test]
    fn the_rule_decides_a_tie() {
        let review = offered(&[("secrets-manager", "prevent", 8.0, Some(0.4), false), ("state-protect", "prevent", 8.0, None, true)]);
        assert_eq!(order(&review), ["secrets-manager", "state-protect"]);
    }

    #[test]
    fn a_commitment_of_thousands_comes_after_what_costs_little_and_detection_after_both() {
        let review = offered(&[
            ("cw-alarms", "detect", 6.0, Some(0.1), true),
            ("shield-advanced", "prevent", 5.0, Some(3000.0), true),
            ("waf-rate-limit", "prevent", 3.0, Some(1.0), false),
        ]);
        assert_eq!(order(&review), ["waf-rate-limit", "shield-advanced", "cw-alarms"]);
    }
}
