//! Workloads: everything that runs pods.

use bartizan_model::{Kind, Node, Value};

use super::super::endpoint::engine_of_image;
use super::super::object::{Object, list_at, text_at};
use super::super::select::{Index, matches};
use super::container::{Container, container_nodes, host_paths};
use super::environment::variables;
use super::{Lowered, Settings, all, any, flag, list, map};

pub(super) fn lower(object: &Object, index: &Index<'_>) -> Lowered {
    let mut settings = Settings::new(object);
    let span = object.span;
    let empty = Node::new(Value::Map(indexmap::IndexMap::new()), span);
    let pod = object.pod_spec().unwrap_or(&empty);
    settings.value("workload_kind", Value::Text(object.kind.as_str().into()));
    settings.at("labels", object.pod_metadata().unwrap_or(&empty), "labels");
    settings.at("annotations", object.pod_metadata().unwrap_or(&empty), "annotations");
    settings.at_or("replicas", &object.node, "spec.replicas", default_replicas(object));
    settings.at("schedule", &object.node, "spec.schedule");
    identity(object, pod, index, &mut settings);
    for (name, path) in [("host_network", "hostNetwork"), ("host_pid", "hostPID"), ("host_ipc", "hostIPC")] {
        settings.put(name, pod.get(path).map_or_else(|| Node::new(Value::Bool(false), span), flag));
    }
    settings.put("host_paths", list(host_paths(pod), span));
    let spread = pod.get("topologySpreadConstraints").or_else(|| pod.first_at("affinity.podAntiAffinity"));
    settings.put("topology_spread", Node::new(Value::Bool(spread.is_some()), spread.map_or(span, |node| node.span)));
    settings.at("runtime_class", pod, "runtimeClassName");
    settings.at("node_selector", pod, "nodeSelector");
    settings.at("tolerations", pod, "tolerations");

    let containers: Vec<Container> = container_nodes(pod).map(|(node, init)| Container::read(node, pod, init)).collect();
    container_settings(&containers, span, &mut settings);
    environment_settings(object, index, &mut settings);
    guards(object, index, &mut settings);
    // A pod that runs a database image keeps data, whatever else the cluster makes of it.
    let engine = containers.iter().filter(|container| !container.init).find_map(|container| {
        let repository = container.image.repository.value.as_str()?.into_owned();
        engine_of_image(&repository).map(|engine| Node::text(engine, container.image.text.span))
    });
    let kind = if engine.is_some() { Kind::DataStore } else { Kind::Process };
    settings.put("engine", engine.unwrap_or_else(|| Node::new(Value::Null, span)));
    Lowered { component_type: "kubernetes.workload", kind, settings }
}

fn default_replicas(object: &Object) -> Value {
    match object.kind.as_str() {
        "DaemonSet" | "Job" | "CronJob" => Value::Null,
        _ => Value::Number(1.0),
    }
}

/// The ServiceAccount and whether its token is mounted.
fn identity(object: &Object, pod: &Node, index: &Index<'_>, settings: &mut Settings) {
    let named = pod.get("serviceAccountName").or_else(|| pod.get("serviceAccount"));
    let account = named.cloned().unwrap_or_else(|| Node::text("default", object.span));
    let name = account.value.as_str().unwrap_or_default().into_owned();
    let on_account = index
        .find("ServiceAccount", object.namespace(), &name, &object.stack)
        .and_then(|account| account.node.get("automountServiceAccountToken").cloned());
    let automount = pod.get("automountServiceAccountToken").cloned().or(on_account);
    settings.put("service_account", account);
    settings.put("automount_token", automount.map_or_else(|| Node::new(Value::Bool(true), object.span), |node| flag(&node)));
}

