//! Threats by severity, and mitigations.

use bartizan_model::{Address, Span};
use bartizan_review::{Evidence, Mitigation, Review, Score, Severity, Status, Threat};

use super::escape::{code, fenced, page, prose, text};
use super::{anchor, place, plain_id};
use crate::{Excerpt, Remedies, redact::redact, words};

/// Places that are quoted per threat; further ones are only named.
const QUOTED: usize = 3;
/// Further places that are named.
const NAMED: usize = 12;

pub(super) fn write(out: &mut String, review: &Review) {
    out.push_str("## Threats\n\n");
    if review.threats.is_empty() {
        out.push_str("No rule of the catalogue found a threat.\n\n");
    }
    let remedies = Remedies::of(review);
    let mut write = |title: &str, threats: Vec<&Threat>| group(out, review, &remedies, title, &threats);
    for severity in words::SEVERITIES {
        write(words::severity(severity), threats_of(review, Status::Open, Some(severity)));
    }
    write("Waiting for an answer", threats_of(review, Status::Question, None));
    write("Held by controls", threats_of(review, Status::Mitigated, None));
    write("Accepted", threats_of(review, Status::Accepted, None));
}

/// A link to an anchor of this document.
pub(super) fn link(title: &str, id: &str) -> String {
    format!("[{}](#{})", text(title), plain_id(id))
}

fn threats_of(review: &Review, status: Status, severity: Option<Severity>) -> Vec<&Threat> {
    review.threats.iter().filter(|t| t.status == status && severity.is_none_or(|severity| t.severity == severity)).collect()
}

fn group(out: &mut String, review: &Review, remedies: &Remedies<'_>, title: &str, threats: &[&Threat]) {
    if threats.is_empty() {
        return;
    }
    out.push_str(&format!("### {title}\n\n"));
    for threat in threats {
        self::threat(out, review, remedies, threat);
    }
}

fn threat(out: &mut String, review: &Review, remedies: &Remedies<'_>, threat: &Threat) {
    out.push_str(&format!("{}\n\n#### {}\n\n", anchor(&threat.id), text(&threat.title)));
    out.push_str(&format!("{}\n\n", words::sentence(&prose(&words::capitalised(&threat.message)))));
    out.push_str(&format!(
        "| | |\n| --- | --- |\n| Id | {} |\n| Category | {} |\n| Severity | {} (risk {} of 25; before controls {}, {} of 25) |\n",
        code(&threat.id),
        words::category(threat.category),
        words::severity(threat.severity),
        threat.residual_risk(),
        words::severity(threat.inherent_severity).to_lowercase(),
        threat.inherent_risk(),
    ));
    out.push_str(&format!("| Concerns | {} |\n", targets(&threat.targets)));
    let classes: Vec<String> = threat.stride.iter().chain(&threat.attack).chain(&threat.cwe).map(|class| text(class)).collect();
    if !classes.is_empty() {
        out.push_str(&format!("| Classified as | {} |\n", classes.join(", ")));
    }
    if let Some(paths) = super::paths::of_threat(review, threat) {
        out.push_str(&format!("| Attack paths | {paths} |\n"));
    }
    if let Some(decision) = &threat.decision {
        out.push_str(&format!("| Decision | {} |\n", prose(decision)));
    }
    out.push('\n');
    if !threat.explanation.trim().is_empty() {
        out.push_str(&format!("{}\n", page(&threat.explanation, 3)));
    }
    evidence(out, review, &threat.evidence);
    score(out, review, "Likelihood", &threat.likelihood, &threat.residual_likelihood);
    score(out, review, "Impact", &threat.impact, &threat.residual_impact);
    if !threat.controls_present.is_empty() {
        let present: Vec<String> = threat.controls_present.iter().map(|control| code(control)).collect();
        out.push_str(&format!("The plan shows these controls already: {}.\n\n", present.join(", ")));
    }
    let remedies = remedies.for_threat(threat);
    if !remedies.is_empty() {
        out.push_str("What to do about it:\n\n");
        for (_, remedy) in remedies {
            out.push_str(&format!(
                "- {} ({}): {}\n",
                link(&remedy.title, &remedy.id),
                text(&remedy.kind),
                words::sentence(&prose(&remedy.effect))
            ));
        }
        out.push('\n');
    }
    let pages: Vec<String> = threat.references.iter().filter(|url| is_link(url)).map(|url| format!("<{url}>")).collect();
    if !pages.is_empty() {
        out.push_str(&format!("Further reading: {}\n\n", pages.join(", ")));
    }
}

fn is_link(url: &str) -> bool {
    url.starts_with("https://") && !url.contains(['<', '>', ' ', '\n'])
}

