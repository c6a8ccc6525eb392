//! Evaluation with Kleene's three values, over the plan's own nodes.
//!
//! Unknown is a value and never an error: `unknown && false` is false, `unknown || true` is true, everything else that needs the unknown
//! is unknown and carries the gaps that caused it.
//! A wrong type is an error, and as in CEL it does not matter where the other operand of `&&` or `||` decides.

use std::borrow::Cow;

use bartizan_model::{Part, Text, Value};

use super::{Comparison, EvaluationError, Expr, Expression, Gap, Macro, Operand, Read, TextTest, Val};

/// Steps that one evaluation may take; only loops over very long lists come near it.
const MAX_STEPS: usize = 2_000_000;

/// Where an expression reads its paths.
pub trait Scope {
    /// The value at a path of the vocabulary that the expression was compiled against.
    fn read<'a>(&'a self, read: &'a Read) -> Operand<'a>;
}

/// The result of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Yes,
    /// It does not hold.
    No,
    /// It cannot be told; what would have to be known, sorted, without doubles.
    Unknown(Vec<Gap>),
}

impl Expression {
    /// The value in `scope`.
    pub fn evaluate<'a>(&'a self, scope: &'a dyn Scope) -> Result<Operand<'a>, EvaluationError> {
        Evaluator { scope, locals: Vec::new(), steps: 0 }.evaluate(&self.root)
    }

    /// The truth value in `scope`.
    pub fn verdict(&self, scope: &dyn Scope) -> Result<Verdict, EvaluationError> {
        let operand = self.evaluate(scope)?;
        Ok(match truth(&operand)? {
            Tri::Yes => Verdict::Yes,
            Tri::No => Verdict::No,
            Tri::Unknown(mut gaps) => {
                gaps.sort();
                gaps.dedup();
                Verdict::Unknown(gaps)
            }
        })
    }
}

#[derive(Clone, Debug)]
enum Tri {
    Yes,
    No,
    Unknown(Vec<Gap>),
}

impl Tri {
    fn of(value: bool) -> Self {
        if value { Tri::Yes } else { Tri::No }
    }

    fn not(self) -> Self {
        match self {
            Tri::Yes => Tri::No,
            Tri::No => Tri::Yes,
            Tri::Unknown(gaps) => Tri::Unknown(gaps),
        }
    }

    fn operand<'a>(self) -> Operand<'a> {
        Operand::new(match self {
            Tri::Yes => Val::Bool(true),
            Tri::No => Val::Bool(false),
            Tri::Unknown(gaps) => Val::Unknown(gaps),
        })
    }

    /// Whether any is yes, as `||` over all; `none` is what no element gives.
    fn any(results: impl Iterator<Item = Result<Tri, EvaluationError>>) -> Result<Tri, EvaluationError> {
        let mut gaps = Vec::new();
        let mut error = None;
        for result in results {
            match result {
                Ok(Tri::Yes) => return Ok(Tri::Yes),
                Ok(Tri::No) => {}
                Ok(Tri::Unknown(more)) => gaps.extend(more),
                Err(problem) => error = error.or(Some(problem)),
            }
        }
        match error {
            Some(problem) => Err(problem),
            None if gaps.is_empty() => Ok(Tri::No),
            None => Ok(Tri::Unknown(gaps)),
        }
    }
}

fn truth(operand: &Operand<'_>) -> Result<Tri, EvaluationError> {
    match &operand.value {
        Val::Bool(value) => Ok(Tri::of(*value)),
        Val::Text(text) if text == "true" => Ok(Tri::Yes),
        Val::Text(text) if text == "false" => Ok(Tri::No),
        Val::Unknown(gaps) => Ok(Tri::Unknown(gaps.clone())),
        Val::Partial(_) => Ok(Tri::Unknown(operand.gaps())),
        other => Err(wrong(operand, other, "where a truth value is needed")),
    }
}

fn wrong(operand: &Operand<'_>, value: &Val<'_>, place: &str) -> EvaluationError {
    let name = operand.read.map_or_else(|| "a value".to_owned(), |read| format!("`{}`", read.path()));
    EvaluationError(format!("{name} is {} {place}", value.word()))
}

struct Evaluator<'a> {
    scope: &'a dyn Scope,
    locals: Vec<Operand<'a>>,
    steps: usize,
}

