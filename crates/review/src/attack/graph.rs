//! The attack graph: facts that an attacker may reach (OR nodes) and steps that derive one from others (AND nodes), each with its evidence.
//!
//! The shape is that of MulVAL (Ou, Govindavajhala, Appel 2005). A step says how likely it works for somebody who tries, so the cost of a
//! proof is the sum of `-ln p` over its steps, and the best proof is found by Knuth's generalisation of Dijkstra's algorithm to AND/OR
//! graphs ("A generalization of Dijkstra's algorithm", 1977). Everything is owned: a review keeps its graph, so that paths can be asked for later.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::Arc;

use bartizan_model::Address;
use indexmap::IndexSet;

use crate::outcome::Evidence;

/// What an attacker can have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// A place to start from that no file declares: the internet, anyone with an AWS account, an account, an outside principal.
    Entry(Address),
    /// Acts with the permissions of a user or role.
    Identity(Address),
    /// Acts as the user or role and can give it any permission.
    Elevated(Address),
    /// Acts as the user or role, whose boundary is gone.
    Unbound(Address),
    /// Acts as the user or role, which its own policies deny nothing any more.
    Undenied(Address),
    /// Can change what members of a group may do.
    Group(Address),
    /// Runs code in a component.
    Code(Address),
    /// Reads the configuration of a component, and so what is written in it.
    Configuration(Address),
    /// Knows the login of a data store.
    Login(Address),
    /// Has a second factor of a user.
    SecondFactor(Address),
    /// Sets the tags of a component.
    Tags(Address),
    /// Administers a Kubernetes cluster.
    Cluster(Address),
    /// Acts inside a cluster as a Kubernetes service account or node.
    ServiceAccount(Address),
    /// Can do something with data or a service.
    Data(Address, Operation),
    /// Administers an AWS account.
    Admin(String),
    /// Holds the rights of a technique on everything of an account: stands between who does and all that is reached so.
    Everywhere(String, String, Also),
}

/// What a holder of a right on everything must be able to do besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Also {
    /// Nothing.
    Nothing,
    /// Decrypt under the customer's keys.
    Key,
    /// Make an instance profile.
    Profile,
}

/// What is done with data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Reads it.
    Read,
    /// Changes it or puts some of its own.
    Write,
    /// Destroys it.
    Destroy,
    /// Harms the service without touching data: logging off, cost.
    Disrupt,
}

impl Operation {
    /// Lower-case word.
    pub fn id(self) -> &'static str {
        match self {
            Operation::Read => "read",
            Operation::Write => "write",
            Operation::Destroy => "destroy",
            Operation::Disrupt => "disrupt",
        }
    }
}

impl Fact {
    /// The address that stands for it: of the component or entity, `admin` for an account's administrator.
    pub fn address(&self) -> &str {
        match self {
            Fact::Entry(address)
            | Fact::Identity(address)
            | Fact::Elevated(address)
            | Fact::Unbound(address)
            | Fact::Undenied(address)
            | Fact::Group(address)
            | Fact::Code(address)
            | Fact::Configuration(address)
            | Fact::Login(address)
            | Fact::SecondFactor(address)
            | Fact::Tags(address)
            | Fact::Cluster(address)
            | Fact::ServiceAccount(address)
            | Fact::Data(address, _) => address.as_str(),
            Fact::Admin(_) => "admin",
            Fact::Everywhere(..) => "everything",
        }
    }
}

/// Index of a fact in its graph.
pub(crate) type FactId = u32;
/// Index of a step in its graph.
pub(crate) type StepId = u32;

/// How a fact follows from others.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// All of them are needed; the first one is the actor.
    pub(crate) premises: Vec<FactId>,
    /// What follows.
    pub(crate) gives: FactId,
    /// Primitive or relation: `passrole-lambda-create-invoke`, `runs-as`.
    pub(crate) technique: Arc<str>,
    /// IAM actions it uses.
    pub(crate) actions: Arc<[String]>,
    /// Chance that it works for somebody who tries, 0 < p <= 1.
    pub(crate) probability: f64,
    /// What must hold and the plan does not tell, in words; empty for a step that certainly works.
    pub(crate) conditions: Arc<[String]>,
    /// True where it rests on a flaw that the plan does not show.
    pub(crate) assumption: bool,
    /// What shows it.
    pub(crate) evidence: Arc<[Evidence]>,
}

