//! The paths of a review: from every entry outside to administrator rights and to data that is worth it, with what would end each.

use std::collections::{BTreeMap, HashMap, HashSet};

use bartizan_model::{Address, Asset, Span};

use super::Attack;
use super::graph::{Fact, FactId, Operation, Step, StepId};
use super::query::sort;
use crate::flows::ANYONE;
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

/// From which class on the loss of data is a goal, by what is done to it (1..=5).
const WORTH: [(Operation, u8); 3] = [(Operation::Read, 3), (Operation::Write, 4), (Operation::Destroy, 4)];

impl Attack {
    /// Paths from outside to administrator rights and sensitive data, likeliest first, with their cuts.
    pub fn of_review(&self, assets: &[Asset]) -> Vec<AttackPath> {
        let goals = self.goals(assets);
        let mut found: Vec<(AttackPath, FactId, FactId)> = Vec::new();
        for (entry, ..) in &self.entries {
            let from = self.address_of(*entry);
            let proofs = self.graph.proofs(&[*entry], &|_, _| true, &[]);
            let mut best: BTreeMap<&str, (f64, FactId)> = BTreeMap::new();
            for goal in &goals {
                let (Some(cost), Some(fact)) = (proofs.cost(*goal), self.graph.get(*goal)) else { continue };
                let known = best.entry(fact.address()).or_insert((cost, *goal));
                if cost < known.0 {
                    *known = (cost, *goal);
                }
            }
            for (_, goal) in best.into_values().filter(|(cost, _)| (-cost).exp() >= LEAST) {
                found.extend(self.path(&proofs, &from, goal).map(|path| (path, *entry, goal)));
            }
        }
        self.drop_repeated(&mut found);
        found.sort_by(|a, b| b.0.likelihood.total_cmp(&a.0.likelihood).then_with(|| a.0.id.cmp(&b.0.id)));
        found.truncate(MOST);
        let mut by_place: HashMap<Span, Vec<StepId>> = HashMap::new();
        for (id, step) in (0..).zip(&self.graph.steps) {
            for item in step.evidence.iter() {
                by_place.entry(item.span).or_default().push(id);
            }
        }
        let cuts: Vec<Vec<Cut>> = (0..found.len()).map(|at| self.cuts(&found, at, &by_place)).collect();
        let mut paths: Vec<AttackPath> = found.into_iter().zip(cuts).map(|((path, ..), cuts)| AttackPath { cuts, ..path }).collect();
        sort(&mut paths);
        paths
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

    pub(super) fn goals(&self, assets: &[Asset]) -> Vec<FactId> {
        let mut goals = self.admin_facts();
        let mut seen: HashSet<FactId> = goals.iter().copied().collect();
        for asset in assets {
            let class = asset.classification;
            for (operation, least) in WORTH {
                let worth = match operation {
                    Operation::Read => class.confidentiality,
                    Operation::Write => class.integrity,
                    Operation::Destroy | Operation::Disrupt => class.availability,
                };
                let stores = asset.stored_in.iter().filter(|_| worth >= least);
                let facts = stores.filter_map(|store: &Address| self.graph.find(&Fact::Data(store.clone(), operation)));
                goals.extend(facts.filter(|fact| seen.insert(*fact)));
            }
        }
        goals
    }

    /// Changes of one place that end a path: the graph is computed again without every step that rests on that place.
    fn cuts(&self, found: &[(AttackPath, FactId, FactId)], at: usize, by_place: &HashMap<Span, Vec<StepId>>) -> Vec<Cut> {
        let Some((path, entry, goal)) = found.get(at) else { return Vec::new() };
        let mut places: Vec<(Span, String)> = Vec::new();
        for step in path.steps.iter().filter(|step| !NO_CUT.contains(&step.technique.as_str())) {
            for item in &step.evidence {
                if places.iter().all(|(span, _)| *span != item.span) {
                    places.push((item.span, item.text.clone()));
                }
            }
        }
        places.truncate(MOST_CUTS);
        let mut cuts = Vec::new();
        for (span, text) in places {
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