impl<'a> Evaluator<'a> {
    fn evaluate(&mut self, expr: &'a Expr) -> Result<Operand<'a>, EvaluationError> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(EvaluationError("the condition takes too many steps on this plan".to_owned()));
        }
        Ok(match expr {
            Expr::Null => Operand::new(Val::Null),
            Expr::Bool(value) => Operand::new(Val::Bool(*value)),
            Expr::Number(number) => Operand::new(Val::Number(*number)),
            Expr::Text(text) => Operand::text(Some(text)),
            Expr::List(items) => Operand::new(Val::List(items.iter().map(|item| self.evaluate(item)).collect::<Result<_, _>>()?)),
            Expr::Read(read) => self.scope.read(read),
            // INVARIANT: lowering gives only depths that are on the stack.
            Expr::Local(depth) => self.locals.get(*depth).cloned().unwrap_or(Operand::new(Val::Null)),
            Expr::Member(inner, key) => member(&self.evaluate(inner)?, key)?,
            Expr::Index(inner, index) => {
                let (inner, index) = (self.evaluate(inner)?, self.evaluate(index)?);
                element_at(&inner, &index)?
            }
            Expr::Not(inner) => truth(&self.evaluate(inner)?)?.not().operand(),
            Expr::And(left, right) => self.either(left, right, true)?.operand(),
            Expr::Or(left, right) => self.either(left, right, false)?.operand(),
            Expr::If(test, yes, no) => match truth(&self.evaluate(test)?)? {
                Tri::Yes => self.evaluate(yes)?,
                Tri::No => self.evaluate(no)?,
                Tri::Unknown(gaps) => Tri::Unknown(gaps).operand(),
            },
            Expr::Compare(comparison, left, right) => {
                let (left, right) = (self.evaluate(left)?, self.evaluate(right)?);
                compare(*comparison, &left, &right)?.operand()
            }
            Expr::In(left, right) => {
                let (left, right) = (self.evaluate(left)?, self.evaluate(right)?);
                contains(&left, &right)?.operand()
            }
            Expr::Size(inner) => size(&self.evaluate(inner)?)?,
            Expr::Lower(inner) => {
                let inner = self.evaluate(inner)?;
                match inner.value {
                    Val::Text(text) => Operand { value: Val::Text(Cow::Owned(text.to_ascii_lowercase())), ..inner },
                    Val::Null | Val::Unknown(_) => inner,
                    Val::Partial(_) => Tri::Unknown(inner.gaps()).operand(),
                    ref other => return Err(wrong(&inner, other, "where a text is needed")),
                }
            }
            Expr::Test(test, target, argument) => {
                let (target, argument) = (self.evaluate(target)?, self.evaluate(argument)?);
                text_test(*test, &target, &argument)?.operand()
            }
            Expr::Matches(target, pattern) => {
                let target = self.evaluate(target)?;
                match &target.value {
                    Val::Text(text) => Tri::of(pattern.is_match(text)).operand(),
                    Val::Null => Tri::No.operand(),
                    Val::Partial(_) | Val::Unknown(_) => Tri::Unknown(target.gaps()).operand(),
                    other => return Err(wrong(&target, other, "where a text is needed")),
                }
            }
            Expr::Macro(kind, range, body) => self.iterate(*kind, range, body)?,
        })
    }

    /// `&&` (`both`) or `||`: the operand that decides wins over an unknown or an error of the other.
    fn either(&mut self, left: &'a Expr, right: &'a Expr, both: bool) -> Result<Tri, EvaluationError> {
        let turn = |tri: Tri| if both { tri.not() } else { tri };
        let first = self.evaluate(left).and_then(|operand| truth(&operand)).map(turn);
        if matches!(first, Ok(Tri::Yes)) {
            return first.map(turn);
        }
        let second = self.evaluate(right).and_then(|operand| truth(&operand)).map(turn);
        Tri::any([first, second].into_iter()).map(turn)
    }

    fn iterate(&mut self, kind: Macro, range: &'a Expr, body: &'a Expr) -> Result<Operand<'a>, EvaluationError> {
        let range = self.evaluate(range)?;
        let elements = match &range.value {
            Val::Null => Vec::new(),
            Val::Unknown(_) | Val::Partial(_) => return Ok(Tri::Unknown(range.gaps()).operand()),
            // Over a map the variable is the key, as in CEL.
            Val::Map(map) => map
                .iter()
                .flat_map(|map| map.iter())
                .map(|(key, node)| Operand { value: Val::Text(Cow::Borrowed(key.as_str())), span: Some(node.span), read: range.read })
                .collect(),
            // A block that appears once is written as a map by some sources; there it is an element itself. That case came above.
            Val::Nodes(_) | Val::List(_) => range.elements().unwrap_or_default(),
            other => return Err(wrong(&range, other, "where a list is needed")),
        };
        let mut results = Vec::with_capacity(elements.len());
        for element in &elements {
            self.locals.push(element.clone());
            let result = self.evaluate(body);
            self.locals.pop();
            results.push(result);
        }
        let truths = || results.iter().cloned().map(|result| truth(&result?));
        match kind {
            Macro::Exists => Tri::any(truths()).map(Tri::operand),
            Macro::All => Tri::any(truths().map(|result| result.map(Tri::not))).map(|any| any.not().operand()),
            Macro::Map => results.into_iter().collect::<Result<_, _>>().map(|items| Operand::new(Val::List(items))),
            Macro::Filter => {
                let mut kept = Vec::new();
                for (element, result) in elements.into_iter().zip(truths()) {
                    match result? {
                        Tri::Yes => kept.push(element),
                        Tri::No => {}
                        Tri::Unknown(gaps) => {
                            let value = Val::Unknown(gaps);
                            kept.push(Operand { value, span: element.span, read: element.read });
                        }
                    }
                }
                Ok(Operand { value: Val::List(kept), span: range.span, read: range.read })
            }
        }
    }
}

