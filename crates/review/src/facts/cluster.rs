//! Facts about containers and clusters: ways out of a container, images that change under the same name, bindings that control the cluster,
//! node roles that pods can take, namespaces without walls or limits, consoles that stand open.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Component, Node, Part, Span, Text, Value};

use super::read::texts;
use super::sink::Sink;
use crate::flows::index::Index;
use crate::flows::set::FlowSet;
use crate::flows::{Context, is_active};

/// The namespace of the cluster's own parts, which need the node.
const SYSTEM: &str = "kube-system";

/// Capabilities with which a process leaves its container.
const ESCAPING: &[&str] = &["ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "DAC_READ_SEARCH", "SYS_RAWIO", "BPF"];

/// Paths of the node that give it away: to read (`false`) or only to write (`true`).
const NODE_PATHS: &[(&str, bool)] = &[
    ("/", false),
    ("/etc", true),
    ("/etc/kubernetes", false),
    ("/root", false),
    ("/proc", true),
    ("/home", true),
    ("/usr", true),
    ("/boot", true),
    ("/var/run", false),
    ("/run", false),
    ("/var/lib/kubelet", true),
    ("/var/lib/docker", true),
    ("/var/lib/containerd", true),
];

/// Sockets of container runtimes.
const SOCKETS: &[&str] = &["docker.sock", "containerd.sock", "crio.sock"];

/// Policies that every node needs.
/// Source: EKS user guide, "Amazon EKS node IAM role".
const NODE_POLICIES: &[&str] = &[
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKSWorkerNodeMinimalPolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonEC2ContainerRegistryReadOnly",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonSSMManagedInstanceCore",
    "CloudWatchAgentServerPolicy",
    "AWSXRayDaemonWriteAccess",
];

/// Consoles that are meant for operators.
const CONSOLES: &[&str] = &[
    "kubernetes-dashboard",
    "k8s-dashboard",
    "argocd",
    "argo-cd",
    "argo-workflows",
    "grafana",
    "kibana",
    "jenkins",
    "prometheus",
    "alertmanager",
    "phpmyadmin",
    "pgadmin",
    "adminer",
    "mongo-express",
    "redis-commander",
    "kafka-ui",
    "kubecost",
    "rancher",
    "headlamp",
    "weave-scope",
    "kiali",
    "jaeger",
    "airflow",
    "hubble-ui",
];

/// Sets the facts.
pub(super) fn add(context: &Context<'_>, set: &FlowSet, sink: &mut Sink) {
    for (address, component) in &context.index.architecture.components {
        match component.component_type.as_str() {
            "kubernetes.workload" => {
                escapes(component, sink);
                if let Some(images) = component.setting("images") {
                    floating(address, texts(images).map(|text| (text, images.span)), images, sink);
                }
            }
            "ecs.task_definition" => task(component, sink),
            "kubernetes.role_binding" => binding(component, sink),
            "eks.access_policy_association" => association(context, component, sink),
            "eks.node_group" => node_group(context, component, sink),
            "kubernetes.helm_release" => unversioned(component, sink),
            "kubernetes.ingress" | "kubernetes.service" | "kubernetes.gateway" => console(context, set, component, sink),
            _ => {}
        }
    }
    namespaces(context, sink);
}

/// Ways out of the containers of a workload or task, in words, with what opens each.
pub(crate) fn ways_out(component: &Component) -> Vec<(String, Span)> {
    let mut sink = Sink::default();
    match component.component_type.as_str() {
        "kubernetes.workload" => escapes(component, &mut sink),
        "ecs.task_definition" => task(component, &mut sink),
        _ => {}
    }
    let found = sink.get(&component.address, "escape_ways").and_then(|node| node.value.as_list()).unwrap_or_default();
    found.iter().filter_map(|node| Some((node.value.as_str()?.into_owned(), node.span))).collect()
}

pub(super) fn in_system_namespace(component: &Component) -> bool {
    component.text("namespace").as_deref() == Some(SYSTEM)
}

fn escapes(workload: &Component, sink: &mut Sink) {
    if in_system_namespace(workload) {
        return;
    }
    let address = &workload.address;
    for (setting, words) in
        [("privileged", "a privileged container"), ("host_pid", "the node's processes"), ("host_ipc", "the node's shared memory")]
    {
        let Some(node) = workload.setting(setting) else { continue };
        match node.value.as_bool() {
            Some(true) => sink.push_text(address, "escape_ways", words, Some(node.span)),
            None if sink.get(address, "escape_ways").is_none() => {
                sink.unknown(address, "escape_ways", "whether it is privileged is not known", Some(node.span));
            }
            _ => {}
        }
    }
    if let Some(node) = workload.setting("added_capabilities") {
        for capability in texts(node) {
            capabilities(address, capability, node.span, sink);
        }
    }
    if let Some(Node { value: Value::List(paths), .. }) = workload.setting("host_paths") {
        for entry in paths {
            let Some(path) = entry.get("path").and_then(|node| node.value.as_str()) else { continue };
            let written = entry.get("read_only").and_then(|node| node.value.as_bool()) != Some(true);
            mounted(address, &path, written, entry.span, sink);
        }
    }
}

fn capabilities(address: &Address, capability: &Text, span: Span, sink: &mut Sink) {
    let Some(name) = capability.known() else { return };
    let upper = name.to_ascii_uppercase();
    let plain = upper.strip_prefix("CAP_").unwrap_or(&upper);
    if ESCAPING.contains(&plain) {
        sink.push_text(address, "escape_ways", &format!("the capability {plain}"), Some(span));
    }
}

fn mounted(address: &Address, path: &str, written: bool, span: Span, sink: &mut Sink) {
    let plain = if path.len() > 1 { path.trim_end_matches('/') } else { path };
    let given = NODE_PATHS.iter().any(|(known, only_written)| *known == plain && (written || !only_written));
    if given || SOCKETS.iter().any(|socket| plain.ends_with(socket)) {
        sink.push_text(address, "escape_ways", &format!("{plain} of the node"), Some(span));
    }
}

/// Containers of an ECS task.
fn task(task: &Component, sink: &mut Sink) {
    let address = &task.address;
    // Fargate refuses whatever would lead to its hosts.
    let own_hosts = task.setting("requires_compatibilities").is_none_or(|node| super::document::patterns(node) != ["FARGATE"]);
    for (setting, words) in [("pid_mode", "the host's processes"), ("ipc_mode", "the host's shared memory")] {
        if let Some(node) = task.setting(setting).filter(|node| node.value.as_str().as_deref() == Some("host")) {
            sink.push_text(address, "escape_ways", words, Some(node.span));
        }
    }
    if let Some(Node { value: Value::List(volumes), .. }) = task.setting("volumes") {
        for volume in volumes {
            if let Some(path) = volume.get("host_path").and_then(|node| node.value.as_str()) {
                mounted(address, &path, true, volume.span, sink);
            }
        }
    }
    let Some(definitions) = task.setting("container_definitions") else { return };
    let Some(containers) = definitions.value.as_list() else {
        if own_hosts && sink.get(address, "escape_ways").is_none() {
            sink.unknown(address, "escape_ways", "its container definitions are not known", Some(definitions.span));
        }
        return;
    };
    for container in containers {
        if let Some(node) = container.get("privileged").filter(|node| node.value.as_bool() == Some(true)) {
            sink.push_text(address, "escape_ways", "a privileged container", Some(node.span));
        }
        for node in container.at("linuxParameters.capabilities.add") {
            texts(node).for_each(|capability| capabilities(address, capability, node.span, sink));
        }
        if let Some(image) = container.get("image") {
            floating(address, image.value.as_text().into_iter().map(|text| (text, image.span)), image, sink);
        }
    }
}

/// Images whose name may mean other code tomorrow: the tag `latest` or none.
fn floating<'a>(address: &Address, images: impl Iterator<Item = (&'a Text, Span)>, node: &Node, sink: &mut Sink) {
    let mut any = false;
    for (image, span) in images {
        any = true;
        match is_floating(image) {
            Some(true) => sink.push_text(address, "floating_images", &shown(image), Some(span)),
            Some(false) => {}
            None if sink.get(address, "floating_images").is_none() => {
                sink.unknown(address, "floating_images", "the version of an image is not known", Some(span));
            }
            None => {}
        }
    }
    if !any && node.value.is_unknown() && sink.get(address, "floating_images").is_none() {
        sink.unknown(address, "floating_images", "an image is not known", Some(node.span));
    }
}

