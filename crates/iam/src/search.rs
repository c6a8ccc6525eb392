//! A text that some patterns match and others do not: breadth-first over the product of their automata.

use std::collections::{BTreeSet, VecDeque};

use crate::Truth;
use crate::pattern::{Pattern, Token};
use crate::symbol::Symbol;

/// More states than this are not looked at. Real conditions need a few hundred.
const MAX_STATES: usize = 4_096;

/// A set of patterns of which the text must match at least one (`wanted`) or none.
#[derive(Clone, Debug)]
pub(crate) struct Constraint {
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) fold_case: bool,
    pub(crate) wanted: bool,
}

/// What a search finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The shortest text, not empty where that is possible.
    Text(String),
    /// There is none.
    Nothing,
    /// It cannot be told: something in a pattern is not known, or there are too many states.
    GaveUp,
}

/// Finds a text that meets all constraints. References stand for texts that are unlike everything else.
pub(crate) fn find(constraints: &[Constraint]) -> Found {
    let Some(automaton) = Automaton::new(constraints) else { return Found::GaveUp };
    match automaton.shortest() {
        Found::Nothing if automaton.ambiguous => Found::GaveUp,
        other => other,
    }
}

/// Places in the patterns of one constraint: pattern and token, sorted.
type Places = Vec<(usize, usize)>;

struct Automaton<'a> {
    constraints: &'a [Constraint],
    /// Every reference that occurs; number `n` is written as the `n`th character of a private plane.
    symbols: Vec<&'a Symbol>,
    /// True where "there is none" may change when two references, or a reference and a literal, are the same after all.
    ambiguous: bool,
    fresh: char,
}

impl<'a> Automaton<'a> {
    fn new(constraints: &'a [Constraint]) -> Option<Self> {
        let mut symbols: Vec<&Symbol> = Vec::new();
        let mut used = BTreeSet::new();
        let mut has_plain = false;
        for pattern in constraints.iter().flat_map(|constraint| &constraint.patterns) {
            let unreadable = |token: &Token| matches!(token, Token::Unknown | Token::UnknownInSegment | Token::Variable(_));
            if pattern.tokens.iter().any(unreadable) {
                return None;
            }
            has_plain |= pattern.symbols.is_empty() && pattern.tokens.iter().any(|token| matches!(token, Token::Char(_)));
            for symbol in &pattern.symbols {
                if !symbols.contains(&symbol) {
                    symbols.push(symbol);
                }
            }
            used.extend(pattern.tokens.iter().filter_map(|token| match token {
                Token::Char(c) => Some(c.to_ascii_lowercase()),
                _ => None,
            }));
        }
        let doubtful = symbols.iter().enumerate().any(|(at, one)| symbols.iter().skip(at + 1).any(|two| one.equals(two) != Truth::No));
        // With a single wanted constraint, giving references their values can only take texts away; with several, two that seemed apart
        // may meet.
        let meets = constraints.iter().filter(|constraint| constraint.wanted).count() > 1;
        let ambiguous = meets && !symbols.is_empty() && (has_plain || doubtful);
        let fresh = ('a'..='z').rev().skip(2).chain('0'..='9').find(|c| !used.contains(c)).unwrap_or('\u{2022}');
        Some(Self { constraints, symbols, ambiguous, fresh })
    }

    fn shortest(&self) -> Found {
        let start: Vec<Places> = self
            .constraints
            .iter()
            .map(|constraint| self.closed(constraint, (0..constraint.patterns.len()).map(|pattern| (pattern, 0)).collect()))
            .collect();
        // Steps that led to each state: index of the state before, and the character.
        let mut steps: Vec<Option<(usize, char)>> = vec![None];
        let mut queue = VecDeque::from([(0, start.clone())]);
        let mut seen = BTreeSet::from([start.clone()]);
        while let Some((at, state)) = queue.pop_front() {
            for c in self.alphabet(&state) {
                let Some(next) = self.step(&state, c) else { continue };
                if self.accepts(&next) {
                    return Found::Text(self.spell(&steps, at, c));
                }
                if seen.insert(next.clone()) {
                    steps.push(Some((at, c)));
                    queue.push_back((steps.len() - 1, next));
                    if steps.len() > MAX_STATES {
                        return Found::GaveUp;
                    }
                }
            }
        }
        if self.accepts(&start) { Found::Text(String::new()) } else { Found::Nothing }
    }

    /// Adds the places that are reached without reading: behind every star.
    fn closed(&self, constraint: &Constraint, places: BTreeSet<(usize, usize)>) -> Places {
        let mut out = places.clone();
        let mut open: Vec<_> = places.into_iter().collect();
        while let Some((pattern, at)) = open.pop() {
            if matches!(token(constraint, pattern, at), Some(Token::Run | Token::RunInSegment)) && out.insert((pattern, at + 1)) {
                open.push((pattern, at + 1));
            }
        }
        out.into_iter().collect()
    }

