//! Who becomes which role: trust policies met with the callers of the plan, of other accounts, and of identity providers.

use std::collections::BTreeMap;
use std::sync::Arc;

use bartizan_iam::{Assumer, KeyClass, PolicyText, Provider, Truth, Who, assumers, key_class};
use bartizan_model::{Address, Component};

use super::graph::{AttackGraph, Fact, FactId, Step};
use super::policy::span;
use super::rights::{Actor, Need, On, Rights};
use super::world::Principal;
use crate::flows::ANYONE;
use crate::flows::index::Index;
use crate::outcome::Evidence;

/// Chance that somebody outside who is trusted turns, or is taken over.
pub(crate) const OUTSIDER: f64 = 0.3;
/// Chance that a token with the claims that are asked for can be had where anybody can mint one.
const OPEN_CLAIMS: f64 = 0.9;
/// The same where one repository or subject is named.
const NAMED_CLAIMS: f64 = 0.3;

/// Adds the steps into every role.
pub(crate) fn add(rights: &Rights<'_, '_>, index: &Index<'_>, entries: &mut Entries, graph: &mut AttackGraph) {
    let world = rights.world;
    for (address, role) in &world.principals {
        let Some(trust) = &role.trust else { continue };
        for assumer in assumers(trust) {
            match &assumer.who {
                Who::Service(_) | Who::Deleted(_) | Who::Unknown(_) => {}
                Who::Anyone | Who::AnyoneExcept(_) => {
                    let anyone = entries.anyone(graph);
                    outside(&assumer, address, anyone, graph);
                    callers(rights, &assumer, role, world.principals.values(), graph);
                }
                Who::Account(account) => {
                    let account = account.known().map(std::borrow::Cow::into_owned);
                    let own = account.as_deref().is_none_or(|account| world.is_own(account));
                    if own {
                        // Within the account that is a permission like any other, which primitives join.
                        let other = account.filter(|account| *account != role.account);
                        let callers_of = |account: String| {
                            let of_account = world.principals.values().filter(move |principal| principal.account == account);
                            of_account.filter(|&principal| rights.possible(Actor::of(principal), "sts:AssumeRole"))
                        };
                        callers(rights, &assumer, role, other.into_iter().flat_map(callers_of), graph);
                    } else if let Some(account) = account {
                        let entry = entries.account(&account, graph);
                        outside(&assumer, address, entry, graph);
                    }
                }
                Who::Principal(text) => {
                    let known = world.named(text);
                    if known.is_empty() {
                        let entry = entries.principal(text, graph);
                        outside(&assumer, address, entry, graph);
                    } else {
                        callers(rights, &assumer, role, known.into_iter().filter_map(|address| world.principals.get(address)), graph);
                    }
                }
                Who::Federated(provider) => federated(&assumer, provider, role, index, entries, graph),
            }
        }
    }
}

/// Entries from outside as facts, each once.
#[derive(Default)]
pub(crate) struct Entries {
    /// In the order of first use: the fact and a name for readers.
    pub(crate) list: BTreeMap<FactId, String>,
    /// Resource part of the ARN (`oidc-provider/HOST`) by entry, where that is not its address.
    pub(crate) arns: BTreeMap<FactId, String>,
}

impl Entries {
    pub(crate) fn internet(&mut self, graph: &mut AttackGraph) -> FactId {
        self.enter(Address::internet(), "the internet".to_owned(), graph)
    }

    pub(crate) fn anyone(&mut self, graph: &mut AttackGraph) -> FactId {
        self.enter(Address::new(ANYONE), "anyone with an AWS account".to_owned(), graph)
    }

    pub(crate) fn account(&mut self, id: &str, graph: &mut AttackGraph) -> FactId {
        self.enter(Address::new(format!("aws:account/{id}")), format!("AWS account {id}"), graph)
    }

    /// A principal of which only the ARN is known.
    fn principal(&mut self, text: &PolicyText, graph: &mut AttackGraph) -> FactId {
        // A number that stands for an account which the plan does not tell says nothing to a reader.
        let name = match text.arn_segments() {
            Some([.., account, resource]) if account.known().is_some_and(|id| id.starts_with("00000000")) => {
                format!("arn:aws:iam::*:{resource}")
            }
            _ => text.to_string(),
        };
        self.enter(Address::new(&name), name.clone(), graph)
    }

    pub(crate) fn enter(&mut self, address: Address, name: String, graph: &mut AttackGraph) -> FactId {
        let fact = graph.fact(Fact::Entry(address));
        self.list.entry(fact).or_insert(name);
        fact
    }
}

