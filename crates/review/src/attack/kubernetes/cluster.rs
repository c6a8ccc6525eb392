//! The clusters of a plan as their API sees them: what runs in each, under which service accounts, on which nodes.

use std::collections::BTreeMap;

use bartizan_model::{Address, Component, Node, Relation, Value};

use super::rbac::Rights;
use super::trusted;
use crate::attack::policy;
use crate::attack::query::declared;
use crate::attack::world::World;
use crate::facts::cluster::node_metadata;
use crate::flows::index::Index;
use crate::outcome::Evidence;

/// Stands for the cluster of manifests whose cluster is not in the plan.
const UNKNOWN_CLUSTER: &str = "kubernetes:cluster";

/// Namespace and name.
pub(super) type Key = (String, String);

/// One cluster.
pub(super) struct Cluster<'a> {
    pub(super) address: Address,
    /// Where the plan declares it.
    pub(super) component: Option<&'a Component>,
    pub(super) workloads: Vec<&'a Component>,
    pub(super) accounts: BTreeMap<Key, Account>,
    pub(super) secrets: Vec<&'a Component>,
    pub(super) config_maps: Vec<&'a Component>,
    pub(super) bindings: Vec<&'a Component>,
    pub(super) namespaces: BTreeMap<String, &'a Component>,
    pub(super) nodes: Vec<Nodes<'a>>,
    pub(super) access: Vec<&'a Component>,
    fargate: Vec<&'a Component>,
}

/// A service account.
pub(super) struct Account {
    /// Its component, or an address that stands for one that no file declares.
    pub(super) address: Address,
    pub(super) roles: Vec<AccountRole>,
    pub(super) rights: Rights,
}

/// A role of AWS that a service account takes.
pub(super) struct AccountRole {
    pub(super) role: Address,
    /// True where a token of the account is enough (IRSA); Pod Identity gives it to pods only.
    pub(super) by_token: bool,
    /// What its trust asks for besides and the plan does not tell.
    pub(super) conditions: Vec<String>,
    pub(super) shown: Vec<Evidence>,
}

/// Machines of one kind that pods run on.
pub(super) struct Nodes<'a> {
    pub(super) component: &'a Component,
    pub(super) roles: Vec<Address>,
    /// Whether pods get an answer of the metadata service; `None` where the plan does not tell.
    pub(super) metadata: Option<bool>,
    pub(super) shown: Vec<Evidence>,
    labels: BTreeMap<String, String>,
}

/// Reads every cluster that something of the plan runs in, sorted by address.
pub(super) fn read<'a>(index: &Index<'a>, world: &World<'a>) -> Vec<Cluster<'a>> {
    let scopes = Scopes::read(index);
    let mut found: BTreeMap<Address, Cluster<'a>> = BTreeMap::new();
    for component in index.architecture.components.values() {
        let is_node = is_node(index, component);
        if !matches!(component.service.as_str(), "kubernetes" | "eks") && !is_node {
            continue;
        }
        let address = scopes.of(index, component);
        let cluster = found.entry(address).or_insert_with_key(|address| Cluster {
            address: address.clone(),
            component: index.component(address),
            workloads: Vec::new(),
            accounts: BTreeMap::new(),
            secrets: Vec::new(),
            config_maps: Vec::new(),
            bindings: Vec::new(),
            namespaces: BTreeMap::new(),
            nodes: Vec::new(),
            access: Vec::new(),
            fargate: Vec::new(),
        });
        match component.component_type.as_str() {
            "kubernetes.workload" => cluster.workloads.push(component),
            "kubernetes.secret" => cluster.secrets.push(component),
            "kubernetes.config_map" => cluster.config_maps.push(component),
            "kubernetes.role_binding" => cluster.bindings.push(component),
            "kubernetes.namespace" => {
                cluster.namespaces.insert(component.name.clone(), component);
            }
            "eks.fargate_profile" => cluster.fargate.push(component),
            "eks.access_entry" | "eks.access_policy_association" | "eks.pod_identity_association" => cluster.access.push(component),
            "kubernetes.service_account" => {
                let key = (namespace(component), component.name.clone());
                let mut roles = annotated(index, world, component);
                let account = cluster.account(key);
                account.address = component.address.clone();
                account.roles.append(&mut roles);
            }
            _ if is_node => cluster.nodes.push(nodes(index, component)),
            _ => {}
        }
    }
    let only = found.len() == 1;
    let mut clusters: Vec<Cluster<'a>> = found.into_values().collect();
    for cluster in &mut clusters {
        cluster.complete(index);
        trusted::join(cluster, index, world, only);
    }
    clusters
}

