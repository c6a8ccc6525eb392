//! What bindings, access entries and associations give inside of clusters as it is written, in the form of statements of policies.
//!
//! Nothing is derived: what a group has is told of the group, not of everyone in it; principals of AWS are told with what their groups have,
//! because the cluster knows them by these only.

use std::collections::BTreeSet;

use bartizan_model::Span;

use super::actors::{MASTERS, Mapped};
use super::cluster::Cluster;
use super::rbac::Grant;
use crate::attack::permissions::{Permission, Via};

/// Actions of whoever is given a role by a Pod Identity association.
const TAKES_ROLE: &str = "sts:AssumeRole";

/// What service accounts of the cluster were given by bindings that name them, and the roles of AWS that associations give them.
pub(super) fn of_accounts(cluster: &Cluster<'_>, out: &mut Vec<Permission>) {
    for account in cluster.accounts.values() {
        let holder = account.address.to_string();
        out.extend(account.rights.grants.iter().map(|grant| permission(&holder, "", grant)));
        // What a token is enough for stands in the trust policy of the role.
        for role in account.roles.iter().filter(|role| !role.by_token) {
            let span = role.shown.first().map(|shown| shown.span);
            out.push(Permission {
                holder: holder.clone(),
                via: Via::Trust,
                policy: role.role.to_string(),
                denies: false,
                actions: vec![TAKES_ROLE.to_owned()],
                resources: vec![role.role.to_string()],
                conditions: Vec::new(),
                span,
            });
        }
    }
}

/// What a user or a group of a cluster was given.
pub(super) fn of_subject(cluster: &Cluster<'_>, kind: &str, name: &str, grants: &[Grant], out: &mut Vec<Permission>) {
    let holder = subject(cluster, kind, name);
    out.extend(grants.iter().map(|grant| permission(&holder, "", grant)));
}

/// What a user or a group of a cluster is called.
pub(super) fn subject(cluster: &Cluster<'_>, kind: &str, name: &str) -> String {
    let own = cluster.component.map_or_else(String::new, |cluster| format!("{}:", cluster.address));
    format!("{own}{kind}/{name}")
}

/// What a principal of AWS has in a cluster, with what its groups there have.
pub(super) fn of_principal(cluster: &Cluster<'_>, principal: &str, mapped: &Mapped, out: &mut Vec<Permission>) {
    // A principal may be known to several clusters.
    let inside = cluster.component.map_or_else(String::new, |cluster| format!("${{{}.arn}}/", cluster.address));
    out.extend(mapped.grants.iter().map(|grant| permission(principal, &inside, grant)));
    // What administrators are given stands among the grants.
    let groups: BTreeSet<&String> = mapped.groups.iter().filter(|group| *group != MASTERS).collect();
    for group in groups {
        let span = mapped.shown.first().map(|shown| shown.span);
        out.push(as_a_whole(principal.to_owned(), format!("Group/{group}"), format!("{inside}*/*"), span));
    }
}

/// A role whose rules the plan does not show, or what a group has besides.
pub(super) fn as_a_whole(holder: String, role: String, place: String, span: Option<Span>) -> Permission {
    Permission {
        holder,
        via: Via::ClusterRole,
        policy: role,
        denies: false,
        actions: Vec::new(),
        resources: vec![place],
        conditions: Vec::new(),
        span,
    }
}

/// `inside` names the cluster where the holder does not.
fn permission(holder: &str, inside: &str, grant: &Grant) -> Permission {
    let place = format!("{inside}{}", grant.namespace.as_deref().unwrap_or("*"));
    let names = grant.rule.names();
    Permission {
        holder: holder.to_owned(),
        via: Via::ClusterRole,
        policy: grant.declared.as_ref().map_or_else(|| grant.role.clone(), ToString::to_string),
        denies: false,
        actions: grant.rule.verbs(),
        resources: grant.rule.objects().into_iter().map(|object| format!("{place}/{object}")).collect(),
        conditions: if names.is_empty() { Vec::new() } else { vec![format!("it is named {}", names.join(" or "))] },
        span: grant.rule.span().or_else(|| grant.shown.first().map(|shown| shown.span)),
    }
}
