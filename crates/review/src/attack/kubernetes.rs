//! Inside Kubernetes clusters: from pods to service accounts, from rights of the cluster to other pods and the cluster itself, from pods to
//! their node, and from all of these to roles of AWS.
//!
//! The catalogue names the ways (`detector`), this module finds them. It does not know what admission controllers refuse that no file
//! declares, nor who creates a cluster; a public endpoint of the API alone is no way in.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Component};

mod actors;
mod cluster;
mod detect;
mod node;
mod rbac;
mod trusted;
mod written;

use actors::{Actor, Who};
use cluster::{Cluster, account_of};
use detect::{Scene, becomes, with_derived};

pub(super) use detect::Gained;

use super::compute::{RUNS_AS, plain};
use super::graph::{AttackGraph, Fact, FactId, Operation, Step};
use super::metadata;
use super::permissions::Permission;
use super::query::declared;
use super::trust::Entries;
use super::world::World;
use crate::catalogue::attack::{Detector, Primitive, Primitives};
use crate::flows::index::Index;
use crate::outcome::Evidence;

/// Factor on the likelihood of a step for each condition that the plan does not tell.
const OPEN_CONDITION: f64 = 0.5;
/// Chance that a container with a way out is left by it.
const ESCAPE: f64 = 0.8;

/// What the steps share.
pub(crate) struct Kubernetes<'k, 'a> {
    pub(crate) index: &'k Index<'a>,
    pub(crate) world: &'k World<'a>,
    pub(crate) primitives: &'k Primitives,
    /// Components whose configuration holds a credential.
    pub(crate) holders: &'k BTreeSet<Address>,
}

impl Kubernetes<'_, '_> {
    /// Adds the steps of every cluster, and those of tasks to the machines that they run on; gives what the clusters' own roles grant.
    pub(crate) fn add(&self, entries: &mut Entries, graph: &mut AttackGraph) -> Vec<Permission> {
        let mut permissions = Vec::new();
        for mut cluster in cluster::read(self.index, self.world) {
            let actors = actors::read(&mut cluster, self.index, self.world, &mut permissions);
            self.run(&cluster, graph);
            self.administer(&cluster, graph);
            for actor in &actors {
                self.act(&cluster, actor, entries, graph);
            }
            self.nodes(&cluster, graph);
        }
        for primitive in self.by(Detector::TaskInstanceMetadata) {
            for (task, gained) in metadata::of_tasks(self.index) {
                give(primitive, &Fact::Code(task), gained, graph);
            }
        }
        for (task, gained) in metadata::left_by_tasks(self.index) {
            let (code, gives) = (graph.fact(Fact::Code(task)), graph.fact(gained.fact));
            graph.step(plain(code, gives, "leaves-container", ESCAPE, gained.evidence.into()));
        }
        permissions
    }

    fn by(&self, detector: Detector) -> impl Iterator<Item = &Primitive> {
        self.primitives.list.iter().filter(move |primitive| primitive.detector == Some(detector))
    }

    fn act(&self, cluster: &Cluster<'_>, actor: &Actor, entries: &mut Entries, graph: &mut AttackGraph) {
        let own = match &actor.who {
            Who::Account(address) => Fact::ServiceAccount(address.clone()),
            Who::Principal(address) => Fact::Identity(address.clone()),
            Who::Anonymous => {
                let internet = entries.internet(graph);
                graph.get(internet).cloned().unwrap_or(Fact::Entry(Address::internet()))
            }
        };
        if let Some(evidence) = actor.rights.everything() {
            let (from, gives) = (graph.fact(own), graph.fact(Fact::Cluster(cluster.address.clone())));
            let open = i32::try_from(actor.conditions.len()).unwrap_or(i32::MAX);
            let step = plain(from, gives, "cluster-administrator", 0.98 * OPEN_CONDITION.powi(open), evidence.into());
            graph.step(Step { conditions: actor.conditions.as_slice().into(), ..step });
            return;
        }
        let scene = Scene { cluster, holders: self.holders };
        let rights = with_derived(&actor.rights, cluster);
        for primitive in &self.primitives.list {
            let Some(detector) = primitive.detector else { continue };
            for mut gained in scene.gains(primitive, detector, &rights) {
                gained.conditions.extend(actor.conditions.iter().cloned());
                give(primitive, &own, gained, graph);
            }
        }
    }

