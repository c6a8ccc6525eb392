//! Questions to the attack graph: who is or becomes an administrator, which paths there are, which edges, and what cuts them.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Asset};
use indexmap::IndexMap;

use super::compute::{INSTANCE_METADATA, RUNS_AS};
use super::graph::{Fact, FactId, Operation, Proofs, Step};
use super::{Administrator, Attack};
use crate::flows::set::short_hash;
use crate::outcome::{AttackPath, Evidence, PathStep};

/// Paths that are less likely are not worth a line; ratio 0..=1.
const LEAST: f64 = 1e-4;

/// Most edges that are listed for administrators, who reach everything.
const MOST_ADMINISTERED: usize = 50_000;

/// Most edges that are listed of rights on everything.
const MOST_SPREAD: usize = 100_000;

/// Yes, no, or under conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// In no case.
    No,
    /// Where its conditions hold.
    Conditional,
    /// In every case.
    Yes,
}

impl Standing {
    /// Lower-case word.
    pub fn id(self) -> &'static str {
        match self {
            Standing::No => "no",
            Standing::Conditional => "conditional",
            Standing::Yes => "yes",
        }
    }
}

/// What a principal is and can become.
#[derive(Clone, Debug)]
pub struct Access {
    /// The user, role or group.
    pub address: Address,
    /// `user`, `role` or `group`.
    pub kind: &'static str,
    /// Whether it is an administrator by its own policies.
    pub admin: Standing,
    /// Whether it can become one, at once or by other principals.
    pub escalates: Standing,
    /// The techniques of the likeliest way, in order.
    pub via: Vec<String>,
    /// What must hold for that.
    pub conditions: Vec<String>,
    /// The way itself.
    pub path: Option<AttackPath>,
}

/// One edge of the graph as readers see it: between addresses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Who acts.
    pub from: String,
    /// On whom or what.
    pub to: String,
    /// Primitive or relation.
    pub technique: String,
    /// IAM actions.
    pub actions: Vec<String>,
    /// Yes, or under conditions.
    pub verdict: Standing,
}

/// What a path is asked to lead to.
#[derive(Clone, Debug)]
pub enum Goal {
    /// Administrator rights in any account.
    Admin,
    /// Anything of one of these components: acting as it, running in it, its data.
    Components(Vec<Address>),
    /// Administrator rights, or data whose loss or change weighs.
    Worth(Vec<Asset>),
}

impl Attack {
    /// Every principal, sorted by address.
    pub fn access(&self) -> &[Access] {
        &self.standings
    }

    /// Decides for every principal what it is and can become.
    pub(crate) fn standings(&self) -> Vec<Access> {
        let goals = self.admin_facts();
        // Only what may lead to a goal is searched.
        let near = self.graph.backwards(&goals, &|step| !step.assumption);
        let surely_near = self.graph.backwards(&goals, &|step| !step.assumption && step.conditions.is_empty());
        let possible = |step: &Step| !step.assumption && near.contains(&step.gives);
        let certain = |step: &Step| !step.assumption && step.conditions.is_empty() && surely_near.contains(&step.gives);
        let mut out = Vec::new();
        for (address, kind, administrator) in &self.principals {
            let admin = match administrator {
                Administrator::No => Standing::No,
                Administrator::When(_) => Standing::Conditional,
                Administrator::Yes => Standing::Yes,
            };
            let mut access = Access {
                address: address.clone(),
                kind,
                admin,
                escalates: Standing::No,
                via: Vec::new(),
                conditions: Vec::new(),
                path: None,
            };
            if let Some(own) = self.graph.find(&Fact::Identity(address.clone())).filter(|own| near.contains(own)) {
                self.follow(own, &goals, &certain, &possible, &mut access);
            }
            out.push(access);
        }
        out
    }

    fn follow(
        &self,
        own: FactId,
        goals: &[FactId],
        certain: &dyn Fn(&Step) -> bool,
        possible: &dyn Fn(&Step) -> bool,
        access: &mut Access,
    ) {
        let second_factor = self.graph.find(&Fact::SecondFactor(access.address.clone()));
        let sources: Vec<FactId> = std::iter::once(own).chain(second_factor).collect();
        let (standing, found) = match self.reach(&[own], goals, certain) {
            Some(found) => (Standing::Yes, Some(found)),
            None => (Standing::Conditional, self.reach(&sources, goals, possible)),
        };
        let Some((proofs, goal)) = found else { return };
        access.escalates = standing;
        for step in self.graph.proof(&proofs, goal).iter().filter_map(|id| self.graph.steps.get(*id as usize)) {
            if !self.graph.is_between(step.gives) {
                access.via.push(step.technique.to_string());
            }
            access.conditions.extend(step.conditions.iter().cloned());
            if second_factor.is_some_and(|factor| step.premises.contains(&factor)) {
                access.conditions.push(format!("`{}` has a second factor", access.address));
            }
        }
        access.path = self.path(&proofs, access.address.as_str(), goal);
    }

