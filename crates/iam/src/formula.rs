//! Boolean formulas over what is not known: conditions on open keys, and assumptions in words.

use crate::{Condition, Truth};

/// Something that may be true or false.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Atom<'a> {
    /// A condition on a key of which nothing is known.
    Condition(&'a Condition),
    /// Anything else, in words; the same words are the same thing.
    Open(String),
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

    /// Disjunctive normal form: cubes of atoms with their polarity; `None` past `limit` cubes.
    ///
    /// Cubes that hold an atom and its opposite are left out.
    pub(crate) fn cubes(&self, limit: usize) -> Option<Vec<Cube<'a>>> {
        self.expand(true, limit)
    }

    fn expand(&self, polarity: bool, limit: usize) -> Option<Vec<Cube<'a>>> {
        match (self, polarity) {
            (Formula::True, true) | (Formula::False, false) => Some(vec![Cube::default()]),
            (Formula::True, false) | (Formula::False, true) => Some(Vec::new()),
            (Formula::Atom(atom), _) => Some(vec![Cube { literals: vec![(atom.clone(), polarity)] }]),
            (Formula::Not(inner), _) => inner.expand(!polarity, limit),
            (Formula::And(items), true) | (Formula::Or(items), false) => {
                let mut out = vec![Cube::default()];
                for item in items {
                    let next = item.expand(polarity, limit)?;
                    let mut product = Vec::new();
                    for left in &out {
                        product.extend(next.iter().filter_map(|right| left.joined(right)));
                        if product.len() > limit {
                            return None;
                        }
                    }
                    out = product;
                }
                Some(out)
            }
            (Formula::And(items), false) | (Formula::Or(items), true) => {
                let mut out = Vec::new();
                for item in items {
                    out.extend(item.expand(polarity, limit)?);
                    if out.len() > limit {
                        return None;
                    }
                }
                Some(out)
            }
        }
    }
}

/// A conjunction of atoms, each as it is (`true`) or negated.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cube<'a> {
    pub(crate) literals: Vec<(Atom<'a>, bool)>,
}

impl Cube<'_> {
    /// Both cubes; `None` where they contradict each other.
    fn joined(&self, other: &Self) -> Option<Self> {
        let mut out = self.clone();
        for (atom, polarity) in &other.literals {
            match out.literals.iter().find(|(own, _)| own == atom) {
                Some((_, own)) if own != polarity => return None,
                Some(_) => {}
                None => out.literals.push((atom.clone(), *polarity)),
            }
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::{Atom, Formula};
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

    #[test]
    fn contradictions_leave_no_cube() {
        let formula = open("a").and(Formula::any([open("a"), open("b")]).negated());
        assert_eq!(formula.cubes(16), Some(Vec::new()));
        let formula = open("a").and(Formula::all([open("a"), open("b")]).negated());
        let cubes = formula.cubes(16).unwrap();
        let expected = vec![(Atom::Open("a".to_owned()), true), (Atom::Open("b".to_owned()), false)];
        assert_eq!(cubes.iter().map(|cube| cube.literals.clone()).collect::<Vec<_>>(), [expected]);
    }

    #[test]
    fn too_many_cubes_are_given_up() {
        let pair = |n: usize| Formula::any([open(&format!("a{n}")), open(&format!("b{n}"))]);
        assert!(Formula::all((0..20).map(pair)).cubes(4096).is_none());
    }
}
