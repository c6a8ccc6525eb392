//! Primitives joined over the plan: which principal can do what to whom, one step per binding that exists.
//!
//! Who holds a right on everything is not joined with each thing: `everywhere` puts one fact between the holders and what they reach.

mod conclude;
mod everywhere;
mod prerequisites;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use bartizan_model::Address;

use super::graph::{AttackGraph, Fact, FactId};
use super::reach::Reach;
use super::rights::{Actor, Grant, Need, On, Rights, is_user};
use super::world::{Principal, Target};
use crate::catalogue::attack::{Permission, Prerequisite, Primitive, Variable};
use crate::flows::index::Index;
use crate::outcome::Evidence;

use conclude::{By, Texts};
use everywhere::Spread;

/// Joins primitives for one actor after the other.
pub(crate) struct Join<'w, 'i, 'a> {
    pub(crate) rights: &'w Rights<'w, 'a>,
    index: &'i Index<'a>,
    /// Components whose configuration holds a credential.
    holders: &'w BTreeSet<Address>,
    /// Every primitive that takes permissions.
    primitives: Vec<Needed<'w>>,
    /// Holders of each customer-managed policy.
    policy_holders: BTreeMap<Address, Vec<Address>>,
    /// By account and type.
    by_type: HashMap<(&'w str, &'w str), Vec<&'w Target<'a>>>,
    /// By account and service: the roles that trust it.
    by_service: HashMap<(&'w str, &'w str), Vec<&'w Principal<'a>>>,
    /// By type: resources whose own policy speaks of everyone.
    open_to_anyone: HashMap<&'w str, Vec<&'w Target<'a>>>,
    /// By type: resources whose own policy speaks of other accounts as such.
    open_to_accounts: HashMap<&'w str, Vec<&'w Target<'a>>>,
    /// By account and place of the primitive: what is reached by a right on everything.
    spreads: HashMap<(&'w str, usize), Rc<Spread<'w, 'a>>>,
    pub(crate) graph: &'w mut AttackGraph,
    /// By role: whether Systems Manager reaches what runs as it.
    managing: RefCell<HashMap<Address, bool>>,
    texts: Texts<'w>,
}

/// A primitive with what it needs as the rights know it.
struct Needed<'w> {
    primitive: &'w Primitive,
    /// By permission: the actions of which one is needed, by index.
    actions: Vec<Vec<u16>>,
}

/// What a primitive's variable is bound to.
#[derive(Clone, Copy)]
enum Binding<'w, 'a> {
    Nothing,
    Own,
    Principal(&'w Principal<'a>),
    Target(&'w Target<'a>),
}

/// What the needs of a primitive come to.
#[derive(Clone, Default)]
struct Shown {
    evidence: Vec<Evidence>,
    actions: Vec<String>,
    needs: BTreeSet<Need>,
}

impl Shown {
    fn merge(&mut self, other: &Self) {
        let new = |have: &[String], action: &&String| !have.contains(action);
        let actions: Vec<String> = other.actions.iter().filter(|action| new(&self.actions, action)).cloned().collect();
        self.actions.extend(actions);
        self.needs.extend(other.needs.iter().cloned());
        self.show(&other.evidence);
    }

    fn show(&mut self, evidence: &[Evidence]) {
        for item in evidence {
            if !self.evidence.contains(item) {
                self.evidence.push(item.clone());
            }
        }
    }

    fn add(&mut self, action: &str, grant: Grant) {
        self.actions.push(action.to_owned());
        self.needs.extend(grant.needs);
        self.show(&grant.evidence);
    }
}

