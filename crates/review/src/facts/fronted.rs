//! Facts about code that answers callers from outside: databases that it asks, filters before it, tables that it may empty, roles that it
//! shares with what stands further back.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Component, Kind, Node, Span, Value};

use super::document::{Statement, glob};
use super::managed;
use super::permissions::Holder;
use super::sink::Sink;
use crate::flows::index::Named;
use crate::flows::set::FlowSet;
use crate::flows::{Context, Entities, is_active, is_untrusted};

/// Services whose stores speak SQL.
const SQL_SERVICES: &[&str] = &["rds", "redshift", "dsql"];

/// Protocols of databases that run in a cluster.
const SQL_ENGINES: &[&str] = &["mysql", "postgres", "postgresql", "mariadb", "sqlserver"];

/// Sets the facts; `run_by` must be set before.
pub(super) fn add(context: &Context<'_>, set: &FlowSet, entities: &Entities, sink: &mut Sink) {
    let ways = Ways::read(context, set, entities);
    for entry in &ways.entries {
        databases(context, &ways, entry, sink);
        filtered(context, entry, sink);
    }
    for (address, component) in &context.index.architecture.components {
        match component.component_type.as_str() {
            "athena.workgroup" => {
                for part in context.index.follow_back(address, "part_of") {
                    if part.component_type == "athena.prepared_statement" {
                        sink.push_text(address, "prepared_statements", &part.name, part.span);
                    }
                }
            }
            "iam.role" => {
                sharers(context, &ways, address, sink);
                tables(context, &ways, address, sink);
            }
            _ => {}
        }
    }
    for address in &ways.fronted {
        sink.yes(address, "answers_callers", None);
        for to in ways.next.get(address).into_iter().flatten() {
            if context.index.component(to).is_some_and(|component| component.kind == Kind::DataStore) {
                let span = context.index.component(address).and_then(|component| component.span);
                sink.push_text(to, "used_for_callers", address.as_str(), span);
            }
        }
    }
}

/// Where data goes, where it comes in, and which code answers it.
struct Ways<'a> {
    next: BTreeMap<&'a Address, Vec<&'a Address>>,
    entries: BTreeSet<&'a Address>,
    fronted: BTreeSet<&'a Address>,
}

impl<'a> Ways<'a> {
    fn read(context: &Context<'_>, set: &'a FlowSet, entities: &Entities) -> Self {
        let mut ways = Ways { next: BTreeMap::new(), entries: BTreeSet::new(), fronted: BTreeSet::new() };
        for flow in set.values().filter(|flow| is_active(flow)) {
            ways.next.entry(&flow.from).or_default().push(&flow.to);
            let from = context.index.component(&flow.from).or_else(|| entities.get(&flow.from));
            if from.is_some_and(is_untrusted) && context.index.component(&flow.to).is_some_and(|to| to.kind == Kind::Process) {
                ways.entries.insert(&flow.to);
            }
        }
        for entry in ways.entries.clone() {
            ways.fronted.extend(ways.walk(context, entry, false));
        }
        ways
    }

    /// Code that a call through an entry reaches: past gateways, and past other code too where `onward`.
    fn walk(&self, context: &Context<'_>, entry: &'a Address, onward: bool) -> BTreeSet<&'a Address> {
        let mut seen = BTreeSet::from([entry]);
        let mut queue = vec![entry];
        let mut code = BTreeSet::new();
        while let Some(at) = queue.pop() {
            let Some(component) = context.index.component(at) else { continue };
            let runs = context.index.services.has_trait(component, "compute");
            let passes = context.index.services.has_any(component, &["api", "load_balancer", "edge"]);
            if runs {
                code.insert(at);
            }
            if !(passes || runs && onward) {
                continue;
            }
            for to in self.next.get(at).into_iter().flatten().copied() {
                if seen.insert(to) {
                    queue.push(to);
                }
            }
        }
        code
    }
}

fn speaks_sql(component: &Component) -> bool {
    component.kind == Kind::DataStore
        && (SQL_SERVICES.contains(&component.service.as_str())
            || component.service == "kubernetes" && component.text("engine").is_some_and(|engine| SQL_ENGINES.contains(&engine.as_str())))
}

