//! Facts about AWS as data: actions, resource types, condition keys, AWS-managed policies, services that roles are passed to.
//!
//! The files in `data/aws` are written by `cargo xtask iam-data` from published packages; `data/aws/sources.txt` ([`sources`]) names them
//! with their versions, licences and counts. They are compressed in blocks and a block is read when somebody first asks about what is in it,
//! so that a run which asks nothing pays nothing. Analysis does not belong here: these are tables, and everything that judges is elsewhere.
//!
//! | question | answer | cost in a release build |
//! | --- | --- | --- |
//! | Which actions are there? | [`action_table`], [`at_level`] | a few milliseconds, once |
//! | What does an action do, on which resources, under which keys? | [`action`], [`service`] | well below a millisecond, once per block of services |
//! | What does an AWS-managed policy say? | [`managed_policy`] | below a millisecond, every time |
//! | Which services can be handed a role by this action? | [`passable_services`] | some microseconds |
//!
//! ```
//! use bartizan_iam::aws;
//!
//! let action = aws::action("S3:getobject").expect("S3 has this action");
//! assert_eq!((action.name.as_str(), action.level), ("GetObject", aws::AccessLevel::Read));
//! assert!(action.resources.iter().any(|resource| resource.resource_type == "object"));
//! assert_eq!(aws::passable_services("lambda:CreateFunction"), ["lambda.amazonaws.com"]);
//! let policy = aws::managed_policy("arn:aws:iam::aws:policy/AdministratorAccess").expect("AWS has this policy");
//! assert!(policy.statements[0].actions.patterns()[0].is_everything());
//! ```

mod blocks;
mod catalogue;
mod managed;
mod passing;
mod service;

pub use catalogue::{action, action_table, at_level, condition_key, is_resource_controlled, resource_types, service, service_prefixes};
pub use managed::{ManagedPolicy, managed_policies, managed_policy, managed_policy_named};
pub use passing::{passable_services, passing_actions};
pub use service::{AccessLevel, ActionFacts, ActionResource, ConditionKey, ResourceType, Service, ValueType};

/// Where the facts come from: one line per package with version, date and licence, then the counts.
pub fn sources() -> &'static str {
    include_str!("../data/aws/sources.txt")
}
