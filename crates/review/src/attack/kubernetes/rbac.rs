//! Rights inside a cluster: the rules of roles, what bindings grant of them, and the question whether somebody may do something.
//!
//! Source: Kubernetes documentation, "Using RBAC Authorization" and "Role Based Access Control Good Practices".

use std::rc::Rc;

use bartizan_model::{Address, Component, Node, Span};

use crate::facts::read::texts;
use crate::outcome::Evidence;

/// The API group of roles and bindings.
pub(super) const RBAC: &str = "rbac.authorization.k8s.io";

/// One rule of a role.
#[derive(Debug, Default)]
pub(super) struct Rule {
    groups: Vec<String>,
    resources: Vec<String>,
    verbs: Vec<String>,
    /// Names that it is limited to; empty: all.
    names: Vec<String>,
    span: Option<Span>,
}

impl Rule {
    fn read(node: &Node) -> Self {
        let list = |key: &str| node.get(key).map_or_else(Vec::new, |node| texts(node).map(ToString::to_string).collect());
        Self {
            groups: list("apiGroups"),
            resources: list("resources"),
            verbs: list("verbs"),
            names: list("resourceNames"),
            span: Some(node.span),
        }
    }

    fn of(groups: &[&str], resources: &[&str], verbs: &[&str]) -> Self {
        let owned = |list: &[&str]| list.iter().map(|item| (*item).to_owned()).collect();
        Self { groups: owned(groups), resources: owned(resources), verbs: owned(verbs), names: Vec::new(), span: None }
    }

    /// Everything, cluster-wide where it is bound so.
    pub(super) fn everything() -> Self {
        Self::of(&["*"], &["*"], &["*"])
    }

    fn is_everything(&self) -> bool {
        let star = |list: &[String]| list.iter().any(|item| item == "*");
        star(&self.groups) && star(&self.resources) && star(&self.verbs) && self.names.is_empty()
    }

    fn verb(&self, wanted: &[&str]) -> bool {
        self.verbs.iter().any(|verb| verb == "*" || wanted.contains(&verb.as_str()))
    }

    /// A subresource is named with its resource (`pods/exec`); `*` covers both, `*/exec` the subresource of all.
    fn resource(&self, group: &str, wanted: &str) -> bool {
        let sub = wanted.split_once('/').map(|(_, sub)| sub);
        let covers = |own: &String| own == "*" || own == wanted || sub.is_some_and(|sub| own.strip_prefix("*/") == Some(sub));
        self.groups.iter().any(|own| own == "*" || own == group) && self.resources.iter().any(covers)
    }

    /// Its verbs, sorted.
    pub(super) fn verbs(&self) -> Vec<String> {
        sorted(self.verbs.iter().cloned())
    }

    /// What it is on, sorted, as kubectl writes it: `secrets`, `deployments.apps`, `pods/exec`; `*` for everything.
    pub(super) fn objects(&self) -> Vec<String> {
        let object = |group: &String, resource: &String| match (group.as_str(), resource.as_str()) {
            ("*", "*") => "*".to_owned(),
            ("", "*") => "*.core".to_owned(),
            ("", resource) => resource.to_owned(),
            (group, resource) => match resource.split_once('/') {
                Some((resource, sub)) => format!("{resource}.{group}/{sub}"),
                None => format!("{resource}.{group}"),
            },
        };
        sorted(self.groups.iter().flat_map(|group| self.resources.iter().map(move |resource| object(group, resource))))
    }

    /// Names that it is limited to; none where it is on all.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Where it is written; `None` for what every cluster has.
    pub(super) fn span(&self) -> Option<Span> {
        self.span
    }

    fn words(&self) -> String {
        format!("allows `{}` on `{}`", self.verbs.join(", "), self.resources.join(", "))
    }
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.collect();
    texts.sort();
    texts.dedup();
    texts
}

/// The rules of a role of the files.
pub(super) fn rules(role: &Component) -> Vec<Rc<Rule>> {
    let items = role.setting("rules").and_then(|node| node.value.as_list()).unwrap_or_default();
    items.iter().map(|node| Rc::new(Rule::read(node))).collect()
}

