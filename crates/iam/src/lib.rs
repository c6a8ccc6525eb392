//! AWS policy language: parse, match, evaluate and explain; usable alone.
//!
//! The crate does no IO and knows nothing of Terraform or of an architecture. It reads a document from JSON text ([`Document::from_json`])
//! or from a neutral tree whose strings may hold references to things that a plan does not know yet ([`Document::from_tree`]).
//! Every answer has three values ([`Truth`]): what is not known never turns into yes or no.
//!
//! | question | answer |
//! | --- | --- |
//! | What does the document say, and where? | [`Document`], [`Statement`], [`Problem`] |
//! | Does a statement speak of this action, this resource? | [`Actions::matches`], [`Resources::matches`] |
//! | Does it grant to everyone, and what for example, or to other accounts? | [`public_statements`], [`PublicStatement::example`], [`foreign_accounts`] |
//! | Who may assume the role? | [`assumers`] |
//! | Would the role let in a token of this repository, this service account? | [`admits`], [`Tokens`] |
//! | Is a request allowed by all policies together, and why? | [`decide`], [`Decision::explain`] |
//! | What does a policy grant to whom? | [`grants`] |
//! | What does one policy grant that another does not, what changed between two versions? | [`changes`], [`grants_beyond`], [`implies`], [`equivalent`], [`disjoint`] |
//! | Which of all actions does a statement speak of? | [`ActionTable::sets`], [`aws::action_table`] |
//! | What does AWS say of an action, a managed policy? | [`aws`] |
//!
//! # A bucket policy alone
//!
//! ```
//! use bartizan_iam::{Document, Truth, public_statements};
//!
//! let policy = Document::from_json(r#"{
//!     "Version": "2012-10-17",
//!     "Statement": [{
//!         "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::site/*"
//!     }]
//! }"#)?;
//! let public = public_statements(&policy);
//! assert_eq!(public[0].verdict, Truth::Yes);
//! assert_eq!(public[0].statement.actions.matches("s3:PutObject"), Truth::No);
//! # Ok::<(), bartizan_iam::JsonError>(())
//! ```
//!
//! # A request of which a plan knows only a part
//!
//! A role and a bucket are known by reference; whether the caller has a second factor is not known at all.
//!
//! ```
//! use bartizan_iam::{
//!     Caller, Context, Document, KeyClass, Node, Origin, Outcome, Part, Policies, PolicyText, Request, ResourceName, Tree, decide,
//! };
//!
//! let bucket = || PolicyText::reference("aws_s3_bucket.orders", "arn", None);
//! let under = |mut text: PolicyText, rest: &str| { text.push(Part::Literal(rest.to_owned())); text };
//!
//! // Usually this tree comes from Terraform; every node carries where it is written.
//! let node = |tree: Tree| Node::new(tree, Origin::default());
//! let text = |text: PolicyText| node(Tree::Text(text));
//! let mfa = node(Tree::Map(vec![("aws:MultiFactorAuthPresent".into(), text("true".into()))]));
//! let statement = node(Tree::Map(vec![
//!     ("Effect".into(), text("Allow".into())),
//!     ("Action".into(), text("s3:Get*".into())),
//!     ("Resource".into(), text(under(bucket(), "/*"))),
//!     ("Condition".into(), node(Tree::Map(vec![("Bool".into(), mfa)]))),
//! ]));
//! let policy = Document::from_tree(&node(Tree::Map(vec![("Version".into(), text("2012-10-17".into())), ("Statement".into(), statement)])));
//!
//! let account = PolicyText::reference("data.aws_caller_identity.current", "account_id", None);
//! let role = Caller::role(PolicyText::reference("aws_iam_role.app", "arn", None), account.clone());
//! let request = Request::new(role, "s3:GetObject", ResourceName::new(under(bucket(), "/key")), Context::open()).owned_by(account);
//!
//! let decision = decide(&request, &Policies { identity: vec![&policy], ..Policies::default() });
//! assert_eq!(decision.outcome, Outcome::Conditional);
//! assert_eq!(decision.needs[0].text, "Bool aws:MultiFactorAuthPresent `true`");
//! assert_eq!(decision.needs[0].class, KeyClass::Capability);
//! ```
//!
//! # A trust policy and the tokens of a repository
//!
//! Whoever may push to a repository gets tokens for each of its branches, so the question is about a set of tokens.
//!
//! ```
//! use bartizan_iam::{Context, Document, Tokens, Truth, admits, assumers};
//!
//! let trust = Document::from_json(r#"{
//!     "Version": "2012-10-17",
//!     "Statement": [{
//!         "Effect": "Allow",
//!         "Principal": {"Federated": "arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"},
//!         "Action": "sts:AssumeRoleWithWebIdentity",
//!         "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:org/*:ref:refs/heads/main"}}
//!     }]
//! }"#)?;
//! let way = &assumers(&trust)[0];
//! let today = Context::open().since("2026-11-27");
//! let found = admits(way, &Tokens::github("org/app"), &today);
//! assert_eq!((found.verdict, found.every), (Truth::Yes, false));
//! assert_eq!(found.token["sub"], "repo:org/app:ref:refs/heads/main");
//! assert_eq!(admits(way, &Tokens::github("other/app"), &today).verdict, Truth::No);
//! # Ok::<(), bartizan_iam::JsonError>(())
//! ```
//!
//! # What it does not do
//!
//! [`decide`] does not look the action up in [`aws`]: ask about a bucket action with the bucket's ARN, and see [`Request::as_aws_takes_it`].
//! KMS grants, S3 access points and access control lists are not policies and not looked at.

mod action;
pub mod aws;
mod caller;
mod claims;
mod compare;
mod condition;
mod context;
mod date;
mod decision;
mod difference;
mod document;
mod example;
mod explain;
mod formula;
mod glob;
mod grants;
mod json;
mod keys;
mod mistakes;
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
mod table;
mod text;
mod tree;
mod trust;
mod truth;

pub use action::{ActionPattern, Actions};
pub use claims::{Admission, Tokens, admits};
pub use condition::{Condition, ConditionValue};
pub use context::{Context, ContextValue};
pub use decision::{Decision, Outcome, Reason, decide};
pub use difference::{Changes, Extra, changes, disjoint, equivalent, grants_beyond, implies};
pub use document::{Document, Effect, Statement, Version};
pub use example::PublicRequest;
pub use grants::{Grant, grants};
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
pub use table::{ActionSet, ActionTable};
pub use text::{Part, PolicyText};
pub use tree::{Node, Origin, Tree};
pub use trust::{Assumer, Provider, Who, assumers};
pub use truth::Truth;
