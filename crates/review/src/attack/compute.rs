//! What runs where and as whom: code acts as its roles, flaws let outsiders into what they reach, and workloads use what they talk to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bartizan_model::{Address, Flow, Kind};

use super::graph::{AttackGraph, Fact, Operation, Step};
use super::metadata;
use super::trust::Entries;
use crate::catalogue::attack::{Gain, Primitives};
use crate::flows::index::Index;
use crate::flows::set::FlowSet;
use crate::flows::{ANYONE, Entities, is_active, is_untrusted};
use crate::outcome::Evidence;

/// Chance that an application which takes requests has a flaw that runs an attacker's code. Judgement; ranks paths, says nothing absolute.
const FLAW: f64 = 0.1;
/// The same where a package with a flaw that attackers use is shipped. Judgement.
const USED_FLAW: f64 = 0.5;
/// The same for a login such as SSH or RDP: a stolen key or a guessed password.
const LOGIN: f64 = 0.05;
/// Factor where the caller must first prove itself.
const AUTHENTICATED: f64 = 0.3;
/// Factor for each component that a request passes before it reaches the code.
const HOP: f64 = 0.8;
/// Chance that a dependency of a workload is taken over.
const DEPENDENCY: f64 = 0.01;

/// Stores that a login over the network opens, not IAM.
const NETWORK_STORES: &[&str] = &[
    "rds",
    "elasticache",
    "opensearch",
    "redshift",
    "documentdb",
    "neptune",
    "efs",
    "fsx",
    "mq",
    "msk",
    "memorydb",
    "keyspaces",
    "timestream",
];

/// Traits of what hands requests and messages on without code of ours.
const PASSES_ON: &[&str] = &["load_balancer", "edge", "api", "queue", "topic", "stream", "event_bus", "workflow", "object_store"];

/// Compute that runs nothing but the code of its service, so that neither a flaw nor a dependency of ours gives anybody code in it.
const CODE_OF_AWS: &[&str] =
    &["glue.crawler", "datasync.task", "dms.replication_instance", "dms.serverless_replication", "kinesisanalytics.sql_application"];

/// Relation of code to the role of what it runs in.
pub(super) const RUNS_AS: &str = "runs-as";
/// The same on a machine.
pub(super) const INSTANCE_METADATA: &str = "instance-metadata";

/// What the steps share.
pub(crate) struct Compute<'c, 'a> {
    pub(crate) index: &'c Index<'a>,
    pub(crate) flows: &'c FlowSet,
    pub(crate) entities: &'c Entities,
    pub(crate) primitives: &'c Primitives,
}

impl Compute<'_, '_> {
    /// Adds what code can be, what it can do, and how outsiders get there.
    pub(crate) fn add(&self, entries: &mut Entries, graph: &mut AttackGraph) {
        let runners = self.runs_as(graph);
        let internet = entries.internet(graph);
        let hosts: BTreeSet<Address> = runners.iter().filter(|address| self.runs_own_code(address)).cloned().collect();
        let mut used = crate::facts::flaws::exploited(self.index);
        for (address, mut exposed) in self.exposed(&hosts) {
            metadata::forged(self, &address, &exposed, internet, graph);
            if exposed.is_application()
                && let Some(flaws) = used.remove(&address)
            {
                exposed.probability *= USED_FLAW / FLAW;
                exposed.technique = "known-flaw";
                exposed.evidence.extend(flaws);
            }
            let gives = graph.fact(Fact::Code(address.clone()));
            graph.step(Step {
                premises: vec![internet],
                gives,
                technique: exposed.technique.into(),
                actions: [].into(),
                probability: exposed.probability,
                conditions: [].into(),
                assumption: true,
                evidence: exposed.evidence.into(),
            });
        }
        for address in &runners {
            let Some(component) = self.index.component(address) else { continue };
            let gives = graph.fact(Fact::Code(address.clone()));
            let configuration = graph.fact(Fact::Configuration(address.clone()));
            graph.step(plain(gives, configuration, "own-configuration", 1.0, [].into()));
            if !hosts.contains(address) {
                continue;
            }
            graph.step(Step {
                premises: vec![internet],
                gives,
                technique: "compromised-dependency".into(),
                actions: [].into(),
                probability: DEPENDENCY,
                conditions: [].into(),
                assumption: true,
                evidence: component.span.map(|span| Evidence { span, text: "it runs code of others".to_owned() }).into_iter().collect(),
            });
        }
        self.used(&runners, graph);
    }

