//! What somebody gains by rights inside a cluster: one detector per way.

use std::collections::BTreeSet;
use std::rc::Rc;

use bartizan_model::{Address, Component};

use super::cluster::{Account, Cluster, namespace};
use super::rbac::{Grant, Name, RBAC, Rights, RoleKind, Rule};
use crate::attack::graph::{Fact, Operation};
use crate::catalogue::attack::{Detector, Gain, Primitive};
use crate::outcome::Evidence;

/// What makes pods: API group, resource, kind.
const PODS: &[(&str, &str, &str)] = &[
    ("", "pods", "Pod"),
    ("", "replicationcontrollers", "ReplicationController"),
    ("apps", "daemonsets", "DaemonSet"),
    ("apps", "deployments", "Deployment"),
    ("apps", "replicasets", "ReplicaSet"),
    ("apps", "statefulsets", "StatefulSet"),
    ("batch", "cronjobs", "CronJob"),
    ("batch", "jobs", "Job"),
];

/// What is not changed once it is there, but for the image of a pod.
const FIXED: &[&str] = &["pods", "jobs"];

/// The namespace of the cluster's own parts; privileged pods run in it, so no standard keeps them out.
const SYSTEM: &str = "kube-system";

/// The signer of certificates that name clients of the API.
const CLIENT_SIGNERS: &[&str] = &["kubernetes.io/kube-apiserver-client", "kubernetes.io/*"];

const CHANGE: &[&str] = &["update", "patch"];
const WRITE: &[&str] = &["create", "update", "patch"];
const READ: &[&str] = &["get", "list", "watch"];

/// A fact with what shows it.
pub(in super::super) struct Gained {
    pub(in super::super) fact: Fact,
    pub(in super::super) evidence: Vec<Evidence>,
    pub(in super::super) conditions: Vec<String>,
}

impl Gained {
    pub(super) fn new(fact: Fact, evidence: Vec<Evidence>) -> Self {
        Self { fact, evidence, conditions: Vec::new() }
    }
}

/// What detectors look at.
pub(super) struct Scene<'s, 'a> {
    pub(super) cluster: &'s Cluster<'a>,
    /// Components whose configuration holds a credential.
    pub(super) holders: &'s BTreeSet<Address>,
}

impl Scene<'_, '_> {
    /// Everything that a primitive gives to the holder of rights.
    pub(super) fn gains(&self, primitive: &Primitive, detector: Detector, rights: &Rights) -> Vec<Gained> {
        match detector {
            Detector::PodExec => self.in_pods(rights, &["create", "get"], "pods/exec"),
            Detector::PodEphemeralContainer => self.in_pods(rights, CHANGE, "pods/ephemeralcontainers"),
            Detector::PodCreate => self.pod_create(rights),
            Detector::PodCreatePrivileged => self.pod_create_privileged(rights),
            Detector::WorkloadUpdate => self.workload_update(rights),
            Detector::WorkloadRead => self.workload_read(rights),
            Detector::ServiceAccountToken => self.tokens(rights),
            Detector::SecretRead => self.secrets(primitive, rights),
            Detector::ConfigMapRead => self.config_maps(rights),
            Detector::RoleBind => self.administers(bind(rights)),
            Detector::RoleEscalate => self.administers(escalate(rights)),
            Detector::Impersonate => self.impersonate(rights),
            Detector::CertificateApprove => self.certificate(rights),
            Detector::NodeProxy => self.node_proxy(rights),
            Detector::AdmissionWebhookWrite => {
                self.administers(rights.may(WRITE, "admissionregistration.k8s.io", "mutatingwebhookconfigurations", None, Name::Some))
            }
            Detector::AwsAuthUpdate => self.aws_auth(rights),
            // No rights of the cluster are needed for these.
            Detector::PodNodeMetadata
            | Detector::NodeServiceAccounts
            | Detector::TaskInstanceMetadata
            | Detector::MetadataRequestForgery => Vec::new(),
        }
    }

    fn administers(&self, evidence: Option<Vec<Evidence>>) -> Vec<Gained> {
        let fact = Fact::Cluster(self.cluster.address.clone());
        evidence.map(|evidence| Gained::new(fact, evidence)).into_iter().collect()
    }

    fn in_pods(&self, rights: &Rights, verbs: &[&str], resource: &str) -> Vec<Gained> {
        let may = |workload: &&Component| {
            let evidence = rights.may(verbs, "", resource, Some(&namespace(workload)), Name::PodOf(&workload.name))?;
            Some(Gained::new(Fact::Code(workload.address.clone()), evidence))
        };
        self.cluster.workloads.iter().filter_map(may).collect()
    }