/// An image as it is written, with what is not known named by its address.
fn shown(image: &Text) -> String {
    let mut out = String::new();
    for part in image.parts() {
        match part {
            Part::Literal(literal) => out.push_str(literal),
            Part::Reference { value: Some(value), .. } => out.push_str(value),
            Part::Reference { address, .. } => out.push_str(address),
            Part::Unknown(_) => out.push('…'),
        }
    }
    out
}

fn is_floating(image: &Text) -> Option<bool> {
    let mut tail = String::new();
    let mut open = false;
    for part in image.parts() {
        match part {
            Part::Literal(literal) => {
                tail.push_str(literal);
                open = false;
            }
            Part::Reference { value: Some(value), .. } => {
                tail.push_str(value);
                open = false;
            }
            // A repository's own name carries no tag.
            Part::Reference { attribute, value: None, .. } => {
                tail.push('r');
                open = attribute != "repository_url" && attribute != "repository_uri" && attribute != "name";
            }
            Part::Unknown(_) => {
                tail.push('u');
                open = true;
            }
        }
    }
    let last = tail.rsplit('/').next().unwrap_or(&tail);
    if last.contains('@') {
        return Some(false);
    }
    match last.split_once(':') {
        Some((_, "latest")) => Some(true),
        // Some tag, whichever it is.
        Some((_, _)) if !open => Some(false),
        Some((_, tag)) if tag.len() > 1 => Some(false),
        Some(_) => None,
        None if open => None,
        None => Some(!last.is_empty()),
    }
}

