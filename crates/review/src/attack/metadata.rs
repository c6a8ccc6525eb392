//! The instance metadata service: who fetches the credentials of a machine without being on it.

use bartizan_model::{Address, Component, Relation};

use super::compute::{Compute, Exposed};
use super::graph::{AttackGraph, Fact, FactId, Step};
use super::kubernetes::Gained;
use super::query::declared;
use crate::catalogue::attack::Detector;
use crate::facts::cluster::{metadata_answers, ways_out};
use crate::facts::read::texts;
use crate::flows::index::Index;
use crate::outcome::Evidence;

/// Tasks on machines of the own account that fetch the credentials of their machine.
///
/// Source: ECS developer guide, "Amazon ECS container instance IAM role" and "Task IAM role": tasks are kept from it by
/// `ECS_AWSVPC_BLOCK_IMDS`, or by a rule of the machine's packet filter in bridge mode, and never in host mode.
pub(super) fn of_tasks(index: &Index<'_>) -> Vec<(Address, Gained)> {
    let mut out = Vec::new();
    for (service, tasks) in on_own_machines(index) {
        let mode = tasks.iter().find_map(|task| task.text("network_mode")).unwrap_or_else(|| "bridge".to_owned());
        for host in hosts(index, service) {
            let machine = template(index, host);
            if mode != "host" && blocks(machine, &mode) {
                continue;
            }
            let (open, span) = metadata_answers(machine);
            let disabled = machine.text("http_endpoint").as_deref() == Some("disabled");
            let mut conditions = Vec::new();
            match open {
                _ if disabled => continue,
                _ if mode == "host" => {}
                Some(true) => {}
                Some(false) => continue,
                None => conditions.push("the machines let containers reach the instance metadata service".to_owned()),
            }
            let text = format!("tasks on `{}` get an answer of the instance metadata service", host.address);
            let evidence: Vec<Evidence> = span.or(host.span).map(|span| Evidence { span, text }).into_iter().collect();
            for (role, _) in index.principals_of(&host.address) {
                let fact = Fact::Identity(role.address.clone());
                out.push((service.address.clone(), Gained { fact, evidence: evidence.clone(), conditions: conditions.clone() }));
            }
        }
    }
    out
}

/// Tasks whose containers do not keep them in, with the machine that they leave for.
pub(super) fn left_by_tasks(index: &Index<'_>) -> Vec<(Address, Gained)> {
    let mut out = Vec::new();
    for (service, tasks) in on_own_machines(index) {
        let ways = tasks.into_iter().flat_map(ways_out);
        let evidence: Vec<Evidence> =
            ways.map(|(words, span)| Evidence { span, text: format!("`{}` has {words}", service.address) }).collect();
        if evidence.is_empty() {
            continue;
        }
        for host in hosts(index, service) {
            let gained = Gained { fact: Fact::Code(host.address.clone()), evidence: evidence.clone(), conditions: Vec::new() };
            out.push((service.address.clone(), gained));
        }
    }
    out
}

/// Services whose tasks may run on machines of the account, with their task definitions.
fn on_own_machines<'a>(index: &Index<'a>) -> Vec<(&'a Component, Vec<&'a Component>)> {
    let on_fargate = |task: &&Component| {
        let needs = task.setting("requires_compatibilities").map(|node| texts(node).map(ToString::to_string).collect::<Vec<_>>());
        needs.is_some_and(|needs| needs == ["FARGATE"])
    };
    let services = index.architecture.components.values().filter(|component| component.component_type == "ecs.service");
    let services = services.filter(|service| service.text("launch_type").as_deref() != Some("FARGATE"));
    let with_tasks = services.map(|service| (service, index.follow(&service.address, "configured_by")));
    with_tasks.filter(|(_, tasks)| !tasks.iter().any(on_fargate)).collect()
}

/// Machines that a service's tasks run on: by capacity providers, or told of the cluster in their start script.
fn hosts<'a>(index: &Index<'a>, service: &Component) -> Vec<&'a Component> {
    let is_host = |component: &&Component| matches!(component.component_type.as_str(), "autoscaling.group" | "ec2.instance");
    let clusters = index.follow(&service.address, "part_of");
    let capacity = std::iter::once(&service.address).chain(clusters.iter().map(|cluster| &cluster.address));
    let providers = capacity.flat_map(|address| index.follow(address, "uses_capacity"));
    let mut found: Vec<&Component> = providers.flat_map(|provider| index.follow(&provider.address, "uses_capacity")).collect();
    for cluster in clusters.iter().filter(|cluster| cluster.component_type == "ecs.cluster") {
        let telling = index.to(&cluster.address).iter().filter(|link| link.relation == Relation::Mentions);
        found.extend(telling.flat_map(|link| index.users(&link.from)).filter_map(|address| index.component(&address)));
        let named = index
            .architecture
            .components
            .values()
            .filter(|component| script(component).is_some_and(|script| script.lines().any(|line| names_cluster(line, &cluster.name))));
        found.extend(named.flat_map(|component| index.users(&component.address)).filter_map(|address| index.component(&address)));
    }
    found.retain(is_host);
    found.sort_by(|a, b| a.address.cmp(&b.address));
    found.dedup_by(|a, b| a.address == b.address);
    found
}

