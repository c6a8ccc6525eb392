//! Rule pages as tests: each example must give what its heading says. `BARTIZAN_RULE=id` runs one rule.

use bartizan_review::{Catalogue, Category, Example, Expectation, FACTS, Review, Rule};

use crate::support::{CATALOGUE, review_with};

#[test]
fn unauthorized_access() {
    run_group(Category::UnauthorizedAccess);
}

#[test]
fn data_exfiltration() {
    run_group(Category::DataExfiltration);
}

#[test]
fn data_tampering() {
    run_group(Category::DataTampering);
}

#[test]
fn resource_exhaustion() {
    run_group(Category::ResourceExhaustion);
}

#[test]
fn denial_of_service() {
    run_group(Category::DenialOfService);
}

#[test]
fn insecure_dependencies() {
    run_group(Category::InsecureDependencies);
}

#[test]
fn the_rule_that_is_asked_for_exists_and_loads() {
    let Ok(only) = std::env::var("BARTIZAN_RULE") else { return };
    let (catalogue, errors) = &*CATALOGUE;
    let mistakes: Vec<String> =
        errors.iter().filter(|error| error.path.contains(&only)).map(|error| format!("catalogue/{error}")).collect();
    assert!(mistakes.is_empty(), "the rule `{only}` does not load:\n{}", mistakes.join("\n"));
    assert!(catalogue.rule(&only).is_some(), "there is no rule `{only}`");
}

fn run_group(group: Category) {
    let catalogue = &CATALOGUE.0;
    let only = std::env::var("BARTIZAN_RULE").ok();
    let mut failures = Vec::new();
    let wanted = |rule: &&Rule| rule.group == group && only.as_ref().is_none_or(|only| *only == rule.id);
    for rule in catalogue.rules.values().filter(wanted) {
        let mut alone = catalogue.clone();
        alone.rules.retain(|id, _| *id == rule.id);
        for example in &rule.page.examples {
            if let Err(problem) = run(&alone, rule, example) {
                let page = format!("catalogue/{}", rule.path.replace(".yaml", ".md"));
                failures.push(format!("{page}:{} · {} · {}\n{problem}", example.line, rule.id, example.expectation.heading()));
            }
        }
    }
    assert!(failures.is_empty(), "{} examples fail:\n\n{}", failures.len(), failures.join("\n\n"));
}

fn run(catalogue: &Catalogue, rule: &Rule, example: &Example) -> Result<(), String> {
    let path = if example.language == "hcl" { "main.tf" } else { "manifest.yaml" };
    let review = review_with(catalogue, &[(path, &example.code)], |architecture| example.found_beside(architecture));
    let problem = check(&review, rule, example).err();
    problem.map_or(Ok(()), |problem| Err(format!("  {problem}\n{}", indent(&describe(&review)))))
}

fn check(review: &Review, rule: &Rule, example: &Example) -> Result<(), String> {
    let marked = marked_lines(&example.code, &rule.id);
    if example.expectation != Expectation::Threatened && !marked.is_empty() {
        return Err("only a threatened example marks a line".to_owned());
    }
    if let Some(broken) = review.diagnostics.iter().find(|diagnostic| diagnostic.code == "catalogue/evaluation") {
        return Err(broken.message.clone());
    }
    let for_writers = ["(texts", "maps with", "numbers:", "facts/", "(attack graph)", "(bool)"];
    if let Some(question) = review.questions.iter().find(|question| for_writers.iter().any(|words| question.text.contains(words))) {
        return Err(format!("it asks readers in the words of who writes rules, see facts/asked.rs: {}", question.text));
    }
    match example.expectation {
        Expectation::Threatened => {
            if marked.is_empty() {
                return Err(format!("no line is marked; end the line to fix with `# threat: {}`", rule.id));
            }
            let found: Vec<u32> = review.threats.iter().filter_map(|threat| first_line(review, threat)).collect();
            if review.threats.is_empty() {
                return Err("it is not raised".to_owned());
            }
            if let Some(missed) = marked.iter().find(|line| !found.contains(line)) {
                return Err(format!("line {missed} of the example is marked, but the first evidence is on {}", lines(&found)));
            }
            if let Some(extra) = found.iter().find(|line| !marked.contains(line)) {
                return Err(format!("it is also raised with its first evidence on line {extra} of the example, which is not marked"));
            }
            let texts = review.threats.iter().flat_map(|threat| &threat.evidence).map(|evidence| &evidence.text);
            let names_fact = |text: &&String| FACTS.iter().any(|fact| text.starts_with(&format!("`{}`", fact.name)));
            match texts.into_iter().find(names_fact) {
                Some(text) => Err(format!("its evidence names a fact as rules do, words for it are missing in facts/words.rs: {text}")),
                None => Ok(()),
            }
        }
        Expectation::Safe if !review.threats.is_empty() => Err("it is raised".to_owned()),
        Expectation::Safe if !review.questions.is_empty() => Err("it asks a question instead of being in order".to_owned()),
        Expectation::Safe => Ok(()),
        Expectation::Unknown if !review.threats.is_empty() => Err("it is raised instead of asking".to_owned()),
        Expectation::Unknown if review.questions.is_empty() => Err("it asks no question".to_owned()),
        Expectation::Unknown => Ok(()),
    }
}

fn marked_lines(code: &str, rule: &str) -> Vec<u32> {
    let marker = format!("# threat: {rule}");
    code.lines().zip(1u32..).filter(|(line, _)| line.trim_end().ends_with(&marker)).map(|(_, number)| number).collect()
}

fn first_line(review: &Review, threat: &bartizan_review::Threat) -> Option<u32> {
    threat.evidence.first().map(|evidence| review.architecture.sources.start(evidence.span).line)
}

fn lines(found: &[u32]) -> String {
    found.iter().map(|line| format!("line {line}")).collect::<Vec<_>>().join(", ")
}

/// What happened, for whoever writes the rule.
fn describe(review: &Review) -> String {
    let sources = &review.architecture.sources;
    let mut out = Vec::new();
    for threat in &review.threats {
        out.push(format!("raised: {}", threat.message));
        for evidence in &threat.evidence {
            out.push(format!("  line {}: {}", sources.start(evidence.span).line, evidence.text));
        }
    }
    for good in &review.in_order {
        let checked: Vec<&str> = good.checked.iter().map(bartizan_model::Address::as_str).collect();
        out.push(format!("in order: {}", checked.join(", ")));
    }
    for question in &review.questions {
        out.push(format!("asks: {} (about {}, {})", question.text, question.setting.as_deref().unwrap_or("a fact or flow"), question.why));
    }
    for component in review.architecture.components.values() {
        let exposure = component.exposure.as_ref().map(|(exposure, _)| format!(", exposure {exposure:?}")).unwrap_or_default();
        out.push(format!("component: {} is a {}{exposure}", component.address, component.component_type));
    }
    for flow in &review.architecture.flows {
        let port = flow.port.map(|port| format!(":{port}")).unwrap_or_default();
        out.push(format!("flow: {} → {} {}{port}, encrypted {:?}, {:?}", flow.from, flow.to, flow.protocol, flow.encrypted, flow.status));
    }
    for diagnostic in review.architecture.diagnostics.iter().chain(&review.diagnostics) {
        let line = diagnostic.span.map_or(0, |span| sources.start(span).line);
        out.push(format!("diagnostic: line {line}: {} [{}]", diagnostic.message, diagnostic.code));
    }
    out.join("\n")
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
