//! Go templates: text to a tree. Every node knows the bytes it was read from.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use super::value::Val;

/// Deepest nesting of blocks and parentheses.
const MAX_DEPTH: usize = 64;

/// What could not be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TemplateError {
    pub(super) message: String,
    pub(super) at: Range<usize>,
}

/// A piece of a template.
#[derive(Debug)]
pub(super) enum Piece {
    Text(Range<usize>),
    Output {
        pipe: Pipe,
        at: Range<usize>,
    },
    /// `$name := pipe` or `$name = pipe`.
    Assign {
        name: String,
        declare: bool,
        pipe: Pipe,
        at: Range<usize>,
    },
    If {
        branches: Vec<(Pipe, Vec<Piece>)>,
        otherwise: Vec<Piece>,
        at: Range<usize>,
    },
    With {
        name: Option<String>,
        pipe: Pipe,
        body: Vec<Piece>,
        otherwise: Vec<Piece>,
        at: Range<usize>,
    },
    Range {
        names: Vec<String>,
        pipe: Pipe,
        body: Vec<Piece>,
        otherwise: Vec<Piece>,
        at: Range<usize>,
    },
    Template {
        name: String,
        pipe: Option<Pipe>,
        at: Range<usize>,
    },
}

/// Commands whose results are handed on.
#[derive(Debug)]
pub(super) struct Pipe(pub(super) Vec<Command>);

/// A function or value with arguments.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) head: Operand,
    pub(super) arguments: Vec<Operand>,
}

/// One operand.
#[derive(Debug)]
pub(super) enum Operand {
    Literal(Val),
    /// A function's name.
    Function(String),
    /// `.`, with the fields behind it.
    Dot(Vec<String>),
    /// `$name`, with the fields behind it; the name of the root is empty.
    Variable(String, Vec<String>),
    /// `( … )`, with the fields behind it.
    Group(Pipe, Vec<String>),
}

/// One file.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) source: Rc<str>,
    pub(super) body: Vec<Piece>,
}

/// Named templates of all files.
pub(super) type Named = BTreeMap<String, Rc<Template>>;

/// Reads a file; what it defines goes to `named`.
pub(super) fn parse(source: &Rc<str>, named: &mut Named) -> Result<Rc<Template>, TemplateError> {
    let mut parser = Parser { source, segments: split(source)?, next: 0, named, depth: 0 };
    let (body, end) = parser.block()?;
    match end {
        None => Ok(Rc::new(Template { source: Rc::clone(source), body })),
        Some((word, at)) => Err(TemplateError { message: format!("`{word}` closes nothing"), at }),
    }
}

/// Text, or the inside of `{{ … }}`.
#[derive(Clone, Debug)]
enum Segment {
    Text(Range<usize>),
    Action { inner: Range<usize>, at: Range<usize> },
}

fn split(source: &str) -> Result<Vec<Segment>, TemplateError> {
    let mut out = Vec::new();
    let mut position = 0;
    let mut trim_next = false;
    loop {
        let rest = source.get(position..).unwrap_or("");
        let open = rest.find("{{");
        let mut text = position..open.map_or(source.len(), |at| position + at);
        if trim_next {
            let covered = source.get(text.clone()).unwrap_or("");
            text.start += covered.len() - covered.trim_start().len();
        }
        let Some(open) = open.map(|at| position + at) else {
            out.push(Segment::Text(text));
            return Ok(out);
        };
        let mut inner = open + 2;
        let follows = |at: usize, what: &str| source.get(at..).is_some_and(|rest| rest.starts_with(what));
        let trims_before =
            follows(inner, "-") && source.get(inner + 1..).and_then(|rest| rest.chars().next()).is_some_and(char::is_whitespace);
        if trims_before {
            inner += 1;
            let covered = source.get(text.clone()).unwrap_or("");
            text.end = text.start + covered.trim_end().len();
        }
        let error = |message: &str| TemplateError { message: message.to_owned(), at: open..(open + 2) };
        let close = close_of(source, inner).ok_or_else(|| error("`{{` is never closed"))?;
        let inside = source.get(inner..close).unwrap_or("");
        trim_next = inside.ends_with('-')
            && inside.len() > 1
            && inside.get(..inside.len() - 1).is_some_and(|before| before.ends_with(char::is_whitespace));
        // `{{- /* … */ -}}` has its mark right behind the comment.
        trim_next |= inside.trim_end_matches('-').trim_end().ends_with("*/") && inside.ends_with('-');
        let end = if trim_next { close - 1 } else { close };
        out.push(Segment::Text(text));
        out.push(Segment::Action { inner: inner..end.max(inner), at: open..close + 2 });
        position = close + 2;
    }
}