/// Callers of the plan: trust and, where the trust names their account only, their own policies decide.
fn callers<'p, 'a: 'p>(
    rights: &'p Rights<'p, 'a>,
    assumer: &Assumer<'_>,
    role: &'p Principal<'a>,
    callers: impl Iterator<Item = &'p Principal<'a>>,
    graph: &mut AttackGraph,
) {
    let Some(target) = rights.world.targets.get(&role.component.address) else { return };
    let by_account = matches!(assumer.who, Who::Account(_));
    for principal in callers.filter(|principal| principal.component.address != role.component.address) {
        let actor = Actor::of(principal);
        // A trust that names the caller is enough within its account; one that names the account leaves it to the caller's policies.
        let elsewhere = principal.account != role.account;
        let grant = if by_account || elsewhere {
            rights.may(actor, "sts:AssumeRole", On::Component(target), &[])
        } else {
            rights.by_resource(actor, "sts:AssumeRole", target)
        };
        let Some(grant) = grant else { continue };
        let mut evidence = vec![Evidence {
            span: span(assumer.origin),
            text: format!("`{}` lets `{}` become it", role.component.address, principal.component.address),
        }];
        evidence.extend(grant.evidence.iter().filter(|item| item.span != span(assumer.origin)).cloned());
        let mut premises = vec![graph.fact(Fact::Identity(principal.component.address.clone()))];
        let mut conditions = Vec::new();
        for need in grant.needs {
            match need {
                Need::SecondFactor => premises.push(graph.fact(Fact::SecondFactor(principal.component.address.clone()))),
                Need::Tags => premises.push(graph.fact(Fact::Tags(role.component.address.clone()))),
                Need::Open(words) => conditions.push(words),
            }
        }
        let open = i32::try_from(conditions.len()).unwrap_or(i32::MAX);
        let gives = graph.fact(Fact::Identity(role.component.address.clone()));
        graph.step(Step {
            premises,
            gives,
            technique: "sts-assume-role".into(),
            actions: ["sts:AssumeRole".to_owned()].into(),
            probability: 0.95 * 0.5_f64.powi(open),
            conditions: conditions.into(),
            assumption: false,
            evidence: evidence.into(),
        });
    }
}

/// Somebody outside of the plan who is trusted.
fn outside(assumer: &Assumer<'_>, role: &Address, entry: FactId, graph: &mut AttackGraph) {
    let conditions: Vec<String> = assumer.conditions.iter().map(ToString::to_string).collect();
    let open = assumer.conditions.iter().filter(|condition| key_class(&condition.key.to_string()) != KeyClass::Attacker).count();
    let anyone = matches!(assumer.who, Who::Anyone | Who::AnyoneExcept(_));
    let base = if anyone { 0.9 } else { OUTSIDER };
    let gives = graph.fact(Fact::Identity(role.clone()));
    graph.step(Step {
        premises: vec![entry],
        gives,
        technique: if anyone { "trust-anyone".into() } else { "trust-outsider".into() },
        actions: [assumer.action.to_owned()].into(),
        probability: base * 0.5_f64.powi(i32::try_from(open).unwrap_or(i32::MAX)),
        conditions: if assumer.verdict == Truth::Yes && open == 0 { [].into() } else { conditions.into() },
        assumption: false,
        evidence: [Evidence { span: span(assumer.origin), text: format!("`{role}` lets them become it") }].into(),
    });
}

/// Tokens of an identity provider.
fn federated(
    assumer: &Assumer<'_>,
    provider: &Provider,
    role: &Principal<'_>,
    index: &Index<'_>,
    entries: &mut Entries,
    graph: &mut AttackGraph,
) {
    let component = provider.text.references().find_map(|(address, _)| index.component(&Address::new(address)));
    if is_cluster(component, assumer) {
        // Only service accounts of the cluster have such tokens; they are joined with their pods.
        return;
    }
    if provider.text.to_string().contains("cognito-identity.amazonaws.com") {
        return;
    }
    let entry = match component {
        Some(component) => {
            let entry = entries.enter(component.address.clone(), format!("tokens of `{}`", component.address), graph);
            if let Some(url) = component.text("url") {
                entries.arns.insert(entry, format!("oidc-provider/{}", url.trim_start_matches("https://")));
            }
            entry
        }
        None => {
            let text = provider.text.to_string();
            let name = text.split_once("oidc-provider/").map_or(text.clone(), |(_, issuer)| issuer.to_owned());
            entries.enter(Address::new(&name), format!("tokens of {name}"), graph)
        }
    };
    let claims = Claims::read(assumer);
    let conditions: Arc<[String]> =
        if claims.anybody { [].into() } else { assumer.conditions.iter().map(ToString::to_string).collect::<Vec<_>>().into() };
    let gives = graph.fact(Fact::Identity(role.component.address.clone()));
    graph.step(Step {
        premises: vec![entry],
        gives,
        technique: "trust-federated".into(),
        actions: [assumer.action.to_owned()].into(),
        probability: if claims.anybody { OPEN_CLAIMS } else { NAMED_CLAIMS },
        conditions,
        assumption: false,
        evidence: [Evidence { span: span(assumer.origin), text: format!("`{}` trusts tokens of this provider", role.component.address) }]
            .into(),
    });
}

fn is_cluster(component: Option<&Component>, assumer: &Assumer<'_>) -> bool {
    component.is_some_and(|component| component.service == "eks")
        || assumer.conditions.iter().any(|condition| {
            condition.key.to_string().contains("oidc.eks.")
                || condition.values.iter().any(|value| value.text.to_string().starts_with("system:serviceaccount:"))
        })
}

/// What the claims of a token must say.
struct Claims {
    /// Nothing ties them to somebody: no subject, repository or organisation is asked for, or any will do.
    anybody: bool,
}

impl Claims {
    /// Source: the providers' lists of claims; GitHub's `repository`, `repository_owner` and `job_workflow_ref` tie as `sub` does.
    fn read(assumer: &Assumer<'_>) -> Self {
        let ties = assumer.conditions.iter().any(|condition| {
            let key = condition.key.to_string().to_ascii_lowercase();
            let claim = key.rsplit(':').next().unwrap_or("").to_owned();
            let names = !matches!(claim.as_str(), "aud" | "iss" | "azp" | "amr");
            let narrow = condition.values.iter().all(|value| {
                let text = value.text.to_string();
                !matches!(text.as_str(), "*" | "repo:*" | "repo:*/*" | "repo:*:*" | "repo:*/*:*" | "project_path:*")
            });
            names && narrow && !condition.operator.negated
        });
        Self { anybody: !ties }
    }
}
