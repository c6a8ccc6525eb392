//! Whether a formula can be met, and how: by search over its cubes, key by key.
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
use crate::{ActionPattern, Comparison, Condition, PolicyText, PrincipalKind, Principals, Qualifier, ResourcePattern, Resources, Truth};

/// More combinations than this are not looked at.
const MAX_STEPS: usize = 4_096;

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
    let met = meet(formula, true, context);
    let Some((truth, witness)) = met.best else {
        let answer = if met.exhausted { Truth::No } else { Truth::Maybe };
        return Solved { answer, needs: Vec::new(), decided: met.exhausted };
    };
    let refuted = meet(formula, false, context);
    if refuted.best.is_none() && refuted.exhausted {
        return Solved { answer: Truth::Yes, needs: Vec::new(), decided: true };
    }
    Solved { answer: Truth::Maybe, needs: witness.needs, decided: truth.is_yes() }
}

/// Looks for a way to make a formula true (`polarity`) or false.
fn meet<'a>(formula: &Formula<'a>, polarity: bool, context: &Context) -> Search<'a> {
    let mut search = Search { steps: 0, exhausted: true, best: None };
    search.descend(Cube::default(), vec![(formula, polarity)], Vec::new(), context);
    search
}

struct Search<'a> {
    steps: usize,
    /// True while nothing was left out.
    exhausted: bool,
    best: Option<(Truth, Witness<'a>)>,
}

impl<'a> Search<'a> {
    /// Takes what must hold into the cube, then tries the alternatives one by one; what the cube already excludes is not followed.
    fn descend<'f>(
        &mut self,
        mut cube: Cube<'a>,
        mut must: Vec<(&'f Formula<'a>, bool)>,
        mut either: Vec<Choice<'f, 'a>>,
        context: &Context,
    ) {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            self.exhausted = false;
            return;
        }
        while let Some((formula, polarity)) = must.pop() {
            match (formula, polarity) {
                (Formula::True, true) | (Formula::False, false) => {}
                (Formula::True, false) | (Formula::False, true) => return,
                (Formula::Not(inner), _) => must.push((inner, !polarity)),
                (Formula::Atom(atom), _) => {
                    if !cube.add(atom, polarity) {
                        return;
                    }
                }
                (Formula::And(items), true) | (Formula::Or(items), false) => must.extend(items.iter().map(|item| (item, polarity))),
                (Formula::And(items), false) | (Formula::Or(items), true) => either.push(Choice { items, polarity }),
            }
        }
        let (truth, witness) = solve_cube(&cube, context);
        if truth.is_no() {
            return;
        }
        either.retain(|choice| !choice.is_made(&cube));
        let smallest = either.iter().enumerate().min_by_key(|(_, choice)| choice.items.len()).map(|(at, _)| at);
        let Some(choice) = smallest.map(|at| either.remove(at)) else {
            if self.best.as_ref().is_none_or(|(best, _)| truth > *best) {
                self.best = Some((truth, witness));
            }
            return;
        };
        let mut items: Vec<_> = choice.items.iter().collect();
        items.sort_by_key(|item| item.weight());
        for item in items {
            if self.best.as_ref().is_some_and(|(best, _)| best.is_yes()) || !self.exhausted {
                return;
            }
            self.descend(cube.clone(), vec![(item, choice.polarity)], either.clone(), context);
        }
    }
}

/// Formulas of which one must hold (or, with the polarity, not hold).
#[derive(Clone, Copy)]
struct Choice<'f, 'a> {
    items: &'f [Formula<'a>],
    polarity: bool,
}

impl<'a> Choice<'_, 'a> {
    /// True where the cube contains one of the alternatives already.
    fn is_made(&self, cube: &Cube<'a>) -> bool {
        self.items.iter().any(|item| match item {
            Formula::Atom(atom) => cube.polarity(atom) == Some(self.polarity),
            Formula::Not(inner) => matches!(&**inner, Formula::Atom(atom) if cube.polarity(atom) == Some(!self.polarity)),
            Formula::True | Formula::False | Formula::And(_) | Formula::Or(_) => false,
        })
    }
}

/// One way to meet a cube.
#[derive(Clone, Debug, Default)]
pub(crate) struct Witness<'a> {
    /// Conditions and assumptions.
    pub(crate) needs: Vec<Need<'a>>,
    /// An action, lower case, where the cube speaks of actions.
    pub(crate) action: Option<String>,
    /// A resource, where it speaks of resources.
    pub(crate) resource: Option<String>,
    /// A principal, where it speaks of principals.
    pub(crate) principal: Option<String>,
}

