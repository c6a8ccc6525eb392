//! Alarms: what each component needs, which alarm of the plan covers it, and the Terraform for one that is missing.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Architecture, Component, Node, Relation};

use crate::catalogue::controls::FixParts;
use crate::catalogue::monitoring::{AlarmRule, AlarmText, Threshold};
use crate::expression::Verdict;
use crate::mitigations::code::{self, Extra, Instances, Place};
use crate::threats::{Subject, View};
use crate::{Alarm, Fix};

use super::trail;

/// What an alarm of the plan looks at.
struct Existing<'a> {
    component: &'a Component,
    namespace: Option<String>,
    metrics: BTreeSet<String>,
    /// Components and names that its dimensions point to.
    watched: BTreeSet<&'a Address>,
    names: BTreeSet<String>,
}

/// The alarms that the system needs, those of one component together, in the order of components; then those of the audit trail.
pub(super) fn alarms(view: &View<'_>, dead_letter_targets: &BTreeSet<&Address>) -> Vec<Alarm> {
    let architecture = view.architecture;
    let existing = existing(architecture);
    let mut by_metric: BTreeMap<&str, Vec<&Existing<'_>>> = BTreeMap::new();
    for alarm in &existing {
        for metric in &alarm.metrics {
            by_metric.entry(metric).or_default().push(alarm);
        }
    }
    let topic = topic(architecture);
    let mut by_type: BTreeMap<&str, Vec<&AlarmRule>> = BTreeMap::new();
    for rule in &view.catalogue.monitoring.alarms {
        for component_type in &rule.text.types {
            by_type.entry(component_type).or_default().push(rule);
        }
    }
    let mut out: Vec<Alarm> = Vec::new();
    // Instances of one block share one alarm block.
    let mut done: BTreeSet<(Address, &str)> = BTreeSet::new();
    for component in architecture.components.values() {
        for rule in by_type.get(component.component_type.as_str()).into_iter().flatten() {
            if !needed(view, rule, component, dead_letter_targets) {
                continue;
            }
            let metrics = std::iter::once(&rule.text.metric).chain(&rule.text.alike);
            let mut same_metric = metrics.filter_map(|metric| by_metric.get(metric.as_str())).flatten();
            let covered_by = same_metric.find(|alarm| covers(architecture, alarm, &rule.text, component));
            let covered_by = covered_by.map(|alarm| alarm.component.address.clone());
            let fresh = done.insert((component.address.without_instance_keys(), rule.text.id.as_str()));
            if !fresh && covered_by.is_none() {
                continue;
            }
            let fix = if covered_by.is_none() { fix(architecture, component, &rule.text, topic.as_ref()) } else { None };
            out.push(Alarm {
                component: component.address.clone(),
                signal: format!("{} {}", rule.text.namespace, rule.text.metric),
                condition: rule.text.condition.clone(),
                why: rule.text.why.clone(),
                covered_by,
                fix,
            });
        }
    }
    out.extend(trail::alarms(view, topic.as_ref()));
    out
}

fn needed<'a>(view: &View<'a>, rule: &AlarmRule, component: &'a Component, dead_letter_targets: &BTreeSet<&Address>) -> bool {
    if rule.text.dead_letter.is_some_and(|wanted| wanted != dead_letter_targets.contains(&component.address)) {
        return false;
    }
    // What cannot be told is needed: an alarm too many is cheaper than one too few.
    let given = rule.given.as_ref();
    given.is_none_or(|given| !matches!(given.verdict(&view.scope(Subject::Component(component))), Ok(Verdict::No)))
}

/// The alarms of the plan.
fn existing(architecture: &Architecture) -> Vec<Existing<'_>> {
    let mut watched: BTreeMap<&Address, BTreeSet<&Address>> = BTreeMap::new();
    for link in architecture.links.iter().filter(|link| link.relation == Relation::Watches) {
        watched.entry(&link.from).or_default().insert(&link.to);
    }
    let alarms = architecture.components.values().filter(|component| component.component_type == "cloudwatch.alarm");
    alarms
        .map(|component| {
            let queries = component.setting("metric_query");
            let metrics = component.text("metric_name").into_iter().chain(texts_at(queries, "metric.metric_name")).collect();
            let names = texts_at(component.setting("dimensions"), "*").chain(texts_at(queries, "metric.dimensions.*")).collect();
            Existing {
                component,
                namespace: component.text("namespace"),
                metrics,
                watched: watched.get(&component.address).cloned().unwrap_or_default(),
                names,
            }
        })
        .collect()
}

