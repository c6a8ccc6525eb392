//! Upkeep: what is left undone in many places at once, as lists of the system, so that a reader gets one finding with all its places.
//!
//! What the plan does not tell is left out of the lists: nobody is asked about access logs.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Asset, Component, Node, Span, Value};

use super::document::{Document, Statement, patterns, references};
use super::read::{last, texts};
use super::sink::Sink;
use crate::flows::Context;

/// Sets the lists.
pub(super) fn add(context: &Context<'_>, assets: &[Asset], sink: &mut Sink) {
    let receivers = log_receivers(context);
    let are_heard = alarms_are_heard(context);
    let sensitive: BTreeSet<&Address> =
        assets.iter().filter(|asset| asset.classification.confidentiality >= 4).flat_map(|asset| &asset.stored_in).collect();
    for (address, component) in &context.index.architecture.components {
        match component.component_type.as_str() {
            "elb.load_balancer" => {
                let kind = component.text("load_balancer_type");
                // Gateway balancers have no access log, network balancers one for their TLS listeners only.
                // Source: ELB user guides, "Access logs for your Network Load Balancer".
                if matches!(kind.as_deref(), Some("application" | "classic")) {
                    unlogged_entry(context, component, sink);
                }
                if kind.is_some() && kind.as_deref() != Some("classic") && component.flag("enable_deletion_protection") == Some(false) {
                    push(sink, "deletable_balancers", component, "enable_deletion_protection");
                }
            }
            "cloudfront.distribution" | "apigateway.stage" | "apigateway.api_stage" => unlogged_entry(context, component, sink),
            "opensearch.domain" => {
                let logs = component.setting("log_publishing");
                let told = logs.is_none_or(|node| !node.value.is_unknown());
                let published = logs.and_then(|node| node.value.as_list()).unwrap_or_default().iter();
                if told && published.into_iter().all(|log| log.get("enabled").is_some_and(|on| on.value.as_bool() == Some(false))) {
                    push(sink, "unlogged_domains", component, "log_publishing");
                }
            }
            "s3.bucket" => bucket(component, &receivers, &sensitive, sink),
            "kms.key" => key(component, sink),
            "iam.user" | "iam.group" => {
                if let Some(node) = component.setting("inline_policies").filter(|node| !is_empty(node)) {
                    let first = node.value.as_list().and_then(|items| items.first()).map_or(node.span, |item| item.span);
                    sink.push_system("inline_holders", address.as_str(), Some(first));
                }
            }
            "iam.policy" => policy(context, component, sink),
            "cloudwatch.alarm" if !are_heard => alarm(component, sink),
            "terraform.source" => module_source(component, sink),
            _ => {}
        }
    }
    trails(context, sink);
}

/// Pushes a component at the line of a setting where that is written.
fn push(sink: &mut Sink, list: &'static str, component: &Component, setting: &str) {
    let span = component.setting(setting).map(|node| node.span).or(component.span);
    sink.push_system(list, component.address.as_str(), span);
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::List(items) => items.is_empty(),
        Value::Null => true,
        Value::Text(_) | Value::Map(_) | Value::Bool(_) | Value::Number(_) | Value::Unknown(_) => false,
    }
}

fn unlogged_entry(context: &Context<'_>, component: &Component, sink: &mut Sink) {
    // Newer access logs are wired up outside of what they log.
    let delivered = !context.index.follow_back(&component.address, "delivers_from").is_empty();
    if sink.get(&component.address, "logged").is_none() && !delivered {
        push(sink, "unlogged_entries", component, "access_logs");
    }
}

/// Buckets that others write logs to: logs of the reading of logs help nobody.
fn log_receivers(context: &Context<'_>) -> (BTreeSet<Address>, BTreeSet<String>) {
    let mut found = (BTreeSet::new(), BTreeSet::new());
    for component in context.index.architecture.components.values() {
        for node in ["logging_target_bucket", "access_logs_bucket", "logging_bucket"].iter().filter_map(|name| component.setting(name)) {
            for text in texts(node) {
                found.0.extend(references(text));
                found.1.extend(text.known().map(std::borrow::Cow::into_owned));
            }
        }
    }
    found
}

