//! One value of a condition against one value of a request. Compiled when the document is read.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::context::Context;
use crate::pattern::{Pattern, Syntax, Token};
use crate::{Comparison, Operator, Order, PolicyText, Truth, date, glob};

/// A compiled value of a condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Matcher {
    /// Exact text.
    Exact(String),
    /// Glob over plain text.
    Glob(String),
    /// Text with references, variables or the unknown in it; `fold_case` for the operators that ignore case.
    Pattern { pattern: Pattern, fold_case: bool },
    /// An ARN, segment by segment.
    Arn(Pattern),
    /// Compared as number or date.
    Ordered(f64, Order),
    /// `true` or `false`.
    Bool(bool),
    /// Address range.
    Range(IpNet),
    /// Base64 without its padding.
    Binary(String),
    /// The value is of no use under its operator and matches nothing.
    Never,
    /// The value is not known.
    Open,
}

impl Matcher {
    pub(crate) fn new(text: &PolicyText, operator: &Operator, variables: bool) -> Self {
        let syntax = Syntax { wildcards: false, variables, fold_case: false };
        match operator.comparison {
            Comparison::String => Self::text(text, syntax),
            Comparison::StringIgnoreCase => Self::text(text, Syntax { fold_case: true, ..syntax }),
            Comparison::StringLike => Self::text(text, Syntax { wildcards: true, ..syntax }),
            Comparison::Arn => Self::arn(text, variables),
            Comparison::Numeric(order) => Self::plain(text, |known| known.parse().ok().map(|number| Matcher::Ordered(number, order))),
            Comparison::Date(order) => Self::plain(text, |known| date::seconds(known).map(|seconds| Matcher::Ordered(seconds, order))),
            Comparison::Bool | Comparison::Null => Self::plain(text, |known| known.to_ascii_lowercase().parse().ok().map(Matcher::Bool)),
            Comparison::Binary => Self::plain(text, |known| Some(Matcher::Binary(known.trim_end_matches('=').to_owned()))),
            Comparison::IpAddress => Self::plain(text, |known| range(known).map(Matcher::Range)),
            Comparison::Other => Matcher::Open,
        }
    }

    fn plain(text: &PolicyText, read: impl Fn(&str) -> Option<Self>) -> Self {
        match text.known() {
            Some(known) if known.contains("${") => Matcher::Open,
            Some(known) => read(known.trim()).unwrap_or(Matcher::Never),
            None => Matcher::Open,
        }
    }

    fn text(text: &PolicyText, syntax: Syntax) -> Self {
        match text.known() {
            Some(known) if !(syntax.variables && known.contains("${") || syntax.fold_case) => {
                if syntax.wildcards && known.contains(['*', '?']) {
                    Matcher::Glob(known.into_owned())
                } else {
                    Matcher::Exact(known.into_owned())
                }
            }
            _ => Matcher::Pattern { pattern: Pattern::compile(text, syntax), fold_case: syntax.fold_case },
        }
    }

    fn arn(text: &PolicyText, variables: bool) -> Self {
        let pattern = Pattern::compile(text, Syntax { wildcards: true, variables, fold_case: false });
        let colons = pattern.tokens.iter().filter(|token| **token == Token::Char(':')).count();
        let opaque = pattern.tokens.iter().any(|token| matches!(token, Token::Symbol(_) | Token::Variable(_) | Token::Unknown));
        if colons < 5 && !opaque { Matcher::Never } else { Matcher::Arn(pattern.in_segments()) }
    }

    /// Whether the request value matches; variables take their values from the context.
    pub(crate) fn matches(&self, value: &PolicyText, context: &Context) -> Truth {
        let known = value.known();
        match (self, known.as_deref()) {
            (Matcher::Never, _) => Truth::No,
            (Matcher::Open, _) => Truth::Maybe,
            (Matcher::Exact(own), Some(value)) => (own == value).into(),
            (Matcher::Glob(own), Some(value)) => glob::matches(own, value).into(),
            (Matcher::Exact(own), None) => Pattern::subject(&own.as_str().into(), false).matches(&Pattern::subject(value, false)),
            (Matcher::Glob(own), None) => {
                let syntax = Syntax { wildcards: true, ..Syntax::default() };
                Pattern::compile(&own.as_str().into(), syntax).matches(&Pattern::subject(value, false))
            }
            (Matcher::Pattern { pattern, fold_case }, _) => pattern.resolve(context).map_or(Truth::No, |pattern| {
                let folded = if *fold_case { pattern.into_owned().folded() } else { pattern.into_owned() };
                folded.matches(&Pattern::subject(value, *fold_case))
            }),
            (Matcher::Arn(_), Some(value)) if value.matches(':').count() < 5 => Truth::No,
            (Matcher::Arn(pattern), _) => {
                pattern.resolve(context).map_or(Truth::No, |pattern| pattern.matches(&Pattern::subject(value, false)))
            }
            (Matcher::Ordered(..) | Matcher::Bool(_) | Matcher::Range(_) | Matcher::Binary(_), None) => Truth::Maybe,
            (Matcher::Ordered(own, order), Some(value)) => number(value).is_some_and(|value| compare(value, *own, *order)).into(),
            (Matcher::Bool(own), Some(value)) => value.trim().eq_ignore_ascii_case(if *own { "true" } else { "false" }).into(),
            (Matcher::Range(own), Some(value)) => value.trim().parse::<IpAddr>().is_ok_and(|address| own.contains(&address)).into(),
            (Matcher::Binary(own), Some(value)) => (own == value.trim().trim_end_matches('=')).into(),
        }
    }
}

/// A number, or a date as seconds; epoch seconds are both.
fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().or_else(|| date::seconds(text))
}

fn compare(value: f64, own: f64, order: Order) -> bool {
    match order {
        Order::Equal => value == own,
        Order::Less => value < own,
        Order::LessEqual => value <= own,
        Order::Greater => value > own,
        Order::GreaterEqual => value >= own,
    }
}

fn range(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}
