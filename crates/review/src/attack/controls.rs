//! Policies of the organisation: what no policy of an account goes beyond.
//!
//! Only what they deny is judged: that the organisation lets through everything else, as it does unless that is taken away, is assumed.
//! A policy on a unit whose accounts the plan does not tell limits nobody here.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bartizan_model::{Address, Component, Node, Value, is_account_id};

use super::policy;
use super::world::Policy;
use crate::flows::index::Index;

/// Services whose resources resource control policies limit; IAM stands for taking over a role.
/// Source: Organizations User Guide, "Resource control policies", list of services, November 2026.
pub(crate) const CONTROLLED: &[&str] =
    &["s3", "iam", "kms", "sqs", "secretsmanager", "ecr", "opensearch", "dynamodb", "logs", "cloudwatch", "cognito"];

/// Policies by account.
#[derive(Debug, Default)]
pub(crate) struct Controls {
    /// Over what principals of the account do.
    pub(crate) service: BTreeMap<String, Vec<Rc<Policy>>>,
    /// Over what is done to resources of the account.
    pub(crate) resource: BTreeMap<String, Vec<Rc<Policy>>>,
}

/// What a policy is attached to.
enum Attached {
    /// The root of the organisation.
    Root,
    Account(String),
    /// A unit, or what the plan does not tell.
    Other,
}

impl Controls {
    /// Reads the policies that the plan attaches; `accounts` are those that the plan has anything in, `account_of` tells where something lies.
    pub(crate) fn read(index: &Index<'_>, accounts: &BTreeSet<&str>, account_of: impl Fn(&Component) -> String) -> Self {
        let mut controls = Self::default();
        let policies = index.architecture.components.values().filter(|component| component.component_type == "organizations.policy");
        for component in policies {
            let by_account = match component.text("policy_type").as_deref() {
                None | Some("SERVICE_CONTROL_POLICY") => &mut controls.service,
                Some("RESOURCE_CONTROL_POLICY") => &mut controls.resource,
                Some(_) => continue,
            };
            let mut documents = Vec::new();
            component.setting("content").map(|content| policy::documents(content, "", &mut documents));
            let name = component.address.as_str();
            for document in documents {
                let policy = Rc::new(Policy { document, attached_at: None, name: name.to_owned() });
                for account in limited(component, index, accounts, &account_of(component)) {
                    by_account.entry(account).or_default().push(policy.clone());
                }
            }
        }
        controls
    }
}

/// The accounts that a policy limits: never the one that manages the organisation, which the policy itself lies in.
fn limited(component: &Component, index: &Index<'_>, accounts: &BTreeSet<&str>, managing: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let targets = component.setting("targets").and_then(|node| node.value.as_list()).unwrap_or_default();
    for target in targets {
        match attached(target, index) {
            Attached::Root => found.extend(accounts.iter().filter(|account| **account != managing).map(|account| (*account).to_owned())),
            Attached::Account(account) => {
                found.extend(Some(account).filter(|account| account != managing && accounts.contains(account.as_str())))
            }
            Attached::Other => {}
        }
    }
    found
}

fn attached(target: &Node, index: &Index<'_>) -> Attached {
    let Value::Text(text) = &target.value else { return Attached::Other };
    let known = text.to_string();
    if is_account_id(&known) {
        return Attached::Account(known);
    }
    if known.starts_with("r-") {
        return Attached::Root;
    }
    let of_root = text.references().any(|(address, attribute)| {
        attribute.starts_with("roots")
            && index.component(&Address::new(address)).is_none_or(|component| component.component_type == "organizations.organization")
    });
    if of_root { Attached::Root } else { Attached::Other }
}
