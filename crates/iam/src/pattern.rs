//! Patterns over text with references: compiled once, matched in three values.
//!
//! A pattern and what it is matched against are both rows of [`Token`]s.
//! *Yes* means that it matches whatever the unknown parts turn out to be, *no* that it matches in no case.

use std::borrow::Cow;

use crate::context::{Context, ContextValue};
use crate::symbol::Symbol;
use crate::text::Part;
use crate::{PolicyText, Truth};

/// Larger tables are not filled: an ARN has at most 2,048 characters, so only hostile input is that long.
const MAX_CELLS: usize = 16_000_000;

/// One step of a pattern, or of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// This character.
    Char(char),
    /// `?`: one character.
    One,
    /// `*`: any run of characters.
    Run,
    /// `?` within one segment of an ARN: not a colon.
    OneInSegment,
    /// `*` within one segment of an ARN: no colon.
    RunInSegment,
    /// A reference, by index into [`Pattern::symbols`]: not empty.
    Symbol(u32),
    /// A policy variable, by index into [`Pattern::variables`].
    Variable(u32),
    /// Any text, also none.
    Unknown,
    /// Any text without a colon, also none.
    UnknownInSegment,
}

/// A policy variable: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    /// The condition key.
    pub(crate) key: String,
    /// What it stands for where the request has no such key.
    pub(crate) default: Option<String>,
}

/// How text is read as a pattern.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Syntax {
    /// `*` and `?` are wildcards.
    pub(crate) wildcards: bool,
    /// `${…}` is a policy variable; `${*}`, `${?}` and `${$}` are the plain characters.
    pub(crate) variables: bool,
    /// Case is folded (ASCII).
    pub(crate) fold_case: bool,
}

/// A compiled pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) tokens: Vec<Token>,
    pub(crate) symbols: Vec<Symbol>,
    pub(crate) variables: Vec<Variable>,
}

impl Pattern {
    /// Plain text without any wildcard, as the right-hand side of a match.
    pub(crate) fn subject(text: &PolicyText, fold_case: bool) -> Self {
        Self::compile(text, Syntax { fold_case, ..Syntax::default() })
    }

    pub(crate) fn compile(text: &PolicyText, syntax: Syntax) -> Self {
        let mut out = Self::default();
        for part in text.parts() {
            match part {
                Part::Literal(text) => out.push_literal(text, syntax),
                // The plan wrote the value into the document, so it is as if it had been typed there.
                Part::Reference { value: Some(value), .. } => out.push_literal(value, syntax),
                Part::Reference { address, attribute, value: None } => {
                    out.tokens.push(Token::Symbol(index(out.symbols.len())));
                    out.symbols.push(Symbol::new(address, attribute));
                }
                Part::Unknown(_) => out.tokens.push(Token::Unknown),
            }
        }
        out
    }