fn member<'a>(inner: &Operand<'a>, key: &str) -> Result<Operand<'a>, EvaluationError> {
    match &inner.value {
        Val::Map(map) => Ok(map
            .and_then(|map| map.get(key))
            .map_or_else(|| Operand { value: Val::Null, span: inner.span, read: inner.read }, |node| Operand::element(node, inner.read))),
        Val::Null => Ok(inner.clone()),
        Val::Unknown(_) => Ok(inner.clone()),
        // A block that may appear once.
        Val::Nodes([]) => Ok(Operand { value: Val::Null, span: inner.span, read: inner.read }),
        Val::Nodes([only]) => member(&Operand::element(only, inner.read), key),
        Val::List(items) => match items.as_slice() {
            [] => Ok(Operand { value: Val::Null, span: inner.span, read: inner.read }),
            [only] => member(only, key),
            _ => Err(wrong(inner, &inner.value, &format!("of several elements; `.{key}` needs `exists` or `all`"))),
        },
        other => Err(wrong(inner, other, &format!("and has no `{key}`"))),
    }
}

fn element_at<'a>(inner: &Operand<'a>, index: &Operand<'a>) -> Result<Operand<'a>, EvaluationError> {
    match (&inner.value, &index.value) {
        (Val::Unknown(_) | Val::Null, _) => Ok(inner.clone()),
        (_, Val::Unknown(_) | Val::Partial(_)) => Ok(Tri::Unknown(index.gaps()).operand()),
        (Val::Map(_), Val::Text(key)) => member(inner, key),
        (Val::Nodes(_) | Val::List(_), Val::Number(position)) => {
            let mut elements = inner.elements().unwrap_or_default();
            let position = *position;
            // A position that no list has is null like any member that is not there.
            if position < 0.0 || position.fract() != 0.0 || position >= elements.len() as f64 {
                return Ok(Operand { value: Val::Null, span: inner.span, read: inner.read });
            }
            Ok(elements.swap_remove(position as usize))
        }
        (value, _) => Err(wrong(inner, value, "and cannot be indexed like this")),
    }
}

