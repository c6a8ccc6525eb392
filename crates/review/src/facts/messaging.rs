//! Facts about messages and the code they start: where mappings read from, who loses failed events, entries without a limit,
//! layers and packages that others can change, what steers a workflow.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Component, Flow, Kind, Node, Span, Value, is_account_id};

use super::sink::Sink;
use crate::facts::document::pattern;
use crate::flows::set::FlowSet;
use crate::flows::{Context, Entities, is_active, is_untrusted};

/// Accounts from which AWS itself publishes layers.
/// Source: Powertools for AWS Lambda, Lambda Insights, AWS Distro for OpenTelemetry and AWS SDK for pandas documentation, lists of layer ARNs.
const AWS_LAYERS: &[&str] = &["017000801446", "094274105915", "580247275435", "615299751070", "901920570463", "336392948345"];

/// Sets the facts; those of callers (`rate_limited`, `event_loop`, `writers`) must be set before.
pub(super) fn add(context: &Context<'_>, set: &FlowSet, entities: &Entities, sink: &mut Sink) {
    let own: BTreeSet<&str> = context.index.architecture.components.values().filter_map(|component| component.account.as_deref()).collect();
    let mut flows = Flows::default();
    for flow in set.values() {
        for span in flow.why.iter().filter_map(|reason| reason.span) {
            flows.because.entry(span).or_default().push(flow);
        }
        if is_active(flow) {
            flows.into.entry(&flow.to).or_default().push(flow);
        }
    }
    for (address, component) in &context.index.architecture.components {
        match component.component_type.as_str() {
            "lambda.event_source_mapping" => source(context, &flows, component, sink),
            "lambda.function" => {
                asynchronous(context, &flows, address, sink);
                layers(component, &own, sink);
                code(context, address, sink);
                unguarded(context, address, sink);
            }
            "glue.job" => code(context, address, sink),
            "sns.topic" => subscribers(context, address, sink),
            "stepfunctions.state_machine" => workflow(component, sink),
            _ => {}
        }
        for failing in context.index.follow_back(address, "dead_letters_to") {
            sink.push_text(address, "dead_letters_of", failing.address.as_str(), failing.span);
        }
        stored(component, sink);
    }
    entries(context, set, &flows, entities, sink);
}

/// Flows by what is asked of them for each component.
#[derive(Default)]
struct Flows<'a> {
    /// Active ones by where they end.
    into: BTreeMap<&'a Address, Vec<&'a Flow>>,
    /// All by the places that say so.
    because: BTreeMap<Span, Vec<&'a Flow>>,
}

/// The type of what a mapping reads from, by the flow into its function or by the service that the ARN names.
fn source(context: &Context<'_>, flows: &Flows<'_>, mapping: &Component, sink: &mut Sink) {
    let Some(node) = mapping.setting("event_source_arn") else { return };
    let mut found = BTreeSet::new();
    node.for_each_text(&mut |text, _| {
        for (address, _) in text.references() {
            if let Some(component) = context.index.component(&Address::new(address)) {
                found.insert(component.component_type.clone());
            }
        }
        let literal = pattern(text);
        let service = literal.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(1));
        found.extend(match service {
            Some("kinesis") => Some("kinesis.stream".to_owned()),
            Some("dynamodb") => Some("dynamodb.table".to_owned()),
            Some("sqs") => Some("sqs.queue".to_owned()),
            Some("kafka") => Some("msk.cluster".to_owned()),
            _ => None,
        });
    });
    // A module's output or a local stands between: the flow that this mapping made still says it.
    if found.is_empty() {
        for flow in flows.because.get(&node.span).into_iter().flatten() {
            found.extend(context.index.component(&flow.from).map(|from| from.component_type.clone()));
        }
    }
    for kind in found {
        sink.push_text(&mapping.address, "reads_from", &kind, Some(node.span));
    }
}