    /// A new pod has the account that its creator names, and mounts what lies in its namespace.
    fn pod_create(&self, rights: &Rights) -> Vec<Gained> {
        let mut out = Vec::new();
        for ((space, _), account) in &self.cluster.accounts {
            if let Some(evidence) = creates(rights, space) {
                out.extend(becomes(account, &evidence, true));
            }
        }
        for secret in &self.cluster.secrets {
            if let Some(evidence) = creates(rights, &namespace(secret)) {
                out.extend(self.of_secret(secret, &evidence));
                if self.holders.contains(&secret.address) {
                    out.push(Gained::new(Fact::Configuration(secret.address.clone()), evidence));
                }
            }
        }
        out
    }

    fn pod_create_privileged(&self, rights: &Rights) -> Vec<Gained> {
        let mut spaces = rights.namespaces();
        if rights.is_wide() {
            spaces.insert(0, SYSTEM);
        }
        let found = spaces.into_iter().find_map(|space| {
            let evidence = creates(rights, space).or_else(|| self.changes(rights, space))?;
            let kept = if space == SYSTEM { Some(false) } else { self.cluster.keeps_in(space) };
            if kept == Some(true) || self.cluster.is_fargate_only(space) {
                return None;
            }
            Some((evidence, kept.is_none().then(|| format!("the namespace `{space}` enforces no pod security standard"))))
        });
        let Some((evidence, condition)) = found else { return Vec::new() };
        let nodes = self.cluster.nodes.iter().map(|nodes| Gained {
            fact: Fact::Code(nodes.component.address.clone()),
            evidence: evidence.clone(),
            conditions: condition.iter().cloned().collect(),
        });
        nodes.collect()
    }

    /// Rewriting what makes pods gives other pods, where there is something to rewrite.
    fn changes(&self, rights: &Rights, space: &str) -> Option<Vec<Evidence>> {
        let makers = || PODS.iter().filter(|(_, resource, _)| !FIXED.contains(resource));
        let own = self.cluster.workloads.iter().filter(|workload| namespace(workload) == space).find_map(|workload| {
            let kind = workload.text("workload_kind")?;
            let mut makers = makers().filter(|(_, _, own)| *own == kind);
            makers.find_map(|(group, resource, _)| rights.may(CHANGE, group, resource, Some(space), Name::Of(&workload.name)))
        });
        // Every cluster of EKS has some of its own.
        let system = || {
            let mut makers = makers().filter(|(_, _, kind)| space == SYSTEM && matches!(*kind, "DaemonSet" | "Deployment"));
            makers.find_map(|(group, resource, _)| rights.may(CHANGE, group, resource, Some(space), Name::Any))
        };
        own.or_else(system)
    }

    fn workload_update(&self, rights: &Rights) -> Vec<Gained> {
        let may = |workload: &&Component| {
            let kind = workload.text("workload_kind")?;
            let space = namespace(workload);
            let own = PODS.iter().filter(|(_, resource, own)| *own == kind && !FIXED.contains(resource));
            let mut own =
                own.filter_map(|(group, resource, _)| rights.may(CHANGE, group, resource, Some(&space), Name::Of(&workload.name)));
            // The image of a running pod can be changed.
            let evidence = own.next().or_else(|| rights.may(CHANGE, "", "pods", Some(&space), Name::PodOf(&workload.name)))?;
            Some(Gained::new(Fact::Code(workload.address.clone()), evidence))
        };
        self.cluster.workloads.iter().filter_map(may).collect()
    }

    fn workload_read(&self, rights: &Rights) -> Vec<Gained> {
        let may = |workload: &&Component| {
            let space = namespace(workload);
            let kind = workload.text("workload_kind")?;
            let own = PODS.iter().filter(|(_, _, own)| *own == kind);
            let mut own = own.filter_map(|(group, resource, _)| rights.may(READ, group, resource, Some(&space), Name::Of(&workload.name)));
            let evidence = own.next().or_else(|| rights.may(READ, "", "pods", Some(&space), Name::PodOf(&workload.name)))?;
            Some(Gained::new(Fact::Configuration(workload.address.clone()), evidence))
        };
        self.cluster.workloads.iter().filter(|workload| self.holders.contains(&workload.address)).filter_map(may).collect()
    }

    fn tokens(&self, rights: &Rights) -> Vec<Gained> {
        let mut out = Vec::new();
        for ((space, name), account) in &self.cluster.accounts {
            if let Some(evidence) = rights.may(&["create"], "", "serviceaccounts/token", Some(space), Name::Of(name)) {
                out.extend(becomes(account, &evidence, false));
            }
        }
        out
    }

