//! Facts that another component proves: alarms, backups, web ACLs, scaling, replication, logging, parameter groups, DNS targets.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Component, Kind, Node, Relation, Span, Value};

use super::document::{glob, patterns};
use super::read::{first_setting, last, texts};
use super::sink::Sink;
use crate::flows::set::FlowSet;
use crate::flows::{Context, is_active};

/// Sets the joined facts.
pub(super) fn add(context: &Context<'_>, set: &FlowSet, sink: &mut Sink) {
    let limited_acls = rate_limited_acls(context);
    let backup = BackupSelections::read(context);
    for (address, component) in &context.index.architecture.components {
        watched(context, address, sink);
        guarded(context, address, component, &limited_acls, sink);
        kept(context, address, component, &backup, sink);
        logged(context, address, component, sink);
        match last(&component.component_type) {
            "record" if component.service == "route53" => dangling(context, component, sink),
            "distribution" if component.service == "cloudfront" => dangling_origins(context, component, sink),
            "key" if component.service == "kms" => {
                key_users(context, address, sink);
                hasty_key(context, component, sink);
            }
            _ => {}
        }
        own_key(context, address, component, sink);
        tls_required(context, address, component, sink);
        rotated(component, sink);
    }
    flow_logged(context, sink);
    data_events(context, sink);
    around_edge(context, set, sink);
    isolated_namespaces(context, sink);
}

/// Metrics that alarms watch on a component.
fn watched(context: &Context<'_>, address: &Address, sink: &mut Sink) {
    for alarm in context.index.follow_back(address, "watches") {
        if alarm.component_type != "cloudwatch.alarm" {
            continue;
        }
        match alarm.setting("metric_name") {
            Some(node) => {
                for metric in patterns(node) {
                    sink.push_text(address, "watched", &metric, Some(node.span));
                }
            }
            None => {
                if let Some(node) = alarm.setting("metric_query") {
                    for name in node.at("metric.metric_name").into_iter().flat_map(patterns) {
                        sink.push_text(address, "watched", &name, Some(node.span));
                    }
                }
            }
        }
    }
}

/// Web ACLs with a rate rule.
fn rate_limited_acls(context: &Context<'_>) -> BTreeSet<Address> {
    let mut found = BTreeSet::new();
    for component in context.index.architecture.components.values() {
        if !matches!(component.component_type.as_str(), "wafv2.web_acl" | "wafv2.rule_group") {
            continue;
        }
        let limited = component.setting("rules").is_some_and(|rules| rules.at("rate_limit").into_iter().any(|node| !node.value.is_null()))
            || component.setting("rule_json").is_some_and(|node| mentions_key(node, "RateBasedStatement"));
        if limited {
            found.insert(component.address.clone());
        }
    }
    for component in context.index.architecture.components.values().filter(|component| component.component_type == "wafv2.web_acl") {
        if context.index.follow(&component.address, "uses_rules").iter().any(|group| found.contains(&group.address)) {
            found.insert(component.address.clone());
        }
    }
    found
}