/// SQL databases that code behind an entry asks.
fn databases(context: &Context<'_>, ways: &Ways<'_>, entry: &Address, sink: &mut Sink) {
    let Some(entry) = ways.entries.get(entry) else { return };
    for code in ways.walk(context, entry, true) {
        for to in ways.next.get(code).into_iter().flatten() {
            if context.index.component(to).is_some_and(speaks_sql) {
                let span = context.index.component(code).and_then(|component| component.span);
                sink.push_text(entry, "leads_to_sql", to.as_str(), span);
            }
        }
    }
}

/// Whether a web ACL before an entry looks for SQL in requests.
fn filtered(context: &Context<'_>, entry: &Address, sink: &mut Sink) {
    let parts = context.index.follow_back(entry, "part_of").into_iter().filter(|part| part.kind == Kind::Supporting);
    let holders: Vec<Address> = std::iter::once(entry.clone()).chain(parts.map(|part| part.address.clone())).collect();
    for acl in holders.iter().flat_map(|holder| context.index.follow(holder, "protected_by")) {
        if acl.component_type != "wafv2.web_acl" {
            continue;
        }
        match looks_for_sql(context, acl) {
            Some(span) => sink.yes(entry, "injection_filtered", Some(span)),
            None if delegates(context, acl) && sink.get(entry, "injection_filtered").is_none() => {
                sink.unknown(entry, "injection_filtered", "the rules of its web ACL are not all in the plan", acl.span);
            }
            None => {}
        }
    }
    // An ACL that is named but not in the plan.
    if sink.get(entry, "injection_filtered").is_none()
        && let Some(node) = sink.get(entry, "waf").filter(|node| node.value.is_unknown())
    {
        let span = node.span;
        sink.unknown(entry, "injection_filtered", "its web ACL is not in the plan", Some(span));
    }
}

fn rules(acl: &Component) -> &[Node] {
    acl.setting("rules").and_then(|node| node.value.as_list()).unwrap_or(&[])
}

fn looks_for_sql(context: &Context<'_>, acl: &Component) -> Option<Span> {
    let own = rules(acl).iter().find(|rule| {
        let set = |key: &str| rule.get(key).filter(|node| !node.value.is_null());
        let group =
            set("managed_rule_group").and_then(|node| node.value.as_str()).is_some_and(|name| name.to_ascii_lowercase().contains("sqli"));
        let counted = set("override_count").is_some() || set("action_count").is_some();
        (group || set("inspects_sql").is_some()) && !counted
    });
    let in_json = || acl.setting("rule_json").filter(|node| names(node, "SQLi") || names(node, "SqliMatchStatement"));
    let in_groups = || {
        let groups = context.index.follow(&acl.address, "uses_rules");
        groups.into_iter().find_map(looks_for_sql_itself)
    };
    own.map(|rule| rule.span).or_else(|| in_json().map(|node| node.span)).or_else(in_groups)
}

fn looks_for_sql_itself(group: &Component) -> Option<Span> {
    rules(group).iter().find(|rule| rule.get("inspects_sql").is_some_and(|node| !node.value.is_null())).map(|rule| rule.span)
}

/// A text or a key of a document that holds a word.
fn names(node: &Node, word: &str) -> bool {
    match &node.value {
        Value::Map(map) => map.iter().any(|(key, value)| key.contains(word) || names(value, word)),
        Value::List(items) => items.iter().any(|item| names(item, word)),
        Value::Text(text) => super::document::pattern(text).contains(word),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Unknown(_) => false,
    }
}

/// Rules that lie in groups or documents which the plan does not show.
fn delegates(context: &Context<'_>, acl: &Component) -> bool {
    let named = rules(acl).iter().any(|rule| rule.get("rule_group_arn").is_some_and(|node| !node.value.is_null()));
    let shown = context.index.follow(&acl.address, "uses_rules").iter().any(|group| group.component_type == "wafv2.rule_group");
    let unknown = acl.setting("rules").is_some_and(|node| node.value.is_unknown())
        || acl.setting("rule_json").is_some_and(|node| node.value.is_unknown());
    named && !shown || unknown
}

