//! The review: composes steps 2 to 6. Each phase is a function from values to values; this file only says in which order.

use bartizan_model::{Architecture, Diagnostic};

use crate::attack::Attack;
use crate::catalogue::Catalogue;
use crate::flows::{Seen, complete_with};
use crate::outcome::{AttackPath, Policy, Review, Threat};
use crate::{attack, facts, mitigations, response, threats, training};

/// Reviews an architecture.
pub fn review(architecture: Architecture, catalogue: &Catalogue, policy: &Policy) -> Review {
    let today = policy.today.as_deref();
    let look = |seen: &Seen<'_, '_>| {
        std::thread::scope(|scope| {
            let derive = || facts::derive(seen.context, seen.flows, seen.entities, seen.assets, &catalogue.lifecycle, today);
            let facts = scope.spawn(derive);
            let attack = attack::analyse(seen, &catalogue.attack, policy);
            (facts.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), attack)
        })
    };
    let (architecture, (mut facts, attack), mut diagnostics) = completed(architecture, catalogue, look);
    let (attack_paths, further_paths) = attack.of_review(&architecture.assets);
    attack::facts::add(&attack, &attack_paths, &mut facts);
    threats::apply_to_facts(&architecture, &mut facts);
    let mut found = threats::find(&architecture, &facts, catalogue, policy);
    link(&mut found.threats, &attack_paths);
    diagnostics.extend(found.diagnostics);
    let mitigations = mitigations::mitigations(&architecture, &facts, &found.threats, catalogue);
    let response = response::response(&architecture, &facts, &found.threats, catalogue, policy);
    let training = training::training(&architecture, &found.threats, catalogue);
    Review {
        architecture,
        threats: found.threats,
        attack_paths,
        further_paths,
        attack,
        mitigations,
        response,
        questions: found.questions,
        in_order: found.in_order,
        training,
        diagnostics,
    }
}

/// The architecture with its flows, and the attack graph over it, without threats and what follows from them.
pub fn attack_graph(architecture: Architecture, catalogue: &Catalogue, policy: &Policy) -> (Architecture, Attack) {
    let (architecture, attack, _) = completed(architecture, catalogue, |seen| attack::analyse(seen, &catalogue.attack, policy));
    (architecture, attack)
}

fn completed<T>(
    mut architecture: Architecture,
    catalogue: &Catalogue,
    look: impl FnOnce(&Seen<'_, '_>) -> T,
) -> (Architecture, T, Vec<Diagnostic>) {
    threats::apply_to_settings(&mut architecture);
    complete_with(architecture, &catalogue.services, look)
}

/// Tells each threat the paths that go through what it concerns.
fn link(threats: &mut [Threat], paths: &[AttackPath]) {
    for threat in threats {
        let concerned = |address: &str| threat.targets.iter().any(|target| target.as_str() == address);
        let through = paths.iter().filter(|path| path.steps.iter().any(|step| concerned(&step.from) || concerned(&step.to)));
        threat.paths = through.map(|path| path.id.clone()).collect();
    }
}
