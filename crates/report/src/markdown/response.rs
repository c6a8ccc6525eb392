//! Response, questions, what is in order, training and diagnostics.

use bartizan_review::{Review, Runbook};

use super::escape::{code, fenced, page, prose, text};
use super::{anchor, place};
use crate::{redact::redact, words};

pub(super) fn write(out: &mut String, review: &Review) {
    out.push_str("## Response\n\n");
    alarms(out, review);
    recovery(out, review);
    runbooks(out, &review.response.runbooks);
    questions(out, review);
    in_order(out, review);
    training(out, review);
    diagnostics(out, review);
}

fn alarms(out: &mut String, review: &Review) {
    out.push_str("### Alarms\n\n");
    let alarms = &review.response.alarms;
    if alarms.is_empty() {
        out.push_str("No component of this plan needs an alarm that the catalogue knows.\n\n");
        return;
    }
    let missing = alarms.iter().filter(|alarm| alarm.covered_by.is_none()).count();
    out.push_str(&format!(
        "Of {} that this system needs, {missing} {} missing.\n\n",
        words::count(alarms.len(), "alarm", "alarms"),
        if missing == 1 { "is" } else { "are" }
    ));
    out.push_str("| Component | Signal | When | Why | Covered by |\n| --- | --- | --- | --- | --- |\n");
    for alarm in alarms {
        out.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            code(alarm.component.as_str()),
            code(&alarm.signal),
            prose(&alarm.condition),
            prose(&alarm.why),
            alarm.covered_by.as_ref().map_or_else(|| "**missing**".to_owned(), |address| code(address.as_str())),
        ));
    }
    out.push('\n');
    let fixes: Vec<&str> =
        alarms.iter().filter(|alarm| alarm.covered_by.is_none()).filter_map(|alarm| Some(alarm.fix.as_ref()?.code.trim_end())).collect();
    if !fixes.is_empty() {
        out.push_str("The missing alarms as Terraform:\n\n");
        out.push_str(&fenced("hcl", &redact(&fixes.join("\n\n"))));
        out.push('\n');
    }
}

fn recovery(out: &mut String, review: &Review) {
    out.push_str("### Recovery\n\n");
    if review.response.recovery.is_empty() {
        out.push_str("The plan holds no data store.\n\n");
        return;
    }
    out.push_str(
        "| Data store | Configured | Most data lost | Time to come back | Wanted | Missing |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for store in &review.response.recovery {
        let configured: Vec<String> =
            store.configured.iter().map(|item| format!("{} ({})", prose(&item.text), place(review, item.span))).collect();
        let gaps: Vec<String> = store.gaps.iter().map(|gap| prose(gap)).collect();
        out.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            code(store.component.as_str()),
            if configured.is_empty() { "nothing".to_owned() } else { configured.join("; ") },
            prose(&store.rpo),
            prose(&store.rto),
            store.target.as_deref().map_or_else(|| "not declared".to_owned(), prose),
            gaps.join("; "),
        ));
    }
    out.push('\n');
}

fn runbooks(out: &mut String, runbooks: &[Runbook]) {
    out.push_str("### Runbooks\n\n");
    if runbooks.is_empty() {
        out.push_str("No threat category occurs, so no runbook is needed.\n\n");
    }
    for runbook in runbooks {
        out.push_str(&format!("{}\n\n#### {}\n\n", anchor(&format!("runbook-{}", runbook.category)), text(&runbook.title)));
        out.push_str(&format!("For the category {}.\n\n{}\n", words::category_by_id(&runbook.category), page(&runbook.body, 3)));
    }
}