fn bucket(bucket: &Component, receivers: &(BTreeSet<Address>, BTreeSet<String>), sensitive: &BTreeSet<&Address>, sink: &mut Sink) {
    let address = &bucket.address;
    let named = [bucket.name.as_str(), last(address.as_str())].iter().any(|name| is_for_logs(name));
    let receives =
        named || receivers.0.contains(address) || receivers.1.contains(&bucket.name) || sink.get(address, "keeps_traces_of").is_some();
    let traced = sink.get(address, "logged").is_some() || sink.get(address, "data_events_logged").is_some();
    // Of sensitive data another rule tells, and louder.
    if !receives && !traced && !sensitive.contains(address) {
        push(sink, "unlogged_buckets", bucket, "logging_target_bucket");
    }
    let told = bucket.settings.get("policy").is_none_or(|node| !node.value.is_unknown());
    if told && sink.get(address, "denies_cleartext").is_none() {
        sink.push_system("cleartext_buckets", address.as_str(), bucket.span);
    }
}

/// True for a name that says that logs are kept there; who writes them may be another stack.
fn is_for_logs(name: &str) -> bool {
    name.split(|letter: char| !letter.is_ascii_alphanumeric())
        .any(|word| matches!(word.to_ascii_lowercase().as_str(), "log" | "logs" | "logging"))
}

/// Keys that KMS could change by itself and does not.
/// Source: KMS developer guide, "Enable automatic key rotation": symmetric keys with material of KMS; a replica follows its primary.
fn key(key: &Component, sink: &mut Sink) {
    let is = |setting: &str, value: &str| key.text(setting).as_deref() == Some(value);
    let rotatable = is("key_usage", "ENCRYPT_DECRYPT")
        && is("customer_master_key_spec", "SYMMETRIC_DEFAULT")
        && key.settings.get("origin").is_none_or(|node| node.value.is_null())
        && key.settings.get("custom_key_store_id").is_none_or(|node| node.value.is_null())
        && key.flag("is_replica") != Some(true)
        && key.flag("is_enabled") == Some(true);
    if rotatable && key.flag("enable_key_rotation") == Some(false) {
        push(sink, "unrotated_keys", key, "enable_key_rotation");
    }
}

/// What a managed policy gives to whoever it is attached to.
fn policy(context: &Context<'_>, policy: &Component, sink: &mut Sink) {
    for holder in context.index.follow_back(&policy.address, "has_policy") {
        sink.push_text(&policy.address, "held_by", holder.address.as_str(), holder.span);
    }
    // What bounds rights grants none.
    let bounds = !context.index.follow_back(&policy.address, "bounded_by").is_empty();
    let Some(node) = policy.setting("policy").filter(|_| !bounds) else { return };
    let document = Document::read(node);
    let unbound = |statement: &&Statement<'_>| statement.allow && statement.conditions.is_empty() && statement.any_resource();
    for statement in document.statements.iter().filter(unbound) {
        if !statement.not_actions
            && let Some((_, action)) = statement.actions.iter().find(|(action, _)| action == "*" || action == "*:*")
        {
            sink.yes(&policy.address, "allows_everything", Some(action.span));
        } else if statement.covers_action("iam:PassRole") {
            sink.yes(&policy.address, "allows_passing_any", Some(statement.action_node("iam:PassRole").span));
        }
    }
    if !document.complete {
        for name in ["allows_everything", "allows_passing_any"] {
            if sink.get(&policy.address, name).is_none() {
                sink.unknown(&policy.address, name, "its policy is not known", Some(node.span));
            }
        }
    }
}

/// Whether something hears alarms without being named by them: a composite alarm hears others, and a rule on the events of alarms hears all.
fn alarms_are_heard(context: &Context<'_>) -> bool {
    context.index.architecture.components.values().any(|other| match other.component_type.as_str() {
        "cloudwatch.composite_alarm" => true,
        "eventbridge.rule" => other
            .setting("event_pattern")
            .is_some_and(|node| node.at("source").into_iter().flat_map(patterns).any(|source| source == "aws.cloudwatch")),
        _ => false,
    })
}

