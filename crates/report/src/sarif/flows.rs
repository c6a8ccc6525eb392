//! Attack paths as code flows (SARIF 3.36 to 3.38): one flow per path of a threat, one location per piece of evidence of its steps.

use bartizan_review::{AttackPath, PathStep, Review, Threat};

use super::log::{CodeFlow, Location, LogicalLocation, ThreadFlow, ThreadFlowLocation};
use super::{MOST_STEPS, escaped, physical};
use crate::{paths, redact::redact, words};

/// Paths written per threat, the likeliest; `review.json` has all.
const MOST: usize = 1;

pub(super) fn code_flows(review: &Review, threat: &Threat) -> Vec<CodeFlow> {
    let known = threat.paths.iter().filter_map(|id| review.attack_paths.iter().find(|path| path.id == *id));
    known.take(MOST).map(|path| code_flow(review, path)).collect()
}

fn code_flow(review: &Review, path: &AttackPath) -> CodeFlow {
    // INVARIANT: a path has at least one step, and a step gives at least one location, so no flow is empty.
    let locations = path.steps.iter().flat_map(|step| self::locations(review, step)).take(MOST_STEPS).collect();
    CodeFlow {
        message: escaped(&words::sentence(&words::capitalised(&redact(&paths::sentence(review, path))))),
        thread_flows: [ThreadFlow { id: path.id.clone(), locations }],
    }
}

fn locations(review: &Review, step: &PathStep) -> Vec<ThreadFlowLocation> {
    let title = review.attack.title(&step.technique);
    let location = |text: String, place| ThreadFlowLocation {
        location: Location {
            id: None,
            physical_location: place,
            logical_locations: vec![LogicalLocation { fully_qualified_name: step.to.clone(), kind: "resource" }],
            message: Some(escaped(&redact(&text))),
        },
        importance: if step.assumption { "important" } else { "essential" },
    };
    let sources = &review.architecture.sources;
    let shown: Vec<ThreadFlowLocation> =
        step.evidence.iter().map(|item| location(format!("{title}: {}", item.text), physical(item.span, sources))).collect();
    if shown.is_empty() { vec![location(title, None)] } else { shown }
}