/// `echo ECS_CLUSTER=main >> /etc/ecs/ecs.config`.
fn names_cluster(line: &str, cluster: &str) -> bool {
    let value = line.split_once("ECS_CLUSTER=").map(|(_, value)| value.trim_start_matches(['"', '\'']));
    value.and_then(|value| value.strip_prefix(cluster)).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-'))
}

/// What says how a machine is started: its launch template, or the machine itself.
fn template<'a>(index: &Index<'a>, host: &'a Component) -> &'a Component {
    let templates = index.follow(&host.address, "configured_by");
    templates.into_iter().find(|template| template.component_type.contains("launch_")).unwrap_or(host)
}

/// The start script as it is run; templates hold it in base64.
fn script(machine: &Component) -> Option<String> {
    let text = machine.setting("user_data")?.value.as_text()?.to_string();
    Some(decoded(&text).unwrap_or(text))
}

/// Text in base64 (RFC 4648, section 4); `None` where it is none.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut n_bits) = (0_u32, 0_u8);
    for byte in text.trim_end_matches('=').bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push(u8::try_from(bits >> n_bits & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Whether the start script keeps containers from the metadata service.
fn blocks(machine: &Component, mode: &str) -> bool {
    let Some(script) = script(machine) else { return false };
    let by_agent = mode == "awsvpc" && script.lines().any(|line| line.replace(' ', "").contains("ECS_AWSVPC_BLOCK_IMDS=true"));
    by_agent || script.lines().any(|line| line.contains("169.254.169.254") && (line.contains("DROP") || line.contains("REJECT")))
}

/// Adds the steps from the internet to the roles of machines that answer metadata requests without a token: the application there needs
/// to fetch an address that a caller names, no more.
pub(super) fn forged(compute: &Compute<'_, '_>, address: &Address, exposed: &Exposed, internet: FactId, graph: &mut AttackGraph) {
    let index = compute.index;
    let Some(host) = index.component(address) else { return };
    // Somebody who logs in has no need of a flaw.
    if !matches!(host.component_type.as_str(), "ec2.instance" | "autoscaling.group") || !exposed.is_application() {
        return;
    }
    let machine = template(index, host);
    if machine.text("http_endpoint").as_deref() == Some("disabled") {
        return;
    }
    let mut conditions = Vec::new();
    let tokens = machine.setting("http_tokens");
    let mut evidence = match tokens.map(|node| (node.value.as_str(), node.span)) {
        Some((Some(value), _)) if value == "required" => return,
        Some((Some(_), span)) => vec![Evidence { span, text: format!("`{address}` answers metadata requests without a token") }],
        Some((None, _)) | None if account_requires_tokens(index) => return,
        Some((None, _)) | None => {
            conditions.push("image and account leave metadata requests without a token on".to_owned());
            declared(machine, &format!("nothing asks for a token of metadata requests to `{address}`"))
        }
    };
    evidence.extend(exposed.evidence.iter().cloned());
    for primitive in compute.primitives.list.iter().filter(|primitive| primitive.detector == Some(Detector::MetadataRequestForgery)) {
        let conditions: Vec<String> = primitive.assumes.iter().cloned().chain(conditions.iter().cloned()).collect();
        // The flaw itself is in the primitive's likelihood.
        let open = i32::try_from(conditions.len().saturating_sub(1)).unwrap_or(i32::MAX);
        for (role, _) in index.principals_of(address) {
            let gives = graph.fact(Fact::Identity(role.address.clone()));
            graph.step(Step {
                premises: vec![internet],
                gives,
                technique: primitive.id.as_str().into(),
                actions: [].into(),
                probability: primitive.likelihood * exposed.openness() * 0.5_f64.powi(open),
                conditions: conditions.as_slice().into(),
                assumption: true,
                evidence: evidence.as_slice().into(),
            });
        }
    }
}

/// Whether the account's own defaults ask for a token.
fn account_requires_tokens(index: &Index<'_>) -> bool {
    let mut defaults = index.architecture.components.values().filter(|component| component.component_type == "ec2.metadata_defaults");
    defaults.any(|defaults| defaults.text("http_tokens").as_deref() == Some("required"))
}

#[cfg(test)]
mod tests {
    use super::{decoded, names_cluster};

    #[test]
    fn scripts_are_read_as_they_are_run() {
        assert_eq!(decoded("RUNTX0NMVVNURVI9bWFpbgo=").as_deref(), Some("ECS_CLUSTER=main\n"));
        assert_eq!(decoded("#!/bin/sh"), None);
        assert!(names_cluster("echo ECS_CLUSTER=main >> /etc/ecs/ecs.config", "main"));
        assert!(!names_cluster("ECS_CLUSTER=main-2", "main"));
    }
}
