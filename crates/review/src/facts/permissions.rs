//! What roles and users hold: the statements of their policies with where each comes from.
//!
//! Step 2 of the review. Direct grants only; what a principal can become is the attack graph's matter.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_model::{Address, Component, Node, Value};

use super::document::{Document, Statement, pattern};
use super::managed;
use super::read::last;
use crate::flows::index::{Index, Named};

/// The policies of one role, user or group.
#[derive(Debug, Default)]
pub(crate) struct Holder<'a> {
    /// Statements, with the policy's name or address.
    pub(crate) statements: Vec<(Statement<'a>, String)>,
    /// AWS managed policies by name, with where they are attached.
    pub(crate) managed: Vec<(String, &'a Node)>,
    /// False where some policy is not in the plan or not known.
    pub(crate) complete: bool,
}

/// Holders by address of the role or user.
pub(crate) type Permissions<'a> = BTreeMap<Address, Holder<'a>>;

/// Reads the policies of every role, user and group.
pub(crate) fn permissions<'a>(index: &Index<'a>) -> Permissions<'a> {
    let mut found = Permissions::new();
    for (address, component) in &index.architecture.components {
        if component.service == "iam" && matches!(last(&component.component_type), "role" | "user" | "group") {
            let mut holder = Holder { complete: true, ..Holder::default() };
            holder.add(index, component);
            for group in index.follow(address, "member_of") {
                holder.add(index, group);
            }
            found.insert(address.clone(), holder);
        }
    }
    found
}

impl<'a> Holder<'a> {
    fn add(&mut self, index: &Index<'a>, component: &'a Component) {
        for setting in ["inline_policies", "policies"] {
            if let Some(node) = component.setting(setting) {
                self.add_document(node, component.address.as_str());
            }
        }
        let mut attached = BTreeSet::new();
        for policy in index.follow(&component.address, "has_policy") {
            attached.insert(policy.address.clone());
            if let Some(node) = policy.setting("policy") {
                self.add_document(node, policy.address.as_str());
            }
        }
        let Some(arns) = component.setting("managed_policy_arns") else { return };
        if arns.value.is_unknown() {
            self.complete = false;
        }
        each_arn(arns, &mut |node| match node.value.as_text() {
            Some(text) => {
                let arn = pattern(text);
                if let Some(name) = managed::name(&arn) {
                    self.managed.push((name.to_owned(), node));
                    self.complete &= managed::actions(name).is_some();
                } else if !text.references().any(|(address, _)| attached.contains(&Address::new(address))) {
                    self.complete = false;
                }
            }
            None => self.complete = false,
        });
    }

    fn add_document(&mut self, node: &'a Node, source: &str) {
        let document = Document::read(node);
        self.complete &= document.complete;
        self.statements.extend(document.statements.into_iter().map(|statement| (statement, source.to_owned())));
    }

    /// What the holder's allowed actions name: components of the plan, and services as a whole.
    pub(crate) fn grants(&self, index: &Index<'a>) -> Grants<'a> {
        let mut grants = Grants::default();
        for (statement, source) in self.statements.iter().filter(|(statement, _)| statement.allow && !statement.not_actions) {
            let conditional = !statement.conditions.is_empty();
            for (action, node) in &statement.actions {
                let prefix = action.split(':').next().unwrap_or("*").to_ascii_lowercase();
                if statement.not_resources || statement.names_none() {
                    grants.add_service(&prefix, action, node, source, conditional);
                }
                for (text, _) in &statement.resources {
                    if statement.not_resources {
                        continue;
                    }
                    match index.named(text) {
                        Named::Everything => grants.add_service(&prefix, action, node, source, conditional),
                        Named::Components(found) => {
                            for address in found {
                                grants.add_component(index, &prefix, address, action, node, source);
                            }
                        }
                        Named::Elsewhere => {}
                    }
                }
            }
        }
        for (name, node) in &self.managed {
            for action in managed::actions(name).unwrap_or(&[]) {
                let prefix = action.split(':').next().unwrap_or("*");
                grants.add_service(prefix, action, node, name, false);
            }
        }
        grants
    }
}

fn each_arn<'a>(node: &'a Node, visit: &mut dyn FnMut(&'a Node)) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| each_arn(item, visit)),
        Value::Null => {}
        Value::Text(_) | Value::Unknown(_) | Value::Bool(_) | Value::Number(_) | Value::Map(_) => visit(node),
    }
}