/// Where the action that starts here ends; strings and comments may hold braces.
fn close_of(source: &str, start: usize) -> Option<usize> {
    let trimmed = source.get(start..)?.trim_start();
    if trimmed.starts_with("/*") {
        let comment_end = start + source.get(start..)?.find("*/")? + 2;
        return Some(comment_end + source.get(comment_end..)?.find("}}")?);
    }
    let mut characters = source.get(start..)?.char_indices();
    let mut quote = None;
    while let Some((offset, character)) = characters.next() {
        match (quote, character) {
            (Some('"'), '\\') => {
                characters.next();
            }
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '`') => quote = Some(character),
            (None, '}') if source.get(start + offset..).is_some_and(|rest| rest.starts_with("}}")) => return Some(start + offset),
            (None, _) => {}
        }
    }
    None
}

struct Parser<'a> {
    source: &'a Rc<str>,
    segments: Vec<Segment>,
    next: usize,
    named: &'a mut Named,
    depth: usize,
}

/// The word that ended a block (`end`, `else`, …) and where.
type End = Option<(String, Range<usize>)>;

impl Parser<'_> {
    fn block(&mut self) -> Result<(Vec<Piece>, End), TemplateError> {
        self.depth += 1;
        let mut out = Vec::new();
        while let Some(segment) = self.segments.get(self.next).cloned() {
            self.next += 1;
            let (inner, at) = match segment {
                Segment::Text(range) => {
                    if !range.is_empty() {
                        out.push(Piece::Text(range));
                    }
                    continue;
                }
                Segment::Action { inner, at } => (inner, at),
            };
            if self.depth > MAX_DEPTH {
                return Err(TemplateError { message: "blocks are nested too deeply".to_owned(), at });
            }
            let text = self.source.get(inner).unwrap_or("").trim().to_owned();
            if text.is_empty() || text.starts_with("/*") {
                continue;
            }
            let (word, rest) = text
                .split_once(|character: char| character.is_whitespace() || character == '(')
                .map_or((text.as_str(), ""), |(word, _)| (word, text.get(word.len()..).unwrap_or("").trim()));
            match word {
                "end" | "else" => {
                    self.depth -= 1;
                    return Ok((out, Some((text, at))));
                }
                "if" => out.push(self.condition(rest, at)?),
                "with" | "range" => out.push(self.scoped(word == "range", rest, at)?),
                "define" | "block" => self.define(word == "block", rest, at, &mut out)?,
                "template" => {
                    let mut tokens = Tokens::new(rest, &at)?;
                    let name = tokens.string().ok_or_else(|| error("`template` needs a name", &at))?;
                    let pipe = if tokens.is_done() { None } else { Some(tokens.pipe()?) };
                    out.push(Piece::Template { name, pipe, at });
                }
                "break" | "continue" => return Err(error("`break` and `continue` are not supported", &at)),
                _ => out.push(action(&text, at)?),
            }
        }
        self.depth -= 1;
        Ok((out, None))
    }

    fn condition(&mut self, head: &str, at: Range<usize>) -> Result<Piece, TemplateError> {
        let mut branches = Vec::new();
        let mut head = head.to_owned();
        loop {
            let pipe = Tokens::new(&head, &at)?.whole()?;
            let (body, end) = self.block()?;
            branches.push((pipe, body));
            let Some((word, _)) = end else { return Err(error("`if` is never ended", &at)) };
            match word.strip_prefix("else").map(str::trim) {
                None => return Ok(Piece::If { branches, otherwise: Vec::new(), at }),
                Some("") => {
                    let (otherwise, _) = self.block()?;
                    return Ok(Piece::If { branches, otherwise, at });
                }
                Some(rest) => match rest.strip_prefix("if") {
                    Some(next) => head = next.trim().to_owned(),
                    None => return Err(error("`else` is followed by something other than `if`", &at)),
                },
            }
        }
    }

    fn scoped(&mut self, range: bool, head: &str, at: Range<usize>) -> Result<Piece, TemplateError> {
        let mut names = Vec::new();
        let mut rest = head;
        if let Some((before, after)) = head.split_once(":=") {
            let variables: Vec<&str> = before.split(',').map(str::trim).collect();
            if variables.iter().all(|name| name.starts_with('$') && name.len() > 1) {
                names = variables.iter().map(|name| name.trim_start_matches('$').to_owned()).collect();
                rest = after.trim();
            }
        }
        let pipe = Tokens::new(rest, &at)?.whole()?;
        let (body, end) = self.block()?;
        let otherwise = match end {
            Some((word, _)) if word.starts_with("else") => self.block()?.0,
            Some(_) => Vec::new(),
            None => return Err(error("the block is never ended", &at)),
        };
        Ok(if range {
            Piece::Range { names, pipe, body, otherwise, at }
        } else {
            Piece::With { name: names.into_iter().next(), pipe, body, otherwise, at }
        })
    }

    fn define(&mut self, inline: bool, head: &str, at: Range<usize>, out: &mut Vec<Piece>) -> Result<(), TemplateError> {
        let mut tokens = Tokens::new(head, &at)?;
        let name = tokens.string().ok_or_else(|| error("`define` needs a name", &at))?;
        let pipe = if inline { Some(tokens.pipe()?) } else { None };
        let (body, _) = self.block()?;
        self.named.insert(name.clone(), Rc::new(Template { source: Rc::clone(self.source), body }));
        if inline {
            out.push(Piece::Template { name, pipe, at });
        }
        Ok(())
    }
}

