//! Runs a template: text out, with the place each part came from.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use super::functions;
use super::parse::{Command, Named, Operand, Piece, Pipe, Template, TemplateError};
use super::value::Val;

/// Most steps that the templates of one release take.
const MAX_STEPS: usize = 2_000_000;
/// Deepest nesting of named templates.
const MAX_DEPTH: usize = 48;
/// Most values that a function may be given; lists that hold the same list twice count it twice, because functions walk them.
const MAX_VALUE: usize = 300_000;
/// Values that a function walks in the time of one step.
const WEIGHT_PER_STEP: usize = 4;
/// What the compilation of a pattern takes.
const STEPS_PER_PATTERN: usize = 500;
/// Largest text that one file may become.
const MAX_OUTPUT_BYTES: usize = 4 << 20;

/// The text that a file became.
#[derive(Default)]
pub(super) struct Rendered {
    pub(super) text: String,
    /// Start in the text, the bytes of the file it came from, and whether it was copied byte by byte.
    segments: Vec<(usize, Range<usize>, bool)>,
}

impl Rendered {
    fn push(&mut self, text: &str, from: &Range<usize>, copied: bool) {
        if !text.is_empty() {
            self.segments.push((self.text.len(), from.clone(), copied));
            self.text.push_str(text);
        }
    }

    /// The bytes of the file that a part of the text came from.
    pub(super) fn locate(&self, range: Range<usize>) -> Range<usize> {
        let start = self.source_of(range.start, false);
        let end = if range.is_empty() { start } else { self.source_of(range.end - 1, true) };
        start..end.max(start)
    }

    fn source_of(&self, offset: usize, last: bool) -> usize {
        let index = self.segments.partition_point(|(start, ..)| *start <= offset).saturating_sub(1);
        match self.segments.get(index) {
            Some((start, from, true)) => (from.start + offset.saturating_sub(*start) + usize::from(last)).min(from.end),
            Some((_, from, false)) => {
                if last {
                    from.end
                } else {
                    from.start
                }
            }
            None => 0,
        }
    }
}

/// Runs templates of one release.
pub(super) struct Eval<'a> {
    pub(super) named: &'a Named,
    steps: usize,
    depth: usize,
}

/// Variables in scope; the root is the one without a name.
struct Scope {
    variables: Vec<(String, Val)>,
}

impl Scope {
    fn get(&self, name: &str) -> Option<&Val> {
        self.variables.iter().rev().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    fn assign(&mut self, name: &str, value: Val) {
        match self.variables.iter_mut().rev().find(|(own, _)| own == name) {
            Some((_, slot)) => *slot = value,
            None => self.variables.push((name.to_owned(), value)),
        }
    }
}

impl<'a> Eval<'a> {
    pub(super) fn new(named: &'a Named) -> Self {
        Self { named, steps: 0, depth: 0 }
    }

    /// Runs a file on a root value.
    pub(super) fn run(&mut self, template: &Template, root: &Val) -> Result<Rendered, TemplateError> {
        let mut out = Rendered::default();
        let mut scope = Scope { variables: vec![(String::new(), root.clone())] };
        self.pieces(&template.body, &template.source, root, &mut scope, &mut out)?;
        Ok(out)
    }

    /// Runs a named template to text.
    pub(super) fn include(&mut self, name: &str, dot: &Val, at: &Range<usize>) -> Result<String, TemplateError> {
        let Some(template) = self.named.get(name).cloned() else { return Err(error(format!("there is no template `{name}`"), at)) };
        if self.depth >= MAX_DEPTH {
            return Err(error(format!("the template `{name}` includes itself without end"), at));
        }
        self.depth += 1;
        let rendered = self.run(&template, dot);
        self.depth -= 1;
        // What goes wrong inside a helper is told where it is called: the helper stands in another file.
        rendered.map(|rendered| rendered.text).map_err(|inner| error(format!("in `{name}`: {}", inner.message), at))
    }

    /// Runs a text as a template.
    pub(super) fn text(&mut self, text: &str, dot: &Val, at: &Range<usize>) -> Result<String, TemplateError> {
        let mut named = Named::new();
        let template = super::parse::parse(&Rc::from(text), &mut named).map_err(|inner| error(inner.message, at))?;
        if self.depth >= MAX_DEPTH {
            return Err(error("templates are nested too deeply".to_owned(), at));
        }
        self.depth += 1;
        let rendered = self.run(&template, dot);
        self.depth -= 1;
        rendered.map(|rendered| rendered.text).map_err(|inner| error(inner.message, at))
    }