/// Code that answers callers under a role which code further back runs as too.
fn sharers(context: &Context<'_>, ways: &Ways<'_>, role: &Address, sink: &mut Sink) {
    let run_by: Vec<Address> = match sink.get(role, "run_by").map(|node| &node.value) {
        Some(Value::List(items)) => items.iter().filter_map(|item| Some(Address::new(item.value.as_str()?))).collect(),
        _ => return,
    };
    let mut front: BTreeMap<Address, &Address> = BTreeMap::new();
    let mut back: BTreeSet<Address> = BTreeSet::new();
    for compute in &run_by {
        for user in context.index.users(compute) {
            let plain = user.without_instance_keys();
            if ways.fronted.contains(&user) || ways.fronted.contains(compute) {
                front.insert(plain, compute);
            } else {
                back.insert(plain);
            }
        }
    }
    back.retain(|address| !front.contains_key(address));
    if back.is_empty() {
        return;
    }
    for (address, compute) in front {
        let span = context.index.component(compute).and_then(|component| component.span);
        sink.push_text(role, "exposed_sharers", address.as_str(), span);
    }
}

/// Actions that take a table as a whole.
const WHOLE: &[&str] = &["dynamodb:Scan", "dynamodb:ExportTableToPointInTime"];

/// Actions that read whichever item the key names.
const BY_KEY: &[&str] = &["dynamodb:GetItem", "dynamodb:Query", "dynamodb:BatchGetItem"];

/// Tables that a role of code which answers callers may read as a whole, or item by item without a bound on the key.
fn tables(context: &Context<'_>, ways: &Ways<'_>, role: &Address, sink: &mut Sink) {
    let fronts = match sink.get(role, "run_by").map(|node| &node.value) {
        Some(Value::List(items)) => items.iter().filter_map(|item| item.value.as_str()).any(|compute| {
            let compute = Address::new(compute);
            ways.fronted.contains(&compute) || context.index.users(&compute).iter().any(|user| ways.fronted.contains(user))
        }),
        _ => false,
    };
    let Some(holder) = context.permissions.get(role).filter(|_| fronts) else { return };
    if let Some(span) = reads_any_table(context, holder) {
        for table in context.index.architecture.components.values().filter(|component| component.component_type == "dynamodb.table") {
            sink.push_text(&table.address, "any_table_readers", role.as_str(), Some(span));
        }
    }
    for (statement, _) in holder.statements.iter().filter(|(statement, _)| statement.allow && !statement.not_resources) {
        if statement.conditions.iter().any(|condition| condition.key == "dynamodb:leadingkeys") {
            continue;
        }
        for (fact, actions) in [("bulk_readers", WHOLE), ("unscoped_readers", BY_KEY)] {
            let Some(action) = actions.iter().find(|action| statement.covers_action(action)) else { continue };
            for (resource, _) in &statement.resources {
                let Named::Components(found) = context.index.named(resource) else { continue };
                for table in found
                    .iter()
                    .filter(|table| context.index.component(table).is_some_and(|component| component.component_type == "dynamodb.table"))
                {
                    sink.push_text(table, fact, role.as_str(), Some(statement.action_node(action).span));
                }
            }
        }
    }
}

/// Where a role is let read every table: its right is one on the service, and no table of the plan is what is wrong.
fn reads_any_table(context: &Context<'_>, holder: &Holder<'_>) -> Option<Span> {
    let reading = || WHOLE.iter().chain(BY_KEY);
    let stated = holder
        .statements
        .iter()
        .map(|(statement, _)| statement)
        .filter(|statement| statement.allow && statement.conditions.iter().all(|condition| condition.key != "dynamodb:leadingkeys"));
    let every = |statement: &&Statement<'_>| {
        statement.not_resources
            || statement.resources.iter().any(|(resource, _)| matches!(context.index.named(resource), Named::Everything))
    };
    let own = stated.filter(every).find_map(|statement| {
        let action = reading().find(|action| statement.covers_action(action))?;
        Some(statement.action_node(action).span)
    });
    own.or_else(|| {
        let reads = |name: &str| managed::actions(name).unwrap_or(&[]).iter().any(|pattern| reading().any(|action| glob(pattern, action)));
        holder.managed.iter().find(|(name, _)| reads(name)).map(|(_, node)| node.span)
    })
}
