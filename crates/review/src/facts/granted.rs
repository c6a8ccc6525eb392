//! Facts about what roles and users hold, set on the principal and on every compute that runs as it.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Component, Kind, Node, Span, Value};

use super::actions::SENSITIVE;
use super::document::{Document, Statement, glob};
use super::managed;
use super::permissions::Holder;
use super::read::last;
use super::sink::{Sink, map, text};
use crate::flows::index::Named;
use crate::flows::set::FlowSet;
use crate::flows::{Context, Entities, is_active, is_untrusted};

/// Condition keys that tie a session to its own network.
const NETWORK_KEYS: &[&str] =
    &["aws:sourcevpc", "aws:sourcevpce", "aws:sourceip", "aws:vpcsourceip", "aws:ec2instancesourcevpc", "aws:ec2instancesourceprivateipv4"];

/// Sets the facts of principals and of what runs as them.
pub(super) fn add(context: &Context<'_>, set: &FlowSet, entities: &Entities, sink: &mut Sink) {
    let users = users(context);
    let exposed = exposed(context, set, entities);
    let regions_bound = regions_bound(context);
    for (address, holder) in &context.permissions {
        let Some(component) = context.index.component(address) else { continue };
        let mut summary = summary(holder);
        if regions_bound {
            summary.any_region.clear();
            summary.regions_bound = true;
        }
        let run_by = users.get(address).map_or(&[][..], Vec::as_slice);
        for on in std::iter::once(address).chain(run_by.iter().copied()) {
            summary.write(on, sink);
        }
        write_details(context, address, holder, sink);
        user(context, component, holder, sink);
        for compute in run_by {
            let span = context.index.component(compute).and_then(|component| component.span);
            sink.push_text(address, "run_by", compute.as_str(), span);
            sink.push_text(compute, "compute_roles", address.as_str(), component.span);
            if exposed.contains(*compute) {
                sink.yes(address, "run_by_exposed", span);
            }
        }
        if run_by.len() > 1 && run_by.len() <= 100 {
            for compute in run_by {
                for other in run_by.iter().filter(|other| *other != compute) {
                    sink.push_text(compute, "identity_shared_with", other.as_str(), component.span);
                }
            }
        }
        writers(context, address, holder, sink);
    }
}

/// A service control policy of the plan that denies what is asked of other regions.
fn regions_bound(context: &Context<'_>) -> bool {
    let policies = context.index.architecture.components.values().filter(|component| component.component_type == "organizations.policy");
    policies.filter_map(|policy| policy.setting("content")).any(|content| {
        let document = Document::read(content);
        document
            .statements
            .iter()
            .any(|statement| !statement.allow && statement.conditions.iter().any(|condition| condition.key == "aws:requestedregion"))
    })
}

/// Compute by the role or user it runs as.
fn users<'a>(context: &Context<'a>) -> BTreeMap<&'a Address, Vec<&'a Address>> {
    let mut found: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    for (address, component) in &context.index.architecture.components {
        if component.kind == Kind::Supporting {
            continue;
        }
        for (role, _) in context.index.principals_of(address) {
            found.entry(&role.address).or_default().push(address);
        }
    }
    found
}

/// What takes data straight from outside.
fn exposed(context: &Context<'_>, set: &FlowSet, entities: &Entities) -> BTreeSet<Address> {
    let untrusted = |address: &Address| context.index.component(address).or_else(|| entities.get(address)).is_some_and(is_untrusted);
    set.values().filter(|flow| is_active(flow) && untrusted(&flow.from)).map(|flow| flow.to.clone()).collect()
}

/// The facts that compute shares with its role.
#[derive(Default)]
struct Summary {
    actions: BTreeMap<&'static str, Span>,
    on_any: BTreeMap<&'static str, Span>,
    any_region: BTreeMap<&'static str, Span>,
    wildcards: BTreeMap<String, Span>,
    admin: Option<Span>,
    pass_role: Option<Span>,
    network_bound: Option<Span>,
    complete: bool,
    regions_bound: bool,
}

fn summary(holder: &Holder<'_>) -> Summary {
    let mut summary = Summary { complete: holder.complete, ..Summary::default() };
    for (statement, _) in holder.statements.iter().filter(|(statement, _)| statement.allow) {
        add_statement(holder, statement, &mut summary);
    }
    for (name, node) in &holder.managed {
        for pattern in managed::actions(name).unwrap_or(&[]) {
            for action in SENSITIVE.iter().filter(|action| glob(pattern, action)) {
                // Power users have everything but identity and organisation.
                if name == "PowerUserAccess" && (action.starts_with("iam:") || action.starts_with("organizations:")) {
                    continue;
                }
                if denied(holder, action) {
                    continue;
                }
                summary.actions.entry(action).or_insert(node.span);
                summary.on_any.entry(action).or_insert(node.span);
                summary.any_region.entry(action).or_insert(node.span);
            }
            if let Some(service) = pattern.strip_suffix(":*") {
                summary.wildcards.entry(service.to_owned()).or_insert(node.span);
            } else if *pattern == "*" {
                summary.wildcards.entry("*".to_owned()).or_insert(node.span);
            }
        }
        if managed::ADMINISTRATORS.contains(&name.as_str()) {
            summary.admin.get_or_insert(node.span);
        }
        if matches!(name.as_str(), "AdministratorAccess" | "IAMFullAccess") {
            summary.pass_role.get_or_insert(node.span);
        }
    }
    summary
}

