//! What a primitive gives once its variable is bound: the facts that follow, and the steps to them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use bartizan_model::{Address, Relation};

use super::{Binding, Join, Shown};
use crate::attack::graph::{Fact, FactId, Operation, Step};
use crate::attack::rights::{Actor, Need, On};
use crate::attack::world::{Policy, Target};
use crate::catalogue::attack::{Gain, Prerequisite, Primitive, PrimitiveKind};
use crate::facts::read::last;
use crate::outcome::Evidence;

/// Factor on the likelihood of a step for each condition that the plan does not tell.
const OPEN_CONDITION: f64 = 0.5;

/// Who does it.
#[derive(Clone, Copy)]
pub(super) struct By<'s> {
    /// What the actor has to have.
    pub(super) fact: FactId,
    /// The actor; nobody in particular after a right on everything.
    pub(super) actor: Option<&'s Address>,
    pub(super) account: &'s str,
}

/// Texts that many steps share.
#[derive(Default)]
pub(super) struct Texts<'w> {
    /// By primitive id.
    names: HashMap<&'w str, Arc<str>>,
    /// Actions and conditions.
    lists: HashSet<Arc<[String]>>,
    evidence: HashSet<Arc<[Evidence]>>,
}

impl<'w, 'a> Join<'w, '_, 'a> {
    /// Everything that follows from a primitive with its variable bound.
    pub(super) fn conclude(&mut self, by: By<'_>, primitive: &'w Primitive, binding: Binding<'w, 'a>, shown: &Shown) {
        let is_actor = |address: &Address| by.actor == Some(address);
        let Some(bound) = binding.address().or(by.actor).cloned() else { return };
        let mut premises = vec![by.fact];
        if primitive.prerequisites.contains(&Prerequisite::CodeOnTarget) {
            premises.push(self.graph.fact(Fact::Code(bound.clone())));
        }
        let mut gives = Vec::new();
        match (primitive.gives, binding) {
            (_, Binding::Principal(principal)) if primitive.prerequisites.contains(&Prerequisite::ActorCanBecome) => {
                if !is_actor(&principal.component.address) {
                    premises.push(self.graph.fact(Fact::Identity(bound.clone())));
                }
                match primitive.gives {
                    Gain::Unbound => gives.extend(principal.boundary.is_some().then(|| Fact::Unbound(bound.clone()))),
                    _ => gives.push(Fact::Elevated(bound.clone())),
                }
            }
            (Gain::Rights, Binding::Principal(principal)) if last(&principal.component.component_type) == "group" => {
                gives.push(Fact::Group(bound.clone()));
            }
            (Gain::Rights, Binding::Target(policy)) => {
                let holders = self.policy_holders.get(&policy.component.address).cloned().unwrap_or_default();
                for holder in holders {
                    let mut with_holder = premises.clone();
                    if !is_actor(&holder) {
                        with_holder.push(self.graph.fact(Fact::Identity(holder.clone())));
                    }
                    self.add(by, primitive, shown, with_holder, Fact::Elevated(holder), &bound);
                }
            }
            (Gain::Rights, Binding::Principal(_)) if !is_actor(&bound) => {
                premises.push(self.graph.fact(Fact::Identity(bound.clone())));
                gives.push(Fact::Elevated(bound.clone()));
            }
            (Gain::Rights, _) => gives.extend(by.actor.map(|actor| Fact::Elevated(actor.clone()))),
            (Gain::Role, Binding::Target(target)) => gives.extend(self.roles_behind(target, primitive).into_iter().map(Fact::Identity)),
            (Gain::Role, Binding::Nothing | Binding::Own) => {}
            (Gain::RunsAs, Binding::Target(place)) if primitive.kind == PrimitiveKind::Supply => {
                gives.extend(self.loaders(&place.component.address).into_iter().map(Fact::Code));
            }
            (Gain::User | Gain::Role | Gain::Join, _) => gives.push(Fact::Identity(bound.clone())),
            (Gain::RunsAs, _) => gives.push(Fact::Code(bound.clone())),
            (Gain::Read, _) => {
                gives.push(Fact::Data(bound.clone(), Operation::Read));
                if self.holders.contains(&bound) {
                    gives.push(Fact::Configuration(bound.clone()));
                }
            }
            (Gain::Write, _) => gives.push(Fact::Data(bound.clone(), Operation::Write)),
            (Gain::Destroy, _) => gives.push(Fact::Data(bound.clone(), Operation::Destroy)),
            (Gain::Admit, _) => {
                gives.extend([Operation::Read, Operation::Write].map(|operation| Fact::Data(bound.clone(), operation)));
            }
            (Gain::Config, _) => gives.extend(self.holders.contains(&bound).then(|| Fact::Configuration(bound.clone()))),
            (Gain::Mfa, _) => gives.push(Fact::SecondFactor(bound.clone())),
            (Gain::Tags, _) => gives.push(Fact::Tags(bound.clone())),
            (Gain::Account, _) => gives.push(Fact::Admin(by.account.to_owned())),
            (Gain::Cluster, _) => gives.push(Fact::Cluster(bound.clone())),
            (Gain::Disrupt, Binding::Target(_)) => gives.push(Fact::Data(bound.clone(), Operation::Disrupt)),
            (Gain::Unbound, _) => gives.extend(by.actor.and_then(|actor| self.freed(actor, primitive, &bound))),
            (Gain::Disrupt, _) => {}
        }
        for fact in gives {
            self.add(by, primitive, shown, premises.clone(), fact, &bound);
        }
    }

    /// Roles that can be had through a component: those of a service that it launches under, or those that trust it or that it hands out.
    fn roles_behind(&self, target: &Target<'a>, primitive: &Primitive) -> BTreeSet<Address> {
        let world = self.rights.world;
        if !primitive.trusts.is_empty() {
            let roles = primitive.trusts.iter().filter_map(|service| world.by_service.get(service)).flatten();
            let of_account = roles.filter(|role| world.principals.get(*role).is_some_and(|role| role.account == target.account));
            let profiled = |role: &&Address| {
                let component = world.principals.get(*role).map(|role| role.component);
                let profiles = component.and_then(|role| role.setting("instance_profiles")).and_then(|node| node.value.as_list());
                !primitive.prerequisites.contains(&Prerequisite::InstanceProfile) || profiles.is_none_or(|list| !list.is_empty())
            };
            return of_account.filter(profiled).cloned().collect();
        }
        let address = &target.component.address;
        let mut found: BTreeSet<Address> = self.index.follow(address, "gives_role").into_iter().map(|role| role.address.clone()).collect();
        for (role, principal) in &world.principals {
            let Some(trust) = &principal.trust else { continue };
            let trusts = bartizan_iam::assumers(trust).iter().any(|assumer| match &assumer.who {
                bartizan_iam::Who::Federated(provider) => provider.text.references().any(|(known, _)| known == address.as_str()),
                _ => assumer.conditions.iter().any(|condition| {
                    condition.values.iter().any(|value| value.text.references().any(|(known, _)| known == address.as_str()))
                }),
            });
            if trusts {
                found.insert(role.clone());
            }
        }
        found
    }

    /// Compute that loads its code, image or template from a place, and runs as somebody.
    fn loaders(&self, place: &Address) -> BTreeSet<Address> {
        const LOADS: &[&str] =
            &["code", "script", "image", "source", "template", "artifact", "package", "bundle", "layer", "definition", "build", "repo"];
        let loads = |link: &&&bartizan_model::Link| {
            let attribute = link.attribute.to_ascii_lowercase();
            let structural = matches!(link.relation, Relation::EncryptedWith | Relation::InVpc | Relation::InSubnet | Relation::Watches);
            !structural && LOADS.iter().any(|word| attribute.contains(word))
        };
        let from = self.index.to(place).iter().filter(loads).flat_map(|link| {
            let users = self.index.users(&link.from);
            if users.is_empty() { vec![link.from.clone()] } else { users }
        });
        from.filter(|address| !self.index.principals_of(address).is_empty()).collect()
    }

    /// What no longer limits an actor, where the primitive takes away all that limits it in that way.
    fn freed(&self, actor: &Address, primitive: &Primitive, bound: &Address) -> Option<Fact> {
        let principal = self.rights.world.principals.get(actor)?;
        if primitive.prerequisites.contains(&Prerequisite::HasBoundary) {
            let boundary = self.index.follow(actor, "bounded_by");
            let is_it = bound == actor || boundary.iter().any(|policy| policy.address == *bound);
            return is_it.then(|| Fact::Unbound(actor.clone()));
        }
        let takes = |verb: &str| primitive.needs.iter().flat_map(|need| need.actions()).any(|action| action.contains(verb));
        let gone = |(place, policy): (usize, &Rc<Policy>)| match principal.through.iter().find(|(_, places)| places.contains(&place)) {
            Some((group, _)) => takes("Group") && group == bound,
            None => bound == actor && takes(if policy.name == actor.as_str() { ":Delete" } else { ":Detach" }),
        };
        let mut denying = principal.policies.iter().enumerate().filter(|(_, policy)| policy.denies()).peekable();
        denying.peek()?;
        denying.all(gone).then(|| Fact::Undenied(actor.clone()))
    }

    /// Targets that a primitive with a pair takes over, and the roles that these act as then.
    pub(super) fn conclude_pairs(
        &mut self,
        by: By<'_>,
        primitive: &'w Primitive,
        targets: &[(Binding<'w, 'a>, Shown)],
        roles: &[(Binding<'w, 'a>, Shown)],
    ) {
        /// Most compute that is named for one role; one is enough for the attacker.
        const MOST: usize = 3;
        for (target, shown) in targets.iter().take(MOST) {
            let Binding::Target(target) = target else { continue };
            let code = Fact::Code(target.component.address.clone());
            self.add(by, primitive, shown, vec![by.fact], code.clone(), &target.component.address);
            let code = self.graph.fact(code);
            for (role, of_role) in roles {
                let Binding::Principal(role) = role else { continue };
                let mut both = shown.clone();
                both.merge(of_role);
                let address = &role.component.address;
                // Both act: whoever gives the role, and the compute that then has it.
                self.add(by, primitive, &both, vec![by.fact, code], Fact::Identity(address.clone()), address);
                self.add(by, primitive, &both, vec![code, by.fact], Fact::Identity(address.clone()), address);
            }
        }
    }

    /// The customer's own keys that a primitive has to get through to read a target.
    pub(super) fn keys_of(&self, primitive: &Primitive, target: &Target<'a>) -> Vec<&'w Target<'a>> {
        // A database or volume is decrypted by its service for whoever logs in or mounts it.
        const DECRYPTED_FOR_THE_CALLER: &[&str] = &["s3", "secretsmanager", "ssm", "dynamodb", "sqs", "sns", "kinesis", "lambda"];
        let reads = matches!(primitive.gives, Gain::Read | Gain::Config | Gain::Admit);
        if !reads || !DECRYPTED_FOR_THE_CALLER.contains(&target.component.service.as_str()) {
            return Vec::new();
        }
        let links = self.index.from(&target.component.address).iter().filter(|link| link.relation == Relation::EncryptedWith);
        let keys = links.filter_map(|link| self.rights.world.targets.get(&link.to));
        keys.filter(|key| key.component.component_type == "kms.key").collect()
    }

    /// Under a customer's own key, reading takes the key too.
    pub(super) fn decrypts(&self, actor: Actor<'w, 'a>, primitive: &Primitive, target: &Target<'a>, shown: &mut Shown) -> bool {
        self.keys_of(primitive, target).into_iter().all(|key| {
            let via = format!("{}.{}.amazonaws.com", target.component.service, key.component.region.as_deref().unwrap_or("any"));
            let grant = self.rights.may(actor, "kms:Decrypt", On::Component(key), &[("kms:ViaService", Some(&via))]);
            grant.map(|grant| shown.add("kms:Decrypt", grant)).is_some()
        })
    }

    /// Adds one step.
    pub(super) fn add(
        &mut self,
        by: By<'_>,
        primitive: &'w Primitive,
        shown: &Shown,
        mut premises: Vec<FactId>,
        gives: Fact,
        bound: &Address,
    ) {
        // What comes after a right on everything has been weighed there.
        let whole = by.actor.is_some();
        let mut conditions: Vec<String> = primitive.assumes.iter().filter(|_| whole).cloned().collect();
        for need in &shown.needs {
            match need {
                Need::Tags => premises.push(self.graph.fact(Fact::Tags(bound.clone()))),
                Need::SecondFactor => {
                    if let Some(holder) = by.actor {
                        premises.push(self.graph.fact(Fact::SecondFactor(holder.clone())));
                    }
                }
                Need::Open(words) => conditions.push(words.clone()),
            }
        }
        let open = i32::try_from(conditions.len()).unwrap_or(i32::MAX);
        let likelihood = if whole { primitive.likelihood } else { 1.0 };
        let gives = self.graph.fact(gives);
        self.graph.step(Step {
            premises,
            gives,
            technique: self.texts.names.entry(&primitive.id).or_insert_with(|| primitive.id.as_str().into()).clone(),
            actions: shared(&mut self.texts.lists, &shown.actions),
            probability: likelihood * OPEN_CONDITION.powi(open),
            conditions: shared(&mut self.texts.lists, &conditions),
            assumption: primitive.is_generic && whole,
            evidence: shared(&mut self.texts.evidence, &shown.evidence),
        });
    }
}

/// One copy of a list for all who hold it.
fn shared<T: Clone + Eq + std::hash::Hash>(known: &mut HashSet<Arc<[T]>>, list: &[T]) -> Arc<[T]> {
    match known.get(list) {
        Some(list) => list.clone(),
        None => {
            let list: Arc<[T]> = list.into();
            known.insert(list.clone());
            list
        }
    }
}
