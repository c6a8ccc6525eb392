//! Runbooks: one per threat category that occurs, with this system's names in the commands.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Component, Relation};

use crate::threats::View;
use crate::{Alarm, Category, Policy, Runbook, Status, Threat};

use super::template::{Setting, render};

/// Threats and alarms that a runbook lists before it counts the rest.
const MAX_LISTED: usize = 8;

pub(super) fn runbooks(view: &View<'_>, threats: &[Threat], alarms: &[Alarm], policy: &Policy) -> Vec<Runbook> {
    Category::ALL
        .into_iter()
        .filter_map(|category| {
            let of_category: Vec<&Threat> =
                threats.iter().filter(|threat| threat.category == category && threat.status != Status::Question).collect();
            let template = view.catalogue.documents.get(&format!("runbooks/{}.md", category.id()))?;
            if of_category.is_empty() {
                return None;
            }
            let (title, body) = title(template);
            let setting = Setting {
                architecture: view.architecture,
                concerned: concerned(view, &of_category),
                values: vec![
                    ("region", shared(view, policy, "region", |component| component.region.as_deref())),
                    ("account", shared(view, policy, "account", |component| component.account.as_deref())),
                    ("threats", threat_list(&of_category)),
                    ("alarms", alarm_list(alarms, &of_category)),
                ],
            };
            // A mistake in a template is found by the catalogue's own tests; a reader gets the text as it is.
            let body = render(body, &setting).unwrap_or_else(|_| body.to_owned());
            Some(Runbook { category: category.id().to_owned(), title: title.to_owned(), body })
        })
        .collect()
}

/// The first line is the title.
fn title(template: &str) -> (&str, &str) {
    let (first, rest) = template.split_once('\n').unwrap_or((template, ""));
    (first.trim_start_matches('#').trim(), rest.trim_start())
}

/// What the threats concern, worst first, then what is joined to it and changed to contain it: its role, group, key, cluster.
fn concerned<'a>(view: &View<'a>, threats: &[&Threat]) -> Vec<&'a Component> {
    let targets = || threats.iter().flat_map(|threat| &threat.targets);
    let contains =
        |relation: &Relation| matches!(relation, Relation::RunsAs | Relation::GuardedBy | Relation::EncryptedWith | Relation::PartOf);
    let joined =
        targets().flat_map(|target| view.architecture.links_from(target).filter(|link| contains(&link.relation)).map(|link| &link.to));
    let mut seen: BTreeSet<&Address> = BTreeSet::new();
    let components = targets().chain(joined).filter_map(|address| view.architecture.component(address));
    components.filter(|component| seen.insert(&component.address)).collect()
}

/// A value that the system shares: the policy's, else what most of the plan says, else a placeholder.
fn shared(view: &View<'_>, policy: &Policy, name: &str, of: impl Fn(&Component) -> Option<&str>) -> String {
    if let Some(value) = policy.placeholders.get(name) {
        return value.clone();
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for value in view.architecture.components.values().filter_map(of) {
        *counts.entry(value).or_default() += 1;
    }
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or_else(|| format!("<{name}>"), |(value, _)| value.to_owned())
}

fn threat_list(threats: &[&Threat]) -> String {
    let mut out = String::new();
    for threat in threats.iter().take(MAX_LISTED) {
        out.push_str(&format!("- **{}** `{}`: {}\n", threat.severity.id(), threat.id, threat.message));
    }
    if threats.len() > MAX_LISTED {
        out.push_str(&format!("- and {} more\n", threats.len() - MAX_LISTED));
    }
    out
}

/// The alarms on what the threats concern: those that are there, then those that are missing.
fn alarm_list(alarms: &[Alarm], threats: &[&Threat]) -> String {
    let targets: BTreeSet<&Address> = threats.iter().flat_map(|threat| &threat.targets).collect();
    let mut there = Vec::new();
    let mut missing = Vec::new();
    for alarm in alarms.iter().filter(|alarm| targets.contains(&alarm.component)) {
        match &alarm.covered_by {
            Some(by) => there.push(format!("- `{by}`: {} of `{}`\n", alarm.signal, alarm.component)),
            None => missing.push(format!("- not set up: {} of `{}`, {}\n", alarm.signal, alarm.component, alarm.condition)),
        }
    }
    let mut out = String::new();
    for (lines, what) in [(there, "more"), (missing, "more that are not set up")] {
        let n = lines.len();
        out.extend(lines.into_iter().take(MAX_LISTED));
        if n > MAX_LISTED {
            out.push_str(&format!("- and {} {what}\n", n - MAX_LISTED));
        }
    }
    if out.is_empty() { "- none on these components\n".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn the_first_line_is_the_title() {
        assert_eq!(title("# Data leaves\n\nText\n"), ("Data leaves", "Text\n"));
    }
}
