//! The review: composes steps 2 to 6. Each phase is a function from values to values; this file only says in which order.

use bartizan_model::Architecture;

use crate::catalogue::Catalogue;
use crate::outcome::{Policy, Review};
use crate::{complete, mitigations, response, threats, training};

/// Reviews an architecture.
pub fn review(mut architecture: Architecture, catalogue: &Catalogue, policy: &Policy) -> Review {
    threats::apply_to_settings(&mut architecture);
    let (architecture, mut facts, mut diagnostics) =
        complete(architecture, &catalogue.services, &catalogue.lifecycle, policy.today.as_deref());
    threats::apply_to_facts(&architecture, &mut facts);
    let found = threats::find(&architecture, &facts, catalogue, policy);
    diagnostics.extend(found.diagnostics);
    let mitigations = mitigations::mitigations(&architecture, &facts, &found.threats, catalogue);
    let response = response::response(&architecture, &facts, &found.threats, catalogue, policy);
    let training = training::training(&architecture, &found.threats, catalogue);
    Review {
        architecture,
        threats: found.threats,
        attack_paths: Vec::new(),
        mitigations,
        response,
        questions: found.questions,
        in_order: found.in_order,
        training,
        diagnostics,
    }
}
