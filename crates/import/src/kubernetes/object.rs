//! One Kubernetes object and how its fields are read.

use bartizan_model::{Address, Node, Span, Value};

/// One object of a cluster.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// `apps`, `networking.k8s.io`; empty for the core group.
    pub(super) group: String,
    /// `Deployment`.
    pub(super) kind: String,
    /// What the source calls it: the kind, or Terraform's resource type.
    pub(super) source_type: String,
    /// `None` for kinds that belong to the cluster.
    pub(super) namespace: Option<String>,
    /// `metadata.name`, or `metadata.generateName`.
    pub(super) name: String,
    /// Folder of the file that declares it, or the release's.
    pub(super) stack: String,
    /// Unique among all objects.
    pub(super) address: Address,
    /// Where it is named.
    pub(super) span: Span,
    /// The whole object.
    pub(super) node: Node,
}

/// Kinds that belong to the cluster and not to a namespace.
const CLUSTER_KINDS: &[&str] = &[
    "APIService",
    "ClusterExternalSecret",
    "ClusterIssuer",
    "ClusterPolicy",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterSecretStore",
    "ConstraintTemplate",
    "CustomResourceDefinition",
    "EC2NodeClass",
    "GatewayClass",
    "IngressClass",
    "IngressClassParams",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "NodeClass",
    "NodePool",
    "PersistentVolume",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
];

/// The namespace of objects that name none.
pub(super) const DEFAULT_NAMESPACE: &str = "default";

impl Object {
    /// An object from a mapping with `apiVersion`, `kind` and a name; `None` for anything else.
    pub(super) fn from_node(node: Node, stack: &str, namespace: Option<&str>) -> Option<Self> {
        let api_version = text_at(&node, "apiVersion")?;
        let kind = text_at(&node, "kind")?;
        let group = api_version.split_once('/').map_or("", |(group, _)| group).to_owned();
        let named = node.first_at("metadata.name").or_else(|| node.first_at("metadata.generateName"))?;
        let name = plain_text(named)?;
        let span = named.span;
        let namespace = if CLUSTER_KINDS.contains(&kind.as_str()) {
            None
        } else {
            let own = text_at(&node, "metadata.namespace").filter(|namespace| !namespace.is_empty());
            Some(own.or_else(|| namespace.map(str::to_owned)).unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned()))
        };
        let address = address(namespace.as_deref(), &kind, &name);
        let source_type = kind.clone();
        Some(Self { group, kind, source_type, namespace, name, stack: stack.to_owned(), address, span, node })
    }

    /// The namespace, `default` where the kind has none.
    pub(super) fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE)
    }

    /// `apps/Deployment`, `Pod`.
    pub(super) fn group_and_kind(&self) -> String {
        if self.group.is_empty() { self.kind.clone() } else { format!("{}/{}", self.group, self.kind) }
    }

    /// The node at a path, or null where the object stands.
    pub(super) fn at(&self, path: &str) -> Node {
        self.node.first_at(path).cloned().unwrap_or_else(|| Node::new(Value::Null, self.span))
    }

    /// An annotation.
    pub(super) fn annotation(&self, name: &str) -> Option<&Node> {
        self.node.get("metadata")?.get("annotations")?.get(name).filter(|node| !node.value.is_null())
    }

    /// True for the kinds that run pods.
    pub(super) fn is_workload(&self) -> bool {
        pod_path(&self.kind).is_some_and(|_| matches!(self.group.as_str(), "" | "apps" | "batch" | "extensions"))
    }

    /// The pod's spec of a workload.
    pub(super) fn pod_spec(&self) -> Option<&Node> {
        self.node.first_at(pod_path(&self.kind)?)
    }

    /// The pod's metadata of a workload.
    pub(super) fn pod_metadata(&self) -> Option<&Node> {
        match self.kind.as_str() {
            "Pod" => self.node.get("metadata"),
            "CronJob" => self.node.first_at("spec.jobTemplate.spec.template.metadata"),
            _ => self.node.first_at("spec.template.metadata"),
        }
    }
}

fn pod_path(kind: &str) -> Option<&'static str> {
    match kind {
        "Pod" => Some("spec"),
        "CronJob" => Some("spec.jobTemplate.spec.template.spec"),
        "Deployment" | "StatefulSet" | "DaemonSet" | "Job" | "ReplicaSet" | "ReplicationController" => Some("spec.template.spec"),
        _ => None,
    }
}

/// `namespace/Kind/name`, or `Kind/name`.
pub(super) fn address(namespace: Option<&str>, kind: &str, name: &str) -> Address {
    match namespace {
        Some(namespace) => Address::new(format!("{namespace}/{kind}/{name}")),
        None => Address::new(format!("{kind}/{name}")),
    }
}

/// A scalar as text. A number that stands where a name is meant is written as it would be read back.
pub(super) fn plain_text(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Unknown(_) => None,
    }
}

/// The scalar at a path as text.
pub(super) fn text_at(node: &Node, path: &str) -> Option<String> {
    node.first_at(path).and_then(plain_text)
}

/// The elements of a list at a path; nothing where it is no list.
pub(super) fn list_at<'a>(node: &'a Node, path: &str) -> &'a [Node] {
    node.first_at(path).and_then(|node| node.value.as_list()).unwrap_or(&[])
}

/// A port number.
pub(super) fn port(node: &Node) -> Option<u16> {
    let number = node.value.as_number()?;
    (number.fract() == 0.0 && (1.0..=65535.0).contains(&number)).then_some(number as u16)
}