    fn reach(&self, sources: &[FactId], goals: &[FactId], usable: &dyn Fn(&Step) -> bool) -> Option<(Proofs, FactId)> {
        let proofs = self.graph.proofs(sources, &|_, step| usable(step), goals);
        let best = goals.iter().filter_map(|goal| Some((proofs.cost(*goal)?, *goal))).min_by(|a, b| a.0.total_cmp(&b.0))?;
        Some((proofs, best.1))
    }

    pub(crate) fn admin_facts(&self) -> Vec<FactId> {
        self.facts(|fact| matches!(fact, Fact::Admin(_)))
    }

    fn facts(&self, wanted: impl Fn(&Fact) -> bool) -> Vec<FactId> {
        self.graph.facts.iter().enumerate().filter(|(_, fact)| wanted(fact)).filter_map(|(index, _)| u32::try_from(index).ok()).collect()
    }

    /// Where somebody called this starts: a component, an entry, or the ARN of either.
    fn sources(&self, name: &str) -> Vec<FactId> {
        let by_address = self.facts(|fact| match fact {
            Fact::Entry(address) | Fact::Identity(address) | Fact::Code(address) | Fact::ServiceAccount(address) => {
                address.as_str() == name
            }
            _ => false,
        });
        let Some(wanted) = arn_part(name).filter(|_| by_address.is_empty()) else { return by_address };
        let entries = self.entries.iter().filter(|(_, _, arn)| arn.as_deref() == Some(wanted)).map(|(entry, ..)| *entry);
        let named = self.facts(|fact| match fact {
            Fact::Entry(address) => arn_part(address.as_str()) == Some(wanted),
            Fact::Identity(address) => self.names.get(address).is_some_and(|name| name == wanted),
            _ => false,
        });
        entries.chain(named).collect()
    }

    /// True where somebody called this can start a path: a principal, what runs code, or an entry from outside.
    pub fn starts(&self, name: &str) -> bool {
        !self.sources(name).is_empty()
    }

    /// Paths from somebody to a goal, first where likelihood times worth of the goal is most; `None` starts at every entry.
    pub fn paths(&self, from: Option<&str>, to: &Goal) -> Vec<AttackPath> {
        // Of what was asked for by name, one is worth what another is.
        let equal = |facts: Vec<FactId>| facts.into_iter().map(|fact| (fact, 1.0)).collect();
        let goals: IndexMap<FactId, f64> = match to {
            Goal::Admin => equal(self.admin_facts()),
            Goal::Worth(assets) => self.goals(assets),
            Goal::Components(addresses) => {
                let wanted: BTreeSet<&Address> = addresses.iter().collect();
                equal(self.facts(|fact| match fact {
                    Fact::Identity(address)
                    | Fact::Elevated(address)
                    | Fact::Code(address)
                    | Fact::Data(address, _)
                    | Fact::Cluster(address) => wanted.contains(address),
                    _ => false,
                }))
            }
        };
        let starts: Vec<(String, Vec<FactId>)> = match from {
            Some(name) => vec![(name.to_owned(), self.sources(name))],
            None => self.entries.iter().map(|(entry, ..)| (self.address_of(*entry), vec![*entry])).collect(),
        };
        let mut found: Vec<(AttackPath, f64)> = Vec::new();
        for (name, sources) in &starts {
            let proofs = self.graph.proofs(sources, &|_, _| true, &[]);
            let mut by_address: BTreeMap<&str, (f64, f64, FactId)> = BTreeMap::new();
            for (goal, worth) in &goals {
                let (Some(cost), Some(fact)) = (proofs.cost(*goal), self.graph.get(*goal)) else { continue };
                // Nobody needs a way to itself.
                if sources.contains(goal) || fact.address() == name {
                    continue;
                }
                let likelihood = (-cost).exp();
                let best = by_address.entry(fact.address()).or_insert((likelihood, *worth, *goal));
                if likelihood * worth > best.0 * best.1 {
                    *best = (likelihood, *worth, *goal);
                }
            }
            for (likelihood, worth, goal) in by_address.into_values() {
                if likelihood >= LEAST || from.is_some() {
                    found.extend(self.path(&proofs, name, goal).map(|path| (path, worth)));
                }
            }
        }
        sort(&mut found, |(path, worth)| (path, *worth));
        found.into_iter().map(|(path, _)| path).collect()
    }