/// The graph.
#[derive(Clone, Debug, Default)]
pub struct AttackGraph {
    pub(crate) facts: IndexSet<Fact>,
    pub(crate) steps: Vec<Step>,
    /// By fact: the steps that need it.
    needed_by: Vec<Vec<StepId>>,
}

/// The cheapest proofs from some sources; only what they reach is in it.
#[derive(Default)]
pub(crate) struct Proofs {
    /// By fact: cost (`-ln p`) of its best proof, and the last step of it (none for sources).
    reached: HashMap<FactId, (f64, Option<StepId>)>,
}

impl Proofs {
    /// The cost of a fact that is reached.
    pub(crate) fn cost(&self, fact: FactId) -> Option<f64> {
        self.reached.get(&fact).map(|(cost, _)| *cost)
    }

    /// The last step of the best proof of a fact; none for sources.
    pub(crate) fn by(&self, fact: FactId) -> Option<StepId> {
        self.reached.get(&fact).and_then(|(_, by)| *by)
    }
}

impl AttackGraph {
    /// Number of nodes: facts, each of which any of its steps gives, and steps, each of which needs all of its premises.
    pub fn n_nodes(&self) -> usize {
        self.facts.len() + self.steps.len()
    }

    /// The index of a fact, entering it where it is new.
    pub(crate) fn fact(&mut self, fact: Fact) -> FactId {
        let (index, is_new) = self.facts.insert_full(fact);
        if is_new {
            self.needed_by.push(Vec::new());
        }
        u32::try_from(index).unwrap_or(u32::MAX)
    }

    /// The index of a fact that is there.
    pub(crate) fn find(&self, fact: &Fact) -> Option<FactId> {
        self.facts.get_index_of(fact).and_then(|index| u32::try_from(index).ok())
    }

    /// The fact of an index.
    pub(crate) fn get(&self, id: FactId) -> Option<&Fact> {
        self.facts.get_index(id as usize)
    }

    /// True for a fact between those who hold a right on everything and what they reach.
    pub(crate) fn is_between(&self, id: FactId) -> bool {
        matches!(self.get(id), Some(Fact::Everywhere(..)))
    }

    /// Adds a step; one that gives what it needs says nothing and is left out.
    pub(crate) fn step(&mut self, step: Step) {
        if step.premises.contains(&step.gives) {
            return;
        }
        let id = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
        for premise in &step.premises {
            if let Some(list) = self.needed_by.get_mut(*premise as usize) {
                list.push(id);
            }
        }
        self.steps.push(step);
    }

    /// Number of facts and of steps.
    pub fn size(&self) -> (usize, usize) {
        (self.facts.len(), self.steps.len())
    }

    /// Best proofs from sources, with steps left out that `usable` refuses.
    ///
    /// The search ends where one of `goals` is proven; with none of them it goes on to everything that can be reached.
    pub(crate) fn proofs(&self, sources: &[FactId], usable: &dyn Fn(StepId, &Step) -> bool, goals: &[FactId]) -> Proofs {
        let mut proofs = Proofs::default();
        let mut settled = HashSet::new();
        // By step that has several premises: how many of them are proven, and their cost.
        let mut waiting: HashMap<StepId, (usize, f64)> = HashMap::new();
        let mut queue = BinaryHeap::new();
        for source in sources {
            proofs.reached.insert(*source, (0.0, None));
            queue.push(Reverse((Cost(0.0), *source)));
        }
        while let Some(Reverse((Cost(own), fact))) = queue.pop() {
            if goals.contains(&fact) {
                break;
            }
            if !settled.insert(fact) {
                continue;
            }
            for id in self.needed_by.get(fact as usize).into_iter().flatten() {
                let Some(step) = self.steps.get(*id as usize).filter(|step| usable(*id, step)) else { continue };
                let premises = if step.premises.len() > 1 {
                    let entry = waiting.entry(*id).or_insert((0, 0.0));
                    entry.0 += 1;
                    entry.1 += own;
                    if entry.0 < step.premises.len() {
                        continue;
                    }
                    entry.1
                } else {
                    own
                };
                let total = premises - step.probability.clamp(1e-9, 1.0).ln();
                if proofs.cost(step.gives).is_none_or(|best| total + 1e-12 < best) {
                    proofs.reached.insert(step.gives, (total, Some(*id)));
                    queue.push(Reverse((Cost(total), step.gives)));
                }
            }
        }
        proofs
    }

