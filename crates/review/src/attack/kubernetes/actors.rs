//! Who holds which rights in a cluster: service accounts, principals of AWS that are mapped into it, and callers without a name.
//!
//! Source: EKS user guide, "Grant IAM users and roles access to Kubernetes APIs". Access entries and the `aws-auth` config map name principals;
//! who creates a cluster administers it too where `bootstrap_cluster_creator_admin_permissions` is on, but no plan tells who that is.

use std::collections::BTreeMap;
use std::rc::Rc;

use bartizan_model::{Address, Component, Node};

use super::cluster::{Cluster, namespace};
use super::rbac::{Grant, Rights, RoleKind, Rule, access_policy, built_in, rules};
use super::written;
use crate::attack::permissions::Permission;
use crate::attack::policy;
use crate::attack::query::declared;
use crate::attack::world::World;
use crate::flows::index::Index;
use crate::outcome::Evidence;

/// The group that may do everything, by the API server's own code.
pub(super) const MASTERS: &str = "system:masters";

/// Somebody who calls the API of a cluster.
pub(super) struct Actor {
    pub(super) who: Who,
    pub(super) rights: Rights,
    /// What must hold for the calls to get through.
    pub(super) conditions: Vec<String>,
}

/// Who calls.
pub(super) enum Who {
    /// A service account, by its address.
    Account(Address),
    /// A user or role of AWS.
    Principal(Address),
    /// Anybody who reaches the API.
    Anonymous,
}

/// What bindings give to users and groups.
#[derive(Default)]
struct Subjects {
    users: BTreeMap<String, Vec<Grant>>,
    groups: BTreeMap<String, Vec<Grant>>,
}

/// A principal of AWS in a cluster.
#[derive(Default)]
pub(super) struct Mapped {
    pub(super) groups: Vec<String>,
    pub(super) users: Vec<String>,
    pub(super) grants: Vec<Grant>,
    pub(super) shown: Vec<Evidence>,
}

/// Fills in the rights of the accounts and gives everyone who has any; what is given is told as it is written, too.
pub(super) fn read<'a>(cluster: &mut Cluster<'a>, index: &Index<'a>, world: &World<'a>, permissions: &mut Vec<Permission>) -> Vec<Actor> {
    let subjects = bind(cluster, index, permissions);
    written::of_accounts(cluster, permissions);
    for (kind, all) in [("User", &subjects.users), ("Group", &subjects.groups)] {
        for (name, grants) in all {
            written::of_subject(cluster, kind, name, grants, permissions);
        }
    }
    let of_group = |name: &str| subjects.groups.get(name).into_iter().flatten().cloned();
    let of_user = |name: &str| subjects.users.get(name).into_iter().flatten().cloned();
    let mut actors = Vec::new();
    for ((namespace, name), account) in &mut cluster.accounts {
        let grants = &mut account.rights.grants;
        grants.extend(of_group("system:serviceaccounts"));
        grants.extend(of_group(&format!("system:serviceaccounts:{namespace}")));
        grants.extend(of_group("system:authenticated"));
        grants.extend(of_user(&format!("system:serviceaccount:{namespace}:{name}")));
        if !grants.is_empty() {
            actors.push(Actor { who: Who::Account(account.address.clone()), rights: account.rights.clone(), conditions: Vec::new() });
        }
    }
    let reach = reach(cluster);
    for (principal, mapped) in mapped(cluster, index, world) {
        let mut grants = mapped.grants.clone();
        let named = mapped.groups.iter().flat_map(|name| of_group(name)).chain(mapped.users.iter().flat_map(|name| of_user(name)));
        let bound = named.chain(of_group("system:authenticated"));
        written::of_principal(cluster, principal.as_str(), &mapped, permissions);
        grants.extend(bound.map(|grant| Grant { shown: mapped.shown.iter().cloned().chain(grant.shown).collect(), ..grant }));
        if !grants.is_empty() {
            actors.push(Actor { who: Who::Principal(principal), rights: Rights { grants }, conditions: reach.iter().cloned().collect() });
        }
    }
    let grants: Vec<Grant> = of_user("system:anonymous").chain(of_group("system:unauthenticated")).collect();
    if !grants.is_empty() {
        actors.push(Actor { who: Who::Anonymous, rights: Rights { grants }, conditions: reach.into_iter().collect() });
    }
    actors
}

