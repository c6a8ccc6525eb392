//! A resource as a source format declares it, before it is joined with others to a component.

use bartizan_model::{Node, Span};

/// Where a resource stands in its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Created and changed by the plan.
    Managed,
    /// Looked up: it exists outside the plan (or in another stack).
    Looked,
    /// A module whose source is not at hand.
    Module,
}

/// One resource instance with its evaluated attributes.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) address: String,
    pub(crate) mode: Mode,
    /// `aws_s3_bucket`.
    pub(crate) source_type: String,
    /// The last label of the address: `logs`.
    pub(crate) label: String,
    /// Attributes; repeated blocks are lists of maps.
    pub(crate) body: Node,
    /// The line that declares it.
    pub(crate) span: Span,
    /// Directory of the root module.
    pub(crate) stack: String,
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
}
