//! Whether a formula can be met, and how: cube by cube, key by key.
//!
//! A condition speaks of one key, so a conjunction of conditions is a set of independent questions, one per key.
//! Each is answered by a candidate value that is then checked with the evaluator itself.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::compare::Matcher;
use crate::context::{Context, ContextValue};
use crate::formula::{Atom, Cube, Formula};
use crate::keys::{KeyClass, key_class};
use crate::pattern::{Pattern, Syntax};
use crate::search::{Constraint, Found, find};
use crate::{Comparison, Condition, PolicyText, Qualifier, Truth};

/// More combinations than this are not looked at.
const MAX_CUBES: usize = 4_096;

/// One thing that must hold for a request to be allowed.
#[derive(Clone, Debug, PartialEq)]
pub struct Need<'a> {
    /// In words: ``StringEquals aws:SourceVpce `vpce-1` ``.
    pub text: String,
    /// The condition, where it is one.
    pub condition: Option<&'a Condition>,
    /// True where the condition (or what the words say) must *not* hold.
    pub negated: bool,
    /// What kind of key it is on; [`KeyClass::Other`] for what is no condition.
    pub class: KeyClass,
    /// A value of the key with which it holds; `None` where none could be shown.
    pub witness: Option<ContextValue>,
}

/// The answer for a formula.
#[derive(Clone, Debug)]
pub(crate) struct Solved<'a> {
    /// *Yes* when it holds in every case, *no* in none.
    pub(crate) answer: Truth,
    /// One way to meet it.
    pub(crate) needs: Vec<Need<'a>>,
    /// False where the answer is only "possible".
    pub(crate) decided: bool,
}

/// Solves a formula in a context.
pub(crate) fn solve<'a>(formula: &Formula<'a>, context: &Context) -> Solved<'a> {
    match formula.value() {
        Truth::Maybe => {}
        constant => return Solved { answer: constant, needs: Vec::new(), decided: true },
    }
    let Some(mut cubes) = formula.cubes(MAX_CUBES) else {
        return Solved { answer: Truth::Maybe, needs: Vec::new(), decided: false };
    };
    cubes.sort_by_key(|cube| cube.literals.len());
    let mut possible: Option<Vec<Need<'a>>> = None;
    let mut shown = None;
    for cube in &cubes {
        let (truth, needs) = solve_cube(cube, context);
        match truth {
            Truth::Yes => {
                shown = Some(needs);
                break;
            }
            Truth::Maybe => possible = possible.or(Some(needs)),
            Truth::No => {}
        }
    }
    let decided = shown.is_some();
    let Some(needs) = shown.or(possible) else {
        return Solved { answer: Truth::No, needs: Vec::new(), decided: true };
    };
    let refutable = match formula.clone().negated().cubes(MAX_CUBES) {
        Some(cubes) => cubes.iter().any(|cube| solve_cube(cube, context).0.is_possible()),
        None => true,
    };
    if refutable {
        Solved { answer: Truth::Maybe, needs, decided }
    } else {
        Solved { answer: Truth::Yes, needs: Vec::new(), decided: true }
    }
}

/// Whether all literals of a cube can hold together; *maybe* where that could not be shown.
fn solve_cube<'a>(cube: &Cube<'a>, context: &Context) -> (Truth, Vec<Need<'a>>) {
    let mut by_key: Vec<(String, Vec<Literal<'a>>)> = Vec::new();
    let mut needs = Vec::new();
    for (atom, polarity) in &cube.literals {
        match atom {
            Atom::Open(words) => {
                let text = if *polarity { words.clone() } else { format!("not: {words}") };
                needs.push(Need { text, condition: None, negated: !polarity, class: KeyClass::Other, witness: None });
            }
            Atom::Condition(condition) => {
                let key = condition.key.to_string().to_ascii_lowercase();
                let literal = Literal { condition, polarity: *polarity };
                match by_key.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, literals)) => literals.push(literal),
                    None => by_key.push((key, vec![literal])),
                }
            }
        }
    }
    let mut answer = Truth::Yes;
    for (key, literals) in by_key {
        let (truth, witness) = solve_key(&literals, context);
        answer = answer.and(truth);
        if answer.is_no() {
            return (Truth::No, Vec::new());
        }
        for literal in literals {
            needs.push(Need {
                text: literal.words(),
                condition: Some(literal.condition),
                negated: !literal.polarity,
                class: key_class(&key),
                witness: witness.clone(),
            });
        }
    }
    (answer, needs)
}

/// A condition as it is, or negated.
#[derive(Clone, Copy)]
struct Literal<'a> {
    condition: &'a Condition,
    polarity: bool,
}

impl Literal<'_> {
    fn holds(&self, value: &ContextValue, context: &Context) -> Truth {
        let holds = self.condition.holds_for(value, context);
        if self.polarity { holds } else { holds.negated() }
    }

    fn words(&self) -> String {
        let shown = self.condition.to_string();
        match (self.polarity, self.condition.operator.negated, self.condition.operator.qualifier) {
            (true, ..) => shown,
            (false, true, None) => shown.replacen("Not", "", 1).replacen("IfExists", "", 1),
            (false, ..) => format!("not ({shown})"),
        }
    }

    /// What one value must meet for the literal to hold; `None` where that is no question of text.
    fn constraint(&self, context: &Context) -> Option<Constraint> {
        let operator = &self.condition.operator;
        let mut patterns = Vec::new();
        let mut fold_case = false;
        for value in &self.condition.values {
            let pattern = match value.matcher() {
                Matcher::Exact(text) => Pattern::subject(&text.as_str().into(), false),
                Matcher::Glob(text) => Pattern::compile(&text.as_str().into(), Syntax { wildcards: true, ..Syntax::default() }),
                Matcher::Arn(pattern) => pattern.clone(),
                Matcher::Pattern { pattern, fold_case: folds } => {
                    fold_case = *folds;
                    pattern.clone()
                }
                Matcher::Bool(value) => {
                    fold_case = true;
                    Pattern::subject(&value.to_string().into(), true)
                }
                Matcher::Never => continue,
                Matcher::Ordered(..) | Matcher::Range(_) | Matcher::Binary(_) | Matcher::Open => return None,
            };
            if let Some(resolved) = pattern.resolve(context) {
                patterns.push(resolved.into_owned());
            }
        }
        Some(Constraint { patterns, fold_case, wanted: self.polarity != operator.negated })
    }

    fn is_null(&self) -> bool {
        self.condition.operator.comparison == Comparison::Null
    }

    /// True for what every value of a set must meet, false for what some value must.
    fn is_for_all(&self) -> bool {
        (self.condition.operator.qualifier == Some(Qualifier::ForAllValues)) == self.polarity
    }
}

