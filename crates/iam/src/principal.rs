//! The `Principal` element: who a resource policy or a trust policy speaks of.

use crate::{Origin, PolicyText};

/// What kind of principal an element names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalKind {
    /// `*` or `{"AWS": "*"}`: everyone, also without signing in.
    Anyone,
    /// A whole account: twelve digits or `arn:aws:iam::…:root`. It delegates to the account's own policies.
    Account,
    /// An IAM user.
    User,
    /// An IAM role; every session of it counts.
    Role,
    /// One session of a role: `arn:aws:sts::…:assumed-role/role/session`.
    RoleSession,
    /// A federated user of GetFederationToken: `arn:aws:sts::…:federated-user/name`.
    FederatedUser,
    /// An AWS principal whose ARN the plan does not spell out.
    SomeAws,
    /// A unique id (`AROA…`, `AIDA…`): what AWS leaves behind when the principal is deleted.
    DeletedId,
    /// An AWS service: `lambda.amazonaws.com`.
    Service,
    /// An identity provider: a SAML or OIDC provider ARN, or a host such as `cognito-identity.amazonaws.com`.
    Federated,
    /// An S3 canonical user id.
    CanonicalUser,
    /// The element itself cannot be known.
    Unknown,
}

/// One element of `Principal` or `NotPrincipal`.
#[derive(Clone, Debug, PartialEq)]
pub struct Principal {
    /// Its kind.
    pub kind: PrincipalKind,
    /// As written.
    pub text: PolicyText,
    /// Where it is written.
    pub origin: Origin,
}

impl Principal {
    /// An element under the key `AWS`.
    pub fn aws(text: PolicyText, origin: Origin) -> Self {
        let kind = aws_kind(&text);
        Self { kind, text, origin }
    }

    /// The account it belongs to, where that is spelled out (perhaps as a reference).
    ///
    /// `None` for anyone, for services, and for references to a whole ARN.
    pub fn account(&self) -> Option<PolicyText> {
        match self.kind {
            PrincipalKind::Account
            | PrincipalKind::User
            | PrincipalKind::Role
            | PrincipalKind::RoleSession
            | PrincipalKind::FederatedUser
            | PrincipalKind::SomeAws
            | PrincipalKind::Federated => {}
            PrincipalKind::Anyone
            | PrincipalKind::DeletedId
            | PrincipalKind::Service
            | PrincipalKind::CanonicalUser
            | PrincipalKind::Unknown => return None,
        }
        if let Some([_, _, _, _, account, _]) = self.text.arn_segments() {
            return (!account.is_empty()).then_some(account);
        }
        (self.kind == PrincipalKind::Account).then(|| self.text.clone())
    }
}

fn aws_kind(text: &PolicyText) -> PrincipalKind {
    if let Some(known) = text.known() {
        if known == "*" {
            return PrincipalKind::Anyone;
        }
        if known.len() == 12 && known.bytes().all(|byte| byte.is_ascii_digit()) {
            return PrincipalKind::Account;
        }
        if ["AROA", "AIDA", "AGPA", "ANPA"].iter().any(|prefix| known.starts_with(prefix)) && !known.contains(':') {
            return PrincipalKind::DeletedId;
        }
    }
    if let Some((_, "account_id" | "AccountId")) = text.as_reference() {
        return PrincipalKind::Account;
    }
    if let Some([_, _, service, _, _, resource]) = text.arn_segments() {
        let (service, resource) = (service.known(), resource.known_prefix());
        return match (service.as_deref(), resource.as_str()) {
            (Some("iam"), "root") => PrincipalKind::Account,
            (Some("iam"), user) if user.starts_with("user/") => PrincipalKind::User,
            (Some("iam"), role) if role.starts_with("role/") => PrincipalKind::Role,
            (Some("sts"), session) if session.starts_with("assumed-role/") => PrincipalKind::RoleSession,
            (Some("sts"), user) if user.starts_with("federated-user/") => PrincipalKind::FederatedUser,
            _ => PrincipalKind::SomeAws,
        };
    }
    if text.known_suffix().ends_with(":root") {
        return PrincipalKind::Account;
    }
    match (text.as_reference(), text.has_unknown()) {
        (Some((address, "arn")), _) if address.contains("aws_iam_role.") => PrincipalKind::Role,
        (Some((address, "arn")), _) if address.contains("aws_iam_user.") => PrincipalKind::User,
        (_, true) => PrincipalKind::Unknown,
        (_, false) => PrincipalKind::SomeAws,
    }
}

/// The `Principal` or `NotPrincipal` of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Principals {
    /// Neither is written: an identity policy.
    Attached,
    /// `Principal`: any of these.
    Only(Vec<Principal>),
    /// `NotPrincipal`: anyone but these.
    Except(Vec<Principal>),
}

impl Principals {
    /// The elements as listed.
    pub fn list(&self) -> &[Principal] {
        match self {
            Principals::Attached => &[],
            Principals::Only(list) | Principals::Except(list) => list,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Principal, PrincipalKind};
    use crate::text::Part;
    use crate::{Origin, PolicyText};

    fn kind(text: impl Into<PolicyText>) -> PrincipalKind {
        Principal::aws(text.into(), Origin::default()).kind
    }

    #[test]
    fn arns_tell_what_they_name() {
        assert_eq!(kind("*"), PrincipalKind::Anyone);
        assert_eq!(kind("111111111111"), PrincipalKind::Account);
        assert_eq!(kind("arn:aws:iam::111111111111:root"), PrincipalKind::Account);
        assert_eq!(kind("arn:aws:iam::111111111111:role/path/r"), PrincipalKind::Role);
        assert_eq!(kind("arn:aws:sts::111111111111:assumed-role/r/s"), PrincipalKind::RoleSession);
        assert_eq!(kind("AROAJXEXAMPLEID"), PrincipalKind::DeletedId);
        assert_eq!(kind(PolicyText::reference("aws_iam_role.r", "arn", None)), PrincipalKind::Role);
        assert_eq!(kind(PolicyText::unknown("x")), PrincipalKind::Unknown);
    }

    #[test]
    fn the_account_may_be_a_reference() {
        let mut text = PolicyText::literal("arn:aws:iam::");
        text.append(PolicyText::reference("data.aws_caller_identity.current", "account_id", None));
        text.push(Part::Literal(":root".to_owned()));
        let principal = Principal::aws(text, Origin::default());
        assert_eq!(principal.kind, PrincipalKind::Account);
        let account = principal.account().unwrap();
        assert_eq!(account.as_reference(), Some(("data.aws_caller_identity.current", "account_id")));
    }
}
