//! One container of a pod, with the pod's defaults applied.

use bartizan_model::{Node, Span, Value};
use indexmap::IndexMap;

use super::super::object::{list_at, plain_text, text_at};
use super::{flag, list, map};

/// A container's effective configuration.
pub(super) struct Container {
    pub(super) name: String,
    pub(super) image: Image,
    pub(super) privileged: Node,
    /// Unknown where the image's own user decides.
    pub(super) run_as_root: Node,
    pub(super) run_as_non_root: Node,
    pub(super) allow_privilege_escalation: Node,
    pub(super) added: Vec<Node>,
    pub(super) drops_all: Node,
    pub(super) read_only_root: Node,
    pub(super) seccomp: Node,
    pub(super) memory_limit: Node,
    pub(super) cpu_request: Node,
    pub(super) liveness: Node,
    pub(super) readiness: Node,
    pub(super) host_ports: Vec<Node>,
    pub(super) ports: Node,
    pub(super) pull_policy: Node,
    pub(super) init: bool,
    pub(super) span: Span,
}

/// An image reference in its parts.
pub(super) struct Image {
    pub(super) text: Node,
    pub(super) registry: Node,
    pub(super) repository: Node,
    pub(super) tag: Node,
    pub(super) digest: Node,
}

impl Container {
    /// Reads a container; `pod` is the pod's spec.
    pub(super) fn read(node: &Node, pod: &Node, init: bool) -> Self {
        let span = node.get("name").map_or(node.span, |name| name.span);
        let null = || Node::new(Value::Null, span);
        let own = |path: &str| node.first_at(&format!("securityContext.{path}"));
        let inherited = |path: &str| own(path).or_else(|| pod.first_at(&format!("securityContext.{path}")));
        let or = |found: Option<&Node>, default: bool| found.map(flag).unwrap_or_else(|| Node::new(Value::Bool(default), span));
        let privileged = or(own("privileged"), false);
        let escalation = match own("allowPrivilegeEscalation") {
            Some(found) => flag(found),
            None if privileged.value.as_bool() == Some(true) => privileged.clone(),
            None => Node::new(Value::Bool(true), span),
        };
        let drops: Vec<&Node> = own("capabilities.drop").and_then(|drop| drop.value.as_list()).unwrap_or(&[]).iter().collect();
        let drops_all = drops
            .iter()
            .find(|item| plain_text(item).is_some_and(|name| name.eq_ignore_ascii_case("all")))
            .map_or_else(|| Node::new(Value::Bool(false), span), |item| Node::new(Value::Bool(true), item.span));
        let probe = |name: &str| Node::new(Value::Bool(node.get(name).is_some()), node.get(name).map_or(span, |probe| probe.span));
        Self {
            name: node.get("name").and_then(plain_text).unwrap_or_default(),
            image: Image::read(node.get("image"), span),
            privileged,
            run_as_root: run_as_root(inherited("runAsUser"), inherited("runAsNonRoot"), span),
            run_as_non_root: or(inherited("runAsNonRoot"), false),
            allow_privilege_escalation: escalation,
            added: own("capabilities.add").and_then(|add| add.value.as_list()).unwrap_or(&[]).to_vec(),
            drops_all,
            read_only_root: or(own("readOnlyRootFilesystem"), false),
            seccomp: inherited("seccompProfile.type").cloned().unwrap_or_else(null),
            memory_limit: node.first_at("resources.limits.memory").cloned().unwrap_or_else(null),
            cpu_request: node.first_at("resources.requests.cpu").or(node.first_at("resources.limits.cpu")).cloned().unwrap_or_else(null),
            liveness: probe("livenessProbe"),
            readiness: probe("readinessProbe"),
            host_ports: list_at(node, "ports").iter().filter_map(|port| port.get("hostPort")).cloned().collect(),
            ports: list(list_at(node, "ports").to_vec(), span),
            pull_policy: node.get("imagePullPolicy").cloned().unwrap_or_else(null),
            init,
            span,
        }
    }