    /// Facts from which a goal may be reached, with one premise of each step taken for all: more than there are, never fewer.
    pub(crate) fn backwards(&self, goals: &[FactId], usable: &dyn Fn(&Step) -> bool) -> HashSet<FactId> {
        let mut given_by: HashMap<FactId, Vec<&Step>> = HashMap::new();
        for step in self.steps.iter().filter(|step| usable(step)) {
            given_by.entry(step.gives).or_default().push(step);
        }
        let mut found: HashSet<FactId> = goals.iter().copied().collect();
        let mut queue: Vec<FactId> = goals.to_vec();
        while let Some(fact) = queue.pop() {
            for premise in given_by.get(&fact).into_iter().flatten().flat_map(|step| &step.premises) {
                if found.insert(*premise) {
                    queue.push(*premise);
                }
            }
        }
        found
    }

    /// The steps of the best proof of a fact, each after those that it needs.
    pub(crate) fn proof(&self, proofs: &Proofs, goal: FactId) -> Vec<StepId> {
        let mut out = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        self.collect(proofs, goal, &mut seen, &mut out);
        out
    }

    fn collect(&self, proofs: &Proofs, fact: FactId, seen: &mut std::collections::BTreeSet<FactId>, out: &mut Vec<StepId>) {
        // An explicit stack: a chain of steps may be long.
        let mut stack = vec![(fact, false)];
        while let Some((fact, ready)) = stack.pop() {
            let Some(id) = proofs.by(fact) else { continue };
            if ready {
                out.push(id);
                continue;
            }
            if !seen.insert(fact) {
                continue;
            }
            stack.push((fact, true));
            let premises = self.steps.get(id as usize).map(|step| step.premises.as_slice()).unwrap_or_default();
            stack.extend(premises.iter().rev().map(|premise| (*premise, false)));
        }
    }
}

/// A cost in a queue; never not a number.
#[derive(Clone, Copy, PartialEq)]
struct Cost(f64);

impl Eq for Cost {}

impl PartialOrd for Cost {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cost {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{AttackGraph, Fact, FactId, Step};
    use bartizan_model::Address;

    fn code(graph: &mut AttackGraph, name: &str) -> FactId {
        graph.fact(Fact::Code(Address::new(name)))
    }

    fn step(graph: &mut AttackGraph, premises: &[FactId], gives: FactId, probability: f64) {
        graph.step(Step {
            premises: premises.to_vec(),
            gives,
            technique: "t".into(),
            actions: [].into(),
            probability,
            conditions: [].into(),
            assumption: false,
            evidence: [].into(),
        });
    }

    #[test]
    fn a_step_needs_all_of_its_premises_and_the_likeliest_proof_wins() {
        let mut graph = AttackGraph::default();
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| code(&mut graph, name));
        step(&mut graph, &[a, b], c, 0.9);
        step(&mut graph, &[a], b, 0.5);
        step(&mut graph, &[a], d, 0.1);
        step(&mut graph, &[c], d, 0.9);
        let proofs = graph.proofs(&[a], &|_, _| true, &[]);
        let likelihood = (-proofs.cost(d).unwrap()).exp();
        assert!((likelihood - 0.5 * 0.9 * 0.9).abs() < 1e-9, "{likelihood}");
        assert_eq!(graph.proof(&proofs, d), [1, 0, 3]);
        let without = graph.proofs(&[a], &|id, _| id != 1, &[]);
        assert_eq!(graph.proof(&without, d), [2]);
        assert!(without.cost(c).is_none());
    }

    #[test]
    fn cycles_end() {
        let mut graph = AttackGraph::default();
        let [a, b] = ["a", "b"].map(|name| code(&mut graph, name));
        step(&mut graph, &[a], b, 0.5);
        step(&mut graph, &[b], a, 0.5);
        let proofs = graph.proofs(&[b], &|_, _| true, &[]);
        assert_eq!(graph.proof(&proofs, a), [1]);
        assert!(graph.proof(&proofs, b).is_empty());
    }
}