/// True where a statement without condition denies an action on everything.
fn denied(holder: &Holder<'_>, action: &str) -> bool {
    holder.statements.iter().any(|(statement, _)| {
        !statement.allow && statement.conditions.is_empty() && statement.any_resource() && statement.covers_action(action)
    })
}

fn add_statement(holder: &Holder<'_>, statement: &Statement<'_>, summary: &mut Summary) {
    let any = statement.any_resource() || whole_service(statement);
    let free = statement.conditions.is_empty();
    let network = statement.fixes(NETWORK_KEYS);
    for action in SENSITIVE.iter().filter(|action| statement.covers_action(action)) {
        if denied(holder, action) {
            continue;
        }
        let span = statement.action_node(action).span;
        summary.actions.entry(action).or_insert(span);
        if any && free {
            summary.on_any.entry(action).or_insert(span);
        }
        if any && !statement.fixes(&["aws:requestedregion"]) {
            summary.any_region.entry(action).or_insert(span);
        }
    }
    if network {
        summary.network_bound.get_or_insert(statement.node.span);
    }
    if !any || !free || statement.not_actions {
        // Everything but a few actions is everything of some service.
        if any && free && statement.not_actions && statement.covers_action("iam:PutRolePolicy") && !denied(holder, "iam:PutRolePolicy") {
            summary.admin.get_or_insert(statement.node.span);
        }
        return;
    }
    for (pattern, node) in &statement.actions {
        if pattern == "*" || pattern == "*:*" {
            summary.wildcards.entry("*".to_owned()).or_insert(node.span);
            summary.admin.get_or_insert(node.span);
        } else if let Some(service) = pattern.strip_suffix(":*") {
            summary.wildcards.entry(service.to_ascii_lowercase()).or_insert(node.span);
            if service.eq_ignore_ascii_case("iam") {
                summary.admin.get_or_insert(node.span);
            }
        }
        if glob(pattern, "iam:PassRole") && !denied(holder, "iam:PassRole") {
            summary.pass_role.get_or_insert(node.span);
        }
    }
}

/// `arn:aws:s3:::*`, `arn:aws:iam::*:role/*`: every resource of a kind by another name.
fn whole_service(statement: &Statement<'_>) -> bool {
    statement.resources.iter().any(|(text, _)| {
        let pattern = super::document::pattern(text);
        if !text.is_literal() && text.references().next().is_some() {
            return false;
        }
        let resource = pattern.splitn(6, ':').nth(5).unwrap_or("");
        matches!(
            resource,
            "*" | "*/*" | "role/*" | "secret:*" | "table/*" | "key/*" | "function:*" | "parameter/*" | "instance/*" | "user/*"
        )
    })
}

impl Summary {
    fn write(&self, on: &Address, sink: &mut Sink) {
        for (name, list) in [("actions", &self.actions), ("actions_on_any", &self.on_any), ("actions_any_region", &self.any_region)] {
            for (action, span) in list {
                sink.push_text(on, name, action, Some(*span));
            }
            let told = name == "actions_any_region" && self.regions_bound;
            if !self.complete && list.is_empty() && !told && sink.get(on, name).is_none() {
                sink.unknown(on, name, "some of its policies are not in the plan", None);
            }
        }
        for (name, list) in [("shown_on_any", &self.on_any), ("shown_any_region", &self.any_region)] {
            for (action, span) in list {
                sink.push_text(on, name, action, Some(*span));
            }
        }
        for (service, span) in &self.wildcards {
            sink.push_text(on, "wildcard_grants", service, Some(*span));
        }
        if let Some(span) = self.admin {
            sink.yes(on, "admin_grant", Some(span));
        } else if !self.complete && sink.get(on, "admin_grant").is_none() {
            sink.unknown(on, "admin_grant", "some of its policies are not in the plan", None);
        }
        if let Some(span) = self.pass_role {
            sink.yes(on, "passrole_any", Some(span));
        }
        if let Some(span) = self.network_bound {
            sink.yes(on, "network_bound_role", Some(span));
        }
    }
}