    /// True for compute whose code is the customer's; a delivery stream or a database has a role, but runs what AWS wrote.
    fn runs_own_code(&self, address: &Address) -> bool {
        let component = self.index.component(address);
        component.is_some_and(|component| {
            self.index.services.has_any(component, &["compute"]) && !CODE_OF_AWS.contains(&component.component_type.as_str())
        })
    }

    /// Code acts as the roles of what it runs in. Gives what runs as anything.
    fn runs_as(&self, graph: &mut AttackGraph) -> BTreeSet<Address> {
        let mut runners = BTreeSet::new();
        for (address, component) in &self.index.architecture.components {
            if component.service == "iam" || component.service == "external" {
                continue;
            }
            // Pods take the roles that trust their service account; the annotation alone gives them none. See `kubernetes`.
            let in_cluster = matches!(component.component_type.as_str(), "kubernetes.workload" | "kubernetes.service_account");
            let principals = if in_cluster { Vec::new() } else { self.index.principals_of(address) };
            for (role, link) in principals {
                let code = graph.fact(Fact::Code(address.clone()));
                let identity = graph.fact(Fact::Identity(role.address.clone()));
                let host = component.component_type == "ec2.instance";
                let at = link.and_then(|link| link.span).or(component.span);
                let evidence = at.map(|span| Evidence { span, text: format!("`{address}` runs as `{}`", role.address) });
                graph.step(Step {
                    premises: vec![code],
                    gives: identity,
                    technique: if host { INSTANCE_METADATA.into() } else { RUNS_AS.into() },
                    actions: [].into(),
                    probability: 0.98,
                    conditions: [].into(),
                    assumption: false,
                    evidence: evidence.into_iter().collect(),
                });
                if component.kind != Kind::Supporting {
                    runners.insert(address.clone());
                }
            }
            let runs = self.index.services.has_any(component, &["compute"]);
            if runs && component.kind != Kind::Supporting {
                runners.insert(address.clone());
            }
        }
        runners
    }

    /// Code that requests from outside reach, through whatever passes them on.
    fn exposed(&self, hosts: &BTreeSet<Address>) -> BTreeMap<Address, Exposed> {
        let mut by_source: BTreeMap<&Address, Vec<&Flow>> = BTreeMap::new();
        for flow in self.flows.values().filter(|flow| is_active(flow)) {
            by_source.entry(&flow.from).or_default().push(flow);
        }
        let mut found: BTreeMap<Address, Exposed> = BTreeMap::new();
        let mut queue: VecDeque<(Address, Exposed)> = VecDeque::new();
        let untrusted = |address: &Address| self.index.component(address).or_else(|| self.entities.get(address)).is_some_and(is_untrusted);
        for flow in self.flows.values().filter(|flow| is_active(flow) && untrusted(&flow.from) && flow.from.as_str() != ANYONE) {
            queue.push_back((flow.to.clone(), Exposed::by(flow)));
        }
        let mut passed: BTreeMap<Address, f64> = BTreeMap::new();
        while let Some((address, exposed)) = queue.pop_front() {
            if hosts.contains(&address) {
                match found.get(&address) {
                    Some(known) if known.probability >= exposed.probability => {}
                    _ => {
                        found.insert(address, exposed);
                    }
                }
                continue;
            }
            if passed.get(&address).is_some_and(|known| *known >= exposed.probability) {
                continue;
            }
            passed.insert(address.clone(), exposed.probability);
            // Requests and messages are handed on by what has no code of ours.
            let passes = |component| self.index.services.has_any(component, PASSES_ON);
            if !self.index.component(&address).is_some_and(passes) {
                continue;
            }
            for flow in by_source.get(&address).into_iter().flatten() {
                queue.push_back((flow.to.clone(), exposed.through(flow)));
            }
        }
        found
    }

    /// A workload uses the stores it talks to with logins of its own.
    fn used(&self, runners: &BTreeSet<Address>, graph: &mut AttackGraph) {
        for flow in self.flows.values().filter(|flow| is_active(flow) && runners.contains(&flow.from)) {
            let Some(store) = self.index.component(&flow.to).filter(|store| store.kind == Kind::DataStore) else { continue };
            if !NETWORK_STORES.contains(&store.service.as_str()) {
                continue;
            }
            let evidence: Arc<[Evidence]> = reasons(flow).into();
            // A flow that only the network allows takes a login first; one that the configuration tells of has it, and a file system has none.
            let has_login = flow.confidence != bartizan_model::Confidence::Reachable || matches!(store.service.as_str(), "efs" | "fsx");
            let mut premises = vec![graph.fact(Fact::Code(flow.from.clone()))];
            if !has_login {
                premises.push(graph.fact(Fact::Login(flow.to.clone())));
            }
            let actions: Arc<[String]> = match store.service.as_str() {
                "efs" => ["elasticfilesystem:ClientMount".to_owned()].into(),
                _ => [].into(),
            };
            for operation in [Operation::Read, Operation::Write] {
                let gives = graph.fact(Fact::Data(flow.to.clone(), operation));
                graph.step(Step {
                    premises: premises.clone(),
                    gives,
                    technique: "uses-store".into(),
                    actions: actions.clone(),
                    probability: 0.9,
                    conditions: [].into(),
                    assumption: false,
                    evidence: evidence.clone(),
                });
            }
        }
    }
}

