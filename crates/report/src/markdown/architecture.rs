//! The system: components, trust boundaries, assets and data flows.

use std::collections::BTreeMap;

use bartizan_model::{AssetOrigin, Boundary, Component, Flow, FlowStatus};
use bartizan_review::Review;

use super::escape::{code, prose, text};
use super::place;
use crate::words;

pub(super) fn write(out: &mut String, review: &Review) {
    out.push_str("## System\n\n");
    out.push_str("![Data flow diagram with the trust boundaries](diagram.svg)\n\n");
    components(out, review);
    boundaries(out, review);
    assets(out, review);
    flows(out, review);
}

fn components(out: &mut String, review: &Review) {
    out.push_str("### Components\n\n");
    let elements: Vec<&Component> = review.architecture.components.values().filter(|component| component.is_element()).collect();
    if elements.is_empty() {
        out.push_str("The plan holds no component that handles data.\n\n");
        return;
    }
    out.push_str(
        "| Component | What it is | Reachable from | In boundary | Assets | Declared in |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    let named: BTreeMap<&str, &Boundary> = review.architecture.boundaries.iter().map(|boundary| (boundary.id.as_str(), boundary)).collect();
    for component in elements {
        let exposure = component.exposure.as_ref().map_or("not derived", |(exposure, _)| words::exposure(*exposure));
        let boundary = component
            .boundary
            .as_ref()
            .and_then(|id| named.get(id.as_str()))
            .map_or_else(String::new, |boundary| text(&words::named_boundary(boundary)));
        let origin = component.span.map_or_else(String::new, |span| place(review, span));
        out.push_str(&format!(
            "| {} | {} ({}) | {} | {} | {} | {} |\n",
            code(component.address.as_str()),
            words::kind(component.kind),
            text(&component.component_type),
            exposure,
            boundary,
            list(&component.assets),
            origin,
        ));
    }
    out.push('\n');
}

fn boundaries(out: &mut String, review: &Review) {
    out.push_str("### Trust boundaries\n\n");
    let boundaries = &review.architecture.boundaries;
    if boundaries.is_empty() {
        out.push_str("The plan draws no trust boundary.\n\n");
        return;
    }
    let mut nesting = Nesting::default();
    for boundary in boundaries {
        nesting.inside.entry(boundary.parent.as_deref()).or_default().push(boundary);
    }
    for component in review.architecture.components.values().filter(|component| component.is_element()) {
        *nesting.n_components.entry(component.boundary.as_deref()).or_default() += 1;
    }
    for root in nesting.inside.get(&None).into_iter().flatten() {
        nested(out, &nesting, root, 0);
    }
    out.push('\n');
}

/// Boundaries nest a handful deep; a chain that is longer is a cycle.
const DEEPEST: usize = 16;

/// What lies directly inside of each boundary, by its id; `None`: in none.
#[derive(Default)]
struct Nesting<'a> {
    inside: BTreeMap<Option<&'a str>, Vec<&'a Boundary>>,
    n_components: BTreeMap<Option<&'a str>, usize>,
}

fn nested(out: &mut String, nesting: &Nesting<'_>, boundary: &Boundary, depth: usize) {
    if depth >= DEEPEST {
        return;
    }
    let id = Some(boundary.id.as_str());
    let inside = nesting.n_components.get(&id).copied().unwrap_or_default();
    out.push_str(&format!(
        "{}- {}: {}\n",
        "  ".repeat(depth),
        text(&words::named_boundary(boundary)),
        words::count(inside, "component directly inside", "components directly inside"),
    ));
    for child in nesting.inside.get(&id).into_iter().flatten() {
        nested(out, nesting, child, depth + 1);
    }
}

fn assets(out: &mut String, review: &Review) {
    out.push_str("### Assets\n\n");
    if review.architecture.assets.is_empty() {
        out.push_str("No data class is declared or tagged; impact is judged without knowing what the data is worth.\n\n");
        return;
    }
    out.push_str(
        "| Asset | Confidentiality | Integrity | Availability | Known from | Stored in |\n| --- | ---: | ---: | ---: | --- | --- |\n",
    );
    for asset in &review.architecture.assets {
        let origin = match asset.origin {
            AssetOrigin::Declared => "declaration",
            AssetOrigin::Tagged => "tag",
            AssetOrigin::Guessed => "guess from names",
        };
        let stored: Vec<String> = asset.stored_in.iter().map(ToString::to_string).collect();
        out.push_str(&format!(
            "| {}{} | {} | {} | {} | {} | {} |\n",
            text(&asset.name),
            if asset.description.is_empty() { String::new() } else { format!(": {}", text(&asset.description)) },
            asset.classification.confidentiality,
            asset.classification.integrity,
            asset.classification.availability,
            origin,
            list(&stored),
        ));
    }
    out.push('\n');
}

fn flows(out: &mut String, review: &Review) {
    out.push_str("### Data flows\n\n");
    if review.architecture.flows.is_empty() {
        out.push_str("The plan shows no data flow.\n\n");
        return;
    }
    out.push_str(
        "| From | To | Protocol | Encrypted | Authentication | Data | Known by | Why |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for flow in &review.architecture.flows {
        out.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} |\n",
            code(flow.from.as_str()),
            code(flow.to.as_str()),
            protocol(flow),
            match flow.encrypted {
                Some(true) => "yes",
                Some(false) => "**no**",
                None => "not known",
            },
            flow.authentication.as_deref().map_or_else(|| "not known".to_owned(), text),
            list(&flow.data),
            words::confidence_id(flow.confidence),
            why(review, flow),
        ));
    }
    out.push('\n');
}

fn protocol(flow: &Flow) -> String {
    let port = flow.port.map_or_else(String::new, |port| format!(" :{port}"));
    let blocked = if flow.status == FlowStatus::Blocked { " (blocked)" } else { "" };
    format!("{}{port}{blocked}", text(&flow.protocol))
}

/// The strongest reason; for a blocked flow what blocks it, which is the last.
fn why(review: &Review, flow: &Flow) -> String {
    let reason = if flow.status == FlowStatus::Blocked { flow.why.last() } else { flow.why.first() };
    reason.map_or_else(String::new, |reason| match reason.span {
        Some(span) => format!("{} ({})", prose(&reason.text), place(review, span)),
        None => prose(&reason.text),
    })
}

fn list(names: &[String]) -> String {
    const SHOWN: usize = 6;
    let mut out = names.iter().take(SHOWN).map(|name| code(name)).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        out.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    out
}