/// The rules of the roles that every cluster has; empty for names that are not among them.
pub(super) fn built_in(role: &str) -> Vec<Rc<Rule>> {
    const READ: &[&str] = &["get", "list", "watch"];
    const WRITE: &[&str] = &["create", "update", "patch", "delete"];
    const PODS: &[&str] = &["pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"];
    const CORE: &[&str] = &["configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "serviceaccounts", "services"];
    let view = || {
        [
            Rule::of(&[""], CORE, READ),
            Rule::of(&["apps"], &["daemonsets", "deployments", "replicasets", "statefulsets"], READ),
            Rule::of(&["batch"], &["cronjobs", "jobs"], READ),
        ]
    };
    let edit = || {
        [
            Rule::of(&[""], PODS, WRITE),
            Rule::of(&[""], PODS, READ),
            Rule::of(&[""], &["secrets"], READ),
            Rule::of(&[""], &["configmaps", "replicationcontrollers", "secrets", "serviceaccounts", "services"], WRITE),
            Rule::of(&[""], &["serviceaccounts"], &["impersonate"]),
            Rule::of(&[""], &["serviceaccounts/token"], &["create"]),
            Rule::of(&["apps"], &["daemonsets", "deployments", "replicasets", "statefulsets"], WRITE),
            Rule::of(&["batch"], &["cronjobs", "jobs"], WRITE),
        ]
    };
    let found: Vec<Rule> = match role {
        "cluster-admin" => vec![Rule::everything()],
        "admin" | "edit" => view().into_iter().chain(edit()).collect(),
        "view" => view().into(),
        _ => Vec::new(),
    };
    found.into_iter().map(Rc::new).collect()
}

/// The rules of an EKS access policy, by its name.
///
/// Source: EKS user guide, "Review access policy permissions".
pub(super) fn access_policy(name: &str) -> Vec<Rc<Rule>> {
    match name {
        "AmazonEKSClusterAdminPolicy" => built_in("cluster-admin"),
        "AmazonEKSAdminPolicy" => built_in("admin"),
        "AmazonEKSEditPolicy" => built_in("edit"),
        "AmazonEKSViewPolicy" => built_in("view"),
        "AmazonEKSAdminViewPolicy" => vec![Rc::new(Rule::of(&["*"], &["*"], &["get", "list", "watch"]))],
        "AmazonEKSSecretReaderPolicy" => vec![Rc::new(Rule::of(&[""], &["secrets"], &["get", "list", "watch"]))],
        _ => Vec::new(),
    }
}

/// What a right comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RoleKind {
    /// A role of one namespace.
    Role,
    /// A role of the cluster.
    ClusterRole,
    /// An access policy of EKS, or a group of the system; no object of the cluster.
    Other,
}

/// A rule that somebody holds.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) rule: Rc<Rule>,
    /// Where it holds; `None`: in every namespace and for what lies in none.
    pub(super) namespace: Option<String>,
    /// The role that it comes from.
    pub(super) role: String,
    /// The component of that role, where the files declare it.
    pub(super) declared: Option<Address>,
    pub(super) kind: RoleKind,
    /// The binding, or what else gives it.
    pub(super) shown: Vec<Evidence>,
}

impl Grant {
    fn evidence(&self) -> Vec<Evidence> {
        let mut out = self.shown.clone();
        out.extend(self.rule.span.map(|span| Evidence { span, text: format!("`{}` {}", self.role, self.rule.words()) }));
        out
    }

    fn holds_in(&self, namespace: Option<&str>) -> bool {
        self.namespace.is_none() || self.namespace.as_deref() == namespace
    }
}

/// What a right is asked on.
#[derive(Clone, Copy)]
pub(super) enum Name<'n> {
    /// Any object whatever: a rule that is limited to names does not do.
    Any,
    /// One object.
    Of(&'n str),
    /// A pod of a workload: its name begins with the workload's.
    PodOf(&'n str),
    /// Some object: a rule that is limited to names will do.
    Some,
}

impl Name<'_> {
    fn fits(self, rule: &Rule) -> bool {
        let pod_of =
            |name: &String, workload: &str| name.strip_prefix(workload).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        rule.names.is_empty()
            || match self {
                Name::Any => false,
                Name::Some => true,
                Name::Of(wanted) => rule.names.iter().any(|name| name == wanted),
                Name::PodOf(workload) => rule.names.iter().any(|name| pod_of(name, workload)),
            }
    }
}

/// Everything that somebody holds in a cluster.
#[derive(Clone, Debug, Default)]
pub(super) struct Rights {
    pub(super) grants: Vec<Grant>,
}

impl Rights {
    /// What shows that a verb (one of several) is allowed on a resource; `None` where it is not.
    pub(super) fn may(
        &self,
        verbs: &[&str],
        group: &str,
        resource: &str,
        namespace: Option<&str>,
        name: Name<'_>,
    ) -> Option<Vec<Evidence>> {
        let allows = |grant: &&Grant| {
            grant.holds_in(namespace) && grant.rule.verb(verbs) && grant.rule.resource(group, resource) && name.fits(&grant.rule)
        };
        self.grants.iter().find(allows).map(Grant::evidence)
    }

    /// What shows that everything is allowed everywhere.
    pub(super) fn everything(&self) -> Option<Vec<Evidence>> {
        self.grants.iter().find(|grant| grant.namespace.is_none() && grant.rule.is_everything()).map(Grant::evidence)
    }

    /// Roles that it holds by rules of the files.
    pub(super) fn roles(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter()
    }

    /// Namespaces that its grants name.
    pub(super) fn namespaces(&self) -> Vec<&str> {
        let mut out: Vec<&str> = self.grants.iter().filter_map(|grant| grant.namespace.as_deref()).collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// True where some grant holds in every namespace.
    pub(super) fn is_wide(&self) -> bool {
        self.grants.iter().any(|grant| grant.namespace.is_none())
    }
}