/// What calls a function without waiting for its answer: notifications of buckets, topics and rules on events.
fn asynchronous(context: &Context<'_>, flows: &Flows<'_>, address: &Address, sink: &mut Sink) {
    for flow in flows.into.get(address).into_iter().flatten() {
        let Some(from) = context.index.component(&flow.from) else { continue };
        let integration = flow.why.iter().any(|reason| reason.kind == bartizan_model::ReasonKind::Integration);
        let waits = match from.component_type.as_str() {
            "s3.bucket" | "sns.topic" => false,
            // A missed turn of a timer is made up by the next; a missed event is not.
            "eventbridge.rule" => from.setting("event_pattern").is_none(),
            _ => true,
        };
        if integration && !waits {
            let span = flow.why.iter().find_map(|reason| reason.span);
            sink.push_text(address, "async_triggers", from.address.as_str(), span);
        }
    }
}

/// Layers that another account publishes.
fn layers(component: &Component, own: &BTreeSet<&str>, sink: &mut Sink) {
    let Some(node) = component.setting("layers") else { return };
    if node.value.is_unknown() {
        sink.unknown(&component.address, "foreign_layers", "its layers are not known", Some(node.span));
        return;
    }
    let Value::List(items) = &node.value else { return };
    for item in items {
        match &item.value {
            Value::Text(text) => {
                let literal = pattern(text);
                let account = literal.split(':').nth(4).unwrap_or("");
                let literal_account = is_account_id(account);
                if literal_account && !own.contains(account) && !AWS_LAYERS.contains(&account) {
                    sink.push_text(&component.address, "foreign_layers", &literal, Some(item.span));
                }
            }
            Value::Unknown(_) if sink.get(&component.address, "foreign_layers").is_none() => {
                sink.unknown(&component.address, "foreign_layers", "one of its layers is not known", Some(item.span));
            }
            _ => {}
        }
    }
}

/// Principals that may replace the package in the bucket it is deployed from.
fn code(context: &Context<'_>, address: &Address, sink: &mut Sink) {
    for bucket in context.index.follow(address, "code_in") {
        let writers: Vec<(String, Span)> = match sink.get(&bucket.address, "writers").map(|node| &node.value) {
            Some(Value::List(items)) => items.iter().filter_map(|item| Some((item.value.as_str()?.into_owned(), item.span))).collect(),
            _ => Vec::new(),
        };
        for (writer, span) in writers {
            sink.push_text(address, "code_writers", &writer, Some(span));
        }
    }
}

/// A loop that Lambda does not stop by itself: it sees only those through SQS, SNS and S3.
/// Source: AWS Lambda developer guide, "Use Lambda recursive loop detection to prevent infinite loops".
fn unguarded(context: &Context<'_>, address: &Address, sink: &mut Sink) {
    let members: Vec<String> = match sink.get(address, "event_loop").map(|node| &node.value) {
        Some(Value::List(items)) => items.iter().filter_map(|item| Some(item.value.as_str()?.into_owned())).collect(),
        _ => return,
    };
    let seen = ["lambda.function", "sqs.queue", "sns.topic", "s3.bucket"];
    for member in members {
        let Some(component) = context.index.component(&Address::new(&member)) else { continue };
        if !seen.contains(&component.component_type.as_str()) {
            sink.push_text(address, "loop_unseen", &member, component.span);
        }
    }
}

/// Subscriptions of a topic by which its messages leave AWS: mail, short messages, web endpoints that the plan does not hold.
fn subscribers(context: &Context<'_>, topic: &Address, sink: &mut Sink) {
    for subscription in context.index.follow_back(topic, "part_of") {
        let Some(node) = subscription.setting("protocol").filter(|_| subscription.component_type == "sns.subscription") else { continue };
        match node.value.as_str().as_deref() {
            Some(protocol @ ("email" | "email-json" | "sms")) => sink.push_text(topic, "outside_subscribers", protocol, Some(node.span)),
            Some(protocol @ ("http" | "https")) => {
                let ours = subscription
                    .setting("endpoint")
                    .and_then(|endpoint| endpoint.value.as_text())
                    .is_some_and(|text| super::document::references(text).any(|address| context.index.component(&address).is_some()));
                if !ours {
                    sink.push_text(topic, "outside_subscribers", protocol, Some(node.span));
                }
            }
            Some(_) => {}
            None if sink.get(topic, "outside_subscribers").is_none() => {
                sink.unknown(topic, "outside_subscribers", "the protocol of a subscription is not known", Some(node.span));
            }
            None => {}
        }
    }
}