    fn secrets(&self, primitive: &Primitive, rights: &Rights) -> Vec<Gained> {
        let mut out = Vec::new();
        for secret in &self.cluster.secrets {
            let Some(evidence) = rights.may(READ, "", "secrets", Some(&namespace(secret)), Name::Of(&secret.name)) else { continue };
            match primitive.gives {
                Gain::Config if self.holders.contains(&secret.address) => {
                    out.push(Gained::new(Fact::Configuration(secret.address.clone()), evidence));
                }
                Gain::Config => {}
                _ => out.extend(self.of_secret(secret, &evidence)),
            }
        }
        out
    }

    /// What a secret gives to who reads it: its data, and the account whose token it holds.
    fn of_secret(&self, secret: &Component, evidence: &[Evidence]) -> Vec<Gained> {
        let mut out = vec![Gained::new(Fact::Data(secret.address.clone(), Operation::Read), evidence.to_vec())];
        let account = secret.text("service_account").and_then(|name| self.cluster.accounts.get(&(namespace(secret), name)));
        if let Some(account) = account {
            let mut shown = evidence.to_vec();
            shown.extend(crate::attack::query::declared(secret, "it holds a token that does not end"));
            out.extend(becomes(account, &shown, false));
        }
        out
    }

    fn config_maps(&self, rights: &Rights) -> Vec<Gained> {
        let holders = self.cluster.config_maps.iter().filter(|map| self.holders.contains(&map.address));
        let may = |map: &&Component| {
            let evidence = rights.may(READ, "", "configmaps", Some(&namespace(map)), Name::Of(&map.name))?;
            Some(Gained::new(Fact::Configuration(map.address.clone()), evidence))
        };
        holders.filter_map(may).collect()
    }

    /// A group takes a user as well; some users of the system administer the cluster.
    fn impersonate(&self, rights: &Rights) -> Vec<Gained> {
        const ACT: &[&str] = &["impersonate"];
        let someone = || {
            let account = self.cluster.accounts.keys();
            let mut accounts = account.filter_map(|(space, name)| rights.may(ACT, "", "serviceaccounts", Some(space), Name::Of(name)));
            rights.may(ACT, "", "users", None, Name::Some).or_else(|| accounts.next())
        };
        let masters = rights.may(ACT, "", "groups", None, Name::Of("system:masters"));
        let masters = masters.and_then(|mut group| {
            group.extend(someone()?);
            Some(group)
        });
        let mut out = self.administers(masters.or_else(|| rights.may(ACT, "", "users", None, Name::Any)));
        for ((space, name), account) in &self.cluster.accounts {
            if account.rights.grants.is_empty() {
                continue;
            }
            if let Some(evidence) = rights.may(ACT, "", "serviceaccounts", Some(space), Name::Of(name)) {
                out.push(Gained::new(Fact::ServiceAccount(account.address.clone()), evidence));
            }
        }
        out
    }

    fn node_proxy(&self, rights: &Rights) -> Vec<Gained> {
        let Some(evidence) = rights.may(&["create", "get"], "", "nodes/proxy", None, Name::Some) else { return Vec::new() };
        let on_nodes = self.cluster.workloads.iter().filter(|workload| !self.cluster.on_fargate(workload));
        on_nodes.map(|workload| Gained::new(Fact::Code(workload.address.clone()), evidence.clone())).collect()
    }

    /// EKS signs certificates of servers only, so this is for clusters that somebody else runs.
    ///
    /// Source: EKS user guide, "Secure workloads with Kubernetes certificates": client certificate signing is not supported.
    fn certificate(&self, rights: &Rights) -> Vec<Gained> {
        if self.cluster.component.is_some() {
            return Vec::new();
        }
        let mut out = self.administers(certificate(rights));
        out.iter_mut()
            .for_each(|gained| gained.conditions.push("the cluster signs certificates of clients, which EKS does not".to_owned()));
        out
    }

    fn aws_auth(&self, rights: &Rights) -> Vec<Gained> {
        let mode = self.cluster.component.and_then(|cluster| cluster.setting("authentication_mode"));
        if mode.is_some_and(|node| node.value.as_str().as_deref() == Some("API")) {
            return Vec::new();
        }
        let mut out = self.administers(rights.may(CHANGE, "", "configmaps", Some(SYSTEM), Name::Of("aws-auth")));
        if self.cluster.component.is_none() || mode.is_some_and(|node| node.value.is_unknown()) {
            out.iter_mut().for_each(|gained| gained.conditions.push("the cluster reads `aws-auth`".to_owned()));
        }
        out
    }
}