/// What a holder's policies allow, by target.
#[derive(Debug, Default)]
pub(crate) struct Grants<'a> {
    /// Components of the plan, with action patterns.
    pub(crate) components: BTreeMap<Address, Granted<'a>>,
    /// Whole services by IAM prefix (`*` for all).
    pub(crate) services: BTreeMap<String, Granted<'a>>,
}

/// Actions granted on one target.
#[derive(Debug, Default)]
pub(crate) struct Granted<'a> {
    /// Action patterns, each with its place and the policy that holds it.
    pub(crate) actions: BTreeMap<String, (&'a Node, String)>,
    /// True where every grant carries a condition.
    pub(crate) conditional: bool,
}

// BTreeMap of references has no derived default for the tuple's node, so the map starts empty.
impl<'a> Grants<'a> {
    fn add_service(&mut self, prefix: &str, action: &str, node: &'a Node, source: &str, conditional: bool) {
        let granted = self.services.entry(prefix.to_owned()).or_insert_with(|| Granted { conditional: true, ..Granted::default() });
        granted.conditional &= conditional;
        granted.actions.entry(action.to_owned()).or_insert_with(|| (node, source.to_owned()));
    }

    fn add_component(&mut self, index: &Index<'a>, prefix: &str, address: Address, action: &str, node: &'a Node, source: &str) {
        // `s3:GetObject` on a queue's ARN grants nothing: the action's service and the target's must fit.
        let fits = index.component(&address).is_some_and(|component| {
            prefix == "*"
                || index.services.prefixes(component).iter().any(|own| own == prefix)
                || index.services.prefixes(component).is_empty()
        });
        if fits {
            let granted = self.components.entry(address).or_default();
            granted.actions.entry(action.to_owned()).or_insert_with(|| (node, source.to_owned()));
        }
    }
}

/// True for action patterns that say something about resources but move no data of theirs.
pub(crate) fn is_metadata(action: &str) -> bool {
    let name = action.split_once(':').map_or(action, |(_, name)| name);
    let lower = name.to_ascii_lowercase();
    lower.starts_with("describe")
        || lower.starts_with("list") && lower != "listbucket" && lower != "list*"
        || lower.contains("tag")
        || matches!(
            lower.as_str(),
            "getbucketlocation"
                | "getqueueurl"
                | "getqueueattributes"
                | "gettopicattributes"
                | "getbucketacl"
                | "getbucketversioning"
                | "getauthorizationtoken"
                | "getcalleridentity"
                | "getencryptionconfiguration"
        )
}

/// Services that every workload writes its own telemetry to or that the platform itself needs; drawn as flows they would hide the others.
pub(crate) fn is_plumbing(prefix: &str, action: &str) -> bool {
    let name = action.split_once(':').map_or("", |(_, name)| name).to_ascii_lowercase();
    match prefix {
        "logs" | "xray" | "ssmmessages" | "ec2messages" | "elasticloadbalancing" | "autoscaling" | "tag" => true,
        "cloudwatch" => name == "putmetricdata",
        "ec2" => name.contains("networkinterface") || name.contains("privateipaddresses"),
        "sts" => name == "getcalleridentity" || name == "tagsession",
        "ecr" => name == "getauthorizationtoken",
        "iam" => name == "passrole",
        "ssm" => name == "updateinstanceinformation",
        _ => false,
    }
}
