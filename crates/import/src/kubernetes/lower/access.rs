//! Who may do what: ServiceAccounts, roles and bindings.

use bartizan_model::{Kind, Node, Value};

use super::super::object::{Object, list_at, plain_text, text_at};
use super::super::select::Index;
use super::{Lowered, Settings, flag, list, map};

/// The annotation that gives a ServiceAccount an IAM role (IAM roles for service accounts).
pub(in super::super) const ROLE_ANNOTATION: &str = "eks.amazonaws.com/role-arn";

pub(super) fn service_account(object: &Object) -> Lowered {
    let mut settings = Settings::new(object);
    settings.annotation_or("role_arn", object, ROLE_ANNOTATION, Value::Null);
    let automount = object.node.get("automountServiceAccountToken");
    settings.put("automount_token", automount.map_or_else(|| Node::new(Value::Bool(true), object.span), flag));
    Lowered { component_type: "kubernetes.service_account", kind: Kind::Supporting, settings }
}

/// One rule of a role: what it grants.
struct Rule<'a> {
    node: &'a Node,
    groups: Vec<String>,
    resources: Vec<String>,
    verbs: Vec<String>,
}

impl<'a> Rule<'a> {
    fn read(node: &'a Node) -> Self {
        let texts = |path: &str| list_at(node, path).iter().filter_map(plain_text).collect();
        Self { node, groups: texts("apiGroups"), resources: texts("resources"), verbs: texts("verbs") }
    }

    fn verb(&self, wanted: &[&str]) -> bool {
        self.verbs.iter().any(|verb| verb == "*" || wanted.contains(&verb.as_str()))
    }

    fn resource(&self, group: &str, wanted: &[&str]) -> bool {
        self.groups.iter().any(|own| own == "*" || own == group)
            && self.resources.iter().any(|resource| resource == "*" || wanted.contains(&resource.as_str()))
    }

    fn is_everything(&self) -> bool {
        let star = |list: &[String]| list.iter().any(|item| item == "*");
        star(&self.groups) && star(&self.resources) && star(&self.verbs)
    }

    /// Ways to more power than the rule itself names (Kubernetes documentation, "RBAC good practices").
    fn escalations(&self) -> Vec<&'static str> {
        const RBAC: &str = "rbac.authorization.k8s.io";
        let mut out = Vec::new();
        if self.verb(&["escalate"]) && self.resource(RBAC, &["roles", "clusterroles"]) {
            out.push("escalate roles");
        }
        if self.verb(&["bind"]) && self.resource(RBAC, &["roles", "clusterroles"]) {
            out.push("bind roles");
        }
        if self.verb(&["impersonate"]) && (self.resource("", &["users", "groups", "serviceaccounts"])) {
            out.push("impersonate others");
        }
        if self.verb(&["create", "get"]) && self.resource("", &["pods/exec", "pods/attach"]) {
            out.push("run commands in pods");
        }
        let pods = self.resource("", &["pods", "replicationcontrollers"])
            || self.resource("apps", &["deployments", "daemonsets", "statefulsets", "replicasets"])
            || self.resource("batch", &["jobs", "cronjobs"]);
        if self.verb(&["create", "update", "patch"]) && pods {
            out.push("create pods");
        }
        if self.verb(&["create"]) && self.resource("", &["serviceaccounts/token"]) {
            out.push("issue tokens of service accounts");
        }
        if self.verb(&["create", "get"]) && self.resource("", &["nodes/proxy"]) {
            out.push("reach the kubelet through nodes/proxy");
        }
        if self.verb(&["create", "update", "patch"])
            && self.resource("admissionregistration.k8s.io", &["mutatingwebhookconfigurations", "validatingwebhookconfigurations"])
        {
            out.push("change admission webhooks");
        }
        out
    }
}

