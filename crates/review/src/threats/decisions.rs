//! Decisions of people on threats: they hold until their last day, then the threat is open again and says so.

use bartizan_model::{Decision, DecisionKind, Declarations};

use super::view::Subject;
use crate::address_pattern::matches;
use crate::catalogue::Rule;
use crate::outcome::{Policy, Status, Threat};

/// Index of the first decision on the rule, or on the rule at this address: `rule`, `rule@pattern`.
pub(super) fn for_instance(declarations: &Declarations, rule: &Rule, subject: Subject<'_>) -> Option<usize> {
    declarations.decisions.iter().position(|decision| {
        let (name, pattern) = match decision.threat.split_once('@') {
            Some((name, pattern)) => (name, Some(pattern)),
            None => (decision.threat.as_str(), None),
        };
        let meant = name == rule.id || rule.aliases.iter().any(|alias| alias == name);
        meant && pattern.is_none_or(|pattern| subject.address().is_some_and(|address| matches(pattern, address.as_str())))
    })
}

/// Index of the first decision on a threat by its id.
pub(super) fn for_threat(declarations: &Declarations, id: &str) -> Option<usize> {
    declarations.decisions.iter().position(|decision| decision.threat == id)
}

/// Applies a decision.
pub(super) fn apply(threat: &mut Threat, decision: &Decision, policy: &Policy) {
    let word = match decision.kind {
        DecisionKind::Accept => "accepted",
        DecisionKind::Mitigate => "mitigated outside the plan",
        DecisionKind::Transfer => "transferred",
        DecisionKind::Avoid => "to be avoided",
        DecisionKind::FalsePositive => "marked as a false positive",
    };
    let Decision { by, why, .. } = decision;
    // ISO 8601 days order as texts.
    let expired = decision.until.as_ref().zip(policy.today.as_ref()).filter(|(until, today)| until < today);
    if let Some((until, _)) = expired {
        threat.decision = Some(format!("open again: it was {word} by {by} until {until} ({why})"));
        return;
    }
    let until = decision.until.as_ref().map_or_else(String::new, |until| format!(" until {until}"));
    threat.decision = Some(format!("{word} by {by}{until}: {why}"));
    threat.status = match decision.kind {
        DecisionKind::Accept | DecisionKind::Transfer | DecisionKind::FalsePositive => Status::Accepted,
        DecisionKind::Mitigate | DecisionKind::Avoid => Status::Mitigated,
    };
}
