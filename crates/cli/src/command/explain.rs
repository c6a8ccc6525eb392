//! `bartizan explain`: all reasons of one threat, flow, question, attack path, rule or component, as Markdown that reads well unrendered.

use bartizan_model::{Component, Flow, FlowStatus, Reason, Span};
use bartizan_report::{Excerpt, Place, path_sentence, percent, redact};
use bartizan_review::{Answer, Asked, AttackPath, Evidence, Question, Review, Rule, Score, ServiceApis, Threat};

use crate::args::Explain;
use crate::exit::Outcome;
use crate::{pipeline, terminal};

pub(super) fn run(arguments: &Explain) -> anyhow::Result<Outcome> {
    let id = arguments.id.as_str();
    // A rule is explained by the catalogue alone, so no plan is needed.
    let knowledge = pipeline::knowledge(arguments.input.catalogue.catalogue.as_deref())?;
    if let Some(rule) = knowledge.catalogue.rule(id) {
        terminal::output(self::rule(rule).as_bytes())?;
        return Ok(Outcome::Clean);
    }
    drop(knowledge);
    let (review, knowledge) = pipeline::review_with_knowledge(&arguments.input)?;
    let text = explain(&review, &knowledge.catalogue.services, id)
        .ok_or_else(|| anyhow::anyhow!("there is no threat, flow, question, path, rule or component `{id}`{}", near(&review, id)))?;
    terminal::output(text.as_bytes())?;
    Ok(Outcome::Clean)
}

fn explain(review: &Review, services: &ServiceApis, id: &str) -> Option<String> {
    let architecture = &review.architecture;
    if let Some(threat) = review.threats.iter().find(|threat| threat.id == id) {
        return Some(self::threat(review, threat));
    }
    if let Some(flow) = architecture.flows.iter().find(|flow| flow.id == id) {
        return Some(self::flow(review, flow));
    }
    if let Some(question) = review.questions.iter().find(|question| question.id == id) {
        return Some(self::question(review, question));
    }
    if let Some(path) = review.attack_paths.iter().find(|path| path.id == id) {
        return Some(self::path(review, services, path));
    }
    let component = architecture.components.values().find(|component| component.address.as_str() == id)?;
    Some(self::component(review, component))
}

/// Ids that hold what was typed.
fn near(review: &Review, id: &str) -> String {
    let ids = review.threats.iter().map(|threat| threat.id.as_str()).chain(review.attack_paths.iter().map(|path| path.id.as_str()));
    let ids = ids.chain(review.architecture.components.keys().map(|address| address.as_str()));
    pipeline::did_you_mean(ids.filter(|known| known.contains(id))).unwrap_or_default()
}

fn rule(rule: &Rule) -> String {
    let mut out = format!("# {} ({})\n\n{}\n\n## Remedy\n\n{}\n", rule.title, rule.id, rule.page.explanation, rule.page.remedy);
    if !rule.references.is_empty() {
        out.push_str("\n## Further reading\n\n");
        rule.references.iter().for_each(|page| out.push_str(&format!("- {page}\n")));
    }
    out
}

fn threat(review: &Review, threat: &Threat) -> String {
    let mut out = format!("# {}\n\n{}\n\n", threat.title, redact(&threat.message));
    out.push_str(&format!(
        "severity {} (risk {} of 25; before controls {}, {} of 25), {}\n",
        threat.severity.id(),
        threat.residual_risk(),
        threat.inherent_severity.id(),
        threat.inherent_risk(),
        threat.category.id(),
    ));
    let targets: Vec<&str> = threat.targets.iter().map(|target| target.as_str()).collect();
    out.push_str(&format!("concerns {}\n", targets.join(", ")));
    if let Some(decision) = &threat.decision {
        out.push_str(&format!("decision: {decision}\n"));
    }
    out.push_str("\n## Evidence\n");
    evidence(&mut out, review, &threat.evidence);
    for (name, inherent, residual) in
        [("Likelihood", &threat.likelihood, &threat.residual_likelihood), ("Impact", &threat.impact, &threat.residual_impact)]
    {
        score(&mut out, review, name, inherent, residual);
    }
    let paths: Vec<&AttackPath> = review.attack_paths.iter().filter(|path| threat.paths.contains(&path.id)).collect();
    if !paths.is_empty() {
        out.push_str("\n## Attack paths it lies on\n\n");
        paths.iter().for_each(|path| out.push_str(&format!("- {} ({})\n", redact(&path_sentence(review, path)), path.id)));
    }
    if !threat.controls_present.is_empty() {
        out.push_str(&format!("\nThe plan shows these controls already: {}\n", threat.controls_present.join(", ")));
    }
    out.push_str(&format!("\n## Why it matters\n\n{}\n\n## Remedies\n", threat.explanation));
    for mitigation in review.mitigations.iter().filter(|mitigation| mitigation.threats.contains(&threat.id)) {
        out.push_str(&format!(
            "\n### {} ({})\n\n- effect: {}\n- cost: {}\n- performance: {}\n- advice: {}\n",
            mitigation.title, mitigation.control, mitigation.effect, mitigation.cost, mitigation.performance, mitigation.advice,
        ));
        if !mitigation.standards.is_empty() {
            out.push_str(&format!("- standards: {}\n", mitigation.standards.join(", ")));
        }
        if let Some(fix) = &mitigation.fix {
            out.push_str(&format!("\n```{}\n{}\n```\n", fix.language, redact(fix.code.trim_end())));
        }
    }
    out
}