    fn push_literal(&mut self, text: &str, syntax: Syntax) {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if syntax.variables
                && c == '$'
                && let Some((inside, after)) = rest.strip_prefix("${").and_then(|tail| tail.split_once('}'))
            {
                self.push_variable(inside);
                rest = after;
                continue;
            }
            self.tokens.push(match c {
                '*' if syntax.wildcards => Token::Run,
                '?' if syntax.wildcards => Token::One,
                other if syntax.fold_case => Token::Char(other.to_ascii_lowercase()),
                other => Token::Char(other),
            });
            rest = rest.get(c.len_utf8()..).unwrap_or("");
        }
    }

    fn push_variable(&mut self, inside: &str) {
        if let "*" | "?" | "$" = inside {
            self.tokens.extend(inside.chars().map(Token::Char));
            return;
        }
        let (key, default) = match inside.split_once(',') {
            Some((key, default)) => (key, Some(default.trim().trim_matches('\'').to_owned())),
            None => (inside, None),
        };
        self.tokens.push(Token::Variable(index(self.variables.len())));
        self.variables.push(Variable { key: key.trim().to_owned(), default });
    }

    /// Puts the values of the context in place of the variables; `None` when one has no value, so that nothing can match.
    ///
    /// A value is taken literally: its `*` is no wildcard (IAM User Guide, policy variables).
    pub(crate) fn resolve(&self, context: &Context) -> Option<Cow<'_, Self>> {
        if self.variables.is_empty() {
            return Some(Cow::Borrowed(self));
        }
        let mut out = Self { tokens: Vec::new(), symbols: self.symbols.clone(), variables: Vec::new() };
        for token in &self.tokens {
            let Token::Variable(at) = token else {
                out.tokens.push(*token);
                continue;
            };
            let variable = self.variables.get(*at as usize)?;
            match context.get(&variable.key) {
                ContextValue::Single(text) => out.append(Self::subject(text, false)),
                ContextValue::Unknown => out.tokens.push(Token::Unknown),
                // A key with several values cannot stand for one text (IAM User Guide, policy variables: single-valued keys only).
                ContextValue::Absent | ContextValue::Multiple(_) => {
                    out.tokens.extend(variable.default.as_ref()?.chars().map(Token::Char));
                }
            }
        }
        Some(Cow::Owned(out))
    }

    /// Keeps the wildcards of the first five segments of an ARN from crossing a colon.
    pub(crate) fn in_segments(mut self) -> Self {
        // A text that starts with a reference or the unknown starts with a whole ARN, as far as plans go.
        let opaque_start = matches!(self.tokens.first(), Some(Token::Symbol(_) | Token::Unknown | Token::Variable(_)));
        let mut segment = if opaque_start { 5 } else { 0 };
        for token in &mut self.tokens {
            match token {
                Token::Char(':') => segment += 1,
                Token::Run if segment < 5 => *token = Token::RunInSegment,
                Token::One if segment < 5 => *token = Token::OneInSegment,
                _ => {}
            }
        }
        self
    }

    /// The same in lower case (ASCII).
    pub(crate) fn folded(mut self) -> Self {
        for token in &mut self.tokens {
            if let Token::Char(c) = token {
                *c = c.to_ascii_lowercase();
            }
        }
        self
    }

    /// The pattern as a text of which only that much is known: every wildcard stands for some text.
    pub(crate) fn as_any(&self) -> Self {
        let mut out = self.clone();
        for token in &mut out.tokens {
            match token {
                Token::Run | Token::One => *token = Token::Unknown,
                Token::RunInSegment | Token::OneInSegment => *token = Token::UnknownInSegment,
                _ => {}
            }
        }
        out
    }

    /// Whether some text is matched by both.
    pub(crate) fn overlaps(&self, other: &Self) -> Truth {
        let certain = |token: &Token| matches!(token, Token::Char(_) | Token::Run | Token::RunInSegment);
        match self.matches(&other.as_any()) {
            Truth::No => Truth::No,
            _ if self.tokens.iter().chain(&other.tokens).all(certain) => Truth::Yes,
            Truth::Yes | Truth::Maybe => Truth::Maybe,
        }
    }

    fn append(&mut self, other: Self) {
        let shift = index(self.symbols.len());
        self.tokens.extend(other.tokens.into_iter().map(|token| match token {
            Token::Symbol(at) => Token::Symbol(at + shift),
            plain => plain,
        }));
        self.symbols.extend(other.symbols);
    }

    fn symbol(&self, at: u32) -> Option<&Symbol> {
        self.symbols.get(at as usize)
    }

    /// Whether this pattern matches the whole of `subject`, in which `*` stands for any text.
    pub(crate) fn matches(&self, subject: &Self) -> Truth {
        if self.tokens.len().saturating_mul(subject.tokens.len()) > MAX_CELLS {
            return Truth::Maybe;
        }
        let width = subject.tokens.len() + 1;
        // Row of answers for the rest of the pattern after token `i`, against the rest of the subject from each place.
        let mut below = vec![Truth::No; width];
        let mut can_be_empty = Truth::Yes;
        for (at, place) in below.iter_mut().enumerate().rev() {
            if let Some(token) = subject.tokens.get(at) {
                can_be_empty = can_be_empty.and(emptiness(*token));
            }
            *place = can_be_empty;
        }
        let mut row = vec![Truth::No; width];
        for token in self.tokens.iter().rev() {
            let (mut right, mut below_right) = (Truth::No, Truth::No);
            for (at, (place, under)) in row.iter_mut().zip(&below).enumerate().rev() {
                let cell = Cell { under: *under, right, diagonal: below_right };
                *place = self.step(*token, subject.tokens.get(at).copied(), subject, cell);
                (right, below_right) = (*place, *under);
            }
            std::mem::swap(&mut row, &mut below);
        }
        below.first().copied().unwrap_or(Truth::No)
    }

    /// The answer for one token of the pattern against one of the subject, from the answers of the neighbours.
    fn step(&self, token: Token, against: Option<Token>, subject: &Self, cell: Cell) -> Truth {
        let Some(against) = against else {
            return emptiness(token).and(cell.under);
        };
        match token {
            Token::Run => cell.under.or(cell.right),
            Token::RunInSegment => {
                let consumed = match against {
                    Token::Char(c) => Truth::from(c != ':'),
                    Token::Symbol(at) => match subject.symbol(at) {
                        Some(symbol) if symbol.is_arn() => Truth::No,
                        Some(symbol) if !symbol.may_hold_colons() => Truth::Yes,
                        _ => Truth::Maybe,
                    },
                    Token::UnknownInSegment => Truth::Yes,
                    _ => Truth::Maybe,
                };
                cell.under.or(cell.right.and(consumed))
            }
            Token::Unknown | Token::UnknownInSegment | Token::Variable(_) => Truth::Maybe.and(cell.under.or(cell.right).or(cell.diagonal)),
            Token::One | Token::OneInSegment | Token::Char(_) => {
                let admits = |c: char| match token {
                    Token::Char(own) => own == c,
                    Token::OneInSegment => c != ':',
                    _ => true,
                };
                match against {
                    Token::Char(c) => Truth::from(admits(c)).and(cell.diagonal),
                    Token::Symbol(at) => {
                        let possible = match (token, subject.symbol(at)) {
                            (Token::Char(own), Some(symbol)) => symbol.admits(own),
                            _ => true,
                        };
                        if possible { Truth::Maybe.and(cell.diagonal.or(cell.under)) } else { Truth::No }
                    }
                    Token::UnknownInSegment if token == Token::Char(':') => Truth::Maybe.and(cell.right),
                    _ => Truth::Maybe.and(cell.diagonal.or(cell.under).or(cell.right)),
                }
            }
            Token::Symbol(own) => match against {
                Token::Symbol(at) => match (self.symbol(own), subject.symbol(at)) {
                    (Some(own), Some(other)) => match own.equals(other) {
                        Truth::Yes => cell.diagonal,
                        Truth::No => Truth::No,
                        Truth::Maybe => Truth::Maybe.and(cell.diagonal.or(cell.under).or(cell.right)),
                    },
                    _ => Truth::Maybe,
                },
                Token::Char(c) if self.symbol(own).is_some_and(|symbol| !symbol.admits(c)) => Truth::No,
                Token::Char(_) => Truth::Maybe.and(cell.diagonal.or(cell.right)),
                _ => Truth::Maybe.and(cell.diagonal.or(cell.under).or(cell.right)),
            },
        }
    }
}

