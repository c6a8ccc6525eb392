//! Who may do what: every policy of a principal and of the resource together, decided by `bartizan_iam`, with the statements that grant.
//!
//! Most questions have a plain answer: nothing of a principal speaks of the action, or one statement grants it on everything and nothing
//! limits that. Both are known from one reading of each policy; only the rest is decided request by request.

mod decide;
mod held;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use bartizan_iam::{Context, Document, Effect, Node, Origin, PolicyText, ResourceName, Statement, Tree};
use bartizan_model::{Address, Component};

use decide::value_of;

use super::graph::Fact;
use super::policy::span;
use super::reach::{Reach, Reaches};
use super::world::{Policy, Principal, Target, World};
use crate::outcome::Evidence;

/// A right, with what it still takes.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    /// What must hold and is not certain.
    pub(crate) needs: Vec<Need>,
    /// The statements that grant.
    pub(crate) evidence: Arc<[Evidence]>,
}

/// What a right still takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// The caller has used a second factor.
    SecondFactor,
    /// The tags of the resource are other than the plan says.
    Tags,
    /// Something the plan does not tell, in words.
    Open(String),
}

/// What a right is asked on.
#[derive(Clone, Copy)]
pub(crate) enum On<'t, 'a> {
    /// Any resource will do.
    Anything,
    /// Every resource of the account that nobody has named.
    Everything,
    /// This component.
    Component(&'t Target<'a>),
    /// What lies in it.
    Objects(&'t Target<'a>),
}

/// Keys of the request that a question fixes.
pub(crate) type Fixed<'f> = &'f [(&'static str, Option<&'f str>)];

/// Who asks: a principal, with what it has got beyond its own policies.
#[derive(Clone, Copy)]
pub(crate) struct Actor<'w, 'a> {
    pub(crate) principal: &'w Principal<'a>,
    pub(crate) powers: Powers,
}

/// What a principal has got beyond its own policies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Powers {
    /// It holds any permission that its account can give it.
    pub(crate) elevated: bool,
    /// Its boundary is gone.
    pub(crate) unbound: bool,
    /// What its own policies deny is denied no more.
    pub(crate) undenied: bool,
}

impl<'w, 'a> Actor<'w, 'a> {
    /// A principal as it is.
    pub(crate) fn of(principal: &'w Principal<'a>) -> Self {
        Self { principal, powers: Powers::default() }
    }

    /// The boundary that limits it.
    pub(crate) fn boundary(&self) -> Option<&'w Policy> {
        self.principal.boundary.as_deref().filter(|_| !self.powers.unbound)
    }

    /// What is had by somebody who acts so: one fact, or for several powers one each.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        let address = || self.principal.component.address.clone();
        let Powers { elevated, unbound, undenied } = self.powers;
        let mut facts = Vec::new();
        facts.extend(elevated.then(|| Fact::Elevated(address())));
        facts.extend(unbound.then(|| Fact::Unbound(address())));
        facts.extend(undenied.then(|| Fact::Undenied(address())));
        if facts.is_empty() {
            facts.push(Fact::Identity(address()));
        }
        facts
    }
}

/// What one principal holds of the actions that are asked for.
struct Held {
    /// By action: some statement may grant it, and none forbids it altogether.
    possible: Vec<bool>,
    /// By action that was asked for: its statements.
    details: RefCell<HashMap<u16, Rc<Detail>>>,
    /// Decisions by what they depend on.
    decided: RefCell<HashMap<DecidedKey, Option<Decided>>>,
    /// Answers for resources that no statement names: they differ only in their kind, their tags and what the question fixes.
    alike: RefCell<HashMap<Alike, Option<Grant>>>,
}

/// What one principal's statements say of one action.
struct Detail {
    /// A statement grants it on everything, without condition, and the boundary does as well.
    everywhere: Option<Arc<[Evidence]>>,
    /// What the denies that may speak of it may strike.
    denied: Vec<Rc<Reach>>,
    /// The statements that may grant it, with what they speak of, by the place of their policy and their own in it.
    granted: Vec<(Rc<Reach>, usize, usize)>,
    /// A condition on tags of the resource decides.
    tagged: bool,
    /// All that may speak of it, of the boundary too, allows and denies.
    spoken: Rc<[(usize, usize)]>,
    /// All that those that grant may speak of.
    reach: Rc<Reach>,
}

