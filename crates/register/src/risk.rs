//! Risks: the threats of a system's reviews over time.

use std::collections::{BTreeMap, BTreeSet};

use crate::change::{About, Change};
use crate::course::{Course, Moment, shifted};
use crate::run::{Severity, Status, Threat};

/// A risk in the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// The threat, as it was last seen.
    pub threat: Threat,
    /// How it has gone on.
    pub course: Course,
}

/// Goes on with a system's risks by what a review saw. What was last seen in a file that could not be read stays as it is.
pub(crate) fn proceed(risks: &mut BTreeMap<String, Risk>, seen: &[Threat], unread: &[String], moment: Moment) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut ids = BTreeSet::new();
    for threat in seen.iter().filter(|threat| ids.insert(threat.id.clone())) {
        match risks.get_mut(&threat.id) {
            Some(risk) => {
                let before = std::mem::replace(&mut risk.threat, threat.clone());
                let happened = risk.course.see(threat.status, moment);
                let happened = happened.or_else(|| shifted(risk.course.state, before.severity, threat.severity));
                changes.extend(happened.map(|happened| change(threat, moment, happened)));
            }
            None => {
                let (course, happened) = Course::begin(threat.status, moment);
                changes.extend(happened.map(|happened| change(threat, moment, happened)));
                risks.insert(threat.id.clone(), Risk { threat: threat.clone(), course });
            }
        }
    }
    for (id, risk) in risks.iter_mut().filter(|(id, _)| !ids.contains(*id)) {
        debug_assert_eq!(*id, risk.threat.id);
        if is_unread(&risk.threat.places, unread) {
            continue;
        }
        changes.extend(risk.course.miss().map(|happened| change(&risk.threat, moment, happened)));
    }
    changes
}

fn change(threat: &Threat, moment: Moment, (kind, text): (crate::course::ChangeKind, String)) -> Change {
    // Who decided stands in the plan's own file, and the review quotes it.
    let text = if text.is_empty() { threat.decision.clone() } else { text };
    Change {
        number: 0,
        run: moment.run,
        at: moment.at,
        about: About::Risk,
        subject: threat.id.clone(),
        kind,
        who: String::new(),
        text,
        severity: threat.severity,
        title: if threat.message.is_empty() { threat.title.clone() } else { threat.message.clone() },
    }
}

/// Whether one of the places (`file:line`) lies in a file that could not be read.
pub(crate) fn is_unread(places: &[String], unread: &[String]) -> bool {
    places.iter().any(|place| {
        let file = place.rsplit_once(':').map_or(place.as_str(), |(file, _)| file);
        unread.iter().any(|unread| unread == file)
    })
}

/// Numbers of a system's risks: open ones by severity, others by where they stand, sums of points.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RiskCounts {
    /// Open risks by severity.
    pub open: BTreeMap<Severity, i64>,
    /// Risks that depend on an answer.
    pub questions: i64,
    /// Risks that controls hold down.
    pub mitigated: i64,
    /// Risks that a decision lets be.
    pub decided: i64,
    /// Sum over open risks of inherent points (likelihood times impact, 1..=25 each).
    pub inherent: i64,
    /// Sum over open risks of residual points.
    pub residual: i64,
}

impl RiskCounts {
    pub(crate) fn of<'r>(risks: impl Iterator<Item = &'r Risk>) -> Self {
        use crate::course::State;
        let mut counts = Self::default();
        for Risk { threat, course } in risks {
            match course.state {
                State::Open | State::Reopened => {
                    *counts.open.entry(threat.severity).or_default() += 1;
                    counts.inherent += threat.inherent;
                    counts.residual += threat.residual;
                }
                State::Question => counts.questions += 1,
                State::Mitigated => counts.mitigated += 1,
                State::Decided => counts.decided += 1,
                State::Gone => {}
            }
        }
        counts
    }
}

impl Default for Threat {
    fn default() -> Self {
        Self {
            id: String::new(),
            rule: String::new(),
            title: String::new(),
            message: String::new(),
            severity: Severity::Info,
            status: Status::Open,
            decision: String::new(),
            inherent: 0,
            residual: 0,
            targets: Vec::new(),
            places: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{RiskCounts, proceed};
    use crate::course::{ChangeKind, Moment, State};
    use crate::run::{Severity, Threat};
    use crate::time::Time;

    fn threat(id: &str, severity: Severity, place: &str) -> Threat {
        Threat { id: id.to_owned(), severity, residual: 4, places: vec![place.to_owned()], ..Threat::default() }
    }

    #[test]
    fn what_lies_in_a_file_that_was_not_read_is_not_gone() {
        let mut risks = BTreeMap::new();
        let moment = |run| Moment { run, at: Time(run) };
        let both = [threat("a", Severity::Low, "main.tf:3"), threat("b", Severity::High, "other.tf:9")];
        assert_eq!(proceed(&mut risks, &both, &[], moment(1)).len(), 2);
        assert_eq!(RiskCounts::of(risks.values()).residual, 8);
        assert_eq!(proceed(&mut risks, &[], &["main.tf".to_owned()], moment(2)).len(), 1);
        let state = |risks: &BTreeMap<String, super::Risk>, id: &str| risks.get(id).map(|risk| risk.course.state);
        assert_eq!((state(&risks, "a"), state(&risks, "b")), (Some(State::Open), Some(State::Gone)));
        let worse = [threat("a", Severity::Critical, "main.tf:3")];
        let changes = proceed(&mut risks, &worse, &[], moment(3));
        let kinds: Vec<_> = changes.iter().map(|change| (change.kind, change.text.as_str())).collect();
        assert_eq!(kinds, [(ChangeKind::Worse, "low → critical")]);
    }
}