/// A step from one fact to another.
pub(crate) fn plain(from: u32, gives: u32, technique: &str, probability: f64, evidence: Arc<[Evidence]>) -> Step {
    Step {
        premises: vec![from],
        gives,
        technique: technique.into(),
        actions: [].into(),
        probability,
        conditions: [].into(),
        assumption: false,
        evidence,
    }
}

/// How requests from outside come in.
#[derive(Clone)]
pub(super) struct Exposed {
    probability: f64,
    technique: &'static str,
    pub(super) evidence: Vec<Evidence>,
}

impl Exposed {
    /// True where requests come to an application, not to a login.
    pub(super) fn is_application(&self) -> bool {
        matches!(self.technique, "application-flaw" | "known-flaw")
    }

    /// What hops and proofs of identity leave of an attacker's chance; ratio 0..=1.
    pub(super) fn openness(&self) -> f64 {
        self.probability / FLAW
    }

    fn by(flow: &Flow) -> Self {
        let login = matches!(flow.port, Some(22 | 3389 | 5985 | 5986)) || matches!(flow.protocol.as_str(), "ssh" | "rdp");
        let asks = flow.authentication.as_deref().is_some_and(|word| !matches!(word, "none" | "api-key"));
        let base = if login { LOGIN } else { FLAW };
        let probability = if asks && !login { base * AUTHENTICATED } else { base };
        Self { probability, technique: if login { "stolen-login" } else { "application-flaw" }, evidence: reasons(flow) }
    }

    fn through(&self, flow: &Flow) -> Self {
        let asks = flow.authentication.as_deref().is_some_and(|word| matches!(word, "cognito" | "jwt" | "custom" | "mtls" | "oidc"));
        let factor = if asks { HOP * AUTHENTICATED } else { HOP };
        let mut evidence = self.evidence.clone();
        evidence.extend(reasons(flow));
        Self { probability: self.probability * factor, technique: "application-flaw", evidence }
    }
}

fn reasons(flow: &Flow) -> Vec<Evidence> {
    flow.why.iter().filter_map(|reason| Some(Evidence { span: reason.span?, text: reason.text.clone() })).take(3).collect()
}

/// By component that acts as a role: actions that make it run what is in it. They are told with edges; whoever runs code already needs none.
pub(crate) fn starts(graph: &AttackGraph, index: &Index<'_>, primitives: &Primitives) -> BTreeMap<Address, Arc<[String]>> {
    let mut by_kind: BTreeMap<&str, Arc<[String]>> = BTreeMap::new();
    let mut out = BTreeMap::new();
    for step in graph.steps.iter().filter(|step| [RUNS_AS, INSTANCE_METADATA].contains(&&*step.technique)) {
        let Some(Fact::Code(address)) = step.premises.first().and_then(|premise| graph.get(*premise)) else { continue };
        let Some(component) = index.component(address) else { continue };
        let kind = component.component_type.as_str();
        let actions = by_kind.entry(kind).or_insert_with(|| start_actions(primitives, kind)).clone();
        out.insert(address.clone(), actions);
    }
    out
}

/// Actions that make a kind of compute run what is in it.
fn start_actions(primitives: &Primitives, kind: &str) -> Arc<[String]> {
    let mut out: Vec<String> = Vec::new();
    for primitive in
        primitives.list.iter().filter(|primitive| primitive.gives == Gain::RunsAs && primitive.target.iter().any(|name| name == kind))
    {
        for action in primitive.needs.iter().flat_map(|need| need.actions()) {
            let name = action.split(':').nth(1).unwrap_or("");
            let starts = ["Start", "Invoke", "Run", "Send", "Execute"].iter().any(|verb| name.starts_with(verb));
            if starts && !out.contains(action) {
                out.push(action.clone());
            }
        }
    }
    out.sort();
    out.into()
}
