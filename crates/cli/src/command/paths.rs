//! `bartizan paths`: attack paths over network and permissions.

use bartizan_model::{Address, Architecture};
use bartizan_report::{Place, folder, json, percent, redact};
use bartizan_review::{Attack, AttackPath, Cut, Evidence, Goal, Policy};

use crate::args::{ListFormat, Paths};
use crate::exit::Outcome;
use crate::{pipeline, terminal};

pub(super) fn run(arguments: &Paths) -> anyhow::Result<Outcome> {
    let every_right = arguments.format == ListFormat::Json;
    let policy = Policy { today: pipeline::today(), every_right, ..Policy::default() };
    let (architecture, attack, _) = pipeline::attack(&arguments.input, &policy)?;
    terminal::diagnostics(&architecture, &[])?;
    let found = match (&arguments.from, &arguments.to) {
        (None, None) => attack.of_review(&architecture.assets).0,
        (from, to) => {
            let from = from.as_deref().map(|name| start(&architecture, &attack, name)).transpose()?;
            attack.paths(from.as_deref(), &goal(&architecture, to.as_deref())?)
        }
    };
    let content = match arguments.format {
        ListFormat::Json => folder::pretty(&json::v1::paths(&architecture, &attack, &found)),
        ListFormat::Text => text(&architecture, &attack, &found).into_bytes(),
    };
    pipeline::write(&content, arguments.output.as_deref())?;
    Ok(Outcome::Clean)
}

/// What the user wants a path to.
fn goal(architecture: &Architecture, to: Option<&str>) -> anyhow::Result<Goal> {
    match to {
        None => Ok(Goal::Worth(architecture.assets.clone())),
        Some("admin") => Ok(Goal::Admin),
        Some(name) => match name.strip_prefix("data:") {
            Some(class) => {
                let stores: Vec<Address> = architecture
                    .assets
                    .iter()
                    .filter(|asset| asset.name == class)
                    .flat_map(|asset| asset.stored_in.iter().cloned())
                    .collect();
                let known: Vec<String> = architecture.assets.iter().map(|asset| format!("`{}`", asset.name)).collect();
                anyhow::ensure!(!stores.is_empty(), "there is no data `{class}` in the plan; it has {}", known.join(", "));
                Ok(Goal::Components(stores))
            }
            None => {
                let found = pipeline::addresses(architecture, name);
                anyhow::ensure!(!found.is_empty(), "there is no component `{name}` in the plan{}", pipeline::near(architecture, name));
                Ok(Goal::Components(found))
            }
        },
    }
}

/// Where a path starts: an entry or a component by its address, ARN or name.
fn start(architecture: &Architecture, attack: &Attack, name: &str) -> anyhow::Result<String> {
    // Somebody of whom the plan says nothing may well be asked about: nothing lets them in.
    if name.starts_with("arn:") {
        return Ok(name.to_owned());
    }
    let named = pipeline::addresses(architecture, name).into_iter().map(|address| address.to_string());
    let found = std::iter::once(name.to_owned()).chain(named).find(|name| attack.starts(name));
    found.ok_or_else(|| match pipeline::addresses(architecture, name).first() {
        Some(address) => anyhow::anyhow!("no path starts at `{address}`: it is no principal, runs no code and lets nobody in"),
        None => anyhow::anyhow!("there is no component and no entry `{name}`{}", pipeline::near(architecture, name)),
    })
}

fn text(architecture: &Architecture, attack: &Attack, paths: &[AttackPath]) -> String {
    if paths.is_empty() {
        return "no attack path\n".to_owned();
    }
    let mut out = String::new();
    for path in paths {
        self::path(&mut out, architecture, attack, path);
    }
    out.push_str(&format!("{} attack path{}\n", paths.len(), if paths.len() == 1 { "" } else { "s" }));
    out
}

/// One path.
fn path(out: &mut String, architecture: &Architecture, attack: &Attack, path: &AttackPath) {
    let operation = path.operation.map_or_else(String::new, |operation| format!(" ({operation})"));
    out.push_str(&format!("{} → {}{operation}   about {} of those who try   {}\n", path.from, path.to, percent(path.likelihood), path.id));
    for (step, number) in path.steps.iter().zip(1..) {
        let assumed = if step.assumption { " (assumed, the plan shows no such flaw)" } else { "" };
        let title = attack.title(&step.technique);
        out.push_str(&format!("  {number}. {} → {}\n       {title}{assumed}   {}\n", step.from, step.to, step.technique));
        if !step.actions.is_empty() {
            out.push_str(&format!("       with {}\n", step.actions.join(", ")));
        }
        for condition in &step.conditions {
            out.push_str(&format!("       if {}\n", redact(condition)));
        }
        for item in &step.evidence {
            out.push_str(&format!("       {}\n", shown(architecture, item)));
        }
    }
    path.cuts.iter().for_each(|cut| self::cut(out, architecture, cut));
    out.push('\n');
}

/// A change that would end a path.
pub(super) fn cut(out: &mut String, architecture: &Architecture, cut: &Cut) {
    let also = match cut.also_ends.len() {
        0 => String::new(),
        1 => " and 1 more path".to_owned(),
        n => format!(" and {n} more paths"),
    };
    let at = cut.evidence.first().and_then(|item| Place::of(&architecture.sources, item.span));
    let left = if cut.likelihood > 0.0 { format!("leaves {}", percent(cut.likelihood)) } else { format!("ends it{also}") };
    let at = at.map_or_else(String::new, |at| format!("  {}", at.short()));
    out.push_str(&format!("  {left} without this: {}{at}\n", redact(&cut.text)));
}

fn shown(architecture: &Architecture, item: &Evidence) -> String {
    let place = Place::of(&architecture.sources, item.span).map_or_else(String::new, |place| format!("{}: ", place.short()));
    format!("{place}{}", redact(&item.text))
}