/// What must hold to call the API from outside; nothing where its endpoint is open to everyone.
fn reach(cluster: &Cluster<'_>) -> Option<String> {
    let open = cluster.component.is_some_and(|component| {
        let ranges = component.setting("public_access_cidrs");
        let everyone = |node: &Node| crate::facts::read::texts(node).any(|text| text.known().as_deref() == Some("0.0.0.0/0"));
        // EKS opens the endpoint where nothing is said of it.
        let public = component.setting("endpoint_public_access").is_none_or(|node| node.value.as_bool() == Some(true));
        public && ranges.is_none_or(everyone)
    });
    (!open).then(|| format!("the network lets the attacker reach the API of `{}`", cluster.address))
}

/// Gives accounts what bindings grant them; what is granted to users and groups is returned.
fn bind<'a>(cluster: &mut Cluster<'a>, index: &Index<'a>, permissions: &mut Vec<Permission>) -> Subjects {
    let mut subjects = Subjects::default();
    for binding in cluster.bindings.clone() {
        let role = binding.text("role").unwrap_or_default();
        let found = index.follow(&binding.address, "grants_role");
        let rules: Vec<Rc<Rule>> = match found.first() {
            Some(component) => rules(component),
            None => built_in(&role),
        };
        let wide = binding.flag("cluster_wide") == Some(true);
        let declared = found.first().map(|component| component.address.clone());
        let role_kind = if binding.text("role_kind").as_deref() == Some("Role") { RoleKind::Role } else { RoleKind::ClusterRole };
        let items = binding.setting("subjects").and_then(|node| node.value.as_list()).unwrap_or_default();
        for subject in items {
            let part = |key: &str| subject.get(key).and_then(|node| node.value.as_text()).map(ToString::to_string);
            let (Some(kind), Some(name)) = (part("kind"), part("name")) else { continue };
            let shown = vec![Evidence { span: subject.span, text: format!("`{}` gives `{role}` to `{name}`", binding.address) }];
            let namespace_of_binding = (!wide).then(|| namespace(binding));
            if rules.is_empty() {
                let holder = match kind.as_str() {
                    "ServiceAccount" => cluster.address_of(&(part("namespace").unwrap_or_else(|| namespace(binding)), name)).to_string(),
                    _ => written::subject(cluster, &kind, &name),
                };
                let role = declared.as_ref().map_or_else(|| role.clone(), ToString::to_string);
                let place = format!("{}/*", namespace_of_binding.as_deref().unwrap_or("*"));
                permissions.push(written::as_a_whole(holder, role, place, Some(subject.span)));
                continue;
            }
            let grants = rules.iter().map(|rule| Grant {
                rule: rule.clone(),
                namespace: namespace_of_binding.clone(),
                role: role.clone(),
                declared: declared.clone(),
                kind: role_kind,
                shown: shown.clone(),
            });
            match kind.as_str() {
                "ServiceAccount" => {
                    let key = (part("namespace").unwrap_or_else(|| namespace(binding)), name);
                    cluster.account(key).rights.grants.extend(grants);
                }
                "Group" => subjects.groups.entry(name).or_default().extend(grants),
                "User" => subjects.users.entry(name).or_default().extend(grants),
                _ => {}
            }
        }
    }
    subjects
}

