//! `bartizan access`: who holds what, and whether one right is granted.

use bartizan_model::Architecture;
use bartizan_report::{Place, folder, json, redact};
use bartizan_review::{Access, Asked, Policy, ServiceApis, Standing};

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

fn can(architecture: &Architecture, services: &ServiceApis, principal: &str, action: &str, resource: &str) -> anyhow::Result<String> {
    let asked = Asked { principal, action, resource };
    let answer = bartizan_review::can(architecture, services, &[asked], pipeline::today().as_deref())
        .pop()
        .flatten()
        .ok_or_else(|| anyhow::anyhow!("there is no user, role or group `{principal}` in the plan; `bartizan access` lists them"))?;
    let mut out = format!("{}: {principal} {action} on {resource}\n", answer.outcome);
    for line in &answer.reasons {
        let at = line.span.and_then(|span| Place::of(&architecture.sources, span));
        out.push_str(&format!("  {}{}\n", redact(&line.text), at.map_or_else(String::new, |at| format!("  ({})", at.short()))));
    }
    Ok(out)
}