fn size<'a>(operand: &Operand<'a>) -> Result<Operand<'a>, EvaluationError> {
    let count = match &operand.value {
        Val::Null => 0,
        Val::Text(text) => text.chars().count(),
        Val::Nodes(nodes) => nodes.len(),
        Val::List(items) => {
            let unknown: Vec<Gap> =
                items.iter().flat_map(|item| if let Val::Unknown(gaps) = &item.value { gaps.clone() } else { vec![] }).collect();
            if !unknown.is_empty() {
                return Ok(Tri::Unknown(unknown).operand());
            }
            items.len()
        }
        Val::Map(map) => map.map_or(0, indexmap::IndexMap::len),
        Val::Unknown(_) | Val::Partial(_) => return Ok(Tri::Unknown(operand.gaps()).operand()),
        other @ (Val::Bool(_) | Val::Number(_)) => return Err(wrong(operand, other, "and has no size")),
    };
    Ok(Operand { value: Val::Number(count as f64), span: operand.span, read: operand.read })
}

fn compare(comparison: Comparison, left: &Operand<'_>, right: &Operand<'_>) -> Result<Tri, EvaluationError> {
    match comparison {
        Comparison::Equal => Ok(equal(left, right)),
        Comparison::NotEqual => Ok(equal(left, right).not()),
        Comparison::Less | Comparison::LessOrEqual | Comparison::Greater | Comparison::GreaterOrEqual => {
            let ordering = match (&left.value, &right.value) {
                (Val::Unknown(_) | Val::Partial(_), _) | (_, Val::Unknown(_) | Val::Partial(_)) => {
                    return Ok(Tri::Unknown([left.gaps(), right.gaps()].concat()));
                }
                (Val::Number(left), Val::Number(right)) => left.partial_cmp(right),
                (Val::Text(left), Val::Text(right)) => Some(left.cmp(right)),
                (Val::Null, value) => return Err(wrong(left, &Val::Null, &format!("where it is compared with {}", value.word()))),
                (value, Val::Null) => return Err(wrong(right, &Val::Null, &format!("where it is compared with {}", value.word()))),
                (value, other) => return Err(wrong(left, value, &format!("where it is compared with {}", other.word()))),
            };
            let Some(ordering) = ordering else { return Ok(Tri::No) };
            Ok(Tri::of(match comparison {
                Comparison::Less => ordering.is_lt(),
                Comparison::LessOrEqual => ordering.is_le(),
                Comparison::Greater => ordering.is_gt(),
                Comparison::GreaterOrEqual => ordering.is_ge(),
                Comparison::Equal | Comparison::NotEqual => ordering.is_eq(),
            }))
        }
    }
}

/// Values of different types are unequal, but for texts that spell a truth value or number, as Terraform converts them.
fn equal(left: &Operand<'_>, right: &Operand<'_>) -> Tri {
    match (&left.value, &right.value) {
        (Val::Unknown(_), _) | (_, Val::Unknown(_)) => Tri::Unknown([left.gaps(), right.gaps()].concat()),
        (Val::Null, Val::Null) => Tri::Yes,
        // A text that is known only in part is still a text that is set.
        (Val::Null, _) | (_, Val::Null) => Tri::No,
        (Val::Bool(left), Val::Bool(right)) => Tri::of(left == right),
        (Val::Number(left), Val::Number(right)) => Tri::of(left == right),
        (Val::Text(left), Val::Text(right)) => Tri::of(left == right),
        (Val::Bool(value), Val::Text(text)) | (Val::Text(text), Val::Bool(value)) => {
            Tri::of(text.as_ref() == if *value { "true" } else { "false" })
        }
        (Val::Number(number), Val::Text(text)) | (Val::Text(text), Val::Number(number)) => {
            Tri::of(text.trim().parse::<f64>().is_ok_and(|parsed| parsed == *number))
        }
        (Val::Partial(text), Val::Text(known)) => partial_equal(text, known, left),
        (Val::Text(known), Val::Partial(text)) => partial_equal(text, known, right),
        (Val::Partial(_), Val::Partial(_) | Val::Bool(_) | Val::Number(_)) | (Val::Bool(_) | Val::Number(_), Val::Partial(_)) => {
            Tri::Unknown([left.gaps(), right.gaps()].concat())
        }
        (Val::Nodes(_) | Val::List(_), Val::Nodes(_) | Val::List(_)) => {
            let (left, right) = (left.elements().unwrap_or_default(), right.elements().unwrap_or_default());
            if left.len() != right.len() {
                return Tri::No;
            }
            let differ = Tri::any(left.iter().zip(&right).map(|(left, right)| Ok(equal(left, right).not())));
            differ.unwrap_or(Tri::Yes).not()
        }
        (Val::Map(left), Val::Map(right)) => Tri::of(left == right),
        (Val::Bool(_) | Val::Number(_) | Val::Text(_) | Val::Partial(_) | Val::Nodes(_) | Val::List(_) | Val::Map(_), _) => Tri::No,
    }
}

