//! From CEL text to a checked expression: names against the vocabulary, functions against a list, size and depth against bounds.

use std::sync::LazyLock;

use cel::common::ast::{CallExpr, Expr as Cel, LiteralValue, SourceInfo, operators};
use cel::{Env, IdedExpr};

use super::{Comparison, Expr, Expression, Macro, Read, Shape, TextTest, ValueKind, Vocabulary};
use crate::catalogue::suggest;

/// Nodes that one expression may have. Judgement: our longest rule has fewer than 80.
const MAX_NODES: usize = 400;
/// Depth of one expression; the parser's own limit is of the same size.
const MAX_DEPTH: usize = 48;
/// Macros inside macros; each multiplies the work by the length of a list.
const MAX_MACROS: usize = 3;
/// Characters that one expression may have.
const MAX_LENGTH: usize = 4000;

const NO_ARITHMETIC: &str = "a condition does no arithmetic; that is a fact";

/// What the functions are called, for messages.
const FUNCTIONS: &[&str] = &["size", "startsWith", "endsWith", "contains", "matches", "lowerAscii", "exists", "all", "filter", "map"];

/// Why an expression was refused; always the fault of who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// What is wrong and, where a known name is near, what may be meant.
    pub message: String,
    /// Byte offset in the expression.
    pub offset: usize,
}

impl Expression {
    /// Parses and checks `source` against `vocabulary`.
    pub fn compile(source: &str, vocabulary: &Vocabulary) -> Result<Self, ExpressionError> {
        if source.len() > MAX_LENGTH {
            return Err(ExpressionError { message: format!("an expression has at most {MAX_LENGTH} characters"), offset: 0 });
        }
        let root = match plain_path(source) {
            Some(segments) => path(&segments, vocabulary).map_err(|message| ExpressionError { message, offset: 0 })?.0,
            None => {
                let (tree, info) = parse(source)?;
                let mut lowering = Lowering { vocabulary, info, locals: Vec::new(), nodes: 0, depth: 0 };
                lowering.expr(&tree)?
            }
        };
        Ok(Self { source: source.to_owned(), root })
    }

    /// Parses and checks an expression that must be a truth value.
    pub fn compile_condition(source: &str, vocabulary: &Vocabulary) -> Result<Self, ExpressionError> {
        let expression = Self::compile(source, vocabulary)?;
        condition(&expression.root, vocabulary).map_err(|message| ExpressionError { message, offset: 0 })?;
        Ok(expression)
    }
}

/// A source that is nothing but a dotted path needs no parser; most of the catalogue's expressions are.
fn plain_path(source: &str) -> Option<Vec<&str>> {
    let segments: Vec<&str> = source.trim().split('.').collect();
    let name = |segment: &&str| {
        segment.starts_with(|first: char| first.is_ascii_alphabetic()) && segment.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    (segments.iter().all(name) && !matches!(segments.as_slice(), ["true" | "false" | "null"])).then_some(segments)
}

fn path(segments: &[&str], vocabulary: &Vocabulary) -> Result<(Expr, Shape), String> {
    let (root, name, shape, used) = vocabulary.resolve(segments)?;
    let read = Expr::Read(Read { root: root.to_owned(), name: name.to_owned(), kind: shape.kind });
    let rest = segments.get(used..).unwrap_or(&[]);
    if let Some(first) = rest.first()
        && !matches!(shape.kind, ValueKind::Map | ValueKind::List | ValueKind::Any)
    {
        return Err(format!("`{root}.{name}` is {} and has no `{first}`", shape.kind.word()));
    }
    let member = rest.iter().fold(read, |inner, key| Expr::Member(Box::new(inner), (*key).to_owned()));
    Ok((member, shape))
}

fn parse(source: &str) -> Result<(IdedExpr, SourceInfo), ExpressionError> {
    // An environment without macros leaves `exists` and its like as the calls that are written.
    static ENV: LazyLock<Env> = LazyLock::new(Env::default);
    ENV.parser().max_recursion_depth(96).parse_with_source_info(source).map_err(|errors| {
        let Some(first) = errors.errors.first() else {
            return ExpressionError { message: "this is no CEL expression".to_owned(), offset: 0 };
        };
        let line = usize::try_from(first.pos.0).unwrap_or(1).saturating_sub(1);
        let column = usize::try_from(first.pos.1).unwrap_or(1).saturating_sub(1);
        let before: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
        ExpressionError { message: format!("this is no CEL expression: {}", first.msg.trim()), offset: before + column }
    })
}

struct Lowering<'v> {
    vocabulary: &'v Vocabulary,
    info: SourceInfo,
    locals: Vec<String>,
    nodes: usize,
    depth: usize,
}

