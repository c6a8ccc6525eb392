//! A comparison for the terminal: what is new and worst first. Plain text; whoever shows it may colour the first word of a line.

use super::document::{Change, ComponentChange, Difference, Spot};
use super::sentence;

/// Lines shown of each section; the JSON has all.
const MOST: usize = 40;

/// The comparison as text.
pub fn text(difference: &Difference) -> String {
    let mut out = format!("{} → {}: {}\n", difference.base, difference.head, sentence::headline(difference));
    out.push_str(&format!("risk: {}\n", sentence::risk(difference)));
    let threats = difference.threats.iter().map(|threat| {
        let place = at(threat.origin.as_ref());
        let mut line = format!(
            "{:8}{}: {}{place}\n{:10}{}",
            sentence::change(threat.change),
            sentence::threat_severity(threat),
            threat.message,
            "",
            threat.id
        );
        for note in sentence::threat_notes(threat) {
            line.push_str(&format!("\n{:10}{note}", ""));
        }
        line
    });
    section(&mut out, "threats", threats.collect());
    let paths = difference
        .attack_paths
        .iter()
        .map(|path| format!("{:8}{}: {}\n{:10}{}", sentence::change(path.change), path.severity, sentence::path(path), "", path.id));
    section(&mut out, "attack paths", paths.collect());
    let exposures = difference
        .exposures
        .iter()
        .map(|exposure| format!("{:8}{}{}", sentence::change(exposure.change), sentence::exposure(exposure), at(exposure.origin.as_ref())));
    section(&mut out, "exposure", exposures.collect());
    let permissions = difference.permissions.iter().map(|permission| {
        format!("{:8}{}{}", sentence::change(permission.change), sentence::permission(permission), at(permission.origin.as_ref()))
    });
    section(&mut out, "permissions", permissions.collect());
    let flows = difference
        .flows
        .iter()
        .map(|flow| format!("{:8}{}{}", sentence::change(flow.change), sentence::flow(flow), at(flow.origin.as_ref())));
    section(&mut out, "flows", flows.collect());
    // A crossing of a new flow is told with the flow.
    let told = |change: Change, from: &str, to: &str| {
        difference.flows.iter().any(|flow| flow.change == change && flow.from == from && flow.to == to)
    };
    let crossings = difference.crossings.iter().filter(|crossing| !told(crossing.change, &crossing.from, &crossing.to));
    section(
        &mut out,
        "crossings of trust boundaries",
        crossings.map(|crossing| format!("{:8}{}", sentence::change(crossing.change), sentence::crossing(crossing))).collect(),
    );
    section(&mut out, "components", components(difference));
    let questions =
        difference.questions.iter().map(|question| format!("{:8}to {}: {}", sentence::change(question.change), question.to, question.text));
    section(&mut out, "questions", questions.collect());
    let renamed = difference.renamed.iter().map(|renamed| format!("{} → {}", renamed.before, renamed.after));
    section(&mut out, "renamed", renamed.collect());
    out
}

fn components(difference: &Difference) -> Vec<String> {
    let (supporting, shown): (Vec<&ComponentChange>, Vec<&ComponentChange>) =
        difference.components.iter().partition(|component| component.kind == "supporting" && component.change != Change::Changed);
    let mut lines: Vec<String> = shown
        .iter()
        .map(|component| {
            format!("{:8}{}{}", sentence::change(component.change), sentence::component(component), at(component.origin.as_ref()))
        })
        .collect();
    for change in [Change::New, Change::Gone] {
        let of: Vec<&ComponentChange> = supporting.iter().copied().filter(|component| component.change == change).collect();
        if !of.is_empty() {
            lines.push(format!("{:8}supporting: {}", sentence::change(change), sentence::supporting(&of)));
        }
    }
    lines
}

fn at(place: Option<&Spot>) -> String {
    place.map_or_else(String::new, |place| format!("  ({}:{})", place.file, place.line))
}

fn section(out: &mut String, title: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    out.push_str(&format!("\n{title}\n"));
    for line in lines.iter().take(MOST) {
        out.push_str(&format!("  {line}\n"));
    }
    if lines.len() > MOST {
        out.push_str(&format!("  and {} more; --format json lists all\n", lines.len() - MOST));
    }
}