/// Acting as an account: its rights in the cluster, and the roles of AWS that it takes; some only as a pod.
pub(super) fn becomes(account: &Account, evidence: &[Evidence], as_pod: bool) -> Vec<Gained> {
    let mut out = Vec::new();
    if !account.rights.grants.is_empty() {
        out.push(Gained::new(Fact::ServiceAccount(account.address.clone()), evidence.to_vec()));
    }
    for role in account.roles.iter().filter(|role| as_pod || role.by_token) {
        let evidence = evidence.iter().chain(&role.shown).cloned().collect();
        out.push(Gained { fact: Fact::Identity(role.role.clone()), evidence, conditions: role.conditions.clone() });
    }
    out
}

/// Somebody who can give itself any right in a namespace holds everything there.
pub(super) fn with_derived(rights: &Rights, cluster: &Cluster<'_>) -> Rights {
    let mut spaces: BTreeSet<&str> = rights.namespaces().into_iter().collect();
    if rights.is_wide() {
        spaces.extend(cluster.accounts.keys().map(|(space, _)| space.as_str()));
    }
    let mut out = rights.clone();
    for space in spaces {
        if let Some(shown) = bind_in(rights, space).or_else(|| escalate_in(rights, space)) {
            let rule = Rc::new(Rule::everything());
            out.grants.push(Grant {
                rule,
                namespace: Some(space.to_owned()),
                role: "any role".to_owned(),
                declared: None,
                kind: RoleKind::Other,
                shown,
            });
        }
    }
    out
}

fn creates(rights: &Rights, space: &str) -> Option<Vec<Evidence>> {
    PODS.iter().find_map(|(group, resource, _)| rights.may(&["create"], group, resource, Some(space), Name::Any))
}

fn both(first: Option<Vec<Evidence>>, second: impl FnOnce() -> Option<Vec<Evidence>>) -> Option<Vec<Evidence>> {
    let mut all = first?;
    for item in second()? {
        if !all.contains(&item) {
            all.push(item);
        }
    }
    Some(all)
}

fn bind(rights: &Rights) -> Option<Vec<Evidence>> {
    let bound = rights.may(&["bind"], RBAC, "clusterroles", None, Name::Of("cluster-admin"));
    both(bound, || rights.may(WRITE, RBAC, "clusterrolebindings", None, Name::Any))
}

fn bind_in(rights: &Rights, space: &str) -> Option<Vec<Evidence>> {
    let strong = ["cluster-admin", "admin", "edit"];
    let bound = strong.iter().find_map(|role| rights.may(&["bind"], RBAC, "clusterroles", Some(space), Name::Of(role)));
    both(bound, || rights.may(WRITE, RBAC, "rolebindings", Some(space), Name::Any))
}

fn escalate(rights: &Rights) -> Option<Vec<Evidence>> {
    let mut held =
        rights.roles().filter(|grant| grant.namespace.is_none() && grant.kind == RoleKind::ClusterRole).map(|grant| grant.role.as_str());
    held.find_map(|role| {
        let raised = rights.may(&["escalate"], RBAC, "clusterroles", None, Name::Of(role));
        both(raised, || rights.may(CHANGE, RBAC, "clusterroles", None, Name::Of(role)))
    })
}

fn escalate_in(rights: &Rights, space: &str) -> Option<Vec<Evidence>> {
    let mut held = rights.roles().filter(|grant| grant.namespace.as_deref() == Some(space));
    held.find_map(|grant| {
        // A cluster role that is bound in one namespace lies in none.
        let (resource, lies_in) = match grant.kind {
            RoleKind::Role => ("roles", Some(space)),
            RoleKind::ClusterRole => ("clusterroles", None),
            RoleKind::Other => return None,
        };
        let raised = rights.may(&["escalate"], RBAC, resource, lies_in, Name::Of(&grant.role));
        both(raised, || rights.may(CHANGE, RBAC, resource, lies_in, Name::Of(&grant.role)))
    })
}

fn certificate(rights: &Rights) -> Option<Vec<Evidence>> {
    const GROUP: &str = "certificates.k8s.io";
    let signer = CLIENT_SIGNERS.iter().find_map(|signer| rights.may(&["approve"], GROUP, "signers", None, Name::Of(signer)));
    let approves = both(signer, || rights.may(CHANGE, GROUP, "certificatesigningrequests/approval", None, Name::Any));
    both(approves, || rights.may(&["create"], GROUP, "certificatesigningrequests", None, Name::Any))
}