/// A text that is known in part differs for certain where its known start or end does.
fn partial_equal(text: &Text, known: &str, operand: &Operand<'_>) -> Tri {
    if known.starts_with(known_start(text).as_str()) && known.ends_with(known_end(text).as_str()) {
        return Tri::Unknown(operand.gaps());
    }
    Tri::No
}

fn known_start(text: &Text) -> String {
    text.parts().map_while(known_part).collect()
}

fn known_end(text: &Text) -> String {
    let parts: Vec<Option<&str>> = text.parts().map(known_part).collect();
    let mut end: Vec<&str> = parts.into_iter().rev().map_while(|part| part).collect();
    end.reverse();
    end.concat()
}

fn known_part<'t>(part: Part<'t>) -> Option<&'t str> {
    match part {
        Part::Literal(text) => Some(text),
        Part::Reference { value, .. } => value,
        Part::Unknown(_) => None,
    }
}

fn contains(element: &Operand<'_>, container: &Operand<'_>) -> Result<Tri, EvaluationError> {
    match &container.value {
        Val::Null => Ok(Tri::No),
        Val::Unknown(_) | Val::Partial(_) => Ok(Tri::Unknown(container.gaps())),
        Val::Nodes(_) | Val::List(_) => {
            let elements = container.elements().unwrap_or_default();
            Tri::any(elements.iter().map(|candidate| Ok(equal(element, candidate))))
        }
        Val::Map(map) => match &element.value {
            Val::Text(key) => {
                Ok(Tri::of(map.is_some_and(|map| map.get(key.as_ref()).is_some_and(|node| !matches!(node.value, Value::Null)))))
            }
            Val::Unknown(_) | Val::Partial(_) => Ok(Tri::Unknown(element.gaps())),
            Val::Null | Val::Bool(_) | Val::Number(_) | Val::Nodes(_) | Val::List(_) | Val::Map(_) => Ok(Tri::No),
        },
        other @ (Val::Bool(_) | Val::Number(_) | Val::Text(_)) => Err(wrong(container, other, "where a list or map is needed")),
    }
}

fn text_test(test: TextTest, target: &Operand<'_>, argument: &Operand<'_>) -> Result<Tri, EvaluationError> {
    let wanted = match &argument.value {
        Val::Text(text) => text.as_ref(),
        Val::Unknown(_) | Val::Partial(_) => return Ok(Tri::Unknown(argument.gaps())),
        other => return Err(wrong(argument, other, "where a text is needed")),
    };
    match &target.value {
        // What is not set holds no text; asking it is no mistake.
        Val::Null => Ok(Tri::No),
        Val::Text(text) => Ok(Tri::of(match test {
            TextTest::StartsWith => text.starts_with(wanted),
            TextTest::EndsWith => text.ends_with(wanted),
            TextTest::Contains => text.contains(wanted),
        })),
        Val::Partial(text) => {
            let unknown = Tri::Unknown(target.gaps());
            Ok(match test {
                TextTest::StartsWith => {
                    let start = known_start(text);
                    if start.starts_with(wanted) {
                        Tri::Yes
                    } else if wanted.starts_with(&start) {
                        unknown
                    } else {
                        Tri::No
                    }
                }
                TextTest::EndsWith => {
                    let end = known_end(text);
                    if end.ends_with(wanted) {
                        Tri::Yes
                    } else if wanted.ends_with(&end) {
                        unknown
                    } else {
                        Tri::No
                    }
                }
                TextTest::Contains => {
                    if text.parts().filter_map(known_part).any(|part| part.contains(wanted)) {
                        Tri::Yes
                    } else {
                        unknown
                    }
                }
            })
        }
        Val::Unknown(_) => Ok(Tri::Unknown(target.gaps())),
        other => Err(wrong(target, other, "where a text is needed")),
    }
}

#[cfg(test)]
mod tests;