/// Whom a binding makes master of the cluster.
fn binding(binding: &Component, sink: &mut Sink) {
    if in_system_namespace(binding) {
        return;
    }
    let workloads = subjects(binding);
    if workloads.is_empty() {
        return;
    }
    let wide = binding.flag("cluster_wide") == Some(true);
    let everything = binding.settings.get("grants_everything");
    let escalations = binding.setting("escalations").filter(|_| wide);
    let powerful = everything.is_some_and(|node| node.value.as_bool() == Some(true)) && wide
        || escalations.is_some_and(|node| texts(node).filter_map(|text| text.known()).any(|way| is_master(&way)));
    let untold = wide && everything.is_some_and(|node| node.value.is_unknown());
    for (who, span) in &workloads {
        if powerful {
            sink.push_text(&binding.address, "cluster_power", who, Some(*span));
        }
    }
    if untold && !powerful {
        sink.unknown(
            &binding.address,
            "cluster_power",
            "the role that it grants is not among the files",
            workloads.first().map(|found| found.1),
        );
    }
    secrets(binding, &workloads, wide && !powerful, sink);
}

/// Ways that end with every right; running commands or pods is what controllers are for.
fn is_master(way: &str) -> bool {
    matches!(way, "escalate roles" | "bind roles" | "impersonate others")
}

fn secrets(binding: &Component, workloads: &[(String, Span)], wide: bool, sink: &mut Sink) {
    let Some(node) = binding.settings.get("reads_secrets").filter(|_| wide) else { return };
    match node.value.as_bool() {
        Some(true) => workloads.iter().for_each(|(who, span)| sink.push_text(&binding.address, "secret_readers", who, Some(*span))),
        None if node.value.is_unknown() => {
            let span = workloads.first().map(|found| found.1);
            sink.unknown(&binding.address, "secret_readers", "the role that it grants is not among the files", span);
        }
        _ => {}
    }
}

/// Service accounts outside the system's namespace, and groups that everyone is in.
fn subjects(binding: &Component) -> Vec<(String, Span)> {
    let Some(Node { value: Value::List(items), .. }) = binding.setting("subjects") else { return Vec::new() };
    let member = |item: &Node, key: &str| item.get(key).and_then(|node| node.value.as_str()).map(std::borrow::Cow::into_owned);
    let named = items.iter().filter_map(|item| {
        let name = member(item, "name")?;
        let kind = member(item, "kind")?;
        let namespace = member(item, "namespace").or_else(|| binding.text("namespace"));
        let counts = match kind.as_str() {
            "ServiceAccount" => namespace.as_deref() != Some(SYSTEM),
            "Group" => {
                name.starts_with("system:authenticated")
                    || name.starts_with("system:unauthenticated")
                    || name.starts_with("system:serviceaccounts")
            }
            "User" => name == "system:anonymous",
            _ => false,
        };
        let shown = match namespace {
            Some(namespace) if kind == "ServiceAccount" => format!("{namespace}/{name}"),
            _ => name,
        };
        counts.then_some((shown, item.span))
    });
    named.collect()
}

