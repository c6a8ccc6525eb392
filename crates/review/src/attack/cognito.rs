//! Cognito: who can sign up in a user pool, and which roles an identity pool hands to whom.

use std::sync::Arc;

use bartizan_model::Component;

use super::graph::{AttackGraph, Fact, FactId, Step};
use super::query::declared;
use super::trust::Entries;
use crate::flows::index::Index;

/// Adds the steps from the internet into user pools and through identity pools to roles.
pub(crate) fn add(index: &Index<'_>, entries: &mut Entries, graph: &mut AttackGraph) {
    let of_type = |name: &'static str| index.architecture.components.values().filter(move |component| component.component_type == name);
    if of_type("cognito.user_pool").chain(of_type("cognito.identity_pool")).next().is_none() {
        return;
    }
    let internet = entries.internet(graph);
    for pool in of_type("cognito.user_pool") {
        if pool.flag("allow_admin_create_user_only") == Some(false) {
            sign_up(index, pool, internet, graph);
        }
    }
    for pool in of_type("cognito.identity_pool") {
        let guests = pool.flag("allow_unauthenticated_identities") == Some(true);
        let users: Vec<&Component> = index.follow(&pool.address, "trusts").into_iter().map(|trusted| owner(index, trusted)).collect();
        for role in index.follow(&pool.address, "gives_role") {
            let is_for_guests = trusts_guests(role);
            if guests && is_for_guests != Some(false) {
                credentials(pool, role, vec![internet], graph);
            }
            if is_for_guests == Some(true) {
                continue;
            }
            for user_pool in &users {
                let login = graph.fact(Fact::Login(user_pool.address.clone()));
                credentials(pool, role, vec![internet, login], graph);
            }
        }
    }
}

/// Anybody signs up, and writes what a client lets users write of themselves.
fn sign_up(index: &Index<'_>, pool: &Component, internet: FactId, graph: &mut AttackGraph) {
    let login = graph.fact(Fact::Login(pool.address.clone()));
    let step = |technique: &str, actions: Arc<[String]>, evidence| Step {
        premises: vec![internet],
        gives: login,
        technique: technique.into(),
        actions,
        probability: 0.9,
        conditions: [].into(),
        assumption: false,
        evidence,
    };
    let setting = pool.settings.get("allow_admin_create_user_only");
    let evidence = setting.map(|node| crate::outcome::Evidence { span: node.span, text: "users sign themselves up".to_owned() });
    let evidence: Arc<[_]> = evidence.into_iter().collect();
    let evidence = if evidence.is_empty() { declared(pool, "users sign themselves up").into() } else { evidence };
    graph.step(step("self-sign-up", ["cognito-idp:SignUp".to_owned()].into(), evidence));
    for client in index.follow_back(&pool.address, "part_of") {
        let Some(node) = client.setting("write_attributes") else { continue };
        let custom =
            node.value.as_list().unwrap_or_default().iter().any(|item| item.value.as_str().is_some_and(|name| name.starts_with("custom:")));
        if custom {
            let evidence = [crate::outcome::Evidence { span: node.span, text: "users write their own custom attributes".to_owned() }];
            graph.step(step("self-written-attribute", ["cognito-idp:UpdateUserAttributes".to_owned()].into(), evidence.into()));
        }
    }
}

/// The identity pool hands out a role.
fn credentials(pool: &Component, role: &Component, premises: Vec<FactId>, graph: &mut AttackGraph) {
    let gives = graph.fact(Fact::Identity(role.address.clone()));
    let actions = ["cognito-identity:GetId", "cognito-identity:GetCredentialsForIdentity", "sts:AssumeRoleWithWebIdentity"];
    let mut evidence = declared(pool, &format!("`{}` hands out `{}`", pool.address, role.address));
    evidence.extend(
        role.setting("assume_role_policy")
            .map(|node| crate::outcome::Evidence { span: node.span, text: format!("`{}` trusts identities of Cognito", role.address) }),
    );
    graph.step(Step {
        premises,
        gives,
        technique: "identity-pool-credentials".into(),
        actions: actions.map(str::to_owned).into(),
        probability: 0.9,
        conditions: [].into(),
        assumption: false,
        evidence: evidence.into(),
    });
}

/// The user pool of a client.
fn owner<'a>(index: &Index<'a>, component: &'a Component) -> &'a Component {
    index
        .follow(&component.address, "part_of")
        .first()
        .copied()
        .filter(|pool| pool.component_type == "cognito.user_pool")
        .unwrap_or(component)
}

/// Whether a role's trust asks for guests (`amr` is `unauthenticated`) or for users; `None` where it does not say.
fn trusts_guests(role: &Component) -> Option<bool> {
    let mut found = None;
    role.setting("assume_role_policy")?.for_each_text(&mut |text, _| match text.known().as_deref() {
        Some("unauthenticated") => found = Some(true),
        Some("authenticated") => found = Some(false),
        _ => {}
    });
    found
}
