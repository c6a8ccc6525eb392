//! The paths of a review: from every entry outside to administrator rights and to data that is worth it, with what would end each.

use std::collections::{BTreeMap, HashMap, HashSet};

use bartizan_model::{Address, Asset, AssetOrigin, Node, ReasonKind, Span, Value};
use indexmap::IndexMap;

use super::Attack;
use super::graph::{Fact, FactId, Operation, Step, StepId};
use super::query::sort;
use crate::flows::ANYONE;
use crate::flows::index::Index;
use crate::flows::set::FlowSet;
use crate::outcome::{AttackPath, Cut};

/// Least likelihood of a path that a review lists; ratio 0..=1.
const LEAST: f64 = 1e-3;
/// Most paths that a review lists.
const MOST: usize = 40;
/// Most changes that are tried for one path.
const MOST_CUTS: usize = 8;
/// A change is told where it leaves at most this part of the likelihood; other ways to the same goal may remain.
const LEFT_AFTER_CUT: f64 = 0.2;
/// Relations that are no grant and no opening; without them there would be no workload at all.
const NO_CUT: &[&str] =
    &["runs-as", "instance-metadata", "own-configuration", "compromised-dependency", "administers", "administers-cluster", "administrator"];

/// Types of components that say where traffic goes.
const ROUTES: &[&str] = &["vpc.route", "vpc.route_table", "vpc.route_table_association"];

/// What administrator rights are worth, as a class of data (1..=5).
const WORTH_OF_ADMIN: f64 = 5.0;
/// What a class counts less where it was only guessed from a name.
const GUESSED: f64 = 0.5;

/// From which class on the loss of data is a goal, by what is done to it (1..=5).
const WORTH: [(Operation, u8); 3] = [(Operation::Read, 3), (Operation::Write, 4), (Operation::Destroy, 4)];

impl Attack {
    /// Paths from outside to administrator rights and sensitive data with their cuts; first where likelihood times worth is most. Second are
    /// those that are too many for a reader, without cuts.
    pub fn of_review(&self, assets: &[Asset]) -> (Vec<AttackPath>, Vec<AttackPath>) {
        let goals = self.goals(assets);
        let worth = |goal: FactId| goals.get(&goal).copied().unwrap_or(WORTH_OF_ADMIN);
        let mut found: Vec<(AttackPath, FactId, FactId)> = Vec::new();
        for (entry, ..) in &self.entries {
            let from = self.address_of(*entry);
            let proofs = self.graph.proofs(&[*entry], &|_, _| true, &[]);
            let mut best: BTreeMap<&str, (f64, FactId)> = BTreeMap::new();
            for (goal, worth) in &goals {
                let (Some(cost), Some(fact)) = (proofs.cost(*goal), self.graph.get(*goal)) else { continue };
                let weight = (-cost).exp() * worth;
                let known = best.entry(fact.address()).or_insert((weight, *goal));
                if weight > known.0 {
                    *known = (weight, *goal);
                }
            }
            for (_, goal) in best.into_values().filter(|(_, goal)| proofs.cost(*goal).is_some_and(|cost| (-cost).exp() >= LEAST)) {
                found.extend(self.path(&proofs, &from, goal).map(|path| (path, *entry, goal)));
            }
        }
        self.drop_repeated(&mut found);
        sort(&mut found, |(path, _, goal)| (path, worth(*goal)));
        let further = found.split_off(found.len().min(MOST));
        let mut by_place: HashMap<Span, Vec<StepId>> = HashMap::new();
        for (id, step) in (0..).zip(&self.graph.steps) {
            for item in step.evidence.iter() {
                by_place.entry(item.span).or_default().push(id);
            }
        }
        let cuts: Vec<Vec<Cut>> = (0..found.len()).map(|at| self.cuts(&found, at, &by_place)).collect();
        let listed = found.into_iter().zip(cuts).map(|((path, ..), cuts)| AttackPath { cuts, ..path }).collect();
        (listed, further.into_iter().map(|(path, ..)| path).collect())
    }

    /// What the internet does without any account, those with one do as well: that is told once.
    fn drop_repeated(&self, found: &mut Vec<(AttackPath, FactId, FactId)>) {
        let internet = Address::internet();
        let best = |path: &AttackPath| (path.to.clone(), path.operation);
        let of_all: HashMap<_, f64> =
            found.iter().filter(|(path, ..)| path.from == internet.as_str()).map(|(path, ..)| (best(path), path.likelihood)).collect();
        found.retain(|(path, ..)| {
            path.from != ANYONE || of_all.get(&best(path)).is_none_or(|likelihood| *likelihood + 1e-12 < path.likelihood)
        });
    }