/// Statements and their sources, on the principal only.
fn write_details(context: &Context<'_>, address: &Address, holder: &Holder<'_>, sink: &mut Sink) {
    let mut targets: BTreeSet<Address> = BTreeSet::new();
    for (statement, source) in &holder.statements {
        let span = statement.node.span;
        let list = |items: Vec<String>| Value::List(items.into_iter().map(|item| Node::new(text(item), span)).collect());
        let actions: Vec<String> = statement.actions.iter().map(|(action, _)| action.clone()).collect();
        let mut services: Vec<String> = actions.iter().filter_map(|action| action.split(':').next()).map(str::to_ascii_lowercase).collect();
        services.sort();
        services.dedup();
        let entry = map(
            vec![
                ("effect", text(if statement.allow { "Allow" } else { "Deny" })),
                ("actions", list(actions)),
                ("not_actions", Value::Bool(statement.not_actions)),
                ("resources", list(statement.resources.iter().map(|(resource, _)| super::document::pattern(resource)).collect())),
                ("services", list(services)),
                ("any_resource", Value::Bool(statement.any_resource())),
                ("conditional", Value::Bool(!statement.conditions.is_empty())),
            ],
            span,
        );
        sink.push(address, "grants", entry, Some(span));
        let by = map(vec![("name", text(source)), ("managed", Value::Bool(false)), ("source", text(source))], span);
        sink.push(address, "granted_by", by, Some(span));
        if statement.allow {
            for (resource, _) in &statement.resources {
                if let Named::Components(found) = context.index.named(resource) {
                    targets.extend(found);
                }
            }
        }
    }
    for (name, node) in &holder.managed {
        let by = map(vec![("name", text(name)), ("managed", Value::Bool(true)), ("source", text("AWS"))], node.span);
        sink.push(address, "granted_by", by, Some(node.span));
    }
    for target in targets {
        sink.push_text(address, "grants_to", target.as_str(), None);
    }
}

/// Facts of users: keys, passwords, second factors.
fn user(context: &Context<'_>, component: &Component, holder: &Holder<'_>, sink: &mut Sink) {
    if last(&component.component_type) != "user" {
        return;
    }
    let key = context
        .index
        .follow_back(&component.address, "part_of")
        .into_iter()
        .find(|part| part.component_type == "iam.access_key" && part.text("status").as_deref() != Some("Inactive"));
    if let Some(key) = key {
        sink.yes(&component.address, "has_access_key", key.span);
    } else if let Some(node) = component.setting("access_keys")
        && node.value.as_list().is_some_and(|list| !list.is_empty())
    {
        sink.yes(&component.address, "has_access_key", Some(node.span));
    }
    if let Some(node) = component.setting("login_profile")
        && node.value.as_bool() == Some(true)
    {
        sink.yes(&component.address, "console_password", Some(node.span));
    }
    let guard = holder.statements.iter().find(|(statement, _)| {
        !statement.allow && statement.conditions.iter().any(|condition| condition.key == "aws:multifactorauthpresent")
    });
    if let Some((statement, _)) = guard {
        sink.yes(&component.address, "mfa_enforced", Some(statement.node.span));
    } else if !holder.complete {
        sink.unknown(&component.address, "mfa_enforced", "some of its policies are not in the plan", None);
    }
}

/// Actions that change or delete what a store holds.
const WRITING: &[&str] = &[
    "s3:PutObject",
    "s3:DeleteObject",
    "dynamodb:PutItem",
    "dynamodb:DeleteItem",
    "sqs:SendMessage",
    "sns:Publish",
    "kinesis:PutRecord",
    "ecr:PutImage",
    "lambda:UpdateFunctionCode",
    "secretsmanager:PutSecretValue",
    "ssm:PutParameter",
    "kms:ScheduleKeyDeletion",
    "glue:UpdateTable",
];

/// Principals that may write to components that their policies name; service-wide grants would name everything and are facts of the principal.
fn writers(context: &Context<'_>, address: &Address, holder: &Holder<'_>, sink: &mut Sink) {
    for (statement, _) in holder.statements.iter().filter(|(statement, _)| statement.allow && !statement.not_resources) {
        let Some(action) = WRITING.iter().find(|action| statement.covers_action(action)) else { continue };
        for (resource, node) in &statement.resources {
            if let Named::Components(found) = context.index.named(resource) {
                for target in found {
                    let service = action.split(':').next().unwrap_or("");
                    let fits = context.index.component(&target).is_some_and(|component| {
                        let prefixes = context.index.services.prefixes(component);
                        prefixes.iter().any(|own| {
                            WRITING.iter().any(|action| action.starts_with(&format!("{own}:")) && statement.covers_action(action))
                        }) || prefixes.iter().any(|own| own == service)
                    });
                    if fits {
                        sink.push_text(&target, "writers", address.as_str(), Some(node.span));
                    }
                }
            }
        }
    }
}