/// What a decision of one principal depends on: service (the action, where it takes over a role), name of the resource as it lies in
/// memory, statements of identity and boundary, of the resource's policy, and what is fixed.
type DecidedKey = (String, usize, Rc<[(usize, usize)]>, Rc<[usize]>, Option<String>);

/// Something of a resource, by its place in memory, for an action.
type ByResource<T> = HashMap<(usize, u16), T>;

/// A right as it was decided.
#[derive(Clone, Debug)]
struct Decided {
    needs: Vec<Need>,
    /// The statements that allow: place of the policy (none: the resource's own) and their own in it.
    by: Vec<(Option<usize>, usize)>,
}

/// What answers of one principal for resources that nothing names depend on: action, service, tags that matter, contents or not, what is fixed.
type Alike = (u16, Rc<str>, bool, Option<String>);

/// Answers questions about one plan.
pub(crate) struct Rights<'w, 'a> {
    pub(crate) world: &'w World<'a>,
    /// Actions that are asked for, lower case, sorted.
    actions: Vec<String>,
    /// The same as they are written.
    written: Vec<String>,
    /// Index of each, by both spellings.
    places: HashMap<String, u16>,
    reaches: Reaches,
    today: Option<String>,
    /// Condition keys on tags of resources that some policy uses, lower case.
    tag_keys: BTreeSet<String>,
    everything: Rc<Policy>,
    held: RefCell<HashMap<(Address, Powers), Rc<Held>>>,
    /// By statement and name of a resource, as they lie in memory: whether the one speaks of the other.
    matched: RefCell<HashMap<(usize, usize), bartizan_iam::Truth>>,
    nothing_known: Context,
    /// By resource, as it lies in memory, and action: statements of its own policy that may speak of it.
    policy_statements: RefCell<ByResource<Rc<[usize]>>>,
    /// By resource, as it lies in memory, and action: whether its policy may allow it to anybody.
    spoken: RefCell<ByResource<bool>>,
    /// By resource: its service and the tags that conditions ask for.
    kinds: RefCell<HashMap<Address, Rc<str>>>,
    /// By statement, as it lies in memory: the actions that it may speak of.
    mentioned: RefCell<HashMap<usize, Rc<[u16]>>>,
    /// The last one, by address in memory: questions come principal by principal.
    last: RefCell<Option<(usize, Powers, Rc<Held>)>>,
}

impl<'w, 'a> Rights<'w, 'a> {
    /// `actions` are those that will be asked for; others can be asked too, only slower.
    pub(crate) fn new(world: &'w World<'a>, actions: impl IntoIterator<Item = String>, today: Option<&str>) -> Self {
        let written: BTreeMap<String, String> = actions.into_iter().map(|action| (action.to_ascii_lowercase(), action)).collect();
        let (actions, written): (Vec<String>, Vec<String>) = written.into_iter().unzip();
        let mut tag_keys = BTreeSet::new();
        for principal in world.principals.values() {
            principal.policies.iter().chain(&principal.boundary).for_each(|policy| tags_in(&policy.document, &mut tag_keys));
            principal.trust.iter().for_each(|document| tags_in(document, &mut tag_keys));
        }
        world.targets.values().filter_map(|target| target.policy.as_ref()).for_each(|document| tags_in(document, &mut tag_keys));
        let names = actions.iter().chain(&written).zip((0..u16::MAX).take(actions.len()).cycle());
        let places = names.map(|(name, index)| (name.clone(), index)).collect();
        Self {
            world,
            places,
            reaches: Reaches::new(world),
            last: RefCell::new(None),
            kinds: RefCell::default(),
            spoken: RefCell::default(),
            matched: RefCell::default(),
            nothing_known: Context::open(),
            policy_statements: RefCell::default(),
            actions,
            written,
            today: today.map(|day| format!("{day}T00:00:00Z")),
            tag_keys,
            everything: Rc::new(Policy { document: allow_everything(), attached_at: None, name: "any permission".to_owned() }),
            held: RefCell::new(HashMap::new()),
            mentioned: RefCell::default(),
        }
    }

