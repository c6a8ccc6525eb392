//! Stores that do not follow their users into a second region.
//!
//! DNS that sends clients to one region or another promises that the system survives the loss of one.
//! The promise is kept only where the data is in both.

use bartizan_model::Component;

use super::sink::Sink;
use crate::flows::Context;

/// Stores whose data can be kept in several regions by replication.
const STORES: &[&str] = &["dynamodb.table", "rds.cluster", "rds.instance", "s3.bucket"];

/// Sets the fact; the joined facts are there already.
pub(super) fn add(context: &Context<'_>, sink: &mut Sink) {
    let components = &context.index.architecture.components;
    let promised = components.values().filter(|component| component.component_type == "route53.record").any(chooses_region);
    if !promised {
        return;
    }
    for (address, component) in components {
        if !STORES.contains(&component.component_type.as_str()) || is_copy(context, component) {
            continue;
        }
        match sink.get(address, "replicated").map(|node| node.value.as_bool()) {
            Some(Some(true) | None) => {}
            Some(Some(false)) | None => sink.push_system("regional_stores", address.as_str(), component.span),
        }
    }
}

/// Failover and latency routing choose between places.
fn chooses_region(record: &Component) -> bool {
    ["failover_type", "latency_region"].iter().any(|setting| record.setting(setting).is_some_and(|node| !node.value.is_null()))
}

/// The second half of a pair is a copy itself.
fn is_copy(context: &Context<'_>, component: &Component) -> bool {
    let named = ["replicate_source_db", "replication_source_identifier"]
        .iter()
        .any(|setting| component.setting(setting).is_some_and(|node| !node.value.is_null()));
    named || !context.index.follow_back(&component.address, "replicates_to").is_empty()
}
