//! Problems of the input or of the tool, told to the user.

use crate::Span;

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something to know: a resource type that the catalogue does not have.
    Note,
    /// Something is missing from the review.
    Warning,
    /// Something could not be read.
    Error,
}

/// A second place that a diagnostic speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RelatedSpan {
    /// Where.
    pub span: Span,
    /// What is there.
    pub text: String,
}

/// A problem of input or tool. Messages: lower case, no full stop, input in backticks; `help` says what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// Stable code: `terraform/syntax`, `terraform/unresolved-reference`.
    pub code: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Where; `None` for a problem with the run as a whole.
    pub span: Option<Span>,
    /// Other places.
    pub related: Vec<RelatedSpan>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic without related places or help.
    pub fn new(code: &'static str, severity: Severity, message: impl Into<String>, span: impl Into<Option<Span>>) -> Self {
        Self { code, severity, message: message.into(), span: span.into(), related: Vec::new(), help: None }
    }

    /// Adds what to do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