impl<'w, 'i, 'a> Join<'w, 'i, 'a> {
    pub(crate) fn new(
        rights: &'w Rights<'w, 'a>,
        index: &'i Index<'a>,
        holders: &'w BTreeSet<Address>,
        primitives: &'w [Primitive],
        graph: &'w mut AttackGraph,
    ) -> Self {
        let world = rights.world;
        let mut policy_holders: BTreeMap<Address, Vec<Address>> = BTreeMap::new();
        for (address, principal) in &world.principals {
            for policy in &principal.attached {
                policy_holders.entry(policy.clone()).or_default().push(address.clone());
            }
        }
        let mut by_type: HashMap<_, Vec<&Target<'a>>> = HashMap::new();
        for target in world.targets.values() {
            by_type.entry((target.account.as_str(), target.component.component_type.as_str())).or_default().push(target);
        }
        let mut by_service: HashMap<_, Vec<&Principal<'a>>> = HashMap::new();
        for (service, roles) in &world.by_service {
            for role in roles.iter().filter_map(|role| world.principals.get(role)) {
                by_service.entry((role.account.as_str(), service.as_str())).or_default().push(role);
            }
        }
        let of_types = |addresses: &'w BTreeSet<Address>| {
            let mut by_type: HashMap<&str, Vec<&Target<'a>>> = HashMap::new();
            for target in addresses.iter().filter_map(|address| world.targets.get(address)) {
                by_type.entry(target.component.component_type.as_str()).or_default().push(target);
            }
            by_type
        };
        // What has no permissions is found by code of its own.
        let with_needs = primitives.iter().filter(|primitive| !primitive.needs.is_empty());
        let indexed = |need: &Permission| need.actions().filter_map(|action| rights.index(action)).collect();
        Self {
            rights,
            index,
            holders,
            primitives: with_needs.map(|primitive| Needed { primitive, actions: primitive.needs.iter().map(indexed).collect() }).collect(),
            policy_holders,
            by_type,
            by_service,
            open_to_anyone: of_types(world.open_to_anyone()),
            open_to_accounts: of_types(world.open_to_accounts()),
            spreads: HashMap::new(),
            graph,
            managing: RefCell::default(),
            texts: Texts::default(),
        }
    }

    /// Every step that the primitives give one actor.
    pub(crate) fn run(&mut self, actor: Actor<'w, 'a>) {
        let address = &actor.principal.component.address;
        let named = self.rights.world.admitting(address).next().is_some();
        // Whoever has several powers has reached everything by one of them, or administers.
        let Some(own) = actor.facts().into_iter().next() else { return };
        let own = self.graph.fact(own);
        for place in 0..self.primitives.len() {
            if let Some(primitive) = self.fitting(actor, place, named) {
                self.join(actor, own, place, primitive);
            }
        }
    }

    /// What the policies of resources in other accounts give an actor.
    pub(crate) fn run_abroad(&mut self, actor: Actor<'w, 'a>) {
        let address = &actor.principal.component.address;
        let account = actor.principal.account.as_str();
        let named = self.rights.world.admitting(address).next().is_some();
        if !named && self.open_to_anyone.is_empty() && self.open_to_accounts.is_empty() {
            return;
        }
        let own = self.graph.fact(Fact::Identity(address.clone()));
        let by = By { fact: own, actor: Some(address), account };
        for place in 0..self.primitives.len() {
            let Some(primitive) = self.fitting(actor, place, named) else { continue };
            let bound: Vec<&Permission> = primitive.needs.iter().collect();
            if !primitive.needs.iter().all(is_on_target) {
                continue;
            }
            let abroad = self.admitting(actor, primitive, &bound, true).filter(|target| target.account != account);
            let bindings = abroad.map(Binding::Target).collect();
            for (binding, shown) in self.those_that_hold(actor, primitive, bindings, &bound, &Shown::default()) {
                self.decide_and_conclude(actor, by, primitive, binding, shown);
            }
        }
    }

    fn join(&mut self, actor: Actor<'w, 'a>, own: FactId, place: usize, primitive: &'w Primitive) {
        let (free, bound): (Vec<&Permission>, Vec<&Permission>) = primitive.needs.iter().partition(|need| need.on.is_none());
        let fixed = primitive.trusts.first().map(String::as_str);
        let fixed: Vec<(&'static str, Option<&str>)> = fixed.map(|service| ("iam:PassedToService", Some(service))).into_iter().collect();
        let mut common = Shown::default();
        for need in free {
            let found = need.actions().find_map(|action| Some((action, self.rights.may(actor, action, On::Anything, &fixed)?)));
            let Some((action, grant)) = found else { return };
            common.add(action, grant);
        }
        let by = By { fact: own, actor: Some(&actor.principal.component.address), account: &actor.principal.account };
        let rest = self.spread(actor, own, place, &bound, &common);
        if is_pair(&bound) {
            if rest.is_none() {
                self.pairs(actor, by, primitive, &common, &bound);
            }
            return;
        }
        let bindings = rest.unwrap_or_else(|| self.bindings(actor, primitive, &bound));
        for (binding, shown) in self.those_that_hold(actor, primitive, bindings, &bound, &common) {
            self.decide_and_conclude(actor, by, primitive, binding, shown);
        }
    }

    fn decide_and_conclude(
        &mut self,
        actor: Actor<'w, 'a>,
        by: By<'_>,
        primitive: &'w Primitive,
        binding: Binding<'w, 'a>,
        mut shown: Shown,
    ) {
        if let Binding::Target(target) = binding
            && !self.decrypts(actor, primitive, target, &mut shown)
        {
            return;
        }
        self.conclude(by, primitive, binding, &shown);
    }

    fn those_that_hold(
        &self,
        actor: Actor<'w, 'a>,
        primitive: &Primitive,
        bindings: Vec<Binding<'w, 'a>>,
        needs: &[&Permission],
        common: &Shown,
    ) -> Vec<(Binding<'w, 'a>, Shown)> {
        let mut out = Vec::new();
        for binding in bindings {
            let mut shown = common.clone();
            let all = needs.iter().all(|need| self.bound(actor, need, binding, primitive, &mut shown));
            let profiled = || !self.wants_profile(primitive, binding) || self.makes_profiles(actor);
            if all && profiled() && self.binding_fits(primitive, binding, &mut shown) {
                out.push((binding, shown));
            }
        }
        out
    }

    /// A primitive that gives a role to compute that is there: the actor takes over the compute, and what it takes over acts as the role.
    fn pairs(&mut self, actor: Actor<'w, 'a>, by: By<'_>, primitive: &'w Primitive, common: &Shown, bound: &[&Permission]) {
        let (on_target, on_principal): (Vec<&Permission>, Vec<&Permission>) = bound.iter().partition(|need| is_on_target(need));
        let targets = self.bindings(actor, primitive, &on_target);
        let targets = self.those_that_hold(actor, primitive, targets, &on_target, common);
        if targets.is_empty() {
            return;
        }
        let roles = self.bindings(actor, primitive, &on_principal);
        let roles = self.those_that_hold(actor, primitive, roles, &on_principal, common);
        self.conclude_pairs(by, primitive, &targets, &roles);
    }

    fn bound(&self, actor: Actor<'w, 'a>, need: &Permission, binding: Binding<'w, 'a>, primitive: &Primitive, shown: &mut Shown) -> bool {
        let target = match binding {
            Binding::Nothing => return false,
            Binding::Own => self.rights.world.targets.get(&actor.principal.component.address),
            Binding::Principal(principal) => self.rights.world.targets.get(&principal.component.address),
            Binding::Target(target) => Some(target),
        };
        let Some(target) = target else { return false };
        let on = if need.on == Some(Variable::Objects) { On::Objects(target) } else { On::Component(target) };
        let services: Vec<Option<&str>> =
            if primitive.trusts.is_empty() { vec![None] } else { primitive.trusts.iter().map(|service| Some(service.as_str())).collect() };
        for action in need.actions() {
            for service in &services {
                let fixed: Vec<(&'static str, Option<&str>)> =
                    service.map(|service| ("iam:PassedToService", Some(service))).into_iter().collect();
                if let Some(grant) = self.rights.may(actor, action, on, &fixed) {
                    shown.add(action, grant);
                    return true;
                }
            }
        }
        false
    }

    /// A primitive, where the actor may hold what it needs; `named` where the policy of some resource names the actor.
    fn fitting(&self, actor: Actor<'w, 'a>, place: usize, named: bool) -> Option<&'w Primitive> {
        let Needed { primitive, actions } = self.primitives.get(place)?;
        let possible = self.rights.all_possible(actor, actions) || {
            primitive.needs.iter().all(is_on_target)
                && (named || primitive.target.iter().any(|kind| self.open_to_anyone.contains_key(kind.as_str())))
        };
        let fits = possible
            && primitive.prerequisites.iter().all(|prerequisite| match prerequisite {
                Prerequisite::IsUser => is_user(actor.principal.component),
                Prerequisite::IsRole => actor.principal.component.component_type == "iam.role",
                Prerequisite::HasBoundary => actor.principal.boundary.is_some(),
                _ => true,
            });
        fits.then_some(*primitive)
    }

    /// Everything that the primitive's variable may stand for: what the actor's statements may speak of, or what speaks of the actor itself.
    fn bindings(&self, actor: Actor<'w, 'a>, primitive: &Primitive, bound: &[&Permission]) -> Vec<Binding<'w, 'a>> {
        let account = actor.principal.account.as_str();
        let variable = match variable(bound) {
            Some(Variable::Own) => return vec![Binding::Own],
            Some(variable) => variable,
            // A permission on nothing in particular may still be about the components that the primitive names.
            None if primitive.target.is_empty() => return vec![Binding::Nothing],
            None => return self.everything(account, primitive, None),
        };
        let Some(reach) = bound.first().map(|need| self.rights.reach(actor, need.actions())) else { return Vec::new() };
        let mut found = match &*reach {
            Reach::Everything => self.everything(account, primitive, Some(variable)),
            Reach::Only(some) => {
                let known = some.iter().filter_map(|address| self.rights.world.targets.get(address));
                known.filter_map(|target| self.binding(account, primitive, variable, target)).collect()
            }
        };
        if matches!(variable, Variable::Target | Variable::Objects) {
            let foreign = *reach == Reach::Everything;
            found.extend(self.admitting(actor, primitive, bound, foreign).map(Binding::Target));
        }
        found.sort_by_key(Binding::address);
        found.dedup_by_key(|binding| binding.address());
        found
    }

    /// Targets whose own policy speaks of the actor, or of everyone; with `foreign` those that speak of its account too.
    fn admitting(
        &self,
        actor: Actor<'w, 'a>,
        primitive: &Primitive,
        bound: &[&Permission],
        foreign: bool,
    ) -> impl Iterator<Item = &'w Target<'a>> {
        let world = self.rights.world;
        let kinds = || primitive.target.iter().map(String::as_str);
        let named = world.admitting(&actor.principal.component.address).filter_map(|address| world.targets.get(address));
        let named = named.filter(|target| kinds().any(|kind| kind == target.component.component_type));
        let open = kinds().filter_map(|kind| self.open_to_anyone.get(kind)).flatten().copied();
        let speaks = |target: &&'w Target<'a>| bound.iter().all(|need| need.actions().any(|action| self.rights.speaks_of(target, action)));
        let admit = named.chain(open).filter(speaks);
        let accounts = kinds().filter(|_| foreign).filter_map(|kind| self.open_to_accounts.get(kind)).flatten().copied();
        let of_others = accounts.filter(|target| target.account != actor.principal.account);
        admit.chain(of_others).collect::<Vec<_>>().into_iter()
    }

    /// Everything of an account that a variable may stand for, in the order of addresses.
    fn everything(&self, account: &'w str, primitive: &Primitive, variable: Option<Variable>) -> Vec<Binding<'w, 'a>> {
        let mut found: Vec<Binding<'w, 'a>> = match variable {
            Some(Variable::Role) if !primitive.trusts.is_empty() => {
                let roles = primitive.trusts.iter().filter_map(|service| self.by_service.get(&(account, service.as_str()))).flatten();
                roles.map(|role| Binding::Principal(role)).collect()
            }
            _ => {
                let kinds = kinds(primitive, variable.unwrap_or(Variable::Target));
                let all = kinds.into_iter().filter_map(|kind| self.by_type.get(&(account, kind))).flatten();
                all.filter_map(|target| self.binding(account, primitive, variable.unwrap_or(Variable::Target), target)).collect()
            }
        };
        found.sort_by_key(Binding::address);
        found.dedup_by_key(|binding| binding.address());
        found
    }

    /// A component as what a variable stands for, where it may.
    fn binding(&self, account: &str, primitive: &Primitive, variable: Variable, target: &'w Target<'a>) -> Option<Binding<'w, 'a>> {
        if !kinds(primitive, variable).contains(&target.component.component_type.as_str()) {
            return None;
        }
        if matches!(variable, Variable::Target | Variable::Objects | Variable::Policy) {
            return Some(Binding::Target(target));
        }
        let principal = self.rights.world.principals.get(&target.component.address).filter(|principal| principal.account == account)?;
        let roles = |service: &String| self.rights.world.by_service.get(service);
        let trusts = |service: &String| roles(service).is_some_and(|roles| roles.binary_search(&target.component.address).is_ok());
        let trusted = variable != Variable::Role || primitive.trusts.is_empty() || primitive.trusts.iter().any(trusts);
        trusted.then_some(Binding::Principal(principal))
    }
}

