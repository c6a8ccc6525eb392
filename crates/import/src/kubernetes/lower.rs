//! From objects to components and links.

use std::collections::HashSet;

use bartizan_model::{Address, Component, Kind, Link, Node, Span, Value};
use indexmap::IndexMap;

use super::object::Object;
use super::select::Index;
use super::{flows, relate};

mod access;
mod config;
mod container;
mod environment;
mod policy;
mod route;
mod storage;
mod workload;

pub(super) use environment::{Variable, variables};
pub(super) use policy::{restricts, security_groups_apply, strict_mtls};
pub(super) use route::{service_is_element, service_type};

/// What objects amount to.
pub(super) struct Pods {
    pub(super) components: Vec<Component>,
    pub(super) links: Vec<Link>,
    /// Kinds that become no component, as `group/Kind`, with how many there are.
    pub(super) unknown_kinds: IndexMap<String, usize>,
}

/// Components of all objects and the links between them.
pub(super) fn lower(objects: &[Object]) -> Pods {
    let index = Index::new(objects);
    let mut components = Vec::new();
    let mut unknown_kinds: IndexMap<String, usize> = IndexMap::new();
    for object in objects {
        match component(object, &index) {
            Some(component) => components.push(component),
            None => *unknown_kinds.entry(object.group_and_kind()).or_default() += 1,
        }
    }
    let mut links = relate::links(&index);
    links.extend(flows::links(&index));
    links.sort();
    links.dedup();
    let known: HashSet<&Address> = components.iter().map(|component| &component.address).collect();
    links.retain(|link| known.contains(&link.from) && known.contains(&link.to));
    Pods { components, links, unknown_kinds }
}

/// What a kind becomes.
pub(super) struct Lowered {
    pub(super) component_type: &'static str,
    pub(super) kind: Kind,
    pub(super) settings: Settings,
}

fn component(object: &Object, index: &Index<'_>) -> Option<Component> {
    let lowered = lower_kind(object, index)?;
    let mut settings = lowered.settings;
    if let Some(namespace) = &object.namespace {
        let span = object.node.first_at("metadata.namespace").map_or(object.span, |node| node.span);
        settings.put("namespace", Node::text(namespace.as_str(), span));
    }
    let labels = if object.is_workload() { object.pod_metadata() } else { object.node.get("metadata") };
    let tags = labels.and_then(|metadata| metadata.get("labels")).and_then(|labels| labels.value.as_map()).cloned().unwrap_or_default();
    Some(Component {
        address: object.address.clone(),
        source_type: object.source_type.clone(),
        service: "kubernetes".to_owned(),
        component_type: lowered.component_type.to_owned(),
        kind: lowered.kind,
        name: object.name.clone(),
        name_text: None,
        stack: object.stack.clone(),
        account: None,
        region: None,
        span: Some(object.span),
        settings: settings.map,
        tags,
        exposure: None,
        boundary: None,
        assets: Vec::new(),
    })
}

fn lower_kind(object: &Object, index: &Index<'_>) -> Option<Lowered> {
    if object.is_workload() {
        return Some(workload::lower(object, index));
    }
    Some(match (object.group.as_str(), object.kind.as_str()) {
        ("", "Service") => route::service(object, index),
        ("networking.k8s.io" | "extensions", "Ingress") => route::ingress(object),
        ("gateway.networking.k8s.io" | "networking.istio.io", "Gateway") => route::gateway(object, index),
        ("gateway.networking.k8s.io", "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute" | "UDPRoute") => route::route(object),
        ("networking.istio.io", "VirtualService") => route::route(object),
        ("", "ServiceAccount") => access::service_account(object),
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => access::role(object),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => access::binding(object, index),
        ("", "ConfigMap") => config::config_map(object),
        ("", "Secret") => config::secret(object),
        ("external-secrets.io", "ExternalSecret" | "ClusterExternalSecret") => config::external_secret(object),
        ("external-secrets.io", "SecretStore" | "ClusterSecretStore") => config::secret_source(object),
        ("secrets-store.csi.x-k8s.io", "SecretProviderClass") => config::secret_source(object),
        ("networking.k8s.io", "NetworkPolicy") => policy::network_policy(object),
        ("vpcresources.k8s.aws", "SecurityGroupPolicy") => policy::security_group_policy(object),
        ("security.istio.io", "PeerAuthentication" | "AuthorizationPolicy") => policy::mesh_policy(object),
        ("", "Namespace") => policy::namespace(object, index),
        ("", "ResourceQuota" | "LimitRange") => policy::quota(object),
        ("autoscaling", "HorizontalPodAutoscaler") | ("keda.sh", "ScaledObject") => policy::autoscaler(object),
        ("policy", "PodDisruptionBudget") => policy::disruption_budget(object),
        ("", "PersistentVolumeClaim" | "PersistentVolume") => storage::volume(object),
        ("storage.k8s.io", "StorageClass") => storage::class(object),
        ("karpenter.sh" | "karpenter.k8s.aws" | "eks.amazonaws.com", "NodePool" | "EC2NodeClass" | "NodeClass") => storage::nodes(object),
        _ => return None,
    })
}

