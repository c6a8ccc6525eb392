//! Rights on everything: one fact between all who hold such a right and all that they reach by it.
//!
//! Without it a plan of n principals with a right on `*` and m stores has n × m steps. What a resource's own policy, a customer's key or
//! a missing instance profile makes different is told apart here, or joined one by one.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Binding, Join, Shown, is_pair, variable};
use crate::attack::graph::{Also, Fact, FactId};
use crate::attack::policy::span;
use crate::attack::rights::{Actor, Grant, has_own_say, takes_over};
use crate::attack::world::{Principal, Target};
use crate::catalogue::attack::{Gain, Permission, Prerequisite, Primitive, Variable};
use crate::outcome::Evidence;

use super::conclude::By;

/// What a primitive reaches in one account for whoever holds its rights on everything.
pub(super) struct Spread<'w, 'a> {
    /// Facts from which what is alike is reached, by what else their holder must be able to do.
    hubs: Vec<(Also, FactId)>,
    /// What is reached only through a customer's key.
    keyed: Vec<Binding<'w, 'a>>,
    /// What has a say of its own.
    special: Vec<Binding<'w, 'a>>,
}

impl<'w, 'a> Join<'w, '_, 'a> {
    /// Where an actor holds all that a primitive needs on everything: adds the step to that, and gives what is left to be joined one by one.
    pub(super) fn spread(
        &mut self,
        actor: Actor<'w, 'a>,
        own: FactId,
        place: usize,
        bound: &[&Permission],
        common: &Shown,
    ) -> Option<Vec<Binding<'w, 'a>>> {
        let primitive = self.primitives.get(place)?.primitive;
        let variable = variable(bound);
        if variable == Some(Variable::Own) || variable.is_none() && primitive.target.is_empty() {
            return None;
        }
        let mut shown = common.clone();
        for need in bound {
            let (action, evidence) = need.actions().find_map(|action| Some((action, self.rights.everywhere(actor, action)?)))?;
            shown.add(action, Grant { needs: Vec::new(), evidence });
        }
        let account = actor.principal.account.as_str();
        let spread = self.spread_of(account, place, primitive, bound);
        if spread.hubs.is_empty() && is_pair(bound) {
            return None;
        }
        let by = By { fact: own, actor: Some(&actor.principal.component.address), account };
        let key = if spread.keyed.is_empty() { None } else { self.rights.everywhere(actor, "kms:Decrypt") };
        for (also, hub) in &spread.hubs {
            let mut shown = shown.clone();
            match also {
                Also::Nothing => {}
                Also::Profile if self.makes_profiles(actor) => {}
                Also::Key if key.is_some() => {
                    key.iter().for_each(|evidence| shown.add("kms:Decrypt", Grant { needs: Vec::new(), evidence: evidence.clone() }));
                }
                Also::Key | Also::Profile => continue,
            }
            let Some(hub) = self.graph.get(*hub).cloned() else { continue };
            self.add(by, primitive, &shown, vec![own], hub, &actor.principal.component.address);
        }
        let mut rest = spread.special.clone();
        if key.is_none() {
            rest.extend(spread.keyed.iter().copied());
        }
        if let Some(variable) = variable {
            rest.extend(self.own(actor, primitive, variable));
            if matches!(variable, Variable::Target | Variable::Objects) {
                let foreign = self.admitting(actor, primitive, bound, true).filter(|target| target.account != account);
                rest.extend(foreign.map(Binding::Target));
            }
        }
        rest.sort_by_key(Binding::address);
        rest.dedup_by_key(|binding| binding.address());
        Some(rest)
    }

    /// What raises or frees the actor itself: it needs nobody else's identity for that.
    fn own(&self, actor: Actor<'w, 'a>, primitive: &Primitive, variable: Variable) -> Vec<Binding<'w, 'a>> {
        if !matches!(primitive.gives, Gain::Rights | Gain::Unbound) && !primitive.prerequisites.contains(&Prerequisite::ActorCanBecome) {
            return Vec::new();
        }
        let address = &actor.principal.component.address;
        let boundary = self.index.follow(address, "bounded_by").into_iter().map(|policy| &policy.address);
        let own = std::iter::once(address).chain(&actor.principal.attached).chain(&actor.principal.groups).chain(boundary);
        let own = own.filter_map(|address| self.rights.world.targets.get(address));
        own.filter_map(|target| self.binding(&actor.principal.account, primitive, variable, target)).collect()
    }

    fn spread_of(&mut self, account: &'w str, place: usize, primitive: &'w Primitive, bound: &[&Permission]) -> Rc<Spread<'w, 'a>> {
        if let Some(known) = self.spreads.get(&(account, place)) {
            return known.clone();
        }
        let mut spread = Spread { hubs: Vec::new(), keyed: Vec::new(), special: Vec::new() };
        if is_pair(bound) {
            let (_, targets) = self.sorted(account, primitive, Some(Variable::Target), bound);
            let (_, roles) = self.sorted(account, primitive, Some(Variable::Role), bound);
            let targets = targets.get(&Also::Nothing).cloned().unwrap_or_default();
            for (also, roles) in roles.iter().filter(|_| !targets.is_empty()) {
                let hub = self.hub(account, primitive, *also);
                self.conclude_pairs(By { fact: hub, actor: None, account }, primitive, &targets, roles);
                spread.hubs.push((*also, hub));
            }
        } else {
            let (special, alike) = self.sorted(account, primitive, variable(bound), bound);
            spread.special = special;
            for (also, reached) in alike {
                let hub = self.hub(account, primitive, also);
                let before = self.graph.size().1;
                for (binding, shown) in &reached {
                    self.conclude(By { fact: hub, actor: None, account }, primitive, *binding, shown);
                }
                if self.graph.size().1 > before {
                    spread.hubs.push((also, hub));
                }
                if also == Also::Key {
                    spread.keyed = reached.into_iter().map(|(binding, _)| binding).collect();
                }
            }
        }
        let spread = Rc::new(spread);
        self.spreads.insert((account, place), spread.clone());
        spread
    }

    fn hub(&mut self, account: &str, primitive: &Primitive, also: Also) -> FactId {
        self.graph.fact(Fact::Everywhere(account.to_owned(), primitive.id.clone(), also))
    }

    /// Everything of an account that a variable may stand for and that fits: what has a say of its own, and the rest by what else it takes.
    #[expect(clippy::type_complexity, reason = "a pair that is taken apart at once")]
    fn sorted(
        &self,
        account: &'w str,
        primitive: &Primitive,
        variable: Option<Variable>,
        bound: &[&Permission],
    ) -> (Vec<Binding<'w, 'a>>, BTreeMap<Also, Vec<(Binding<'w, 'a>, Shown)>>) {
        let (mut special, mut alike) = (Vec::new(), BTreeMap::<Also, Vec<_>>::new());
        for binding in self.everything(account, primitive, variable) {
            let Some(target) = binding.address().and_then(|address| self.rights.world.targets.get(address)) else { continue };
            if self.is_out_of_reach(bound, target) {
                continue;
            }
            let mut shown = Shown::default();
            if assumes(bound) {
                shown.show(&self.trust_of(target));
            }
            match self.also(primitive, binding, target, bound) {
                None => special.push(binding),
                Some(also) if self.binding_fits(primitive, binding, &mut shown) => alike.entry(also).or_default().push((binding, shown)),
                Some(_) => {}
            }
        }
        (special, alike)
    }

    /// What else the holder of a right on everything must be able to do for a target; nothing known where the target has a say of its own.
    fn also(&self, primitive: &Primitive, binding: Binding<'w, 'a>, target: &Target<'a>, bound: &[&Permission]) -> Option<Also> {
        let is_plain = |of: &Target<'a>| of.account == target.account && of.forbids_nothing && !has_own_say(of);
        if !bound.is_empty() && !is_plain(target) || assumes(bound) && !self.trusts_account(target) {
            return None;
        }
        if self.wants_profile(primitive, binding) {
            return Some(Also::Profile);
        }
        let keys = self.keys_of(primitive, target);
        if keys.is_empty() {
            return Some(Also::Nothing);
        }
        keys.iter().all(|key| is_plain(key)).then_some(Also::Key)
    }

    /// A role that trusts services only is taken by nobody who calls for it.
    fn is_out_of_reach(&self, bound: &[&Permission], target: &Target<'a>) -> bool {
        assumes(bound) && !self.rights.world.trusting.contains(&target.component.address)
    }

    fn trusts_account(&self, target: &Target<'a>) -> bool {
        let role = self.rights.world.principals.get(&target.component.address);
        role.is_some_and(|role| role.trusts_account.is_some())
    }

    /// The statement that leaves it to a role's account who takes it over.
    fn trust_of(&self, target: &Target<'a>) -> Vec<Evidence> {
        let role = self.rights.world.principals.get(&target.component.address);
        let evidence = |role: &Principal<'_>| {
            let text = format!("`{}` leaves it to its account who becomes it", role.component.address);
            Some(Evidence { span: span(role.trusts_account?), text })
        };
        role.and_then(evidence).into_iter().collect()
    }
}

/// True for permissions to take over a role by its trust.
fn assumes(bound: &[&Permission]) -> bool {
    bound.iter().any(|need| need.actions().any(|action| takes_over(action)))
}