    /// Users and roles that somebody outside becomes by one certain step.
    pub(crate) fn entered(&self) -> BTreeSet<Address> {
        let entries: BTreeSet<FactId> = self.entries.iter().map(|(entry, ..)| *entry).collect();
        let from_outside =
            |step: &&Step| !step.assumption && step.conditions.is_empty() && step.premises.iter().all(|premise| entries.contains(premise));
        let given = self.graph.steps.iter().filter(from_outside).filter_map(|step| self.graph.get(step.gives));
        given.filter_map(|fact| if let Fact::Identity(address) = fact { Some(address.clone()) } else { None }).collect()
    }

    pub(crate) fn address_of(&self, fact: FactId) -> String {
        self.graph.get(fact).map_or_else(String::new, |fact| fact.address().to_owned())
    }

    pub(crate) fn path(&self, proofs: &Proofs, from: &str, goal: FactId) -> Option<AttackPath> {
        let steps = self.graph.proof(proofs, goal).into_iter().filter_map(|id| self.graph.steps.get(id as usize));
        let steps: Vec<PathStep> =
            steps.filter(|step| !self.graph.is_between(step.gives)).filter_map(|step| self.path_step(proofs, step)).collect();
        if steps.is_empty() {
            return None;
        }
        let to = self.graph.get(goal)?;
        let end = match to {
            Fact::Data(address, operation) if *operation != Operation::Read => format!("{address} ({})", operation.id()),
            other => other.address().to_owned(),
        };
        let mut parts = vec![from, end.as_str()];
        for step in &steps {
            parts.extend([step.from.as_str(), step.to.as_str(), step.technique.as_str()]);
        }
        Some(AttackPath {
            id: format!("path-{}", short_hash(&parts)),
            from: from.to_owned(),
            to: to.address().to_owned(),
            operation: match to {
                Fact::Data(_, operation) => Some(operation.id()),
                _ => None,
            },
            likelihood: (-proofs.cost(goal)?).exp(),
            steps,
            cuts: Vec::new(),
        })
    }

    /// A step as readers see it: a right on everything and what is reached by it are one.
    fn path_step(&self, proofs: &Proofs, step: &Step) -> Option<PathStep> {
        let before = step.premises.iter().filter(|premise| self.graph.is_between(**premise)).filter_map(|premise| proofs.by(*premise));
        let before: Vec<&Step> = before.filter_map(|id| self.graph.steps.get(id as usize)).collect();
        let both = || before.iter().copied().chain([step]);
        let actor = *step.premises.first()?;
        let actor = if self.graph.is_between(actor) { *before.first()?.premises.first()? } else { actor };
        let mut conditions: Vec<String> = both().flat_map(|step| step.conditions.iter().cloned()).collect();
        let mut seen = BTreeSet::new();
        conditions.retain(|condition| seen.insert(condition.clone()));
        Some(PathStep {
            from: self.address_of(actor),
            to: self.address_of(step.gives),
            technique: step.technique.to_string(),
            actions: both().flat_map(|step| step.actions.iter().cloned()).collect(),
            assumption: both().any(|step| step.assumption),
            conditions,
            likelihood: both().map(|step| step.probability).product(),
            evidence: both().flat_map(|step| step.evidence.iter().cloned()).collect(),
        })
    }

    /// What the attacker does by a technique, in a few words; the id's own words where the catalogue has no title for it.
    pub fn title(&self, technique: &str) -> String {
        self.titles.get(technique).cloned().unwrap_or_else(|| technique.replace('-', " "))
    }

    /// The name for readers of an entry from outside: `AWS account 111122223333`.
    pub fn entry_name(&self, address: &str) -> Option<&str> {
        let found = self.entries.iter().find(|(entry, ..)| self.graph.get(*entry).is_some_and(|entry| entry.address() == address));
        found.map(|(_, name, _)| name.as_str())
    }