impl<'a> Cluster<'a> {
    /// The service account of that namespace and name, entered where it is new.
    pub(super) fn account(&mut self, key: Key) -> &mut Account {
        let new = Account { address: self.address_of(&key), roles: Vec::new(), rights: Rights::default() };
        self.accounts.entry(key).or_insert(new)
    }

    /// The address of a service account, whether or not a file declares it.
    pub(super) fn address_of(&self, key: &Key) -> Address {
        let own = self.component.map_or_else(String::new, |cluster| format!("{}:", cluster.address));
        let new = || Address::new(format!("{own}{}/ServiceAccount/{}", key.0, key.1));
        self.accounts.get(key).map_or_else(new, |account| account.address.clone())
    }

    /// Accounts that only workloads and associations name.
    fn complete(&mut self, index: &Index<'a>) {
        for workload in self.workloads.clone() {
            self.account(account_of(workload));
        }
        for association in self.access.clone() {
            let (Some(namespace), Some(name)) = (association.text("namespace"), association.text("service_account")) else { continue };
            let roles = index.follow(&association.address, "gives_role");
            let shown = |role: &Component| declared(association, &format!("it gives `{}` to `{namespace}/{name}`", role.address));
            let roles: Vec<AccountRole> = roles
                .into_iter()
                .map(|role| AccountRole { role: role.address.clone(), by_token: false, conditions: Vec::new(), shown: shown(role) })
                .collect();
            self.account((namespace.clone(), name.clone())).roles.extend(roles);
        }
    }

    /// Whether a namespace keeps pods out that could leave for their node; `None` where no file declares it or it is not known.
    ///
    /// Source: Kubernetes documentation, "Pod Security Standards": `baseline` refuses all that leads to the node.
    pub(super) fn keeps_in(&self, space: &str) -> Option<bool> {
        let declared = self.namespaces.get(space)?;
        match declared.setting("pod_security_enforce").map(|node| node.value.as_str()) {
            None => Some(false),
            Some(standard) => standard.map(|standard| matches!(standard.as_ref(), "baseline" | "restricted")),
        }
    }

    /// True where AWS runs all pods of a namespace on machines of their own, whatever their labels.
    pub(super) fn is_fargate_only(&self, space: &str) -> bool {
        let mut selectors = self.fargate.iter().filter_map(|profile| profile.setting("selectors")?.value.as_list()).flatten();
        selectors.any(|selector| {
            let own = selector.get("namespace").and_then(|node| node.value.as_str());
            own.is_some_and(|own| own == space) && selector.get("labels").map(map).unwrap_or_default().is_empty()
        })
    }

    /// True where AWS runs the pods on machines of their own.
    pub(super) fn on_fargate(&self, workload: &Component) -> bool {
        let labels = labels(workload, "labels");
        let mut selectors = self.fargate.iter().filter_map(|profile| profile.setting("selectors")?.value.as_list()).flatten();
        selectors.any(|selector| {
            let own = selector.get("namespace").and_then(|node| node.value.as_str());
            let wanted = selector.get("labels").map(map).unwrap_or_default();
            own.is_some_and(|own| own == namespace(workload))
                && wanted.iter().all(|(key, value)| labels.get(key).is_some_and(|label| label == value))
        })
    }

    /// Nodes that pods of a workload may run on.
    pub(super) fn nodes_of(&self, workload: &Component) -> impl Iterator<Item = &Nodes<'a>> {
        let wanted = labels(workload, "node_selector");
        let fargate = self.on_fargate(workload);
        let tolerations = workload.setting("tolerations");
        let excluded = move |nodes: &Nodes<'_>| {
            wanted.iter().any(|(key, value)| nodes.labels.get(key).is_some_and(|label| label != value)) || keeps_away(nodes, tolerations)
        };
        self.nodes.iter().filter(move |nodes| !fargate && !excluded(nodes))
    }
}

