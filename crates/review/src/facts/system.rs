//! Facts of the system as a whole: trails, detection, budgets, environments.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Component, Node, Span, Value};

use super::actions::TRAIL_STOPPING;
use super::document::patterns;
use super::read::last;
use super::sink::Sink;
use crate::flows::Context;

/// Sets the facts of the system.
pub(super) fn add(context: &Context<'_>, sink: &mut Sink) {
    let components = &context.index.architecture.components;
    for component in components.values() {
        match component.component_type.as_str() {
            "cloudtrail.trail" if component.flag("enable_logging") != Some(false) => {
                sink.push_system("trails", component.address.as_str(), component.span);
                if component.flag("is_multi_region_trail") == Some(true) {
                    sink.set_system(
                        "multi_region_trail",
                        Value::Bool(true),
                        component.setting("is_multi_region_trail").map(|node| node.span),
                    );
                }
            }
            "guardduty.detector" if component.flag("enable") != Some(false) => yes("guardduty", component, sink),
            "guardduty.organization_configuration" => yes("guardduty", component, sink),
            "config.recorder" if component.flag("enabled") != Some(false) => yes("config_recorder", component, sink),
            "securityhub.account" => yes("security_hub", component, sink),
            "iam.account_password_policy" => yes("password_policy", component, sink),
            "organizations.policy" if component.text("policy_type").as_deref() != Some("TAG_POLICY") => {
                sink.push_system("scps", component.address.as_str(), component.span);
            }
            "backup.plan" => sink.push_system("backup_plans", component.address.as_str(), component.span),
            "s3.account_public_access_block" => {
                let all = ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"];
                if all.iter().all(|name| component.flag(name) == Some(true)) {
                    yes("account_public_access_block", component, sink);
                }
            }
            "budgets.budget" | "budgets.anomaly_subscription" => {
                let told = ["notifications", "subscribers"].iter().any(|name| component.setting(name).is_some_and(filled));
                if told || !context.index.follow(&component.address, "alarms_to").is_empty() {
                    yes("budget_alarm", component, sink);
                }
            }
            "cloudwatch.alarm" if component.text("metric_name").as_deref() == Some("EstimatedCharges") => {
                yes("budget_alarm", component, sink)
            }
            "eventbridge.rule" => findings(component, sink),
            kind if kind.ends_with("access_analyzer") || kind.ends_with(".analyzer") => yes("access_analyzer", component, sink),
            _ => {}
        }
        if matches!(component.component_type.as_str(), "cloudwatch.alarm" | "cloudwatch.composite_alarm") {
            for target in context.index.follow(&component.address, "alarms_to") {
                sink.push_system("alarm_targets", target.address.as_str(), component.span);
            }
        }
    }
    stoppers(context, sink);
    environments(context, sink);
}

fn yes(name: &'static str, component: &Component, sink: &mut Sink) {
    sink.set_system(name, Value::Bool(true), component.span);
}

fn filled(node: &Node) -> bool {
    match &node.value {
        Value::List(items) => !items.is_empty(),
        Value::Null | Value::Unknown(_) => false,
        Value::Text(_) | Value::Map(_) | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// A rule on the events of a detective service.
fn findings(rule: &Component, sink: &mut Sink) {
    let Some(node) = rule.setting("event_pattern") else { return };
    let sources: Vec<String> = node.at("source").into_iter().flat_map(patterns).collect();
    if sources.iter().any(|source| {
        matches!(source.as_str(), "aws.guardduty" | "aws.securityhub" | "aws.inspector2" | "aws.macie" | "aws.access-analyzer")
    }) {
        sink.set_system("findings_routed", Value::Bool(true), Some(node.span));
    }
}

/// Principals that may stop a trail.
fn stoppers(context: &Context<'_>, sink: &mut Sink) {
    for (address, holder) in &context.permissions {
        for (statement, _) in holder.statements.iter().filter(|(statement, _)| statement.allow) {
            if let Some(action) = TRAIL_STOPPING.iter().find(|action| statement.covers_action(action)) {
                let denied =
                    holder.statements.iter().any(|(other, _)| !other.allow && other.conditions.is_empty() && other.covers_action(action));
                if !denied {
                    sink.push_system("trail_stoppers", address.as_str(), Some(statement.action_node(action).span));
                }
            }
        }
        for (name, node) in &holder.managed {
            if matches!(name.as_str(), "AdministratorAccess" | "PowerUserAccess") {
                sink.push_system("trail_stoppers", address.as_str(), Some(node.span));
            }
        }
    }
}

/// Words that name an environment, with the name they stand for.
const ENVIRONMENTS: &[(&str, &str)] = &[
    ("production", "production"),
    ("prod", "production"),
    ("prd", "production"),
    ("live", "production"),
    ("staging", "staging"),
    ("stage", "staging"),
    ("stg", "staging"),
    ("uat", "staging"),
    ("preprod", "staging"),
    ("development", "development"),
    ("dev", "development"),
    ("test", "test"),
    ("qa", "test"),
    ("sandbox", "development"),
    ("integration", "test"),
];

/// Environments of one account, from tags and names.
fn environments(context: &Context<'_>, sink: &mut Sink) {
    let mut by_account: BTreeMap<Option<&str>, BTreeMap<&'static str, Option<Span>>> = BTreeMap::new();
    for component in context.index.architecture.components.values() {
        if component.component_type.starts_with("external.") || component.service == "kubernetes" {
            continue;
        }
        let mut words: BTreeSet<&'static str> = BTreeSet::new();
        let mut span = component.span;
        for (key, node) in &component.tags {
            if matches!(key.to_ascii_lowercase().as_str(), "environment" | "env" | "stage" | "tier")
                && let Some(value) = node.value.as_str()
            {
                words.extend(environment(&value));
                span = Some(node.span);
            }
        }
        if words.is_empty() && matches!(last(&component.component_type), "vpc" | "cluster" | "bucket" | "instance" | "table") {
            words.extend(environment(&component.name));
        }
        let account = by_account.entry(component.account.as_deref()).or_default();
        for word in words {
            account.entry(word).or_insert(span);
        }
    }
    for found in by_account.values().filter(|found| found.len() > 1) {
        for (name, span) in found {
            sink.push_system("environments", name, *span);
        }
    }
}

fn environment(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    words.find_map(|word| ENVIRONMENTS.iter().find(|(known, _)| *known == word).map(|(_, name)| *name))
}
