//! Attack paths: the chain, every step with its evidence, and what would cut it.

use std::collections::BTreeSet;

use bartizan_model::Span;
use bartizan_review::{AttackPath, Cut, PathStep, Review, Threat};

use super::escape::{code, prose, text};
use super::{anchor, place, plain_id, threats};
use crate::{paths, words};

/// Links shown in one line.
const LINKED: usize = 4;

pub(super) fn write(out: &mut String, review: &Review) {
    if review.attack_paths.is_empty() {
        return;
    }
    out.push_str(
        "## Attack paths\n\n\
         Ways from outside to administrator rights or to sensitive data; first what weighs most by likelihood and goal.\n\
         An assumed step rests on a flaw that no plan shows; the likelihood is that of somebody who tries.\n\n",
    );
    out.push_str("| Likelihood | Path | Cut first |\n| ---: | --- | --- |\n");
    for path in &review.attack_paths {
        let cut = path.cuts.first().and_then(|cut| cut.evidence.first());
        out.push_str(&format!(
            "| {} | {} | {} |\n",
            paths::percent(path.likelihood),
            link(review, path),
            cut.map_or_else(String::new, |item| place(review, item.span)),
        ));
    }
    out.push('\n');
    // The same statement is quoted once, where it is first met.
    let mut quoted: BTreeSet<Span> = BTreeSet::new();
    for path in &review.attack_paths {
        self::path(out, review, path, &mut quoted);
    }
}

/// Links to the paths of a threat; nothing where it lies on none.
pub(super) fn of_threat(review: &Review, threat: &Threat) -> Option<String> {
    let paths: Vec<String> = found(review, &threat.paths).take(LINKED).map(|path| link(review, path)).collect();
    let more = threat.paths.len().saturating_sub(LINKED);
    (!paths.is_empty()).then(|| format!("{}{}", paths.join("; "), if more == 0 { String::new() } else { format!(" and {more} more") }))
}

fn found<'a>(review: &'a Review, ids: &'a [String]) -> impl Iterator<Item = &'a AttackPath> {
    ids.iter().filter_map(|id| review.attack_paths.iter().find(|path| path.id == *id))
}

fn link(review: &Review, path: &AttackPath) -> String {
    // A link's text holds no code, so that no bracket of a name ends it.
    let gist = words::capitalised(&paths::gist(review, path)).replace('`', "");
    threats::link(&gist, &path.id)
}

fn path(out: &mut String, review: &Review, path: &AttackPath, quoted: &mut BTreeSet<Span>) {
    out.push_str(&format!("{}\n\n### {}\n\n", anchor(&path.id), text(&words::capitalised(&paths::gist(review, path)).replace('`', ""))));
    let chain: Vec<String> = paths::chain(path).iter().map(|link| code(&paths::name(review, link.address))).collect();
    out.push_str(&format!("{}\n\n", chain.join(" → ")));
    out.push_str(&format!("About {} of those who try get through.\n\n", paths::percent(path.likelihood)));
    for (step, number) in path.steps.iter().zip(1..) {
        self::step(out, review, step, number, quoted);
    }
    if path.cuts.is_empty() {
        out.push_str("No single change takes away most of its likelihood.\n\n");
    } else {
        out.push_str("What would cut it (take one away or narrow it; proven by computing all paths without it):\n\n");
        path.cuts.iter().for_each(|cut| self::cut(out, review, cut));
        out.push('\n');
    }
    let on: Vec<String> = review
        .threats
        .iter()
        .filter(|threat| threat.paths.contains(&path.id))
        .take(LINKED)
        .map(|threat| format!("[{}](#{})", text(&threat.title), plain_id(&threat.id)))
        .collect();
    if !on.is_empty() {
        out.push_str(&format!("Threats on it: {}.\n\n", on.join(", ")));
    }
}

fn step(out: &mut String, review: &Review, step: &PathStep, number: usize, quoted: &mut BTreeSet<Span>) {
    let assumed = if step.assumption { " (assumed: no plan shows this flaw)" } else { "" };
    let actions = if step.actions.is_empty() {
        String::new()
    } else {
        format!(" with {}", step.actions.iter().map(|action| code(action)).collect::<Vec<_>>().join(", "))
    };
    out.push_str(&format!(
        "{number}. **{}**{assumed}: {} → {}{actions}\n",
        text(&review.attack.title(&step.technique)),
        code(&step.from),
        code(&step.to),
    ));
    for condition in &step.conditions {
        out.push_str(&format!("   - only if {}\n", prose(condition)));
    }
    for item in &step.evidence {
        out.push_str(&format!("   - {}: {}\n", place(review, item.span), prose(&item.text)));
    }
    out.push('\n');
    for item in step.evidence.iter().filter(|item| quoted.insert(item.span)) {
        threats::quote(out, review, item.span);
    }
}

fn cut(out: &mut String, review: &Review, cut: &Cut) {
    let at = cut.evidence.first().map_or_else(String::new, |item| format!(" at {}", place(review, item.span)));
    let also: Vec<String> = found(review, &cut.also_ends).take(LINKED).map(|path| link(review, path)).collect();
    let also = if also.is_empty() { String::new() } else { format!(" (also cuts: {})", also.join("; ")) };
    out.push_str(&format!("- {}{at}: {}{also}\n", paths::left(cut.likelihood), prose(&cut.text)));
}
