//! `bartizan rules`: the rules of the catalogue, listed, checked and tested.

use bartizan_import::Tree;
use bartizan_review::{Example, Expectation, Policy, Review, Rule, Status};

use crate::args::{Rules, RulesAction};
use crate::catalogue::{self, Knowledge};
use crate::exit::Outcome;
use crate::{pipeline, terminal};

pub(super) fn run(arguments: &Rules) -> anyhow::Result<Outcome> {
    let folder = arguments.catalogue.catalogue.as_deref();
    match &arguments.action {
        RulesAction::List => list(&pipeline::knowledge(folder)?),
        RulesAction::Check => check(&catalogue::begin(folder)?.finish()),
        RulesAction::Test { only } => test(&pipeline::knowledge(folder)?, only.as_deref()),
    }
}

fn list(knowledge: &Knowledge) -> anyhow::Result<Outcome> {
    let rows: Vec<[&str; 3]> = std::iter::once(["RULE", "GROUP", "TITLE"])
        .chain(knowledge.catalogue.rules.values().map(|rule| [rule.id.as_str(), rule.group.id(), rule.title.as_str()]))
        .collect();
    let first = rows.iter().map(|[id, ..]| id.len()).max().unwrap_or(0);
    let second = rows.iter().map(|[_, group, _]| group.len()).max().unwrap_or(0);
    let lines: String = rows.iter().map(|[id, group, title]| format!("{id:first$}  {group:second$}  {title}\n")).collect();
    terminal::output(lines.as_bytes())?;
    Ok(Outcome::Clean)
}

fn check(knowledge: &Knowledge) -> anyhow::Result<Outcome> {
    for mistake in &knowledge.mistakes {
        terminal::problem(mistake);
    }
    let n_rules = knowledge.catalogue.rules.len();
    let n_controls = knowledge.catalogue.controls.len();
    let text = format!("{n_rules} rules and {n_controls} controls, {} mistakes\n", knowledge.mistakes.len());
    terminal::output(text.as_bytes())?;
    Ok(if knowledge.mistakes.is_empty() { Outcome::Clean } else { Outcome::Findings })
}

fn test(knowledge: &Knowledge, only: Option<&str>) -> anyhow::Result<Outcome> {
    let mut failures = 0usize;
    let mut run = 0usize;
    for rule in knowledge.catalogue.rules.values().filter(|rule| only.is_none_or(|part| rule.id.contains(part))) {
        for example in &rule.page.examples {
            run += 1;
            if let Err(message) = example_holds(knowledge, rule, example) {
                failures += 1;
                let page = rule.path.replace(".yaml", ".md");
                terminal::problem(&format!("{page}:{}: the example `{}` {message}", example.line, example.expectation.heading()));
            }
        }
    }
    anyhow::ensure!(run > 0, "no rule with an example has an id that contains `{}`", only.unwrap_or_default());
    terminal::output(format!("{run} examples, {failures} failed\n").as_bytes())?;
    Ok(if failures == 0 { Outcome::Clean } else { Outcome::Findings })
}

/// Reviews one example and compares with what its heading promises.
fn example_holds(knowledge: &Knowledge, rule: &Rule, example: &Example) -> Result<(), String> {
    let file = if example.language == "yaml" { "main.yaml" } else { "main.tf" };
    let tree = Tree::from_memory([(file.to_owned(), example.code.clone())]);
    let mut architecture = bartizan_import::import(&tree, &knowledge.services);
    example.found_beside(&mut architecture);
    let review = bartizan_review::review(architecture, &knowledge.catalogue, &Policy::default());
    let raised: Vec<_> = review.threats.iter().filter(|t| t.rule == rule.id && t.status != Status::Question).collect();
    let asked = review.questions.iter().any(|question| question.decides.iter().any(|id| *id == rule.id || id.starts_with(&rule.id)));
    match example.expectation {
        Expectation::Threatened => {
            let first = raised.first().ok_or_else(|| format!("does not raise the rule{}", instead(&review, rule)))?;
            let Some(wanted) = marked_line(example, &rule.id) else { return Ok(()) };
            let line = first.evidence.first().map(|evidence| review.architecture.sources.start(evidence.span).line);
            if line == Some(wanted) { Ok(()) } else { Err(format!("shows line {line:?} and not the marked line {wanted}")) }
        }
        Expectation::Safe if !raised.is_empty() => Err("raises the rule".to_owned()),
        Expectation::Safe if asked => Err("asks a question".to_owned()),
        Expectation::Unknown if !raised.is_empty() => Err("raises the rule".to_owned()),
        Expectation::Unknown if !asked => Err(format!("asks nothing{}", instead(&review, rule))),
        Expectation::Safe | Expectation::Unknown => Ok(()),
    }
}

/// What happened to the rule instead, for the message.
fn instead(review: &Review, rule: &Rule) -> String {
    if review.questions.iter().any(|question| question.decides.contains(&rule.id)) {
        return "; it asks a question".to_owned();
    }
    match review.in_order.iter().find(|checked| checked.rule == rule.id) {
        Some(checked) => format!("; it is in order: {}", checked.because),
        None => "; it does not apply".to_owned(),
    }
}

/// The line that ends in `# threat: <id>`, from 1.
fn marked_line(example: &Example, rule: &str) -> Option<u32> {
    let mark = format!("# threat: {rule}");
    example.code.lines().zip(1u32..).find(|(line, _)| line.trim_end().ends_with(&mark)).map(|(_, number)| number)
}