/// An alarm that tells nobody.
fn alarm(alarm: &Component, sink: &mut Sink) {
    let actions = ["alarm_actions", "ok_actions", "insufficient_data_actions"];
    let silent = actions.iter().all(|name| alarm.setting(name).is_none_or(is_empty));
    if silent || alarm.flag("actions_enabled") == Some(false) {
        push(sink, "silent_alarms", alarm, if silent { "alarm_actions" } else { "actions_enabled" });
    }
}

/// Modules whose code changes without a change of the plan.
fn module_source(source: &Component, sink: &mut Sink) {
    let place = source.setting("source").map(|node| node.span).or(source.span);
    let known = |name: &str| source.settings.get(name).is_none_or(|node| node.value.is_null() || node.value.as_str().is_some());
    if !known("version") || !known("ref") {
        return;
    }
    let floats = match source.text("origin").as_deref() {
        Some("registry") => source.text("version").is_none_or(|version| is_open(&version)),
        Some("git") => source.text("ref").is_none_or(|name| MOVING.contains(&name.as_str())),
        _ => false,
    };
    if floats {
        sink.push_system("floating_modules", source.address.as_str(), place);
    }
}

/// Names that stand for whatever is newest.
const MOVING: &[&str] = &["main", "master", "HEAD", "develop", "dev", "trunk", "latest"];

/// A version constraint without an upper end: `>= 3.0`.
/// Source: Terraform language, "Version constraints".
fn is_open(constraint: &str) -> bool {
    let parts: Vec<&str> = constraint.split(',').map(str::trim).collect();
    parts.iter().all(|part| part.is_empty() || part.starts_with('>') || part.starts_with("!="))
}

/// A component with the place to look at.
type Placed<'a> = (&'a Address, Option<Span>);

/// Trails that record the events of global services twice, and whether any records data events.
fn trails(context: &Context<'_>, sink: &mut Sink) {
    let mut global: BTreeMap<(&str, Option<&str>), Vec<Placed<'_>>> = BTreeMap::new();
    let mut data: Option<(Value, Option<Span>)> = None;
    let components = &context.index.architecture.components;
    let is_on = |trail: &&Component| {
        last(&trail.component_type) == "trail" && trail.service == "cloudtrail" && trail.flag("enable_logging") == Some(true)
    };
    for trail in components.values().filter(is_on) {
        if trail.flag("include_global_service_events") == Some(true) {
            let place = (trail.stack.as_str(), trail.account.as_deref());
            let span = trail.setting("include_global_service_events").map(|node| node.span).or(trail.span);
            global.entry(place).or_default().push((&trail.address, span));
        }
        let found = records_data(trail);
        // One that does is enough, and one of which it is not known may be it.
        let rank = |value: &Value| (value.as_bool() == Some(true), value.is_unknown());
        if data.as_ref().is_none_or(|(best, _)| rank(&found) > rank(best)) {
            data = Some((found, trail.span));
        }
    }
    if let Some((value, span)) = data {
        sink.set_system("data_events", value, span);
    }
    for trails in global.into_values().filter(|trails| trails.len() > 1) {
        for (address, span) in trails {
            sink.push_system("doubled_trails", address.as_str(), span);
        }
    }
}

fn records_data(trail: &Component) -> Value {
    let mut untold = false;
    for setting in ["event_selectors", "advanced_event_selectors"] {
        let Some(node) = trail.setting(setting) else { continue };
        untold |= node.value.is_unknown();
        let resources = node.at("data_resources");
        untold |= resources.iter().any(|resource| resource.value.is_unknown());
        let mut recorded = resources.iter().any(|resource| !is_empty(resource) && !resource.value.is_unknown());
        node.for_each_text(&mut |text, _| recorded |= text.known().as_deref() == Some("Data"));
        if recorded {
            return Value::Bool(true);
        }
    }
    if untold { Value::unresolved("the plan does not tell which events the trail records") } else { Value::Bool(false) }
}