fn score(out: &mut String, review: &Review, name: &str, inherent: &Score, residual: &Score) {
    out.push_str(&format!("\n## {name} {} of 5, {} after the controls that the plan shows\n\n", inherent.value, residual.value));
    for term in inherent.terms.iter().chain(residual.terms.iter().filter(|term| !inherent.terms.contains(term))) {
        let at = term.evidence.first().map_or_else(String::new, |item| format!(" ({})", place(review, item.span)));
        out.push_str(&format!("{:+5.1}  {}{at}\n", term.points, redact(&term.text)));
    }
}

fn evidence(out: &mut String, review: &Review, evidence: &[Evidence]) {
    for item in evidence {
        out.push_str(&format!("\n{}: {}\n\n", place(review, item.span), redact(&item.text)));
        let Some(excerpt) = Excerpt::of(&review.architecture.sources, item.span, 1) else { continue };
        for (line, number) in excerpt.lines.iter().zip(excerpt.first_line..) {
            let mark = if (excerpt.place.line..=excerpt.marked_to).contains(&number) { '>' } else { ' ' };
            out.push_str(&format!("{mark}{number:>5} | {line}\n"));
        }
    }
}

fn flow(review: &Review, flow: &Flow) -> String {
    let port = flow.port.map_or_else(String::new, |port| format!(" :{port}"));
    let mut out = format!("# {} → {}: {}{port}\n\n", flow.from, flow.to, flow.protocol);
    let encrypted = flow.encrypted.map_or("not known", |encrypted| if encrypted { "yes" } else { "no" });
    out.push_str(&format!("encrypted: {encrypted}\nauthentication: {}\n", flow.authentication.as_deref().unwrap_or("not known")));
    if flow.status == FlowStatus::Blocked {
        out.push_str("blocked\n");
    }
    if !flow.data.is_empty() {
        out.push_str(&format!("carries {}\n", flow.data.join(", ")));
    }
    out.push_str("\n## Why\n\n");
    reasons(&mut out, review, &flow.why);
    out
}

fn reasons(out: &mut String, review: &Review, reasons: &[Reason]) {
    for reason in reasons {
        let at = reason.span.map_or_else(String::new, |span| format!(" ({})", place(review, span)));
        out.push_str(&format!("- {}{at}\n", redact(&reason.text)));
    }
}

fn question(review: &Review, question: &Question) -> String {
    let at = question.span.map_or_else(String::new, |span| format!(" ({})", place(review, span)));
    let mut out =
        format!("# {}\n\nfor {}, about {}\n\nIt is open because {}{at}.\n", question.text, question.to, question.about, question.why);
    out.push_str(&format!("\nThe answer decides: {}\n", question.decides.join(", ")));
    out.push_str(&format!("\nAnswer it in bartizan.yaml:\n\n```yaml\nanswers:\n  - question: {}\n    value: \n```\n", question.id));
    out
}

