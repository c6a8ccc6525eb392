//! What container images are built from.

use crate::Span;

/// A Dockerfile, as far as a review asks about it. Spans are in [`crate::Architecture::sources`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recipe {
    /// Its path below the root.
    pub path: String,
    /// Variables and arguments of the build whose values are secrets and stay in the image, by name.
    pub secrets: Vec<(String, Span)>,
    /// Bases that are other ones tomorrow, as written.
    pub moving_bases: Vec<(String, Span)>,
    /// Where it says that the image's processes run as root; where it leaves that to the base, nothing is said.
    pub root: Option<Span>,
}