fn questions(out: &mut String, review: &Review) {
    out.push_str("## Questions\n\n");
    if review.questions.is_empty() {
        out.push_str("The plan answers everything that the rules ask.\n\n");
        return;
    }
    out.push_str(
        "The plan does not say these things. Answer them in `bartizan.yaml`, and the next review takes the answers into account.\n\n",
    );
    out.push_str("| Question | For | About | Why it is open | Decides | Id |\n| --- | --- | --- | --- | --- | --- |\n");
    for question in &review.questions {
        let at = question.span.map_or_else(String::new, |span| format!(" ({})", place(review, span)));
        out.push_str(&format!(
            "| {} | {} | {} | {}{at} | {} | {} |\n",
            prose(&question.text),
            text(&question.to),
            code(question.about.as_str()),
            prose(&question.why),
            question.decides.len(),
            code(&question.id),
        ));
    }
    out.push('\n');
}

fn in_order(out: &mut String, review: &Review) {
    out.push_str("## Checked and in order\n\n");
    if review.in_order.is_empty() {
        out.push_str("No rule found a component in order.\n\n");
        return;
    }
    out.push_str("| Threat that was looked for | Not raised because | Checked on |\n| --- | --- | --- |\n");
    for checked in &review.in_order {
        let names: Vec<String> = checked.checked.iter().take(4).map(|address| code(address.as_str())).collect();
        let more = checked.checked.len().saturating_sub(4);
        let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
        let shown: Vec<String> = checked.evidence.iter().take(2).map(|item| place(review, item.span)).collect();
        let shown = if shown.is_empty() { String::new() } else { format!(" ({})", shown.join(", ")) };
        out.push_str(&format!("| {} | {}{shown} | {}{rest} |\n", text(&checked.title), prose(&checked.because), names.join(", ")));
    }
    out.push('\n');
}

fn training(out: &mut String, review: &Review) {
    out.push_str("## Training\n\n");
    if review.training.is_empty() {
        out.push_str("There is no topic that this review would teach.\n\n");
    }
    let mut audience = "";
    for topic in &review.training {
        if topic.audience != audience {
            audience = &topic.audience;
            out.push_str(&format!("### For {}\n\n", text(audience)));
        }
        out.push_str(&format!("#### {}\n\n{}\n", text(&topic.title), page(&topic.body, 3)));
    }
}

fn diagnostics(out: &mut String, review: &Review) {
    out.push_str("## Diagnostics\n\n");
    let all: Vec<_> = review.architecture.diagnostics.iter().chain(&review.diagnostics).collect();
    if all.is_empty() && review.architecture.unknown_types.is_empty() {
        out.push_str("Everything under review could be read.\n\n");
        return;
    }
    if !all.is_empty() {
        out.push_str("What could not be read or resolved is missing from the review.\n\n| Severity | Where | What | What to do |\n| --- | --- | --- | --- |\n");
    }
    for diagnostic in all.iter().take(MOST_DIAGNOSTICS) {
        out.push_str(&format!(
            "| {} | {} | {} ({}) | {} |\n",
            words::diagnostic_severity_id(diagnostic.severity),
            diagnostic.span.map_or_else(String::new, |span| place(review, span)),
            prose(&diagnostic.message),
            code(diagnostic.code),
            diagnostic.help.as_deref().map_or_else(String::new, prose),
        ));
    }
    if all.len() > MOST_DIAGNOSTICS {
        out.push_str(&format!("\n{} more are in `review.json`.\n", all.len() - MOST_DIAGNOSTICS));
    }
    out.push('\n');
    match review.architecture.unresolved_references {
        0 => {}
        1 => out.push_str("One reference could not be resolved; its value counts as unknown.\n\n"),
        n => out.push_str(&format!("{n} references could not be resolved; their values count as unknown.\n\n")),
    }
    if !review.architecture.unknown_types.is_empty() {
        let types: Vec<String> =
            review.architecture.unknown_types.iter().map(|(name, count)| format!("{} ({count})", code(name))).collect();
        out.push_str(&words::sentence(&format!(
            "The catalogue does not know these types, so nothing is said about them: {}",
            types.join(", ")
        )));
        out.push_str("\n\n");
    }
}

/// A document with more lines of problems than of threats helps nobody; the machine format has all.
const MOST_DIAGNOSTICS: usize = 200;