/// Principals of AWS by access entries, access policies and `aws-auth`.
fn mapped<'a>(cluster: &Cluster<'a>, index: &Index<'a>, world: &World<'a>) -> BTreeMap<Address, Mapped> {
    let mut out: BTreeMap<Address, Mapped> = BTreeMap::new();
    let mode = cluster.component.and_then(|component| component.text("authentication_mode"));
    // A cluster with access entries reads them, whatever the plan says of its mode.
    for entry in &cluster.access {
        for principal in principals(entry, index, world) {
            let shown = declared(entry, &format!("it lets `{principal}` into the cluster"));
            let mapped = out.entry(principal).or_default();
            match entry.component_type.as_str() {
                "eks.access_entry" => {
                    mapped.groups.extend(list(entry, "kubernetes_groups"));
                    mapped.users.extend(entry.text("user_name"));
                    mapped.shown.extend(shown);
                }
                "eks.access_policy_association" => mapped.grants.extend(policy_grants(entry, &shown)),
                _ => {}
            }
        }
    }
    if mode.as_deref() != Some("API") {
        let maps = cluster.config_maps.iter().filter(|map| map.name == "aws-auth" && namespace(map) == "kube-system");
        maps.for_each(|map| aws_auth(map, world, &mut out));
    }
    out
}

fn principals(entry: &Component, index: &Index<'_>, world: &World<'_>) -> Vec<Address> {
    let linked = index.follow(&entry.address, "entry_for").into_iter().filter(|principal| principal.service == "iam");
    let linked: Vec<Address> = linked.map(|principal| principal.address.clone()).collect();
    if !linked.is_empty() {
        return linked;
    }
    let text = entry.setting("principal_arn").and_then(|node| node.value.as_text());
    text.map(|text| world.named(&policy::text(text)).into_iter().cloned().collect()).unwrap_or_default()
}

fn list(component: &Component, setting: &str) -> Vec<String> {
    component.setting(setting).map(|node| crate::facts::read::texts(node).map(ToString::to_string).collect()).unwrap_or_default()
}

fn policy_grants(association: &Component, shown: &[Evidence]) -> Vec<Grant> {
    let arn = association.text("policy_arn").unwrap_or_default();
    let name = arn.rsplit('/').next().unwrap_or("").to_owned();
    let spaces = list(association, "access_scope_namespaces");
    let wide = association.text("access_scope_type").is_none_or(|scope| scope != "namespace");
    let spaces: Vec<Option<String>> = if wide { vec![None] } else { spaces.into_iter().map(Some).collect() };
    let grant = |rule: Rc<Rule>, namespace: &Option<String>| Grant {
        rule,
        namespace: namespace.clone(),
        role: name.clone(),
        declared: None,
        kind: RoleKind::Other,
        shown: shown.to_vec(),
    };
    spaces
        .iter()
        .flat_map(|space| access_policy(&name).into_iter().map(move |rule| (rule, space)))
        .map(|(rule, space)| grant(rule, space))
        .collect()
}

/// Entries of the `aws-auth` config map.
fn aws_auth(map: &Component, world: &World<'_>, out: &mut BTreeMap<Address, Mapped>) {
    let entries = map.setting("mapped_principals").and_then(|node| node.value.as_list()).unwrap_or_default();
    for entry in entries {
        let Some(arn) = entry.get("arn").and_then(|node| node.value.as_text()) else { continue };
        let groups: Vec<String> =
            entry.get("groups").map(|node| crate::facts::read::texts(node).map(ToString::to_string).collect()).unwrap_or_default();
        for principal in world.named(&policy::text(arn)) {
            let shown = Evidence { span: entry.span, text: format!("`{}` lets `{principal}` into the cluster", map.address) };
            let mapped = out.entry(principal.clone()).or_default();
            if groups.iter().any(|group| group == MASTERS) {
                mapped.grants.push(Grant {
                    rule: Rc::new(Rule::everything()),
                    namespace: None,
                    role: MASTERS.to_owned(),
                    declared: None,
                    kind: RoleKind::Other,
                    shown: vec![shown.clone()],
                });
            }
            mapped.groups.extend(groups.iter().cloned());
            mapped.users.extend(entry.get("user").and_then(|node| node.value.as_str()).map(std::borrow::Cow::into_owned));
            mapped.shown.push(shown);
        }
    }
}