fn mentions_key(node: &Node, key: &str) -> bool {
    match &node.value {
        Value::Map(map) => map.iter().any(|(name, value)| name == key || mentions_key(value, key)),
        Value::List(items) => items.iter().any(|item| mentions_key(item, key)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unknown(_) => false,
    }
}

/// Web ACLs, Shield, throttles.
fn guarded(context: &Context<'_>, address: &Address, component: &Component, limited: &BTreeSet<Address>, sink: &mut Sink) {
    // A stage or listener carries the ACL for the API or balancer it is part of.
    let parts = context.index.follow_back(address, "part_of");
    let parts = parts.into_iter().filter(|part| part.kind == Kind::Supporting && component.kind != Kind::Supporting);
    let own = std::iter::once(component).chain(parts);
    for part in own {
        for link in context.index.from(&part.address) {
            if link.relation != Relation::ProtectedBy {
                continue;
            }
            let Some(guard) = context.index.component(&link.to) else { continue };
            if guard.service.starts_with("waf") {
                sink.yes(address, "waf", link.span);
                if limited.contains(&guard.address) {
                    sink.yes(address, "rate_limited", link.span);
                }
            }
        }
        throttle(part, address, sink);
    }
    for (setting, fact) in [("web_acl", "waf"), ("shield", "shield")] {
        if component.service == "kubernetes"
            && let Some(node) = component.setting(setting)
        {
            sink.yes(address, fact, Some(node.span));
        }
    }
    unknown_acl(component, address, sink);
    let shields = context.index.to(address).iter().any(|link| {
        matches!(&link.relation, Relation::Other(name) if name == "protects")
            && context.index.component(&link.from).is_some_and(|from| from.component_type == "shield.protection")
    });
    let protected = context.index.follow(address, "protected_by").iter().any(|guard| guard.service == "shield");
    if shields || protected {
        sink.yes(address, "shield", None);
    }
    if !context.index.follow_back(address, "governs").is_empty() && component.service == "apigateway" {
        for plan in context.index.follow_back(address, "governs") {
            if plan.setting("rate_limit").is_some() || plan.setting("quota_limit").is_some() {
                sink.yes(address, "rate_limited", plan.span);
            }
        }
    }
}

/// A distribution that names a web ACL the plan does not show.
fn unknown_acl(component: &Component, address: &Address, sink: &mut Sink) {
    if sink.get(address, "waf").is_some() {
        return;
    }
    let Some(node) = component.setting("web_acl_id").filter(|node| !node.value.is_null()) else { return };
    if node.value.as_str().is_some_and(|text| text.is_empty()) {
        return;
    }
    for name in ["waf", "rate_limited"] {
        if sink.get(address, name).is_none() {
            sink.unknown(address, name, "its web ACL is not in the plan", Some(node.span));
        }
    }
}

fn throttle(part: &Component, address: &Address, sink: &mut Sink) {
    if part.service != "apigateway" {
        return;
    }
    let own = part.setting("throttling_rate_limit");
    let parts = ["method_settings", "route_settings"].iter().filter_map(|setting| part.setting(setting));
    for rate in own.into_iter().chain(parts.flat_map(|node| node.at("throttling_rate_limit"))) {
        if rate.value.as_number().is_some_and(|rate| rate >= 0.0) {
            sink.yes(address, "rate_limited", Some(rate.span));
        } else if rate.value.is_unknown() && sink.get(address, "rate_limited").is_none() {
            sink.unknown(address, "rate_limited", "the throttle's rate is not known", Some(rate.span));
        }
    }
}

/// What the plan's backup selections cover.
#[derive(Default)]
struct BackupSelections {
    /// ARN patterns.
    arns: Vec<(String, Span)>,
    /// Tag key and value.
    tags: Vec<(String, String, Span)>,
    /// True when a selection covers everything of its opt-in.
    everything: Option<Span>,
}

impl BackupSelections {
    fn read(context: &Context<'_>) -> Self {
        let mut found = BackupSelections::default();
        for plan in context.index.architecture.components.values().filter(|component| component.component_type == "backup.plan") {
            if let Some(node) = plan.setting("selection_resources") {
                for text in texts(node) {
                    if text.is_literal() {
                        let pattern = super::document::pattern(text);
                        if pattern == "*" {
                            found.everything.get_or_insert(node.span);
                        } else {
                            found.arns.push((pattern, node.span));
                        }
                    }
                }
            }
            if let Some(Node { value: Value::List(items), .. }) = plan.setting("selection_tags") {
                for item in items {
                    let member = |key: &str| item.get(key).and_then(|node| node.value.as_str()).map(std::borrow::Cow::into_owned);
                    if let (Some(key), Some(value)) = (member("key"), member("value")) {
                        found.tags.push((key, value, item.span));
                    }
                }
            }
        }
        found
    }

    fn covers(&self, context: &Context<'_>, component: &Component) -> Option<Span> {
        if let Some(span) = self.everything {
            return Some(span);
        }
        for (key, value, span) in &self.tags {
            if component.tags.get(key).and_then(|node| node.value.as_str()).is_some_and(|own| own == *value) {
                return Some(*span);
            }
        }
        let shape = context.index.services.arn(component)?;
        let service = shape.split(':').nth(2)?;
        let resource = shape.splitn(6, ':').nth(5)?.replace("{name}", &component.name);
        self.arns
            .iter()
            .find(|(pattern, _)| {
                let mut segments = pattern.splitn(6, ':');
                segments.nth(2) == Some(service) && segments.nth(2).is_some_and(|own| glob(own, &resource))
            })
            .map(|(_, span)| *span)
    }
}

/// Backups, copies, scaling.
fn kept(context: &Context<'_>, address: &Address, component: &Component, backup: &BackupSelections, sink: &mut Sink) {
    let stores = component.kind == Kind::DataStore || component.component_type == "ec2.instance";
    if stores {
        let link = context.index.to(address).iter().find(|link| link.relation == Relation::BacksUp);
        if let Some(link) = link {
            sink.yes(address, "backed_up", link.span);
        } else if let Some(span) = backup.covers(context, component) {
            sink.yes(address, "backed_up", Some(span));
        } else if let Some(span) = snapshots(context, component) {
            sink.yes(address, "backed_up", Some(span));
        } else if let Some(node) = component.setting("backup_policy") {
            // EFS backs itself up where this is on.
            match node.value.as_str().as_deref() {
                Some("ENABLED") => sink.yes(address, "backed_up", Some(node.span)),
                None if node.value.is_unknown() || node.value.as_text().is_some_and(|text| !text.is_literal()) => {
                    sink.unknown(address, "backed_up", "the plan does not tell whether automatic backups are on", Some(node.span));
                }
                Some(_) | None => {}
            }
        }
    }
    let copies = context
        .index
        .from(address)
        .iter()
        .chain(context.index.to(address))
        .find(|link| matches!(&link.relation, Relation::Other(name) if name == "replicates_to" && link.from == *address));
    if let Some(link) = copies {
        sink.yes(address, "replicated", link.span);
    } else if let Some(node) =
        first_setting(component, &["replication_rules", "replicas", "replica_regions", "replica", "global_cluster_identifier"])
        && node.value.as_list().is_none_or(|list| !list.is_empty())
        && !node.value.is_unknown()
    {
        sink.yes(address, "replicated", Some(node.span));
    }
    let scales = context.index.to(address).iter().find(|link| matches!(&link.relation, Relation::Other(name) if name == "scales"));
    let by_name = scales.is_none().then(|| scalable_target(context, component)).flatten();
    if let Some(span) = scales.map(|link| link.span).or(by_name) {
        sink.yes(address, "autoscaled", span);
    }
    scaled_out(context, component, address, sink);
}

/// A lifecycle policy that snapshots volumes by a tag which this one carries.
fn snapshots(context: &Context<'_>, component: &Component) -> Option<Span> {
    if !matches!(component.component_type.as_str(), "ec2.volume" | "ec2.instance") {
        return None;
    }
    let policies = context.index.architecture.components.values().filter(|other| other.component_type == "ec2.lifecycle_policy");
    policies.filter(|policy| policy.text("state").as_deref() != Some("DISABLED")).find_map(|policy| {
        let Value::Map(wanted) = &policy.setting("target_tags")?.value else { return None };
        let carries = |(key, value): (&String, &Node)| component.tags.get(key).is_some_and(|own| own.value == value.value);
        wanted.iter().any(carries).then_some(policy.span).flatten()
    })
}

/// `table/orders`, `service/cluster/name`: what a scalable target names as its service does.
fn scalable_target(context: &Context<'_>, component: &Component) -> Option<Option<Span>> {
    let shape = match component.component_type.as_str() {
        "dynamodb.table" => format!("table/{}", component.name),
        _ => return None,
    };
    let target = context.index.targets().get(shape.as_str())?;
    Some(target.span)
}

fn scaled_out(context: &Context<'_>, component: &Component, address: &Address, sink: &mut Sink) {
    const COUNTS: &[&str] = &[
        "desired_count",
        "min_size",
        "min_capacity",
        "replicas",
        "instance_count",
        "node_count",
        "num_cache_clusters",
        "num_cache_nodes",
        "desired_size",
    ];
    const ZONES: &[&str] = &["multi_az", "multi_az_enabled", "zone_awareness_enabled"];
    let at_least_two = |setting: &str| component.setting(setting).filter(|node| node.value.as_number().is_some_and(|number| number >= 2.0));
    let on = |setting: &str| component.setting(setting).filter(|node| node.value.as_bool() == Some(true));
    let found = COUNTS.iter().find_map(|setting| at_least_two(setting)).or_else(|| ZONES.iter().find_map(|setting| on(setting)));
    if let Some(node) = found {
        sink.yes(address, "scaled_out", Some(node.span));
    } else if let Some(span) = shares_balancer(context, component) {
        sink.yes(address, "scaled_out", span);
    } else if let Some(node) =
        COUNTS.iter().chain(ZONES).find_map(|setting| component.setting(setting).filter(|node| node.value.is_unknown()))
    {
        sink.unknown(address, "scaled_out", "the plan does not tell how many there are", Some(node.span));
    }
}

/// An instance behind a balancer beside others of its kind.
fn shares_balancer(context: &Context<'_>, component: &Component) -> Option<Option<Span>> {
    if component.component_type != "ec2.instance" {
        return None;
    }
    context.index.from(&component.address).iter().find_map(|link| {
        if !matches!(&link.relation, Relation::Other(name) if name == "registers_in") {
            return None;
        }
        let others = context.index.follow_back(&link.to, "registers_in");
        others.iter().any(|other| other.address != component.address).then_some(link.span)
    })
}

/// Access logs of its own.
fn logged(context: &Context<'_>, address: &Address, component: &Component, sink: &mut Sink) {
    const ON: &[&str] = &["access_logs", "standard_logging_v2", "query_logging", "flow_logs_enabled", "logging_enabled"];
    const NAMED: &[&str] = &[
        "logging_target_bucket",
        "access_log_destination",
        "logging_bucket",
        "log_destinations",
        "log_publishing",
        "enabled_cloudwatch_logs_exports",
    ];
    let switched = ON.iter().find_map(|setting| component.setting(setting).filter(|node| node.value.as_bool() == Some(true)));
    let named = NAMED.iter().find_map(|setting| component.setting(setting).filter(|node| is_filled(node)));
    let linked = context.index.from(address).iter().find(|link| matches!(&link.relation, Relation::Other(name) if name == "logs_to"));
    let span = switched.or(named).map(|node| node.span).or(linked.and_then(|link| link.span));
    if switched.is_some() || named.is_some() || linked.is_some() {
        sink.yes(address, "logged", span);
        // The stage logs for its API.
        if component.kind == Kind::Supporting && matches!(last(&component.component_type), "stage" | "api_stage") {
            for api in context.index.follow(address, "part_of") {
                sink.yes(&api.address, "logged", span);
            }
        }
    } else if let Some(node) = ON.iter().chain(NAMED).find_map(|setting| component.setting(setting).filter(|node| node.value.is_unknown()))
    {
        sink.unknown(address, "logged", "the plan does not tell whether access is logged", Some(node.span));
    }
}

fn is_filled(node: &Node) -> bool {
    match &node.value {
        Value::List(items) => !items.is_empty(),
        Value::Text(text) => !text.is_empty(),
        Value::Map(map) => !map.is_empty(),
        Value::Null | Value::Unknown(_) => false,
        Value::Bool(value) => *value,
        Value::Number(_) => true,
    }
}

/// Whether a component's data is under a key that the customer manages.
fn own_key(context: &Context<'_>, address: &Address, component: &Component, sink: &mut Sink) {
    let written = first_setting(component, &["kms_key_id", "kms_master_key_id", "kms_key_arn", "kms_key", "key_arn", "root_kms_key_id"]);
    let linked = context.index.follow(address, "encrypted_with").iter().any(|key| key.service == "kms");
    // The keys that AWS manages are named by alias: alias/aws/s3.
    let named = || written.is_some_and(|node| texts(node).any(|text| text.known().is_some_and(|text| text.contains(":key/"))));
    if linked || named() {
        sink.yes(address, "own_key", written.map(|node| node.span));
    }
}

/// What is encrypted under a key.
fn key_users(context: &Context<'_>, address: &Address, sink: &mut Sink) {
    for link in context.index.to(address) {
        if link.relation == Relation::EncryptedWith {
            sink.push_text(address, "key_users", link.from.as_str(), link.span);
        }
    }
    // An alias stands for its key.
    for alias in context.index.follow_back(address, "serves") {
        for link in context.index.to(&alias.address) {
            if link.relation == Relation::EncryptedWith {
                sink.push_text(address, "key_users", link.from.as_str(), link.span);
            }
        }
    }
}

/// Days within which somebody has to notice that a key is to be deleted.
const DAYS_TO_NOTICE: f64 = 14.0;

/// A key under which data lies and whose deletion takes effect soon.
fn hasty_key(context: &Context<'_>, key: &Component, sink: &mut Sink) {
    let Some(node) = key.setting("deletion_window_in_days") else { return };
    if !node.value.as_number().is_some_and(|days| days < DAYS_TO_NOTICE) {
        return;
    }
    let aliases = context.index.follow_back(&key.address, "serves");
    let names = std::iter::once(key).chain(aliases).flat_map(|name| context.index.follow_back(&name.address, "encrypted_with"));
    let keeps = |user: &&Component| user.kind == Kind::DataStore && !context.index.services.has_any(user, &["log", "topic", "queue"]);
    if names.into_iter().any(|user| keeps(&user)) {
        sink.push_system("hasty_keys", key.address.as_str(), Some(node.span));
    }
}

/// DNS records whose target is an AWS name that no component of the plan is.
/// Suffixes of names that another customer can claim once they are free.
const CLAIMABLE: &[&str] = &[
    ".s3.amazonaws.com",
    ".s3-website",
    ".cloudfront.net",
    ".elasticbeanstalk.com",
    ".elb.amazonaws.com",
    ".azurewebsites.net",
    ".cloudapp.net",
    ".herokuapp.com",
    ".github.io",
    ".trafficmanager.net",
    ".blob.core.windows.net",
];

fn dangling(context: &Context<'_>, record: &Component, sink: &mut Sink) {
    if !context.index.follow(&record.address, "resolves_to").is_empty() {
        return;
    }
    for setting in ["alias_name", "records"] {
        let Some(node) = record.setting(setting) else { continue };
        for target in texts(node) {
            if !target.is_literal() {
                continue;
            }
            let name = super::document::pattern(target).trim_end_matches('.').to_ascii_lowercase();
            if CLAIMABLE.iter().any(|suffix| name.contains(suffix)) {
                sink.push_text(&record.address, "dangling_targets", &name, Some(node.span));
            }
        }
    }
}

/// Origins of a distribution that name a bucket which the plan does not hold.
fn dangling_origins(context: &Context<'_>, distribution: &Component, sink: &mut Sink) {
    let Some(node) = distribution.setting("origins") else { return };
    for origin in node.at("domain_name") {
        let Some(text) = origin.value.as_text() else { continue };
        // A bucket's name that comes from elsewhere is not known; what the plan names by reference it holds.
        let Some(host) = text.known().filter(|_| text.is_literal()) else { continue };
        let host = host.to_ascii_lowercase();
        let bucket = [".s3.", ".s3-"].iter().find_map(|mark| host.find(mark)).and_then(|end| host.get(..end));
        let Some(bucket) = bucket.filter(|_| host.ends_with(".amazonaws.com")) else { continue };
        let owned = context
            .index
            .architecture
            .components
            .values()
            .any(|component| component.component_type == "s3.bucket" && component.name.eq_ignore_ascii_case(bucket));
        if !owned {
            sink.push_text(&distribution.address, "dangling_targets", bucket, Some(origin.span));
        }
    }
}

/// Parameter groups that refuse clients without TLS.
/// Source: RDS user guide: `require_secure_transport` (MySQL, MariaDB, Aurora MySQL), `rds.force_ssl` (PostgreSQL, SQL Server);
/// `rds.force_ssl` is 1 by default from PostgreSQL 15. DocumentDB: `tls`, enabled by default.
fn tls_required(context: &Context<'_>, address: &Address, component: &Component, sink: &mut Sink) {
    if !matches!(component.service.as_str(), "rds" | "documentdb" | "neptune" | "redshift") || component.kind == Kind::Supporting {
        return;
    }
    if let Some(node) = component.setting("require_tls")
        && let Some(value) = node.value.as_bool()
    {
        sink.set(address, "tls_required", Value::Bool(value), Some(node.span));
        return;
    }
    let engine = component.text("engine").unwrap_or_default();
    let version =
        component.text("engine_version").and_then(|version| version.split('.').next().and_then(|major| major.parse::<u32>().ok()));
    let by_default = component.service == "documentdb" || engine.contains("postgres") && version.is_some_and(|major| major >= 15);
    let mut groups = context.index.follow(address, "configured_by");
    for cluster in context.index.follow(address, "part_of") {
        groups.extend(context.index.follow(&cluster.address, "configured_by"));
    }
    for group in groups {
        let Some(Node { value: Value::List(items), .. }) = group.setting("parameters") else { continue };
        for item in items {
            let member = |key: &str| {
                item.get(key).and_then(|node| match &node.value {
                    Value::Number(number) => Some(format!("{number}")),
                    other => other.as_str().map(std::borrow::Cow::into_owned),
                })
            };
            let Some(name) = member("name") else { continue };
            if matches!(name.as_str(), "require_secure_transport" | "rds.force_ssl" | "tls" | "require_ssl") {
                let given = item.get("value");
                let span = given.map_or(item.span, |node| node.span);
                if given.is_some_and(|node| node.value.is_unknown()) {
                    sink.unknown(address, "tls_required", "the parameter's value is not known", Some(span));
                    return;
                }
                let on = member("value").is_some_and(|value| {
                    matches!(value.to_ascii_lowercase().as_str(), "1" | "on" | "true" | "enabled" | "tls1.2+" | "tls1.3+")
                });
                sink.set(address, "tls_required", Value::Bool(on), Some(span));
                return;
            }
        }
    }
    if by_default {
        sink.yes(address, "tls_required", None);
    }
}

/// Secrets that rotate.
fn rotated(component: &Component, sink: &mut Sink) {
    if component.component_type != "secretsmanager.secret" {
        return;
    }
    let node = first_setting(
        component,
        &["rotation_enabled", "rotation_lambda_arn", "rotation_days", "rotation_rules", "rotation_schedule", "rotation"],
    );
    if let Some(node) = node.filter(|node| is_filled(node)) {
        sink.yes(&component.address, "rotated", Some(node.span));
    }
}

/// VPCs and subnets whose traffic a flow log records.
fn flow_logged(context: &Context<'_>, sink: &mut Sink) {
    for log in context.index.architecture.components.values().filter(|component| component.component_type == "vpc.flow_log") {
        for target in context.index.follow(&log.address, "watches") {
            sink.yes(&target.address, "flow_logged", log.span);
        }
    }
    for (address, subnet) in &context.network.subnets {
        let of_vpc = subnet.vpc.as_ref().and_then(|vpc| sink.get(vpc, "flow_logged")).map(|node| node.span);
        if let Some(span) = of_vpc {
            sink.yes(address, "flow_logged", Some(span));
        }
    }
}

/// Stores and functions whose data events a trail records.
fn data_events(context: &Context<'_>, sink: &mut Sink) {
    let mut kinds: BTreeMap<&'static str, Span> = BTreeMap::new();
    let mut named: BTreeMap<Address, Span> = BTreeMap::new();
    let mut trail_on: Option<Option<Span>> = None;
    for trail in context.index.architecture.components.values().filter(|component| component.component_type == "cloudtrail.trail") {
        if trail.flag("enable_logging") == Some(false) {
            continue;
        }
        trail_on.get_or_insert(trail.span);
        for setting in ["event_selectors", "advanced_event_selectors"] {
            let Some(node) = trail.setting(setting) else { continue };
            let mut all = BTreeSet::new();
            node.for_each_text(&mut |value, at| {
                let pattern = super::document::pattern(value);
                for (kind, service) in
                    [("AWS::S3::Object", "s3"), ("AWS::Lambda::Function", "lambda"), ("AWS::DynamoDB::Table", "dynamodb")]
                {
                    if pattern == kind {
                        all.insert((service, at.span));
                    }
                }
                for (address, _) in value.references() {
                    named.insert(Address::new(address), at.span);
                }
            });
            // Without a value that names single resources the kind as a whole is meant.
            for (service, span) in all {
                let narrowed = setting == "event_selectors"
                    && node.at("data_resource.values").into_iter().flat_map(texts).any(|value| !value.is_literal());
                if !narrowed {
                    kinds.insert(service, span);
                }
            }
        }
    }
    for (address, component) in &context.index.architecture.components {
        if component.kind == Kind::Supporting {
            continue;
        }
        if let Some(span) = named.get(address).or_else(|| kinds.get(component.service.as_str())) {
            sink.yes(address, "data_events_logged", Some(*span));
        }
        if let Some(span) = trail_on {
            sink.yes(address, "trail_covers", span);
        }
    }
}

/// Origins behind an edge that anyone can also reach directly.
fn around_edge(context: &Context<'_>, set: &FlowSet, sink: &mut Sink) {
    let mut open: BTreeSet<&Address> = BTreeSet::new();
    let mut fronts: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    for flow in set.values().filter(|flow| is_active(flow)) {
        if flow.from == Address::internet() || flow.from.as_str() == "aws:anyone" {
            open.insert(&flow.to);
        }
        if context.index.component(&flow.from).is_some_and(|from| context.index.services.has_trait(from, "edge")) {
            fronts.entry(&flow.to).or_default().push(&flow.from);
        }
    }
    for (origin, edges) in fronts {
        if open.contains(origin) {
            for edge in edges {
                let span = context.index.component(origin).and_then(|component| component.span);
                sink.push_text(origin, "bypasses_edge", edge.as_str(), span);
            }
        }
    }
    for component in context.index.architecture.components.values() {
        // An API with a domain of its own still answers under its default address.
        let default_open = matches!(component.component_type.as_str(), "apigateway.rest_api" | "apigateway.api")
            && component.flag("disable_execute_api_endpoint") != Some(true)
            && open.contains(&component.address);
        if default_open {
            for domain in context.index.follow_back(&component.address, "serves") {
                sink.push_text(&component.address, "bypasses_edge", domain.address.as_str(), component.span);
            }
        }
    }
}

/// Namespaces that refuse incoming traffic by default, and workloads that a policy restricts.
fn isolated_namespaces(context: &Context<'_>, sink: &mut Sink) {
    for component in context.index.architecture.components.values().filter(|component| component.service == "kubernetes") {
        let setting = match last(&component.component_type) {
            "namespace" => "default_deny_ingress",
            "workload" => "network_policy_ingress",
            _ => continue,
        };
        if let Some(node) = component.setting(setting).filter(|node| node.value.as_bool() == Some(true)) {
            sink.yes(&component.address, "isolated_namespace", Some(node.span));
        }
    }
}
