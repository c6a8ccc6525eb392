//! Which principals of a policy a caller is, and in which way.
//!
//! Source: IAM User Guide, elements_principal and elements_notprincipal; the three ways from the table
//! "impact of resource-based policies" of the evaluation logic.

use crate::request::{Caller, CallerKind};
use crate::{PolicyText, Principal, PrincipalKind, Principals, ResourceName, Truth};

/// How far a statement reaches a caller, by the way it names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Names the caller itself or everyone: no other policy of its account is asked.
    pub(crate) direct: Truth,
    /// Names the caller's role: boundary and session policy still limit it.
    pub(crate) role: Truth,
    /// Names the caller's account, which decides by its own policies.
    pub(crate) account: Truth,
}

impl Reach {
    const NONE: Self = Self { direct: Truth::No, role: Truth::No, account: Truth::No };

    fn direct(truth: Truth) -> Self {
        Self { direct: truth, ..Self::NONE }
    }

    fn role(truth: Truth) -> Self {
        Self { role: truth, ..Self::NONE }
    }

    fn account(truth: Truth) -> Self {
        Self { account: truth, ..Self::NONE }
    }

    fn or(self, other: Self) -> Self {
        Self { direct: self.direct.or(other.direct), role: self.role.or(other.role), account: self.account.or(other.account) }
    }

    /// In any way.
    pub(crate) fn at_all(self) -> Truth {
        self.direct.or(self.role).or(self.account)
    }
}

/// How a statement that grants reaches the caller.
pub(crate) fn reach_of_allow(principals: &Principals, caller: &Caller) -> Reach {
    match principals {
        Principals::Attached => Reach::direct(Truth::Yes),
        Principals::Only(list) => list.iter().map(|principal| reach(principal, caller)).fold(Reach::NONE, Reach::or),
        Principals::Except(list) => {
            let named = Truth::any(list.iter().map(|principal| reach(principal, caller).at_all()));
            Reach::direct(named.negated())
        }
    }
}

/// Whether a statement that denies strikes the caller.
pub(crate) fn struck_by_deny(principals: &Principals, caller: &Caller, has_boundary: bool) -> Truth {
    match principals {
        Principals::Attached | Principals::Only(_) => reach_of_allow(principals, caller).at_all(),
        // A principal with a boundary is struck whatever is listed (IAM User Guide, permissions boundaries).
        Principals::Except(_) if has_boundary => Truth::Yes,
        Principals::Except(list) => spared(list, caller).negated(),
    }
}

/// `Deny` with `NotPrincipal` spares a user only with its account, and a session only with its role and account.
fn spared(list: &[Principal], caller: &Caller) -> Truth {
    let listed = |pick: fn(Reach) -> Truth| Truth::any(list.iter().map(|principal| pick(reach(principal, caller))));
    let (direct, role, account) = (listed(|reach| reach.direct), listed(|reach| reach.role), listed(|reach| reach.account));
    match caller.kind {
        CallerKind::User | CallerKind::FederatedUser => direct.and(account),
        CallerKind::Role => {
            // A role node stands for every session; one whose name is listed may be meant.
            let session = if caller.session.is_none() && role.is_possible() { direct.or(Truth::Maybe) } else { direct };
            session.and(role).and(account)
        }
        CallerKind::Root | CallerKind::Service | CallerKind::Federated | CallerKind::Anonymous => direct.or(account),
    }
}

fn reach(principal: &Principal, caller: &Caller) -> Reach {
    let text = &principal.text;
    match principal.kind {
        PrincipalKind::Anyone => Reach::direct(Truth::Yes),
        PrincipalKind::Unknown => Reach::direct(Truth::Maybe),
        PrincipalKind::DeletedId => Reach::NONE,
        PrincipalKind::Account => {
            let same = match (principal.account(), &caller.account) {
                (Some(listed), Some(own)) => same_text(&listed, own),
                (None, Some(_)) => Truth::Maybe,
                (_, None) => Truth::No,
            };
            if caller.kind == CallerKind::Root { Reach::direct(same) } else { Reach::account(same) }
        }
        PrincipalKind::User => match caller.kind {
            CallerKind::User => Reach::direct(caller.name.is(text)),
            CallerKind::FederatedUser => Reach::role(caller.session.as_ref().map_or(Truth::No, |user| user.is(text))),
            _ => Reach::NONE,
        },
        PrincipalKind::Role if caller.kind == CallerKind::Role => Reach::role(caller.name.is(text)),
        PrincipalKind::RoleSession if caller.kind == CallerKind::Role => Reach::direct(is_session(text, caller)),
        PrincipalKind::FederatedUser if caller.kind == CallerKind::FederatedUser => Reach::direct(caller.name.is(text)),
        PrincipalKind::Service if caller.kind == CallerKind::Service => Reach::direct(caller.name.is(text)),
        PrincipalKind::Federated if caller.kind == CallerKind::Federated => Reach::direct(caller.name.is(text)),
        PrincipalKind::Role
        | PrincipalKind::RoleSession
        | PrincipalKind::FederatedUser
        | PrincipalKind::Service
        | PrincipalKind::Federated => Reach::NONE,
        // An ARN the plan does not spell out may name any of the caller's names.
        PrincipalKind::SomeAws => match caller.kind {
            CallerKind::Role => Reach::role(caller.name.is(text)),
            CallerKind::User | CallerKind::FederatedUser => Reach::direct(caller.name.is(text)),
            CallerKind::Root => Reach::direct(if text.known().is_some() { caller.name.is(text) } else { Truth::Maybe }),
            CallerKind::Service | CallerKind::Federated | CallerKind::Anonymous => Reach::NONE,
        },
        // The canonical id of an account cannot be told from its number.
        PrincipalKind::CanonicalUser => Reach::account(if caller.account.is_some() { Truth::Maybe } else { Truth::No }),
    }
}

