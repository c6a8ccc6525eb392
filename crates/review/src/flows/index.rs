//! Indexes over an architecture: links both ways, security group members, names and ARNs. Built once; every step of flows and facts asks it.

use std::collections::BTreeMap;
use std::ops::Bound;

use bartizan_model::{Address, Architecture, Component, Kind, Link, Relation, Text};

use super::services::ServiceApis;
use crate::facts::document::{glob, pattern, references};
use crate::facts::read::last;

/// Most components that one ARN pattern may name before it counts as the whole service.
const MAX_NAMED: usize = 25;

/// Most users of one template for which flows are drawn one by one.
const MAX_USERS: usize = 50;

/// Indexes over one architecture.
pub(crate) struct Index<'a> {
    /// The architecture.
    pub(crate) architecture: &'a Architecture,
    /// The services catalogue.
    pub(crate) services: &'a ServiceApis,
    from: BTreeMap<&'a Address, Vec<&'a Link>>,
    to: BTreeMap<&'a Address, Vec<&'a Link>>,
    /// Components by ARN service and the resource part of their ARN.
    by_arn: BTreeMap<(String, String), &'a Address>,
    /// Scalable targets by what they name.
    targets: BTreeMap<String, &'a Component>,
}

/// What a resource pattern of a policy names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// Components of the plan.
    Components(Vec<Address>),
    /// Everything of its service, or of every service.
    Everything,
    /// Something that is not in the plan.
    Elsewhere,
}

impl<'a> Index<'a> {
    /// Builds the indexes; n log n in components and links.
    pub(crate) fn new(architecture: &'a Architecture, services: &'a ServiceApis) -> Self {
        let mut from: BTreeMap<&Address, Vec<&Link>> = BTreeMap::new();
        let mut to: BTreeMap<&Address, Vec<&Link>> = BTreeMap::new();
        for link in &architecture.links {
            from.entry(&link.from).or_default().push(link);
            to.entry(&link.to).or_default().push(link);
        }
        let mut by_arn = BTreeMap::new();
        for (address, component) in &architecture.components {
            let Some(shape) = services.arn(component) else { continue };
            let mut segments = shape.splitn(6, ':');
            let service = segments.nth(2).unwrap_or("");
            let resource = segments.nth(2).unwrap_or("");
            if !resource.contains("{name}") {
                continue;
            }
            let resource = resource.replace("{name}", &component.name);
            let fixed = resource.split('*').next().unwrap_or("").to_owned();
            if !fixed.is_empty() {
                by_arn.insert((service.to_owned(), fixed), address);
            }
        }
        let targets = architecture.components.values().filter(|component| component.component_type == "applicationautoscaling.target");
        let targets = targets.filter_map(|target| Some((target.text("resource_id")?, target))).collect();
        Self { architecture, services, from, to, by_arn, targets }
    }

