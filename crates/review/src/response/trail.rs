//! Events of the audit trail that someone should hear of: metric filters over its log group.

use std::collections::BTreeSet;

use bartizan_model::{Architecture, Component};

use crate::catalogue::controls::FixParts;
use crate::catalogue::monitoring::TrailAlarm;
use crate::mitigations::code::{self, Extra, Place};
use crate::threats::View;
use crate::{Alarm, Fix};

use super::alarms::{quoted, topic_expression};

/// What the trail should wake someone for. Without a trail there is nothing to filter; that is a threat of its own.
pub(super) fn alarms(view: &View<'_>, topic: Option<&Place>) -> Vec<Alarm> {
    let components = || view.architecture.components.values();
    let Some(trail) = components().find(|component| component.component_type == "cloudtrail.trail") else { return Vec::new() };
    let groups = components().filter(|component| component.component_type == "cloudwatch.log_group");
    let patterns: Vec<(String, &Component)> =
        groups.flat_map(|group| patterns(group).into_iter().map(move |pattern| (pattern, group))).collect();
    let types: BTreeSet<&str> = components().map(|component| component.component_type.as_str()).collect();
    let wanted = view.catalogue.monitoring.trail.iter();
    wanted
        .filter(|wanted| wanted.needs.is_empty() || wanted.needs.iter().any(|needed| types.contains(needed.as_str())))
        .map(|wanted| {
            let marks = marks(&wanted.pattern);
            let covers = |pattern: &str| marks.iter().any(|mark| pattern.contains(mark.as_str()));
            let covered_by = patterns.iter().find(|(pattern, _)| covers(pattern)).map(|(_, group)| group.address.clone());
            Alarm {
                component: trail.address.clone(),
                signal: match &wanted.standard {
                    Some(standard) => format!("CloudTrail {} ({standard})", wanted.id),
                    None => format!("CloudTrail {}", wanted.id),
                },
                condition: wanted.condition.clone(),
                why: wanted.why.clone(),
                fix: if covered_by.is_none() { fix(view.architecture, trail, wanted, topic) } else { None },
                covered_by,
            }
        })
        .collect()
}

/// Filter patterns of a log group, however the source nests them.
fn patterns(group: &Component) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(filters) = group.setting("metric_filters") {
        filters.for_each_text(&mut |text, _| out.extend(text.known().map(std::borrow::Cow::into_owned)));
    }
    out
}

/// What another pattern of the same meaning holds too: names of events or fields that only this one tests.
fn marks(pattern: &str) -> Vec<String> {
    for field in ["MFAUsed", "Failed authentication", "UnauthorizedOperation"] {
        if pattern.contains(field) {
            return vec![field.to_owned()];
        }
    }
    if pattern.contains("\"Root\"") {
        return vec!["\"Root\"".to_owned(), "= Root".to_owned()];
    }
    let quoted = pattern.split('"').skip(1).step_by(2);
    quoted.filter(|word| word.len() > 6 && word.chars().all(|c| c.is_ascii_alphanumeric())).map(str::to_owned).collect()
}

fn fix(architecture: &Architecture, trail: &Component, wanted: &TrailAlarm, topic: Option<&Place>) -> Option<Fix> {
    let place = Place::of(trail)?;
    let name = wanted.id.replace('-', "_");
    let id = quoted(&wanted.id);
    let (pattern, why) = (quoted(&wanted.pattern), quoted(&wanted.why));
    let group = group(trail);
    let topic = topic_expression(topic, &place);
    let template = format!(
        r#"resource "aws_cloudwatch_log_metric_filter" "{name}" {{
  name           = {id}
  log_group_name = {group}
  pattern        = {pattern}
  metric_transformation {{
    name      = {id}
    namespace = "trail"
    value     = "1"
  }}
}}

resource "aws_cloudwatch_metric_alarm" "{name}" {{
  alarm_name          = {id}
  alarm_description   = {why}
  namespace           = "trail"
  metric_name         = {id}
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [{topic}]
}}
"#
    );
    code::fix(architecture, trail, "hcl", &FixParts { within: None, beside: Some(template) }, &[], &Extra::default())
}

/// The trail's log group as HCL.
fn group(trail: &Component) -> String {
    let text = trail.setting("cloud_watch_logs_group_arn").and_then(|node| node.value.as_text());
    let reference = text.and_then(|text| text.references().next());
    let address = reference.and_then(|(address, _)| address.find("aws_cloudwatch_log_group.").and_then(|at| address.get(at..)));
    address.map_or_else(|| quoted("<log group that the trail writes to>"), |address| format!("{address}.name"))
}

#[cfg(test)]
mod tests {
    use super::marks;

    #[test]
    fn patterns_are_known_by_what_only_they_test() {
        assert_eq!(marks(r#"{ ($.eventName = "StopLogging") || ($.eventName = "DeleteTrail") }"#), ["StopLogging", "DeleteTrail"]);
        assert_eq!(marks(r#"{($.eventName="ConsoleLogin") && ($.additionalEventData.MFAUsed!="Yes")}"#), ["MFAUsed"]);
        assert_eq!(marks(r#"{$.userIdentity.type="Root"}"#), ["\"Root\"", "= Root"]);
    }
}