/// Whether a session ARN in a policy is this caller's; for a role in general *maybe* where the role's name fits.
fn is_session(text: &PolicyText, caller: &Caller) -> Truth {
    if let Some(session) = &caller.session {
        return session.is(text);
    }
    let Some([_, _, _, _, account, resource]) = text.arn_segments() else { return Truth::Maybe };
    let role_name = resource.split('/', 3).into_iter().nth(1).unwrap_or_default();
    let own_name = caller.name.texts().iter().find_map(|text| text.arn_segments()).and_then(|[.., resource]| {
        let known = resource.known()?;
        known.rsplit('/').next().map(PolicyText::literal)
    });
    let same_role = own_name.map_or(Truth::Maybe, |own| same_text(&own, &role_name));
    let same_account = caller.account.as_ref().map_or(Truth::Maybe, |own| same_text(own, &account));
    same_role.and(same_account).and(Truth::Maybe)
}

/// Whether two texts are the same.
pub(crate) fn same_text(one: &PolicyText, two: &PolicyText) -> Truth {
    ResourceName::new(one.clone()).is(two)
}

#[cfg(test)]
mod tests {
    use super::{Reach, reach_of_allow, struck_by_deny};
    use crate::{Caller, Document, PolicyText, Principals, Truth};

    fn principals(text: &str) -> Principals {
        let json = format!(r#"{{"Statement":{{"Effect":"Allow",{text},"Action":"*","Resource":"*"}}}}"#);
        Document::from_json(&json).unwrap().statements[0].principals.clone()
    }

    fn caller(arn: &str) -> Caller {
        Caller::from_arn(&arn.into()).unwrap()
    }

    #[test]
    fn a_role_arn_names_every_session_and_the_account_delegates() {
        let session = caller("arn:aws:sts::111111111111:assumed-role/r/s");
        let reach = |text: &str| reach_of_allow(&principals(text), &session);
        let role = reach(r#""Principal":{"AWS":"arn:aws:iam::111111111111:role/r"}"#);
        assert_eq!(role, Reach { direct: Truth::No, role: Truth::Yes, account: Truth::No });
        assert_eq!(reach(r#""Principal":{"AWS":"111111111111"}"#).account, Truth::Yes);
        assert_eq!(reach(r#""Principal":{"AWS":"222222222222"}"#).at_all(), Truth::No);
        assert_eq!(reach(r#""Principal":{"AWS":"arn:aws:sts::111111111111:assumed-role/r/s"}"#).direct, Truth::Yes);
        assert_eq!(reach(r#""Principal":{"AWS":"arn:aws:sts::111111111111:assumed-role/r/t"}"#).at_all(), Truth::No);
        assert_eq!(reach(r#""Principal":"*""#).direct, Truth::Yes);
    }

    #[test]
    fn a_role_in_general_may_have_the_listed_session_name() {
        let role = Caller::role("arn:aws:iam::111111111111:role/path/r", "111111111111");
        let listed = principals(r#""Principal":{"AWS":"arn:aws:sts::111111111111:assumed-role/r/s"}"#);
        assert_eq!(reach_of_allow(&listed, &role).direct, Truth::Maybe);
        let other = principals(r#""Principal":{"AWS":"arn:aws:sts::111111111111:assumed-role/x/s"}"#);
        assert_eq!(reach_of_allow(&other, &role).direct, Truth::No);
    }

    #[test]
    fn not_principal_denies_spare_only_the_fully_listed() {
        let user = caller("arn:aws:iam::111111111111:user/u");
        let full = principals(r#""NotPrincipal":{"AWS":["arn:aws:iam::111111111111:user/u","arn:aws:iam::111111111111:root"]}"#);
        assert_eq!(struck_by_deny(&full, &user, false), Truth::No);
        assert_eq!(struck_by_deny(&full, &user, true), Truth::Yes);
        let short = principals(r#""NotPrincipal":{"AWS":"arn:aws:iam::111111111111:user/u"}"#);
        assert_eq!(struck_by_deny(&short, &user, false), Truth::Yes);
        assert_eq!(struck_by_deny(&full, &Caller::anonymous(), false), Truth::Yes);
    }

    #[test]
    fn roles_of_the_plan_are_known_by_reference() {
        let arn = PolicyText::reference("aws_iam_role.a", "arn", None);
        let role = Caller::role(arn.clone(), PolicyText::reference("data.aws_caller_identity.c", "account_id", None));
        let named = |text: PolicyText| Principals::Only(vec![crate::Principal::aws(text, crate::Origin::default())]);
        assert_eq!(reach_of_allow(&named(arn), &role).role, Truth::Yes);
        let other = PolicyText::reference("aws_iam_role.b", "arn", None);
        assert_eq!(reach_of_allow(&named(other), &role).at_all(), Truth::No);
    }
}
