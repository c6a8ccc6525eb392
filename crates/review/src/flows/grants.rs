//! Flows that a role's policies grant: to the components they name, and to a service's API where they name a whole service.

use std::collections::BTreeMap;

use bartizan_model::{Address, Confidence, Kind, Reason, ReasonKind};

use super::entities::Entities;
use super::set::{FlowSet, Found};
use super::{Context, reason};
use crate::facts::permissions::{Granted, Grants, is_metadata, is_plumbing};

/// What each compute's roles grant it.
pub(super) struct Access<'a> {
    /// By compute: the roles it runs as.
    pub(super) roles: BTreeMap<&'a Address, Vec<(&'a Address, Option<bartizan_model::Span>)>>,
    /// By role.
    pub(super) grants: BTreeMap<Address, Grants<'a>>,
}

/// Actions by which a consumer takes from a queue or stream; the flow of data is the other way, and the integration says it.
const CONSUMING: &[&str] = &[
    "sqs:receivemessage",
    "sqs:deletemessage",
    "sqs:changemessagevisibility",
    "sqs:getqueueattributes",
    "sqs:getqueueurl",
    "kinesis:getrecords",
    "kinesis:getsharditerator",
    "kinesis:subscribetoshard",
    "kinesis:liststreams",
    "kinesis:listshards",
    "dynamodb:getrecords",
    "dynamodb:getsharditerator",
    "dynamodb:liststreams",
    "kafka-cluster:readdata",
    "kafka-cluster:connect",
];

/// Reads what every compute may do; each role is read once, however many run as it.
pub(super) fn read<'a>(context: &Context<'a>) -> Access<'a> {
    let index = &context.index;
    let mut access = Access { roles: BTreeMap::new(), grants: BTreeMap::new() };
    for (address, component) in &index.architecture.components {
        let itself = index.users(address).first().is_some_and(|user| user == address);
        if component.kind == Kind::Supporting || !acts(context, component) || !itself {
            continue;
        }
        let principals = index.principals_of(address);
        for (role, _) in &principals {
            if let Some(holder) = context.permissions.get(&role.address) {
                access.grants.entry(role.address.clone()).or_insert_with(|| holder.grants(index));
            }
        }
        let roles = principals.into_iter().map(|(role, link)| (&role.address, link.and_then(|link| link.span))).collect();
        access.roles.insert(address, roles);
    }
    access
}

/// What runs code or does work under a role of its own. A cluster's control plane does, but what it does there is AWS's business.
fn acts(context: &Context<'_>, component: &bartizan_model::Component) -> bool {
    context.index.services.has_any(component, &["compute", "workflow", "build"])
        || component.service == "kubernetes"
        // An API calls AWS services with the role of its integrations.
        || context.index.services.has_any(component, &["api"]) && component.kind == Kind::Process
        || context.index.services.has_any(component, &["query_engine"]) && component.kind == Kind::Process
}

/// Adds granted flows.
pub(super) fn add(context: &Context<'_>, access: &Access<'_>, entities: &mut Entities, set: &mut FlowSet) {
    for (address, roles) in &access.roles {
        for (role, span) in roles {
            let Some(grants) = access.grants.get(*role) else { continue };
            let runs = reason(ReasonKind::Permission, format!("it runs as `{role}`"), *span);
            for (target, granted) in &grants.components {
                to_component(context, address, target, granted, &runs, set);
            }
            for (prefix, granted) in &grants.services {
                to_service(context, address, prefix, granted, &runs, entities, set);
            }
        }
    }
}

fn to_component(context: &Context<'_>, from: &Address, target: &Address, granted: &Granted<'_>, runs: &Reason, set: &mut FlowSet) {
    let target = context.index.drawn(target);
    let Some(component) = context.index.component(&target) else { return };
    if target == *from || component.kind == Kind::Supporting || context.index.services.has_any(component, &["log", "alarm"]) {
        return;
    }
    let moving: Vec<_> = granted.actions.iter().filter(|(action, _)| !is_metadata(action)).collect();
    if moving.is_empty() || consumes_only(&moving) && set.has_active(&target, from) {
        return;
    }
    let api = context.index.services.api(component);
    // A grant is for the API of the service; a database's own protocol needs the network, and a mention shows that.
    let through_api = api.authentication.as_deref() == Some("iam") || api.protocol.as_deref() == Some("https");
    if !through_api && !moving.iter().any(|(action, _)| connects(action)) {
        return;
    }
    let mut why = allowed(&moving);
    why.push(runs.clone());
    if !through_api {
        why.extend(super::mentions::on_the_network(context, from, &target, api.port));
    }
    set.add(context.to(from.clone(), target, Confidence::Granted, why));
}

