//! Facts about what buckets and registries keep: traces, uploads from outside, images, and who looks at them.

use std::collections::BTreeSet;

use bartizan_model::{Address, Component, Node, Value};

use super::document::patterns;
use super::sink::Sink;
use crate::flows::set::FlowSet;
use crate::flows::{Context, is_active};

/// Words in the name of code that looks for malware.
const SCANNERS: &[&str] = &["scan", "clamav", "antivirus", "anti-virus", "malware", "quarantine"];

/// Sets the facts; `public_write_actions` must be set before.
pub(super) fn add(context: &Context<'_>, set: &FlowSet, sink: &mut Sink) {
    for flow in set.values().filter(|flow| is_active(flow)) {
        let Some(from) = context.index.component(&flow.from) else { continue };
        let span = flow.why.iter().find_map(|reason| reason.span);
        let trace = matches!(from.service.as_str(), "cloudtrail" | "config") || from.component_type == "vpc.flow_log";
        if trace {
            sink.push_text(&flow.to, "keeps_traces_of", from.address.as_str(), span);
        }
        if from.component_type == "transfer.server" {
            sink.push_text(&flow.to, "uploads_from", "a file transfer server", span);
        }
        if is_bucket(context, &flow.from) && SCANNERS.iter().any(|word| flow.to.as_str().to_ascii_lowercase().contains(word)) {
            sink.yes(&flow.from, "malware_scanned", span);
        }
    }
    let registry = registry_scanning(context);
    for (address, component) in &context.index.architecture.components {
        match component.component_type.as_str() {
            "s3.bucket" => bucket(context, component, sink),
            "ecr.repository" => {
                let own = component.setting("scan_on_push");
                match (own.map(|node| node.value.as_bool()), registry) {
                    (Some(Some(true)), _) => sink.yes(address, "images_scanned", own.map(|node| node.span)),
                    (_, Some(span)) => sink.yes(address, "images_scanned", span),
                    (Some(None), None) => {
                        sink.unknown(address, "images_scanned", "whether images are scanned is not known", own.map(|node| node.span));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

fn is_bucket(context: &Context<'_>, address: &Address) -> bool {
    context.index.component(address).is_some_and(|component| component.component_type == "s3.bucket")
}

/// Uploads that somebody outside makes, and a protection plan over them.
fn bucket(context: &Context<'_>, bucket: &Component, sink: &mut Sink) {
    let address = &bucket.address;
    if let Some(Node { value: Value::List(rules), .. }) = bucket.setting("cors_rules") {
        for rule in rules {
            let Some(methods) = rule.get("allowed_methods") else { continue };
            if methods.value.is_unknown() && sink.get(address, "uploads_from").is_none() {
                sink.unknown(address, "uploads_from", "the methods of a CORS rule are not known", Some(methods.span));
            }
            if patterns(methods).iter().any(|method| matches!(method.as_str(), "PUT" | "POST")) {
                sink.push_text(address, "uploads_from", "browsers, by its CORS rules", Some(methods.span));
            }
        }
    }
    if let Some(node) = sink.get(address, "public_write_actions").filter(|node| node.value.as_list().is_some_and(|list| !list.is_empty())) {
        let span = node.span;
        sink.push_text(address, "uploads_from", "anyone, by its policy", Some(span));
    }
    let plan =
        context.index.follow_back(address, "watches").into_iter().find(|from| from.component_type == "guardduty.malware_protection_plan");
    if let Some(plan) = plan {
        sink.yes(address, "malware_scanned", plan.span);
    }
}

/// A setting of the registry or of Inspector that covers every repository.
fn registry_scanning(context: &Context<'_>) -> Option<Option<bartizan_model::Span>> {
    context.index.architecture.components.values().find_map(|component| {
        let on = match component.component_type.as_str() {
            "ecr.registry_scanning" => {
                let filters: BTreeSet<String> = component
                    .setting("rules")
                    .into_iter()
                    .flat_map(|rules| rules.at("repository_filter.filter"))
                    .flat_map(patterns)
                    .collect();
                component.text("scan_type").as_deref() == Some("ENHANCED") || filters.contains("*")
            }
            "inspector.enabler" => {
                component.setting("resource_types").is_some_and(|types| patterns(types).iter().any(|kind| kind == "ECR"))
            }
            _ => false,
        };
        on.then_some(component.span)
    })
}