    /// False where nothing of an actor's own policies can grant an action.
    pub(crate) fn possible(&self, actor: Actor<'_, 'a>, action: &str) -> bool {
        match self.index(action) {
            Some(index) => self.held(actor).may(index),
            None => {
                let action = action.to_ascii_lowercase();
                self.policies(actor).iter().any(|policy| policy.document.allows().any(|s| s.actions.matches_lower(&action).is_possible()))
            }
        }
    }

    /// Whether nothing is in the way of an actor's statements granting one action each of some lists, by index.
    pub(crate) fn all_possible(&self, actor: Actor<'_, 'a>, needed: &[Vec<u16>]) -> bool {
        let held = self.held(actor);
        needed.iter().all(|actions| actions.iter().any(|index| held.may(*index)))
    }

    /// Whether an actor's own statements may grant an action on something.
    fn reaches(&self, actor: Actor<'_, 'a>, action: &str, on: On<'_, 'a>) -> bool {
        let Some(index) = self.index(action) else { return self.possible(actor, action) };
        let held = self.held(actor);
        held.may(index) && reached(&self.detail(actor, &held, index).granted, on)
    }

    /// What grants an action on everything, without a condition, a deny or a boundary that limits it.
    pub(crate) fn everywhere(&self, actor: Actor<'_, 'a>, action: &str) -> Option<Arc<[Evidence]>> {
        let index = self.index(action)?;
        let held = self.held(actor);
        if !held.may(index) {
            return None;
        }
        let detail = self.detail(actor, &held, index);
        detail.everywhere.clone().filter(|_| detail.denied.is_empty())
    }

    /// Whether an actor may do something.
    pub(crate) fn may(&self, actor: Actor<'_, 'a>, action: &str, on: On<'_, 'a>, fixed: Fixed<'_>) -> Option<Grant> {
        let by_resource = match on {
            On::Component(target) | On::Objects(target) => {
                let named = self.world.admits(&target.component.address, &actor.principal.component.address);
                // In another account both sides must allow.
                let near = target.account == actor.principal.account || named && self.reaches(actor, action, on);
                named && near && self.speaks_of(target, action)
            }
            On::Anything | On::Everything => false,
        };
        if !by_resource {
            // Across accounts both sides must allow; a role's side is its trust.
            if let On::Component(target) | On::Objects(target) = on
                && target.account != actor.principal.account
                && target.policy.is_none()
                && target.component.component_type != "iam.role"
            {
                return None;
            }
            let Some(index) = self.index(action) else {
                return if self.possible(actor, action) { self.asked(actor, action, on, fixed) } else { None };
            };
            let held = self.held(actor);
            if !held.may(index) {
                return None;
            }
            let detail = self.detail(actor, &held, index);
            if !reached(&detail.granted, on) {
                return None;
            }
            // A grant on every role takes only those that trust the caller.
            if let Some(role) = taken(action, on) {
                return if self.world.trusting.contains(&role.component.address) { self.asked(actor, action, on, fixed) } else { None };
            }
            if !says_itself(on)
                && let Some(evidence) = &detail.everywhere
                && self.same_account(actor, on)
                && !struck(&detail.denied, on)
            {
                return Some(Grant { needs: Vec::new(), evidence: evidence.clone() });
            }
            if let Some(answer) = self.plainly(actor, &detail, index, on) {
                return answer;
            }
            if let Some(key) = self.alike(&detail, index, on, fixed).filter(|_| self.same_account(actor, on)) {
                if let Some(known) = held.alike.borrow().get(&key) {
                    return known.clone();
                }
                let answer = self.asked(actor, action, on, fixed);
                held.alike.borrow_mut().insert(key, answer.clone());
                return answer;
            }
        }
        self.asked(actor, action, on, fixed)
    }

    /// Whether a resource's policy may allow an action to anybody.
    pub(crate) fn speaks_of(&self, target: &Target<'a>, action: &str) -> bool {
        let Some(policy) = &target.policy else { return false };
        let Some(index) = self.index(action) else { return speaks_of(policy, &action.to_ascii_lowercase()) };
        let key = (std::ptr::from_ref(target).addr(), index);
        if let Some(known) = self.spoken.borrow().get(&key) {
            return *known;
        }
        let answer = self.actions.get(usize::from(index)).is_some_and(|action| speaks_of(policy, action));
        self.spoken.borrow_mut().insert(key, answer);
        answer
    }