/// True where a taint of nodes certainly keeps pods with these tolerations away.
///
/// Source: Kubernetes documentation, "Taints and Tolerations".
fn keeps_away(nodes: &Nodes<'_>, tolerations: Option<&Node>) -> bool {
    let taints = nodes.component.setting("taints").and_then(|node| node.value.as_list()).unwrap_or_default();
    let tolerations = match tolerations.map(|node| &node.value) {
        None => &[],
        Some(Value::List(items)) => items.as_slice(),
        Some(_) => return false,
    };
    let part = |node: &Node, name: &str| node.get(name).filter(|node| !node.value.is_null()).map(|node| node.value.as_str().map(plain));
    taints.iter().any(|taint| {
        // EKS writes NO_SCHEDULE, Kubernetes NoSchedule.
        let effect = part(taint, "effect").flatten();
        let keeps = matches!(effect.as_deref(), Some("noschedule" | "noexecute"));
        // What is not said fits every taint, and so may what is not known.
        let fits = |toleration: &Node, name: &str| match (part(toleration, name), part(taint, name)) {
            (Some(Some(own)), Some(Some(taint))) => own == taint,
            (Some(Some(own)), None) => own.is_empty(),
            _ => true,
        };
        let tolerated = |toleration: &Node| {
            let exists = part(toleration, "operator").flatten().as_deref() == Some("exists");
            fits(toleration, "key") && fits(toleration, "effect") && (exists || fits(toleration, "value"))
        };
        keeps && !tolerations.iter().any(tolerated)
    })
}

/// A word without case and underscores.
fn plain(text: std::borrow::Cow<'_, str>) -> String {
    text.replace('_', "").to_ascii_lowercase()
}

/// Namespace and service account of a workload.
pub(super) fn account_of(workload: &Component) -> Key {
    (namespace(workload), workload.text("service_account").unwrap_or_else(|| "default".to_owned()))
}

/// The namespace that an object lies in.
pub(super) fn namespace(component: &Component) -> String {
    component.text("namespace").unwrap_or_else(|| "default".to_owned())
}

fn labels(component: &Component, setting: &str) -> BTreeMap<String, String> {
    component.setting(setting).map(map).unwrap_or_default()
}

fn map(node: &Node) -> BTreeMap<String, String> {
    let members = node.value.as_map().into_iter().flatten();
    members.filter_map(|(key, node)| Some((key.clone(), node.value.as_str()?.into_owned()))).collect()
}

/// The role that a service account is annotated with.
fn annotated(index: &Index<'_>, world: &World<'_>, account: &Component) -> Vec<AccountRole> {
    let Some(node) = account.setting("role_arn") else { return Vec::new() };
    let Some(text) = node.value.as_text() else { return Vec::new() };
    let referred = text.references().map(|(address, _)| Address::new(address));
    let referred = referred.filter_map(|address| index.component(&address)).find(|component| component.component_type == "iam.role");
    let named = || world.named(&policy::text(text)).into_iter().next().and_then(|address| index.component(address));
    let shown = |role: &Component| vec![Evidence { span: node.span, text: format!("`{}` takes `{}`", account.address, role.address) }];
    let role = referred.or_else(named);
    role.map(|role| AccountRole { role: role.address.clone(), by_token: true, conditions: Vec::new(), shown: shown(role) })
        .into_iter()
        .collect()
}

/// Node groups, what Karpenter starts, and groups of machines that belong to a cluster by their tag or start script.
fn is_node(index: &Index<'_>, component: &Component) -> bool {
    match component.component_type.as_str() {
        "eks.node_group" => true,
        "kubernetes.node_pool" => component.setting("role").is_some(),
        "autoscaling.group" => own_cluster(index, component).is_some(),
        _ => false,
    }
}

