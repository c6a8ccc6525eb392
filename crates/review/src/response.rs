//! Step 6: alarms that this system needs against those it has, recovery per data store, runbooks.

mod alarms;
mod recovery;
mod runbooks;
pub(crate) mod template;
mod trail;

use std::collections::BTreeSet;

use bartizan_model::{Address, Architecture, Relation};

use crate::threats::View;
use crate::{Catalogue, Facts, Policy, Response, Threat};

/// Alarms, recovery and runbooks of a system.
pub(crate) fn response(architecture: &Architecture, facts: &Facts, threats: &[Threat], catalogue: &Catalogue, policy: &Policy) -> Response {
    let view = View::new(architecture, facts, catalogue);
    let dead_letter_targets = dead_letter_targets(architecture);
    let alarms = alarms::alarms(&view, &dead_letter_targets);
    let recovery = recovery::recovery(&view, &dead_letter_targets);
    let runbooks = runbooks::runbooks(&view, threats, &alarms, policy);
    Response { alarms, recovery, runbooks }
}

/// What receives dead letters.
fn dead_letter_targets(architecture: &Architecture) -> BTreeSet<&Address> {
    let to_dead_letters = |relation: &Relation| matches!(relation, Relation::Other(word) if word == "dead_letters_to");
    architecture.links.iter().filter(|link| to_dead_letters(&link.relation)).map(|link| &link.to).collect()
}

#[cfg(test)]
mod tests;
