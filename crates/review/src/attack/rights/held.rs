//! What a principal holds of all actions that are asked for: every policy is read once.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use bartizan_iam::Statement;

use super::{Actor, Held, Rights, asks_for_tags, is_plain, told};

impl<'a> Rights<'_, 'a> {
    /// The index of an action that is asked for.
    pub(crate) fn index(&self, action: &str) -> Option<u16> {
        self.places.get(action).copied()
    }

    pub(super) fn held(&self, actor: Actor<'_, 'a>) -> Rc<Held> {
        let at = std::ptr::from_ref(actor.principal).addr();
        if let Some((known, elevated, held)) = &*self.last.borrow()
            && *known == at
            && *elevated == actor.elevated
        {
            return held.clone();
        }
        let key = (actor.principal.component.address.clone(), actor.elevated);
        let known = self.held.borrow().get(&key).cloned();
        let held = known.unwrap_or_else(|| {
            let held = Rc::new(self.read(actor));
            self.held.borrow_mut().insert(key, held.clone());
            held
        });
        *self.last.borrow_mut() = Some((at, actor.elevated, held.clone()));
        held
    }

    pub(super) fn read(&self, actor: Actor<'_, 'a>) -> Held {
        let mut held = Held {
            possible: vec![false; self.actions.len()],
            everywhere: HashMap::new(),
            denied: HashMap::new(),
            granted: HashMap::new(),
            spoken: HashMap::new(),
            decided: RefCell::default(),
            statements: HashMap::new(),
            tagged: BTreeSet::new(),
            alike: RefCell::default(),
            merged: RefCell::default(),
        };
        let policies = self.policies(actor);
        let boundary = actor.principal.boundary.as_deref();
        let mut forbidden: BTreeSet<u16> = BTreeSet::new();
        for statement in policies.iter().copied().chain(boundary).flat_map(|policy| policy.document.denies()) {
            if statement.conditions.is_empty() && statement.resources.is_everything() {
                let surely = |index: &u16| {
                    self.actions.get(usize::from(*index)).is_some_and(|action| statement.actions.matches_lower(action).is_yes())
                };
                self.each(statement, |index| forbidden.extend(Some(index).filter(surely)));
            }
            let reach = self.reaches.of(statement);
            let tagged = asks_for_tags(statement);
            self.each(statement, |index| {
                held.denied.entry(index).or_default().push(reach.clone());
                if tagged {
                    held.tagged.insert(index);
                }
            });
        }
        let mut bounded: BTreeSet<u16> = BTreeSet::new();
        for statement in boundary.into_iter().flat_map(|policy| policy.document.allows()).filter(|statement| is_plain(statement)) {
            self.each(statement, |index| {
                bounded.insert(index);
            });
        }
        for (place, policy) in policies.iter().enumerate() {
            for statement in policy.document.allows() {
                let plain = is_plain(statement);
                let tagged = asks_for_tags(statement);
                let reach = self.reaches.of(statement);
                self.each(statement, |index| {
                    if let Some(possible) = held.possible.get_mut(usize::from(index)) {
                        *possible = !forbidden.contains(&index);
                    }
                    held.granted.entry(index).or_default().push(reach.clone());
                    held.statements.entry(index).or_default().push((reach.clone(), place, statement.index));
                    if tagged {
                        held.tagged.insert(index);
                    }
                    let within = boundary.is_none() || bounded.contains(&index);
                    if plain && within && !held.everywhere.contains_key(&index) {
                        let Some(action) = self.actions.get(usize::from(index)) else { return };
                        if statement.actions.matches_lower(action).is_yes() {
                            let shown = policy.name != self.everything.name;
                            let written = self.written.get(usize::from(index)).unwrap_or(action);
                            let evidence = shown.then(|| told(statement, policy.attached_at, &policy.name, written));
                            held.everywhere.insert(index, evidence.into_iter().collect());
                        }
                    }
                });
            }
        }
        let mut spoken: HashMap<u16, Vec<(usize, usize)>> = HashMap::new();
        for (place, policy) in policies.iter().copied().chain(boundary).enumerate() {
            for statement in &policy.document.statements {
                self.each(statement, |index| spoken.entry(index).or_default().push((place, statement.index)));
            }
        }
        held.spoken = spoken.into_iter().map(|(index, statements)| (index, statements.into())).collect();
        held
    }

    /// Calls `visit` with every action that a statement may speak of.
    pub(super) fn each(&self, statement: &Statement, mut visit: impl FnMut(u16)) {
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
            let range = match pattern.service().filter(|service| !service.contains(['*', '?'])) {
                Some(service) => {
                    // `s3:` to `s3;`: the colon's successor ends the service.
                    let (first, last) = (format!("{service}:"), format!("{service};"));
                    let at = |text: &str| self.actions.partition_point(|action| action.as_str() < text);
                    at(&first)..at(&last)
                }
                None => 0..self.actions.len(),
            };
            for index in range {
                if self.actions.get(index).is_some_and(|action| pattern.matches_lower(action).is_possible()) {
                    visit(index);
                }
            }
        }
    }
}