    /// The answer where nothing but patterns of names decides: no condition, deny, boundary or policy of the resource has a say.
    fn plainly(&self, actor: Actor<'_, 'a>, detail: &Detail, index: u16, on: On<'_, 'a>) -> Option<Option<Grant>> {
        let (target, name) = match on {
            On::Component(target) => (target, &target.name),
            On::Objects(target) => (target, target.objects.as_ref().unwrap_or(&target.name)),
            On::Anything | On::Everything => return None,
        };
        let free = actor.boundary().is_none() && self.same_account(actor, on) && !says_itself(on);
        let free = free && !struck(&detail.denied, on);
        let policies = self.policies(actor);
        let (action, written) = (self.actions.get(usize::from(index))?, self.written.get(usize::from(index))?);
        let mut undecided = false;
        for (_, place, statement) in detail.granted.iter().filter(|(reach, ..)| reach.holds(&target.component.address)) {
            let policy = policies.get(*place)?;
            let statement = policy.document.statements.get(*statement)?;
            let key = (std::ptr::from_ref(statement).addr(), std::ptr::from_ref(name).addr());
            let known = self.matched.borrow().get(&key).copied();
            let named = known.unwrap_or_else(|| {
                let named = statement.resources.matches(name, &self.nothing_known);
                self.matched.borrow_mut().insert(key, named);
                named
            });
            let matches = statement.actions.matches_lower(action).and(named);
            if free && matches.is_yes() && statement.conditions.is_empty() && statement.effect == Effect::Allow {
                let shown = policy.name != self.everything.name;
                let evidence = shown.then(|| told(statement, policy.attached_at, &policy.name, written));
                return Some(Some(Grant { needs: Vec::new(), evidence: evidence.into_iter().collect() }));
            }
            undecided |= matches.is_possible();
        }
        (!undecided).then_some(None)
    }

    /// What the answer depends on, where no statement names the resource and it has no policy of its own.
    fn alike(&self, detail: &Detail, index: u16, on: On<'_, 'a>, fixed: Fixed<'_>) -> Option<Alike> {
        let (target, objects) = match on {
            On::Component(target) => (target, false),
            On::Objects(target) => (target, true),
            On::Anything | On::Everything => return None,
        };
        let address = &target.component.address;
        let names = |reach: &Rc<Reach>| matches!(&**reach, Reach::Only(some) if some.contains(address));
        let named = detail.granted.iter().any(|(reach, ..)| names(reach)) || detail.denied.iter().any(names);
        let bound = self.world.principals.get(address).is_some_and(|principal| principal.boundary.is_some());
        if named || bound || says_itself(on) {
            return None;
        }
        let fixed = (!fixed.is_empty()).then(|| format!("{fixed:?}"));
        Some((index, self.kind(target), objects, fixed))
    }