    /// Pays for a value that was made.
    fn hold(&mut self, value: &Val, by: &str, at: &Range<usize>) -> Result<(), TemplateError> {
        let weight = value.weight(MAX_VALUE);
        self.steps += weight / WEIGHT_PER_STEP;
        if weight >= MAX_VALUE { Err(error(format!("`{by}` makes more values than are sensible"), at)) } else { Ok(()) }
    }

    fn step(&mut self, at: &Range<usize>, out: &Rendered) -> Result<(), TemplateError> {
        self.steps += 1;
        if self.steps > MAX_STEPS || out.text.len() > MAX_OUTPUT_BYTES {
            return Err(error("the template does not come to an end".to_owned(), at));
        }
        Ok(())
    }

    fn pieces(
        &mut self,
        pieces: &[Piece],
        source: &Rc<str>,
        dot: &Val,
        scope: &mut Scope,
        out: &mut Rendered,
    ) -> Result<(), TemplateError> {
        let outer = scope.variables.len();
        for piece in pieces {
            self.piece(piece, source, dot, scope, out)?;
        }
        scope.variables.truncate(outer);
        Ok(())
    }

    fn piece(&mut self, piece: &Piece, source: &Rc<str>, dot: &Val, scope: &mut Scope, out: &mut Rendered) -> Result<(), TemplateError> {
        match piece {
            Piece::Text(range) => out.push(source.get(range.clone()).unwrap_or(""), range, true),
            Piece::Output { pipe, at } => {
                self.step(at, out)?;
                let value = self.pipe(pipe, dot, scope, at)?;
                self.hold(&value, "the template", at)?;
                out.push(&value.display(), at, false);
            }
            Piece::Assign { name, declare, pipe, at } => {
                self.step(at, out)?;
                let value = self.pipe(pipe, dot, scope, at)?;
                if *declare {
                    scope.variables.push((name.clone(), value));
                } else {
                    scope.assign(name, value);
                }
            }
            Piece::If { branches, otherwise, at } => {
                self.step(at, out)?;
                for (condition, body) in branches {
                    if self.pipe(condition, dot, scope, at)?.truthy() {
                        return self.pieces(body, source, dot, scope, out);
                    }
                }
                self.pieces(otherwise, source, dot, scope, out)?;
            }
            Piece::With { name, pipe, body, otherwise, at } => {
                self.step(at, out)?;
                let value = self.pipe(pipe, dot, scope, at)?;
                if value.truthy() {
                    let outer = scope.variables.len();
                    scope.variables.extend(name.iter().map(|name| (name.clone(), value.clone())));
                    self.pieces(body, source, &value, scope, out)?;
                    scope.variables.truncate(outer);
                } else {
                    self.pieces(otherwise, source, dot, scope, out)?;
                }
            }
            Piece::Range { names, pipe, body, otherwise, at } => self.range((names, pipe, body, otherwise, at), source, dot, scope, out)?,
            Piece::Template { name, pipe, at } => {
                self.step(at, out)?;
                let value = match pipe {
                    Some(pipe) => self.pipe(pipe, dot, scope, at)?,
                    None => Val::Nil,
                };
                let text = self.include(name, &value, at)?;
                out.push(&text, at, false);
            }
        }
        Ok(())
    }

    #[allow(clippy::type_complexity, reason = "the parts of one block, taken apart by the caller")]
    fn range(
        &mut self,
        (names, pipe, body, otherwise, at): (&[String], &Pipe, &[Piece], &[Piece], &Range<usize>),
        source: &Rc<str>,
        dot: &Val,
        scope: &mut Scope,
        out: &mut Rendered,
    ) -> Result<(), TemplateError> {
        let value = self.pipe(pipe, dot, scope, at)?;
        let entries: Vec<(Val, Val)> = match &value {
            Val::List(items) => items.iter().enumerate().map(|(index, item)| (Val::Int(index as i64), item.clone())).collect(),
            Val::Map(map) => map.iter().map(|(key, value)| (Val::str(key), value.clone())).collect(),
            Val::Int(count) => (0..*count).take(MAX_STEPS).map(|index| (Val::Int(index), Val::Int(index))).collect(),
            _ => Vec::new(),
        };
        if entries.is_empty() {
            return self.pieces(otherwise, source, dot, scope, out);
        }
        for (key, value) in entries {
            self.step(at, out)?;
            let outer = scope.variables.len();
            match names {
                [item] => scope.variables.push((item.clone(), value.clone())),
                [index, item, ..] => {
                    scope.variables.push((index.clone(), key));
                    scope.variables.push((item.clone(), value.clone()));
                }
                [] => {}
            }
            self.pieces(body, source, &value, scope, out)?;
            scope.variables.truncate(outer);
        }
        Ok(())
    }

