//! Terraform's syntax tree, compact and the same for `.tf` and `.tf.json`.

use bartizan_model::{Span, Text};

/// The body of a file or block.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    /// Attributes in source order.
    pub(crate) attributes: Vec<Attribute>,
    /// Blocks in source order.
    pub(crate) blocks: Vec<Block>,
}

/// `name = expression`.
#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    pub(crate) name: Box<str>,
    pub(crate) expr: Expr,
    /// The whole attribute.
    pub(crate) span: Span,
}

/// `kind "label" … { body }`.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) kind: Box<str>,
    pub(crate) labels: Vec<Box<str>>,
    pub(crate) body: Body,
    /// The line that opens it, up to the last label.
    pub(crate) header: Span,
    /// From the first to the last byte.
    pub(crate) span: Span,
}

/// An expression and where it is written.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum ExprKind {
    Null,
    Bool(bool),
    Number(f64),
    Text(Text),
    Tuple(Vec<Expr>),
    Object(Vec<(Expr, Expr)>),
    Template(Vec<TemplatePart>),
    Name(Box<str>),
    Conditional(Box<(Expr, Expr, Expr)>),
    Call(Box<Call>),
    Traversal(Box<Expr>, Vec<Accessor>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Binary(Operator, Box<(Expr, Expr)>),
    For(Box<For>),
}

#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// With its namespace: `provider::aws::arn_parse`.
    pub(crate) name: Box<str>,
    pub(crate) args: Vec<Expr>,
    /// True for `f(list...)`.
    pub(crate) expand_final: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Accessor {
    Attribute(Box<str>),
    Index(Expr),
    /// `.*`
    AttributeSplat,
    /// `[*]`
    FullSplat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Multiply,
    Divide,
    Modulo,
    And,
    Or,
}

#[derive(Clone, Debug)]
pub(crate) struct For {
    pub(crate) key: Option<Box<str>>,
    pub(crate) value: Box<str>,
    pub(crate) collection: Expr,
    pub(crate) key_expr: Option<Expr>,
    pub(crate) value_expr: Expr,
    pub(crate) condition: Option<Expr>,
    pub(crate) grouping: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum TemplatePart {
    Literal(Text),
    Interpolation(Expr),
    If { condition: Expr, then: Vec<TemplatePart>, otherwise: Vec<TemplatePart> },
    For { key: Option<Box<str>>, value: Box<str>, collection: Expr, body: Vec<TemplatePart> },
}

impl Body {
    /// The attribute of that name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| &*attribute.name == name)
    }

    /// The blocks of that kind.
    pub(crate) fn blocks<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |block| &*block.kind == kind)
    }
}

impl Block {
    /// The label at an index, from 0.
    pub(crate) fn label(&self, index: usize) -> Option<&str> {
        self.labels.get(index).map(|label| &**label)
    }
}