fn path(review: &Review, services: &ServiceApis, path: &AttackPath) -> String {
    let decided = decided(review, services, path);
    let mut out = format!("# {}\n\n{}.\n\n## Steps\n", path.id, redact(&path_sentence(review, path)));
    for ((step, answers), number) in path.steps.iter().zip(&decided).zip(1..) {
        let assumed = if step.assumption { " (assumed: no plan shows this flaw)" } else { "" };
        out.push_str(&format!("\n### {number}. {}{assumed}\n\n{} → {}\n", review.attack.title(&step.technique), step.from, step.to));
        if !step.actions.is_empty() {
            out.push_str(&format!("with {}\n", step.actions.join(", ")));
        }
        out.push_str(&format!("works for {} of those who try\n", percent(step.likelihood)));
        step.conditions.iter().for_each(|condition| out.push_str(&format!("only if {}\n", redact(condition))));
        evidence(&mut out, review, &step.evidence);
        answers.iter().for_each(|(action, answer)| decision(&mut out, review, action, answer));
    }
    out.push_str("\n## What would cut it\n\n");
    if path.cuts.is_empty() {
        out.push_str("No single change takes away most of its likelihood.\n");
    }
    path.cuts.iter().for_each(|cut| super::paths::cut(&mut out, &review.architecture, cut));
    let on: Vec<&Threat> = review.threats.iter().filter(|threat| threat.paths.contains(&path.id)).collect();
    if !on.is_empty() {
        out.push_str("\n## Threats on it\n\n");
        on.iter().for_each(|threat| out.push_str(&format!("- {}: {} ({})\n", threat.severity.id(), redact(&threat.message), threat.id)));
    }
    out
}

/// By step: the actions on what it leads to that are decided as a whole, with the statements that do.
fn decided<'p>(review: &Review, services: &ServiceApis, path: &'p AttackPath) -> Vec<Vec<(&'p str, Answer)>> {
    let inside: Vec<String> = path.steps.iter().map(|step| format!("{}/*", step.to)).collect();
    let mut places = Vec::new();
    let mut questions = Vec::new();
    for (place, (step, inside)) in path.steps.iter().zip(&inside).enumerate() {
        for action in &step.actions {
            for resource in [step.to.as_str(), inside.as_str()] {
                places.push((place, action.as_str()));
                questions.push(Asked { principal: &step.from, action, resource });
            }
        }
    }
    let answers = bartizan_review::can(&review.architecture, services, &questions, pipeline::today().as_deref());
    let mut out: Vec<Vec<(&str, Answer)>> = path.steps.iter().map(|_| Vec::new()).collect();
    for ((place, action), answer) in places.into_iter().zip(answers) {
        let Some(answer) = answer.ok().filter(|answer| answer.outcome.starts_with("allowed")) else { continue };
        if let Some(of_step) = out.get_mut(place).filter(|of_step| of_step.iter().all(|(known, _)| *known != action)) {
            of_step.push((action, answer));
        }
    }
    out
}

/// Why an action is allowed, and that nothing denies it.
fn decision(out: &mut String, review: &Review, action: &str, answer: &Answer) {
    out.push_str(&format!("\n`{action}` is {}:\n", answer.outcome));
    for line in &answer.reasons {
        let at = line.span.map_or_else(String::new, |span| format!(" ({})", place(review, span)));
        out.push_str(&format!("- {}{at}\n", redact(&line.text)));
    }
}

fn component(review: &Review, component: &Component) -> String {
    let mut out = format!("# {} ({})\n\n{}\n", component.name, component.component_type, component.address);
    if let Some(span) = component.span {
        out.push_str(&format!("declared in {}\n", place(review, span)));
    }
    if let Some((_, why)) = &component.exposure {
        out.push_str("\n## Exposure\n\n");
        reasons(&mut out, review, why);
    }
    let touching: Vec<&Flow> =
        review.architecture.flows.iter().filter(|flow| flow.from == component.address || flow.to == component.address).collect();
    if !touching.is_empty() {
        out.push_str("\n## Flows\n\n");
        touching.iter().for_each(|flow| out.push_str(&format!("- {} → {}: {} ({})\n", flow.from, flow.to, flow.protocol, flow.id)));
    }
    let threats: Vec<&Threat> = review.threats.iter().filter(|threat| threat.targets.contains(&component.address)).collect();
    if !threats.is_empty() {
        out.push_str("\n## Threats\n\n");
        threats
            .iter()
            .for_each(|threat| out.push_str(&format!("- {}: {} ({})\n", threat.severity.id(), redact(&threat.message), threat.id)));
    }
    out
}

fn place(review: &Review, span: Span) -> String {
    Place::of(&review.architecture.sources, span).map_or_else(String::new, |place| place.short())
}
