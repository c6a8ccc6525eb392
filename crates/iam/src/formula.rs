//! Boolean formulas over what is not known: conditions on open keys, and assumptions in words.

use crate::{Actions, Condition, Principals, Resources, Truth};

/// Something that may be true or false. Two atoms are equal when they say the same, wherever they are written.
#[derive(Clone, Debug)]
pub(crate) enum Atom<'a> {
    /// A condition on a key of which nothing is known.
    Condition(&'a Condition),
    /// The action of the request is among these.
    Action(&'a Actions),
    /// The resource of the request is among these.
    Resource(&'a Resources),
    /// The caller is among these.
    Principal(&'a Principals),
    /// Anything else, in words; the same words are the same thing.
    Open(String),
}

impl PartialEq for Atom<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Atom::Condition(one), Atom::Condition(two)) => one.says_the_same(two),
            (Atom::Action(one), Atom::Action(two)) => {
                let texts = |actions: &Actions| actions.patterns().iter().map(|pattern| pattern.text.clone()).collect::<Vec<_>>();
                one.is_except() == two.is_except() && texts(one) == texts(two)
            }
            (Atom::Resource(one), Atom::Resource(two)) => {
                let pairs = || one.patterns().iter().zip(two.patterns());
                std::mem::discriminant(*one) == std::mem::discriminant(*two)
                    && one.patterns().len() == two.patterns().len()
                    && pairs().all(|(one, two)| one.says_the_same(two))
            }
            (Atom::Principal(one), Atom::Principal(two)) => {
                let texts = |principals: &Principals| {
                    principals.list().iter().map(|principal| (principal.kind, principal.text.clone())).collect::<Vec<_>>()
                };
                std::mem::discriminant(*one) == std::mem::discriminant(*two) && texts(one) == texts(two)
            }
            (Atom::Open(one), Atom::Open(two)) => one == two,
            _ => false,
        }
    }
}

/// A formula. Constants only ever stand alone: the constructors fold them away.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Formula<'a> {
    True,
    False,
    Atom(Atom<'a>),
    Not(Box<Formula<'a>>),
    And(Vec<Formula<'a>>),
    Or(Vec<Formula<'a>>),
}

impl<'a> Formula<'a> {
    /// A truth value; *maybe* becomes an assumption with these words.
    pub(crate) fn of(truth: Truth, words: impl FnOnce() -> String) -> Self {
        match truth {
            Truth::Yes => Formula::True,
            Truth::No => Formula::False,
            Truth::Maybe => Formula::Atom(Atom::Open(words())),
        }
    }

    /// All of them.
    pub(crate) fn all(items: impl IntoIterator<Item = Self>) -> Self {
        let mut out = Vec::new();
        for item in items {
            match item {
                Formula::True => {}
                Formula::False => return Formula::False,
                Formula::And(inner) => out.extend(inner),
                other if out.contains(&other) => {}
                other => out.push(other),
            }
        }
        match out.len() {
            0 => Formula::True,
            1 => out.swap_remove(0),
            _ => Formula::And(out),
        }
    }

    /// Any of them.
    pub(crate) fn any(items: impl IntoIterator<Item = Self>) -> Self {
        let mut out = Vec::new();
        for item in items {
            match item {
                Formula::False => {}
                Formula::True => return Formula::True,
                Formula::Or(inner) => out.extend(inner),
                other if out.contains(&other) => {}
                other => out.push(other),
            }
        }
        match out.len() {
            0 => Formula::False,
            1 => out.swap_remove(0),
            _ => Formula::Or(out),
        }
    }

    /// Both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self::all([self, other])
    }

    /// The opposite.
    pub(crate) fn negated(self) -> Self {
        match self {
            Formula::True => Formula::False,
            Formula::False => Formula::True,
            Formula::Not(inner) => *inner,
            other => Formula::Not(Box::new(other)),
        }
    }

    /// Its value as far as constants tell.
    pub(crate) fn value(&self) -> Truth {
        match self {
            Formula::True => Truth::Yes,
            Formula::False => Truth::No,
            Formula::Atom(_) | Formula::Not(_) | Formula::And(_) | Formula::Or(_) => Truth::Maybe,
        }
    }

    /// Number of atoms in it.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Formula::True | Formula::False => 0,
            Formula::Atom(_) => 1,
            Formula::Not(inner) => inner.weight(),
            Formula::And(items) | Formula::Or(items) => items.iter().map(Self::weight).sum(),
        }
    }
}

/// A conjunction of atoms, each as it is (`true`) or negated.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cube<'a> {
    pub(crate) literals: Vec<(Atom<'a>, bool)>,
}

impl<'a> Cube<'a> {
    /// Adds a literal; false where it contradicts one that is there.
    pub(crate) fn add(&mut self, atom: &Atom<'a>, polarity: bool) -> bool {
        match self.polarity(atom) {
            Some(own) => own == polarity,
            None => {
                self.literals.push((atom.clone(), polarity));
                true
            }
        }
    }

    /// How an atom stands in the cube, where it does.
    pub(crate) fn polarity(&self, atom: &Atom<'a>) -> Option<bool> {
        self.literals.iter().find(|(own, _)| own == atom).map(|(_, polarity)| *polarity)
    }
}

#[cfg(test)]
mod tests {
    use super::Formula;
    use crate::Truth;

    fn open(words: &str) -> Formula<'static> {
        Formula::of(Truth::Maybe, || words.to_owned())
    }

    #[test]
    fn constants_fold_away() {
        assert_eq!(Formula::all([Formula::True, open("a")]), open("a"));
        assert_eq!(Formula::any([open("a"), Formula::True]), Formula::True);
        assert_eq!(open("a").negated().negated(), open("a"));
        assert_eq!(Formula::all([open("a"), open("a")]), open("a"));
    }
}
