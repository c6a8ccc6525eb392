//! AWS policy language: parse, match, evaluate and explain; usable alone.
//!
//! The crate does no IO and knows nothing of Terraform or of an architecture. It reads a document from JSON text ([`Document::from_json`])
//! or from a neutral tree whose strings may hold references to things that a plan does not know yet ([`Document::from_tree`]).
//! Every answer has three values ([`Truth`]): what is not known never turns into yes or no.

mod action;
mod caller;
mod compare;
mod condition;
mod context;
mod date;
mod decision;
mod document;
mod formula;
mod glob;
mod json;
mod keys;
mod narrow;
mod operator;
mod parse;
mod pattern;
mod policies;
mod principal;
mod problem;
mod public;
mod request;
mod resource;
mod satisfy;
mod search;
mod symbol;
mod text;
mod tree;
mod trust;
mod truth;

pub use action::{ActionPattern, Actions};
pub use condition::{Condition, ConditionValue};
pub use context::{Context, ContextValue};
pub use decision::{Decision, Outcome, Reason, decide};
pub use document::{Document, Effect, Statement, Version};
pub use json::{JsonError, parse_json};
pub use keys::{KeyClass, key_class};
pub use operator::{Comparison, Operator, Order, Qualifier};
pub use policies::{Layer, Policies};
pub use principal::{Principal, PrincipalKind, Principals};
pub use problem::Problem;
pub use public::{ForeignAccount, PublicStatement, foreign_accounts, is_public, public_statements};
pub use request::{Caller, CallerKind, Request};
pub use resource::{ResourceName, ResourcePattern, Resources};
pub use satisfy::Need;
pub use text::{Part, PolicyText};
pub use tree::{Node, Origin, Tree};
pub use trust::{Assumer, Provider, Who, assumers};
pub use truth::Truth;