/// What allows a compute to mount a file system by its roles; `None`: nothing that is known.
pub(super) fn mounts(context: &Context<'_>, access: &Access<'_>, from: &Address, store: &Address) -> Option<Vec<Reason>> {
    for (role, span) in access.roles.get(from)? {
        let Some(grants) = access.grants.get(*role) else { continue };
        let on_all = grants.services.get("elasticfilesystem").or_else(|| grants.services.get("*"));
        let on_it = grants.components.iter().filter(|(address, _)| context.index.drawn(address) == *store).map(|(_, granted)| granted);
        for granted in on_all.into_iter().chain(on_it) {
            let mounting: Vec<_> = granted.actions.iter().filter(|(action, _)| connects(action)).collect();
            if !mounting.is_empty() {
                let mut why = allowed(&mounting);
                why.push(reason(ReasonKind::Permission, format!("it runs as `{role}`"), *span));
                return Some(why);
            }
        }
    }
    None
}

/// Actions that authorise a connection in the target's own protocol.
fn connects(action: &str) -> bool {
    let lower = action.to_ascii_lowercase();
    matches!(
        lower.as_str(),
        "rds-db:connect" | "elasticache:connect" | "memorydb:connect" | "elasticfilesystem:clientmount" | "elasticfilesystem:clientwrite"
    ) || lower.starts_with("kafka-cluster:")
        || lower.starts_with("neptune-db:")
}

fn consumes_only(actions: &[(&String, &(&bartizan_model::Node, String))]) -> bool {
    actions.iter().all(|(action, _)| CONSUMING.contains(&action.to_ascii_lowercase().as_str()))
}

fn allowed(actions: &[(&String, &(&bartizan_model::Node, String))]) -> Vec<Reason> {
    let names: Vec<String> = actions.iter().take(4).map(|(action, _)| format!("`{action}`")).collect();
    let more = if actions.len() > 4 { format!(" and {} more", actions.len() - 4) } else { String::new() };
    let Some((_, (node, source))) = actions.first() else { return Vec::new() };
    vec![reason(ReasonKind::Permission, format!("`{source}` allows {}{more}", names.join(", ")), Some(node.span))]
}

fn to_service(
    context: &Context<'_>,
    from: &Address,
    prefix: &str,
    granted: &Granted<'_>,
    runs: &Reason,
    entities: &mut Entities,
    set: &mut FlowSet,
) {
    let moving: Vec<_> = granted.actions.iter().filter(|(action, _)| !is_metadata(action) && !is_plumbing(prefix, action)).collect();
    if moving.is_empty() {
        return;
    }
    // Taking from a queue that is already drawn as its trigger is no second flow.
    if consumes_only(&moving) && triggered_by(context, from, prefix, set) {
        return;
    }
    let to = entities.service(prefix, &context.index.services.service_name(prefix), &context.index.services.service_title(prefix));
    let mut why = allowed(&moving);
    why.push(runs.clone());
    set.add(Found {
        from: from.clone(),
        to,
        protocol: Some("https".to_owned()),
        port: Some(443),
        encrypted: Some(true),
        authentication: Some("iam".to_owned()),
        confidence: Confidence::Granted,
        why,
    });
}

fn triggered_by(context: &Context<'_>, address: &Address, prefix: &str, set: &FlowSet) -> bool {
    context.index.to(address).iter().any(|link| {
        let source = context.index.component(&link.from);
        source.is_some_and(|source| context.index.services.prefixes(source).iter().any(|own| own == prefix))
            && set.has_active(&link.from, address)
    })
}