fn error(message: &str, at: &Range<usize>) -> TemplateError {
    TemplateError { message: message.to_owned(), at: at.clone() }
}

/// An assignment or an output.
fn action(text: &str, at: Range<usize>) -> Result<Piece, TemplateError> {
    let name_end =
        text.find(|character: char| !(character.is_ascii_alphanumeric() || character == '_' || character == '$')).unwrap_or(text.len());
    let (name, rest) = text.split_at(name_end);
    if let Some(name) = name.strip_prefix('$').filter(|name| !name.is_empty()) {
        let rest = rest.trim_start();
        let value = rest.strip_prefix(":=").map(|value| (true, value)).or_else(|| rest.strip_prefix('=').map(|value| (false, value)));
        if let Some((declare, value)) = value {
            let pipe = Tokens::new(value, &at)?.whole()?;
            return Ok(Piece::Assign { name: name.to_owned(), declare, pipe, at });
        }
    }
    let pipe = Tokens::new(text, &at)?.whole()?;
    Ok(Piece::Output { pipe, at })
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Literal(Val),
    Name(String),
    /// `$name` with the fields right behind it.
    Variable(String, Vec<String>),
    /// Fields that start at the dot: `.` alone has none.
    Dot(Vec<String>),
    Open,
    /// `)` with the fields right behind it.
    Close(Vec<String>),
    Pipe,
}

struct Tokens {
    tokens: Vec<Token>,
    next: usize,
    at: Range<usize>,
    depth: usize,
}