/// An access policy that makes a workload's role an administrator of the cluster.
fn association(context: &Context<'_>, association: &Component, sink: &mut Sink) {
    let Some(policy) = association.setting("policy_arn") else { return };
    let wide = association.text("access_scope_type").as_deref() == Some("cluster");
    let entries = context.index.follow(&association.address, "entry_for");
    let run = |role: &Component| sink_run_by(sink, &role.address);
    let workloads: Vec<Address> = entries.into_iter().filter(|role| run(role)).map(|role| role.address.clone()).collect();
    if workloads.is_empty() || !wide {
        return;
    }
    match policy.value.as_str() {
        Some(arn) if arn.ends_with("/AmazonEKSClusterAdminPolicy") || arn.ends_with("/AmazonEKSAdminPolicy") => {
            workloads.iter().for_each(|role| sink.push_text(&association.address, "cluster_power", role.as_str(), Some(policy.span)));
        }
        Some(_) => {}
        None => sink.unknown(&association.address, "cluster_power", "the access policy is not known", Some(policy.span)),
    }
}

fn sink_run_by(sink: &Sink, role: &Address) -> bool {
    sink.get(role, "run_by").and_then(|node| node.value.as_list()).is_some_and(|list| !list.is_empty())
}

/// What the nodes' role may do beyond a node's needs, and whether pods can take it from the metadata service.
fn node_group(context: &Context<'_>, group: &Component, sink: &mut Sink) {
    let address = &group.address;
    for (role, _) in context.index.principals_of(address) {
        let Some(holder) = context.permissions.get(&role.address) else { continue };
        for (name, node) in holder.managed.iter().filter(|(name, _)| !NODE_POLICIES.contains(&name.as_str())) {
            sink.push_text(address, "node_role_rights", name, Some(node.span));
        }
        for (statement, source) in holder.statements.iter().filter(|(statement, _)| statement.allow) {
            sink.push_text(address, "node_role_rights", source, Some(statement.node.span));
        }
    }
    let (open, span) = node_metadata(&context.index, group);
    match open {
        Some(true) => sink.yes(address, "metadata_open_to_pods", span),
        Some(false) => {}
        None => sink.unknown(address, "metadata_open_to_pods", "image and launch template decide, and the plan does not tell", span),
    }
}

/// Whether a pod gets an answer of the metadata service: a token travels one hop more from a pod, and version 1 needs none.
/// Source: EKS user guide, "Create nodes with optimized Amazon Linux 2023": managed groups of AL2023 have a hop limit of 1.
pub(crate) fn node_metadata(index: &Index<'_>, group: &Component) -> (Option<bool>, Option<Span>) {
    let templates = index.follow(&group.address, "configured_by");
    let Some(template) = templates.into_iter().find(|template| template.component_type == "ec2.launch_template") else {
        let linked = index.from(&group.address).iter().any(|link| link.attribute.contains("launch_template"));
        if linked {
            return (None, group.span);
        }
        return match group.setting("ami_type") {
            Some(node) => match node.value.as_str() {
                Some(family) => (Some(!family.starts_with("AL2023")), Some(node.span)),
                None => (None, Some(node.span)),
            },
            None => (None, group.span),
        };
    };
    metadata_answers(template)
}

/// Whether the metadata service of a machine or template answers containers on it, and what says so; `None` where image or account decide.
pub(crate) fn metadata_answers(template: &Component) -> (Option<bool>, Option<Span>) {
    if let Some(node) = template.setting("http_endpoint").filter(|node| node.value.as_str().as_deref() == Some("disabled")) {
        return (Some(false), Some(node.span));
    }
    let hops = template.settings.get("http_put_response_hop_limit").filter(|node| !node.value.is_null());
    let Some(tokens) = template.setting("http_tokens") else { return (None, template.span) };
    let far = match hops {
        // Where options are written, AWS takes one hop for what they leave out.
        None => Some(false),
        Some(node) => node.value.as_number().map(|number| number > 1.0),
    };
    let span = hops.filter(|_| far != Some(false)).map_or(tokens.span, |node| node.span);
    match (tokens.value.as_str().as_deref(), far) {
        (Some("required"), far) => (far, Some(span)),
        (Some(_), _) => (Some(true), Some(tokens.span)),
        (None, Some(true)) => (Some(true), Some(span)),
        (None, _) => (None, Some(tokens.span)),
    }
}

/// A chart from elsewhere without a version; a version that is written but not known here is one.
fn unversioned(release: &Component, sink: &mut Sink) {
    let Some(repository) = release.setting("repository") else { return };
    match release.setting("chart_version").map(|node| (node.value.as_str(), node.span)) {
        None => sink.yes(&release.address, "unversioned_chart", Some(repository.span)),
        Some((Some(version), span)) if matches!(version.as_ref(), "latest" | "*" | "") => {
            sink.yes(&release.address, "unversioned_chart", Some(span));
        }
        Some(_) => {}
    }
}