    fn pipe(&mut self, pipe: &Pipe, dot: &Val, scope: &Scope, at: &Range<usize>) -> Result<Val, TemplateError> {
        let mut before = None;
        for command in &pipe.0 {
            before = Some(self.command(command, before, dot, scope, at)?);
        }
        Ok(before.unwrap_or(Val::Nil))
    }

    fn command(
        &mut self,
        command: &Command,
        before: Option<Val>,
        dot: &Val,
        scope: &Scope,
        at: &Range<usize>,
    ) -> Result<Val, TemplateError> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(error("the template does not come to an end".to_owned(), at));
        }
        let Operand::Function(name) = &command.head else {
            let mut arguments = Vec::new();
            for argument in &command.arguments {
                arguments.push(self.operand(argument, dot, scope, at)?);
            }
            arguments.extend(before);
            if arguments.is_empty() {
                return self.operand(&command.head, dot, scope, at);
            }
            return Ok(method(&command.head, &arguments));
        };
        // `and`, `or` and `default`'s like do not need what they do not reach; `and` and `or` must not even evaluate it.
        if name == "and" || name == "or" {
            let mut last = Val::Nil;
            for argument in &command.arguments {
                last = self.operand(argument, dot, scope, at)?;
                if last.truthy() == (name == "or") {
                    return Ok(last);
                }
            }
            return Ok(before.unwrap_or(last));
        }
        let mut arguments = Vec::with_capacity(command.arguments.len() + 1);
        for argument in &command.arguments {
            arguments.push(self.operand(argument, dot, scope, at)?);
        }
        arguments.extend(before);
        self.call(name, arguments, at)
    }

    fn call(&mut self, name: &str, arguments: Vec<Val>, at: &Range<usize>) -> Result<Val, TemplateError> {
        match (name, arguments.as_slice()) {
            ("include", [name, rest @ ..]) => {
                let dot = rest.first().cloned().unwrap_or(Val::Nil);
                self.include(&name.display(), &dot, at).map(Val::str)
            }
            ("tpl", [text, rest @ ..]) => {
                let dot = rest.first().cloned().unwrap_or(Val::Nil);
                self.text(&text.display(), &dot, at).map(Val::str)
            }
            _ => {
                let given = arguments.iter().map(|argument| argument.weight(MAX_VALUE)).sum::<usize>();
                if given >= MAX_VALUE {
                    return Err(error(format!("`{name}` is given more values than are sensible"), at));
                }
                self.steps += given / WEIGHT_PER_STEP + if name.contains("egex") { STEPS_PER_PATTERN } else { 0 };
                let value = functions::call(name, &arguments).map_err(|message| error(message, at))?;
                self.hold(&value, name, at)?;
                Ok(value)
            }
        }
    }

    fn operand(&mut self, operand: &Operand, dot: &Val, scope: &Scope, at: &Range<usize>) -> Result<Val, TemplateError> {
        Ok(match operand {
            Operand::Literal(value) => value.clone(),
            Operand::Function(name) => self.call(name, Vec::new(), at)?,
            Operand::Dot(fields) => follow(dot, fields),
            Operand::Variable(name, fields) => {
                let value = scope.get(name).ok_or_else(|| error(format!("there is no variable `${name}`"), at))?;
                follow(value, fields)
            }
            Operand::Group(pipe, fields) => follow(&self.pipe(pipe, dot, scope, at)?, fields),
        })
    }
}

fn follow(value: &Val, fields: &[String]) -> Val {
    let mut current = value.clone();
    for field in fields {
        current = current.get(field);
    }
    current
}

/// Methods of the built-in objects: whether the cluster has an API, and files of the chart, which are not at hand.
fn method(head: &Operand, _arguments: &[Val]) -> Val {
    let last = match head {
        Operand::Dot(fields) | Operand::Variable(_, fields) | Operand::Group(_, fields) => fields.last().map(String::as_str),
        Operand::Literal(_) | Operand::Function(_) => None,
    };
    match last {
        Some("Has") => Val::Bool(true),
        Some("Get" | "AsConfig" | "AsSecrets") => Val::str(""),
        Some("Glob") => Val::Map(Rc::new(BTreeMap::new())),
        _ => Val::Nil,
    }
}

fn error(message: String, at: &Range<usize>) -> TemplateError {
    TemplateError { message, at: at.clone() }
}
