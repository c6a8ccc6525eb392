//! Facts about user directories: what guests may do, and what opens to whoever signs up.

use std::collections::BTreeSet;

use bartizan_model::{Address, Component};

use super::document::references;
use super::read::texts;
use super::sink::Sink;
use crate::flows::Context;

/// Services of the mobile clients themselves: they let a user see only what is its own.
const CLIENT_SERVICES: &[&str] = &["mobileanalytics", "cognito-sync", "cognito-identity", "mobiletargeting"];

/// Sets the facts of identity pools and user pools.
pub(super) fn add(context: &Context<'_>, sink: &mut Sink) {
    for component in context.index.architecture.components.values() {
        match component.component_type.as_str() {
            "cognito.identity_pool" => guests(context, component, sink),
            "cognito.user_pool" => newcomers(context, component, sink),
            _ => {}
        }
    }
}

/// Roles that a setting of an identity pool names.
fn roles<'a>(context: &Context<'a>, pool: &Component, setting: &str) -> Vec<&'a Component> {
    let named = pool.setting(setting).into_iter().flat_map(texts).flat_map(references);
    named.filter_map(|address| context.index.component(&address)).filter(|component| component.service == "iam").collect()
}

fn guests(context: &Context<'_>, pool: &Component, sink: &mut Sink) {
    let Some(node) = pool.setting("unauthenticated_role") else { return };
    let found = roles(context, pool, "unauthenticated_role");
    if found.is_empty() {
        sink.unknown(&pool.address, "guest_actions", "the guests' role is not in the plan", Some(node.span));
        return;
    }
    for role in found {
        let Some(holder) = context.permissions.get(&role.address) else { continue };
        for (statement, _) in holder.statements.iter().filter(|(statement, _)| statement.allow) {
            for (action, node) in &statement.actions {
                if !CLIENT_SERVICES.iter().any(|service| action.starts_with(&format!("{service}:"))) {
                    sink.push_text(&pool.address, "guest_actions", action, Some(node.span));
                }
            }
        }
        for (name, node) in &holder.managed {
            sink.push_text(&pool.address, "guest_actions", name, Some(node.span));
        }
        if !holder.complete && sink.get(&pool.address, "guest_actions").is_none() {
            sink.unknown(&pool.address, "guest_actions", "some policies of the guests' role are not in the plan", Some(node.span));
        }
    }
}

/// Roles and entries that take a user of the pool as good enough.
fn newcomers(context: &Context<'_>, pool: &Component, sink: &mut Sink) {
    let clients = context.index.follow_back(&pool.address, "part_of");
    let ends: BTreeSet<Address> = std::iter::once(pool).chain(clients).map(|component| component.address.clone()).collect();
    let mut opened: Vec<(Address, Option<bartizan_model::Span>)> = Vec::new();
    for end in &ends {
        for link in context.index.to(end) {
            let Some(from) = context.index.component(&link.from) else { continue };
            match from.component_type.as_str() {
                "cognito.identity_pool" => {
                    for role in roles(context, from, "authenticated_role") {
                        if reaches_data(context, &role.address) {
                            opened.push((role.address.clone(), link.span));
                        }
                    }
                }
                // A listener or a domain that asks for a user of the pool is a door for insiders.
                "elb.listener" | "elb.listener_rule" | "opensearch.domain" => {
                    opened.push((context.index.drawn(&from.address), link.span));
                }
                _ => {}
            }
        }
    }
    let decides = pool.setting("lambda_triggers").into_iter().flat_map(|node| node.at("pre_sign_up")).find(|node| !node.value.is_null());
    for (address, span) in opened {
        match decides {
            Some(trigger) => {
                let why = "a function decides who may sign up";
                sink.unknown(&pool.address, "signup_opens", why, Some(trigger.span));
                return;
            }
            None => sink.push_text(&pool.address, "signup_opens", address.as_str(), span),
        }
    }
}

fn reaches_data(context: &Context<'_>, role: &Address) -> bool {
    context.permissions.get(role).is_some_and(|holder| {
        let beyond = holder.statements.iter().filter(|(statement, _)| statement.allow).any(|(statement, _)| {
            // A condition on the user's own identity leaves each user with what is its own.
            let own = statement
                .conditions
                .iter()
                .any(|condition| condition.key.starts_with("cognito-identity") || condition.key == "dynamodb:leadingkeys")
                || statement.resources.iter().any(|(text, _)| super::document::pattern(text).contains("${cognito-identity"));
            !own && statement
                .actions
                .iter()
                .any(|(action, _)| !CLIENT_SERVICES.iter().any(|service| action.starts_with(&format!("{service}:"))))
        });
        beyond || !holder.managed.is_empty()
    })
}