/// Queues and streams that say that their contents lie in clear.
fn stored(component: &Component, sink: &mut Sink) {
    let (setting, clear): (&str, fn(&Node) -> bool) = match component.component_type.as_str() {
        "kinesis.stream" => ("encryption_type", |node| node.value.as_str().as_deref() == Some("NONE")),
        "sqs.queue" => ("sqs_managed_sse_enabled", |node| node.value.as_bool() == Some(false)),
        _ => return,
    };
    let Some(node) = component.setting(setting) else { return };
    if component.component_type == "sqs.queue" && component.setting("kms_master_key_id").is_some() {
        return;
    }
    if node.value.is_unknown() || node.value.as_text().is_some_and(|text| text.known().is_none()) {
        sink.unknown(&component.address, "stored_in_clear", "its encryption is not known", Some(node.span));
    } else if clear(node) {
        sink.yes(&component.address, "stored_in_clear", Some(node.span));
    }
}

/// States of a workflow that have no bound, and fields by which the input chooses what the workflow's role acts on.
fn workflow(component: &Component, sink: &mut Sink) {
    let Some(node) = component.setting("definition") else { return };
    let Some(states) = node.get("States") else {
        let why = "its definition is not known";
        for name in ["unbounded_states", "input_steers"] {
            sink.unknown(&component.address, name, why, Some(node.span));
        }
        return;
    };
    // A bound on the whole execution covers waits, not the width of a map.
    let bounded = node.get("TimeoutSeconds").is_some();
    visit(&component.address, states, bounded, 0, sink);
}

fn visit(address: &Address, states: &Node, bounded: bool, depth: u8, sink: &mut Sink) {
    let Some(states) = states.value.as_map().filter(|_| depth < 8) else { return };
    let set = |state: &Node, keys: &[&str]| keys.iter().any(|key| state.get(key).is_some());
    for (name, state) in states {
        let kind = state.get("Type").and_then(|kind| kind.value.as_str()).unwrap_or_default();
        let resource = state.get("Resource").and_then(|node| node.value.as_text()).map(pattern).unwrap_or_default();
        let waits = kind == "Task"
            && (resource.ends_with(".waitForTaskToken") || resource.contains(":activity:"))
            && !bounded
            && !set(state, &["TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath"]);
        let fans_out = kind == "Map" && !set(state, &["MaxConcurrency", "MaxConcurrencyPath"]);
        if waits || fans_out {
            sink.push_text(address, "unbounded_states", name, Some(state.span));
        }
        for field in ["Parameters", "Arguments"] {
            if let Some(parameters) = state.get(field) {
                steered(address, parameters, sink);
            }
        }
        for inner in ["Iterator", "ItemProcessor"] {
            if let Some(states) = state.get(inner).and_then(|inner| inner.get("States")) {
                visit(address, states, bounded, depth + 1, sink);
            }
        }
        if let Some(Value::List(branches)) = state.get("Branches").map(|node| &node.value) {
            for branch in branches {
                if let Some(states) = branch.get("States") {
                    visit(address, states, bounded, depth + 1, sink);
                }
            }
        }
    }
}