    /// What administrators of a cluster do with it.
    fn administer(&self, cluster: &Cluster<'_>, graph: &mut AttackGraph) {
        let administers = graph.fact(Fact::Cluster(cluster.address.clone()));
        let mut give = |fact: Fact, probability: f64, evidence: Vec<Evidence>| {
            let gives = graph.fact(fact);
            graph.step(plain(administers, gives, "administers-cluster", probability, evidence.into()));
        };
        let inside = |component: &Component| declared(component, "it lies in the cluster that is administered");
        for workload in &cluster.workloads {
            give(Fact::Code(workload.address.clone()), 0.98, inside(workload));
        }
        for account in cluster.accounts.values() {
            for gained in becomes(account, &[], true).into_iter().filter(|gained| gained.conditions.is_empty()) {
                give(gained.fact, 0.98, gained.evidence);
            }
        }
        for secret in &cluster.secrets {
            give(Fact::Data(secret.address.clone(), Operation::Read), 0.98, inside(secret));
            give(Fact::Data(secret.address.clone(), Operation::Write), 0.98, inside(secret));
        }
        for holder in cluster.secrets.iter().chain(&cluster.config_maps).filter(|holder| self.holders.contains(&holder.address)) {
            give(Fact::Configuration(holder.address.clone()), 0.98, inside(holder));
        }
        for nodes in &cluster.nodes {
            give(Fact::Code(nodes.component.address.clone()), ESCAPE, inside(nodes.component));
        }
    }

    /// Pods act as their service account where its token is mounted, and read the secrets that they use.
    fn run(&self, cluster: &Cluster<'_>, graph: &mut AttackGraph) {
        let secrets: BTreeMap<(String, String), &Address> =
            cluster.secrets.iter().map(|secret| ((cluster::namespace(secret), secret.name.clone()), &secret.address)).collect();
        for workload in &cluster.workloads {
            let code = graph.fact(Fact::Code(workload.address.clone()));
            if let Some(node) = workload.setting("secrets") {
                for text in crate::facts::read::texts(node) {
                    let Some(secret) = secrets.get(&(cluster::namespace(workload), text.to_string())) else { continue };
                    let mut gives = vec![Fact::Data((*secret).clone(), Operation::Read)];
                    if self.holders.contains(*secret) {
                        gives.push(Fact::Configuration((*secret).clone()));
                    }
                    for fact in gives {
                        let gives = graph.fact(fact);
                        let evidence = Evidence { span: node.span, text: format!("`{}` is given `{text}`", workload.address) };
                        graph.step(plain(code, gives, "own-configuration", 0.98, [evidence].into()));
                    }
                }
            }
            let Some(account) = cluster.accounts.get(&account_of(workload)) else { continue };
            // Tokens for AWS are handed to the pod by themselves, whether or not that of the cluster is.
            for role in &account.roles {
                let gives = graph.fact(Fact::Identity(role.role.clone()));
                let open = i32::try_from(role.conditions.len()).unwrap_or(i32::MAX);
                let step = plain(code, gives, RUNS_AS, 0.98 * OPEN_CONDITION.powi(open), role.shown.as_slice().into());
                graph.step(Step { conditions: role.conditions.as_slice().into(), ..step });
            }
            let mounted = workload.setting("automount_token");
            if account.rights.grants.is_empty() || mounted.is_some_and(|node| node.value.as_bool() == Some(false)) {
                continue;
            }
            let gives = graph.fact(Fact::ServiceAccount(account.address.clone()));
            let node = workload.setting("service_account").or(mounted);
            let text = format!("`{}` runs as `{}`", workload.address, account.address);
            let evidence = node.map(|node| Evidence { span: node.span, text });
            graph.step(plain(code, gives, RUNS_AS, 0.98, evidence.into_iter().collect()));
        }
    }

    fn nodes(&self, cluster: &Cluster<'_>, graph: &mut AttackGraph) {
        for from in node::escapes(cluster) {
            let (code, gives) = (graph.fact(Fact::Code(from.code.clone())), graph.fact(from.gained.fact));
            graph.step(plain(code, gives, "leaves-container", ESCAPE, from.gained.evidence.into()));
        }
        for primitive in self.by(Detector::PodNodeMetadata) {
            for from in node::metadata(cluster, self.index) {
                give(primitive, &Fact::Code(from.code.clone()), from.gained, graph);
            }
        }
        for nodes in &cluster.nodes {
            let address = &nodes.component.address;
            let (code, own) = (graph.fact(Fact::Code(address.clone())), graph.fact(Fact::ServiceAccount(address.clone())));
            graph.step(plain(code, own, "runs-as", 0.98, declared(nodes.component, "it is a node of the cluster").into()));
            for primitive in self.by(Detector::NodeServiceAccounts) {
                for gained in node::service_accounts(cluster, nodes) {
                    give(primitive, &Fact::ServiceAccount(address.clone()), gained, graph);
                }
            }
        }
    }
}

/// The step of a primitive.
fn give(primitive: &Primitive, from: &Fact, gained: Gained, graph: &mut AttackGraph) {
    let own: FactId = graph.fact(from.clone());
    let gives = graph.fact(gained.fact);
    let conditions: Vec<String> = primitive.assumes.iter().cloned().chain(gained.conditions).collect();
    let open = i32::try_from(conditions.len()).unwrap_or(i32::MAX);
    let probability = primitive.likelihood * OPEN_CONDITION.powi(open);
    graph.step(Step { conditions: conditions.into(), ..plain(own, gives, &primitive.id, probability, gained.evidence.into()) });
}