    /// What is worth an attack, with how much it is worth: the class of the data, 5 for administrator rights.
    pub(super) fn goals(&self, assets: &[Asset]) -> IndexMap<FactId, f64> {
        let mut goals: IndexMap<FactId, f64> = self.admin_facts().into_iter().map(|fact| (fact, WORTH_OF_ADMIN)).collect();
        for asset in assets {
            let class = asset.classification;
            for (operation, least) in WORTH {
                let class = match operation {
                    Operation::Read => class.confidentiality,
                    Operation::Write => class.integrity,
                    Operation::Destroy | Operation::Disrupt => class.availability,
                };
                let worth = f64::from(class) - if asset.origin == AssetOrigin::Guessed { GUESSED } else { 0.0 };
                let stores = asset.stored_in.iter().filter(|_| class >= least);
                for fact in stores.filter_map(|store: &Address| self.graph.find(&Fact::Data(store.clone(), operation))) {
                    let known = goals.entry(fact).or_insert(worth);
                    *known = known.max(worth);
                }
            }
        }
        goals
    }

    /// Changes of one place that end a path: the graph is computed again without every step that rests on that place.
    fn cuts(&self, found: &[(AttackPath, FactId, FactId)], at: usize, by_place: &HashMap<Span, Vec<StepId>>) -> Vec<Cut> {
        let Some((path, entry, goal)) = found.get(at) else { return Vec::new() };
        let mut places: Vec<(bool, Span, String)> = Vec::new();
        for step in path.steps.iter().filter(|step| !NO_CUT.contains(&step.technique.as_str())) {
            for item in &step.evidence {
                if places.iter().all(|(_, span, _)| *span != item.span) {
                    // A statement or a credential is a matter of security, whatever else lies in the same place.
                    let by_right = !step.actions.is_empty() || step.technique.starts_with("leaked-");
                    places.push((!by_right && self.wiring.contains(&item.span), item.span, item.text.clone()));
                }
            }
        }
        // What is set for security first: to end an attack nobody takes the function away.
        places.sort_by_key(|(is_wiring, ..)| *is_wiring);
        places.truncate(MOST_CUTS);
        let mut cuts = Vec::new();
        for (is_wiring, span, text) in places {
            if is_wiring && !cuts.is_empty() {
                break;
            }
            let without: HashSet<StepId> = by_place.get(&span).into_iter().flatten().copied().collect();
            let left = |entry: FactId, goal: FactId| {
                let proofs = self.graph.proofs(&[entry], &|id, _: &Step| !without.contains(&id), &[goal]);
                proofs.cost(goal).map_or(0.0, |cost| (-cost).exp())
            };
            let likelihood = left(*entry, *goal);
            if likelihood > path.likelihood * LEFT_AFTER_CUT {
                continue;
            }
            // Only a path that rests on the place can end with it.
            let rests = |path: &AttackPath| path.steps.iter().flat_map(|step| &step.evidence).any(|item| item.span == span);
            let others = found.iter().enumerate().filter(|(other, (path, ..))| *other != at && rests(path));
            let ended = others.filter(|(_, (path, entry, goal))| left(*entry, *goal) <= path.likelihood * LEFT_AFTER_CUT);
            let also_ends = ended.map(|(_, (path, ..))| path.id.clone()).collect();
            let evidence = path.steps.iter().flat_map(|step| &step.evidence).find(|item| item.span == span).cloned();
            cuts.push(Cut { text, likelihood, evidence: evidence.into_iter().collect(), also_ends });
        }
        cuts.sort_by(|a, b| b.also_ends.len().cmp(&a.also_ends.len()).then_with(|| (&a.text, &a.evidence).cmp(&(&b.text, &b.evidence))));
        cuts
    }
}

/// Places that make the system work and restrict nobody: integrations, mentions and routes, unless they are grants or openings as well.
pub(super) fn wiring(index: &Index<'_>, flows: &FlowSet) -> HashSet<Span> {
    let (mut wiring, mut settings) = (HashSet::new(), HashSet::new());
    for reason in flows.values().flat_map(|flow| &flow.why) {
        let known = match reason.kind {
            ReasonKind::Integration | ReasonKind::Reference | ReasonKind::Declaration => &mut wiring,
            ReasonKind::Permission | ReasonKind::Network | ReasonKind::Block | ReasonKind::Default => &mut settings,
        };
        known.extend(reason.span);
    }
    wiring.retain(|span| !settings.contains(span));
    // A route is told as a matter of the network like a rule of a group, but it lets nobody in by itself.
    for component in index.architecture.components.values().filter(|component| ROUTES.contains(&component.component_type.as_str())) {
        wiring.extend(component.span);
        component.settings.values().for_each(|node| spans(node, &mut wiring));
    }
    wiring
}

fn spans(node: &Node, out: &mut HashSet<Span>) {
    out.insert(node.span);
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| spans(item, out)),
        Value::Map(members) => members.values().for_each(|item| spans(item, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Unknown(_) => {}
    }
}
