//! `bartizan access`: who holds what, and whether one right is granted.

use bartizan_model::Architecture;
use bartizan_report::{Place, folder, json, redact};
use bartizan_review::{Access, Asked, Policy, ServiceApis, Standing, Unanswered};

use crate::args::{self, ListFormat};
use crate::exit::Outcome;
use crate::{pipeline, terminal};

pub(super) fn run(arguments: &args::Access) -> anyhow::Result<Outcome> {
    let policy = Policy { today: pipeline::today(), ..Policy::default() };
    let (architecture, attack, knowledge) = pipeline::attack(&arguments.input, &policy)?;
    terminal::diagnostics(&architecture, &[])?;
    if let Some([principal, action, resource]) = arguments.can.as_deref() {
        let text = can(&architecture, &knowledge.catalogue.services, principal, action, resource)?;
        pipeline::write(text.as_bytes(), arguments.output.as_deref())?;
        return Ok(Outcome::Clean);
    }
    let principals = attack.access();
    let content = match arguments.format {
        ListFormat::Json => folder::pretty(&json::v1::access(&architecture, principals)),
        ListFormat::Text => text(&architecture, principals).into_bytes(),
    };
    pipeline::write(&content, arguments.output.as_deref())?;
    Ok(Outcome::Clean)
}

fn text(architecture: &Architecture, principals: &[Access]) -> String {
    let mut out = String::new();
    let mut counts = [0usize; 3];
    for access in principals {
        let (word, slot) = match (access.admin, access.escalates) {
            (Standing::Yes, _) => ("administrator", 0),
            (Standing::Conditional, _) => ("administrator under conditions", 0),
            (Standing::No, Standing::Yes) => ("can become administrator", 1),
            (Standing::No, Standing::Conditional) => ("may become administrator", 1),
            (Standing::No, Standing::No) => ("no administrator", 2),
        };
        if let Some(count) = counts.get_mut(slot) {
            *count += 1;
        }
        out.push_str(&format!("{}  {} {word}\n", access.address, access.kind));
        for condition in &access.conditions {
            out.push_str(&format!("    if {}\n", redact(condition)));
        }
        if access.admin == Standing::No
            && let Some(path) = &access.path
        {
            for step in &path.steps {
                let actions = if step.actions.is_empty() { String::new() } else { format!(" with {}", step.actions.join(", ")) };
                let at = step.evidence.first().and_then(|item| Place::of(&architecture.sources, item.span));
                let at = at.map_or_else(String::new, |at| format!("  ({})", at.short()));
                out.push_str(&format!("    {} → {}: {}{actions}{at}\n", step.from, step.to, step.technique));
            }
        }
    }
    let [administrators, escalating, others] = counts;
    out.push_str(&format!(
        "\n{} principals: {administrators} administrators, {escalating} that can become one, {others} others\n",
        principals.len()
    ));
    out
}

/// The address of what only one component is called; otherwise what was typed. `/*` behind it stays.
fn address(architecture: &Architecture, typed: &str) -> String {
    let (name, inside) = typed.strip_suffix("/*").map_or((typed, ""), |name| (name, "/*"));
    match pipeline::addresses(architecture, name).as_slice() {
        [only] => format!("{only}{inside}"),
        _ => typed.to_owned(),
    }
}

fn can(architecture: &Architecture, services: &ServiceApis, principal: &str, action: &str, resource: &str) -> anyhow::Result<String> {
    let (principal, resource) = (&address(architecture, principal), &address(architecture, resource));
    let answer = bartizan_review::can(architecture, services, &[Asked { principal, action, resource }], pipeline::today().as_deref());
    let answer = answer.into_iter().next().unwrap_or(Err(Unanswered::Principal)).map_err(|error| match error {
        Unanswered::Principal => anyhow::anyhow!("`{principal}`: {error}; `bartizan access` lists them"),
        Unanswered::Action => anyhow::anyhow!("`{action}`: {error}; write it as `s3:GetObject`"),
        Unanswered::Resource => anyhow::anyhow!("`{resource}`: {error}{}", pipeline::near(architecture, resource)),
    })?;
    let mut out = format!("{}: {principal} {action} on {resource}\n", answer.outcome);
    for line in &answer.reasons {
        let at = line.span.and_then(|span| Place::of(&architecture.sources, span));
        out.push_str(&format!("  {}{}\n", redact(&line.text), at.map_or_else(String::new, |at| format!("  ({})", at.short()))));
    }
    Ok(out)
}