impl Lowering<'_> {
    fn fail<T>(&self, at: &IdedExpr, message: impl Into<String>) -> Result<T, ExpressionError> {
        let offset = self.info.offset_for(at.id).map_or(0, |(start, _)| start as usize);
        Err(ExpressionError { message: message.into(), offset })
    }

    fn expr(&mut self, tree: &IdedExpr) -> Result<Expr, ExpressionError> {
        self.nodes += 1;
        self.depth += 1;
        if self.nodes > MAX_NODES || self.depth > MAX_DEPTH {
            return self.fail(tree, "the expression is too large; move part of it into a fact");
        }
        let lowered = match &tree.expr {
            Cel::Literal(literal) => self.literal(tree, literal),
            Cel::Ident(_) | Cel::Select(_) => self.select(tree),
            Cel::Call(call) => self.call(tree, call),
            Cel::List(list) if list.optional_indices.is_empty() => {
                list.elements.iter().map(|element| self.expr(element)).collect::<Result<_, _>>().map(Expr::List)
            }
            Cel::List(_) | Cel::Map(_) | Cel::Struct(_) | Cel::Comprehension(_) | Cel::Unspecified => {
                self.fail(tree, "a condition has no maps, structures or optional elements of its own")
            }
        }?;
        self.depth -= 1;
        Ok(lowered)
    }

    fn boxed(&mut self, tree: &IdedExpr) -> Result<Box<Expr>, ExpressionError> {
        self.expr(tree).map(Box::new)
    }

    fn literal(&self, tree: &IdedExpr, literal: &LiteralValue) -> Result<Expr, ExpressionError> {
        match literal {
            LiteralValue::Boolean(value) => Ok(Expr::Bool(*value.inner())),
            LiteralValue::Double(value) => Ok(Expr::Number(*value.inner())),
            // Plans count in doubles, as JSON does; whole numbers beyond 2^53 do not occur in conditions.
            LiteralValue::Int(value) => Ok(Expr::Number(*value.inner() as f64)),
            LiteralValue::UInt(value) => Ok(Expr::Number(*value.inner() as f64)),
            LiteralValue::String(value) => Ok(Expr::Text(value.inner().to_owned())),
            LiteralValue::Null => Ok(Expr::Null),
            LiteralValue::Bytes(_) => self.fail(tree, "a plan has no bytes to compare with"),
        }
    }

    fn select(&mut self, tree: &IdedExpr) -> Result<Expr, ExpressionError> {
        let mut segments = Vec::new();
        let mut current = tree;
        loop {
            match &current.expr {
                Cel::Ident(name) => {
                    segments.push(name.as_str());
                    break;
                }
                Cel::Select(select) => {
                    segments.push(select.field.as_str());
                    current = &select.operand;
                }
                // A member of something computed: `settings.rules[0].prefix`.
                _ => {
                    let inner = self.expr(current)?;
                    return Ok(segments.iter().rev().fold(inner, |inner, key| Expr::Member(Box::new(inner), (*key).to_owned())));
                }
            }
        }
        segments.reverse();
        if let Some((first, rest)) = segments.split_first()
            && let Some(depth) = self.locals.iter().rposition(|local| local == first)
        {
            return Ok(rest.iter().fold(Expr::Local(depth), |inner, key| Expr::Member(Box::new(inner), (*key).to_owned())));
        }
        match path(&segments, self.vocabulary) {
            Ok((expr, _)) => Ok(expr),
            Err(message) => self.fail(current, message),
        }
    }

    fn call(&mut self, tree: &IdedExpr, call: &CallExpr) -> Result<Expr, ExpressionError> {
        let name = call.func_name.as_str();
        match (name, call.target.as_deref(), call.args.as_slice()) {
            (operators::LOGICAL_NOT, None, [inner]) => Ok(Expr::Not(Box::new(self.truth(inner)?))),
            (operators::LOGICAL_AND | operators::LOGICAL_OR, None, operands) => {
                let mut lowered = Vec::new();
                for operand in operands {
                    lowered.push(self.truth(operand)?);
                }
                let join = |left, right| match name {
                    operators::LOGICAL_AND => Expr::And(Box::new(left), Box::new(right)),
                    _ => Expr::Or(Box::new(left), Box::new(right)),
                };
                lowered.into_iter().reduce(join).map_or_else(|| self.fail(tree, "an operand is missing"), Ok)
            }
            (operators::CONDITIONAL, None, [test, yes, no]) => Ok(Expr::If(Box::new(self.truth(test)?), self.boxed(yes)?, self.boxed(no)?)),
            (operators::IN, None, [left, right]) => {
                let (left, container) = (self.boxed(left)?, self.boxed(right)?);
                match shape(&container, self.vocabulary) {
                    Some(Shape { kind: ValueKind::List | ValueKind::Map | ValueKind::Any, .. }) | None => Ok(Expr::In(left, container)),
                    Some(Shape { kind, .. }) => self.fail(right, format!("`in` needs a list or a map, and this is {}", kind.word())),
                }
            }
            (operators::INDEX, None, [left, right]) => Ok(Expr::Index(self.boxed(left)?, self.boxed(right)?)),
            (operators::NEGATE, None, [inner]) => match self.expr(inner)? {
                Expr::Number(number) => Ok(Expr::Number(-number)),
                _ => self.fail(tree, NO_ARITHMETIC),
            },
            (operators::EQUALS | operators::NOT_EQUALS, None, [left, right]) => self.equality(tree, name, left, right),
            (operators::LESS, None, [left, right]) => self.comparison(Comparison::Less, left, right),
            (operators::LESS_EQUALS, None, [left, right]) => self.comparison(Comparison::LessOrEqual, left, right),
            (operators::GREATER, None, [left, right]) => self.comparison(Comparison::Greater, left, right),
            (operators::GREATER_EQUALS, None, [left, right]) => self.comparison(Comparison::GreaterOrEqual, left, right),
            (operators::ADD | operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO, ..) => {
                self.fail(tree, NO_ARITHMETIC)
            }
            ("size", None, [inner]) | ("size", Some(inner), []) => Ok(Expr::Size(self.boxed(inner)?)),
            ("lowerAscii", Some(target), []) => Ok(Expr::Lower(self.boxed(target)?)),
            ("startsWith", Some(target), [argument]) => self.test(TextTest::StartsWith, target, argument),
            ("endsWith", Some(target), [argument]) => self.test(TextTest::EndsWith, target, argument),
            ("contains", Some(target), [argument]) => self.test(TextTest::Contains, target, argument),
            ("matches", Some(target), [argument]) => self.matches(target, argument),
            ("exists", Some(target), [variable, body]) => self.iterate(Macro::Exists, target, variable, body),
            ("all", Some(target), [variable, body]) => self.iterate(Macro::All, target, variable, body),
            ("filter", Some(target), [variable, body]) => self.iterate(Macro::Filter, target, variable, body),
            ("map", Some(target), [variable, body]) => self.iterate(Macro::Map, target, variable, body),
            ("has", ..) => self.fail(
                tree,
                "`has()` is not allowed: it would turn what is unknown into false; compare with `null`, which stands for \"not set\"",
            ),
            _ => {
                let hint = suggest::did_you_mean(name, FUNCTIONS.iter())
                    .unwrap_or_else(|| format!("; there are {}", suggest::list(FUNCTIONS.iter())));
                self.fail(tree, format!("there is no function `{}` here{hint}", name.trim_matches('_')))
            }
        }
    }

    /// Lowers an operand of `&&`, `||`, `!` or `?`, which must be a truth value that cannot be null.
    fn truth(&mut self, tree: &IdedExpr) -> Result<Expr, ExpressionError> {
        let lowered = self.expr(tree)?;
        match condition(&lowered, self.vocabulary) {
            Ok(()) => Ok(lowered),
            Err(message) => self.fail(tree, message),
        }
    }

    fn equality(&mut self, tree: &IdedExpr, name: &str, left: &IdedExpr, right: &IdedExpr) -> Result<Expr, ExpressionError> {
        let (left, right) = (self.boxed(left)?, self.boxed(right)?);
        for (read, literal) in [(&left, &right), (&right, &left)] {
            let (Expr::Read(path), Some(known)) = (read.as_ref(), shape(read, self.vocabulary)) else { continue };
            let Some(other) = literal_kind(literal) else { continue };
            match other {
                None if matches!(known.kind, ValueKind::List | ValueKind::Map) => {
                    return self.fail(tree, format!("`{}` is never null: where it is not set it is empty; use `size()`", path.path()));
                }
                None if !known.nullable && known.kind != ValueKind::Any => {
                    return self.fail(tree, format!("`{}` is never null: it has a default", path.path()));
                }
                Some(kind) if known.kind != ValueKind::Any && kind != known.kind => {
                    let message = format!("`{}` is {}, and this compares it with {}", path.path(), known.kind.word(), kind.word());
                    return self.fail(tree, message);
                }
                None | Some(_) => {}
            }
        }
        let comparison = if name == operators::EQUALS { Comparison::Equal } else { Comparison::NotEqual };
        Ok(Expr::Compare(comparison, left, right))
    }

    fn comparison(&mut self, comparison: Comparison, left: &IdedExpr, right: &IdedExpr) -> Result<Expr, ExpressionError> {
        let (low, high) = (self.boxed(left)?, self.boxed(right)?);
        for (side, tree) in [(&low, left), (&high, right)] {
            if let Some(Shape { kind: kind @ (ValueKind::Bool | ValueKind::List | ValueKind::Map), .. }) = shape(side, self.vocabulary) {
                return self.fail(tree, format!("this is {} and has no order", kind.word()));
            }
        }
        Ok(Expr::Compare(comparison, low, high))
    }

    fn test(&mut self, test: TextTest, target: &IdedExpr, argument: &IdedExpr) -> Result<Expr, ExpressionError> {
        let lowered = self.boxed(target)?;
        if let Some(Shape { kind: kind @ (ValueKind::Bool | ValueKind::Number | ValueKind::List | ValueKind::Map), .. }) =
            shape(&lowered, self.vocabulary)
        {
            let hint = if kind == ValueKind::List { "; use `in` or `exists`" } else { "" };
            return self.fail(target, format!("this is {} and not a text{hint}", kind.word()));
        }
        Ok(Expr::Test(test, lowered, self.boxed(argument)?))
    }

    fn matches(&mut self, target: &IdedExpr, argument: &IdedExpr) -> Result<Expr, ExpressionError> {
        let Cel::Literal(LiteralValue::String(pattern)) = &argument.expr else {
            return self.fail(argument, "`matches` needs its pattern spelled out");
        };
        match regex::Regex::new(pattern.inner()) {
            Ok(pattern) => Ok(Expr::Matches(self.boxed(target)?, pattern)),
            Err(error) => self.fail(argument, format!("the pattern is no regular expression: {error}")),
        }
    }

    fn iterate(&mut self, kind: Macro, target: &IdedExpr, variable: &IdedExpr, body: &IdedExpr) -> Result<Expr, ExpressionError> {
        let Cel::Ident(name) = &variable.expr else {
            return self.fail(variable, "the first argument names the element, for example `exists(rule, rule.port == 22)`");
        };
        let range = self.boxed(target)?;
        if let Some(Shape { kind: found @ (ValueKind::Bool | ValueKind::Number | ValueKind::Text), .. }) = shape(&range, self.vocabulary) {
            return self.fail(target, format!("this is {} and has no elements", found.word()));
        }
        if self.locals.len() >= MAX_MACROS {
            return self.fail(target, format!("at most {MAX_MACROS} loops inside each other; that is a fact"));
        }
        self.locals.push(name.clone());
        let lowered = match kind {
            Macro::Map => self.expr(body),
            Macro::Exists | Macro::All | Macro::Filter => self.truth(body),
        };
        self.locals.pop();
        Ok(Expr::Macro(kind, range, Box::new(lowered?)))
    }
}