    /// Service and the tags that conditions ask for.
    fn kind(&self, target: &Target<'a>) -> Rc<str> {
        if let Some(known) = self.kinds.borrow().get(&target.component.address) {
            return known.clone();
        }
        let mut kind = target.component.component_type.clone();
        for key in &self.tag_keys {
            let name = key.split_once('/').map_or("", |(_, name)| name);
            let tag = target.component.tags.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(name));
            kind.push_str(&format!("|{:?}", tag.map(|(_, node)| value_of(node))));
        }
        let kind: Rc<str> = kind.into();
        self.kinds.borrow_mut().insert(target.component.address.clone(), kind.clone());
        kind
    }

    /// The same where the resource's policy or trust names the actor, so that its own policies need not speak of the action.
    pub(crate) fn by_resource(&self, actor: Actor<'_, 'a>, action: &str, target: &Target<'a>) -> Option<Grant> {
        self.on(actor, action, &target.name, Some(target), &[])
    }

    fn asked(&self, actor: Actor<'_, 'a>, action: &str, on: On<'_, 'a>, fixed: Fixed<'_>) -> Option<Grant> {
        match on {
            On::Component(target) => self.on(actor, action, &target.name, Some(target), fixed),
            On::Objects(target) => self.on(actor, action, target.objects.as_ref().unwrap_or(&target.name), Some(target), fixed),
            On::Everything => {
                let service = action.split(':').next().unwrap_or("any").to_ascii_lowercase();
                let name = ResourceName::new(format!("arn:aws:{service}:any:{}:any/any", actor.principal.account));
                self.on(actor, action, &name, None, fixed)
            }
            On::Anything => self.places(actor, action).iter().find_map(|name| self.on(actor, action, name, None, fixed)),
        }
    }

    /// What an actor's statements may grant one of some actions on: components, or everything.
    pub(crate) fn reach<'s>(&self, actor: Actor<'_, 'a>, actions: impl Iterator<Item = &'s String>) -> Rc<Reach> {
        let held = self.held(actor);
        let mut each = actions.filter_map(|action| self.index(action)).map(|index| self.detail(actor, &held, index).reach.clone());
        let Some(first) = each.next() else { return Rc::new(Reach::Only(BTreeSet::new())) };
        each.fold(first, |one, other| match (&*one, &*other) {
            (Reach::Everything, _) | (_, Reach::Everything) => Rc::new(Reach::Everything),
            (Reach::Only(some), Reach::Only(more)) => Rc::new(Reach::Only(some.union(more).cloned().collect())),
        })
    }

    fn same_account(&self, actor: Actor<'_, 'a>, on: On<'_, 'a>) -> bool {
        match on {
            On::Anything | On::Everything => true,
            On::Component(target) | On::Objects(target) => target.account == actor.principal.account && target.forbids_nothing,
        }
    }

    fn on(&self, actor: Actor<'_, 'a>, action: &str, name: &ResourceName, target: Option<&Target<'a>>, fixed: Fixed<'_>) -> Option<Grant> {
        let Some(index) = self.index(action) else {
            return Some(self.shown(actor, action, target, &self.settle(actor, action, name, target, fixed)?));
        };
        // Actions that the same statements speak of come out the same.
        let held = self.held(actor);
        // A role's trust has a say in being taken over only.
        let service = if takes_over(action) { action } else { action.split(':').next().unwrap_or("") }.to_owned();
        let statements = self.detail(actor, &held, index).spoken.clone();
        let of_policy = target.map(|target| self.policy_statements(target, index)).unwrap_or_default();
        let fixed_text = (!fixed.is_empty()).then(|| format!("{fixed:?}"));
        let key = (service, std::ptr::from_ref(name).addr(), statements, of_policy, fixed_text);
        // Names that are made for one question lie nowhere in particular.
        let keeps = target.is_some();
        if let Some(known) = held.decided.borrow().get(&key).filter(|_| keeps) {
            return known.as_ref().map(|decided| self.shown(actor, action, target, decided));
        }
        let decided = self.settle(actor, action, name, target, fixed);
        let grant = decided.as_ref().map(|decided| self.shown(actor, action, target, decided));
        if keeps {
            held.decided.borrow_mut().insert(key, decided);
        }
        grant
    }

    /// Names under which an action may be allowed on something: one per resource pattern that speaks of it.
    fn places(&self, actor: Actor<'_, 'a>, action: &str) -> Vec<ResourceName> {
        const MOST: usize = 20;
        let lower = action.to_ascii_lowercase();
        let service = lower.split(':').next().unwrap_or("any").to_owned();
        let mut out = Vec::new();
        for policy in self.policies(actor) {
            for statement in policy.document.allows().filter(|statement| statement.actions.matches_lower(&lower).is_possible()) {
                let patterns = statement.resources.patterns();
                if patterns.is_empty()
                    || statement.resources.is_everything()
                    || matches!(statement.resources, bartizan_iam::Resources::Except(_))
                {
                    out.push(ResourceName::new(format!("arn:aws:{service}:any:{}:any/any", actor.principal.account)));
                } else {
                    out.extend(patterns.iter().take(MOST).map(|pattern| ResourceName::new(witness(&pattern.text))));
                }
                if out.len() > MOST {
                    return out;
                }
            }
        }
        out
    }
}

