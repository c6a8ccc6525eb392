//! Conditions of the catalogue: CEL over plans, where a value may be unknown.
//!
//! The syntax is CEL's, parsed by the `cel` crate; [`lower`] checks it against a closed vocabulary and compiles it once.
//! [`evaluate`] is ours for three reasons: a plan's unknown value must give *unknown* and not an error that looks like a typing mistake; the
//! result must name the unknown paths that decided it; and values are read from the plan in place, with their spans, without conversion.
//! What differs from standard CEL is listed in `docs/catalogue.md`: unknowns follow Kleene's logic, and a member that a known map does not
//! have is `null`, as an attribute that is not set.

mod evaluate;
mod lower;
mod operand;
mod template;
mod vocabulary;

pub use evaluate::{Scope, Verdict};
pub use lower::ExpressionError;
pub use operand::{EvaluationError, Gap, Operand, Val};
pub use template::Template;
pub use vocabulary::{Shape, ValueKind, Vocabulary};

/// A checked, compiled expression.
#[derive(Clone, Debug)]
pub struct Expression {
    source: String,
    root: Expr,
}

impl Expression {
    /// The expression as it is written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Every path it reads, in order of appearance, with doubles.
    pub fn reads(&self) -> Vec<&Read> {
        let mut out = Vec::new();
        self.root.for_each(&mut |expr| {
            if let Expr::Read(read) = expr {
                out.push(read);
            }
        });
        out
    }
}

/// A path into the view: `settings.versioning`, `to.facts.open_ports`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// `component`, `settings`, `to.settings`, `flow`, ….
    pub root: String,
    /// The name below it.
    pub name: String,
    /// The type that the vocabulary promises; values are brought into it.
    pub kind: ValueKind,
}

impl Read {
    /// The path as it is written.
    pub fn path(&self) -> String {
        format!("{}.{}", self.root, self.name)
    }

    /// True for a path to a fact, which code derives, and no setting of a file.
    pub(crate) fn is_fact(&self) -> bool {
        self.root == "system" || self.root.rsplit('.').next() == Some("facts")
    }
}

/// The compiled form.
#[derive(Clone, Debug)]
enum Expr {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Expr>),
    Read(Read),
    /// A variable of a macro, by its depth from the outermost.
    Local(usize),
    Member(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    In(Box<Expr>, Box<Expr>),
    Size(Box<Expr>),
    Lower(Box<Expr>),
    Test(TextTest, Box<Expr>, Box<Expr>),
    Matches(Box<Expr>, regex::Regex),
    Macro(Macro, Box<Expr>, Box<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Macro {
    Exists,
    All,
    Filter,
    Map,
}

impl Expr {
    fn for_each<'a>(&'a self, visit: &mut impl FnMut(&'a Expr)) {
        visit(self);
        match self {
            Expr::Null | Expr::Bool(_) | Expr::Number(_) | Expr::Text(_) | Expr::Read(_) | Expr::Local(_) => {}
            Expr::List(items) => items.iter().for_each(|item| item.for_each(visit)),
            Expr::Member(inner, _) | Expr::Not(inner) | Expr::Size(inner) | Expr::Lower(inner) | Expr::Matches(inner, _) => {
                inner.for_each(visit);
            }
            Expr::Index(left, right)
            | Expr::And(left, right)
            | Expr::Or(left, right)
            | Expr::Compare(_, left, right)
            | Expr::In(left, right)
            | Expr::Test(_, left, right)
            | Expr::Macro(_, left, right) => {
                left.for_each(visit);
                right.for_each(visit);
            }
            Expr::If(test, yes, no) => {
                test.for_each(visit);
                yes.for_each(visit);
                no.for_each(visit);
            }
        }
    }
}