/// A value of the key with which all literals hold.
fn solve_key(literals: &[Literal<'_>], context: &Context) -> (Truth, Option<ContextValue>) {
    let (candidates, complete) = candidates(literals, context);
    let mut possible = None;
    for candidate in candidates {
        match Truth::all(literals.iter().map(|literal| literal.holds(&candidate, context))) {
            Truth::Yes => return (Truth::Yes, Some(candidate)),
            Truth::Maybe => possible = possible.or(Some(candidate)),
            Truth::No => {}
        }
    }
    if possible.is_some() || !complete { (Truth::Maybe, None) } else { (Truth::No, None) }
}

/// Values worth trying, and whether there is no other kind of value.
fn candidates(literals: &[Literal<'_>], context: &Context) -> (Vec<ContextValue>, bool) {
    let mut singles: Vec<String> = Vec::new();
    let mut sets: Vec<Vec<String>> = Vec::new();
    let mut complete = true;
    let valued: Vec<_> = literals.iter().filter(|literal| !literal.is_null()).collect();
    let constraints: Option<Vec<_>> = valued.iter().map(|literal| literal.constraint(context)).collect();
    match constraints {
        Some(constraints) => {
            let mut try_text = |constraints: &[Constraint]| match find(constraints) {
                Found::Text(text) => Some(text),
                Found::Nothing => None,
                Found::GaveUp => {
                    complete = false;
                    None
                }
            };
            singles.extend(try_text(&constraints));
            let with_qualifier: Vec<_> =
                valued.iter().zip(&constraints).filter(|(literal, _)| literal.condition.operator.qualifier.is_some()).collect();
            if !with_qualifier.is_empty() {
                let every: Vec<_> = with_qualifier.iter().filter(|(literal, _)| literal.is_for_all()).map(|(_, c)| (*c).clone()).collect();
                let mut set = Vec::new();
                for (_, some) in with_qualifier.iter().filter(|(literal, _)| !literal.is_for_all()) {
                    let mut together = every.clone();
                    together.push((*some).clone());
                    set.extend(try_text(&together));
                }
                if set.is_empty() {
                    set.extend(try_text(&every));
                }
                sets.push(set);
            }
        }
        None => {
            let of_one_kind = valued.iter().all(|literal| boundaries(literal.condition, &mut singles));
            complete = of_one_kind && valued.iter().all(|literal| literal.condition.operator.qualifier.is_none());
        }
    }
    let sets = sets.into_iter().chain(singles.iter().filter(|_| has_qualifier(literals)).map(|text| vec![text.clone()]));
    let sets = sets.map(|set| ContextValue::Multiple(set.into_iter().map(PolicyText::literal).collect())).collect::<Vec<_>>();
    let singles = singles.iter().map(|text| ContextValue::Single(PolicyText::literal(text.as_str())));
    (singles.chain(sets).chain([ContextValue::Absent]).collect(), complete)
}

fn has_qualifier(literals: &[Literal<'_>]) -> bool {
    literals.iter().any(|literal| literal.condition.operator.qualifier.is_some())
}

/// Adds the values around the limits of a numeric, date or address condition; false for any other.
fn boundaries(condition: &Condition, out: &mut Vec<String>) -> bool {
    let mut readable = true;
    for value in &condition.values {
        match value.matcher() {
            // Limits are whole numbers in practice; a half on either side stands for everything between two of them.
            Matcher::Ordered(limit, _) => out.extend([*limit, limit - 0.5, limit + 0.5].map(|number| number.to_string())),
            Matcher::Range(range) => addresses(*range, out),
            Matcher::Binary(text) => out.extend([text.clone(), format!("{text}AA==")]),
            Matcher::Never => {}
            Matcher::Exact(_) | Matcher::Glob(_) | Matcher::Pattern { .. } | Matcher::Arn(_) | Matcher::Bool(_) | Matcher::Open => {
                readable = false
            }
        }
    }
    readable
}

/// First and last address of a range and their neighbours outside.
fn addresses(range: IpNet, out: &mut Vec<String>) {
    let (first, last) = (range.network(), range.broadcast());
    let neighbours = match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => [
            u32::from(first).checked_sub(1).map(|bits| IpAddr::V4(bits.into())),
            u32::from(last).checked_add(1).map(|bits| IpAddr::V4(bits.into())),
        ],
        (IpAddr::V6(first), IpAddr::V6(last)) => [
            u128::from(first).checked_sub(1).map(|bits| IpAddr::V6(bits.into())),
            u128::from(last).checked_add(1).map(|bits| IpAddr::V6(bits.into())),
        ],
        _ => [None, None],
    };
    out.extend([first, last].into_iter().chain(neighbours.into_iter().flatten()).map(|address| address.to_string()));
}