fn container_settings(containers: &[Container], span: bartizan_model::Span, settings: &mut Settings) {
    let each = |get: fn(&Container) -> Node| containers.iter().map(get).collect::<Vec<_>>();
    // Init containers end before the pod serves, so probes and read-only file systems are asked of the others only.
    let serving = |get: fn(&Container) -> Node| containers.iter().filter(|container| !container.init).map(get).collect::<Vec<_>>();
    let present = |node: &Node| match &node.value {
        Value::Unknown(_) => node.clone(),
        value => Node::new(Value::Bool(!value.is_null()), node.span),
    };
    settings.put("containers", list(containers.iter().map(Container::to_node).collect(), span));
    settings.put("images", list(each(|container| container.image.text.clone()), span));
    settings.put("registries", list(each(|container| container.image.registry.clone()), span));
    settings.put("images_pinned", all(&each(|container| container.image.pinned()), span));
    settings.put("latest_image", any(&each(|container| container.image.latest()), span));
    settings.put("privileged", any(&each(|container| container.privileged.clone()), span));
    settings.put("run_as_root", any(&each(|container| container.run_as_root.clone()), span));
    settings.put("run_as_non_root", all(&each(|container| container.run_as_non_root.clone()), span));
    settings.put("allow_privilege_escalation", any(&each(|container| container.allow_privilege_escalation.clone()), span));
    settings.put("added_capabilities", list(containers.iter().flat_map(|container| container.added.clone()).collect(), span));
    settings.put("drops_all_capabilities", all(&each(|container| container.drops_all.clone()), span));
    settings.put("read_only_root", all(&serving(|container| container.read_only_root.clone()), span));
    let confined = containers.iter().map(|container| match container.seccomp.value.as_str().as_deref() {
        Some("RuntimeDefault" | "Localhost") => Node::new(Value::Bool(true), container.seccomp.span),
        _ if container.seccomp.value.is_unknown() => container.seccomp.clone(),
        _ => Node::new(Value::Bool(false), container.seccomp.span),
    });
    settings.put("seccomp", all(&confined.collect::<Vec<_>>(), span));
    let limits: Vec<Node> = containers.iter().map(|container| present(&container.memory_limit)).collect();
    settings.put("memory_limits", all(&limits, span));
    let requests: Vec<Node> = containers.iter().map(|container| present(&container.cpu_request)).collect();
    settings.put("cpu_requests", all(&requests, span));
    settings.put("liveness_probe", all(&serving(|container| container.liveness.clone()), span));
    settings.put("readiness_probe", all(&serving(|container| container.readiness.clone()), span));
    settings.put("host_ports", list(containers.iter().flat_map(|container| container.host_ports.clone()).collect(), span));
}

/// What the containers are told: literal variables, those from Secrets, and the texts that may name other components.
fn environment_settings(object: &Object, index: &Index<'_>, settings: &mut Settings) {
    let found = variables(object, index);
    let mut environment = indexmap::IndexMap::new();
    let mut mentions = Vec::new();
    for variable in &found.literals {
        if variable.is_environment() {
            environment.entry(variable.name.clone()).or_insert_with(|| variable.node.clone());
        }
        let attribute = Node::text(variable.attribute.as_str(), variable.node.span);
        mentions.push(map([("attribute", attribute), ("text", variable.node.clone())], variable.node.span));
    }
    settings.value("environment", Value::Map(environment));
    settings.put("mentions", list(mentions, object.span));
    settings.put("secrets", list(found.secrets.clone(), object.span));
    settings.put("secrets_in_environment", list(found.secrets_in_environment, object.span));
}

/// Whether policies and budgets of the same files pick the workload.
fn guards(object: &Object, index: &Index<'_>, settings: &mut Settings) {
    let mut covered = |name: &str, holds: &dyn Fn(&Object) -> bool, kind: &str| {
        let policy = index.all(kind, object.namespace()).iter().copied().find(|policy| holds(policy));
        settings.put(name, Node::new(Value::Bool(policy.is_some()), policy.map_or(object.span, |policy| policy.span)));
    };
    covered("network_policy_ingress", &|policy| super::policy::restricts(policy, object, "Ingress"), "NetworkPolicy");
    covered("network_policy_egress", &|policy| super::policy::restricts(policy, object, "Egress"), "NetworkPolicy");
    covered("security_group_policy", &|policy| super::policy::security_groups_apply(policy, object), "SecurityGroupPolicy");
    let budget = |policy: &Object| policy.node.first_at("spec.selector").is_some_and(|selector| matches(selector, object));
    covered("disruption_budget", &budget, "PodDisruptionBudget");
    let scales = |scaler: &Object| {
        text_at(&scaler.node, "spec.scaleTargetRef.name").as_deref() == Some(&object.name)
            && text_at(&scaler.node, "spec.scaleTargetRef.kind").is_none_or(|kind| kind == object.kind)
    };
    covered("autoscaled", &scales, "HorizontalPodAutoscaler");
    let claims =
        list_at(object.pod_spec().unwrap_or(&object.node), "volumes").iter().any(|volume| volume.get("persistentVolumeClaim").is_some());
    let templates = object.node.first_at("spec.volumeClaimTemplates").is_some();
    settings.value("persistent", Value::Bool(claims || templates));
}
