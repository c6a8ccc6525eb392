//! What a principal may do to each component, one edge per pair with the actions: for readers of the edges, not for the search.
//!
//! A statement's patterns are expanded over the published actions of the service, as far as these work on the component's kind of
//! resource; administrators are left out, they may do everything.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_iam::aws;
use bartizan_model::Address;

use super::rights::{Actor, On, Rights};
use super::world::Target;
use super::{Administrator, Attack};
use crate::flows::index::Index;

/// Most actions that one edge names.
const MOST_ACTIONS: usize = 60;
/// Most edges.
const MOST_EDGES: usize = 50_000;

/// A principal's direct rights on a component.
#[derive(Clone, Debug)]
pub(crate) struct Direct {
    pub(crate) from: Address,
    pub(crate) to: Address,
    pub(crate) actions: Vec<String>,
    /// True where every right has open conditions.
    pub(crate) conditional: bool,
}

/// A component with the published resource types that it is of.
type Typed<'w, 'a> = (&'w Address, &'w Target<'a>, BTreeSet<&'static str>);

/// The direct rights of every principal that is no administrator, sorted, and how many pairs were left out.
pub(crate) fn rights(rights: &Rights<'_, '_>, index: &Index<'_>, attack: &Attack) -> (Vec<Direct>, usize) {
    let world = rights.world;
    let mut by_service: BTreeMap<String, Vec<Typed<'_, '_>>> = BTreeMap::new();
    for (address, target) in &world.targets {
        let Some(shape) = index.services.arn(target.component) else { continue };
        let mut segments = shape.splitn(6, ':');
        let (Some(service), Some(resource)) = (segments.nth(2), segments.nth(2)) else { continue };
        let kinds: BTreeSet<&str> = aws::resource_types(service)
            .iter()
            .filter(|kind| same_kind(kind.arn.splitn(6, ':').nth(5).unwrap_or(""), resource))
            .map(|kind| kind.name.as_str())
            .collect();
        if !kinds.is_empty() {
            by_service.entry(service.to_owned()).or_default().push((address, target, kinds));
        }
    }
    let mut out = Vec::new();
    let mut left_out = 0;
    for (address, _, administrator) in &attack.principals {
        let Some(principal) = world.principals.get(address).filter(|_| *administrator != Administrator::Yes) else { continue };
        let actor = Actor::of(principal);
        for (service, targets) in &by_service {
            let wanted = expanded(principal, service);
            if wanted.is_empty() {
                continue;
            }
            for (to, target, kinds) in targets.iter().filter(|(to, ..)| *to != address) {
                if out.len() >= MOST_EDGES {
                    left_out += 1;
                    continue;
                }
                let fitting = wanted.iter().filter(|(_, on)| on.iter().any(|kind| kinds.contains(kind)));
                let mut actions = Vec::new();
                let mut conditional = true;
                for (action, _) in fitting.take(MOST_ACTIONS) {
                    if let Some(grant) = rights.may(actor, action, On::Component(target), &[]) {
                        conditional &= !grant.needs.is_empty();
                        actions.push(action.clone());
                    }
                }
                if !actions.is_empty() {
                    out.push(Direct { from: address.clone(), to: (*to).clone(), actions, conditional });
                }
            }
        }
    }
    (out, left_out)
}

/// Actions of a service that a principal's statements name, with the resource types that each works on.
fn expanded(principal: &super::world::Principal<'_>, service: &str) -> Vec<(String, Vec<&'static str>)> {
    let Some(facts) = aws::service(service) else { return Vec::new() };
    let statements: Vec<_> = principal.policies.iter().flat_map(|policy| policy.document.allows()).collect();
    let mentions = statements.iter().filter(|statement| {
        statement.actions.is_except()
            || statement
                .actions
                .patterns()
                .iter()
                .any(|pattern| pattern.service().is_none_or(|own| own.contains(['*', '?']) || own == service))
    });
    let mentions: Vec<_> = mentions.collect();
    if mentions.is_empty() {
        return Vec::new();
    }
    let named = |action: &&aws::ActionFacts| {
        let lower = format!("{service}:{}", action.name.to_ascii_lowercase());
        mentions.iter().any(|statement| statement.actions.matches_lower(&lower).is_possible())
    };
    let found = facts.actions.iter().filter(named);
    found
        .map(|action| (format!("{service}:{}", action.name), action.resources.iter().map(|on| on.resource_type.as_str()).collect()))
        .collect()
}

/// Whether two shapes of the resource part of an ARN are of one kind: the same text before the name.
fn same_kind(published: &str, ours: &str) -> bool {
    let fixed = |shape: &str| shape.split(['$', '{', '*']).next().unwrap_or("").to_owned();
    fixed(published) == fixed(ours) && published.matches('/').count() == ours.matches('/').count()
}