    /// The characters that make a difference in a state.
    fn alphabet(&self, state: &[Places]) -> BTreeSet<char> {
        let mut out = BTreeSet::from([self.fresh]);
        for (constraint, places) in self.constraints.iter().zip(state) {
            for (pattern, at) in places {
                match token(constraint, *pattern, *at) {
                    Some(Token::Char(c)) => drop(out.insert(c)),
                    Some(Token::Symbol(symbol)) => out.extend(self.letter(constraint, *pattern, symbol)),
                    _ => {}
                }
            }
        }
        out
    }

    fn letter(&self, constraint: &Constraint, pattern: usize, symbol: u32) -> Option<char> {
        let symbol = constraint.patterns.get(pattern)?.symbols.get(symbol as usize)?;
        let number = self.symbols.iter().position(|known| *known == symbol)?;
        char::from_u32(0xF_0000 + u32::try_from(number).ok()?)
    }

    /// The next state; `None` where a wanted constraint can no longer be met.
    fn step(&self, state: &[Places], c: char) -> Option<Vec<Places>> {
        let mut out = Vec::with_capacity(state.len());
        for (constraint, places) in self.constraints.iter().zip(state) {
            let read = if constraint.fold_case { c.to_ascii_lowercase() } else { c };
            let mut next = BTreeSet::new();
            for (pattern, at) in places {
                match token(constraint, *pattern, *at) {
                    Some(Token::Char(own)) if own == read => drop(next.insert((*pattern, at + 1))),
                    Some(Token::One) => drop(next.insert((*pattern, at + 1))),
                    Some(Token::OneInSegment) if c != ':' => drop(next.insert((*pattern, at + 1))),
                    Some(Token::Run) => drop(next.insert((*pattern, *at))),
                    Some(Token::RunInSegment) if c != ':' => drop(next.insert((*pattern, *at))),
                    Some(Token::Symbol(symbol)) if self.letter(constraint, *pattern, symbol) == Some(c) => {
                        next.insert((*pattern, at + 1));
                    }
                    _ => {}
                }
            }
            if next.is_empty() && constraint.wanted {
                return None;
            }
            out.push(self.closed(constraint, next));
        }
        Some(out)
    }

    fn accepts(&self, state: &[Places]) -> bool {
        self.constraints.iter().zip(state).all(|(constraint, places)| {
            let matched = places.iter().any(|(pattern, at)| token(constraint, *pattern, *at).is_none());
            matched == constraint.wanted
        })
    }

    fn spell(&self, steps: &[Option<(usize, char)>], mut at: usize, last: char) -> String {
        let mut letters = vec![last];
        while let Some(Some((before, c))) = steps.get(at) {
            letters.push(*c);
            at = *before;
        }
        let mut out = String::new();
        for c in letters.into_iter().rev() {
            match u32::from(c).checked_sub(0xF_0000).and_then(|number| self.symbols.get(number as usize)) {
                Some(symbol) => out.push_str(&symbol.to_string()),
                None => out.push(c),
            }
        }
        out
    }
}

fn token(constraint: &Constraint, pattern: usize, at: usize) -> Option<Token> {
    constraint.patterns.get(pattern)?.tokens.get(at).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop, proptest};

    use super::{Constraint, Found, find};
    use crate::glob;
    use crate::pattern::{Pattern, Syntax};

    fn constraint(patterns: &[&str], wanted: bool) -> Constraint {
        let syntax = Syntax { wildcards: true, ..Syntax::default() };
        let patterns = patterns.iter().map(|pattern| Pattern::compile(&(*pattern).into(), syntax)).collect();
        Constraint { patterns, fold_case: false, wanted }
    }

    #[test]
    fn a_text_is_found_or_there_is_none() {
        assert_eq!(find(&[constraint(&["repo:org/*"], true), constraint(&["*:main"], true)]), Found::Text("repo:org/:main".to_owned()));
        assert_eq!(find(&[constraint(&["abc"], true), constraint(&["a*"], false)]), Found::Nothing);
        assert_eq!(find(&[constraint(&["a*"], true), constraint(&["a?*"], false)]), Found::Text("a".to_owned()));
        assert_eq!(find(&[constraint(&[], true)]), Found::Nothing);
    }

    proptest! {
        #[test]
        fn what_is_found_fits_and_nothing_means_nothing(
            wanted in prop::collection::vec("[ab*?]{0,4}", 1..3), unwanted in prop::collection::vec("[ab*?]{0,4}", 0..3), text in "[abc]{0,5}",
        ) {
            let fits = |text: &str| {
                wanted.iter().any(|pattern| glob::matches(pattern, text)) && !unwanted.iter().any(|pattern| glob::matches(pattern, text))
            };
            let all = |list: &[String], wanted: bool| constraint(&list.iter().map(String::as_str).collect::<Vec<_>>(), wanted);
            let found = find(&[all(&wanted, true), all(&unwanted, false)]);
            match found {
                Found::Text(found) => assert!(fits(&found), "{found}"),
                Found::Nothing => assert!(!fits(&text)),
                Found::GaveUp => {}
            }
        }
    }
}