impl Tokens {
    fn new(text: &str, at: &Range<usize>) -> Result<Self, TemplateError> {
        let mut tokens = Vec::new();
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let (token, length) = match first {
                '"' => quoted(rest).ok_or_else(|| error("a string is not closed", at))?,
                '`' => {
                    let end = rest.get(1..).and_then(|inner| inner.find('`')).ok_or_else(|| error("a string is not closed", at))?;
                    (Token::Literal(Val::str(rest.get(1..1 + end).unwrap_or(""))), end + 2)
                }
                '(' => (Token::Open, 1),
                '|' => (Token::Pipe, 1),
                ')' | '.' => {
                    let prefix = usize::from(first == ')');
                    let (fields, length) = fields(rest.get(prefix..).unwrap_or(""));
                    (if prefix == 1 { Token::Close(fields) } else { Token::Dot(fields) }, (prefix + length).max(1))
                }
                '$' => {
                    let name = 1 + word(rest.get(1..).unwrap_or(""));
                    let (fields, length) = fields(rest.get(name..).unwrap_or(""));
                    (Token::Variable(rest.get(1..name).unwrap_or("").to_owned(), fields), name + length)
                }
                '\'' => {
                    let mut characters = rest.chars().skip(1);
                    let character = characters.next().unwrap_or(' ');
                    (Token::Literal(Val::Int(i64::from(u32::from(character)))), 2 + character.len_utf8())
                }
                _ if first.is_ascii_digit() || first == '-' => number(rest).ok_or_else(|| error("a number cannot be read", at))?,
                _ if first.is_alphabetic() || first == '_' => {
                    let length = word(rest);
                    let name = rest.get(..length).unwrap_or("");
                    let token = match name {
                        "true" => Token::Literal(Val::Bool(true)),
                        "false" => Token::Literal(Val::Bool(false)),
                        "nil" => Token::Literal(Val::Nil),
                        _ => Token::Name(name.to_owned()),
                    };
                    (token, length)
                }
                _ => return Err(error(&format!("`{first}` is not expected"), at)),
            };
            tokens.push(token);
            rest = rest.get(length..).unwrap_or("").trim_start();
        }
        Ok(Self { tokens, next: 0, at: at.clone(), depth: 0 })
    }

    fn is_done(&self) -> bool {
        self.next >= self.tokens.len()
    }

    fn string(&mut self) -> Option<String> {
        match self.tokens.get(self.next) {
            Some(Token::Literal(Val::Str(text))) => {
                self.next += 1;
                Some(text.to_string())
            }
            _ => None,
        }
    }

    fn whole(mut self) -> Result<Pipe, TemplateError> {
        let pipe = self.pipe()?;
        if self.is_done() { Ok(pipe) } else { Err(error("a parenthesis is closed that was not opened", &self.at)) }
    }

    fn pipe(&mut self) -> Result<Pipe, TemplateError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(error("parentheses are nested too deeply", &self.at));
        }
        let mut commands = Vec::new();
        loop {
            let mut operands = Vec::new();
            while let Some(operand) = self.operand()? {
                operands.push(operand);
            }
            if operands.is_empty() {
                return Err(error("a value is missing", &self.at));
            }
            let head = operands.remove(0);
            commands.push(Command { head, arguments: operands });
            if self.tokens.get(self.next) == Some(&Token::Pipe) {
                self.next += 1;
            } else {
                self.depth -= 1;
                return Ok(Pipe(commands));
            }
        }
    }

    /// The next operand; `None` before `|`, `)` and the end.
    fn operand(&mut self) -> Result<Option<Operand>, TemplateError> {
        let Some(token) = self.tokens.get(self.next).cloned() else { return Ok(None) };
        if matches!(token, Token::Pipe | Token::Close(_)) {
            return Ok(None);
        }
        self.next += 1;
        Ok(Some(match token {
            Token::Literal(value) => Operand::Literal(value),
            Token::Name(name) => Operand::Function(name),
            Token::Dot(fields) => Operand::Dot(fields),
            Token::Variable(name, fields) => Operand::Variable(name, fields),
            Token::Open => {
                let pipe = self.pipe()?;
                match self.tokens.get(self.next).cloned() {
                    Some(Token::Close(fields)) => {
                        self.next += 1;
                        Operand::Group(pipe, fields)
                    }
                    _ => return Err(error("a parenthesis is not closed", &self.at)),
                }
            }
            Token::Pipe | Token::Close(_) => return Ok(None),
        }))
    }
}

fn word(text: &str) -> usize {
    text.find(|character: char| !(character.is_alphanumeric() || character == '_')).unwrap_or(text.len())
}

/// `.a.b`: the names and how many bytes they take.
fn fields(text: &str) -> (Vec<String>, usize) {
    let mut out = Vec::new();
    let mut length = 0;
    while let Some(rest) = text.get(length..).and_then(|rest| rest.strip_prefix('.')) {
        let name = word(rest);
        if name == 0 {
            break;
        }
        out.push(rest.get(..name).unwrap_or("").to_owned());
        length += 1 + name;
    }
    (out, length)
}

fn quoted(text: &str) -> Option<(Token, usize)> {
    let mut out = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((offset, character)) = characters.next() {
        match character {
            '"' => return Some((Token::Literal(Val::str(out)), offset + 1)),
            '\\' => match characters.next()?.1 {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                other => out.push(other),
            },
            other => out.push(other),
        }
    }
    None
}

fn number(text: &str) -> Option<(Token, usize)> {
    let end =
        text.get(1..)?.find(|character: char| !(character.is_ascii_alphanumeric() || character == '.')).map_or(text.len(), |at| at + 1);
    let digits = text.get(..end)?;
    let value = digits.parse().map(Val::Int).ok().or_else(|| digits.parse().ok().map(Val::Float))?;
    Some((Token::Literal(value), end))
}