/// The type of a literal; `Some(None)` for `null`.
fn literal_kind(expr: &Expr) -> Option<Option<ValueKind>> {
    match expr {
        Expr::Null => Some(None),
        Expr::Bool(_) => Some(Some(ValueKind::Bool)),
        Expr::Number(_) => Some(Some(ValueKind::Number)),
        Expr::Text(_) => Some(Some(ValueKind::Text)),
        Expr::List(_) => Some(Some(ValueKind::List)),
        _ => None,
    }
}

/// What is known of the type of an expression before it is evaluated.
fn shape(expr: &Expr, vocabulary: &Vocabulary) -> Option<Shape> {
    let fixed = |kind| Some(Shape { kind, nullable: false });
    match expr {
        Expr::Read(read) => {
            let segments: Vec<&str> = read.root.split('.').chain([read.name.as_str()]).collect();
            vocabulary.resolve(&segments).ok().map(|(_, _, shape, _)| shape)
        }
        Expr::Null => Some(Shape { kind: ValueKind::Any, nullable: true }),
        Expr::Bool(_)
        | Expr::Not(_)
        | Expr::And(..)
        | Expr::Or(..)
        | Expr::Compare(..)
        | Expr::In(..)
        | Expr::Test(..)
        | Expr::Matches(..)
        | Expr::Macro(Macro::Exists | Macro::All, ..) => fixed(ValueKind::Bool),
        Expr::Number(_) | Expr::Size(_) => fixed(ValueKind::Number),
        Expr::Text(_) | Expr::Lower(_) => fixed(ValueKind::Text),
        Expr::List(_) | Expr::Macro(Macro::Filter | Macro::Map, ..) => fixed(ValueKind::List),
        Expr::Local(_) | Expr::Member(..) | Expr::Index(..) | Expr::If(..) => None,
    }
}

/// Whether an expression can stand where a truth value is needed, or why not.
fn condition(expr: &Expr, vocabulary: &Vocabulary) -> Result<(), String> {
    match shape(expr, vocabulary) {
        None | Some(Shape { kind: ValueKind::Bool | ValueKind::Any, nullable: false }) => Ok(()),
        Some(Shape { kind: ValueKind::Bool, nullable: true }) => {
            let name = if let Expr::Read(read) = expr { read.path() } else { "this".to_owned() };
            Err(format!("`{name}` is null where it is not set; write `{name} == true` or `{name} != true`"))
        }
        Some(Shape { kind, .. }) => Err(format!("a truth value is needed here, and this is {}", kind.word())),
    }
}