/// The cluster that a group of machines, or its template, is tagged for or told of.
fn own_cluster<'a>(index: &Index<'a>, group: &Component) -> Option<&'a Component> {
    const TAG: &str = "kubernetes.io/cluster/";
    let mut parts = index.follow(&group.address, "configured_by");
    parts.extend(index.component(&group.address));
    let told = parts.iter().flat_map(|part| index.from(&part.address)).filter(|link| link.relation == Relation::Mentions);
    let told = told.filter_map(|link| index.component(&link.to)).find(|target| target.component_type == "eks.cluster");
    let tags = || parts.iter().flat_map(|part| part.tags.keys()).find_map(|key| key.strip_prefix(TAG));
    told.or_else(|| {
        let name = tags()?;
        let mut clusters = index.architecture.components.values().filter(|cluster| cluster.component_type == "eks.cluster");
        clusters.find(|cluster| cluster.name == name || name.contains(cluster.address.as_str()))
    })
}

fn nodes<'a>(index: &Index<'a>, component: &'a Component) -> Nodes<'a> {
    let mut roles: Vec<Address> = index.principals_of(&component.address).into_iter().map(|(role, _)| role.address.clone()).collect();
    let (metadata, span) = if component.component_type == "kubernetes.node_pool" {
        roles.extend(named_role(index, component));
        let hops = component.setting("metadata_hop_limit").and_then(|node| node.value.as_number());
        let tokens = component.setting("metadata_http_tokens");
        let optional = tokens.is_some_and(|node| node.value.as_str().as_deref() == Some("optional"));
        // Karpenter asks for a token and allows one hop where nothing is written.
        (Some(optional || hops.is_some_and(|hops| hops > 1.0)), tokens.map(|node| node.span).or(component.span))
    } else {
        node_metadata(index, component)
    };
    let text = "pods on these nodes get an answer of the instance metadata service";
    Nodes {
        component,
        roles,
        metadata,
        shown: span.or(component.span).map(|span| Evidence { span, text: text.to_owned() }).into_iter().collect(),
        labels: labels(component, "labels"),
    }
}

fn named_role(index: &Index<'_>, pool: &Component) -> Option<Address> {
    let text = pool.setting("role")?.value.as_text()?;
    let referred = text.references().map(|(address, _)| Address::new(address)).find(|address| index.component(address).is_some());
    referred.or_else(|| {
        let name = text.known()?;
        let mut roles = index.architecture.components.values().filter(|role| role.component_type == "iam.role");
        roles.find(|role| role.name == name).map(|role| role.address.clone())
    })
}

/// Which cluster things belong to.
struct Scopes {
    clusters: Vec<Address>,
    /// By folder: the cluster of what lies in it, where there is only one.
    by_stack: BTreeMap<String, Option<Address>>,
}

impl Scopes {
    fn read(index: &Index<'_>) -> Self {
        let components = || index.architecture.components.values();
        let clusters = components().filter(|component| component.component_type == "eks.cluster");
        let clusters: Vec<Address> = clusters.map(|cluster| cluster.address.clone()).collect();
        let mut by_stack: BTreeMap<String, Option<Address>> = BTreeMap::new();
        for component in components().filter(|component| component.service == "kubernetes") {
            if let Some(cluster) = linked(index, component) {
                let known = by_stack.entry(component.stack.clone()).or_insert_with(|| Some(cluster.clone()));
                if known.as_ref() != Some(&cluster) {
                    *known = None;
                }
            }
        }
        Self { clusters, by_stack }
    }

    fn of(&self, index: &Index<'_>, component: &Component) -> Address {
        if component.component_type == "eks.cluster" {
            return component.address.clone();
        }
        let by_stack = || self.by_stack.get(&component.stack).cloned().flatten();
        let only = || self.clusters.first().filter(|_| self.clusters.len() == 1).cloned();
        let tagged = || own_cluster(index, component).map(|cluster| cluster.address.clone());
        linked(index, component).or_else(tagged).or_else(by_stack).or_else(only).unwrap_or_else(|| {
            // Of several clusters none is guessed: what lies in one folder stays together.
            if self.clusters.is_empty() { Address::new(UNKNOWN_CLUSTER) } else { Address::new(format!("kubernetes:{}", component.stack)) }
        })
    }
}

fn linked(index: &Index<'_>, component: &Component) -> Option<Address> {
    let parts = index.follow(&component.address, "part_of");
    parts.into_iter().find(|part| part.component_type == "eks.cluster").map(|cluster| cluster.address.clone())
}
