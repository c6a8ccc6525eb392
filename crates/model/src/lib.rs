//! The vocabulary of a review: values with spans, components, links, flows, boundaries, assets and diagnostics.
//!
//! Every other crate speaks these types.
//! The crate does no IO, knows no source format and serialises nothing: `import` fills an [`Architecture`], `review` completes and judges it,
//! `report` writes it.

mod account;
mod address;
mod architecture;
mod asset;
mod boundary;
pub mod calendar;
mod component;
mod declaration;
mod diagnostic;
mod flaw;
mod flow;
mod link;
pub mod path;
mod recipe;
mod secret;
mod span;
mod text;
mod value;

pub use account::is_account_id;
pub use address::Address;
pub use architecture::{Architecture, Moved, SwitchedOff};
pub use asset::{Asset, AssetOrigin, Classification};
pub use boundary::{Boundary, BoundaryKind};
pub use component::{Component, Exposure, Kind};
pub use declaration::{Actor, Answer, DataClass, Decision, DecisionKind, Declarations, DeclaredFlow, RiskAppetite, Workload};
pub use diagnostic::{Diagnostic, RelatedSpan, Severity};
pub use flaw::{Flaw, FlawRating, ScannedImage, Software};
pub use flow::{Confidence, Flow, FlowStatus, Reason, ReasonKind};
pub use link::{FlowSpec, Link, Relation};
pub use recipe::Recipe;
pub use secret::names_secret;
pub use span::{FileId, Position, SourceFile, Sources, Span};
pub use text::{Part, Text};
pub use value::{Node, Unknown, UnknownKind, Value};