/// A console of operators behind an entry, by the entry's name or by the images of what it leads to.
fn console(context: &Context<'_>, set: &FlowSet, entry: &Component, sink: &mut Sink) {
    let known = |text: &str| CONSOLES.iter().find(|console| text.to_ascii_lowercase().contains(**console)).copied();
    let behind =
        set.values().filter(|flow| is_active(flow) && flow.from == entry.address).filter_map(|flow| context.index.component(&flow.to));
    let by_image = behind.filter_map(|workload| workload.setting("images")).find_map(|images| {
        texts(images).filter_map(|image| image.known().and_then(|image| known(&image))).next().map(|console| (console, images.span))
    });
    let found = known(&entry.name).map(|console| (console, entry.span)).or_else(|| by_image.map(|(console, span)| (console, Some(span))));
    if let Some((console, span)) = found {
        sink.set(&entry.address, "admin_console", super::sink::text(console), span);
    }
    if let Some(node) = entry.setting("source_ranges").filter(|node| names_addresses(node)) {
        sink.yes(&entry.address, "callers_checked", Some(node.span));
    }
    let Some(node) = entry.setting("authentication") else { return };
    match node.value.as_str().as_deref() {
        Some("none") => {}
        Some(_) => sink.yes(&entry.address, "callers_checked", Some(node.span)),
        None => sink.unknown(&entry.address, "callers_checked", "how it authenticates is not known", Some(node.span)),
    }
}

/// Ranges that leave somebody out.
fn names_addresses(ranges: &Node) -> bool {
    let all: Vec<String> = super::document::patterns(ranges);
    !all.is_empty() && !all.iter().any(|range| range.contains("0.0.0.0/0") || range.contains("::/0"))
}

/// Namespaces whose pods reach each other freely, and workloads that may take all memory of a node.
fn namespaces(context: &Context<'_>, sink: &mut Sink) {
    let mut pods: BTreeMap<String, Vec<&Component>> = BTreeMap::new();
    let mut limited: BTreeSet<String> = BTreeSet::new();
    for component in context.index.architecture.components.values() {
        match component.component_type.as_str() {
            "kubernetes.workload" if !in_system_namespace(component) => {
                pods.entry(component.text("namespace").unwrap_or_else(|| "default".to_owned())).or_default().push(component);
            }
            "kubernetes.namespace" if component.flag("limit_range") == Some(true) => {
                limited.insert(component.name.clone());
            }
            _ => {}
        }
    }
    // One workload alone has nobody to reach it.
    let several = pods.values().map(Vec::len).sum::<usize>() > 1;
    for (namespace, workloads) in &pods {
        let open: Vec<&&Component> = workloads
            .iter()
            .filter(|workload| {
                ["network_policy_ingress", "security_group_policy"].iter().all(|setting| workload.flag(setting) != Some(true))
            })
            .collect();
        if let Some(first) = open.first().filter(|_| several) {
            sink.push_system("flat_namespaces", namespace, first.span);
            for workload in &open {
                sink.push_system("flat_workloads", workload.address.as_str(), workload.span);
            }
        }
        if limited.contains(namespace) {
            continue;
        }
        for workload in workloads.iter().filter(|workload| workload.flag("memory_limits") == Some(false)) {
            sink.push_system("unlimited_workloads", workload.address.as_str(), workload.span);
        }
    }
}

#[cfg(test)]
mod tests {
    use bartizan_model::Text;

    use super::is_floating;

    #[test]
    fn an_image_floats_without_a_version_of_its_own() {
        for (image, floats) in [
            ("nginx", Some(true)),
            ("nginx:latest", Some(true)),
            ("registry.example:5000/nginx", Some(true)),
            ("registry.example:5000/nginx:1.29", Some(false)),
            ("nginx@sha256:abc", Some(false)),
            ("", Some(false)),
        ] {
            assert_eq!(is_floating(&Text::literal(image)), floats, "{image}");
        }
        let mut tagged = Text::reference("aws_ecr_repository.r", "repository_url", None);
        assert_eq!(is_floating(&tagged), Some(true));
        tagged.push(&Text::literal(":"));
        tagged.push(&Text::unknown("var.tag"));
        assert_eq!(is_floating(&tagged), None);
        assert_eq!(is_floating(&Text::unknown("var.image")), None);
    }
}
