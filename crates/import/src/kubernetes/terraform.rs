//! Kubernetes objects that Terraform declares: resources of the providers `kubernetes` (typed ones and `kubernetes_manifest`) and `kubectl`.
//!
//! The typed resources are the objects of the API with other names: `snake_case`, blocks instead of lists and objects, and lists in the singular.
//! So they are turned into the manifest that the provider sends, and read like any other one, under their Terraform addresses.

use bartizan_model::{Address, Diagnostic, Node, Value};
use indexmap::IndexMap;

use super::helm;
use super::object::Object;
use super::parse::{Manifests, unfold};
use crate::resource::{Mode, Resource};

/// Resource types without their prefix and version, with what they make.
const KINDS: &[(&str, &str, &str)] = &[
    ("cluster_role", "rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("cluster_role_binding", "rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("config_map", "v1", "ConfigMap"),
    ("config_map_v1_data", "v1", "ConfigMap"),
    ("cron_job", "batch/v1", "CronJob"),
    ("daemon_set", "apps/v1", "DaemonSet"),
    ("daemonset", "apps/v1", "DaemonSet"),
    ("deployment", "apps/v1", "Deployment"),
    ("horizontal_pod_autoscaler", "autoscaling/v2", "HorizontalPodAutoscaler"),
    ("ingress", "networking.k8s.io/v1", "Ingress"),
    ("job", "batch/v1", "Job"),
    ("limit_range", "v1", "LimitRange"),
    ("namespace", "v1", "Namespace"),
    ("network_policy", "networking.k8s.io/v1", "NetworkPolicy"),
    ("persistent_volume", "v1", "PersistentVolume"),
    ("persistent_volume_claim", "v1", "PersistentVolumeClaim"),
    ("pod", "v1", "Pod"),
    ("pod_disruption_budget", "policy/v1", "PodDisruptionBudget"),
    ("replication_controller", "v1", "ReplicationController"),
    ("resource_quota", "v1", "ResourceQuota"),
    ("role", "rbac.authorization.k8s.io/v1", "Role"),
    ("role_binding", "rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("secret", "v1", "Secret"),
    ("service", "v1", "Service"),
    ("service_account", "v1", "ServiceAccount"),
    ("stateful_set", "apps/v1", "StatefulSet"),
    ("storage_class", "storage.k8s.io/v1", "StorageClass"),
];

/// Versions that end a type's name.
const VERSIONS: &[&str] = &["_v1", "_v1beta1", "_v2", "_v2beta2"];

/// Blocks that stand for the elements of a list, with the list's name where it is not the block's own.
const LISTS: &[(&str, &str)] = &[
    ("allowed_topologies", "allowedTopologies"),
    ("container", "containers"),
    ("egress", "egress"),
    ("env", "env"),
    ("env_from", "envFrom"),
    ("from", "from"),
    ("host_aliases", "hostAliases"),
    ("image_pull_secret", "imagePullSecrets"),
    ("image_pull_secrets", "imagePullSecrets"),
    ("ingress", "ingress"),
    ("init_container", "initContainers"),
    ("items", "items"),
    ("limit", "limits"),
    ("match_expressions", "matchExpressions"),
    ("metric", "metrics"),
    ("path", "paths"),
    ("port", "ports"),
    ("ports", "ports"),
    ("readiness_gate", "readinessGates"),
    ("rule", "rules"),
    ("secret", "secrets"),
    ("sources", "sources"),
    ("subject", "subjects"),
    ("sysctl", "sysctls"),
    ("tls", "tls"),
    ("to", "to"),
    ("toleration", "tolerations"),
    ("topology_spread_constraint", "topologySpreadConstraints"),
    ("volume", "volumes"),
    ("volume_claim_template", "volumeClaimTemplates"),
    ("volume_device", "volumeDevices"),
    ("volume_mount", "volumeMounts"),
];

/// Names that are not spelt by the rule.
const SPELT: &[(&str, &str)] = &[
    ("cluster_ip", "clusterIP"),
    ("cluster_ips", "clusterIPs"),
    ("external_ips", "externalIPs"),
    ("external_traffic_policy", "externalTrafficPolicy"),
    ("host_ip", "hostIP"),
    ("host_ipc", "hostIPC"),
    ("host_pid", "hostPID"),
    ("load_balancer_ip", "loadBalancerIP"),
    ("non_resource_urls", "nonResourceURLs"),
    ("storage_provisioner", "provisioner"),
    ("volume_id", "volumeID"),
];

/// The objects among the resources, and how many resources of which type they were.
pub(super) fn objects(resources: &[Resource], diagnostics: &mut Vec<Diagnostic>) -> (Vec<Object>, IndexMap<String, usize>) {
    let mut out = Vec::new();
    let mut read: IndexMap<String, usize> = IndexMap::new();
    for resource in resources.iter().filter(|resource| resource.mode == Mode::Managed) {
        let objects = match resource.source_type.as_str() {
            "kubernetes_manifest" => {
                resource.body.get("manifest").and_then(|manifest| object(manifest.clone(), resource)).into_iter().collect()
            }
            "kubectl_manifest" => written(resource, diagnostics),
            _ => typed(resource).and_then(|manifest| object(manifest, resource)).into_iter().collect(),
        };
        if !objects.is_empty() {
            *read.entry(resource.source_type.clone()).or_default() += 1;
        }
        out.extend(objects);
    }
    (out, read)
}

/// One object under the address of its resource.
fn object(manifest: Node, resource: &Resource) -> Option<Object> {
    let object = Object::from_node(manifest, &resource.stack, None)?;
    Some(Object { address: Address::new(&resource.address), source_type: resource.source_type.clone(), span: resource.span, ..object })
}

/// The objects of YAML text that may hold references; several documents are told apart by their number.
fn written(resource: &Resource, diagnostics: &mut Vec<Diagnostic>) -> Vec<Object> {
    let Some(node) = resource.body.get("yaml_body") else { return Vec::new() };
    let Some(text) = node.value.as_text() else { return Vec::new() };
    let (documents, problems) = helm::documents_of(text, node.span);
    diagnostics.extend(problems);
    let mut manifests = Manifests::default();
    documents.into_iter().for_each(|document| unfold(document, &resource.stack, None, &mut manifests));
    let address = |index: usize| {
        if index == 0 { Address::new(&resource.address) } else { Address::new(format!("{}#{index}", resource.address)) }
    };
    let objects = manifests.objects.into_iter().enumerate();
    objects
        .map(|(index, object)| Object { address: address(index), source_type: resource.source_type.clone(), span: resource.span, ..object })
        .collect()
}

/// The manifest that a typed resource stands for; `None` for other types.
fn typed(resource: &Resource) -> Option<Node> {
    let name = resource.source_type.strip_prefix("kubernetes_")?;
    let name = VERSIONS.iter().find_map(|version| name.strip_suffix(version)).unwrap_or(name);
    let (_, api_version, kind) = KINDS.iter().find(|(own, ..)| *own == name)?;
    let mut members = body(&resource.body);
    // A volume's source is a block of its own in Terraform.
    if let Some(Value::Map(spec)) = members.get_mut("spec").map(|spec| &mut spec.value)
        && let Some(Node { value: Value::Map(source), .. }) = spec.shift_remove("persistentVolumeSource")
    {
        spec.extend(source);
    }
    members.insert("apiVersion".to_owned(), Node::text(*api_version, resource.span));
    members.insert("kind".to_owned(), Node::text(*kind, resource.span));
    Some(Node::new(Value::Map(members), resource.body.span))
}

/// The members of a block by the names of the API.
fn body(node: &Node) -> IndexMap<String, Node> {
    let Value::Map(members) = &node.value else { return IndexMap::new() };
    let mut out = IndexMap::with_capacity(members.len());
    for (name, member) in members {
        if member.value.is_null() {
            continue;
        }
        let (name, node) = match blocks(member) {
            Some(blocks) => block(name, blocks, member),
            // Maps are labels, data and the like: their keys are the user's.
            None => (spelt(name), member.clone()),
        };
        out.insert(name, node);
    }
    out
}

/// The blocks of a member; `None` where it is an attribute.
fn blocks(member: &Node) -> Option<&[Node]> {
    let items = member.value.as_list()?;
    (!items.is_empty() && items.iter().all(|item| matches!(item.value, Value::Map(_)))).then_some(items)
}

fn block(name: &str, blocks: &[Node], member: &Node) -> (String, Node) {
    let mut objects = blocks.iter().map(|block| Node::new(Value::Map(body(block)), block.span));
    match (LISTS.iter().find(|(own, _)| *own == name), blocks) {
        (None, [_]) => (spelt(name), objects.next().unwrap_or_else(|| Node::new(Value::Null, member.span))),
        // A backend names one port, a container or service several.
        (Some(("port", _)), [only]) if only.get("number").is_some() || (only.get("name").is_some() && is_port_name(only)) => {
            (spelt(name), objects.next().unwrap_or_else(|| Node::new(Value::Null, member.span)))
        }
        // A volume holds one secret, a ServiceAccount lists them.
        (Some(("secret", _)), [only]) if only.get("name").is_none() => {
            (spelt(name), objects.next().unwrap_or_else(|| Node::new(Value::Null, member.span)))
        }
        (Some((_, list)), _) => ((*list).to_owned(), Node::new(Value::List(objects.collect()), member.span)),
        (None, _) => (spelt(name), Node::new(Value::List(objects.collect()), member.span)),
    }
}

/// True for the port of an Ingress' backend that is named: it says nothing but the name.
fn is_port_name(port: &Node) -> bool {
    port.get("container_port").is_none() && port.get("port").is_none()
}

/// `service_account_name` → `serviceAccountName`.
fn spelt(name: &str) -> String {
    if let Some((_, spelt)) = SPELT.iter().find(|(own, _)| *own == name) {
        return (*spelt).to_owned();
    }
    let mut out = String::with_capacity(name.len());
    let mut capital = false;
    for character in name.chars() {
        if character == '_' {
            capital = true;
        } else if std::mem::take(&mut capital) {
            out.extend(character.to_uppercase());
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::spelt;

    #[test]
    fn names_are_those_of_the_api() {
        assert_eq!(spelt("service_account_name"), "serviceAccountName");
        assert_eq!(spelt("load_balancer_ip"), "loadBalancerIP");
    }
}