/// Answers of the neighbours: the pattern one token further (`under`), the subject one further (`right`), both (`diagonal`).
#[derive(Clone, Copy)]
struct Cell {
    under: Truth,
    right: Truth,
    diagonal: Truth,
}

/// Whether a token can stand for no text at all.
fn emptiness(token: Token) -> Truth {
    match token {
        Token::Run | Token::RunInSegment => Truth::Yes,
        Token::Unknown | Token::UnknownInSegment | Token::Variable(_) => Truth::Maybe,
        Token::Char(_) | Token::One | Token::OneInSegment | Token::Symbol(_) => Truth::No,
    }
}

fn index(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::{Pattern, Syntax, Token};
    use crate::context::Context;
    use crate::text::Part;
    use crate::{PolicyText, Truth};

    const GLOB: Syntax = Syntax { wildcards: true, variables: true, fold_case: false };

    fn text(parts: &[&str]) -> PolicyText {
        let mut out = PolicyText::default();
        for part in parts {
            match part.strip_prefix('@') {
                Some("?") => out.push(Part::Unknown("test".to_owned())),
                Some(reference) => {
                    let (address, attribute) = reference.rsplit_once('.').unwrap();
                    out.append(PolicyText::reference(address, attribute, None));
                }
                None => out.push(Part::Literal((*part).to_owned())),
            }
        }
        out
    }

    fn matched(pattern: &[&str], subject: &[&str]) -> Truth {
        Pattern::compile(&text(pattern), GLOB).matches(&Pattern::subject(&text(subject), false))
    }

    #[test]
    fn the_same_reference_matches_itself_for_certain() {
        assert_eq!(matched(&["@aws_s3_bucket.a.arn", "/*"], &["@aws_s3_bucket.a.arn", "/key"]), Truth::Yes);
        assert_eq!(matched(&["@aws_s3_bucket.a.arn", "/*"], &["@aws_s3_bucket.b.arn", "/key"]), Truth::No);
        assert_eq!(matched(&["@aws_s3_bucket.a.arn"], &["@aws_s3_bucket.a.arn", "/key"]), Truth::No);
    }

    #[test]
    fn wildcards_swallow_references() {
        assert_eq!(matched(&["*"], &["@aws_s3_bucket.a.arn", "/key"]), Truth::Yes);
        assert_eq!(matched(&["arn:aws:s3:::*"], &["arn:aws:s3:::", "@aws_s3_bucket.a.bucket", "/k"]), Truth::Yes);
        assert_eq!(matched(&["*/k"], &["@?", "/k"]), Truth::Yes);
    }

    #[test]
    fn a_reference_against_a_literal_depends() {
        assert_eq!(matched(&["arn:aws:s3:::logs"], &["arn:aws:s3:::", "@aws_s3_bucket.a.bucket"]), Truth::Maybe);
        assert_eq!(matched(&["arn:aws:s3:::", "@aws_s3_bucket.a.bucket"], &["arn:aws:s3:::logs"]), Truth::Maybe);
        assert_eq!(matched(&["arn:aws:sqs:", "@x.account_id"], &["arn:aws:sqs:eu"]), Truth::No);
        assert_eq!(matched(&["a", "@?", "z"], &["bz"]), Truth::No);
        assert_eq!(matched(&["a", "@?"], &["a"]), Truth::Maybe);
    }

    #[test]
    fn variables_take_values_literally() {
        let pattern = Pattern::compile(&"home/${aws:username}/*".into(), GLOB);
        let subject = Pattern::subject(&"home/anna/x".into(), false);
        let with = |value: &str| pattern.resolve(&Context::complete().with("aws:username", value)).unwrap().matches(&subject);
        assert_eq!(with("anna"), Truth::Yes);
        assert_eq!(with("*"), Truth::No);
        assert!(pattern.resolve(&Context::complete()).is_none());
        assert_eq!(pattern.resolve(&Context::open()).unwrap().matches(&subject), Truth::Maybe);
        assert_eq!(Pattern::compile(&"${*}".into(), GLOB).tokens, [Token::Char('*')]);
    }

    proptest! {
        #[test]
        fn agrees_with_plain_globs(pattern in "[ab*?]{0,8}", subject in "[ab]{0,9}") {
            let expected = Truth::from(crate::glob::matches(&pattern, &subject));
            assert_eq!(matched(&[&pattern], &[&subject]), expected);
        }

        /// Whatever the unknown part turns out to be, the answer must allow for it.
        #[test]
        fn yes_and_no_hold_for_every_value_of_the_unknown(
            pattern in "[ab*?]{0,6}", before in "[ab]{0,3}", value in "[ab]{0,4}", after in "[ab]{0,3}",
        ) {
            let open = matched(&[&pattern], &[&before, "@?", &after]);
            let closed = matched(&[&pattern], &[&format!("{before}{value}{after}")]);
            assert!(open == Truth::Maybe || open == closed, "{pattern}: {open:?} but {closed:?} for {before}{value}{after}");
            let open = matched(&[&before, "@?", &after], &[&pattern.replace(['*', '?'], "c")]);
            let closed = matched(&[&format!("{before}{value}{after}")], &[&pattern.replace(['*', '?'], "c")]);
            assert!(open == Truth::Maybe || open == closed);
        }
    }
}