    /// Every edge between addresses, sorted, each once; and how many edges of administrators and of rights on everything were left out.
    pub fn edges(&self) -> (Vec<Edge>, usize) {
        let mut out: BTreeSet<Edge> = BTreeSet::new();
        let mut readers: BTreeMap<FactId, Vec<(FactId, &Step)>> = BTreeMap::new();
        let mut administrators: BTreeMap<&str, BTreeSet<(String, Standing)>> = BTreeMap::new();
        let mut holders: BTreeMap<FactId, Vec<&Step>> = BTreeMap::new();
        for step in self.graph.steps.iter().filter(|step| self.graph.is_between(step.gives)) {
            holders.entry(step.gives).or_default().push(step);
        }
        let mut spread = 0;
        let mut left_out = 0;
        for step in self.graph.steps.iter().filter(|step| !self.graph.is_between(step.gives)) {
            let between = step.premises.iter().find(|premise| self.graph.is_between(**premise));
            let by: Vec<&Step> = between.map_or(vec![step], |between| holders.get(between).cloned().unwrap_or_default());
            for holder in by {
                let actor = step.premises.first().filter(|actor| Some(*actor) != between).or(holder.premises.first());
                let Some(actor) = actor.filter(|actor| **actor != step.gives) else { continue };
                let (Some(from), Some(to)) = (self.graph.get(*actor), self.graph.get(step.gives)) else { continue };
                if between.is_some() {
                    if spread >= MOST_SPREAD {
                        left_out += 1;
                        continue;
                    }
                    spread += 1;
                }
                let certain = [step, holder].iter().all(|step| step.conditions.is_empty() && !step.assumption);
                let verdict = if certain { Standing::Yes } else { Standing::Conditional };
                match (from, to) {
                    (_, Fact::Admin(account)) => {
                        administrators.entry(account.as_str()).or_default().insert((from.address().to_owned(), verdict));
                    }
                    (_, Fact::Configuration(_)) => readers.entry(step.gives).or_default().push((*actor, holder)),
                    _ => {}
                }
                out.insert(Edge {
                    from: from.address().to_owned(),
                    to: to.address().to_owned(),
                    technique: step.technique.to_string(),
                    actions: if step.actions.is_empty() { self.started(from, holder).to_vec() } else { step.actions.to_vec() },
                    verdict,
                });
            }
        }
        self.through_configuration(&readers, &mut out);
        left_out += self.of_administrators(&administrators, &mut out) + self.direct.1;
        out.extend(self.calls.iter().map(|(from, to)| Edge {
            from: from.to_string(),
            to: to.to_string(),
            technique: "calls".to_owned(),
            actions: vec!["lambda:InvokeFunction".to_owned()],
            verdict: Standing::Yes,
        }));
        out.extend(self.direct.0.iter().map(|direct| Edge {
            from: direct.from.to_string(),
            to: direct.to.to_string(),
            technique: "may".to_owned(),
            actions: direct.actions.clone(),
            verdict: if direct.conditional { Standing::Conditional } else { Standing::Yes },
        }));
        (out.into_iter().collect(), left_out)
    }

    /// Actions of an edge whose own step needs none: what makes code run that acts as a role.
    fn started<'s>(&'s self, from: &Fact, step: &'s Step) -> &'s [String] {
        match from {
            Fact::Code(address) if [RUNS_AS, INSTANCE_METADATA].contains(&&*step.technique) => {
                self.starts.get(address).map(|actions| &**actions).unwrap_or_default()
            }
            _ => &step.actions,
        }
    }

    /// Whoever reads a configuration gains what it holds: one edge from the reader to that.
    fn through_configuration(&self, readers: &BTreeMap<FactId, Vec<(FactId, &Step)>>, out: &mut BTreeSet<Edge>) {
        for held in &self.graph.steps {
            let Some(readers) = held.premises.first().and_then(|holder| readers.get(holder)) else { continue };
            for (actor, reader) in readers {
                let from = self.address_of(*actor);
                let certain = reader.conditions.is_empty() && held.conditions.is_empty();
                out.insert(Edge {
                    from,
                    to: self.address_of(held.gives),
                    technique: held.technique.to_string(),
                    actions: reader.actions.to_vec(),
                    verdict: if certain { Standing::Yes } else { Standing::Conditional },
                });
            }
        }
    }

    fn of_administrators(&self, administrators: &BTreeMap<&str, BTreeSet<(String, Standing)>>, out: &mut BTreeSet<Edge>) -> usize {
        let mut left_out = 0;
        let mut listed = 0;
        for item in &self.administered {
            for (from, verdict) in administrators.get(item.account.as_str()).into_iter().flatten() {
                if listed >= MOST_ADMINISTERED {
                    left_out += 1;
                    continue;
                }
                listed += 1;
                out.insert(Edge {
                    from: from.clone(),
                    to: item.address.as_str().to_owned(),
                    technique: "administers".to_owned(),
                    actions: item.actions.clone(),
                    verdict: *verdict,
                });
            }
        }
        left_out
    }
}

/// First where likelihood times worth of the goal is most, then by id, each once; `of` gives the path of an item and what its goal is worth.
pub(super) fn sort<T>(paths: &mut Vec<T>, of: impl Fn(&T) -> (&AttackPath, f64)) {
    let weight = |item: &T| {
        let (path, worth) = of(item);
        path.likelihood * worth
    };
    paths.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then_with(|| of(a).0.id.cmp(&of(b).0.id)));
    paths.dedup_by(|a, b| of(a).0.id == of(b).0.id);
}

/// The part of an ARN that names the thing: everything after the account.
fn arn_part(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:").and_then(|rest| rest.splitn(5, ':').nth(4))
}

/// Evidence of what a file declares.
pub(crate) fn declared(component: &bartizan_model::Component, text: &str) -> Vec<Evidence> {
    component.span.map(|span| Evidence { span, text: text.to_owned() }).into_iter().collect()
}
