//! What a principal holds of all actions that are asked for: every policy is read once.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use bartizan_iam::{Effect, Statement};

use super::{Actor, Detail, Held, Reach, Rights, asks_for_tags, is_plain, told};

impl<'a> Rights<'_, 'a> {
    /// The index of an action that is asked for.
    pub(crate) fn index(&self, action: &str) -> Option<u16> {
        self.places.get(action).copied()
    }

    pub(super) fn held(&self, actor: Actor<'_, 'a>) -> Rc<Held> {
        let at = std::ptr::from_ref(actor.principal).addr();
        if let Some((known, powers, held)) = &*self.last.borrow()
            && *known == at
            && *powers == actor.powers
        {
            return held.clone();
        }
        let key = (actor.principal.component.address.clone(), actor.powers);
        let known = self.held.borrow().get(&key).cloned();
        let held = known.unwrap_or_else(|| {
            let held = Rc::new(self.read(actor));
            self.held.borrow_mut().insert(key, held.clone());
            held
        });
        *self.last.borrow_mut() = Some((at, actor.powers, held.clone()));
        held
    }

    fn read(&self, actor: Actor<'_, 'a>) -> Held {
        let mut possible = vec![false; self.actions.len()];
        let policies = self.policies(actor);
        let mut set = |statement: &Statement, value: bool| {
            for index in self.mentioned(statement).iter() {
                let action = self.actions.get(usize::from(*index));
                if value || action.is_some_and(|action| statement.actions.matches_lower(action).is_yes()) {
                    possible.get_mut(usize::from(*index)).into_iter().for_each(|possible| *possible = value);
                }
            }
        };
        policies.iter().flat_map(|policy| policy.document.allows()).for_each(|statement| set(statement, true));
        let bounds = policies.iter().copied().chain(actor.boundary()).chain(self.world.controlling(&actor.principal.account));
        let forbids = |statement: &&Statement| statement.conditions.is_empty() && statement.resources.is_everything();
        bounds.flat_map(|policy| policy.document.denies()).filter(forbids).for_each(|statement| set(statement, false));
        Held { possible, details: RefCell::default(), decided: RefCell::default(), alike: RefCell::default() }
    }

    /// What an actor's statements say of an action.
    pub(super) fn detail(&self, actor: Actor<'_, 'a>, held: &Held, index: u16) -> Rc<Detail> {
        if let Some(known) = held.details.borrow().get(&index) {
            return known.clone();
        }
        let detail = Rc::new(self.read_detail(actor, index));
        held.details.borrow_mut().insert(index, detail.clone());
        detail
    }

    fn read_detail(&self, actor: Actor<'_, 'a>, index: u16) -> Detail {
        let action = self.actions.get(usize::from(index)).map_or("", String::as_str);
        let written = self.written.get(usize::from(index)).map_or(action, String::as_str);
        let boundary = actor.boundary();
        let bounded = |statement: &Statement| is_plain(statement) && self.mentioned(statement).contains(&index);
        let within = boundary.is_none_or(|boundary| boundary.document.allows().any(bounded));
        let policies = self.policies(actor);
        let (mut denied, mut granted, mut spoken) = (Vec::new(), Vec::new(), Vec::new());
        let mut everywhere = None;
        let mut tagged = false;
        for (place, policy) in policies.iter().copied().chain(boundary).chain(self.world.controlling(&actor.principal.account)).enumerate()
        {
            for statement in &policy.document.statements {
                if !self.mentioned(statement).contains(&index) {
                    continue;
                }
                spoken.push((place, statement.index));
                let is_identity = place < policies.len();
                if statement.effect == Effect::Deny {
                    tagged |= asks_for_tags(statement);
                    denied.push(self.reaches.of(statement));
                } else if is_identity {
                    tagged |= asks_for_tags(statement);
                    granted.push((self.reaches.of(statement), place, statement.index));
                    if within && everywhere.is_none() && is_plain(statement) && statement.actions.matches_lower(action).is_yes() {
                        let shown = policy.name != self.everything.name;
                        let evidence = shown.then(|| told(statement, policy.attached_at, &policy.name, written));
                        everywhere = Some(evidence.into_iter().collect());
                    }
                }
            }
        }
        let reach = united(&granted);
        Detail { everywhere, denied, granted, tagged, spoken: spoken.into(), reach }
    }

    /// The actions that a statement may speak of, sorted.
    fn mentioned(&self, statement: &Statement) -> Rc<[u16]> {
        let key = std::ptr::from_ref(statement).addr();
        if let Some(known) = self.mentioned.borrow().get(&key) {
            return known.clone();
        }
        let mut found = Vec::new();
        self.each(statement, |index| found.push(index));
        found.sort_unstable();
        found.dedup();
        let found: Rc<[u16]> = found.into();
        self.mentioned.borrow_mut().insert(key, found.clone());
        found
    }

    /// Calls `visit` with every action that a statement may speak of.
    fn each(&self, statement: &Statement, mut visit: impl FnMut(u16)) {
        let mut visit = |index: usize| {
            if let Ok(index) = u16::try_from(index) {
                visit(index);
            }
        };
        if statement.actions.is_except() {
            for (index, action) in self.actions.iter().enumerate() {
                if statement.actions.matches_lower(action).is_possible() {
                    visit(index);
                }
            }
            return;
        }
        for pattern in statement.actions.patterns() {
            // `s3:Get` to `s3:Geu`: what begins as the pattern does, as far as that is plain text.
            let plain = pattern.text.known().map(|text| text.split(['*', '?']).next().unwrap_or("").to_ascii_lowercase());
            let plain = plain.unwrap_or_default();
            let first = self.actions.partition_point(|action| action.as_str() < plain.as_str());
            let begins = self.actions.iter().enumerate().skip(first).take_while(|(_, action)| action.starts_with(&plain));
            for (index, _) in begins.filter(|(_, action)| pattern.matches_lower(action).is_possible()) {
                visit(index);
            }
        }
    }
}

impl Held {
    /// Whether some statement may grant an action.
    pub(super) fn may(&self, index: u16) -> bool {
        self.possible.get(usize::from(index)).copied().unwrap_or(false)
    }
}

fn united(granted: &[(Rc<Reach>, usize, usize)]) -> Rc<Reach> {
    if let [(only, ..)] = granted {
        return only.clone();
    }
    let mut found = BTreeSet::new();
    for (reach, ..) in granted {
        match &**reach {
            Reach::Everything => return reach.clone(),
            Reach::Only(some) => found.extend(some.iter().cloned()),
        }
    }
    Rc::new(Reach::Only(found))
}
