//! Facts of the system as a whole: trails, detection, budgets, environments.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Component, Node, Span, Value};

use super::actions::TRAIL_STOPPING;
use super::document::{Document, patterns};
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
            }
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
    recorded(context, sink);
    watched_over(context, sink);
    stoppers(context, sink);
    environments(context, sink);
    root(context, sink);
}

/// Whether root users can do anything by themselves: credentials removed centrally, or a policy that denies them everything.
/// Source: IAM user guide, "Centrally manage root access for member accounts".
fn root(context: &Context<'_>, sink: &mut Sink) {
    let features = of_types(context, &["iam.organizations_features"]);
    let central = features.iter().filter_map(|component| component.setting("enabled_features"));
    let mut untold = None;
    for node in central {
        if patterns(node).iter().any(|feature| feature == "RootCredentialsManagement") {
            sink.set_system("root_guarded", Value::Bool(true), Some(node.span));
            return;
        }
        if node.value.is_unknown() {
            untold = Some(node.span);
        }
    }
    for content in of_types(context, &["organizations.policy"]).iter().filter_map(|policy| policy.setting("content")) {
        let document = Document::read(content);
        let denied = document.statements.iter().find(|statement| {
            !statement.allow
                && statement.covers_action("iam:CreateUser")
                && statement.conditions.iter().any(|condition| {
                    condition.key == "aws:principalarn" && patterns(condition.values).iter().any(|arn| arn.ends_with(":root"))
                })
        });
        if let Some(statement) = denied {
            sink.set_system("root_guarded", Value::Bool(true), Some(statement.node.span));
            return;
        }
        if !document.complete {
            untold = Some(content.span);
        }
    }
    match (untold, of_types(context, &["organizations.organization"]).first()) {
        (Some(span), _) => {
            sink.set_system("root_guarded", Value::unresolved("a part of the organisation's settings is not known"), Some(span));
        }
        (None, Some(organization)) => sink.set_system("root_guarded", Value::Bool(false), organization.span),
        (None, None) => {
            let why = "the organisation is not in the plan, so it does not tell who holds the root users";
            sink.set_system("root_guarded", Value::unresolved(why), None);
        }
    }
}

/// Whether a trail records all regions. A plan without a trail says nothing about the account's: another stack or the organisation may have one.
fn recorded(context: &Context<'_>, sink: &mut Sink) {
    let trails = of_types(context, &["cloudtrail.trail"]);
    let states: Vec<(Option<bool>, Option<Span>)> = trails
        .iter()
        .map(|trail| {
            if state(trail, "enable_logging", true) == Some(false) {
                return (Some(false), at(trail, "enable_logging"));
            }
            (state(trail, "is_multi_region_trail", false), at(trail, "is_multi_region_trail"))
        })
        .collect();
    best("multi_region_trail", &states, "no trail is in the plan; another stack or the organisation may have one", sink);
}

/// Whether GuardDuty is on. A plan without a detector says nothing about the account's.
fn watched_over(context: &Context<'_>, sink: &mut Sink) {
    let states: Vec<(Option<bool>, Option<Span>)> = of_types(context, &["guardduty.detector", "guardduty.organization_configuration"])
        .iter()
        .map(|component| (state(component, "enable", true), at(component, "enable")))
        .collect();
    best("guardduty", &states, "no detector is in the plan; another stack or the organisation may have one", sink);
}

fn of_types<'a>(context: &Context<'a>, types: &[&str]) -> Vec<&'a Component> {
    context.index.architecture.components.values().filter(|component| types.contains(&component.component_type.as_str())).collect()
}

/// A switch: none where the plan does not tell.
fn state(component: &Component, setting: &str, otherwise: bool) -> Option<bool> {
    match component.setting(setting) {
        None => Some(otherwise),
        Some(node) if node.value.is_null() => Some(otherwise),
        Some(node) => node.value.as_bool(),
    }
}

fn at(component: &Component, setting: &str) -> Option<Span> {
    component.setting(setting).filter(|node| !node.value.is_null()).map(|node| node.span).or(component.span)
}

/// The best of several switches: one that is on decides, then one that cannot be told.
fn best(name: &'static str, states: &[(Option<bool>, Option<Span>)], missing: &str, sink: &mut Sink) {
    let found = |wanted: Option<bool>| states.iter().find(|(state, _)| *state == wanted);
    if let Some((_, span)) = found(Some(true)) {
        sink.set_system(name, Value::Bool(true), *span);
    } else if let Some((_, span)) = found(None) {
        sink.set_system(name, Value::unresolved("the plan does not tell whether it is on"), *span);
    } else if let Some((_, span)) = found(Some(false)) {
        sink.set_system(name, Value::Bool(false), *span);
    } else {
        sink.set_system(name, Value::unresolved(missing), None);
    }
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

/// Environments with where each is named.
type Found = BTreeMap<&'static str, Option<Span>>;

/// Environments beside production in one account or one stack, from tags and names.
///
/// One stack is applied with one set of credentials for each account that it names. Stacks of several environments that name no account may
/// lie in one or in several, so what they say together is not known.
fn environments(context: &Context<'_>, sink: &mut Sink) {
    let mut by_place: BTreeMap<(&str, Option<&str>), Found> = BTreeMap::new();
    let mut by_account: BTreeMap<&str, Found> = BTreeMap::new();
    let mut unnamed = Found::new();
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
        if words.is_empty() && matches!(last(&component.component_type), "vpc" | "cluster") {
            words.extend(environment(&component.name));
        }
        for word in words {
            by_place.entry((&component.stack, component.account.as_deref())).or_default().entry(word).or_insert(span);
            match component.account.as_deref() {
                Some(account) => by_account.entry(account).or_default().entry(word).or_insert(span),
                None => unnamed.entry(word).or_insert(span),
            };
        }
    }
    let mixed = |found: &&Found| found.len() > 1 && found.contains_key("production");
    let mut told = false;
    for found in by_place.values().chain(by_account.values()).filter(mixed) {
        told = true;
        for (name, span) in found {
            sink.push_system("environments", name, *span);
        }
    }
    if !told && mixed(&&unnamed) {
        let span = unnamed.get("production").copied().flatten();
        sink.set_system("environments", Value::unresolved("the stacks of several environments do not name their accounts"), span);
    }
}

fn environment(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    words.find_map(|word| ENVIRONMENTS.iter().find(|(known, _)| *known == word).map(|(_, name)| *name))
}