fn texts_at<'a>(node: Option<&'a Node>, path: &str) -> impl Iterator<Item = String> + use<'a> {
    let nodes = node.map(|node| node.at(path)).unwrap_or_default();
    nodes.into_iter().filter_map(|node| node.value.as_str().map(std::borrow::Cow::into_owned))
}

/// Whether an alarm of the plan on the same metric looks at the component.
fn covers(architecture: &Architecture, alarm: &Existing<'_>, wanted: &AlarmText, component: &Component) -> bool {
    let namespace = alarm.namespace.as_ref().is_none_or(|namespace| *namespace == wanted.namespace);
    let named = || !alarm.names.is_empty() && code::known_name(architecture, component).is_some_and(|name| alarm.names.contains(&name));
    namespace && (alarm.watched.contains(&component.address) || named())
}

/// The topic that most alarms of the plan notify.
fn topic(architecture: &Architecture) -> Option<Place> {
    let mut uses: BTreeMap<&Address, usize> = BTreeMap::new();
    for link in &architecture.links {
        if matches!(&link.relation, Relation::Other(word) if word == "alarms_to") {
            *uses.entry(&link.to).or_default() += 1;
        }
    }
    // Of equals the first by address.
    let (address, _) = uses.into_iter().rev().max_by_key(|(_, count)| *count)?;
    let component = architecture.component(address).filter(|component| component.component_type == "sns.topic")?;
    Place::of(component).filter(|place| place.module.is_empty() && place.instances == Instances::One)
}

/// The topic as HCL, as far as it can be named where the alarm goes.
pub(super) fn topic_expression(topic: Option<&Place>, place: &Place) -> String {
    match topic {
        Some(topic) if place.module.is_empty() => format!("{}.arn", topic.block()),
        _ => "\"<ARN of the topic that wakes someone>\"".to_owned(),
    }
}

fn fix(architecture: &Architecture, component: &Component, alarm: &AlarmText, topic: Option<&Place>) -> Option<Fix> {
    let place = Place::of(component)?;
    let statistic = if alarm.statistic.starts_with('p') { "extended_statistic" } else { "statistic" };
    let attributes: Vec<(&str, String)> = vec![
        ("alarm_name", format!("\"{{slug}}-{}{{instance}}\"", alarm.id)),
        ("alarm_description", quoted(&alarm.why)),
        ("namespace", quoted(&alarm.namespace)),
        ("metric_name", quoted(&alarm.metric)),
        (statistic, quoted(&alarm.statistic)),
        ("period", alarm.period.to_string()),
        ("evaluation_periods", alarm.evaluation_periods.to_string()),
        ("comparison_operator", quoted(&alarm.comparison)),
        ("threshold", threshold(component, &alarm.threshold)),
        ("treat_missing_data", quoted("notBreaching")),
        ("alarm_actions", format!("[{}]", topic_expression(topic, &place))),
    ];
    let mut template = format!("resource \"aws_cloudwatch_metric_alarm\" \"{{label}}_{}\" {{\n", alarm.id.replace('-', "_"));
    let width = attributes.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in &attributes {
        template.push_str(&format!("  {name:width$} = {value}\n"));
    }
    template.push_str("  dimensions = {\n");
    for (name, value) in &alarm.dimensions {
        let name = if name.contains(' ') { quoted(name) } else { name.clone() };
        template.push_str(&format!("    {name} = {value}\n"));
    }
    template.push_str("  }\n}\n");
    code::fix(architecture, component, "hcl", &FixParts { within: None, beside: Some(template) }, &[], &Extra::default())
}

/// A text as an HCL string; the catalogue's texts hold no templates.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn threshold(component: &Component, threshold: &Threshold) -> String {
    match threshold {
        Threshold::Number(number) => number.to_string(),
        Threshold::OfSetting(part) => {
            let known = component.setting(&part.of).and_then(|node| node.value.as_number()).filter(|number| *number > 0.0);
            let number = known.map(|number| number * part.times).or(part.or);
            number.map_or_else(|| format!("\"<{} times {}>\"", part.times, part.of), |number| number.to_string())
        }
    }
}