/// True for a statement with a condition on tags of the resource.
fn asks_for_tags(statement: &Statement) -> bool {
    statement.conditions.iter().any(|condition| condition.key.to_string().to_ascii_lowercase().contains("resourcetag/"))
}

/// True for a statement that grants on everything without condition.
fn is_plain(statement: &Statement) -> bool {
    statement.effect == Effect::Allow && statement.conditions.is_empty() && statement.resources.is_everything()
}

/// Whether what grants may speak of what is asked for.
fn reached(granted: &[(Rc<Reach>, usize, usize)], on: On<'_, '_>) -> bool {
    match on {
        On::Anything | On::Everything => true,
        On::Component(target) | On::Objects(target) => granted.iter().any(|(reach, ..)| reach.holds(&target.component.address)),
    }
}

/// Whether a deny may strike what is asked for. What nobody has named is struck only by denies of everything.
fn struck(denied: &[Rc<Reach>], on: On<'_, '_>) -> bool {
    denied.iter().any(|reach| match (&**reach, on) {
        (Reach::Everything, _) => true,
        (Reach::Only(_), On::Anything | On::Everything) => false,
        (Reach::Only(some), On::Component(target) | On::Objects(target)) => some.contains(&target.component.address),
    })
}

/// The role that a call takes over.
fn taken<'t, 'a>(action: &str, on: On<'t, 'a>) -> Option<&'t Target<'a>> {
    let On::Component(target) = on else { return None };
    (takes_over(action) && target.component.component_type == "iam.role").then_some(target)
}

/// True for the calls that take over a role, which its trust policy decides on.
pub(crate) fn takes_over(action: &str) -> bool {
    const TAKES: &str = "sts:assumerole";
    action.get(..TAKES.len()).is_some_and(|start| start.eq_ignore_ascii_case(TAKES))
}

fn says_itself(on: On<'_, '_>) -> bool {
    match on {
        On::Anything | On::Everything => false,
        On::Component(target) | On::Objects(target) => has_own_say(target),
    }
}

/// A key's own policy decides on it: a grant on everything is not enough there.
pub(crate) fn has_own_say(target: &Target<'_>) -> bool {
    target.component.component_type == "kms.key" && target.policy.is_some() && !target.trusts_account
}

/// True for a user, whose keys do not end.
pub(crate) fn is_user(component: &Component) -> bool {
    component.component_type == "iam.user"
}

/// A name that a pattern matches.
fn witness(pattern: &PolicyText) -> PolicyText {
    let mut out = PolicyText::default();
    for part in pattern.parts() {
        out.push(match part {
            bartizan_iam::Part::Literal(text) => bartizan_iam::Part::Literal(text.replace('*', "any").replace('?', "a")),
            other => other.clone(),
        });
    }
    out
}

fn told(statement: &Statement, attached_at: Option<bartizan_model::Span>, name: &str, action: &str) -> Evidence {
    let lower = action.to_ascii_lowercase();
    let pattern = statement.actions.patterns().iter().find(|pattern| pattern.matches_lower(&lower).is_possible());
    let at = attached_at.unwrap_or_else(|| span(pattern.filter(|_| !statement.actions.is_except()).map_or(statement.origin, |p| p.origin)));
    Evidence { span: at, text: format!("`{name}` grants `{action}`") }
}

/// Whether a resource's policy may allow an action to anybody.
fn speaks_of(policy: &Document, action: &str) -> bool {
    policy.allows().any(|statement| statement.actions.matches_lower(action).is_possible())
}

fn tags_in(document: &Document, out: &mut BTreeSet<String>) {
    for condition in document.statements.iter().flat_map(|statement| &statement.conditions) {
        let key = condition.key.to_string().to_ascii_lowercase();
        if key.contains("resourcetag/") {
            out.insert(key);
        }
    }
}

fn allow_everything() -> Document {
    let text = |value: &str| Node::new(Tree::Text(value.into()), Origin::default());
    let members = [("Effect", "Allow"), ("Action", "*"), ("Resource", "*")];
    let statement = Tree::Map(members.into_iter().map(|(key, value)| (key.into(), text(value))).collect());
    Document::from_tree(&Node::new(Tree::Map(vec![("Statement".into(), Node::new(statement, Origin::default()))]), Origin::default()))
}