    /// Scalable targets by what they name, as the service names it.
    pub(crate) fn targets(&self) -> &BTreeMap<String, &'a Component> {
        &self.targets
    }

    /// Links that start at a component.
    pub(crate) fn from(&self, address: &Address) -> &[&'a Link] {
        self.from.get(address).map_or(&[], Vec::as_slice)
    }

    /// Links that end at a component.
    pub(crate) fn to(&self, address: &Address) -> &[&'a Link] {
        self.to.get(address).map_or(&[], Vec::as_slice)
    }

    /// The component at an address.
    pub(crate) fn component(&self, address: &Address) -> Option<&'a Component> {
        self.architecture.components.get(address)
    }

    /// Targets of links of one relation from a component.
    pub(crate) fn follow(&self, address: &Address, relation: &str) -> Vec<&'a Component> {
        self.from(address).iter().filter(|link| is_relation(&link.relation, relation)).filter_map(|link| self.component(&link.to)).collect()
    }

    /// Starts of links of one relation to a component.
    pub(crate) fn follow_back(&self, address: &Address, relation: &str) -> Vec<&'a Component> {
        self.to(address).iter().filter(|link| is_relation(&link.relation, relation)).filter_map(|link| self.component(&link.from)).collect()
    }

    /// Roles and users whose permissions a component holds while it runs, with the link that says so.
    ///
    /// Instance profiles, launch templates, task definitions and service accounts stand between; the role that starts a task
    /// (execution role) is the platform's, not the code's.
    pub(crate) fn principals_of(&self, address: &Address) -> Vec<(&'a Component, Option<&'a Link>)> {
        let mut found: Vec<(&Component, Option<&Link>)> = Vec::new();
        let mut queue: Vec<(Address, Option<&'a Link>, u8)> = vec![(address.clone(), None, 0)];
        while let Some((at, first, depth)) = queue.pop() {
            for link in self.from(&at) {
                let next = match &link.relation {
                    Relation::RunsAs if !link.attribute.contains("execution_role") => true,
                    Relation::Other(name) => matches!(name.as_str(), "configured_by" | "runs" | "uses_service_account") && depth < 3,
                    _ => false,
                };
                let Some(target) = self.component(&link.to).filter(|_| next) else { continue };
                let via = first.or(Some(link));
                match (target.service.as_str(), last(&target.component_type)) {
                    ("iam", "role" | "user") if found.iter().all(|(known, _)| known.address != target.address) => found.push((target, via)),
                    ("iam", "role" | "user") => {}
                    _ if depth < 3 => queue.push((target.address.clone(), via, depth + 1)),
                    _ => {}
                }
            }
        }
        found.sort_by(|a, b| a.0.address.cmp(&b.0.address));
        found
    }

    /// The drawn component that a supporting one belongs to: the function of an alias, the balancer of a listener.
    pub(crate) fn drawn(&self, address: &Address) -> Address {
        let mut at = address.clone();
        for _ in 0..4 {
            if self.component(&at).is_none_or(|component| component.kind != Kind::Supporting) {
                return at;
            }
            let next = self.from(&at).iter().find(|link| match &link.relation {
                Relation::PartOf => true,
                Relation::Other(name) => name == "serves",
                _ => false,
            });
            match next {
                Some(link) => at = link.to.clone(),
                None => return address.clone(),
            }
        }
        address.clone()
    }

    /// What acts with the configuration of a component: the services of a task definition, the groups of a launch template; else itself.
    /// Empty for a template that nothing uses.
    pub(crate) fn users(&self, address: &Address) -> Vec<Address> {
        let Some(component) = self.component(address) else { return Vec::new() };
        let template =
            matches!(last(&component.component_type), "task_definition" | "launch_template" | "launch_configuration" | "job_definition");
        if !template {
            return if component.kind == Kind::Supporting { Vec::new() } else { vec![address.clone()] };
        }
        let users = self.follow_back(address, "configured_by").into_iter().chain(self.follow_back(address, "runs"));
        let mut users: Vec<Address> =
            users.filter(|user| user.kind != Kind::Supporting).take(MAX_USERS).map(|user| user.address.clone()).collect();
        users.sort();
        users.dedup();
        if users.is_empty() && component.kind != Kind::Supporting {
            // A task that something else starts by name acts for itself.
            users.push(address.clone());
        }
        users
    }

    /// What a resource pattern of a policy names: by reference first, else by ARN.
    pub(crate) fn named(&self, text: &Text) -> Named {
        let referred: Vec<Address> = references(text).filter(|address| self.architecture.components.contains_key(address)).collect();
        if let Some(address) = referred.first() {
            return Named::Components(vec![address.clone()]);
        }
        let pattern = pattern(text);
        if pattern == "*" {
            return if text.is_literal() { Named::Everything } else { Named::Elsewhere };
        }
        let mut segments = pattern.splitn(6, ':');
        if segments.next() != Some("arn") {
            return Named::Elsewhere;
        }
        let service = segments.nth(1).unwrap_or("");
        let Some(resource) = segments.nth(2) else { return Named::Elsewhere };
        if resource == "*" {
            return Named::Everything;
        }
        let fixed = resource.split(['*', '?']).next().unwrap_or("");
        let mut found = Vec::new();
        // A pattern names what it matches, and an object pattern (`bucket/*`) the bucket that it lies in.
        let whole = resource.split(['/']).next().unwrap_or(resource);
        for candidate in [resource.trim_end_matches("/*"), whole] {
            if let Some(address) = self.by_arn.get(&(service.to_owned(), candidate.to_owned())) {
                found.push((*address).clone());
            }
        }
        if fixed.len() < resource.len() {
            let start = (service.to_owned(), fixed.to_owned());
            let range = self.by_arn.range((Bound::Included(start), Bound::Unbounded));
            for ((of, name), address) in range {
                if of != service || !name.starts_with(fixed) {
                    break;
                }
                if glob(resource, name) {
                    found.push((*address).clone());
                }
                if found.len() > MAX_NAMED {
                    return Named::Everything;
                }
            }
        }
        found.sort();
        found.dedup();
        if !found.is_empty() {
            Named::Components(found)
        } else if fixed.is_empty() || fixed.ends_with([':', '/']) && !fixed.contains(|c: char| c.is_ascii_uppercase()) && generic(fixed) {
            Named::Everything
        } else {
            Named::Elsewhere
        }
    }
}

/// `table/`, `function:` and the like: a pattern that goes on with a wildcard names every one of the kind.
fn generic(fixed: &str) -> bool {
    fixed.trim_end_matches([':', '/']).chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

pub(crate) fn is_relation(relation: &Relation, name: &str) -> bool {
    match relation {
        Relation::RunsAs => name == "runs_as",
        Relation::InSubnet => name == "in_subnet",
        Relation::InVpc => name == "in_vpc",
        Relation::GuardedBy => name == "guarded_by",
        Relation::EncryptedWith => name == "encrypted_with",
        Relation::PartOf => name == "part_of",
        Relation::ProtectedBy => name == "protected_by",
        Relation::Mentions => name == "mentions",
        Relation::Watches => name == "watches",
        Relation::BacksUp => name == "backs_up",
        Relation::Other(other) => other == name,
        Relation::Flow(_) => false,
    }
}