/// The settings of one component, under construction.
pub(super) struct Settings {
    map: IndexMap<String, Node>,
    span: Span,
}

impl Settings {
    /// No settings; those that are not written anywhere stand where the object is named.
    pub(super) fn new(object: &Object) -> Self {
        Self { map: IndexMap::new(), span: object.span }
    }

    pub(super) fn put(&mut self, name: &str, node: Node) {
        self.map.insert(name.to_owned(), node);
    }

    pub(super) fn value(&mut self, name: &str, value: Value) {
        self.put(name, Node::new(value, self.span));
    }

    /// What stands at a path of a node, or null.
    pub(super) fn at(&mut self, name: &str, node: &Node, path: &str) {
        let found = node.first_at(path).cloned().unwrap_or_else(|| Node::new(Value::Null, self.span));
        self.put(name, found);
    }

    /// What stands at a path of a node, or what Kubernetes takes where nothing does.
    pub(super) fn at_or(&mut self, name: &str, node: &Node, path: &str, default: Value) {
        let found = node.first_at(path).cloned().unwrap_or_else(|| Node::new(default, self.span));
        self.put(name, found);
    }

    /// An annotation, or what its controller takes where there is none.
    pub(super) fn annotation_or(&mut self, name: &str, object: &Object, annotation: &str, default: Value) {
        let found = object.annotation(annotation).cloned().unwrap_or_else(|| Node::new(default, self.span));
        self.put(name, found);
    }
}

/// A list of nodes as one node that stands where the first does.
pub(super) fn list(items: Vec<Node>, fallback: Span) -> Node {
    let span = items.first().map_or(fallback, |first| first.span);
    Node::new(Value::List(items), span)
}

/// A map from pairs.
pub(super) fn map<const N: usize>(members: [(&str, Node); N], span: Span) -> Node {
    Node::new(Value::Map(members.into_iter().map(|(key, node)| (key.to_owned(), node)).collect()), span)
}

/// A truth value; annotations and chart values often quote theirs.
pub(super) fn flag(node: &Node) -> Node {
    match node.value.as_str().as_deref() {
        Some("true") => Node::new(Value::Bool(true), node.span),
        Some("false") => Node::new(Value::Bool(false), node.span),
        _ => node.clone(),
    }
}

/// True where one of the nodes is, unknown where none is but one is unknown, else false.
pub(super) fn any(nodes: &[Node], fallback: Span) -> Node {
    quantify(nodes, true, fallback)
}

/// False where one of the nodes is, unknown where none is but one is unknown, else true.
pub(super) fn all(nodes: &[Node], fallback: Span) -> Node {
    quantify(nodes, false, fallback)
}

fn quantify(nodes: &[Node], decisive: bool, fallback: Span) -> Node {
    let decides = nodes.iter().find(|node| node.value.as_bool() == Some(decisive));
    let unknown = || nodes.iter().find(|node| node.value.is_unknown());
    decides.or_else(unknown).cloned().unwrap_or_else(|| Node::new(Value::Bool(!decisive), nodes.first().map_or(fallback, |node| node.span)))
}