impl<'w, 'a> Binding<'w, 'a> {
    fn address(&self) -> Option<&'w Address> {
        match self {
            Binding::Principal(principal) => Some(&principal.component.address),
            Binding::Target(target) => Some(&target.component.address),
            Binding::Own | Binding::Nothing => None,
        }
    }
}

/// True for a permission on a component or on what lies in it.
fn is_on_target(need: &Permission) -> bool {
    matches!(need.on, Some(Variable::Target | Variable::Objects))
}

/// True for permissions on compute and on a role that it is given.
fn is_pair(bound: &[&Permission]) -> bool {
    bound.iter().any(|need| is_on_target(need)) && bound.iter().any(|need| need.on == Some(Variable::Role))
}

/// Component types that a variable stands for.
fn kinds(primitive: &Primitive, variable: Variable) -> Vec<&str> {
    match variable {
        Variable::User => vec!["iam.user"],
        Variable::Group => vec!["iam.group"],
        Variable::Role => vec!["iam.role"],
        Variable::Policy => vec!["iam.policy"],
        Variable::Target | Variable::Objects | Variable::Own => primitive.target.iter().map(String::as_str).collect(),
    }
}

/// The variable that ranges: the actor's own only where there is no other.
fn variable(bound: &[&Permission]) -> Option<Variable> {
    let order = |variable: &Variable| match variable {
        Variable::Own => 0,
        Variable::Policy | Variable::Target | Variable::Objects => 1,
        Variable::Role | Variable::User | Variable::Group => 2,
    };
    bound.iter().filter_map(|need| need.on).max_by_key(order)
}