pub(super) fn role(object: &Object) -> Lowered {
    let mut settings = Settings::new(object);
    let nodes = list_at(&object.node, "rules");
    let rules: Vec<Rule<'_>> = nodes.iter().map(Rule::read).collect();
    settings.put("rules", list(nodes.to_vec(), object.span));
    settings.value("cluster_wide", Value::Bool(object.kind == "ClusterRole"));
    let first = |holds: &dyn Fn(&Rule<'_>) -> bool| {
        let found = rules.iter().find(|rule| holds(rule));
        Node::new(Value::Bool(found.is_some()), found.map_or(object.span, |rule| rule.node.span))
    };
    settings.put("grants_everything", first(&|rule| rule.is_everything()));
    settings.put(
        "wildcards",
        first(&|rule| [&rule.groups, &rule.resources, &rule.verbs].iter().any(|list| list.iter().any(|item| item == "*"))),
    );
    let reads = |rule: &Rule<'_>| {
        rule.verb(&["get", "list", "watch"]) && rule.resource("", &["secrets"]) && rule.node.get("resourceNames").is_none()
    };
    settings.put("reads_secrets", first(&reads));
    let escalations = rules.iter().flat_map(|rule| rule.escalations().into_iter().map(|text| Node::text(text, rule.node.span)));
    settings.put("escalations", list(escalations.collect(), object.span));
    Lowered { component_type: "kubernetes.role", kind: Kind::Supporting, settings }
}

pub(super) fn binding(object: &Object, index: &Index<'_>) -> Lowered {
    let mut settings = Settings::new(object);
    settings.put("role_kind", object.at("roleRef.kind"));
    settings.put("role", object.at("roleRef.name"));
    settings.value("cluster_wide", Value::Bool(object.kind == "ClusterRoleBinding"));
    let subjects = list_at(&object.node, "subjects").iter().map(|subject| {
        let part = |key: &str| subject.get(key).cloned().unwrap_or_else(|| Node::new(Value::Null, subject.span));
        map([("kind", part("kind")), ("name", part("name")), ("namespace", part("namespace"))], subject.span)
    });
    settings.put("subjects", list(subjects.collect(), object.span));
    // What the bound role grants, so that one rule judges binding and role together.
    let role_kind = text_at(&object.node, "roleRef.kind").unwrap_or_default();
    let role_name = text_at(&object.node, "roleRef.name").unwrap_or_default();
    let namespace = if role_kind == "ClusterRole" { super::super::object::DEFAULT_NAMESPACE } else { object.namespace() };
    let found = index.find(&role_kind, namespace, &role_name, &object.stack).map(role);
    for setting in ["grants_everything", "reads_secrets", "escalations"] {
        let known = found.as_ref().and_then(|role| role.settings.map.get(setting).cloned());
        settings.put(setting, known.unwrap_or_else(|| builtin(setting, &role_name, object)));
    }
    Lowered { component_type: "kubernetes.role_binding", kind: Kind::Supporting, settings }
}

/// What the roles grant that every cluster has (Kubernetes documentation, "Using RBAC authorization", user-facing roles).
fn builtin(setting: &str, role: &str, object: &Object) -> Node {
    let span = object.node.first_at("roleRef.name").map_or(object.span, |node| node.span);
    let value = match (setting, role) {
        ("grants_everything", "cluster-admin") | ("reads_secrets", "cluster-admin" | "admin" | "edit") => Value::Bool(true),
        ("grants_everything" | "reads_secrets", "view" | "admin" | "edit") => Value::Bool(false),
        ("escalations", "cluster-admin" | "admin") => {
            Value::List(vec![Node::text("create pods", span), Node::text("run commands in pods", span), Node::text("bind roles", span)])
        }
        ("escalations", "edit") => Value::List(vec![Node::text("create pods", span), Node::text("run commands in pods", span)]),
        ("escalations", "view") => Value::List(Vec::new()),
        _ => Value::unresolved(format!("the role `{role}` is not among the files")),
    };
    Node::new(value, span)
}