    /// The container as an element of the workload's `containers`.
    pub(super) fn to_node(&self) -> Node {
        let mut members = IndexMap::new();
        let mut put = |name: &str, node: &Node| members.insert(name.to_owned(), node.clone());
        put("name", &Node::text(self.name.as_str(), self.span));
        put("image", &self.image.text);
        put("registry", &self.image.registry);
        put("repository", &self.image.repository);
        put("tag", &self.image.tag);
        put("digest", &self.image.digest);
        put("pull_policy", &self.pull_policy);
        put("ports", &self.ports);
        put("privileged", &self.privileged);
        put("run_as_root", &self.run_as_root);
        put("run_as_non_root", &self.run_as_non_root);
        put("allow_privilege_escalation", &self.allow_privilege_escalation);
        put("added_capabilities", &list(self.added.clone(), self.span));
        put("drops_all_capabilities", &self.drops_all);
        put("read_only_root", &self.read_only_root);
        put("seccomp", &self.seccomp);
        put("memory_limit", &self.memory_limit);
        put("cpu_request", &self.cpu_request);
        put("liveness_probe", &self.liveness);
        put("readiness_probe", &self.readiness);
        put("init", &Node::new(Value::Bool(self.init), self.span));
        Node::new(Value::Map(members), self.span)
    }
}

fn run_as_root(user: Option<&Node>, non_root: Option<&Node>, span: Span) -> Node {
    if let Some(node) = user {
        if node.value.is_unknown() {
            return node.clone();
        }
        if let Some(id) = node.value.as_number() {
            return Node::new(Value::Bool(id == 0.0), node.span);
        }
    }
    match non_root.map(flag) {
        Some(node) if node.value.as_bool() == Some(true) => Node::new(Value::Bool(false), node.span),
        Some(node) if node.value.is_unknown() => node,
        _ => Node::new(Value::unresolved("neither runAsUser nor runAsNonRoot is set, so the user of the image decides"), span),
    }
}

impl Image {
    /// Takes an image reference apart: `registry/repository:tag@digest`.
    fn read(node: Option<&Node>, fallback: Span) -> Self {
        let null = || Node::new(Value::Null, fallback);
        let Some(node) = node else {
            return Self { text: null(), registry: null(), repository: null(), tag: null(), digest: null() };
        };
        let part = |value: Option<&str>| Node::new(value.map_or(Value::Null, |text| Value::Text(text.into())), node.span);
        let Some(text) = node.value.as_str() else {
            // A reference inside: which image it is depends on what is referred to.
            let unknown = || Node::new(Value::unresolved("the image is made from values that the files do not tell"), node.span);
            return Self { text: node.clone(), registry: unknown(), repository: unknown(), tag: unknown(), digest: unknown() };
        };
        let (name, digest) = text.split_once('@').map_or((text.as_ref(), None), |(name, digest)| (name, Some(digest)));
        let (path, tag) = match name.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
            _ => (name, None),
        };
        let (registry, repository) = match path.split_once('/') {
            Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (host, rest),
            _ => ("docker.io", path),
        };
        Self {
            text: node.clone(),
            registry: part(Some(registry)),
            repository: part(Some(repository)),
            tag: part(tag.filter(|tag| !tag.is_empty())),
            digest: part(digest),
        }
    }

    /// True where the reference names a digest, so that it always means the same image.
    pub(super) fn pinned(&self) -> Node {
        if self.digest.value.is_unknown() {
            return self.digest.clone();
        }
        Node::new(Value::Bool(!self.digest.value.is_null()), self.text.span)
    }

    /// True for the tag `latest`, also where it is left out.
    pub(super) fn latest(&self) -> Node {
        if self.tag.value.is_unknown() {
            return self.tag.clone();
        }
        let latest = self.digest.value.is_null() && self.tag.value.as_str().is_none_or(|tag| tag == "latest") && !self.text.value.is_null();
        Node::new(Value::Bool(latest), self.text.span)
    }
}

/// Every container of a pod with whether it is an init container.
pub(in super::super) fn container_nodes(pod: &Node) -> impl Iterator<Item = (&Node, bool)> {
    let main = list_at(pod, "containers").iter().map(|node| (node, false));
    main.chain(list_at(pod, "initContainers").iter().map(|node| (node, true)))
}

/// Host paths that a pod mounts: path and whether every mount of it is read-only.
pub(super) fn host_paths(pod: &Node) -> Vec<Node> {
    let mut out = Vec::new();
    for volume in list_at(pod, "volumes") {
        let Some(path) = volume.first_at("hostPath.path") else { continue };
        let name = text_at(volume, "name").unwrap_or_default();
        let mounts: Vec<&Node> = container_nodes(pod)
            .flat_map(|(container, _)| list_at(container, "volumeMounts"))
            .filter(|mount| text_at(mount, "name").as_deref() == Some(&name))
            .collect();
        let read_only = mounts.iter().all(|mount| mount.get("readOnly").is_some_and(|flag| flag.value.as_bool() == Some(true)));
        out.push(map([("path", path.clone()), ("read_only", Node::new(Value::Bool(read_only), path.span))], path.span));
    }
    out
}