/// Parameters that name code, commands, secrets or roles, and are taken from the input.
fn steered(address: &Address, parameters: &Node, sink: &mut Sink) {
    const CHOOSING: &[&str] = &[
        "FunctionName",
        "StateMachineArn",
        "TaskDefinition",
        "JobDefinition",
        "JobName",
        "ProjectName",
        "RoleArn",
        "ExecutionRoleArn",
        "SecretId",
        "QueryString",
        "Sql",
        "Statement",
        "DocumentName",
        "Command",
        "Commands",
        "ApiEndpoint",
    ];
    let Some(map) = parameters.value.as_map() else { return };
    for (key, value) in map {
        let taken = key.strip_suffix(".$").filter(|_| {
            value.value.as_text().is_some_and(|text| {
                let path = pattern(text);
                // `$$.` is the execution's own context, which the caller does not write.
                (path.starts_with('$') && !path.starts_with("$$.")) || path.starts_with("States.")
            })
        });
        if taken.is_some_and(|name| CHOOSING.contains(&name)) {
            sink.push_text(address, "input_steers", key, Some(value.span));
        }
        steered(address, value, sink);
        if let Value::List(items) = &value.value {
            for item in items {
                steered(address, item, sink);
            }
        }
    }
}

/// Entries that anyone calls without a limit, what they lead to and what takes from queues without a bound.
fn entries(context: &Context<'_>, set: &FlowSet, flows: &Flows<'_>, entities: &Entities, sink: &mut Sink) {
    let component = |address: &Address| context.index.component(address).or_else(|| entities.get(address));
    let limited = |address: &Address, sink: &Sink| sink.get(address, "rate_limited").is_some_and(|node| node.value.as_bool() == Some(true));
    let reserved = |function: &Component| {
        function
            .setting("reserved_concurrent_executions")
            .is_some_and(|node| node.value.is_unknown() || node.value.as_number().is_some_and(|number| number >= 0.0))
    };
    let mut next: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    let mut open: BTreeSet<&Address> = BTreeSet::new();
    for flow in set.values().filter(|flow| is_active(flow)) {
        next.entry(&flow.from).or_default().push(&flow.to);
        let calls = component(&flow.to).is_some_and(|to| {
            // The edge passes on what comes; what it leads to is asked for its limits itself.
            context.index.services.has_any(to, &["api", "load_balancer", "compute", "edge"]) && to.kind != Kind::ExternalEntity
        });
        if calls && component(&flow.from).is_some_and(is_untrusted) && !limited(&flow.to, sink) {
            open.insert(&flow.to);
        }
    }
    let mut reached: BTreeMap<&Address, BTreeSet<&Address>> = BTreeMap::new();
    for entry in &open {
        let mut queue = vec![*entry];
        let mut seen = BTreeSet::from([*entry]);
        while let Some(at) = queue.pop() {
            reached.entry(at).or_default().insert(entry);
            for to in next.get(at).into_iter().flatten() {
                if !limited(to, sink) && seen.insert(to) {
                    queue.push(to);
                }
            }
        }
    }
    for (address, entries) in &reached {
        let Some(to) = context.index.component(address) else { continue };
        for entry in entries {
            sink.push_text(address, "unlimited_entries", entry.as_str(), context.index.component(entry).and_then(|entry| entry.span));
        }
        let direct = to.component_type == "lambda.function"
            && !reserved(to)
            && (open.contains(address) || flows.into.get(*address).is_some_and(|flows| flows.iter().any(|flow| open.contains(&flow.from))));
        if direct {
            sink.push_system("unlimited_functions", address.as_str(), to.span);
        }
    }
    for queue in context.index.architecture.components.values().filter(|component| component.component_type == "sqs.queue") {
        for to in next.get(&queue.address).into_iter().flatten() {
            let Some(function) = context.index.component(to).filter(|to| to.component_type == "lambda.function") else { continue };
            let capped = context.index.follow_back(to, "part_of").iter().any(|part| part.setting("maximum_concurrency").is_some());
            if !capped && !reserved(function) {
                sink.push_text(&queue.address, "unbounded_consumers", to.as_str(), function.span);
            }
        }
    }
}
