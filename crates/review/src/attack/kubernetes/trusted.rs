//! Roles of AWS that take tokens of a cluster: which service accounts their trust policies let in, annotated or not.
//!
//! An annotation only tells a pod which role to ask for. Whoever can have a token of an account made takes every role that trusts it.
//!
//! Source: EKS user guide, "IAM roles for service accounts".

use std::collections::BTreeMap;

use bartizan_iam::{Assumer, Condition, Context, Provider, Tokens, Who, admits, assumers};
use bartizan_model::Address;

use super::cluster::{AccountRole, Cluster, Key};
use crate::attack::policy::span;
use crate::attack::world::World;
use crate::flows::index::Index;
use crate::outcome::Evidence;

/// What a subject of a service account begins with.
const SUBJECT: &str = "system:serviceaccount:";

/// Adds to each account the roles whose trust lets it in, and takes from it annotated ones whose trust does not.
///
/// `only` is true where the plan has no other cluster, so that a provider which nothing names is this one's.
pub(super) fn join(cluster: &mut Cluster<'_>, index: &Index<'_>, world: &World<'_>, only: bool) {
    for (address, role) in &world.principals {
        let Some(trust) = &role.trust else { continue };
        let ways = assumers(trust);
        let mut told = true;
        let mut admitted: BTreeMap<Key, (Vec<String>, Evidence)> = BTreeMap::new();
        let mut n_ways = 0;
        for way in &ways {
            let Who::Federated(provider) = &way.who else { continue };
            if !belongs(cluster, index, way, provider, only) {
                continue;
            }
            n_ways += 1;
            if way.conditions.iter().filter(|condition| condition.claim() == "sub").any(is_open) {
                told = false;
                continue;
            }
            for key in named(way).unwrap_or_else(|| cluster.accounts.keys().cloned().collect()) {
                let found = admits(way, &Tokens::service_account(&issuer(way, provider), &key.0, &key.1), &Context::open());
                if found.verdict.is_possible() {
                    let text = format!("`{address}` trusts `{}/{}`", key.0, key.1);
                    admitted.entry(key).or_insert((found.needs, Evidence { span: span(way.origin), text }));
                }
            }
        }
        // A trust policy that lets no provider of tokens in takes none of any cluster.
        let no_tokens = ways.iter().all(|way| matches!(way.who, Who::Service(_)));
        if no_tokens || (n_ways > 0 && told) {
            for (key, account) in &mut cluster.accounts {
                account.roles.retain(|known| known.role != *address || !known.by_token || admitted.contains_key(key));
            }
        }
        for (key, (conditions, shown)) in admitted {
            let roles = &mut cluster.account(key).roles;
            match roles.iter_mut().find(|known| known.role == *address && known.by_token) {
                Some(known) => {
                    known.conditions = conditions;
                    known.shown.push(shown);
                }
                None => roles.push(AccountRole { role: address.clone(), by_token: true, conditions, shown: vec![shown] }),
            }
        }
    }
}

/// Whether a provider gives tokens of the cluster.
fn belongs(cluster: &Cluster<'_>, index: &Index<'_>, way: &Assumer<'_>, provider: &Provider, only: bool) -> bool {
    if let Some(component) = provider.text.references().find_map(|(address, _)| index.component(&Address::new(address))) {
        if component.service == "eks" {
            return component.address == cluster.address;
        }
        let url = component.setting("url").and_then(|node| node.value.as_text());
        let mut named = url.into_iter().flat_map(|url| url.references().map(|(address, _)| Address::new(address)).collect::<Vec<_>>());
        if let Some(named) = named.find_map(|address| index.component(&address)).filter(|component| component.service == "eks") {
            return named.address == cluster.address;
        }
    }
    only && (issuer(way, provider).starts_with("oidc.eks.") || named(way).is_some())
}

/// Host and path of the issuer, as far as the policy spells it out.
fn issuer(way: &Assumer<'_>, provider: &Provider) -> String {
    let by_key = || {
        let keys = way.conditions.iter().filter_map(|condition| condition.key.known().map(std::borrow::Cow::into_owned));
        keys.filter_map(|key| key.rsplit_once(':').map(|(issuer, _)| issuer.to_owned())).find(|issuer| issuer.contains('.'))
    };
    provider.issuer.clone().or_else(by_key).unwrap_or_else(|| provider.text.to_string())
}

/// True where a plan does not tell which subjects are meant.
fn is_open(condition: &Condition) -> bool {
    condition.open || condition.values.iter().any(|value| value.text.known().is_none())
}

/// The accounts that a trust names one by one; `None` where it names none or by patterns.
fn named(way: &Assumer<'_>) -> Option<Vec<Key>> {
    let subject = way.conditions.iter().find(|condition| condition.claim() == "sub" && !condition.operator.negated)?;
    let account = |text: &str| {
        let (namespace, name) = text.strip_prefix(SUBJECT)?.split_once(':')?;
        let literal = !text.contains(['*', '?']);
        literal.then(|| (namespace.to_owned(), name.to_owned()))
    };
    subject.values.iter().map(|value| account(&value.text.known()?)).collect()
}