fn targets(targets: &[Address]) -> String {
    const SHOWN: usize = 8;
    let mut out = targets.iter().take(SHOWN).map(|target| code(target.as_str())).collect::<Vec<_>>().join(", ");
    if targets.len() > SHOWN {
        out.push_str(&format!(" and {} more", targets.len() - SHOWN));
    }
    out
}

fn evidence(out: &mut String, review: &Review, evidence: &[Evidence]) {
    if evidence.is_empty() {
        out.push_str("Evidence: the plan holds nothing that would prevent it.\n\n");
        return;
    }
    for item in evidence.iter().take(QUOTED) {
        out.push_str(&format!("Evidence in {}: {}\n\n", place(review, item.span), words::sentence(&prose(&item.text))));
        quote(out, review, item.span);
    }
    let further: Vec<String> =
        evidence.iter().skip(QUOTED).take(NAMED).map(|item| format!("{} ({})", place(review, item.span), prose(&item.text))).collect();
    if !further.is_empty() {
        let rest = evidence.len().saturating_sub(QUOTED + NAMED);
        let more = if rest == 0 { String::new() } else { format!(", and {} more", words::count(rest, "place", "places")) };
        out.push_str(&format!("Also: {}{more}.\n\n", further.join(", ")));
    }
}

/// The lines of a span.
pub(super) fn quote(out: &mut String, review: &Review, span: Span) {
    let Some(excerpt) = Excerpt::of(&review.architecture.sources, span, 1) else { return };
    let language = if excerpt.place.file.ends_with(".tf") { "hcl" } else { "" };
    let lines: Vec<String> = excerpt.lines.iter().zip(excerpt.first_line..).map(|(line, number)| format!("{number:>4} | {line}")).collect();
    out.push_str(&fenced(language, &lines.join("\n")));
    out.push('\n');
}

fn score(out: &mut String, review: &Review, name: &str, inherent: &Score, residual: &Score) {
    let after = if residual.value == inherent.value {
        String::new()
    } else {
        format!(", {} after the controls that the plan shows", residual.value)
    };
    out.push_str(&format!("{name} {} of 5{after}:\n\n", inherent.value));
    // What the controls take away follows the terms of the inherent score, which the residual one may repeat.
    for term in inherent.terms.iter().chain(residual.terms.iter().filter(|term| !inherent.terms.contains(term))) {
        let shown = term.evidence.first().map_or_else(String::new, |item| format!(" ({})", place(review, item.span)));
        out.push_str(&format!("- {:+.1}: {}{shown}\n", term.points, prose(&term.text)));
    }
    out.push('\n');
}

pub(super) fn mitigations(out: &mut String, review: &Review) {
    out.push_str("## Mitigations\n\n");
    if review.mitigations.is_empty() {
        out.push_str("There is nothing to mitigate.\n\n");
        return;
    }
    out.push_str("Those against the worst threat come first, and of these those that take away most risk.\n\n");
    for mitigation in &review.mitigations {
        self::mitigation(out, review, mitigation);
    }
}

fn mitigation(out: &mut String, review: &Review, mitigation: &Mitigation) {
    out.push_str(&format!("{}\n\n### {}\n\n", anchor(&mitigation.id), text(&mitigation.title)));
    out.push_str(&format!(
        "| | |\n| --- | --- |\n| Applied to | {} |\n| Kind | {} |\n| Effect | {} (takes away {:.0} points of risk over {}) |\n| Advice | {} |\n",
        code(mitigation.target.as_str()),
        text(&mitigation.kind),
        prose(&mitigation.effect),
        mitigation.risk_reduction,
        words::count(mitigation.threats.len(), "threat", "threats"),
        prose(&mitigation.advice),
    ));
    let estimate = mitigation
        .cost_usd_per_month
        .filter(|cost| words::is_cost(*cost))
        .map_or_else(String::new, |cost| format!(" (about {cost:.2} USD per month)"));
    out.push_str(&format!("| Cost | {}{estimate} |\n| Performance | {} |\n", prose(&mitigation.cost), prose(&mitigation.performance)));
    if !mitigation.standards.is_empty() {
        let standards: Vec<String> = mitigation.standards.iter().map(|standard| text(standard)).collect();
        out.push_str(&format!("| Standards | {} |\n", standards.join(", ")));
    }
    out.push('\n');
    if let Some(fix) = &mitigation.fix {
        if let Some(place_of_fix) = fix.place {
            out.push_str(&format!("It belongs to {}", place(review, place_of_fix)));
            out.push_str(if fix.complete { ":\n\n" } else { "; fill in what is between `<` and `>`:\n\n" });
        }
        out.push_str(&fenced(&fix.language, &redact(&fix.code)));
        out.push('\n');
    }
}