/// Whether all literals of a cube can hold together; *maybe* where that could not be shown.
pub(crate) fn solve_cube<'a>(cube: &Cube<'a>, context: &Context) -> (Truth, Witness<'a>) {
    let mut by_key: Vec<(String, Vec<Literal<'a>>)> = Vec::new();
    let mut out = Witness::default();
    let (mut actions, mut resources, mut principals) = (Vec::new(), Vec::new(), Vec::new());
    for (atom, polarity) in &cube.literals {
        match atom {
            Atom::Open(words) => {
                let text = if *polarity { words.clone() } else { format!("not: {words}") };
                out.needs.push(Need { text, condition: None, negated: !polarity, class: KeyClass::Other, witness: None });
            }
            Atom::Condition(condition) => {
                let key = condition.key.to_string().to_ascii_lowercase();
                let literal = Literal { condition, polarity: *polarity };
                match by_key.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, literals)) => literals.push(literal),
                    None => by_key.push((key, vec![literal])),
                }
            }
            Atom::Action(listed) => actions.push(Constraint {
                patterns: listed.patterns().iter().map(ActionPattern::as_pattern).collect(),
                fold_case: true,
                wanted: *polarity != listed.is_except(),
            }),
            Atom::Resource(listed) => resources.push(Constraint {
                patterns: listed.patterns().iter().flat_map(ResourcePattern::as_patterns).collect(),
                fold_case: false,
                wanted: *polarity != matches!(listed, Resources::Except(_)),
            }),
            Atom::Principal(listed) => principals.push((*listed, *polarity)),
        }
    }
    let mut answer = Truth::Yes;
    for (constraints, place) in [(actions, &mut out.action), (resources, &mut out.resource)] {
        answer = answer.and(text_within(&constraints, place));
    }
    answer = answer.and(principal_within(&principals, &mut out.principal));
    for (key, literals) in by_key {
        if answer.is_no() {
            return (Truth::No, Witness::default());
        }
        let (truth, witness) = solve_key(&literals, context);
        answer = answer.and(truth);
        for literal in literals {
            out.needs.push(Need {
                text: literal.words(),
                condition: Some(literal.condition),
                negated: !literal.polarity,
                class: key_class(&key),
                witness: witness.clone(),
            });
        }
    }
    (answer, out)
}

fn text_within(constraints: &[Constraint], out: &mut Option<String>) -> Truth {
    if constraints.is_empty() {
        return Truth::Yes;
    }
    match find(constraints) {
        Found::Text(text) => {
            *out = Some(text);
            Truth::Yes
        }
        Found::Nothing => Truth::No,
        Found::GaveUp => Truth::Maybe,
    }
}

/// A principal that is among some lists and not among others: one that is listed anywhere, or somebody else.
fn principal_within(lists: &[(&Principals, bool)], out: &mut Option<String>) -> Truth {
    let listed = lists.iter().flat_map(|(principals, _)| principals.list());
    let named = listed.filter(|principal| principal.kind != PrincipalKind::Anyone).map(Some);
    let mut answer = Truth::No;
    for candidate in named.chain([None]) {
        let among = |principals: &Principals| {
            let in_list = Truth::any(principals.list().iter().map(|principal| match principal.kind {
                PrincipalKind::Anyone => Truth::Yes,
                PrincipalKind::Unknown => Truth::Maybe,
                _ => candidate.is_some_and(|candidate| candidate.kind == principal.kind && candidate.text == principal.text).into(),
            }));
            if matches!(principals, Principals::Except(_)) { in_list.negated() } else { in_list }
        };
        let fits =
            Truth::all(lists.iter().map(|(principals, polarity)| if *polarity { among(principals) } else { among(principals).negated() }));
        if fits > answer {
            answer = fits;
            *out = (!lists.is_empty()).then(|| candidate.map_or_else(|| "anyone".to_owned(), |principal| principal.text.to_string()));
        }
    }
    answer
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
    let key = literals.first().and_then(|literal| literal.condition.key.known()).unwrap_or_default();
    let mut possible = None;
    for candidate in context.times_to_try(&key).into_iter().chain(candidates).filter(|candidate| context.admits_time(&key, candidate)) {
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

#[cfg(test)]
mod tests {
    use super::solve;
    use crate::formula::Formula;
    use crate::{Context, Truth};

    fn open(words: &str) -> Formula<'static> {
        Formula::of(Truth::Maybe, || words.to_owned())
    }

    #[test]
    fn contradictions_and_tautologies_are_seen() {
        let answer = |formula: Formula<'static>| solve(&formula, &Context::open()).answer;
        let either = || Formula::any([open("a"), open("b")]);
        assert_eq!(answer(open("a").and(either().negated())), Truth::No);
        assert_eq!(answer(open("a").and(Formula::all([open("a"), open("b")]).negated())), Truth::Maybe);
        assert_eq!(answer(Formula::any([either(), open("a").negated()])), Truth::Yes);
    }

    #[test]
    fn the_way_found_is_told() {
        let formula = open("a").and(Formula::all([open("a"), open("b")]).negated());
        let texts: Vec<_> = solve(&formula, &Context::open()).needs.into_iter().map(|need| need.text).collect();
        assert_eq!(texts, ["a", "not: b"]);
    }

    #[test]
    fn many_choices_are_made_one_by_one() {
        let pair = |n: usize| {
            let (a, b) = (open(&format!("a{n}")), open(&format!("b{n}")));
            [Formula::any([a.clone(), b.clone()]), Formula::any([a.negated(), b.negated()])]
        };
        let solved = solve(&Formula::all((0..40).flat_map(pair)), &Context::open());
        assert_eq!((solved.answer, solved.decided, solved.needs.len()), (Truth::Maybe, true, 80));
    }
}
